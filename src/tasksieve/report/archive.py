"""The board for a terminal: means over primary tasks, and in sentences what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from tasksieve.report import formatting as show
from tasksieve.report.terminal import plain_table

_PART = ("predict", "archive", "size")


def archive_table(record: Mapping[str, Any]) -> Table:
    """The means over primary tasks, a rule between archives and between sizes; fits 80 columns.

    Args:
        record: ``archive.json``.
    """
    table = plain_table()
    table.add_column("method")
    for heading in ("size", "test, %", "against the best\nsimple method", "against primary\n(95 % interval)"):
        table.add_column(heading, justify="right", no_wrap=True)
    part: tuple[Any, ...] | None = None
    for row in record["means"]:
        if (here := tuple(row[name] for name in _PART)) != part:
            if part is not None:
                table.add_section()
            if part is None or here[:2] != part[:2]:
                table.add_row(Text(f"{row['predict']}, {row['archive']}: {row['measure']}", style="italic"))
            part = here
        table.add_row(
            Text(row["method"]),
            str(row["size"]),
            Text(show.mean_sd(row["mean"], row["sd"]), style="bold"),
            difference(row, "minus_simple"),
            show.NOTHING if row["method"] == "primary" else difference(row, "minus_primary"),
        )
    return table


def difference(row: Mapping[str, Any], name: str) -> str:
    """A difference of a row or mean with its interval over tasks; of a method to itself it has no width."""
    ends = row["ci95"].get(name)
    if ends is None:
        return show.signed(row[name])
    return f"{show.signed(row[name])} ({show.signed(ends[0])} to {show.signed(ends[1])})"


def board_sentences(record: Mapping[str, Any]) -> list[str]:
    """How many primary tasks and seeds the means are of, and what is missing from them."""
    sentences = []
    if record["means"]:
        tasks = {len(row["primaries"]) for row in record["means"]}
        seeds = record["settings"]["seeds"]
        number = f"{min(tasks)} to {max(tasks)}" if len(tasks) > 1 else f"{max(tasks)}"
        sentences.append(
            f"Means over {number} primary tasks and {seeds} seeds. A task with too few dialogs for a size takes all."
        )
    if any(ends for row in record["means"] for ends in row["ci95"].values()):
        sentences.append(
            "Intervals are for these tasks alone: only seeds vary (Student, tasks as strata; Welch's degrees of "
            "freedom). They are not corrected for the number of methods."
        )
    done, every = record["runs"]["done"], record["runs"]["all"]
    if done < every:
        sentences.append(f"{done:,} of {every:,} runs are in it.")
    if record["failed"]:
        names = ", ".join(failed["name"] for failed in record["failed"])
        sentences.append(f"Left out, as training diverged: {names}.")
    return sentences
