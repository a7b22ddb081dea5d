"""Meta-gradients over callables and parameter dicts; knows no dialog and no concrete model."""

from tasksieve.contracts import InPlace, Linearization
from tasksieve.metagrad.automatic_differentiation import AutogradLinearization
from tasksieve.metagrad.certificate import Certificate, certify
from tasksieve.metagrad.compiled_losses import CompiledLosses
from tasksieve.metagrad.diagnosis import diagnose
from tasksieve.metagrad.distributed import Distributed
from tasksieve.metagrad.estimators import (
    ESTIMATORS,
    Estimator,
    EstimatorKind,
    StatefulEstimator,
    estimator_named,
    register,
)
from tasksieve.metagrad.estimators.adjoint import Adjoint
from tasksieve.metagrad.estimators.conjugate_gradient import ConjugateGradient
from tasksieve.metagrad.estimators.evolution import Evolution
from tasksieve.metagrad.estimators.finite_difference import FiniteDifference
from tasksieve.metagrad.estimators.first_order import FirstOrder
from tasksieve.metagrad.estimators.forward import Forward
from tasksieve.metagrad.estimators.neumann import Neumann
from tasksieve.metagrad.estimators.one_step import OneStep
from tasksieve.metagrad.estimators.persistent_evolution import PersistentEvolution
from tasksieve.metagrad.estimators.recompute import Recompute
from tasksieve.metagrad.estimators.unrolled import Unrolled
from tasksieve.metagrad.example_weights import ExampleWeights
from tasksieve.metagrad.inner_rule import Cotangents, InnerRule, Moments, Params, State, Tangents, moments_of
from tasksieve.metagrad.problem import (
    BilevelProblem,
    MetaGradient,
    MetaUpdate,
    Simulation,
    primary_loss,
    related_loss,
)
from tasksieve.metagrad.random_draws import LateLinearization
from tasksieve.metagrad.rules import Adam, Scaled, Sgd

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
    "EstimatorKind",
    "Evolution",
    "ExampleWeights",
    "FiniteDifference",
    "FirstOrder",
    "Forward",
    "InPlace",
    "InnerRule",
    "LateLinearization",
    "Linearization",
    "MetaGradient",
    "MetaUpdate",
    "Moments",
    "Neumann",
    "OneStep",
    "Params",
    "PersistentEvolution",
    "Recompute",
    "Scaled",
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
    "register",
    "related_loss",
]
