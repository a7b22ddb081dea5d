"""Dialogs: their turns, and the records and notes between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tasksieve.dialogs.act import Act, Span
from tasksieve.dialogs.record import Note, Record

SILENCE = "<SILENCE>"
"""What stands for the user's utterance when the system speaks twice in a row."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange: the user's utterance and the system's response to it.

    Attributes:
        user: :data:`SILENCE` when the system speaks twice in a row; may be empty.
        system: the response.
        learned: how much the response counts where it is learned from, finite and not negative: its loss is
            multiplied by it. One of 0 is context alone. Turns that say the same are equal whatever this is.
        acts: what the system does in it, in the order annotated; empty if the data do not say.
        spans: where values stand in the response, as far as the data say so.
        candidates: responses that the data give to choose among, the right one with them; empty if they give none.
        told_after: of the records and notes right before the turn so many, the last ones, came after the user's
            utterance. Turns that say the same are equal whatever this is.
    """

    user: str
    system: str
    learned: float = field(default=1.0, compare=False)
    acts: tuple[Act, ...] = ()
    spans: tuple[Span, ...] = ()
    candidates: tuple[str, ...] = ()
    told_after: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Dialog:
    """A dialog: who the user is (where the data says so), then turns, records and notes in the order they came.

    Attributes:
        events: turns, and between them what databases and tools answered (records) and what prose tells (notes).
            Triples of one entity in a row are one record.
        profile: words that describe the user, e.g. ``("male", "young", "veg", "pizza")``; empty if unknown.
        line: where the dialog starts in its file, counted from 1; 0 if it was not read from one.
    """

    events: tuple[Turn | Record | Note, ...]
    profile: tuple[str, ...] = ()
    line: int = 0

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns alone, in order."""
        return tuple(event for event in self.events if isinstance(event, Turn))
