r"""Method `less`: the related examples whose updates point where the primary task's gradient does.

A model is trained on both tasks for a while (``rivals.iterations``), and looked at :math:`T` times on the way
(``rivals.checkpoints``). With :math:`η_t` the mean step size since the time before, :math:`\bar g_t` the gradient of
the primary task's mean loss there and :math:`g_{t,i}` that of a related dialog's mean loss, the direction in which
Adam, with its moments :math:`m, v` after :math:`τ` steps, would go by that dialog alone is

.. math:: Γ_{t,i} = \frac{(β_1 m + (1 - β_1) g_{t,i}) / (1 - β_1^{τ+1})}
   {\sqrt{(β_2 v + (1 - β_2) g_{t,i}^2) / (1 - β_2^{τ+1})} + ε},
   \qquad \text{score}_i = \sum_t η_t \cos(\bar g_t, Γ_{t,i}).

The share ``rivals.share`` of the turns that has the highest scores is kept, each with the score of its dialog: as in
the reference an instance is a whole conversation. With ``rivals.instance = "turn"`` every turn has its own gradient.

Reference: Xia et al., 2024. There gradients are of low-rank adapters and projected at random, to be kept on disk;
here they are of all parameters of a small model, exact, and compared with one task as they are found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.contracts import ExampleBatch, Examples, mean_factors
from tasksieve.models import Model, learned_params
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.as_measured import as_measured
from tasksieve.training.loop.method import Start
from tasksieve.training.loop.optimizers import rate_of
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.fixed import TopShare
from tasksieve.training.rivals.prepared import Watch
from tasksieve.training.rivals.services import services_of
from tasksieve.training.rivals.short_training import ShortTraining

_CHUNK = 256
_LOOK = 100
"""So many iterations of the watch are a look at all gradients."""


@register
class Less(TopShare):
    """As multitask, with the half of the related dialogs whose gradients agree best with your task's."""

    name = "less"
    reference = "Xia et al., 2024: LESS: Selecting Influential Data for Targeted Instruction Tuning"

    def iterations(self, config: LoopConfig) -> int:
        """Those of the training that gradients are taken in, and of the looks at them."""
        return config.rivals.iterations + config.rivals.checkpoints * _LOOK

    def scores(self, start: Start, watch: Watch) -> Float[Tensor, " examples"]:
        """The sum over the checkpoints."""
        total = torch.zeros(sum(map(len, start.tasks.related)))
        rivals, looks = start.config.rivals, 0
        training = ShortTraining(start, lambda done: watch(done + looks * _LOOK), related=True)
        optimizer, rates = training.state.optimizers["related"], list[float]()
        for step in training.steps():
            rates.append(rate_of(optimizer))
            if step in marks(rivals.iterations, rivals.checkpoints):
                agreement = Agreement(training.state.model, optimizer)
                found = agreement.of(start.tasks.primary, start.tasks.related, instances_of(start))
                total += sum(rates) / len(rates) * found
                rates.clear()
                looks += 1
        return total


def marks(iterations: int, checkpoints: int) -> frozenset[int]:
    """The iterations after which gradients are taken: at even distances, the last among them."""
    return frozenset(max(1, round(iterations * k / checkpoints)) for k in range(1, checkpoints + 1))


def instances_of(start: Start) -> list[Int[Tensor, " _"]]:
    """For each related task the number of each example's instance: its dialog's, or its own."""
    sizes = [len(task) for task in start.tasks.related]
    if start.config.rivals.instance == "turn":
        return [torch.arange(size) for size in sizes]
    services = torch.split(services_of(start), sizes)
    dialogs = torch.split(torch.tensor(start.examples["dialog"].to_list()), sizes)
    return [
        torch.unique(torch.stack([service, dialog]), dim=1, return_inverse=True)[1]
        for service, dialog in zip(services, dialogs, strict=True)
    ]


class Agreement:
    """The cosine of the primary task's gradient with the direction that Adam would take by a related instance alone.

    Args:
        model: at a checkpoint.
        optimizer: an Adam as it is there.
    """

    def __init__(self, model: Model, optimizer: torch.optim.Optimizer) -> None:
        self._model = model
        self._params = {name: value.detach() for name, value in learned_params(model).items()}
        self._direction = adam_direction(list(learned_params(model).values()), optimizer)

    def of(
        self, primary: Examples, related: Sequence[Examples], instances: Sequence[Int[Tensor, " _"]]
    ) -> Float[Tensor, " examples"]:
        """For all related examples, task after task; 0 for those that cannot be learned from.

        Args:
            primary: the primary task.
            related: the related tasks.
            instances: of each related task the number of each example's instance.
        """
        found = [torch.zeros(len(task)) for task in related]
        with as_measured(self._model):
            along = self._mean_gradient(primary)
            along = along / along.norm()
            for task, scores, own in zip(related, found, instances, strict=True):
                able = task.answerable()
                by_instance = own[able.cpu()]
                order = torch.argsort(by_instance, stable=True)
                sizes = torch.bincount(by_instance)
                for places in torch.split(order, sizes[sizes > 0].tolist()):
                    numbers = able[places.to(able.device)]
                    direction = self._direction(self._gradient(task.batch(numbers)))
                    scores[numbers.cpu()] = float(direction @ along / direction.norm())
        return torch.cat(found)

    def _mean_gradient(self, task: Examples) -> Tensor:
        numbers = task.answerable()
        parts = [task.batch(part) for part in torch.split(numbers, _CHUNK)]
        return sum((self._gradient(part) * (len(part) / len(numbers)) for part in parts), torch.zeros(()))

    def _gradient(self, batch: ExampleBatch) -> Tensor:
        """Of a batch's mean loss by all parameters, as one vector."""
        linear = self._model.linearize(self._params, [batch])
        found = linear.gradient(mean_factors([batch], linear.losses))
        parts = [(name, found.get(name)) for name in self._params]
        return torch.cat([
            (torch.zeros_like(self._params[name]) if value is None else value).flatten() for name, value in parts
        ])  # fmt: skip


def adam_direction(params: list[Tensor], optimizer: torch.optim.Optimizer) -> Callable[[Tensor], Tensor]:
    """What Adam would do next by a gradient alone: a function of the gradient by all parameters, as one vector.

    Args:
        params: in the order of the gradient's parts; one that the optimiser has not moved yet has moments of 0.
        optimizer: an Adam or AdamW; it stays as it is.
    """
    first, second, bias = [], [], []
    beta_1, beta_2 = optimizer.param_groups[0]["betas"]
    for value in params:
        state = optimizer.state.get(value, {})
        first.append(state.get("exp_avg", torch.zeros_like(value)).flatten())
        second.append(state.get("exp_avg_sq", torch.zeros_like(value)).flatten())
        steps = float(state["step"]) + 1 if "step" in state else 1.0
        sizes = torch.tensor([[1 - beta_1**steps, 1 - beta_2**steps]], device=value.device).to(value.dtype)
        bias.append(sizes.expand(value.numel(), 2))
    mean, square, corrections = beta_1 * torch.cat(first), beta_2 * torch.cat(second), torch.cat(bias)
    eps = optimizer.param_groups[0]["eps"]

    def direction(gradient: Tensor) -> Tensor:
        size = ((square + (1 - beta_2) * gradient**2) / corrections[:, 1]).sqrt()
        found: Tensor = (mean + (1 - beta_1) * gradient) / corrections[:, 0] / (size + eps)
        return found

    return direction
