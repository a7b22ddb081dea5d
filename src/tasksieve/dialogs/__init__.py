"""Dialogs: the data model, file formats, simulators and kinds of turns."""

from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.record import Note, Record

__all__ = ["SILENCE", "Dialog", "Note", "Record", "Turn"]
