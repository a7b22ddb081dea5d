"""What a comparison, the board or Table 1 found, as CSV: a row a run, and a row a method with its differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tasksieve.records.comparison import (
    EVERYTHING,
    LEARNED,
    PRIMARY,
    Comparison,
    Difference,
    MeasuredSeed,
    SeedResult,
    difference,
    run_name,
)
from tasksieve.records.files import write_text
from tasksieve.records.run_folder import RunFolder

BOOTSTRAP, STUDENT = "bootstrap over test dialogs and seeds", "Student over paired seeds"
"""What the interval of a difference is of."""


def write_comparison_tables(out: Path, comparison: Comparison) -> None:
    """Write ``comparison.csv``, a row a run, and ``comparison-methods.csv``, a row a method.

    The second one has the means, and for every method, also one of a plug-in, the differences to `primary` and to
    `multitask` with 95 % intervals. No interval is corrected for the number of methods.

    Args:
        out: the comparison folder, with the runs.
        comparison: its record.
    """
    _write(
        out / "comparison.csv", [_run(row.method, row.size, seed) for row in comparison.rows for seed in row.seeds]
    )
    _write(out / "comparison-methods.csv", _methods(out, comparison))


def write_board_tables(out: Path, record: Mapping[str, Any]) -> None:
    """Write ``archive.csv``, a row a run, and ``archive-methods.csv``, a row a method and place.

    Args:
        out: the folder of the board.
        record: ``archive.json``.
    """
    place = ("predict", "archive", "primary", "size", "dialogs", "method")
    runs = [
        {
            **{name: row[name] for name in place},
            "seed": seed["seed"],
            **seed["test"],
            "valid": seed["valid"],
            "seconds": seed["seconds"],
        }
        for row in record["rows"]
        for seed in row["seeds"]
    ]
    _write(out / "archive.csv", runs)
    _write(out / "archive-methods.csv", [_mean_of_tasks(mean) for mean in record["means"]])


def write_table1_tables(out: Path, record: Mapping[str, Any]) -> None:
    """Write ``table1.csv``, a row a run of the table, and ``table1-methods.csv``, a row a method and condition.

    The table itself has the condition ``table``, and the paper's numbers beside its means. Of the other conditions
    the means are written; what the learned weights came to stands in their `learned` rows.

    Args:
        out: the folder of the table.
        record: ``table1.json``.
    """
    runs = [{"method": row["method"], **seed} for row in record["rows"] for seed in row["seeds"]]
    names = {"test_accuracy": "test", "valid_accuracy": "valid"}
    _write(out / "table1.csv", [{names.get(name, name): value for name, value in run.items()} for run in runs])
    data = record["settings"]["config"]["data"]
    own = {**data, "name": "table", "rows": record["rows"], "weights": record["weights"]}
    _write(
        out / "table1-methods.csv",
        [_of_condition(one, row) for one in (own, *record["conditions"]) for row in one["rows"]],
    )


def _of_condition(condition: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        "condition": condition["name"],
        **{name: condition[name] for name in ("corruption", "share", "indicator")},
    }
    told |= {name: row.get(name) for name in ("method", "mean", "sd", "paper_mean", "paper_sd")}
    told["seeds"] = len(row["seeds"])
    weights = condition["weights"] if row["method"] == LEARNED else {}
    return told | {f"weight_{name}": found["mean"] for name, found in weights.items()}


def _run(method: str, size: int, seed: SeedResult) -> dict[str, Any]:
    return {
        "method": method,
        "size": size,
        "seed": seed.seed,
        "test": seed.test_accuracy,
        "valid": seed.valid_accuracy,
        "per_dialog_accuracy": seed.per_dialog_accuracy,
        "iterations": seed.iterations,
        "seconds": seed.seconds,
        **{f"test {name}": value for name, value in seed.measures.items()},
    }


def _methods(out: Path, comparison: Comparison) -> list[dict[str, Any]]:
    rows = []
    for size in dict.fromkeys(row.size for row in comparison.rows):
        here = {row.method: row for row in comparison.rows if row.size == size}
        runs = {name: [_measured(out, name, size, seed) for seed in row.seeds] for name, row in here.items()}
        for name, row in here.items():
            told: dict[str, Any] = {
                "method": name,
                "size": size,
                "seeds": len(row.seeds),
                "measure": comparison.measure,
                "mean": row.mean,
                "sd": row.sd,
            }
            for other in (PRIMARY, EVERYTHING):
                if other != name:
                    told |= _told(other, difference(runs[name], runs.get(other, ()), comparison.measure))
            rows.append(told)
    return rows


def _measured(out: Path, method: str, size: int, seed: SeedResult) -> MeasuredSeed:
    """A run with its dialogs, where its record has them."""
    folder = RunFolder(out / "runs" / run_name(method, size, seed.seed))
    dialogs = folder.read_record("test").get("by_dialog", {}) if folder.has_record("test") else {}
    return MeasuredSeed(**seed.model_dump(), by_dialog=dialogs)


def _told(other: str, found: Difference) -> dict[str, Any]:
    return _ends(f"minus_{other}", found.mean, found.interval) | {
        f"minus_{other}_interval": (BOOTSTRAP if found.dialogs_and_seeds else STUDENT if found.seeds else None),
        f"minus_{other}_seeds_low": found.seeds[0] if found.seeds else None,
        f"minus_{other}_seeds_high": found.seeds[1] if found.seeds else None,
    }


def _ends(name: str, mean: float | None, ends: Sequence[float] | None) -> dict[str, Any]:
    low, high = (None, None) if ends is None else ends
    return {name: mean, f"{name}_low": low, f"{name}_high": high}


def _mean_of_tasks(mean: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: mean[name] for name in ("predict", "archive", "size", "method", "measure", "runs", "mean", "sd")}
    told["primaries"] = len(mean["primaries"])
    for name in ("minus_primary", "minus_multitask", "minus_learned", "minus_simple"):
        told |= _ends(name, mean.get(name), mean["ci95"].get(name))
    return told


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the columns of all of them; what a row lacks is empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    frame = pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], infer_schema_length=None)
    write_text(path, frame.write_csv())
