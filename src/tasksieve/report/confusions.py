"""What was taken for what: confusions of runs, from their predictions at every test turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tasksieve.records.comparison import Comparison
from tasksieve.records.tables import read_table
from tasksieve.report import formatting as show
from tasksieve.report.reading import Run

PREDICTIONS = "predictions.parquet"
_SCHEMA = {"kind": pl.String, "user": pl.String, "right": pl.String, "predicted": pl.String, "hit": pl.Boolean}


@dataclass(frozen=True, slots=True)
class Confusion:
    """A right response or action and what was predicted instead.

    Attributes:
        turns: in how many turns of a run, mean over seeds, by method.
        user: what the user said at one such turn.
    """

    right: str
    predicted: str
    turns: tuple[float, ...]
    user: str


@dataclass(frozen=True, slots=True)
class Mistaken:
    """Turns of one kind.

    Attributes:
        turns: how many the test dialogs have.
        instead: what each method predicted most often instead, and in how many turns of a run, mean over seeds;
            None where nothing was wrong.
    """

    kind: str
    turns: float
    instead: tuple[tuple[str, float] | None, ...]


def best_borrower(comparison: Comparison) -> str | None:
    """The borrowing method that validation chooses at the largest size, as the verdict does; None without any."""
    size = max((row.size for row in comparison.rows), default=0)
    rows = [row for row in comparison.rows if row.size == size and row.method != "primary" and not row.simple]
    rows = [row for row in rows if row.method != "oracle"] or rows
    return max(rows, key=lambda row: show.mean_valid(row.seeds) or 0.0).method if rows else None


def predictions_of(runs: Sequence[Run]) -> pl.DataFrame | None:
    """All predictions of runs on the same test dialogs, with a column ``run``; None if none were recorded.

    Raises: UserError: if a file cannot be read.
    """
    frames = []
    for number, run in enumerate(runs):
        file = run.folder.path / PREDICTIONS
        if file.exists():
            frame = read_table(file, _SCHEMA)
            frames.append(frame.select(*_SCHEMA).with_columns(run=pl.lit(number)))
    return pl.concat(frames) if frames else None


def confusions(found: Mapping[str, pl.DataFrame], most: int = 12) -> list[Confusion]:
    """The most frequent confusions of any of some methods.

    Args:
        found: predictions by method.
        most: so many at most.
    """
    counts = [_counted(frame, number) for number, frame in enumerate(found.values())]
    joined = counts[0]
    for number, one in enumerate(counts[1:], 1):
        joined = joined.join(one, on=["right", "predicted"], how="full", coalesce=True, suffix=f"_{number}")
    turns = [f"turns_{number}" for number in range(len(counts))]
    said = [column for column in joined.columns if column.startswith("user")]
    ranked = joined.with_columns(pl.col(turns).fill_null(0.0)).sort(
        [pl.max_horizontal(turns), pl.sum_horizontal(turns), "right", "predicted"],
        descending=[True, True, False, False],
    )
    return [
        Confusion(
            row["right"],
            row["predicted"],
            tuple(row[name] for name in turns),
            next((row[name] for name in said if row[name] is not None), ""),
        )
        for row in ranked.head(most).iter_rows(named=True)
    ]


def _counted(frame: pl.DataFrame, number: int) -> pl.DataFrame:
    """How often each confusion occurs in a run of a method, with the first user's words."""
    runs = frame["run"].n_unique()
    wrong = frame.filter(~pl.col("hit")).with_columns(pl.col("user", "right", "predicted").fill_null(""))
    return wrong.group_by("right", "predicted", maintain_order=True).agg(
        (pl.len() / runs).alias(f"turns_{number}"), pl.col("user").first().alias(f"user_{number}")
    )


def mistaken(found: Mapping[str, pl.DataFrame], kinds: Sequence[str]) -> list[Mistaken]:
    """What was predicted instead, by kind of turn.

    Args:
        found: predictions by method.
        kinds: to look at, in order.
    """
    rows = []
    for kind in kinds:
        parts = [(frame.filter(pl.col("kind") == kind), frame["run"].n_unique()) for frame in found.values()]
        turns = max(len(part) / runs for part, runs in parts)
        rows.append(Mistaken(kind, turns, tuple(_instead(part, runs) for part, runs in parts)))
    return rows


def _instead(part: pl.DataFrame, runs: int) -> tuple[str, float] | None:
    wrong = part.filter(~pl.col("hit")).select(pl.col("predicted").fill_null(""))
    counted = wrong.group_by("predicted").len().sort(["len", "predicted"], descending=[True, False])
    return None if counted.is_empty() else (counted["predicted"][0], counted["len"][0] / runs)
