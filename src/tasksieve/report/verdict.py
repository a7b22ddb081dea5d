"""The verdict's calibration for a terminal: what is true of each archive, and what was said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from tasksieve.records.counts import plural
from tasksieve.report import formatting as show
from tasksieve.report.terminal import plain_table


def verdict_table(record: Mapping[str, Any]) -> Table:
    """A row for every archive; fits 80 columns.

    Args:
        record: ``verdict.json``.
    """
    table = plain_table()
    for heading in ("archive", "in truth", "verdicts"):
        table.add_column(heading)
    table.add_column("right, %", justify="right", no_wrap=True)
    for row in record["calibration"]["archives"]:
        ends = row["interval"]
        gain = show.gain(row["difference"], None if ends is None else (ends[0], ends[1]))
        said = ", ".join(f"{word} {amount:.0f} %" for word, amount in row["said"].items())
        right = show.NOTHING if row["right"] is None else f"{row['right']:.0f}"
        table.add_row(Text(row["archive"]), Text(f"{row['truth']}\n{gain}"), Text(said), Text(right, style="bold"))
    return table


def verdict_sentences(record: Mapping[str, Any]) -> list[str]:
    """How often verdicts are right over all archives, and what is missing."""
    found, sentences = record["calibration"], []
    if found["right"] is not None:
        sentences.append(
            f"Right in {found['right']:.0f} %{_at_first(record)}, the opposite of right in {found['wrong']:.0f} %."
        )
    if found["borrow_where_harmful"] is not None:
        sentences.append(f'"Borrow" in {found["borrow_where_harmful"]:.0f} % where the archive harms.')
    done, every = record["runs"]["done"], record["runs"]["all"]
    if done < every:
        sentences.append(f"{done:,} of {every:,} runs have ended; draws without all of theirs are left out.")
    if record["failed"]:
        names = ", ".join(failed["name"] for failed in record["failed"])
        sentences.append(f"Left out, as training diverged: {names}.")
    return sentences


def _at_first(record: Mapping[str, Any]) -> str:
    """How often the verdicts are right before any seed is added, where seeds may be."""
    settings = record["settings"]
    if (settings.get("max_seeds") or 0) <= settings["seeds"]:
        return ""
    return f" ({record['calibration']['right_at_first']:.0f} % with {plural(settings['seeds'], 'seed')} alone)"
