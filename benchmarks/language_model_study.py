"""The tables of the study of language models, in docs/language-model-runs.md, from its record.

``results/language-model.json`` is the ``language-model.json`` of ``tasksieve reproduce language-model``.
"""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from tasksieve.records.comparison import paired_interval, signed

ARCHIVES = ("clean", "stale", "noisy")
_BASE, _NLL, _RANKED, _ACTS = "everything", "nll", "R_20@1", "agreement"
_Rows = Mapping[tuple[int, str, str], Mapping[str, Any]]


def study_section(record: Mapping[str, Any]) -> str:
    """A table a size, and the rows' means over archives.

    Args:
        record: a ``language-model.json``.
    """
    rows: _Rows = {(row["size"], row["archive"], row["row"]): row for row in record["rows"]}
    lines = [*textwrap.wrap(_about(record), 118), ""]
    for size in dict.fromkeys(size for size, _, _ in rows):
        lines += [f"**{size} dialogs**", "", *_alone(rows, size), "", *_table(rows, size), ""]
    return "\n".join([*lines, *_means(rows), ""])


def _about(record: Mapping[str, Any]) -> str:
    settings, one, cells = record["settings"], record["rows"][0], record["cells"]
    turns, dialogs = sum(one["seeds"][0]["by_dialog"]["turns"]), len(one["seeds"][0]["by_dialog"]["turns"])
    seeds = max(len(row["seeds"]) for row in record["rows"])
    return (
        f"{settings['model']}, {settings['device']}, {settings['dtype']}, {settings['steps']} steps; "
        f"{one['primary']}, {dialogs} test dialogs, {turns} of their turns ranked; mean of {seeds} seeds, each with "
        "dialogs, spoiled services and batches of its own. Nats: the loss a token; behind it the difference to "
        "`everything` with its 95 % interval over seeds and test dialogs (bootstrap). First: how often the right "
        "response is the likeliest of 20; same action: how often the likeliest one does the same. "
        f"{cells['done']} of {cells['all']} fine-tunings were done."
    )


def _alone(rows: _Rows, size: int) -> list[str]:
    found = [row for (count, archive, _), row in rows.items() if (count, archive) == (size, "alone")]
    told = ", ".join(
        f"`{row['row']}` {row[_NLL]['mean']:.3f} nats, first {row[_RANKED]['mean']:.1f} %, "
        f"same action {row[_ACTS]['mean']:.1f} %"
        for row in found
    )
    return textwrap.wrap(f"Without an archive: {told}.", 118)


def _table(rows: _Rows, size: int) -> list[str]:
    names = list(dict.fromkeys(name for count, archive, name in rows if count == size and archive in ARCHIVES))
    heads = [f"{archive}: {what}" for what in ("nats", "first / same action") for archive in ARCHIVES]
    lines = [f"| row | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for name in names:
        cells = [_nats(rows.get((size, archive, name))) for archive in ARCHIVES]
        cells += [_ranked(rows.get((size, archive, name))) for archive in ARCHIVES]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return lines


def _nats(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    difference = row.get(f"minus_{_BASE}")
    if difference is None:
        return f"{row[_NLL]['mean']:.3f}"
    mean, *ends = (signed(value, 3) for value in (difference[_NLL]["mean"], *difference[_NLL]["ci95_bootstrap"]))
    return f"{row[_NLL]['mean']:.3f} ({mean}, {' to '.join(ends)})"


def _ranked(row: Mapping[str, Any] | None) -> str:
    return "–" if row is None else f"{row[_RANKED]['mean']:.1f} / {row[_ACTS]['mean']:.1f}"


def _means(rows: _Rows) -> list[str]:
    """Each row less `everything`, in the mean over the archives and sizes that it was done in."""
    lines = [
        "In the mean over archives and sizes, less `everything` (95 % interval over seeds, Student):",
        "",
        "| row | sizes | nats a token | same action, points |",
        "|---|---|---|---|",
    ]
    for name in dict.fromkeys(name for _, archive, name in rows if archive in ARCHIVES and name != _BASE):
        cells = [key for key in rows if key[2] == name]
        sizes = " and ".join(str(size) for size in dict.fromkeys(size for size, _, _ in cells))
        nats, acts = (_seedwise(rows, cells, measure) for measure in (_NLL, _ACTS))
        lines.append(f"| `{name}` | {sizes} | {_interval(nats, 3)} | {_interval(acts, 1)} |")
    return lines


def _seedwise(rows: _Rows, cells: Sequence[tuple[int, str, str]], measure: str) -> list[float]:
    """Of each seed the mean difference to `everything`."""
    pairs = [(rows[cell]["seeds"], rows[cell[0], cell[1], _BASE]["seeds"]) for cell in cells]
    return [
        statistics.fmean(one[place][measure] - other[place][measure] for one, other in pairs)
        for place in range(min(len(one) for one, _ in pairs))
    ]


def _interval(points: Sequence[float], digits: int) -> str:
    ends = paired_interval(points)
    mean = signed(statistics.fmean(points), digits)
    return mean if ends is None else f"{mean} ({signed(ends[0], digits)} to {signed(ends[1], digits)})"
