"""Names of the measures that comparisons speak of."""

from __future__ import annotations

from collections.abc import Mapping

ACTIONS, RESPONSES = "accuracy of actions", "accuracy of responses"
"""Per cent of the turns whose set of acts, or whose whole response, is right."""
RANKING = "R_100@1"
"""Per cent of the turns whose right response ranks first among 99 others of the same test dialogs."""
RANKED = 100
"""So many are ranked for that, the right one with them; fewer where no more differ."""
VALID_AMONG = "valid_among"
"""In ``result.json``: among how many responses the right ones of the validation dialogs were ranked, at least."""
_PARTS = {"valid": "validation", "test": "test"}


def key_of(measure: str) -> str:
    """What a measure is called among all measures of a test."""
    return RANKING if measure == RANKING else "accuracy"


def fewer_ranked(among: Mapping[str, int | None]) -> str:
    """Among how many responses the right one was ranked, where these are fewer than 100; else nothing.

    Args:
        among: how many there were, by `valid` and `test`; None where that is not known.

    >>> fewer_ranked({"valid": 38, "test": 76})
    'R_100@1 is among 38 responses on validation and 76 on test, where no more differ: the two cannot be compared'
    >>> fewer_ranked({"valid": 100, "test": 100})
    ''
    """
    known = {_PARTS[name]: count for name, count in among.items() if name in _PARTS and count is not None}
    if all(count >= RANKED for count in known.values()):
        return ""
    (first, count), *others = known.items()
    said = f"{RANKING} is among {count} responses on {first}"
    said += "".join(f" and {count} on {name}" for name, count in others)
    apart = len(set(known.values())) > 1
    return f"{said}, where no more differ" + (": the two cannot be compared" if apart else "")
