"""Weights of related examples: constant, random, given, or learned."""

from tasksieve.weighting.design import Effects, balanced_design, effects_of
from tasksieve.weighting.groups import response_groups
from tasksieve.weighting.learned import Learned
from tasksieve.weighting.weighter import Constant, PerExample, RandomChanging, RelatedBatch, Weighter

__all__ = [
    "Constant",
    "Effects",
    "Learned",
    "PerExample",
    "RandomChanging",
    "RelatedBatch",
    "Weighter",
    "balanced_design",
    "effects_of",
    "response_groups",
]
