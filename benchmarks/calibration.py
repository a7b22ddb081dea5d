"""The table of the verdict's calibration in docs/results.md, from the record ``verdict.json``."""

from __future__ import annotations

from typing import Any

from tasksieve.records.counts import plural
from tasksieve.report import formatting as show
from tasksieve.report.verdict import verdict_sentences


def calibration_section(record: dict[str, Any]) -> str:
    """What is true of each planted archive, and what the verdict said of it, as Markdown.

    Args:
        record: ``verdict.json``.
    """
    settings, dialogs = record["settings"], record["settings"]["dialogs"]
    lines = [
        "## Is the verdict right?",
        "",
        "The related archive is planted beside a simulated support desk, so that what borrowing does is known;",
        f"`tasksieve reproduce verdict`. {_draws(record)}, {_seeds(settings)}",
        f"each; {dialogs['train']} dialogs to learn from, the verdict from {dialogs['judging']} test dialogs.",
        f"The truth is the best method's mean difference to `primary` over these draws, on {dialogs['truth']} other",
        "test dialogs a draw (95 % interval over draws); where it is within half a point, or unclear, no verdict",
        "is right or wrong.",
        "",
        "| archive | what it is | draws | truth | points | verdicts | right, % |",
        "|---|---|---:|---|---:|---|---:|",
    ]
    for row in record["calibration"]["archives"]:
        ends = row["interval"]
        gain = show.gain(row["difference"], None if ends is None else (ends[0], ends[1]))
        said = ", ".join(f"{word} {amount:.0f} %" for word, amount in row["said"].items())
        right = show.NOTHING if row["right"] is None else f"{row['right']:.0f}"
        name = row["archive"]
        what = f"{settings['archives'][name]} | {row['draws']}"
        lines.append(f"| {name} | {what} | {row['truth']} | {gain} | {said} | {right} |")
    return "\n".join([*lines, "", *verdict_sentences(record), ""])


def _draws(record: dict[str, Any]) -> str:
    """How many draws of dialogs and archive the numbers are of, and how many were planned if they are fewer."""
    planned = record["settings"]["draws"]
    found = sorted({row["draws"] for row in record["calibration"]["archives"]})
    if found in ([], [planned]):
        return f"{plural(planned, 'draw')} of dialogs and archive"
    some = str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"
    return f"{some} draws of dialogs and of each archive (of {planned} planned)"


def _seeds(settings: dict[str, Any]) -> str:
    most = settings.get("max_seeds") or settings["seeds"]
    first = plural(settings["seeds"], "seed")
    return first if most <= settings["seeds"] else f"{first}, and up to {most} while undecided,"
