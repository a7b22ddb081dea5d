"""The sections that a run's page and a comparison's page share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from tasksieve.errors import UserError
from tasksieve.records.counts import plural
from tasksieve.records.measures import RANKING
from tasksieve.records.weight_meaning import scale
from tasksieve.report import formatting as show
from tasksieve.report.blocks import Block, Cell, DialogsBlock, Note, Section, TableBlock, TextBlock
from tasksieve.report.drawing import picture
from tasksieve.report.figures import learning_curves, weight_histograms, weights_by_kind
from tasksieve.report.reading import Run, read_weights, services_of
from tasksieve.report.service_sections import service_sections
from tasksieve.report.snapshots import snapshots_block
from tasksieve.report.weights import WeightedDialog, extreme_dialogs, named_tasks, of_the_same_examples
from tasksieve.report.wording import Wording

_COVERAGE = {
    "candidate_ceiling": ("test turns whose {} is a candidate (the ceiling)", " %"),
    "unknown_words": ("words of the test turns that the vocabulary lacks", " %"),
    "unseen_responses": ("test turns whose {} is no candidate", ""),
}


def curves_section(runs: Sequence[Run], words: Wording) -> Section:
    """The measure on validation dialogs over iterations."""
    keeps = {run.keep for run in runs}
    points = "last or best point, as its settings say," if len(keeps) > 1 else f"{next(iter(keeps), 'best')} point"
    reading = (
        f"{words.heading} on the validation dialogs as training went on; the model "
        f"at a run's {points} is the one that is kept. The scale does not start at 0."
    )
    if len({(run.method, run.size) for run in runs}) < len(runs):
        reading += " Thin lines are single seeds, a thick line is their mean while all of them train."
    try:
        shown = picture(
            lambda narrow: learning_curves(runs, words.measure, narrow),
            "curves",
            f"Lines of validation {words.name} over iterations",
        )
    except ValueError:
        note = Note("No validation has been recorded yet (metrics.jsonl is missing or empty).")
        return Section("curves", "Learning curves", reading, (note,))
    return Section("curves", "Learning curves", reading, (shown,))


def weight_sections(run: Run | None) -> list[Section]:
    """Histograms, weights by kind, dialogs at both ends; if there are none, one section that says why."""
    if run is None:
        return [_no_weights("No run recorded weights; only weighting methods do, such as learned.")]
    try:
        weights, examples = read_weights(run)
        alike = of_the_same_examples(weights)
        stages = picture(
            lambda narrow: weight_histograms(alike, examples, narrow),
            "histograms",
            "Histograms of weights at stages of training",
        )
        snapshots = snapshots_block(alike, examples, stages)
        kinds = picture(
            lambda narrow: weights_by_kind(alike, examples, narrow),
            "kinds",
            "Lines of mean weight over iterations, one per kind of turn",
        )
        named = named_tasks(examples, services_of(run))
        services = service_sections(alike, named)
        dialogs = _dialog_blocks(*extreme_dialogs(weights, named))
    except UserError as error:
        return [_no_weights(f"This run {error.message.replace('`', '')}.")]
    except (ValueError, pl.exceptions.PolarsError) as error:
        return [_no_weights(f"The weights cannot be shown: {error}.")]
    whose = f"Run shown: {describe(run)}."
    return [
        Section(
            "weights",
            "How the weights moved",
            f"The related examples counted by their weight at one moment of training: {scale(run.drawn)}.",
            (snapshots, Note(whose)),
        ),
        Section(
            "kinds",
            "What was borrowed, by kind of turn",
            "A line is the mean weight of all related examples whose response is of one kind.",
            (kinds,),
        ),
        *services,
        Section(
            "dialogs",
            "The related dialogs that were borrowed most and least",
            "Those with the highest and the lowest mean weight at the end of training; the number "
            "beside a turn is its weight, and the deeper its shade the more was borrowed.",
            dialogs,
        ),
    ]


def _dialog_blocks(highest: Sequence[WeightedDialog], lowest: Sequence[WeightedDialog]) -> tuple[Block, ...]:
    blocks: list[Block] = [DialogsBlock("Borrowed most", tuple(highest))]
    if lowest:
        blocks.append(DialogsBlock("Borrowed least", tuple(lowest)))
    return tuple(blocks)


def _no_weights(reason: str) -> Section:
    reading = "A weight between 0 and 1 says how much of a related example is borrowed."
    return Section("weights", "Weights", reading, (Note(reason),))


def coverage_section(columns: Sequence[tuple[str, dict[str, Any]]], words: Wording) -> Section:
    """What no method can get right, a column per number of primary dialogs.

    Args:
        columns: a heading and the coverage record under it, each.
        words: for the measure.
    """
    article = "An" if words.noun == "action" else "A"
    reading = (
        f"{article} {words.noun} can only be chosen if it is among the candidates, which come from training and "
        "validation dialogs: no method's accuracy can pass the ceiling."
    )
    if words.measure == RANKING:
        reading += f" {RANKING} can, for there the right response is always among those ranked."
    if not any(coverage for _, coverage in columns):
        note = Note("No coverage has been recorded; it is measured when a test set is read.")
        return Section("ceiling", "What limits every method", reading, (note,))
    names = dict.fromkeys(name for _, coverage in columns for name in coverage)
    rows = tuple(
        (
            Cell(_COVERAGE[name][0].format(words.noun) if name in _COVERAGE else name),
            *(_coverage_cell(name, coverage) for _, coverage in columns),
        )
        for name in [
            *(name for name in _COVERAGE if name in names),
            *(n for n in names if n not in _COVERAGE),
        ]
    )
    table = TableBlock(("what limits", *(heading for heading, _ in columns)), rows)
    return Section("ceiling", "What limits every method", reading, (table,))


def _coverage_cell(name: str, coverage: dict[str, Any]) -> Cell:
    value = coverage.get(name)
    if not isinstance(value, int | float):
        return Cell(show.NOTHING if value is None else str(value))
    unit = _COVERAGE.get(name, ("", ""))[1]
    if not unit and float(value).is_integer():
        return Cell(show.whole(value))
    return Cell(show.percent(value) + unit)


def settings_section(texts: Sequence[tuple[str, str]]) -> Section:
    """Configuration as text: a heading and the text under it, each."""
    reading = "Everything that was set, defaults included; the same settings and data give the same run again."
    blocks = tuple(TextBlock(heading, text) for heading, text in texts)
    return Section("settings", "Settings", reading, blocks)


def describe(run: Run) -> str:
    """``learned, 150 primary dialogs, seed 3``."""
    size = "all primary dialogs" if run.size is None else plural(run.size, "primary dialog")
    return f"{run.method}, {size}, seed {run.seed}"
