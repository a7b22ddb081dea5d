"""How a page speaks of a measure: its name, and what its per cent are of."""

from __future__ import annotations

from dataclasses import dataclass

from tasksieve.records.measures import ACTIONS, RANKING, RESPONSES


@dataclass(frozen=True, slots=True)
class Wording:
    """Words for one measure.

    Attributes:
        measure: its name among all measures of comparisons.
        name: what pages call it: plain `accuracy` where whole responses are judged.
        right: what is true of a turn that counts, after "the share of test turns".
        got: the same of the turns of one run, as the end of a sentence.
        noun: what is predicted.
    """

    measure: str
    name: str
    right: str
    got: str
    noun: str

    @property
    def heading(self) -> str:
        """The name at the beginning of a sentence."""
        return self.name[:1].upper() + self.name[1:]


_WORDINGS = {
    RESPONSES: Wording(
        RESPONSES,
        "accuracy",
        "that got the right response",
        "turns got the right response",
        "response",
    ),
    ACTIONS: Wording(
        ACTIONS,
        ACTIONS,
        "that got the right action, all of its acts and no other",
        "turns got the right action, all of its acts and no other",
        "action",
    ),
    RANKING: Wording(
        RANKING,
        RANKING,
        "whose right response ranks first among 100: itself and 99 other responses of the same dialogs",
        "turns have their right response first among 100, the others drawn from the same dialogs",
        "response",
    ),
}


def wording(measure: str | None) -> Wording:
    """The words for a measure; those for whole responses where it is not known, as in old records."""
    return _WORDINGS.get(measure or RESPONSES, _WORDINGS[RESPONSES])
