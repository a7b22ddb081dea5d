"""Names of the measures that comparisons speak of."""

from __future__ import annotations

ACTIONS, RESPONSES = "accuracy of actions", "accuracy of responses"
"""Per cent of the turns whose set of acts, or whose whole response, is right."""
RANKING = "R_100@1"
"""Per cent of the turns whose right response ranks first among 99 others of the same test dialogs."""


def key_of(measure: str) -> str:
    """What a measure is called among all measures of a test."""
    return RANKING if measure == RANKING else "accuracy"
