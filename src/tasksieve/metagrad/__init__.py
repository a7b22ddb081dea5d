"""Meta-gradients over callables and parameter dicts; knows no dialog and no concrete model."""

from tasksieve.metagrad.inner import Adam, InnerRule, Moments, Params, Sgd, State, moments_of
from tasksieve.metagrad.unrolled import (
    BilevelProblem,
    MetaGradient,
    primary_loss,
    related_loss,
    unrolled_meta_gradient,
)

__all__ = [
    "Adam",
    "BilevelProblem",
    "InnerRule",
    "MetaGradient",
    "Moments",
    "Params",
    "Sgd",
    "State",
    "moments_of",
    "primary_loss",
    "related_loss",
    "unrolled_meta_gradient",
]
