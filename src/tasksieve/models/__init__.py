"""Dialog models and weight modules."""

from tasksieve.models.linear import LogisticRegression, PerceptronWeightModule
from tasksieve.models.memory_network import MemoryNetwork, WeightModule
from tasksieve.models.module import LossesOf

__all__ = ["LogisticRegression", "LossesOf", "MemoryNetwork", "PerceptronWeightModule", "WeightModule"]
