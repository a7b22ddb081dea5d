"""Table 2 for a terminal, and its figures: 2, 6 and 7 of the paper, and what was borrowed by kind of turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from tasksieve.report import formatting as show
from tasksieve.report.figures import save_figure, weights_by_kind
from tasksieve.report.paper_figures import write_weight_figures
from tasksieve.report.reading import read_comparison, read_runs, read_weights, run_to_show
from tasksieve.report.terminal import plain_table
from tasksieve.report.weights import of_the_same_examples

INTERVALS = (
    "Intervals of the table: Student over paired seeds. Those below it: bootstrap over test dialogs and seeds."
)
"""What the intervals of table and verdict are of, as they are not of the same."""
_NAMED = {"as-in-the-paper": "our model, no screening, paper's rates"}


def table2_table(table: dict[str, Any]) -> Table:
    """The paper's Table 2 beside its numbers, a rule between sizes; fits 80 columns.

    Args:
        table: the record ``table2.json``.
    """
    shown = plain_table()
    shown.add_column("method")
    for heading in ("size", "test, %", "paper, %", "against primary\n(95 % interval)"):
        shown.add_column(heading, justify="right", no_wrap=True)
    rows = sorted(table["rows"], key=lambda row: row["size"])
    for place, row in enumerate(rows):
        if place and row["size"] != rows[place - 1]["size"]:
            shown.add_section()
        paper = show.NOTHING if row["paper_mean"] is None else show.mean_sd(row["paper_mean"], row["paper_sd"])
        ours = Text(show.mean_sd(row["mean"], row["sd"]), style="bold")
        shown.add_row(_name(row), str(row["size"]), ours, paper, _against_primary(row))
    return shown


def _name(row: dict[str, Any]) -> str:
    settings = row["settings"]
    return f"{row['method']} ({_NAMED.get(settings, settings.replace('-', ' '))})" if settings else str(row["method"])


def _against_primary(row: dict[str, Any]) -> str:
    if row["method"] == "primary" or row["minus_primary"] is None:
        return show.NOTHING
    return show.gain(row["minus_primary"], row["ci95"])


def write_table2_figures(folder: Path) -> list[Path]:
    """Write the figures of the learned run that stands for the table as PNG and SVG: ``figure-2`` (histograms),
    ``figure-6`` and ``figure-7`` (each example's weight beside the histogram, early and late), ``weights-by-kind``.

    Args:
        folder: of the comparison.
    Returns: the PNG files; none if no run recorded weights.
    """
    comparison = read_comparison(folder)
    runs, _ = read_runs(folder, list(dict.fromkeys(row.method for row in comparison.rows)))
    shown = run_to_show([run for run in runs if run.method == "learned"])
    if shown is None:
        return []
    weights, examples = read_weights(shown)
    weights = of_the_same_examples(weights)
    paper = write_weight_figures(folder, weights, examples, (2, 6, 7))
    return [*paper, save_figure(weights_by_kind(weights, examples), folder / "weights-by-kind")[0]]
