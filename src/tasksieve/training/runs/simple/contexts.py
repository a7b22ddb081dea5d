"""What simple methods see of a turn: texts from the same reading that models have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasksieve.dialogs import Dialog, Record, Turn
from tasksieve.encoding import Example, Reading, ReadTurn, kind_of
from tasksieve.encoding.phrases import phrase_of
from tasksieve.encoding.reading import ACTION, RESULT, STATE, SYSTEM

MOST_RECORDS = 5
"""More that came at once count as so many."""


@dataclass(frozen=True, slots=True)
class Context:
    """A turn whose response is due.

    Attributes:
        user: what the user has just said.
        last: the system's last action, or without one its last response.
        history: all that is remembered of the dialog.
        fresh: what holds for this turn alone: kinds, fields, values and number of the records that tools have just
            returned, and the state of the dialog where the reading tells it.
    """

    user: str
    last: str
    history: str
    fresh: str


@dataclass(frozen=True, slots=True)
class SeenTurn:
    """A turn to learn from, or to be measured on.

    Attributes:
        example: where it stands.
        turn: as it was read.
        context: what is seen of it.
    """

    example: Example
    turn: ReadTurn
    context: Context


def seen_turns(dialogs: Sequence[Dialog], readings: Sequence[Reading], max_memories: int) -> list[SeenTurn]:
    """The turns to learn from of dialogs.

    Args:
        dialogs: as they were told.
        readings: the same, read.
        max_memories: older memories are left out.
    """
    seen = []
    for number, (dialog, reading) in enumerate(zip(dialogs, readings, strict=True)):
        for place, (turn, fresh) in enumerate(zip(reading.turns, _fresh(dialog), strict=True)):
            if turn.learned:
                said = turn.said
                example = Example(number, place, said.user, said.system, kind_of(said))
                seen.append(SeenTurn(example, turn, _context(reading, turn, fresh, max_memories)))
    return seen


def _context(reading: Reading, turn: ReadTurn, fresh: str, max_memories: int) -> Context:
    lines = [line.seen for line in reading.lines[: turn.remembered][-max_memories:]]
    last = next((line for line in reversed(lines) if line.startswith((ACTION, SYSTEM))), "")
    history = "\n".join(line.partition(" ")[2] for line in lines)
    at_hand = " ".join(
        line.seen.partition(" ")[2] for line in turn.fresh if not line.seen.startswith((STATE, RESULT))
    )
    return Context(turn.user, last.partition(" ")[2], history, f"{fresh} {at_hand}".strip())


def _fresh(dialog: Dialog) -> list[str]:
    """For each turn words for the records that came since the turn before."""
    found, records = [], list[Record]()
    for event in dialog.events:
        if isinstance(event, Turn):
            found.append(" ".join(_words(records)))
            records = []
        elif isinstance(event, Record):
            records.append(event)
    return found


def _words(records: Sequence[Record]) -> list[str]:
    words = [f"records={min(sum(bool(record.fields) for record in records), MOST_RECORDS)}"]
    for record in records:
        kind = "_".join(record.kind.split())
        words.append(kind)
        for path, value in record.flat():
            field = "_".join(path.split())
            words += [f"{kind}.{field}", f"{field}={'_'.join(phrase_of(value))}"]
    return words
