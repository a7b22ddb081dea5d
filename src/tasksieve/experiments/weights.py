"""The recorded weights of a run's related examples, joined with their texts."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tasksieve.errors import UserError
from tasksieve.records.files import write_whole
from tasksieve.records.run_folder import RunFolder
from tasksieve.records.weight_meaning import HEADS

_WRITERS = {
    ".parquet": pl.DataFrame.write_parquet,
    ".csv": pl.DataFrame.write_csv,
    ".jsonl": pl.DataFrame.write_ndjson,
}


def examples_at(run: Path, step: int | None = None) -> pl.DataFrame:
    """The related examples with texts and weights at a recorded iteration, by default the last.

    Returns: columns example, task, dialog, turn, kind, user, system, (label,) step, weight; and heads, by which the
        run judged them (:mod:`tasksieve.records.weight_meaning`), if it is one on dialogs.
    Raises: UserError: if the run has no recorded weights, or none at that iteration.
    """
    folder = RunFolder(run)
    steps = folder.weight_steps()
    if step is not None and steps and step not in steps:
        raise UserError(f"has no weights at iteration {step}; recorded are {', '.join(map(str, steps))}", run)
    return _joined(folder, folder.read_weights(step if step is not None or not steps else steps[-1]))


def ranked(frame: pl.DataFrame, count: int, *, highest: bool) -> pl.DataFrame:
    """The examples with the highest or lowest weights, ties in order of their numbers."""
    return frame.sort(["weight", "example"], descending=[highest, False]).head(count)


def weights_by_kind(frame: pl.DataFrame) -> pl.DataFrame:
    """Mean weight and number of examples by kind of turn, highest first: columns kind, examples, mean_weight."""
    grouped = frame.group_by("kind").agg(
        pl.len().alias("examples"), pl.col("weight").cast(pl.Float64).mean().alias("mean_weight")
    )
    return grouped.sort(["mean_weight", "kind"], descending=[True, False])


def export_weights(run: Path, out: Path, step: int | None = None, *, all_steps: bool = False) -> int:
    """Write the weights with their texts as a table.

    Args:
        run: the run folder.
        out: its ending chooses the format: .parquet, .csv or .jsonl.
        step: the iteration; by default the last.
        all_steps: every recorded iteration instead.
    Returns: the number of rows.
    Raises: UserError: if the ending is another, or nothing was recorded.
    """
    check_table_ending(out)
    folder = RunFolder(run)
    frame = _joined(folder, folder.read_weights()) if all_steps else examples_at(run, step)
    write_any_table(out, frame)
    return len(frame)


def check_table_ending(out: Path) -> None:
    """Raise UserError if no table can be written to a file of this name."""
    if out.suffix not in _WRITERS:
        raise UserError(f"ends in '{out.suffix}'; expected .parquet, .csv or .jsonl", out)


def write_any_table(out: Path, frame: pl.DataFrame) -> None:
    """Write a table whole, in the format that the file's ending says."""
    write_whole(out, lambda part: _WRITERS[out.suffix](frame, part))  # type: ignore[operator]


def _joined(folder: RunFolder, weights: pl.DataFrame) -> pl.DataFrame:
    joined = weights.join(folder.read_examples(), on="example", how="left", suffix="_of_example")
    if "system" in joined.columns:
        joined = joined.with_columns(pl.lit(folder.read_config().training.heads).alias(HEADS))
    columns = ("example", "task", "dialog", "turn", "kind", "user", "system", "label", "step", "weight", HEADS)
    return joined.select([name for name in columns if name in joined.columns])
