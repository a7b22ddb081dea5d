"""Actions as candidates: their words and parts, and those of related tasks that a primary task may take too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

COMMON = 2
"""In so many related tasks an action without a new slot must occur, to be one that the primary task may take."""


def spelled(action: str) -> str:
    """An action in words that others share: itself, its acts, and the parts of an act with its slot.

    So ``request_city`` of one service has words in common with ``request_date`` of the same and ``request_city`` of
    another.

    >>> spelled("inform request_city")
    'inform&request_city inform request_city request city'
    """
    acts = action.split()
    whole = ["&".join(acts)] if len(acts) > 1 else []
    parts = [part for act in acts if "_" in act for part in act.split("_") if part]
    return " ".join(dict.fromkeys((*whole, *acts, *parts)))


def borrowed_actions(own: Iterable[str], related: Sequence[Collection[str]], slot_acts: Iterable[str]) -> list[str]:
    """Actions of related tasks that a primary task may take though its own few dialogs do not show them.

    An action fits if every slot in it is one that the primary task has. One without a slot must besides occur in
    several related tasks, unless there are few.

    Args:
        own: actions of the primary task.
        related: those of each related task.
        slot_acts: the acts that take their slot along.
    Returns: actions that are not the primary task's own, sorted.
    """
    known = set(own)
    leads = tuple(f"{name}_" for name in slot_acts)
    with_slot = {act for action in known for act in action.split() if act.startswith(leads)}
    tasks = Counter(action for actions in related for action in set(actions))
    least = min(COMMON, len(related))
    found = []
    for action, count in tasks.items():
        slots = [act for act in action.split() if act.startswith(leads)]
        if action not in known and (set(slots) <= with_slot if slots else count >= least):
            found.append(action)
    return sorted(found)
