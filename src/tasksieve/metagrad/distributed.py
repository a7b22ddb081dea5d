r"""Meta-gradients over several processes, each with its share of every batch.

With the examples of a batch spread over ranks r, every derivative that an estimator takes is a sum over them:

.. math:: \sum_r \sum_{i∈r} c_i ∇ℓ_i, \qquad \sum_r \sum_{i∈r} c_i ∇^2 ℓ_i v, \qquad ∇_η L_P = \sum_r ∇_η L_P^{(r)},

while the slopes :math:`⟨∇ℓ_i, v⟩` stay with their examples. Two operations, each the derivative of the other, bring
the sums about: one hands θ (or η) to the local losses and adds up what comes back; the other adds up, and hands back
as it is. So any order of derivative is that of the union of the shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from tasksieve.contracts import Linearization
from tasksieve.metagrad.automatic_differentiation import AutogradLinearization
from tasksieve.metagrad.estimators.estimator import Estimator
from tasksieve.metagrad.estimators.evolution import Evolution
from tasksieve.metagrad.inner_rule import Gradients, Params
from tasksieve.metagrad.problem import AnyUpdate, BilevelProblem, MetaGradient
from tasksieve.metagrad.random_draws import LateLinearization

Group = Any
"""A ``torch.distributed`` process group; None for all processes."""


@dataclass(frozen=True, slots=True)
class Distributed:
    """An estimator whose batches are spread over processes: all get the meta-gradient of the union.

    Every rank calls it at the same time, with the same θ, η and rule, the same number of batches, and its share of
    each batch; with reduction ``mean`` the shares may differ in size, but none may be empty. Weights that depend on
    the whole batch, as normalised ones, need :func:`sum_over_ranks`.

    Attributes:
        estimator: any that goes by derivatives; those that go by values of the meta-loss are refused.
        group: the processes.

    Returns, when called: gradients and meta-loss of the union, the same on all ranks; weights and slopes of the
        rank's own examples.
    Raises: TypeError: if the estimator is an evolution strategy. ValueError: if θ or η differ between ranks, or a
        rank's share is empty; on all ranks.

    Cost: beside the estimator's, one all-reduce of the size of θ for each gradient and each Hessian-vector product,
        one of the size of η, and small ones of counts.
    """

    estimator: Estimator
    group: Group = None

    def __post_init__(self) -> None:
        if isinstance(self.estimator, Evolution):
            raise TypeError("evolution strategies go by the meta-loss, of which a rank sees only its share")

    def __call__(self, update: AnyUpdate) -> MetaGradient:
        """The meta-gradient of the union."""
        eta = {f"η.{name}": value for name, value in update.weight_params.items()}
        assert_same_on_all_ranks(update.simulation.params | eta, self.group)
        own = self.estimator(replace(update, problem=shared(update.problem, self.group)))
        return replace(own, meta_loss=sum_over_ranks(own.meta_loss, self.group))


def shared(problem: BilevelProblem[Any, Any], group: Group = None) -> BilevelProblem[Any, Any]:
    """The problem of the union of all ranks' examples, as seen from one rank.

    Args:
        problem: on the rank's own examples.
        group: the processes.
    Returns: a problem whose gradients and Hessian-vector products are sums over ranks, and whose losses and slopes
        are the rank's own, times its share of the batch where the reduction is ``mean``.
    """

    def spread(losses: Callable[[Params, Any], Tensor]) -> Callable[[Params, Any], Tensor]:
        def of_params(params: Params, batch: Any) -> Tensor:
            own = losses(_handed_out(params, group), batch)
            return own * _share(problem, len(own), own.device, group)

        return of_params

    def linearize(params: Params, batch: Any) -> Linearization:
        if problem.linearize is None:
            own: Linearization = AutogradLinearization(lambda moved: problem.related_losses(moved, batch), params)
        else:
            own = problem.linearize(params, batch)
        return _Shared(own, params, problem, group)

    def weights(eta: Params, batches: Sequence[Any]) -> Sequence[Tensor]:
        found = list(problem.example_weights(_handed_out(eta, group), batches))
        _assert_none_empty([len(weight) for weight in found], next(iter(eta.values())).device, group)
        return found

    return BilevelProblem(
        spread(problem.related_losses),
        spread(problem.primary_losses),
        weights,
        problem.reduction,
        linearize,
        primary_size=problem.primary_size,
        primary_factors=problem.primary_factors,
    )


def sum_over_ranks(tensor: Tensor, group: Group = None) -> Tensor:
    """The sum of all ranks' tensors, on all ranks; what is computed of it may be differentiated.

    Args:
        tensor: of the same shape on all ranks.
        group: the processes.
    """
    summed: tuple[Tensor] = _Summed.apply(group, tensor)  # type: ignore[no-untyped-call]
    handed: tuple[Tensor] = _HandedOut.apply(group, *summed)  # type: ignore[no-untyped-call]
    return handed[0]


def assert_same_on_all_ranks(params: Params, group: Group = None) -> None:
    """Check that the ranks hold the same values.

    Args:
        params: by name, the same names on all ranks.
        group: the processes.
    Raises: ValueError: if they differ, on all ranks; it names the first that does. What is not a number is the same
        as what is not on the others.
    """
    if not params:
        return
    sums = torch.stack([value.detach().double().sum().cpu() for value in params.values()])
    sums = sums.nan_to_num(math.inf, math.inf, -math.inf)
    above, below = sums.clone(), sums.clone()
    device = next(iter(params.values())).device
    above, below = above.to(device), below.to(device)
    dist.all_reduce(above, dist.ReduceOp.MAX, group)
    dist.all_reduce(below, dist.ReduceOp.MIN, group)
    for name, high, low in zip(params, above.tolist(), below.tolist(), strict=True):
        if high != low:
            raise ValueError(f"'{name}' differs between ranks; broadcast the parameters from one rank first")


class _Shared(LateLinearization):
    """A linearization whose gradient and products are sums over ranks."""

    def __init__(self, own: Linearization, params: Params, problem: BilevelProblem[Any, Any], group: Group) -> None:
        self._own, self._params, self._problem, self._group = own, params, problem, group
        self._share = 1.0
        self._known: list[str] = []

    @property
    def losses(self) -> Tensor:
        return self._own.losses

    def gradient(self, factors: Tensor) -> Gradients:
        self._share = _share(self._problem, len(factors), factors.device, self._group)
        own = self._own.gradient(factors * self._share)
        summed = _sum_of_known([own.get(name) for name in self._params], list(self._params.values()), self._group)
        self._known = [name for name, value in zip(self._params, summed, strict=True) if value is not None]
        return dict(zip(self._params, summed, strict=True))

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, Params]:
        slopes, own = self._own.second(direction)
        products = [own[name] if name in own else torch.zeros_like(self._params[name]) for name in self._known]
        return slopes * self._share, dict(zip(self._known, _all_reduced(products, self._group), strict=True))

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        return self._own.slopes(direction) * self._share


class _HandedOut(torch.autograd.Function):
    """Hands all ranks the same values; their gradients are summed over the ranks on the way back."""

    @staticmethod
    def forward(group: Group, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(tensor.view_as(tensor) for tensor in tensors)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.group, ctx.like = inputs[0], [tensor.detach() for tensor in inputs[1:]]
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        return (None, *_sum_of_known(gradients, ctx.like, ctx.group))

    @staticmethod
    def jvp(ctx: Any, group: None, *tangents: Tensor | None) -> Any:
        return tuple(None if tangent is None else tangent.view_as(tangent) for tangent in tangents)


class _Summed(torch.autograd.Function):
    """The sum over all ranks; what comes back is handed to each as it is."""

    @staticmethod
    def forward(group: Group, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(_all_reduced(tensors, group))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.group = inputs[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return (None, *_HandedOut.apply(ctx.group, *gradients))  # type: ignore[no-untyped-call]

    @staticmethod
    def jvp(ctx: Any, group: None, *tangents: Tensor) -> Any:
        return tuple(_all_reduced(tangents, ctx.group))


def _handed_out(params: Params, group: Group) -> Params:
    values = _HandedOut.apply(group, *params.values())  # type: ignore[no-untyped-call]
    return dict(zip(params, values, strict=True))


def _sum_of_known(own: Sequence[Tensor | None], like: Sequence[Tensor], group: Group) -> list[Tensor | None]:
    """Sums of what some rank has; None where none has it."""
    if not own:
        return []
    flags = torch.tensor([value is not None for value in own], dtype=torch.float32, device=like[0].device)
    dist.all_reduce(flags, dist.ReduceOp.MAX, group)
    known = [number for number, flag in enumerate(flags.tolist()) if flag]
    found = list(own)
    if known:
        filled = [torch.zeros_like(like[number]) if (one := own[number]) is None else one for number in known]
        for number, value in zip(known, _Summed.apply(group, *filled), strict=True):  # type: ignore[no-untyped-call]
            found[number] = value
    return found


def _all_reduced(tensors: Sequence[Tensor], group: Group) -> list[Tensor]:
    """Sums over ranks, those of one dtype in one message."""
    found = list(tensors)
    for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):
        places = [k for k, tensor in enumerate(tensors) if tensor.dtype == dtype]
        flat = torch.cat([tensors[k].detach().reshape(-1) for k in places])
        dist.all_reduce(flat, dist.ReduceOp.SUM, group)
        for k, part in zip(places, torch.split(flat, [tensors[k].numel() for k in places]), strict=True):
            found[k] = part.view(tensors[k].shape)
    return found


def _share(problem: BilevelProblem[Any, Any], count: int, device: torch.device, group: Group) -> float:
    """The rank's part of a batch's examples where the mean is taken, else 1: its sum is a part of the sum."""
    if problem.reduction != "mean":
        return 1.0
    total = torch.tensor(count, device=device)
    dist.all_reduce(total, dist.ReduceOp.SUM, group)
    return count / int(total)


def _assert_none_empty(counts: Sequence[int], device: torch.device, group: Group) -> None:
    if counts:
        fewest = torch.tensor(counts, device=device)
        dist.all_reduce(fewest, dist.ReduceOp.MIN, group)
        if not bool(fewest.all()):
            raise ValueError("a rank has no example of a related batch; give each rank at least one of every batch")
