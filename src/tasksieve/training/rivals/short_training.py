"""A short training of a fresh model before the run's own, and what that model makes of examples."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tasksieve.contracts import Examples
from tasksieve.models import DialogModel, LogisticRegression, Model
from tasksieve.training.loop.as_measured import as_measured
from tasksieve.training.loop.method import Method, Start
from tasksieve.training.loop.state import TrainState, start_state
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.rivals.prepared import Watch
from tasksieve.weighting import Ones

_CHUNK = 256
_WATCH_EVERY = 10


class _PrimaryAlone(Method):
    """Learn from the primary task alone."""

    updates = ("primary",)


class _Both(Method):
    """Learn from both, all weights being 1."""


class ShortTraining:
    """A fresh model that is trained for ``rivals.iterations`` as the run would be, over a schedule of its own.

    Args:
        start: of the run.
        related: whether it learns from related examples as well, all weights being 1.
        watch: called with the number of iterations done.
    """

    def __init__(self, start: Start, watch: Watch, *, related: bool) -> None:
        self.iterations = start.config.rivals.iterations
        changed = {"iterations": self.iterations, "primary_updates": True}
        training = start.config.training.model_copy(update=changed)
        config = start.config.model_copy(update={"training": training})
        self.state: TrainState = start_state(config, start.fresh_model(), None)
        method = _Both() if related else _PrimaryAlone()
        self._trainer, self._watch = Trainer(config, method, start.tasks, self.state, Ones()), watch

    def steps(self) -> Iterator[int]:
        """Do one iteration after the other, and yield how many are done."""
        for step in range(self.iterations):
            self._trainer.iterate(step)
            if step % _WATCH_EVERY == _WATCH_EVERY - 1:
                self._watch(step + 1)
            yield step + 1
        self._trainer.settle()


def model_of_primary(start: Start, watch: Watch) -> Model:
    """A model that was trained on the primary task's training examples and has seen no others."""
    training = ShortTraining(start, watch, related=False)
    for _ in training.steps():
        pass
    return training.state.model


@torch.no_grad()
def losses_of(model: Model, task: Examples) -> Float[Tensor, " examples"]:
    """The loss of each of a task's examples; infinite for those that cannot be learned from."""
    found = torch.full((len(task),), torch.inf)
    with as_measured(model):
        for numbers in torch.split(task.answerable(), _CHUNK):
            found[numbers.cpu()] = model.losses(task.batch(numbers)).float().cpu()
    return found


@torch.no_grad()
def predictions_of(model: Model, task: Examples) -> tuple[Bool[Tensor, " examples"], Float[Tensor, " examples"]]:
    """Of each of a task's examples whether a model predicts it rightly, and the probability of what it predicts.

    Examples that cannot be learned from count as predicted rightly, with probability 0.
    """
    right, confidence = torch.ones(len(task), dtype=torch.bool), torch.zeros(len(task))
    with as_measured(model):
        for numbers in torch.split(task.answerable(), _CHUNK):
            scores, targets = _scores(model, task.batch(numbers))
            highest, places = torch.softmax(scores, dim=1).max(dim=1)
            right[numbers.cpu()] = (places == targets).cpu()
            confidence[numbers.cpu()] = highest.float().cpu()
    return right, confidence


def _scores(model: Model, batch: object) -> tuple[Tensor, Tensor]:
    if isinstance(model, DialogModel):
        return model.responses(batch)  # type: ignore[arg-type]
    assert isinstance(model, LogisticRegression)
    return model.scores(batch), batch.targets  # type: ignore[arg-type,attr-defined]
