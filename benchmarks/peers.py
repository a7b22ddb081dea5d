"""One meta-gradient of the same problem, by the engine and by other libraries.

Every function here makes ``work() -> list of gradients by the weight module's parameters`` from a :class:`Problem`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from tasksieve.metagrad import (
    BilevelProblem,
    CompiledLosses,
    Linearization,
    MetaUpdate,
    Sgd,
    Simulation,
    estimator_named,
)
from tasksieve.models import MemoryNetwork, Model, WeightModule
from tasksieve.weighting import Learned

LR = 0.032
Work = Callable[[], Sequence[Tensor]]


@dataclass(frozen=True)
class Problem:
    """A model, a weight module and batches.

    Attributes:
        name: of the model.
        model, module: of the problem.
        related: K batches.
        primary: for the meta-loss.
    """

    name: str
    model: Model
    module: WeightModule
    related: Sequence[Any]
    primary: Any

    def double(self) -> Problem:
        """The same in float64; modules are changed in place and have to be turned back with :meth:`single`."""
        return Problem(self.name, self.model.double(), self.module.double(), self.related, self.primary)

    def single(self) -> Problem:
        """The same in float32."""
        return Problem(self.name, self.model.float(), self.module.float(), self.related, self.primary)


def tasksieve(problem: Problem, estimator: str, compile: bool = False, **options: Any) -> Work:
    """Our engine; with ``compile`` the derivatives of any model in passes that ``torch.compile`` fuses."""
    losses_of, module = problem.model, problem.module

    def losses(params: dict[str, Tensor], batch: Any) -> Tensor:
        found: Tensor = functional_call(losses_of, params, (batch,))
        return found

    learned = Learned(module)

    def weights(params: dict[str, Tensor], batches: Sequence[Any]) -> list[Tensor]:
        return learned.unrolled(params, [(batch,) for batch in batches])

    def linearize(params: dict[str, Tensor], batch: Any) -> Linearization:
        return losses_of.linearize(params, [batch])

    own = CompiledLosses(losses) if compile else linearize if isinstance(problem.model, MemoryNetwork) else None
    bilevel: BilevelProblem[Any, Any] = BilevelProblem(losses, losses, weights, "mean", own, own)
    estimate, rule = estimator_named(estimator, **options), Sgd(LR)

    def work() -> Sequence[Tensor]:
        params = dict(losses_of.named_parameters())
        simulation: Simulation[Any, Any] = Simulation(params, problem.related, problem.primary)
        update = MetaUpdate(bilevel, rule, simulation, dict(module.named_parameters()))
        return list(estimate(update).gradients.values())

    return work


def naive(problem: Problem) -> Work:
    """A plain functional unroll: what one would write by hand."""
    losses_of, module = problem.model, problem.module

    def work() -> Sequence[Tensor]:
        eta = list(module.parameters())
        theta: dict[str, Tensor] = dict(losses_of.named_parameters())
        for batch in problem.related:
            loss = (functional_call(losses_of, theta, (batch,)) * torch.sigmoid(module(batch))).mean()
            gradients = torch.autograd.grad(loss, list(theta.values()), create_graph=True, allow_unused=True)
            theta = {
                name: value if gradient is None else value - LR * gradient
                for (name, value), gradient in zip(theta.items(), gradients, strict=True)
            }
        meta_loss = functional_call(losses_of, theta, (problem.primary,)).mean()
        return torch.autograd.grad(meta_loss, eta)

    return work


def higher(problem: Problem) -> Work:
    """facebookresearch/higher."""
    import higher as library

    losses_of, module = problem.model, problem.module
    optimizer = torch.optim.SGD(losses_of.parameters(), lr=LR)

    def work() -> Sequence[Tensor]:
        with library.innerloop_ctx(losses_of, optimizer, copy_initial_weights=True) as (model, inner):
            for batch in problem.related:
                inner.step((model(batch) * torch.sigmoid(module(batch))).mean())
            return torch.autograd.grad(model(problem.primary).mean(), list(module.parameters()))

    return work


def torchopt(problem: Problem) -> Work:
    """metaopt/torchopt."""
    import torchopt as library

    losses_of, module = problem.model, problem.module

    def work() -> Sequence[Tensor]:
        inner = library.MetaSGD(losses_of, lr=LR)
        before = library.extract_state_dict(losses_of, by="reference")
        for batch in problem.related:
            inner.step((losses_of(batch) * torch.sigmoid(module(batch))).mean())
        found = torch.autograd.grad(losses_of(problem.primary).mean(), list(module.parameters()))
        library.recover_state_dict(losses_of, before)
        return found

    return work


PEERS: dict[str, Callable[[Problem], Work]] = {"naive": naive, "higher": higher, "torchopt": torchopt}


def missing() -> dict[str, str]:
    """Peers that are not here, and why."""
    reasons = {"betty": "betty-ml 0.2 needs Python below 3.11; its unrolled mode is not in its releases"}
    reasons |= {name: "not installed" for name in ("higher", "torchopt") if importlib.util.find_spec(name) is None}
    return reasons
