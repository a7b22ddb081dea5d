"""Where training is senseless, and what to do instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tasksieve.audit.coverage import Coverage
from tasksieve.audit.duplicates import Overlap
from tasksieve.audit.finding import Finding
from tasksieve.audit.predicting import Predicting
from tasksieve.audit.splits import PRIMARY, TEST, VALID, ReadSplits
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
    files: Mapping[str, str],
) -> Iterator[Finding]:
    """Each reason not to train, in a sentence that says what to do.

    Args:
        read: the dialogs as they were read.
        predicting: what is predicted.
        coverage: of the held-out splits.
        overlaps: what splits share.
        files: of each split by its name, as far as the dialogs are of files.
    """
    yield from (_stop("one and the same", said) for said in _same(overlaps, files))
    yield from (_stop("nothing to choose", said) for said in _nothing(read, predicting))
    for found in coverage:
        few = found.split == VALID and found.turns and found.ceiling < LEAST
        if few and predicting.what == "actions":
            said = f"only {found.ceiling:.1f} % of the validation turns have an action that training shows"
            what = "give more training dialogs, or predict responses (--predict responses)"
            yield _stop("coverage", f"{said}, and no model can be right more often; {what}")


def _stop(topic: str, said: str) -> Finding:
    return Finding("stop", topic, f"{said[0].upper()}{said[1:]}.")


def _same(overlaps: Sequence[Overlap], files: Mapping[str, str]) -> Iterator[str]:
    """Held-out splits of which every dialog is a training dialog."""
    for pair in overlaps:
        if pair.learned != PRIMARY or not pair.same == pair.dialogs > 0:
            continue
        name = {VALID: "validation", TEST: "test"}[pair.held_out]
        file = files.get(pair.held_out)
        if file is not None and file == files.get(PRIMARY):
            said = f"the {name} dialogs are the training dialogs ({file})"
        else:
            said = f"all {name} dialogs ({pair.dialogs:,}) are training dialogs too"
        known = "a model that knows them by heart would look perfect"
        yield f"{said}, and {known}; give other ones with --{pair.held_out}, {_DRAW}"


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
