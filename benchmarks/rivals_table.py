"""The table of rivals, in docs/rivals.md, from a record of ``tasksieve reproduce archive --methods …,rivals``."""

from __future__ import annotations

import statistics
import textwrap
from typing import Any

from tasksieve.records.counts import plural
from tasksieve.report import formatting as show
from tasksieve.report.archive import difference

_MEASURED_BY, _OURS = "multitask", "learned"
"""What costs are compared with, and what results are."""


def rivals_section(record: dict[str, Any]) -> str:
    """Each method's result in every archive, what it has more than `learned` and `multitask`, and its cost.

    Args:
        record: an ``archive.json``.
    """
    means = record["means"]
    base = _seconds(means, _MEASURED_BY)
    lines = [*_about(record, means), ""]
    for part in dict.fromkeys(map(_place, means)):
        predict, archive, size = part
        here = [mean for mean in means if _place(mean) == part]
        title = f"**{predict.capitalize()}, {archive} archive, {size} dialogs**"
        rows = [row for row in record["rows"] if _place(row) == part]
        lines += [title, "", *_table(here, rows, base, means), ""]
    return "\n".join(lines)


def _place(mean: dict[str, Any]) -> tuple[str, str, int]:
    return mean["predict"], mean["archive"], mean["size"]


def _about(record: dict[str, Any], means: list[dict[str, Any]]) -> list[str]:
    tasks = plural(max(len(mean["primaries"]) for mean in means), "primary task")
    measures = " and ".join(dict.fromkeys(mean["measure"] for mean in means))
    text = (
        f"{measures} in per cent, mean of {tasks} of the board, {_spread(record, means)}. "
        f"Cost is the training's time; that of `{_MEASURED_BY}` is 1. Rivals have the settings above; those of "
        f"`{_OURS}` were found on other services, and nothing was tuned on these."
    )
    return textwrap.wrap(text, 118)


def _spread(record: dict[str, Any], means: list[dict[str, Any]]) -> str:
    """Of how many seeds the numbers are, and what their intervals are of, where there are any."""
    seeds = record["settings"]["seeds"]
    told = "one seed" if seeds == 1 else f"± sd of {seeds} seeds"
    pairs = "Differences are points, paired by primary task and seed"
    if not any(ends for mean in means for ends in mean["ci95"].values()):
        return f"{told}. {pairs}; one seed has no interval"
    interval = "a 95 % interval for these tasks alone: only seeds vary in it"
    kind = "Student, primary tasks as strata; Welch's degrees of freedom; not corrected for the number of methods"
    return f"{told}. {pairs}, with {interval} ({kind})"


def _table(
    here: list[dict[str, Any]], rows: list[dict[str, Any]], base: float, means: list[dict[str, Any]]
) -> list[str]:
    heads = ("method", "mean", "against `multitask`", "against `learned`", "tasks below it", "cost")
    lines = [f"| {' | '.join(heads)} |", "|---|---|---|---|---|---|"]
    for mean in sorted(here, key=lambda one: -one["mean"]):
        cost = f"{_seconds(means, mean['method']) / base:.1f}"
        reached = show.mean_sd(mean["mean"], mean["sd"])
        against = " | ".join(difference(mean, name) for name in ("minus_multitask", "minus_learned"))
        lines.append(f"| `{mean['method']}` | {reached} | {against} | {_below(mean['method'], rows)} | {cost} |")
    return lines


def _below(method: str, rows: list[dict[str, Any]]) -> str:
    """In how many tasks a method is below `learned`."""
    reached = {
        name: {row["primary"]: row["mean"] for row in rows if row["method"] == name} for name in (method, _OURS)
    }
    both = reached[method].keys() & reached[_OURS].keys()
    if method == _OURS or not both:
        return show.NOTHING
    return f"{sum(reached[method][task] < reached[_OURS][task] for task in both)} of {len(both)}"


def _seconds(means: list[dict[str, Any]], method: str) -> float:
    return statistics.fmean(mean["seconds"] for mean in means if mean["method"] == method)
