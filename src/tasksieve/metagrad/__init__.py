"""Meta-gradients over callables and parameter dicts; knows no dialog and no concrete model."""

from tasksieve.metagrad.certificate import Certificate, certify
from tasksieve.metagrad.compiled import CompiledLosses
from tasksieve.metagrad.diagnosis import diagnose
from tasksieve.metagrad.distributed import Distributed
from tasksieve.metagrad.estimators import (
    ESTIMATORS,
    Adjoint,
    ConjugateGradient,
    Estimator,
    Evolution,
    FiniteDifference,
    FirstOrder,
    Forward,
    Neumann,
    OneStep,
    PersistentEvolution,
    Recompute,
    StatefulEstimator,
    Unrolled,
    estimator_named,
)
from tasksieve.metagrad.example_weights import ExampleWeights
from tasksieve.metagrad.inner import Cotangents, InnerRule, Moments, Params, State, Tangents, moments_of
from tasksieve.metagrad.linearization import AutogradLinearization, InPlace, Linearization
from tasksieve.metagrad.problem import BilevelProblem, MetaGradient, Simulation, primary_loss, related_loss
from tasksieve.metagrad.rules import Adam, Sgd

__all__ = [
    "ESTIMATORS",
    "Adam",
    "Adjoint",
    "AutogradLinearization",
    "BilevelProblem",
    "Certificate",
    "CompiledLosses",
    "ConjugateGradient",
    "Cotangents",
    "Distributed",
    "Estimator",
    "Evolution",
    "ExampleWeights",
    "FiniteDifference",
    "FirstOrder",
    "Forward",
    "InPlace",
    "InnerRule",
    "Linearization",
    "MetaGradient",
    "Moments",
    "Neumann",
    "OneStep",
    "Params",
    "PersistentEvolution",
    "Recompute",
    "Sgd",
    "Simulation",
    "State",
    "StatefulEstimator",
    "Tangents",
    "Unrolled",
    "certify",
    "diagnose",
    "estimator_named",
    "moments_of",
    "primary_loss",
    "related_loss",
]
