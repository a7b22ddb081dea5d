"""Dialog models and weight modules."""

from tasksieve.models.label_scores import LabelScoreModule
from tasksieve.models.linear import LogisticRegression, PerceptronWeightModule
from tasksieve.models.memory_network import MemoryNetwork, WeightModule
from tasksieve.models.module import LossesOf

__all__ = [
    "LabelScoreModule",
    "LogisticRegression",
    "LossesOf",
    "MemoryNetwork",
    "PerceptronWeightModule",
    "WeightModule",
]
