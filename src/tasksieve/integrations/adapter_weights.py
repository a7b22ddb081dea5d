r"""Weights of units by meta-gradients over the adapters of a language model.

What is simulated is what the trainer does with a batch: units u with summed losses :math:`S_u` and numbers of tokens
:math:`n_u` move the adapters θ by the gradient of

.. math:: \frac{\sum_u w_u S_u}{\sum_u w_u n_u}, \qquad w_u = σ(z_u(η)) \text{ or } 1 \text{ where the group is } -1,

and η is moved against the gradient of the loss a token of a primary batch at the θ that this leads to.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.func import functional_call

from tasksieve.errors import UserError
from tasksieve.integrations.difference_error import RADII, DifferenceError, slope_errors
from tasksieve.integrations.passes import FunctionalPass, PlacedPass, checkpoints, learned_params, shifts
from tasksieve.integrations.weighted_loss import targets_of, unit_count, unit_totals
from tasksieve.metagrad import (
    ESTIMATORS,
    BilevelProblem,
    Distributed,
    Estimator,
    FiniteDifference,
    MetaUpdate,
    OneStep,
    Params,
    Recompute,
    Scaled,
    Simulation,
    estimator_named,
)
from tasksieve.metagrad.distributed import sum_over_ranks
from tasksieve.metagrad.random_draws import cuda_devices, preserved
from tasksieve.metagrad.real_optimizer import rule_of
from tasksieve.metagrad.weight_steps import WeightSteps

Batch = Mapping[str, Tensor]
APPROXIMATE, EXACT = "approximate", "exact"
_ADDS_UP = (
    "over several simulated steps the errors of central differences add up, and what is measured of them is that of "
    "the first; take estimator='exact' or unroll_length=1, or compare by tasksieve.metagrad.certify"
)


@dataclass(frozen=True, slots=True)
class AdapterUpdate:
    """What one meta-update found.

    Attributes:
        meta_loss: nats a token of the primary batch after the simulated steps.
        gradients: of it, by name of the weight module's parameter.
        weights: of each simulated batch's units, before the update.
        applied: whether the weight module was moved; not where a gradient or its square is not finite, or the module
            was not after the step.
        error: of the central differences, where this update measured it.
    """

    meta_loss: float
    gradients: Params
    weights: tuple[Tensor, ...] = field(repr=False)
    applied: bool = True
    error: DifferenceError | None = None


class AdapterWeights:
    """Learned weights for a training loop of one's own, over the adapters of a language model.

    Args:
        model: of transformers, a decoder or an encoder-decoder, with or without peft; what requires no gradient stays
            as it is. It is called in the mode, training or evaluation, in which it is found.
        module: called with a batch, it gives a logit a unit; as :class:`GroupTable`.
        optimizer: the model's.
        lr: of the simulated steps; None for the optimiser's own. Needed where that is none of SGD, Adam and AdamW.
        held: simulate Adam with its present moments held, in place of steps that also move them; see
            :class:`tasksieve.metagrad.Scaled`. An optimiser that has not taken a step holds none, and nothing moves.
        estimator: ``approximate``, ``exact``, or any of :mod:`tasksieve.metagrad`, by name or as an object.
            Approximate: central differences of the losses, for every kind of attention and with gradient
            checkpointing. Exact: for one step by forward-mode differentiation, for more by the adjoint recursion
            from checkpoints; attention by plain operations.
        unroll_length: simulated steps of an update.
        weight_lr: of Adam for the weight module, which moves parameters of 16 bits in float32.
        check_every: updates from one measurement of the differences' error to the next; 0 for never. The first one
            also chooses their radius.
        distributed: whether each process has a share of every batch; None for whether there are several processes.

    Attributes:
        updates, skipped: how many there were, and how many of them were not applied.
        error: of the differences as it was measured last.

    Raises: UserError: if nothing in the model or in the module is trained, the optimiser cannot be simulated, or an
        estimator that needs second derivatives meets gradient checkpointing.
    Warns: UserWarning: if central differences are asked for over several steps, where their errors add up unseen.
    """

    def __init__(
        self,
        model: nn.Module,
        module: nn.Module,
        *,
        optimizer: Any = None,
        lr: float | None = None,
        held: bool = True,
        estimator: str | Estimator = APPROXIMATE,
        unroll_length: int = 1,
        weight_lr: float = 0.1,
        check_every: int = 50,
        distributed: bool | None = None,
    ) -> None:
        self.updates = self.skipped = 0
        self.error: DifferenceError | None = None
        self.module = module
        try:
            self._moves = WeightSteps(module, None, weight_lr)
        except ValueError as error:
            raise UserError(str(error)) from None
        self.optimizer = self._moves.optimizer
        self._model, self._lr, self._held, self._steps = model, lr, held, unroll_length
        self._own = getattr(optimizer, "optimizer", optimizer)  # accelerate wraps it
        self._check_every = check_every
        self._several = _several_processes() if distributed is None else distributed
        self._estimate, second = _estimator(estimator, unroll_length)
        if estimator == APPROXIMATE and unroll_length > 1:
            warnings.warn(_ADDS_UP, UserWarning, stacklevel=2)
        if second and checkpoints(model):
            raise UserError(
                "gradient checkpointing recomputes with the real parameters, which an exact meta-gradient cannot "
                f"use; take estimator = '{APPROXIMATE}', or switch it off"
            )
        if not learned_params(model):
            raise UserError("no parameter of the model requires a gradient; add adapters, or unfreeze some layers")
        losses = FunctionalPass(model) if second else PlacedPass(model)
        self.problem: BilevelProblem[Batch, Batch] = BilevelProblem(
            losses, losses, self._factors, "sum", primary_size=unit_count, primary_factors=self._primary_factors
        )
        self._rule_and_state()  # an optimiser that cannot be simulated is told now

    @torch.no_grad()
    def weights(self, batch: Batch) -> Tensor:
        """The present weights of a batch's units, shape (units,)."""
        return self._weights(dict(self.module.named_parameters()), batch)

    def update(self, related_batches: Sequence[Batch], primary_batch: Batch) -> AdapterUpdate:
        """One meta-update of the weight module; model, optimiser and torch's generators stay as they are.

        Args:
            related_batches: as many as ``unroll_length``, each as the trainer would learn from it.
            primary_batch: to judge by; its ``token_weights`` count, its groups do not.
        Raises: UserError: if the number of batches is another one, or the model lacks a derivative.
        """
        if len(related_batches) != self._steps:
            raise UserError(f"{len(related_batches)} related batches for unroll_length = {self._steps}; give as many")
        update = self.meta_update(related_batches, primary_batch)
        devices = cuda_devices(update.simulation.params)
        with preserved(devices):
            error = self._measured(update)
        with preserved(devices):
            found = self._estimated(update)
        fault = self._moves.fault(found.gradients) or self._moves.take(found.gradients)
        if fault:
            self.skipped += 1
            warnings.warn(f"a meta-update was left out: {fault}", RuntimeWarning, stacklevel=2)
        self.updates += 1
        with torch.no_grad():
            weights = tuple(self._weights(update.weight_params, batch) for batch in related_batches)
        return AdapterUpdate(float(found.meta_loss), found.gradients, weights, not fault, error)

    def meta_update(self, related_batches: Sequence[Batch], primary_batch: Batch) -> MetaUpdate[Batch, Batch]:
        """What :meth:`update` gives to the estimator, as ``tasksieve.metagrad.certify`` takes it."""
        rule, state = self._rule_and_state()
        simulation = Simulation(learned_params(self._model), list(related_batches), primary_batch, state)
        eta = {name: value.detach().clone() for name, value in self.module.named_parameters() if value.requires_grad}
        return MetaUpdate(self.problem, rule, simulation, eta)

    def go_on(self, updates: int, skipped: int, radius: float | None) -> None:
        """Count on from a checkpoint, with the radius that was chosen then."""
        self.updates, self.skipped = updates, skipped
        if radius is not None and isinstance(self._estimate, FiniteDifference):
            self._estimate = FiniteDifference(radius)

    def _rule_and_state(self) -> Any:
        params = learned_params(self._model)
        try:
            rule, state = rule_of(self._own, params, self._lr)
        except ValueError as error:
            raise UserError(str(error)) from None
        return (Scaled(rule.preconditioner(params, state or {})), None) if self._held else (rule, state)

    def _measured(self, update: MetaUpdate[Batch, Batch]) -> DifferenceError | None:
        if not isinstance(self._estimate, FiniteDifference) or not self._check_every:
            return None
        if self.updates % self._check_every:
            return None
        chosen = self.error is not None or self._estimate.radius is not None
        radii = [self._estimate.radius or RADII[0]] if chosen else list(RADII)
        errors = slope_errors(update, radii, several=self._several)
        self.error = min(errors, key=lambda one: one.relative)
        self._estimate = FiniteDifference(self.error.radius)
        return self.error

    def _estimated(self, update: MetaUpdate[Batch, Batch]) -> Any:
        estimate = Distributed(self._estimate) if self._several else self._estimate
        try:
            return estimate(update)
        except (NotImplementedError, RuntimeError) as error:
            if "derivative" in str(error) or "differentiable" in str(error) or "forward AD" in str(error):
                raise UserError(f"{error}; take estimator = '{APPROXIMATE}'") from error
            raise

    def _factors(self, eta: Params, batches: Sequence[Batch]) -> list[Tensor]:
        """What each unit's summed loss is multiplied by: its weight over the weighted number of tokens."""
        found = []
        for batch in batches:
            weights, tokens = self._weights(eta, batch), self._tokens(batch)
            total = self._summed((weights * tokens).sum())
            found.append((weights / total.clamp(min=torch.finfo(total.dtype).tiny)).to(self._kind))
        return found

    def _primary_factors(self, batch: Batch) -> Tensor:
        tokens = self._tokens(batch)
        return torch.ones_like(tokens, dtype=self._kind) / self._summed(tokens.sum()).clamp(min=1)

    def _weights(self, eta: Params, batch: Batch) -> Tensor:
        logits = functional_call(self.module, eta, (batch,))
        weights = torch.sigmoid(logits.squeeze(-1) if logits.dim() > 1 else logits)
        return torch.where(batch["groups"] < 0, 1.0, weights) if "groups" in batch else weights

    def _tokens(self, batch: Batch) -> Tensor:
        kind = next(iter(self.module.parameters())).dtype
        return unit_totals(targets_of(batch, shift=shifts(self._model)), unit_count(batch)).to(kind)

    @property
    def _kind(self) -> torch.dtype:
        """Of losses: those of a model in less than single precision are taken in it."""
        double = any(value.dtype == torch.float64 for value in learned_params(self._model).values())
        return torch.float64 if double else torch.float32

    def _summed(self, value: Tensor) -> Tensor:
        return sum_over_ranks(value) if self._several else value


def _several_processes() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _estimator(asked: str | Estimator, steps: int) -> tuple[Estimator, bool]:
    """The estimator, and whether its losses must be functions of the parameters, differentiable twice."""
    if asked == APPROXIMATE:
        return FiniteDifference(), False
    if asked == EXACT:
        return (OneStep() if steps == 1 else Recompute(every=1)), True
    if not isinstance(asked, str):
        return asked, not isinstance(asked, FiniteDifference)
    if asked not in ESTIMATORS:
        known = ", ".join([APPROXIMATE, EXACT, *ESTIMATORS])
        raise UserError(f"unknown estimator '{asked}'; known: {known}")
    return estimator_named(asked), ESTIMATORS[asked].second_derivatives
