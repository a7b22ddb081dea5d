"""A callback that learns the weights of examples while a language model is fine-tuned."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tasksieve.errors import UserError
from tasksieve.integrations.adapter_weights import APPROXIMATE, AdapterUpdate, AdapterWeights
from tasksieve.integrations.difference_error import DifferenceError
from tasksieve.integrations.extra import needed
from tasksieve.integrations.known_examples import assert_count, assert_groups, assert_weighed
from tasksieve.integrations.weight_modules import GroupTable
from tasksieve.metagrad import Estimator

if TYPE_CHECKING:
    TrainerCallback = Any
else:
    TrainerCallback = needed("transformers").TrainerCallback

TENSORS, STATE = "learned_weights.safetensors", "learned_weights.json"
"""What a checkpoint of the Trainer has beside its own files."""
_FAR = 1_000_003


class LearnWeights(TrainerCallback):  # type: ignore[misc]
    """Learned weights for :class:`WeightedTrainer`, by what they do to the loss of primary examples.

    After every ``every``-th step of the optimiser, batches are drawn from the training data and from the primary
    examples, steps of the adapters are simulated, and the weight module is moved. Training draws the same random
    numbers as without it. Examples whose ``group`` is missing or -1, as the primary ones among the training data,
    keep weight 1; all else is relative to them.

    Args:
        primary: examples as the training data's, of the primary task; best not learned from besides.
        groups: how many groups there are, for a :class:`GroupTable`; or None with a ``module`` of one's own.
        module: called with a batch, it gives a logit a unit, shape (units,).
        every: steps from one meta-update to the next.
        batch_size: of the batches that a meta-update draws, on each process; None for that of a training step.
        weight_lr: of Adam for the weight module.
        lr: of the simulated steps; None for the optimiser's own. Needed where that is none of SGD, Adam and AdamW.
        unroll_length: simulated steps.
        estimator: ``approximate``, ``exact`` or another one; see :class:`AdapterWeights`.
        held, check_every: see there too.
        seed: of the draws.

    Attributes:
        resumes_from: the checkpoint that the trainer goes on from, as it says.
        history: of each meta-update, ``step``, ``meta_loss``, and with a table the ``weights`` by group.

    Raises: UserError: if there are neither groups nor a module, a number is not a whole one of 1 or more, or there
        are no primary examples, or all of weight 0.
    """

    def __init__(
        self,
        primary: Sequence[Any],
        groups: int | None = None,
        *,
        module: nn.Module | None = None,
        every: int = 1,
        batch_size: int | None = None,
        weight_lr: float = 0.1,
        lr: float | None = None,
        unroll_length: int = 1,
        estimator: str | Estimator = APPROXIMATE,
        held: bool = True,
        check_every: int = 50,
        seed: int = 0,
    ) -> None:
        if (groups is None) == (module is None):
            raise UserError("give either groups, for a weight each, or a module that reads a batch")
        if not len(primary):
            raise UserError("there are no primary examples to judge weights by; give some")
        assert_weighed(primary)
        for name, value in (("every", every), ("batch_size", batch_size), ("unroll_length", unroll_length)):
            if value is not None:
                assert_count(value, name)
        self.module = module if module is not None else GroupTable(groups or 0)
        self.resumes_from: str | None = None
        self.history: list[dict[str, Any]] = []
        self._primary, self._every, self._batch_size, self._seed = primary, every, batch_size, seed
        self._options: dict[str, Any] = {
            "weight_lr": weight_lr,
            "lr": lr,
            "unroll_length": unroll_length,
            "estimator": estimator,
            "held": held,
            "check_every": check_every,
        }
        self._steps = unroll_length
        self._learner: AdapterWeights | None = None
        self._trainer: Any = None
        self._rates: list[Any] = []

    @property
    def error(self) -> DifferenceError | None:
        """Of the central differences, as it was measured last; None with an exact estimator."""
        return None if self._learner is None else self._learner.error

    @property
    def meta_loss(self) -> float | None:
        """Of the last meta-update, nats a token."""
        return float(self.history[-1]["meta_loss"]) if self.history else None

    @torch.no_grad()
    def weights(self) -> list[float]:
        """The weight of each group. Raises: UserError: with a module of one's own, which has weights of units."""
        if not isinstance(self.module, GroupTable):
            raise UserError("the weight module is no table by group; ask unit_weights(batch) for those of a batch")
        return [float(value) for value in torch.sigmoid(self.module.logits)]

    def unit_weights(self, batch: Mapping[str, Tensor]) -> Tensor | None:
        """The weights of a batch's units, shape (units,); None before training."""
        return None if self._learner is None else self._learner.weights(batch)

    def attach(self, trainer: Any) -> None:
        """Be told whose trainer it is; by the trainer.

        Raises: UserError: if its model is sharded, its training data cannot be drawn from, or a table lacks one of
            their groups.
        """
        if getattr(trainer, "is_fsdp_enabled", False) or getattr(trainer, "is_deepspeed_enabled", False):
            raise UserError("learned weights need all adapters on each process; train without FSDP and DeepSpeed")
        if not hasattr(trainer.train_dataset, "__len__"):
            raise UserError("learned weights are judged on examples drawn at random; give data that have a length")
        if isinstance(self.module, GroupTable):
            assert_groups(trainer.train_dataset, len(self.module.logits))
        self._trainer = trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start, or go on from the checkpoint that the trainer goes on from."""
        if self._trainer is None:
            raise UserError("LearnWeights needs a WeightedTrainer that is given it in callbacks=[...]")
        trainer = self._trainer
        self.module.to(trainer.args.device)
        self._learner = AdapterWeights(trainer.model, self.module, optimizer=trainer.optimizer, **self._options)
        self.history = []
        if self.resumes_from is not None:
            self._load(Path(self.resumes_from))
            self.resumes_from = None

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note the step sizes of the step that is about to be taken: after it they are those of the next one."""
        if self._trainer is not None:
            self._rates = [group["lr"] for group in self._trainer.optimizer.param_groups]

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A meta-update, if one is due."""
        if self._learner is None or state.global_step % self._every:
            return
        size = self._batch_size or args.per_device_train_batch_size
        train = self._trainer.train_dataset
        related = [self._drawn(train, size, state.global_step, number + 1) for number in range(self._steps)]
        primary = self._drawn(self._primary, size, state.global_step, 0)
        with _stepping_by(self._trainer.optimizer, self._rates):
            found = self._learner.update(related, primary)
        self.history.append(self._told(state.global_step, found))

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Put weights, their optimiser and history beside the checkpoint's own files."""
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if self._learner is None or not state.is_world_process_zero or not folder.is_dir():
            return
        tensors = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        for number, moments in self._learner.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value) for name, value in moments.items()}
        save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, folder / TENSORS)
        radius = None if self._learner.error is None else self._learner.error.radius
        kept = {"updates": self._learner.updates, "skipped": self._learner.skipped, "radius": radius}
        (folder / STATE).write_text(json.dumps({**kept, "history": self.history}))

    def _load(self, folder: Path) -> None:
        assert self._learner is not None
        if not (folder / TENSORS).exists():
            raise UserError("the checkpoint has no learned weights; it is of a training without LearnWeights", folder)
        tensors = load_file(folder / TENSORS)
        names = [name.removeprefix("module.") for name in tensors if name.startswith("module.")]
        self._assert_alike({name: tensors[f"module.{name}"] for name in names}, folder)
        self.module.load_state_dict({name: tensors[f"module.{name}"] for name in names})
        moments: dict[int, dict[str, Tensor]] = {}
        for name in tensors.keys() - {f"module.{name}" for name in names}:
            _, number, kind = name.split(".", 2)
            moments.setdefault(int(number), {})[kind] = tensors[name]
        groups = self._learner.optimizer.state_dict()["param_groups"]
        self._learner.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        kept = json.loads((folder / STATE).read_text())
        self.history = kept.pop("history")
        self._learner.go_on(**kept)

    def _assert_alike(self, there: Mapping[str, Tensor], folder: Path) -> None:
        then, now = ({n: tuple(v.shape) for n, v in some.items()} for some in (there, self.module.state_dict()))
        if then != now:
            raise UserError(
                f"the checkpoint's weight module has the sizes {then}, and this one {now}; go on with as many "
                "groups, or the same module, as before",
                folder,
            )

    def _drawn(self, examples: Sequence[Any], size: int, step: int, number: int) -> dict[str, Any]:
        """A batch of this process, the same whenever this step is taken."""
        args = self._trainer.args
        generator = torch.Generator().manual_seed((self._seed * _FAR + step) * _FAR + number)
        count = size * args.world_size
        places = torch.randperm(len(examples), generator=generator)[:count]
        if len(places) < args.world_size:
            raise UserError(f"{len(places)} examples cannot be divided among {args.world_size} processes; give more")
        own = places[args.process_index :: args.world_size].tolist()
        batch = self._trainer.data_collator([examples[place] for place in own])
        prepared: dict[str, Any] = self._trainer._prepare_inputs(batch)
        return prepared

    def _told(self, step: int, found: AdapterUpdate) -> dict[str, Any]:
        told: dict[str, Any] = {"step": step, "meta_loss": found.meta_loss}
        if isinstance(self.module, GroupTable):
            told["weights"] = self.weights()
        if found.error is not None:
            told |= {"radius": found.error.radius, "error": found.error.relative}
        return told


@contextmanager
def _stepping_by(optimizer: Any, rates: Sequence[Any]) -> Iterator[None]:
    """Let an optimiser have the step sizes of its last step for a while; those it has where all of them were 0."""
    groups = optimizer.param_groups
    present = [group["lr"] for group in groups]
    try:
        for group, rate in zip(groups, rates if any(rates) else present, strict=True):
            group["lr"] = rate
        yield
    finally:
        for group, rate in zip(groups, present, strict=True):
            group["lr"] = rate
