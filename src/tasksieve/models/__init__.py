"""Dialog models and weight modules."""

from tasksieve.models.linear.label_scores import LabelScoreModule
from tasksieve.models.linear.logistic import LogisticRegression, PerceptronWeightModule
from tasksieve.models.memory_network.network import MemoryNetwork, WeightModule
from tasksieve.models.model import LossesOf

__all__ = [
    "LabelScoreModule",
    "LogisticRegression",
    "LossesOf",
    "MemoryNetwork",
    "PerceptronWeightModule",
    "WeightModule",
]
