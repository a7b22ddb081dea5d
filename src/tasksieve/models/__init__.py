"""Dialog models and weight modules."""

from tasksieve.models.linear import LogisticRegression, PerceptronWeightModule
from tasksieve.models.memory_network import LossesOf, MemoryNetwork, WeightModule

__all__ = ["LogisticRegression", "LossesOf", "MemoryNetwork", "PerceptronWeightModule", "WeightModule"]
