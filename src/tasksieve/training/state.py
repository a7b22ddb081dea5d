"""All that changes while a run goes on, and its checkpoints (safetensors only, nothing pickled)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from tasksieve.errors import UserError
from tasksieve.records.files import write_whole

_META = "tasksieve"


@dataclass(slots=True)
class Progress:
    """How far a run is.

    Attributes:
        step: iterations done, pre-training included.
        best_step, best_accuracy: of the best validation so far.
        seconds: time spent, over all resumptions.
        stale: validations since the best one.
    """

    step: int = 0
    best_step: int = 0
    best_accuracy: float = -1.0
    seconds: float = 0.0
    stale: int = 0


@dataclass(slots=True)
class TrainState:
    """Model, weight module, their optimisers, and progress.

    ``optimizers`` has the keys ``primary`` and ``related`` (the same object if they share their state), and
    ``weights`` if the weights are learned.
    """

    model: nn.Module
    weight_module: nn.Module | None
    optimizers: dict[str, torch.optim.Optimizer]
    progress: Progress = field(default_factory=Progress)

    def save(self, path: Path) -> None:
        """Write everything that is needed to go on.

        Raises: UserError: if the disk does not take it; the checkpoint before stays.
        """
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        if self.weight_module is not None:
            tensors |= {f"weight_module.{name}": v for name, v in self.weight_module.state_dict().items()}
        for key, optimizer in self._distinct_optimizers().items():
            for number, moments in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{key}.{number}.{name}": v for name, v in moments.items()}
        progress = {slot: repr(getattr(self.progress, slot)) for slot in Progress.__slots__}
        write_tensors(path, tensors, progress)

    def load(self, path: Path) -> None:
        """Read what :meth:`save` wrote.

        Raises: UserError: if the file is missing, damaged, or of another model.
        """
        tensors, metadata = read_tensors(path)
        load_module(self.model, tensors, "model.", path)
        if self.weight_module is not None:
            load_module(self.weight_module, tensors, "weight_module.", path)
        for key, optimizer in self._distinct_optimizers().items():
            _load_optimizer(optimizer, tensors, f"optimizer.{key}.")
        kinds = {"step": int, "best_step": int, "stale": int}
        for slot in Progress.__slots__:
            setattr(self.progress, slot, kinds.get(slot, float)(metadata[slot]))

    def _distinct_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        distinct = dict(self.optimizers)
        if distinct.get("related") is distinct.get("primary"):
            distinct.pop("related", None)
        return distinct


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file whole."""
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_whole(path, lambda part: save_file(plain, part, {"format": _META, **metadata}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file with its metadata.

    Raises: UserError: if it is missing or damaged.
    """
    if not path.exists():
        raise UserError("no such checkpoint; train first", path)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"is no readable checkpoint ({error}); remove it and train again", path) from None


def load_module(module: nn.Module, tensors: Mapping[str, Tensor], prefix: str, path: Path) -> None:
    """Fill a module from the tensors whose names have a prefix.

    Raises: UserError: if names or shapes differ from the module's.
    """
    own = {name.removeprefix(prefix): v for name, v in tensors.items() if name.startswith(prefix)}
    try:
        module.load_state_dict(own)
    except RuntimeError as error:
        message = " ".join(str(error).split())
        raise UserError(f"belongs to another model: {message}", path) from None


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], prefix: str) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith(prefix):
            number, key = name.removeprefix(prefix).split(".")
            state.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
