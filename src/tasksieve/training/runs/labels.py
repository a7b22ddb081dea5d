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
    Raises: UserError: if the table is missing, has other columns, or names an unknown example, kind or task.
    """
    table = read_foreign_table(path)
    key = next((name for name in ("example", "kind", "task") if name in table.columns), None)
    if key is None or "label" not in table.columns:
        raise UserError(f"has columns {table.columns}; expected 'label' and 'example', 'kind' or 'task'", path)
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
