"""Weights of related examples: constant, random, given, or learned."""

from tasksieve.weighting.learned import Learned
from tasksieve.weighting.weighter import Constant, PerExample, RandomChanging, RelatedBatch, Weighter

__all__ = ["Constant", "Learned", "PerExample", "RandomChanging", "RelatedBatch", "Weighter"]
