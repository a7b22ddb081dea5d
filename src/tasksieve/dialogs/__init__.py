"""Dialogs: the data model, file formats, simulators and kinds of turns."""

from tasksieve.dialogs.dialog import SILENCE, Dialog, Fact, Turn

__all__ = ["SILENCE", "Dialog", "Fact", "Turn"]
