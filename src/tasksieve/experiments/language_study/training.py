r"""Fine-tunings side by side: one model, a set of adapters for each, and all their rows in one batch.

A step of one of them goes down the sum of two means: the loss a token of responses of four primary dialogs, and that
of four related ones, each token counted by its turn's weight. In rows that learn weights, a related dialog's loss is
multiplied by :math:`w_s = σ(a_s)` of its service :math:`s`. To first order, and with Adam's second moments :math:`v`
held, the step changes the loss of validation dialogs by

.. math:: \frac{∂L_{valid}}{∂w_s} = -η \sum_{i ∈ s} g_i^\top \frac{g_{valid}}{\sqrt{v} + ε},

with :math:`g_i` the gradient of dialog :math:`i`. Adam takes a step on :math:`a_s` against it. This costs the passes
of four validation dialogs more, and no second derivative: gradients come a dialog in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tasksieve.experiments.language_study.measures import Measuring, batches, response_tokens
from tasksieve.experiments.language_study.rows import PRIMARY_ROWS, Drawn, Part, Row, batch_of, in_turn
from tasksieve.models.language_model.adapters import Adapters
from tasksieve.models.language_model.loading import Pretrained
from tasksieve.models.language_model.reading import token_losses

_BETAS, _EPS = (0.9, 0.999), 1e-8
_WARM = 10
"""Steps until the step size is whole, and until weights are learned."""
_BEGIN = 2.0
"""Where the logits of weights begin: σ is 0.88."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How long and how fast.

    Attributes:
        steps: optimisation steps, the same for every row.
        lr: of the adapters, falling to 0.
        weight_lr: of the logits of services.
        rank: of the adapters.
        validations: how often validation dialogs are read; the best adapters are kept.
        at_once: so many tokens go through the model together.
    """

    steps: int = 200
    lr: float = 1e-3
    weight_lr: float = 0.2
    rank: int = 8
    validations: int = 8
    at_once: int = 4096


@dataclass(frozen=True, slots=True)
class Task:
    """What one fine-tuning learns from.

    Attributes:
        row: how it uses related dialogs.
        train: primary parts.
        valid: validation parts, that adapters are chosen by.
        related: related parts with their weights; empty if it borrows nothing.
        services: how many related tasks there are.
        seed: what the order of dialogs follows from; primary dialogs come in the same order in every row.
    """

    row: Row
    train: Sequence[Part]
    valid: Sequence[Part]
    related: Sequence[Part]
    services: int
    seed: str


@dataclass(slots=True)
class Tuned:
    """What came of one fine-tuning.

    Attributes:
        valid: the best validation loss a token.
        step: the step that it was reached at.
        curve: all of them, ``[step, loss]``.
        tokens: read in training, learned in training (with a weight), and read to learn weights.
        weights: of services at the end, if they were learned.
    """

    valid: float = float("inf")
    step: int = 0
    curve: list[tuple[int, float]] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=lambda: {"read": 0, "learned": 0, "for_weights": 0})
    weights: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What several fine-tunings read in a step: the set and dialog of each row."""

    sets: list[int]
    drawn: list[Drawn]

    def parts(self, at_once: int) -> Iterator[list[int]]:
        """The numbers of rows that go through together."""
        work = [(0, number) for number in range(len(self.sets))]
        for batch in batches(work, lambda one: len(self.drawn[one[1]].spoken.tokens), at_once):
            yield [number for _, number in batch]


class SideBySide:
    """Fine-tunes one model for several tasks at once.

    Args:
        pretrained: the model; it is given adapters.
        tasks: one a set of adapters.
        tuning: how.
        adapters: of the model, if it has some already.
    """

    def __init__(self, pretrained: Pretrained, tasks: Sequence[Task], tuning: Tuning, adapters: Adapters) -> None:
        self._model, self._device, self._tuning = pretrained.model, pretrained.device, tuning
        self._tasks, self._adapters = tasks, adapters
        self.params = adapters.fresh(len(tasks), torch.Generator().manual_seed(0), self._device)
        self._best = [param.clone() for param in self.params]
        self._moments = [[torch.zeros_like(param) for param in self.params] for _ in range(2)]
        self.tuned = [Tuned() for _ in tasks]
        self.measuring = Measuring(self._model, self._use, tuning.at_once)
        self._trained = [number for number, task in enumerate(tasks) if task.row.trained]
        self._learning = [number for number, task in enumerate(tasks) if task.row.learned]
        services = max((task.services for task in tasks), default=0)
        self._logits = torch.full((len(tasks), services), _BEGIN, device=self._device, requires_grad=True)
        self._of_weights = torch.optim.Adam([self._logits], lr=tuning.weight_lr)
        self._draws = [self._drawing(task) for task in tasks]

    def _use(self, sets: Tensor) -> None:
        self._adapters.use(self._adapters.of_rows(self.params, sets))

    def train(self, watch: Callable[[int, int], None] = lambda step, steps: None) -> list[Tuned]:
        """Do all steps; afterwards the adapters are those of each task's best validation."""
        every = max(1, self._tuning.steps // self._tuning.validations)
        self._validate(0)
        for step in range(1, self._tuning.steps + 1 if self._trained else 1):
            self._step(step)
            if step % every == 0 or step == self._tuning.steps:
                self._validate(step)
            watch(step, self._tuning.steps)
        for number in self._learning:
            self.tuned[number].weights = torch.sigmoid(self._logits[number].detach()).tolist()
        self.params = self._best
        return self.tuned

    def _drawing(self, task: Task) -> tuple[Iterator[list[Part]], Iterator[list[Part]], Iterator[list[Part]]]:
        return (
            in_turn(task.train, f"primary {task.seed}", PRIMARY_ROWS),
            in_turn(task.related, f"related {task.row.name} {task.seed}", task.row.related_rows),
            in_turn(task.valid, f"valid {task.seed}", PRIMARY_ROWS),
        )

    def _validate(self, step: int) -> None:
        """Keep the adapters of those tasks that were never better."""
        for group in _alike(self._tasks):
            parts = self._tasks[group[0]].valid
            for number, loss in zip(group, self.measuring.nll(group, parts), strict=True):
                tuned = self.tuned[number]
                tuned.curve.append((step, round(loss, 5)))
                if loss < tuned.valid:
                    tuned.valid, tuned.step = loss, step
                    for best, param in zip(self._best, self.params, strict=True):
                        best[number] = param[number]

    def _step(self, step: int) -> None:
        gradients = [torch.zeros_like(param) for param in self.params]
        towards = self._towards(step) if self._learning and step > _WARM else None
        rows = self._rows()
        weights = torch.sigmoid(self._logits.detach())
        gains = torch.zeros_like(weights)
        for numbers in rows.parts(self._tuning.at_once):
            sets = torch.tensor([rows.sets[number] for number in numbers], device=self._device)
            found = self._gradients(sets, [rows.drawn[number] for number in numbers])
            services = torch.tensor([rows.drawn[number].service for number in numbers], device=self._device)
            borrowed = torch.tensor([self._tasks[s].row.learned for s in sets.tolist()], device=self._device)
            borrowed &= services >= 0
            factors = torch.where(borrowed, weights[sets, services.clamp(min=0)], 1.0)
            for total, gradient in zip(gradients, found, strict=True):
                total.index_add_(0, sets, gradient * factors[:, None, None])
            if towards is not None and bool(borrowed.any()):
                agreement = _products(found, [one[sets] for one in towards]) * borrowed
                gains.index_put_((sets, services.clamp(min=0)), agreement, accumulate=True)
        if towards is not None:
            self._logits.grad = -gains * weights * (1 - weights)
            self._of_weights.step()
        self._update(gradients, step)

    def _rows(self) -> _Rows:
        """What every task draws; its tokens are counted."""
        rows = _Rows([], [])
        for number in self._trained:
            task, (primary, related, _) = self._tasks[number], self._draws[number]
            sides = [batch_of(next(primary))]
            if task.related and task.row.borrows:
                sides.append(batch_of(next(related), by_count=task.row.learned))
            for side in sides:
                for drawn in side:
                    rows.sets.append(number)
                    rows.drawn.append(drawn)
                    self.tuned[number].tokens["read"] += len(drawn.spoken.tokens)
                    self.tuned[number].tokens["learned"] += sum(weight > 0 for weight in drawn.weights)
        return rows

    def _towards(self, step: int) -> list[Tensor]:
        """What gradients of related dialogs are to agree with: the validation gradient, as Adam would scale it."""
        totals = [torch.zeros_like(param) for param in self.params]
        rows = _Rows([], [])
        for number in self._learning:
            for drawn in batch_of(next(self._draws[number][2])):
                rows.sets.append(number)
                rows.drawn.append(drawn)
                self.tuned[number].tokens["for_weights"] += len(drawn.spoken.tokens)
        for numbers in rows.parts(self._tuning.at_once):
            sets = torch.tensor([rows.sets[number] for number in numbers], device=self._device)
            found = self._gradients(sets, [rows.drawn[number] for number in numbers])
            for total, gradient in zip(totals, found, strict=True):
                total.index_add_(0, sets, gradient)
        right = 1 - _BETAS[1] ** (step - 1)
        return [
            total / ((second / right).sqrt() + _EPS) for total, second in zip(totals, self._moments[1], strict=True)
        ]

    def _gradients(self, sets: Tensor, drawn: Sequence[Drawn]) -> list[Tensor]:
        """The gradient of every row's own loss in its own adapters."""
        params = self._adapters.of_rows(self.params, sets, learned=True)
        self._adapters.use(params)
        losses = token_losses(self._model, [one.spoken for one in drawn], self._device)
        weights = torch.tensor([weight for one in drawn for weight in one.weights], device=self._device)
        return list(torch.autograd.grad((torch.cat(losses) * weights).sum(), params))

    def _update(self, gradients: Sequence[Tensor], step: int) -> None:
        """A step of Adam for each set, its gradient clipped to length 1."""
        norms = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in gradients]).norm(dim=0)
        clip = (1 / norms.clamp(min=1e-12)).clamp(max=1.0)[:, None, None]
        lr = self._tuning.lr * min(step / _WARM, 1.0, (self._tuning.steps - step + 1) / self._tuning.steps)
        for param, gradient, first, second in zip(self.params, gradients, *self._moments, strict=True):
            gradient = gradient * clip
            first.mul_(_BETAS[0]).add_(gradient, alpha=1 - _BETAS[0])
            second.mul_(_BETAS[1]).addcmul_(gradient, gradient, value=1 - _BETAS[1])
            root = (second / (1 - _BETAS[1] ** step)).sqrt_().add_(_EPS)
            param.sub_(lr * (first / (1 - _BETAS[0] ** step)) / root)


def _products(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """The inner product of each row's tensors."""
    return torch.stack([(a * b).flatten(1).sum(dim=1) for a, b in zip(one, other, strict=True)]).sum(dim=0)


def _alike(tasks: Sequence[Task]) -> list[list[int]]:
    """Numbers of tasks that have the same validation dialogs."""
    groups: dict[int, list[int]] = {}
    for number, task in enumerate(tasks):
        groups.setdefault(id(task.valid), []).append(number)
    return list(groups.values())


def cost_of(parts: Sequence[Part]) -> Mapping[str, Any]:
    """What parts hold: tokens in all, and tokens of responses that have a weight."""
    learned = sum(
        end - first
        for part in parts
        for weight, (first, end) in zip(part.turns, part.spoken.spans, strict=True)
        if weight > 0
    )
    return {
        "tokens": sum(len(part.spoken.tokens) for part in parts),
        "learned": learned,
        "responses": sum(map(response_tokens, parts)),
    }
