"""Dialogs: the data model, file formats, simulators and kinds of turns."""

from tasksieve.dialogs.act import Act, Span
from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.record import Note, Record

__all__ = ["SILENCE", "Act", "Dialog", "Note", "Record", "Span", "Turn"]
