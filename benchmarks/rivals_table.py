"""The table of rivals, in docs/rivals.md, from a record of ``tasksieve reproduce archive --methods …,rivals``."""

from __future__ import annotations

import statistics
import textwrap
from typing import Any

from tasksieve.report import formatting as show
from tasksieve.report.archive import difference

_MEASURED_BY = "multitask"
"""What costs are compared with."""


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
        lines += [title, "", *_table(here, base, means), ""]
    return "\n".join(lines)


def _place(mean: dict[str, Any]) -> tuple[str, str, int]:
    return mean["predict"], mean["archive"], mean["size"]


def _about(record: dict[str, Any], means: list[dict[str, Any]]) -> list[str]:
    tasks = show.plural(max(len(mean["primaries"]) for mean in means), "primary task")
    measures = " and ".join(dict.fromkeys(mean["measure"] for mean in means))
    text = (
        f"{measures} in per cent, mean of {tasks} of the board, ± sd of "
        f"{show.plural(record['settings']['seeds'], 'seed')}. Differences are points, paired by primary task and "
        "seed, with 95 % interval (Student, primary tasks as strata). Cost is the training's time; that of "
        f"`{_MEASURED_BY}` is 1. All have the settings above; none was tuned on these tasks."
    )
    return textwrap.wrap(text, 118)


def _table(here: list[dict[str, Any]], base: float, means: list[dict[str, Any]]) -> list[str]:
    lines = ["| method | mean | against `multitask` | against `learned` | cost |", "|---|---|---|---|---|"]
    for mean in sorted(here, key=lambda one: -one["mean"]):
        cost = f"{_seconds(means, mean['method']) / base:.1f}"
        reached = show.mean_sd(mean["mean"], mean["sd"])
        against = " | ".join(difference(mean, name) for name in ("minus_multitask", "minus_learned"))
        lines.append(f"| `{mean['method']}` | {reached} | {against} | {cost} |")
    return lines


def _seconds(means: list[dict[str, Any]], method: str) -> float:
    return statistics.fmean(mean["seconds"] for mean in means if mean["method"] == method)
