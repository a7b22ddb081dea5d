"""What `reproduce --as-published` found, for the README and docs/results.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasksieve.experiments.published.as_published import METHODS
from tasksieve.records.counts import plural
from tasksieve.report import formatting as show

READINGS = {"hop-adds": "u + Ho", "hop-replaces": "Hu + o"}
"""How the readings of the hop are told."""


def as_published_rows(record: Mapping[str, Any] | None, named: Mapping[str, str], sizes: Sequence[int]) -> list[str]:
    """Rows of the README's table, of some methods in both readings; none without a record.

    Args:
        record: ``table2.json``.
        named: what each method is called.
        sizes: the columns.
    """
    rows = []
    for method, name in named.items():
        for reading, formula in READINGS.items():
            found = _by_size(record, method, reading)
            if found:
                cells = " | ".join(_cell(found.get(size)) for size in sizes)
                rows.append(f"| {name}: all as published, {formula} | {cells} |")
    return rows


def restaurant_as_published(table2: Mapping[str, Any] | None) -> str:
    """Table 2 with everything as the paper says it, beside its numbers; empty without a record."""
    if table2 is None:
        return ""
    sizes = sorted({row["size"] for row in table2["rows"]})
    lines = [
        "### Restaurants as published",
        "",
        "`tasksieve reproduce restaurant --as-published`: d = 20 and Adam with 1e-3 in both networks, whole",
        "responses, all facts as memories, K = 5, ten meta-updates an iteration, no screening. The paper leaves open",
        "how the hop's matrix is used, so both readings are here ([which is which](deviations.md#which-hop-matrix)).",
        "A run ends after 25 validations without a better one; the paper's took 4,000 epochs",
        "([what else stays different](deviations.md#as-published)).",
        f"Mean ± sd of {_seeds(table2)} seeds.",
        "",
    ]
    for reading, formula in READINGS.items():
        if not any(row["settings"] == reading for row in table2["rows"]):
            continue
        heads = " | ".join(f"{size} dialogs | paper" for size in sizes)
        lines += [f"| method, {formula} | {heads} |", f"|---|{'---|---|' * len(sizes)}"]
        for method in METHODS:
            found = _by_size(table2, method, reading)
            if found:
                cells = (f"{_cell(found.get(size))} | {_paper(found.get(size))}" for size in sizes)
                lines.append(f"| `{method}` | {' | '.join(cells)} |")
        lines += [""]
    return "\n".join(lines)


def digits_as_published(table1: Mapping[str, Any] | None) -> str:
    """Table 1 with everything as the paper says it, beside its numbers; empty without a record."""
    if table1 is None:
        return ""
    seeds = plural(min(len(row["seeds"]) for row in table1["rows"]), "seed")
    lines = [
        "### Digits as published",
        "",
        "`tasksieve reproduce mnist --as-published`: K = 1, one meta-update an iteration, Adam with 1e-3 in all",
        "updates, images as they are. Per cent of the test images that the model of the best validation classifies",
        f"rightly, mean ± sd of {seeds} ([what else is ours](deviations.md#as-published)).",
        "",
        "| weighting | test | paper |",
        "|---|---|---|",
        *(f"| `{row['method']}` | {_cell(row)} | {_paper(row)} |" for row in table1["rows"]),
        "",
    ]
    return "\n".join(lines)


def _by_size(record: Mapping[str, Any] | None, method: str, reading: str) -> dict[int, Mapping[str, Any]]:
    rows = [] if record is None else record["rows"]
    return {row["size"]: row for row in rows if (row["method"], row["settings"]) == (method, reading)}


def _cell(row: Mapping[str, Any] | None) -> str:
    return "–" if row is None else show.mean_sd(row["mean"], row["sd"])


def _paper(row: Mapping[str, Any] | None) -> str:
    return "–" if row is None or row["paper_mean"] is None else show.mean_sd(row["paper_mean"], row["paper_sd"])


def _seeds(record: Mapping[str, Any]) -> str:
    counts = sorted({len(row["seeds"]) for row in record["rows"]})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
