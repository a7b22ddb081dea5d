"""Rows of Table 2: what a comparison found, with accuracy by kind of turn, beside the paper's numbers."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasksieve.records.comparison import Comparison, ComparisonRow, SeedResult, comparison_row, run_name
from tasksieve.records.run_folder import RunFolder

PAPER = {
    "primary": {50: (54.7, 1.3), 100: (59.3, 0.5), 150: (61.1, 0.5)},
    "pretrain": {50: (32.8, 3.5), 100: (42.1, 4.7), 150: (47.8, 0.8)},
    "joint": {50: (37.1, 4.1), 100: (50.9, 1.7), 150: (58.6, 0.7)},
    "multitask": {50: (51.2, 2.4), 100: (58.2, 1.2), 150: (60.6, 0.7)},
    "learned": {50: (57.7, 1.6), 100: (64.6, 0.8), 150: (67.1, 0.6)},
    "random-fixed": {50: (50.7, 2.0), 100: (58.7, 0.8), 150: (61.2, 1.0)},
    "random-changing": {50: (52.3, 0.9), 100: (58.7, 1.0), 150: (59.8, 0.8)},
}
"""Test accuracy of Table 2 in per cent by method and number of primary dialogs: mean and sd of five runs."""


def table2_rows(
    comparison: Comparison, folder: Path, primary: Mapping[int, Sequence[SeedResult]], settings: str = ""
) -> list[dict[str, Any]]:
    """A comparison's rows as the table has them.

    Args:
        comparison: what was found.
        folder: of the comparison.
        primary: the baseline's runs by size, with which differences are paired by seed.
        settings: what these rows have other than the table's settings, if anything.
    """
    return [
        {
            **comparison_row(row.method, row.size, row.seeds, primary.get(row.size, ())).model_dump(mode="json"),
            **_paper(row),
            "settings": settings,
            "by_kind": _by_kind(row, folder),
        }
        for row in comparison.rows
    ]


def _paper(row: ComparisonRow) -> dict[str, float | None]:
    mean, sd = PAPER.get(row.method, {}).get(row.size, (None, None))
    return {"paper_mean": mean, "paper_sd": sd}


def _by_kind(row: ComparisonRow, folder: Path) -> dict[str, dict[str, float]]:
    """By kind of test turn how many there are, and the mean accuracy over seeds."""
    found: dict[str, list[float]] = {}
    turns: dict[str, int] = {}
    for seed in row.seeds:
        run = RunFolder(folder / "runs" / run_name(row.method, row.size, seed.seed))
        for kind, entry in run.read_record("test", "by_kind")["by_kind"].items():
            found.setdefault(kind, []).append(entry["hits"]["1"])
            turns[kind] = entry["turns"]
    return {kind: {"turns": turns[kind], "accuracy": statistics.fmean(values)} for kind, values in found.items()}
