"""Learned example weights for a training loop of one's own: own model, own batches, own optimiser."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tasksieve.metagrad.certificate import Certificate, certify
from tasksieve.metagrad.compiled_losses import CompiledLosses
from tasksieve.metagrad.diagnosis import diagnose
from tasksieve.metagrad.distributed import Distributed
from tasksieve.metagrad.estimators import Estimator, estimator_named
from tasksieve.metagrad.findings import Preflight
from tasksieve.metagrad.inner_rule import Params
from tasksieve.metagrad.preflight import check_failure, chosen_estimator, preflight
from tasksieve.metagrad.problem import BilevelProblem, MetaGradient, MetaUpdate, Simulation
from tasksieve.metagrad.random_draws import RandomState, cuda_devices, preserved
from tasksieve.metagrad.real_optimizer import rule_of
from tasksieve.metagrad.weight_steps import WeightSteps

Batch = Any
"""Whatever the losses and the weight module can read: a tensor, a tuple, a mapping, an object."""


class ExampleWeights:
    r"""A weight in (0, 1) for every related example, learned by what it does to the primary loss.

    In the loop, multiply the related losses by :meth:`weights`, and call :meth:`update` once an iteration. An update
    simulates related steps of the real optimiser from where it stands, and touches neither model nor optimiser.

    Args:
        model: any module; parameters that require no gradient stay as they are in the simulation too, so that of a
            frozen body with a small head, or with adapters, only these are moved and kept.
        losses: (model, batch) to per-example losses, shape (batch,).
        weight_module: any module; its output for a batch, or that of ``logits``, is one logit an example.
        optimizer: the model's, with its groups and its moments. Simulated exactly: SGD, Adam and AdamW.
        lr: step size of the simulated updates; None for the optimiser's own. Needed if the optimiser is another one,
            or None: then plain gradient descent is simulated.
        primary_losses: as ``losses``, of primary batches; None if they are the same.
        logits: (weight module, related batch) to logits, shape (batch,) or (batch, 1); by default the module is
            called with the batch.
        unroll_length: K, the related batches of an update; each costs a forward, backward and double-backward pass.
        weight_optimizer: of the weight module; by default Adam with ``weight_lr``, which moves parameters of 16 bits
            in float32.
        weight_lr: γ.
        reduction: of the real loop's losses: ``mean`` or ``sum``.
        estimator: by name, as in ``tasksieve.metagrad.ESTIMATORS``, or one, as ``Distributed(Adjoint())``.
        on_failure: what to do if the model has no second derivatives: ``fallback`` to another estimator, with a
            warning, or ``stop``. An estimator that is not given by name is kept, with a warning.
        compile: take the derivatives of the losses in passes that ``torch.compile`` fuses; see
            :class:`CompiledLosses`.

    Attributes:
        estimator: the name of the one in use; the pre-flight of the first update may change it.
        skipped: updates that were left out because the meta-gradient or its square was not finite, or undone because
            the weight module was not finite after them.

    Raises: ValueError: if the optimiser cannot be simulated and ``lr`` is not given, ``lr``, ``unroll_length``,
        ``reduction`` or ``on_failure`` is none that there can be, there is no such estimator, or the weight module
        has no parameter that requires a gradient.

    Example:
        >>> model, module = nn.Linear(2, 3), nn.Linear(2, 1)
        >>> def losses(model, batch):
        ...     return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")
        >>> optimizer = torch.optim.Adam(model.parameters())
        >>> sieve = ExampleWeights(model, losses, module, optimizer=optimizer, logits=lambda m, batch: m(batch[0]))
        >>> related = torch.randn(4, 2), torch.tensor([0, 1, 2, 0])
        >>> primary = torch.randn(3, 2), torch.tensor([0, 1, 2])
        >>> result = sieve.update([related], primary)
        >>> (sieve.weights(related) * losses(model, related)).mean().backward()
    """

    def __init__(
        self,
        model: nn.Module,
        losses: Callable[[Any, Batch], Tensor],
        weight_module: nn.Module,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        lr: float | None = None,
        primary_losses: Callable[[Any, Batch], Tensor] | None = None,
        logits: Callable[[Any, Batch], Tensor] | None = None,
        unroll_length: int = 1,
        weight_optimizer: torch.optim.Optimizer | None = None,
        weight_lr: float = 1e-3,
        reduction: str = "mean",
        estimator: str | Estimator = "adjoint",
        on_failure: str = "fallback",
        compile: bool = False,
    ) -> None:
        if unroll_length < 1:
            raise ValueError(f"unroll_length is {unroll_length}; simulate 1 update or more")
        check_failure(on_failure)
        self._named = isinstance(estimator, str)
        self.estimator = estimator if isinstance(estimator, str) else type(estimator).__name__
        self._estimate = estimator_named(estimator) if isinstance(estimator, str) else estimator
        self.skipped = 0
        self._model, self._module = _Called(model), _Called(weight_module)
        self._optimizer, self._lr, self._on_failure = optimizer, lr, on_failure
        self._losses, self._logits = losses, logits or _call
        self._primary_losses = primary_losses or losses
        self._unroll_length = unroll_length
        self._steps = WeightSteps(weight_module, weight_optimizer, weight_lr)
        self._checked = False
        self.problem = BilevelProblem(self._related, self._primary, self._unrolled, reduction)
        if compile:
            own = CompiledLosses(self._related), CompiledLosses(self._primary)
            self.problem = replace(self.problem, linearize=own[0], linearize_primary=own[1])
        rule_of(optimizer, _learned(self._model), lr)

    @torch.no_grad()
    def weights(self, related_batch: Batch) -> Tensor:
        """The present weights of a batch's examples, shape (batch,), without a graph."""
        return self._weights_of(self._logits(self._module.module, related_batch))

    def update(self, related_batches: Sequence[Batch], primary_batch: Batch) -> MetaGradient:
        """One meta-update of the weight module.

        Args:
            related_batches: as many as ``unroll_length``, best not those that were just learned from.
            primary_batch: to judge by; it should be right, and may be small.
        Returns: the meta-gradient, meta-loss and weights of this update. One that is not finite, or whose square is
            not, is not applied; a warning says which simulated step and which batch it comes from.
        Raises: ValueError: if the number of batches is another one, a batch has no example, the losses are not one an
            example, or the model has no parameter that requires a gradient. NoSecondDerivative: on the first update,
            if the model has none and ``on_failure`` is ``stop``, or if nothing can help.
        """
        update = self._update(related_batches, primary_batch)
        if not self._checked:
            self._check(update)
        devices = cuda_devices(update.simulation.params)
        before = RandomState(devices)
        result = self._estimate(update)
        gradients = {name.removeprefix(_Called.PREFIX): value for name, value in result.gradients.items()}
        fault = self._steps.fault(gradients)
        if fault:
            with preserved(devices):
                before.restore()
                fault = f"{fault}: {diagnose(update).sentence}"
        else:
            fault = self._steps.take(gradients)
        if fault:
            self.skipped += 1
            warnings.warn(f"meta-update left out: {fault}", RuntimeWarning, stacklevel=2)
        return result

    def certify(self, related_batches: Sequence[Batch], primary_batch: Batch) -> Certificate:
        """How far the estimator in use is from the exact meta-gradient in double precision, for these batches.

        Args:
            related_batches, primary_batch: as for :meth:`update`; tensors in them are converted, whatever holds them.
        """
        return certify(self._estimate, self._update(related_batches, primary_batch))

    def state_dict(self) -> dict[str, Any]:
        """Weight module and its optimiser, for a checkpoint."""
        return self._steps.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._steps.load_state_dict(state)

    def _check(self, update: MetaUpdate[Batch, Batch]) -> None:
        plain = replace(self.problem, linearize=None, linearize_primary=None)
        found = _told(preflight(replace(update, problem=plain)))
        for note in found.warnings if self._named or found.ok else (*found.warnings, found.message):
            warnings.warn(note, stacklevel=3)
        chosen = chosen_estimator(found, self.estimator, self._on_failure) if self._named else self.estimator
        if chosen != self.estimator:
            warnings.warn(f"{found.message}: the estimator is '{chosen}'", stacklevel=3)
            self.estimator, self._estimate = chosen, estimator_named(chosen)
        self._checked = True

    def _update(self, related_batches: Sequence[Batch], primary_batch: Batch) -> MetaUpdate[Batch, Batch]:
        if len(related_batches) != self._unroll_length:
            raise ValueError(
                f"{len(related_batches)} related batches for unroll_length = {self._unroll_length}; "
                "give a list with one batch for each simulated update"
            )
        params = _learned(self._model)
        if not params:
            raise ValueError("no parameter of the model requires a gradient, so that no update can be simulated")
        rule, state = rule_of(self._optimizer, params, self._lr)
        simulation = Simulation(params, list(related_batches), primary_batch, state)
        return MetaUpdate(self.problem, rule, simulation, _learned(self._module))

    def _related(self, params: Params, batch: Batch) -> Tensor:
        return self._each(self._model.at(params, self._losses, batch), "related")

    def _primary(self, params: Params, batch: Batch) -> Tensor:
        return self._each(self._model.at(params, self._primary_losses, batch), "primary")

    def _each(self, losses: Tensor, task: str) -> Tensor:
        """The losses, if they are one an example. One of several processes must not refuse: the others would wait."""
        if losses.dim() != 1:
            raise ValueError(
                f"the losses of a {task} batch have shape {tuple(losses.shape)}; return one loss an example, shape "
                "(batch,), as with reduction='none'"
            )
        if not len(losses) and not isinstance(self._estimate, Distributed):
            raise ValueError(f"a {task} batch has no example; give batches with at least one")
        return losses

    def _unrolled(self, weight_params: Params, batches: Sequence[Batch]) -> list[Tensor]:
        return [self._weights_of(self._module.at(weight_params, self._logits, batch)) for batch in batches]

    def _weights_of(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(logits.squeeze(-1) if logits.dim() == 2 else logits)


class _Called(nn.Module):
    """A module that is handed to a function, with other parameters and with copies of its buffers."""

    PREFIX: ClassVar[str] = "module."
    """Of the names of the module's parameters here."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, function: Callable[[nn.Module, Batch], Tensor], batch: Batch) -> Tensor:
        return function(self.module, batch)

    def at(self, params: Params, function: Callable[[nn.Module, Batch], Tensor], batch: Batch) -> Tensor:
        """The function's value; running means and the like stay as they are."""
        others = {name: buffer.clone() for name, buffer in self.named_buffers()}
        others |= {name: value for name, value in self.named_parameters() if name not in params}
        if any(value.dtype == torch.float64 for value in params.values()):
            others = {name: value.double() if value.is_floating_point() else value for name, value in others.items()}
        found: Tensor = functional_call(self, {**params, **others}, (function, batch))
        return found


def _learned(called: _Called) -> Params:
    return {name: value for name, value in called.named_parameters() if value.requires_grad}


def _told(found: Preflight) -> Preflight:
    """What was found, in words for one who gives modules and not functions of parameters."""
    if found.apart is None:
        return found
    what, whose = ("losses", "the model") if found.apart == "losses" else ("logits", "the weight module")
    return replace(
        found,
        message=f"the {what} do not depend on any parameter of {whose} that requires a gradient",
        advice=f"Compute them from {whose} that `{what}` is called with, with no argmax, detach(), item() or no_grad",
    )


def _call(module: nn.Module, batch: Batch) -> Tensor:
    found: Tensor = module(batch)
    return found
