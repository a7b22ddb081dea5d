"""What is to be predicted, and how far each choice could get at best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tasksieve.audit.coverage import Coverage, coverage
from tasksieve.audit.splits import ReadSplits, Splits, Use
from tasksieve.dialogs import Dialog
from tasksieve.encoding import Prediction, annotated_turns, bag_of, suited
from tasksieve.encoding.known_responses import LOW, known_responses
from tasksieve.records.measures import RANKED
from tasksieve.records.model_config import Predicted


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The highest accuracy possible on a split, in per cent, if responses are predicted, and if actions are.

    Attributes:
        actions: None if no turn says what the system does.
    """

    split: str
    responses: float
    actions: float | None


@dataclass(frozen=True, slots=True)
class Predicting:
    """What is predicted.

    Attributes:
        what: it is.
        why: in a clause.
        asked: whether it was asked for, instead of being what suits.
        suited: what suits the dialogs.
        suits_as: why that suits them, in a clause.
        partly: whether responses suit only because too few turns say what the system does.
        ceilings: of every held-out split; of the primary dialogs, one held against the others, if there is none.
        ranked: whether the right response is to be ranked among others, as so few are known word for word.
        known: per cent of the validation responses, or else of the first split held out, that decide that.
        among: among how many then, by the split that is held out; 100 unless fewer responses differ.
    """

    what: Predicted
    why: str
    asked: bool
    suited: Predicted
    ceilings: tuple[Ceilings, ...]
    ranked: bool
    among: dict[str, int] = field(default_factory=dict)
    known: float = 100.0
    suits_as: str = ""
    partly: bool = False


def what_suits(splits: Splits) -> Prediction:
    """What suits the primary task, as far as its validation dialogs tell, or else its test dialogs.

    Without either, every second dialog is held against the others.
    """
    held_out = splits.valid or splits.test
    if held_out is not None:
        return suited(splits.primary, held_out)
    found = suited(splits.primary[::2], splits.primary[1::2])
    why = found.why.replace("the validation responses", "the responses of every second dialog")
    return Prediction(found.what, why.replace("the training dialogs", "the others"), found.partly)


def predicting(
    dialogs: tuple[Splits, Splits],
    read: ReadSplits,
    use: Use,
    suits: Prediction,
    asked: bool,
    own: Sequence[Coverage],
) -> Predicting:
    """What is predicted, with the ceilings of both choices.

    Args:
        dialogs: those that are looked at, and all that there are of the primary task.
        read: the first, as they were read.
        use: that they were read for.
        suits: what suits them.
        asked: whether what is predicted was asked for.
        own: the coverage of what is predicted.
    """
    splits, whole = dialogs
    ceilings: dict[Predicted, list[float]] = {use.predict: [found.ceiling for found in own]}
    others: tuple[Predicted, ...] = ("responses", "actions")
    for other in others:
        if other not in ceilings and (other == "responses" or _annotated(splits)):
            there = read.other(splits, Use(other, use.slot_acts, use.model))
            ceilings[other] = [found.ceiling for found in coverage(there, other)]
    actions = ceilings.get("actions", [None] * len(own))
    found = tuple(
        Ceilings(covered.split, responses, action)
        for covered, responses, action in zip(own, ceilings["responses"], actions, strict=True)
    )
    why = "as set" if asked else suits.why
    known = _known(whole, use, found[0]) if use.predict == "responses" else 100.0
    if known < LOW and whole.valid is None and whole is not splits:
        known = coverage(read.other(whole, use), "responses")[0].ceiling
    ranked = known < LOW
    among = {name: _differ(held_out) for name, held_out in splits.held_out()} if ranked else {}
    return Predicting(use.predict, why, asked, suits.what, found, ranked, among, known, suits.why, suits.partly)


def _known(whole: Splits, use: Use, first: Ceilings) -> float:
    """Per cent of the validation responses that are known from training, counted as training does."""
    if whole.valid is None:
        return first.responses
    return known_responses(whole.primary, whole.valid, use.model.facts, named=use.model.entities != "names")


def _differ(dialogs: Sequence[Dialog]) -> int:
    """Among how many responses the right one of a turn is ranked: as many as differ, up to 100."""
    said = {bag_of(turn.system) for dialog in dialogs for turn in dialog.turns if turn.learned}
    return min(len(said), RANKED)


def _annotated(splits: Splits) -> bool:
    return all(annotated_turns(dialogs) for dialogs in (splits.primary, splits.valid, splits.test) if dialogs)
