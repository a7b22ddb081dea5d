"""A run's examples and weights, read when first asked for and again when a running training has recorded more."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import polars as pl

from tasksieve.errors import UserError
from tasksieve.records.run_folder import RunFolder
from tasksieve.serve.examples import Examples, Numbers

_TEXTS = ("user", "system")
NO_KIND = "(no kind)"
_NUMBERS = ("example", "task", "dialog", "turn")


class Recorded:
    """What a run folder holds of related examples, kept in memory.

    Args:
        run: the run folder.
    """

    def __init__(self, run: Path) -> None:
        self._folder = RunFolder(run)
        self._lock = threading.Lock()
        self._known: Examples | None = None

    def examples(self) -> Examples:
        """The examples with all weights recorded so far.

        Raises: UserError: if the run has no related examples, or recorded no weights.
        """
        steps = tuple(self._folder.weight_steps())
        known = self._known
        if known is not None and known.steps == steps:
            return known
        if not steps:
            raise UserError("this run recorded no weights; only weighting methods do, e.g. `learned`")
        with self._lock:
            if self._known is None or self._known.steps != steps:
                self._known = self._read(steps, self._known)
            return self._known

    def _read(self, steps: tuple[int, ...], known: Examples | None) -> Examples:
        frame = _plain(self._folder.read_examples()) if known is None else known.frame
        old = {} if known is None else dict(zip(known.steps, known.weights, strict=True))
        places = frame["example"].to_numpy()
        rows = [old[step] if step in old else self._row(step, places) for step in steps]
        heads = self._folder.read_config().training.heads if known is None else known.heads
        return Examples(frame, steps, np.stack(rows), heads, self._services(frame))

    def _services(self, frame: pl.DataFrame) -> tuple[str, ...]:
        found = self._folder.read_record("result").get("services") if self._folder.has_record("result") else None
        names, numbers = list(map(str, found)) if isinstance(found, list) else [], frame["task"].unique().to_list()
        return (*names, *(f"Task {number}" for number in range(len(names), 1 + max(numbers))))

    def _row(self, step: int, places: Numbers) -> Numbers:
        recorded = self._folder.read_weights(step)
        numbers, values = recorded["example"].to_numpy(), recorded["weight"].cast(pl.Float32).to_numpy()
        row = np.full(len(places), np.nan, dtype=np.float32)
        found = np.searchsorted(places, numbers)
        inside = found < len(places)
        inside[inside] = places[found[inside]] == numbers[inside]
        row[found[inside]] = values[inside]
        return row


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that pages show, in the order of the examples' numbers; what is missing becomes empty or 0."""
    missing: list[pl.Expr] = [pl.lit("").alias(name) for name in _TEXTS if name not in frame.columns]
    missing += [pl.lit(NO_KIND).alias("kind")] if "kind" not in frame.columns else []
    missing += [pl.lit(0).alias(name) for name in _NUMBERS if name not in frame.columns]
    whole = frame.with_columns(missing).with_columns(
        pl.col("kind").cast(pl.String).fill_null(NO_KIND),
        pl.col(_TEXTS).cast(pl.String).fill_null(""),
        pl.col(_NUMBERS).cast(pl.Int64).fill_null(0),
    )
    return whole.select(*_NUMBERS, "kind", *_TEXTS).sort("example")
