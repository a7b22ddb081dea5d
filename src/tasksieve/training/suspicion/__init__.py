"""Which turns of a run's dialogs look wrongly answered: :func:`suspicious_turns`."""

from tasksieve.training.suspicion.suspicious import Suspicions, suspicious_turns

__all__ = ["Suspicions", "suspicious_turns"]
