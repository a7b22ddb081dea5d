"""Which turns of a run's dialogs look wrongly answered: :func:`suspicious_turns`."""

from tasksieve.training.suspicion.suspicious import RunService, Suspicions, services_of_run, suspicious_turns

__all__ = ["RunService", "Suspicions", "services_of_run", "suspicious_turns"]
