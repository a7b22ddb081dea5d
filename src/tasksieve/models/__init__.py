"""Dialog models and weight modules."""

from tasksieve.models.memory_network import LossesOf, MemoryNetwork, WeightModule

__all__ = ["LossesOf", "MemoryNetwork", "WeightModule"]
