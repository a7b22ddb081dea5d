"""What kind of turn one is: its action, or what the wording of its response tells."""

from __future__ import annotations

from collections.abc import Iterable

from tasksieve.dialogs import Act, Turn
from tasksieve.dialogs.turn_kinds import turn_kind
from tasksieve.records.model_config import SLOT_ACTS


def kind_of(turn: Turn) -> str:
    """What kind of turn it is: its action; without one, what the wording of its response tells."""
    return action_of(turn.acts) or turn_kind(turn.system)


def action_of(acts: Iterable[Act], slot_acts: Iterable[str] = SLOT_ACTS) -> str:
    """Acts as one action: the set of their names, with the slots of those that take them along.

    Args:
        acts: of a turn, in any order.
        slot_acts: names of the acts that take their slot along.
    Returns: words in the order of the alphabet; empty if there are no acts.

    >>> action_of([Act("request", "city"), Act("inform", "phone"), Act("inform", "street")])
    'inform request_city'
    """
    with_slot = frozenset(slot_acts)
    words = {f"{act.name}_{act.slot}" if act.slot and act.name in with_slot else act.name for act in acts}
    return " ".join(sorted("_".join(word.split()) for word in words))
