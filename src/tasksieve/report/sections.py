"""The sections that a run's page and a comparison's page share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from tasksieve.errors import UserError
from tasksieve.report import formatting as show
from tasksieve.report.blocks import Block, Cell, DialogsBlock, Note, Picture, Section, TableBlock, TextBlock
from tasksieve.report.figures import learning_curves, weight_histograms, weights_by_kind
from tasksieve.report.reading import Run, kinds_by_turns, read_weights
from tasksieve.report.snapshots import snapshots_block
from tasksieve.report.style import svg_text
from tasksieve.report.weights import WeightedDialog, extreme_dialogs, named_tasks, of_the_same_examples

_COVERAGE = {
    "candidate_ceiling": ("test turns whose response is a candidate (the ceiling)", " %"),
    "unknown_words": ("words of the test turns that the vocabulary lacks", " %"),
    "unseen_responses": ("responses of the test set that are not among the candidates", ""),
}


def curves_section(runs: Sequence[Run]) -> Section:
    """Validation accuracy over iterations."""
    reading = (
        "How often the right response was chosen on the validation dialogs as training went on; the model "
        "at a run's best point is the one that is kept. The scale does not start at 0."
    )
    if len({(run.method, run.size) for run in runs}) < len(runs):
        reading += " Thin lines are single seeds, a thick line is their mean while all of them train."
    try:
        picture = svg_text(learning_curves(runs), "curves")
    except ValueError:
        note = Note("No validation has been recorded yet (metrics.jsonl is missing or empty).")
        return Section("curves", "Learning curves", reading, (note,))
    label = "Lines of validation accuracy over iterations"
    return Section("curves", "Learning curves", reading, (Picture(picture, label),))


def weight_sections(run: Run | None) -> list[Section]:
    """Histograms, weights by kind, dialogs at both ends; if there are none, one section that says why."""
    if run is None:
        return [_no_weights("No run recorded weights; only weighting methods do, such as learned.")]
    try:
        weights, examples = read_weights(run)
        alike = of_the_same_examples(weights)
        picture = svg_text(weight_histograms(alike, examples), "histograms")
        stages = Picture(picture, "Histograms of weights at stages of training")
        snapshots = snapshots_block(alike, examples, stages)
        kinds = svg_text(weights_by_kind(alike, examples), "kinds")
        named = named_tasks(examples, run.folder.read_config().data.related)
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
            "The related examples counted by their weight at one moment of training: "
            "near 1 an example is borrowed in full, near 0 it is left out.",
            (snapshots, Note(whose)),
        ),
        Section(
            "kinds",
            "What was borrowed, by kind of turn",
            "A line is the mean weight of all related examples whose response is of one kind.",
            (Picture(kinds, "Lines of mean weight over iterations, one per kind of turn"),),
        ),
        Section(
            "dialogs",
            "The related dialogs that helped most and least",
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


def run_kinds_section(test: dict[str, Any] | None) -> Section:
    """Accuracy of one run by kind of turn, with the first 5 and 10 candidates."""
    reading = (
        "The share of test turns whose response is ranked first, or among the first 5 or 10 candidates; "
        "the commonest kinds come first."
    )
    head = ("kind of turn", "turns", "right, %", "in first 5", "in first 10")
    if test is None:
        return Section("accuracy", "Accuracy by kind of turn", reading, (Note(NO_TEST),))
    hits = test.get("hits") or {"1": test.get("accuracy")}
    entries = [("all turns", {"turns": test.get("turns"), "hits": hits}), *kinds_by_turns(test)]
    rows = tuple(_kind_row(kind, entry, strong=place == 0) for place, (kind, entry) in enumerate(entries))
    table = TableBlock(head, rows, groups=frozenset({1}))
    return Section("accuracy", "Accuracy by kind of turn", reading, (table, *_test_notes(test)))


def _test_notes(test: dict[str, Any]) -> list[Note]:
    notes = []
    if not show.missing(test.get("per_dialog_accuracy")):
        share = show.percent(test["per_dialog_accuracy"])
        notes.append(Note(f"In {share} % of the {show.whole(test.get('dialogs'))} test dialogs every turn is right."))
    if test.get("data"):
        notes.append(Note(f"Test data: {test['data']}, SHA-256 {test.get('sha256') or 'not recorded'}."))
    return notes


NO_TEST = "The test set has not been read yet (there is no test.json)."


def _kind_row(kind: str, entry: dict[str, Any], strong: bool) -> tuple[Cell, ...]:
    hits = entry.get("hits") or {}
    numbers = [show.percent(hits.get(rank)) for rank in ("1", "5", "10")]
    return tuple(Cell(text, strong) for text in (kind, show.whole(entry.get("turns")), *numbers))


def coverage_section(columns: Sequence[tuple[str, dict[str, Any]]]) -> Section:
    """What no method can get right, a column per number of primary dialogs.

    Args:
        columns: a heading and the coverage record under it, each.
    """
    reading = (
        "A response can only be chosen if it is among the candidates, which come from training and "
        "validation dialogs: no method can pass the ceiling."
    )
    if not any(coverage for _, coverage in columns):
        note = Note("No coverage has been recorded; it is measured when a test set is read.")
        return Section("ceiling", "What limits every method", reading, (note,))
    names = dict.fromkeys(name for _, coverage in columns for name in coverage)
    rows = tuple(
        (
            Cell(_COVERAGE.get(name, (name, ""))[0]),
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
    size = "all primary dialogs" if run.size is None else show.plural(run.size, "primary dialog")
    return f"{run.method}, {size}, seed {run.seed}"
