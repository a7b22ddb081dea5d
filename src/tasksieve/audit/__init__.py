"""What dialogs can and cannot teach, told before training: coverage, leakage, conflicts, words."""

from tasksieve.audit.audit import Audit, audit

__all__ = ["Audit", "audit"]
