"""Weights of responses from a table, for chat messages."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.learned_weights import LearnedWeights
from tasksieve.errors import UserError
from tasksieve.records.tables import read_foreign_table
from tasksieve.records.weight_meaning import HEADS

_COLUMNS = ("dialog", "turn", "weight")
_LOOKED_AT = 50
"""Dialogs, for which task they are of."""


def read_weights(path: Path, *, task: int = 0, threshold: float | None = None) -> LearnedWeights:
    """Read the weight of each response of one related task.

    Args:
        path: a table as ``tasksieve weights --export`` writes it, with columns ``dialog``, ``turn``, ``weight``, and
            ``task`` if it has several related tasks; of several ``step``, the last is taken; ``heads`` says what they
            mean.
        task: which related task, from 0.
        threshold: weights from here on become 1 and the others 0, for services that know no other.
    Raises: UserError: if the table cannot be read or is not of this form.
    """
    table = read_foreign_table(path)
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        raise UserError(f"has columns {table.columns}; expected {', '.join(_COLUMNS)}", path)
    try:
        if "task" in table.columns:
            table = table.filter(pl.col("task").cast(pl.Int64) == task)
        if "step" in table.columns:
            table = table.filter(pl.col("step") == pl.col("step").max())
        rows = table.select(pl.col("dialog", "turn").cast(pl.Int64), pl.col("weight").cast(pl.Float64)).rows()
    except pl.exceptions.PolarsError:
        types = ", ".join(f"'{name}' of type {kind}" for name, kind in table.schema.items())
        raise UserError(f"has {types}; expected whole numbers, and a number as weight", path) from None
    if any(weight is None or not math.isfinite(weight) for _, _, weight in rows):
        raise UserError("holds a weight that is no number; expected finite ones", path)
    if threshold is not None:
        rows = [(dialog, turn, float(weight >= threshold)) for dialog, turn, weight in rows]
    return LearnedWeights({(dialog, turn): weight for dialog, turn, weight in rows}, _heads(table))


def task_of(path: Path, dialogs: Iterable[Dialog]) -> int | None:
    """Which related task of a table the first dialogs of a file are, told from what their responses say.

    Args:
        path: the table, as :func:`read_weights` takes it.
        dialogs: of the file.
    Returns: its number, from 0, if more than half of the responses in the table are theirs; None if there is none,
        or the table has one task alone or no column ``system``.
    Raises: UserError: if the table cannot be read, or the dialogs.
    """
    table = read_foreign_table(path)
    if not {"task", "dialog", "turn", "system"} <= set(table.columns):
        return None
    try:
        rows = table.select(pl.col("task", "dialog", "turn").cast(pl.Int64), "system").unique().rows()
    except pl.exceptions.PolarsError:
        return None
    if len({task for task, *_ in rows}) < 2:
        return None
    first = list(itertools.islice(dialogs, _LOOKED_AT))
    said = {
        (number, turn): one.system for number, dialog in enumerate(first) for turn, one in enumerate(dialog.turns)
    }
    asked, same = Counter[int](), Counter[int]()
    for task, dialog, turn, system in rows:
        asked[task] += dialog < _LOOKED_AT
        same[task] += dialog < _LOOKED_AT and said.get((dialog, turn)) == system
    best = max(asked, key=lambda task: (same[task] / max(1, asked[task]), same[task], -task))
    return best if 2 * same[best] > asked[best] else None


def _heads(table: pl.DataFrame) -> str | None:
    """By which heads weights were learned; ``own`` if that is so of any."""
    said = set(table[HEADS].to_list()) if HEADS in table.columns else set()
    return next((heads for heads in ("own", "shared") if heads in said), None)
