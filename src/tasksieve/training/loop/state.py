"""All that changes while a run goes on, and its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from tasksieve.errors import UserError
from tasksieve.models import Model, WeightModule
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.devices import devices_of, random_states, set_random_states
from tasksieve.training.loop.optimizers import adagrad_of, adam_of
from tasksieve.training.loop.tensor_files import read_tensors, write_tensors


@dataclass(slots=True)
class Progress:
    """How far a run is.

    Attributes:
        step: iterations done, pre-training included.
        best_step, best_accuracy: of the best validation so far.
        stale: validations since the best one.
        exploded: meta-gradients in a row, up to now, that were not finite.
        seconds: time spent, over all resumptions; no part of a checkpoint, so that equal runs leave equal files.
    """

    step: int = 0
    best_step: int = 0
    best_accuracy: float = -1.0
    stale: int = 0
    exploded: int = 0
    seconds: float = 0.0


_KEPT = {"step": int, "best_step": int, "best_accuracy": float, "stale": int, "exploded": int}


@dataclass(frozen=True, slots=True)
class StateCopy:
    """A state as it was at one iteration, on the CPU, to be written while the training goes on.

    Attributes:
        tensors: parameters, moments and random states by name.
        facts: the progress; its ``step`` is the iteration.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, str]

    def write(self, path: Path, previous: Path | None = None) -> None:
        """Write everything that is needed to go on.

        Args:
            path: the checkpoint.
            previous: where the checkpoint before goes; by default it is replaced.
        Raises: UserError: if the disk does not take it; the checkpoint before stays.
        """
        write_tensors(path, self.tensors, self.facts, "state", previous)

    def write_model(self, path: Path) -> None:
        """Write the model alone, to be used. Raises: UserError: if the disk does not take it."""
        model = {name: value for name, value in self.tensors.items() if name.startswith("model.")}
        write_tensors(path, model, {"step": self.facts["step"]}, "model")


@dataclass(slots=True)
class TrainState:
    """Model, weight module, their optimisers, and progress.

    ``optimizers`` has the keys ``primary`` and ``related`` (the same object if they share their state), and
    ``weights`` if the weights are learned. The best model so far is no part of it: it is on the disk alone, where the
    validation that found it wrote it.
    """

    model: Model
    weight_module: WeightModule | None
    optimizers: dict[str, torch.optim.Optimizer]
    progress: Progress = field(default_factory=Progress)

    def copy(self) -> StateCopy:
        """Copy everything that is needed to go on.

        Batches are a function of the seed and the iteration's number; the only generators with a state are torch's
        own, which layers such as dropout draw from.
        """
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        if self.weight_module is not None:
            tensors |= {f"weight_module.{name}": v for name, v in self.weight_module.state_dict().items()}
        for key, optimizer in self._distinct_optimizers().items():
            for number, moments in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{key}.{number}.{name}": v for name, v in moments.items()}
        tensors |= random_states(devices_of(self.model))
        plain = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
        return StateCopy(plain, {slot: repr(getattr(self.progress, slot)) for slot in _KEPT})

    def load(self, path: Path) -> None:
        """Read what :meth:`StateCopy.write` wrote.

        Raises: UserError: if the file is missing, damaged, or of another model; what was changed by then is not
            changed back.
        """
        tensors, facts = read_tensors(path, "state")
        load_module(self.model, tensors, "model.", path)
        if self.weight_module is not None:
            load_module(self.weight_module, tensors, "weight_module.", path)
        try:
            for key, optimizer in self._distinct_optimizers().items():
                _load_optimizer(optimizer, tensors, f"optimizer.{key}.")
            set_random_states(tensors, devices_of(self.model))
            for slot, kind in _KEPT.items():
                setattr(self.progress, slot, kind(facts[slot]))
        except (KeyError, IndexError, ValueError, TypeError, RuntimeError) as error:
            raise UserError(f"lacks what a run needs to go on ({error}); remove it and train again", path) from None

    def _distinct_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        distinct = dict(self.optimizers)
        if distinct.get("related") is distinct.get("primary"):
            distinct.pop("related", None)
        return distinct


def start_state(config: LoopConfig, model: Model, weight_module: WeightModule | None) -> TrainState:
    """Model and weight module with fresh optimisers; no weight module if the weights are not learned."""
    training = config.training
    primary = adam_of(model, training.primary_lr, training.decay)
    shared = training.optimizer_state == "shared"
    optimizers = {
        "primary": primary,
        "related": primary if shared else adam_of(model, training.related_lr, training.decay),
    }
    if weight_module is not None:
        of = adagrad_of if config.meta.weight_optimizer == "adagrad" else adam_of
        optimizers["weights"] = of(weight_module, config.meta.weight_lr, config.meta.weight_decay)
    return TrainState(model, weight_module, optimizers)


def load_module(module: nn.Module, tensors: Mapping[str, Tensor], prefix: str, path: Path) -> None:
    """Fill a module from the tensors whose names have a prefix.

    Raises: UserError: if names or shapes differ from the module's.
    """
    held = {name.removeprefix(prefix): v for name, v in tensors.items() if name.startswith(prefix)}
    shapes = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    wrong = [name for name in {**shapes, **held} if name not in held or shapes.get(name) != tuple(held[name].shape)]
    if wrong:
        has = f"has it as {tuple(held[wrong[0]].shape)}" if wrong[0] in held else "lacks it"
        wanted = f"needs '{wrong[0]}' as {shapes[wrong[0]]}" if wrong[0] in shapes else f"knows no '{wrong[0]}'"
        raise UserError(f"belongs to another model: {type(module).__name__} {wanted}, the file {has}", path)
    module.load_state_dict(held)


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], prefix: str) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    params = [param for group in optimizer.param_groups for param in group["params"]]
    for name, value in tensors.items():
        if name.startswith(prefix):
            number, key = name.removeprefix(prefix).split(".")
            if value.dim() and value.shape != params[int(number)].shape:
                raise ValueError(f"'{name}' has the shape {tuple(value.shape)}")
            state.setdefault(int(number), {})[key] = value.clone()  # what is read may be the file itself
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
