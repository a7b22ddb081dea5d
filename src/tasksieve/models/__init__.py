"""Dialog models and weight modules."""

from tasksieve.models.memory_network import MemoryNetwork, WeightModule

__all__ = ["MemoryNetwork", "WeightModule"]
