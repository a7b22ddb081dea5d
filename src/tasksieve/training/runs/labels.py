"""Which related examples are right, for the oracle: read from a table by example, kind of turn or task."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tasksieve.errors import UserError
from tasksieve.records.tables import read_foreign_table


def read_labels(path: Path, examples: pl.DataFrame) -> pl.Series:
    """Read the labels of all related examples.

    Args:
        path: a Parquet, CSV or JSON-lines table with a column ``label`` (0 or 1) and one of ``example`` (its
            number), ``kind`` (of turn) and ``task`` (the related task's number, from 0). What is left out is wrong.
        examples: ``examples.parquet`` of the run, with these columns.
    Returns: booleans in the order of ``examples``.
    Raises: UserError: if the table is missing, has other columns, has a label that is neither 0 nor 1 (or true and
        false), with its line, or names an unknown example, kind or task.
    """
    table = read_foreign_table(path)
    key = next((name for name in ("example", "kind", "task") if name in table.columns), None)
    if key is None or "label" not in table.columns:
        raise UserError(f"has columns {table.columns}; expected 'label' and 'example', 'kind' or 'task'", path)
    _check(table["label"], path)
    try:
        named = table[key].cast(examples[key].dtype)
        right = named.filter(table["label"].cast(pl.Boolean))
    except pl.exceptions.PolarsError:
        types = f"'{key}' of type {table[key].dtype} and 'label' of type {table['label'].dtype}"
        raise UserError(f"has {types}; expected {examples[key].dtype} and 0 or 1", path) from None
    unknown = set(named.to_list()) - set(examples[key].to_list())
    if unknown:
        raise UserError(f"names unknown {key} {min(unknown, key=repr)!r}; see examples.parquet of a run", path)
    return examples[key].is_in(right.unique().to_list())


_LINE_OF_FIRST = {".csv": 2, ".jsonl": 1}
"""By a file's ending the line that its first row stands in; other tables have rows, counted from 1."""


def _check(labels: pl.Series, path: Path) -> None:
    """Raise UserError if a number is neither 0 nor 1, or a label is left empty."""
    if not labels.dtype.is_numeric() and labels.dtype != pl.Boolean:
        return  # its type is refused as a whole
    wrong = next((row for row, label in enumerate(labels.to_list()) if label not in (0, 1)), None)
    if wrong is not None:
        first = _LINE_OF_FIRST.get(path.suffix)
        where = f"row {wrong + 1}" if first is None else f"line {wrong + first}"
        found = "none" if labels[wrong] is None else repr(labels[wrong])
        raise UserError(f"{where}: found the label {found}; expected 1 for right or 0 for wrong", path)
