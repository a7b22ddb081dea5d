"""The record of the study of language models: means over seeds, and differences with intervals."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasksieve.experiments.language_study.measures import AMONG
from tasksieve.experiments.language_study.rows import ROWS, Cell
from tasksieve.records.comparison import mean_sd, paired_interval

ALONE = "alone"
"""Stands for the archive of rows that read none."""
MEASURES = ("nll", f"R_{AMONG}@1", "agreement")
AGAINST = ("primary", "everything", "random-half")
"""Rows that the others' differences are to."""
_COUNTS = {
    "nll": ("nll", "tokens", 1.0),
    f"R_{AMONG}@1": ("right", "turns", 100.0),
    "agreement": ("agree", "turns", 100.0),
}
_DRAWS = 2000
Found = Mapping[Cell, Mapping[str, Any]]


def record_of(found: Found, cells: int) -> tuple[dict[str, Any], str]:
    """The record, and the same as JSON with a line a row.

    Args:
        found: what was measured, by cell.
        cells: how many there are to be.
    """
    groups: dict[tuple[str, int, str, str], dict[int, Mapping[str, Any]]] = {}
    for cell, measured in found.items():
        groups.setdefault((cell.primary, cell.size, cell.archive, cell.row), {})[cell.seed] = measured
    rows = [_row(groups, *key) for key in groups]
    settings = next(iter(found.values()))["settings"] if found else {}
    record = {
        "rows": rows,
        "cells": {"done": len(found), "all": cells},
        "settings": {**settings, "what": {name: row.what for name, row in ROWS.items()}},
    }
    return record, _in_lines(record)


def _row(
    groups: Mapping[tuple[str, int, str, str], Mapping[int, Mapping[str, Any]]],
    primary: str,
    size: int,
    archive: str,
    name: str,
) -> dict[str, Any]:
    seeds = groups[primary, size, archive, name]
    row: dict[str, Any] = {"primary": primary, "size": size, "archive": archive, "row": name}
    for measure in MEASURES:
        mean, sd = mean_sd([one[measure] for one in seeds.values()])
        row[measure] = {"mean": mean, "sd": sd}
    row["tokens"] = {
        kind: round(statistics.fmean(one["tokens"][kind] for one in seeds.values()))
        for kind in ("read", "learned", "for_weights")
    }
    for other in AGAINST:
        theirs = groups.get((primary, size, archive if ROWS[other].borrows else ALONE, other), {})
        shared = sorted(set(seeds) & set(theirs))
        if shared and other != name:
            row[f"minus_{other}"] = {
                measure: _difference([(seeds[seed], theirs[seed]) for seed in shared], measure)
                for measure in MEASURES
            }
    row["seeds"] = [
        {"seed": seed, **{key: value for key, value in one.items() if key not in ("settings", "curve")}}
        for seed, one in sorted(seeds.items())
    ]
    return row


def _difference(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], measure: str) -> dict[str, Any]:
    points = [one[measure] - other[measure] for one, other in pairs]
    interval = paired_interval(points)
    return {
        "mean": round(statistics.fmean(points), 5),
        "ci95": None if interval is None else [round(end, 5) for end in interval],
        "ci95_bootstrap": _bootstrap(pairs, measure),
    }


def _bootstrap(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], measure: str) -> list[float] | None:
    """95 % interval by drawing test dialogs and seeds anew, the same for both rows."""
    name, per, scale = _COUNTS[measure]
    counts = np.array(pairs[0][0]["by_dialog"][per], dtype=float)
    if not counts.sum():
        return None
    gains = np.array([np.subtract(a["by_dialog"][name], b["by_dialog"][name]) for a, b in pairs], dtype=float)
    random = np.random.default_rng(0)
    dialogs = random.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), _DRAWS)
    seeds = random.multinomial(len(gains), np.full(len(gains), 1 / len(gains)), _DRAWS) / len(gains)
    drawn = scale * ((dialogs @ gains.T) * seeds).sum(axis=1) / np.maximum(dialogs @ counts, 1)
    return [round(float(end), 5) for end in np.quantile(drawn, (0.025, 0.975))]


def _in_lines(record: Mapping[str, Any]) -> str:
    rows = ",\n    ".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in record["rows"])
    rest = ",\n  ".join(
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for key, value in record.items()
        if key != "rows"
    )
    return f'{{\n  "rows": [\n    {rows}\n  ],\n  {rest}\n}}\n'
