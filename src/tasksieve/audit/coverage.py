"""Which held-out responses, or actions, are candidates, and what that allows a model at best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tasksieve.audit.splits import PRIMARY, TEST, VALID, ReadSplits, share
from tasksieve.encoding import Phrase, Reading, ReadTurn, bag_of, responses_of
from tasksieve.encoding.kinds import kind_of
from tasksieve.records.model_config import Predicted

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
        examples: the most frequent responses that are missing, as they stand in the dialogs; or actions.
    """

    split: str
    by: str
    turns: int
    candidates: int
    ceiling: float
    joint_ceiling: float
    missing: dict[str, int]
    examples: tuple[str, ...]


def coverage(splits: ReadSplits, predict: Predicted) -> tuple[Coverage, ...]:
    """Coverage of test by training and validation data, as in training, and of validation by training data alone.

    With neither, each primary dialog is looked at as if it were held out.
    """
    found = []
    primary = _bags(splits.primary)
    related = _bags(*splits.related)
    if splits.valid is not None:
        found.append(_of(VALID, PRIMARY, _turns(splits.valid), primary, related, predict))
    if splits.test is not None:
        by = PRIMARY if splits.valid is None else f"{PRIMARY} + {VALID}"
        candidates = primary | _bags(splits.valid or ())
        found.append(_of(TEST, by, _turns(splits.test), candidates, related, predict))
    return tuple(found) or (_left_out(splits.primary, related, predict),)


def _bags(*tasks: Sequence[Reading]) -> set[Phrase]:
    return set(map(bag_of, responses_of(*tasks)))


def _turns(readings: Sequence[Reading]) -> list[ReadTurn]:
    return [turn for reading in readings for turn in reading.learned]


def _of(
    split: str,
    by: str,
    turns: list[ReadTurn],
    candidates: set[Phrase],
    related: set[Phrase],
    predict: Predicted,
) -> Coverage:
    unknown = [turn for turn in turns if bag_of(turn.response) not in candidates]
    still = sum(bag_of(turn.response) not in related for turn in unknown)
    kinds = Counter(kind_of(turn.said) for turn in unknown)
    missing = Counter(turn.said.system if predict == "responses" else turn.response for turn in unknown)
    return Coverage(
        split=split,
        by=by,
        turns=len(turns),
        candidates=len(candidates),
        ceiling=100 - share(len(unknown), len(turns)),
        joint_ceiling=100 - share(still, len(turns)),
        missing=dict(kinds.most_common()),
        examples=tuple(text for text, _ in missing.most_common(_SHOWN)),
    )


def _left_out(readings: Sequence[Reading], related: set[Phrase], predict: Predicted) -> Coverage:
    holders = Counter(bag for reading in readings for bag in {bag_of(turn.response) for turn in reading.learned})
    common = {bag for bag, count in holders.items() if count > 1}
    return _of(PRIMARY, "other dialogs", _turns(readings), common, related, predict)
