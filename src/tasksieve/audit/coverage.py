"""Which held-out responses are candidates, and what that allows a model at best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tasksieve.audit.splits import PRIMARY, TEST, VALID, ReadSplits, share
from tasksieve.dialogs.turn_kinds import turn_kind
from tasksieve.encoding import Phrase, Reading, bag_of, responses_of

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Coverage:
    """How a split's responses are covered by candidates.

    Attributes:
        split: the split whose turns are counted.
        by: where the candidates come from: ``primary``, ``primary + valid``, or, if there is nothing held out,
            ``other dialogs`` of the primary task itself.
        turns: of the split, those to learn from.
        candidates: distinct responses to choose from; those that name entities of the facts as templates, and those
            that differ in case, punctuation or the order of words alone as one.
        ceiling: the highest accuracy possible, in per cent: the share of turns whose response is a candidate.
        joint_ceiling: the same with the responses of related tasks as candidates too (method ``joint``).
        missing: turns whose response is no candidate, by kind of turn, most first.
        examples: the most frequent responses that are missing, as they stand in the dialogs.
    """

    split: str
    by: str
    turns: int
    candidates: int
    ceiling: float
    joint_ceiling: float
    missing: dict[str, int]
    examples: tuple[str, ...]


def coverage(splits: ReadSplits) -> tuple[Coverage, ...]:
    """Coverage of test by training and validation data, as in training, and of validation by training data alone.

    With neither, each primary dialog is looked at as if it were held out.
    """
    found = []
    primary = _bags(splits.primary)
    related = _bags(*splits.related)
    if splits.valid is not None:
        found.append(_of(VALID, PRIMARY, _responses(splits.valid), primary, related))
    if splits.test is not None:
        by = PRIMARY if splits.valid is None else f"{PRIMARY} + {VALID}"
        candidates = primary | _bags(splits.valid or ())
        found.append(_of(TEST, by, _responses(splits.test), candidates, related))
    return tuple(found) or (_left_out(splits.primary, related),)


def _bags(*tasks: Sequence[Reading]) -> set[Phrase]:
    return set(map(bag_of, responses_of(*tasks)))


def _responses(readings: Sequence[Reading]) -> list[tuple[Phrase, str]]:
    """Each turn's response, as what a candidate is known by and as it stands."""
    return [(bag_of(turn.response), turn.said.system) for reading in readings for turn in reading.learned]


def _of(
    split: str, by: str, responses: list[tuple[Phrase, str]], candidates: set[Phrase], related: set[Phrase]
) -> Coverage:
    unknown = [(bag, text) for bag, text in responses if bag not in candidates]
    missing = [text for _, text in unknown]
    still = sum(bag not in related for bag, _ in unknown)
    kinds = Counter(turn_kind(text) for text in missing)
    return Coverage(
        split=split,
        by=by,
        turns=len(responses),
        candidates=len(candidates),
        ceiling=100 - share(len(missing), len(responses)),
        joint_ceiling=100 - share(still, len(responses)),
        missing=dict(kinds.most_common()),
        examples=tuple(text for text, _ in Counter(missing).most_common(_SHOWN)),
    )


def _left_out(readings: Sequence[Reading], related: set[Phrase]) -> Coverage:
    holders = Counter(bag for reading in readings for bag in {bag_of(turn.response) for turn in reading.learned})
    common = {bag for bag, count in holders.items() if count > 1}
    return _of(PRIMARY, "other dialogs", _responses(readings), common, related)
