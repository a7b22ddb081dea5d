"""What a method of using related data is; each one is a class of its own in ``tasksieve.training.methods``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import polars as pl

from tasksieve.errors import UserError
from tasksieve.models import Model, WeightModule
from tasksieve.records.config import LoopConfig, ScreeningConfig, TrainingConfig
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.samplers import Tasks
from tasksieve.weighting import Ones, Weighter

Update = Literal["primary", "related", "pooled", "weights"]
"""Updates of an iteration: steps 1, 2 and 3 of the algorithm, or one on a batch of all tasks' examples together."""


def _nothing(_: RunFolder) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Preparation:
    """Work on a state before the first iteration; done anew if the run is killed before its first checkpoint.

    Attributes:
        iterations: that it takes, for who watches.
        work: does it; takes the run folder and what to call with the number of iterations done, and may go on from
            what an earlier call left in the folder.
        restore: called instead where a run goes on from a checkpoint: takes from the folder what the work found and
            no checkpoint holds.
    """

    iterations: int
    work: Callable[[RunFolder, Callable[[int], None]], None]
    restore: Callable[[RunFolder], None] = _nothing


@dataclass(frozen=True, slots=True)
class Start:
    """What a run starts from, before its method has chosen how to weight.

    Attributes:
        config: of the run.
        tasks: what is learned from.
        model: that is trained, where the run computes.
        fresh_model: makes the model once more, with the same initial parameters.
        fresh_weight_module: makes the setting's weight module, which judges an example by what it says.
        measure: how good a model is on the primary task's validation data, in [0, 1]; higher is better.
        examples: the related examples as records, task after task: at least the columns example, dialog and turn;
            ``system`` has the response where examples are turns, ``label`` says where it is known what is right.
        screening: the trials before a run that learns weights from examples; 0 for none.
    """

    config: LoopConfig
    tasks: Tasks
    model: Model
    fresh_model: Callable[[], Model]
    fresh_weight_module: Callable[[], WeightModule]
    measure: Callable[[Model], float]
    examples: pl.DataFrame
    screening: ScreeningConfig


@dataclass(frozen=True, slots=True)
class Weighing:
    """How a run's related examples get their weights.

    Attributes:
        weighter: gives them.
        module: what learns them in the update ``weights``, if anything does; the weighter is then
            :class:`tasksieve.weighting.Learned`.
        prepare: what comes before the first iteration, if anything.
    """

    weighter: Weighter
    module: WeightModule | None = None
    prepare: Preparation | None = None


class Method:
    """A way of using related data; the first line of a method's docstring is what help pages print.

    Attributes:
        name: as given on the command line.
        updates: what an iteration does, in this order.
        heads: ``per-task`` for one head a task on a shared body, ``one`` for a single head over all candidates.
        pretrain: updates of the iterations that come before, if any.
        needs_labels: whether it must be known which related examples are right.
        paper: the row's name in the paper's tables, if it is one of them.
        reference: where the method is from, if it is not in the paper.
        simple: whether it is a simple baseline, which the loop does not train; see ``training/methods/simple.py``.
        spreads: whether several processes can share the batches of a run: each weight depends on its example alone.
    """

    name: ClassVar[str] = ""
    updates: ClassVar[tuple[Update, ...]] = ("primary", "related")
    heads: ClassVar[Literal["per-task", "one"]] = "per-task"
    pretrain: ClassVar[tuple[Update, ...]] = ()
    needs_labels: ClassVar[bool] = False
    paper: ClassVar[str] = ""
    reference: ClassVar[str] = ""
    simple: ClassVar[bool] = False
    spreads: ClassVar[bool] = False

    def weighing(self, start: Start) -> Weighing:
        """Where the related examples' weights come from in one run: by default all are 1."""
        return Weighing(Ones())

    def drawn(self, config: LoopConfig) -> int | None:
        """How many examples of a related task an update draws; None for as many as the configuration says."""
        return None

    def heads_in(self, training: TrainingConfig) -> Literal["per-task", "one"]:
        """The heads of a run: one, too, if it borrows and related examples are to be judged with a shared one."""
        return "one" if self.borrows and training.heads == "shared" else self.heads

    @property
    def summary(self) -> str:
        """One line for help pages."""
        return (type(self).__doc__ or "").strip().partition("\n")[0]

    @property
    def borrows(self) -> bool:
        """Whether the method learns from related data at all."""
        return self.updates != ("primary",) or bool(self.pretrain)

    @property
    def weights_batches(self) -> bool:
        """Whether every iteration learns from a batch of related examples by itself, so that it can be weighted."""
        return "related" in self.updates and not self.pretrain

    def require(self, *, related: bool, labels: bool) -> None:
        """Check that there is what the method needs.

        Args:
            related: whether there is a related task.
            labels: whether it is known which related examples are right.
        Raises: UserError: saying what is missing.
        """
        if self.borrows and not related:
            raise UserError(f"method '{self.name}' borrows; give at least one --related file")
        if self.needs_labels and not labels:
            raise UserError(f"method '{self.name}' needs labels of the related examples; give --labels")
