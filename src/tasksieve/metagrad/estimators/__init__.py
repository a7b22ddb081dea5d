"""Estimators of the meta-gradient, by name."""

from __future__ import annotations

from collections.abc import Callable

from tasksieve.metagrad.estimators.adjoint import Adjoint, FiniteDifference, FirstOrder, Recompute
from tasksieve.metagrad.estimators.estimator import Estimator, StatefulEstimator
from tasksieve.metagrad.estimators.evolution import Evolution, PersistentEvolution
from tasksieve.metagrad.estimators.forward import Forward
from tasksieve.metagrad.estimators.implicit import ConjugateGradient, Neumann
from tasksieve.metagrad.estimators.one_step import OneStep
from tasksieve.metagrad.estimators.unrolled import Unrolled

ESTIMATORS: dict[str, Callable[..., Estimator]] = {
    "unrolled": Unrolled,
    "adjoint": Adjoint,
    "recompute": Recompute,
    "one-step": OneStep,
    "first-order": FirstOrder,
    "finite-difference": FiniteDifference,
    "forward": Forward,
    "neumann": Neumann,
    "cg": ConjugateGradient,
    "evolution": Evolution,
    "persistent-evolution": PersistentEvolution,
}
"""Constructors by name; each says in its docstring what it computes, what it costs and when to use it."""


def estimator_named(name: str, **options: object) -> Estimator:
    """An estimator by its name.

    Args:
        name: a key of :data:`ESTIMATORS`.
        options: of its constructor.
    Raises: ValueError: if there is none of this name; the message lists all.
    """
    if name not in ESTIMATORS:
        raise ValueError(f"unknown estimator '{name}'; known: {', '.join(ESTIMATORS)}")
    return ESTIMATORS[name](**options)


__all__ = [
    "ESTIMATORS",
    "Adjoint",
    "ConjugateGradient",
    "Estimator",
    "Evolution",
    "FiniteDifference",
    "FirstOrder",
    "Forward",
    "Neumann",
    "OneStep",
    "PersistentEvolution",
    "Recompute",
    "StatefulEstimator",
    "Unrolled",
    "estimator_named",
]
