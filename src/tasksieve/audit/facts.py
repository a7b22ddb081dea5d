"""Which facts of a dialog the model can see: not those that its memory has no room for any more."""

from __future__ import annotations

from collections import Counter

from tasksieve.dialogs import Dialog, Record
from tasksieve.encoding import Names, Reading
from tasksieve.encoding.names import fields_of
from tasksieve.encoding.reading import FACT


def facts_seen(dialog: Dialog, reading: Reading, names: Names | None, max_memories: int) -> int:
    """How many facts of a dialog the model can see.

    A fact that is never in the memory is seen all the same if it describes an entity that responses may name.

    Args:
        dialog: as it stands.
        reading: the same as it was read.
        names: which fields give names; None if no entity is described.
        max_memories: older memories are left out.
    """
    lost = _never_in_memory(reading, max_memories)
    if lost and names is not None:
        for fact in _descriptions(dialog, names):
            lost.pop(fact, None)
    return reading.seen - lost.total()


def _never_in_memory(reading: Reading, max_memories: int) -> Counter[str]:
    """Facts that were remembered, but at every turn were among the memories that are left out."""
    shown: set[str] = set()
    cut: Counter[str] = Counter()
    older: list[str] = []
    done = 0
    for turn in reading.turns:
        first = max(0, turn.remembered - max_memories)
        older += (line.original for line in reading.lines[done:first])
        shown.update(line.original for line in reading.lines[max(done, first) : turn.remembered])
        done = max(done, turn.remembered)
        fresh, room = [line.original for line in turn.fresh], max(0, max_memories - turn.remembered)
        kept = max(0, len(fresh) - room)
        shown.update(fresh[kept:])
        cut |= Counter(fresh[:kept])
    facts = (Counter(older) | cut).items()
    return Counter({fact: count for fact, count in facts if fact.startswith(FACT) and fact not in shown})


def _descriptions(dialog: Dialog, names: Names) -> set[str]:
    """The facts of all records that are about an entity with a name, in whatever way they are said."""
    found = set()
    for record in dialog.events:
        if isinstance(record, Record) and any(names.gap_of(record.kind, path) for path, _ in fields_of(record)):
            fields = list(record.flat())
            subjects = {record.kind, *(value for _, value in fields)}
            found |= {f"{FACT} {subject} {path} {value}" for subject in subjects for path, value in fields}
            found |= {f"{FACT} {subject}" for subject in subjects}
    return found
