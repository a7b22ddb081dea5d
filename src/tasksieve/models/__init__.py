"""Dialog models, models of images, and weight modules; :mod:`tasksieve.models.model` says what one must offer."""

from tasksieve.models.kinds import model_of, register_model, register_weight_module, weight_module_of
from tasksieve.models.linear.label_scores import LabelScoreModule
from tasksieve.models.linear.logistic import LogisticRegression, PerceptronWeightModule
from tasksieve.models.memory_network.network import MemoryNetwork, MemoryWeightModule
from tasksieve.models.model import DialogModel, DialogWeightModule, Model, WeightModule, learned_params

__all__ = [
    "DialogModel",
    "DialogWeightModule",
    "LabelScoreModule",
    "LogisticRegression",
    "MemoryNetwork",
    "MemoryWeightModule",
    "Model",
    "PerceptronWeightModule",
    "WeightModule",
    "learned_params",
    "model_of",
    "register_model",
    "register_weight_module",
    "weight_module_of",
]
