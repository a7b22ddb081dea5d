"""Where training is senseless, and what to do instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tasksieve.audit.coverage import Coverage
from tasksieve.audit.duplicates import Overlap
from tasksieve.audit.finding import Finding
from tasksieve.audit.predicting import Predicting
from tasksieve.audit.splits import PRIMARY, TEST, VALID, ReadSplits, Size
from tasksieve.encoding import Reading
from tasksieve.records.shares import SHARES_EXAMPLE

LEAST = 5.0
"""Per cent of the validation turns whose action must be known from training."""
_SHOWN = 60
_DRAW = f"or only --primary and --split {SHARES_EXAMPLE} to have three parts drawn from it"


def stops(
    read: ReadSplits,
    predicting: Predicting,
    coverage: Sequence[Coverage],
    overlaps: Sequence[Overlap],
    sizes: Sequence[Size],
    files: Mapping[str, str],
) -> Iterator[Finding]:
    """Each reason not to train, in a sentence that says what to do.

    Args:
        read: the dialogs as they were read.
        predicting: what is predicted.
        coverage: of the held-out splits.
        overlaps: what splits share.
        sizes: of every split.
        files: of each split by its name, as far as the dialogs are of files.
    """
    yield from (_stop("one and the same", said) for said in _same(overlaps, files))
    yield from (_stop("nothing to choose", said) for said in _nothing(read, predicting))
    if predicting.what == "actions":
        yield from (_stop("nothing to borrow", said) for said in _no_actions(sizes, files))
    for found in coverage:
        few = found.split == VALID and found.turns and found.ceiling < LEAST
        if few and predicting.what == "actions":
            said = f"only {found.ceiling:.1f} % of the validation turns have an action that training shows"
            what = "give more training dialogs, or predict responses (--predict responses)"
            yield _stop("coverage", f"{said}, and no model can be right more often; {what}")


def _stop(topic: str, said: str) -> Finding:
    first, _, _ = said.partition(" ")
    plain = first.isalpha()  # not a path
    return Finding("stop", topic, f"{said[0].upper() if plain else said[0]}{said[1:]}.")


def _same(overlaps: Sequence[Overlap], files: Mapping[str, str]) -> Iterator[str]:
    """Held-out splits of which every dialog is a training dialog, or a related one."""
    for pair in overlaps:
        if pair.learned == VALID or not pair.same == pair.dialogs > 0:
            continue
        name = {VALID: "validation", TEST: "test"}[pair.held_out]
        if pair.learned != PRIMARY:
            which = files.get(pair.learned, pair.learned)
            known = "a model that borrows them knows them by heart"
            said = f"all {name} dialogs ({pair.dialogs:,}) are related dialogs too ({which})"
            yield f"{said}, and {known}; leave that file out"
            continue
        file = files.get(pair.held_out)
        if file is not None and file == files.get(PRIMARY):
            said = f"the {name} dialogs are the training dialogs ({file})"
        else:
            said = f"all {name} dialogs ({pair.dialogs:,}) are training dialogs too"
        known = "a model that knows them by heart would look perfect"
        yield f"{said}, and {known}; give other ones with --{pair.held_out}, {_DRAW}"


def _no_actions(sizes: Sequence[Size], files: Mapping[str, str]) -> Iterator[str]:
    """Related tasks without any action, where these are predicted."""
    for size in sizes:
        if size.split not in (PRIMARY, VALID, TEST) and size.learned and size.without_action == size.learned:
            what = "says of no turn what the system does"
            mend = "annotate its actions, leave it out, or predict responses (--predict responses)"
            yield f"{files.get(size.split, size.split)} {what}, and actions are predicted; {mend}"


def _nothing(read: ReadSplits, predicting: Predicting) -> Iterator[str]:
    """Splits without anything to learn, or without a choice in it."""
    lacks = "says what the system does" if predicting.what == "actions" else "has a response to learn from"
    mend = (
        "annotate its actions, or predict responses (--predict responses)"
        if predicting.what == "actions"
        else "give dialogs whose responses have a weight other than 0"
    )
    own: list[tuple[str, Sequence[Reading]]] = [("training", read.primary)]
    own += [("validation", read.valid)] if read.valid is not None else []
    for name, readings in own:
        said = {turn.response for reading in readings for turn in reading.learned}
        if not said:
            yield f"no {name} turn {lacks}; {mend}"
        elif name == "training" and len(said) == 1:
            what = predicting.what.removesuffix("s")
            shown = next(iter(said))
            shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
            yield (
                f"all training turns have the same {what}, '{shown}', so there is nothing to choose; give dialogs in "
                f"which the system has more than one"
            )
