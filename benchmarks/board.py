"""The tables of the board, in the README and in docs/results.md, from the record ``archive.json``."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from tasksieve.experiments.archive_rows import SIMPLE
from tasksieve.report import formatting as show
from tasksieve.report.archive import difference

_SHORT = ("primary", "multitask", "learned", "oracle")
"""Methods of the README's table, beside the best of the simple ones."""
_ORDER = {archive: number for number, archive in enumerate(("noisy", "stale", "clean"))}
"""Of archives, from left to right."""
_HEADING = (
    "A service is new and has few dialogs; all other services of the Schema-Guided dialogs are there to borrow from.",
    "[How it is made](experiments.md#the-board); `tasksieve reproduce archive`.",
    "",
)


def boards_of(records: Sequence[dict[str, Any]], *, whole: bool, title: str) -> str:
    """Boards as Markdown, one after the other.

    Args:
        records: of ``archive.json``.
        whole: whether to show all methods with their differences and every primary task, or what matters most.
        title: of the section, where it is whole.
    """
    heading = [f"## {title}", "", *_HEADING] if whole else []
    parts = [line for record in records for line in _board(record, whole=whole)]
    return "\n".join([*heading, *parts, *_notes(records, whole=whole), ""])


def _board(record: dict[str, Any], *, whole: bool) -> list[str]:
    lines: list[str] = []
    for predict in dict.fromkeys(mean["predict"] for mean in record["means"]):
        means = [mean for mean in record["means"] if mean["predict"] == predict]
        archives = list(dict.fromkeys(mean["archive"] for mean in means))
        if not whole:
            lines += [f"**{_title(predict, archives)}** ({_about(record, means)})", "", *_table(means, whole)]
            lines += [*_gain_of_weights(means), ""]
            continue
        for archive in archives:
            here = [mean for mean in means if mean["archive"] == archive]
            rows = [row for row in record["rows"] if (row["predict"], row["archive"]) == (predict, archive)]
            lines += [f"**{_title(predict, [archive])}** ({_about(record, here)})", "", *_table(here, whole), ""]
            lines += [*_gains(here), ""]
            for primary in dict.fromkeys(row["primary"] for row in rows):
                of_task = [row for row in rows if row["primary"] == primary]
                lines += [f"{primary}{_fewer(of_task)}:", "", *_table(of_task, whole), ""]
    return lines


def _title(predict: str, archives: Sequence[str]) -> str:
    return f"{predict.capitalize()}, {archives[0]} archive" if len(archives) == 1 else predict.capitalize()


def _about(record: dict[str, Any], means: list[dict[str, Any]]) -> str:
    tasks = max(len(mean["primaries"]) for mean in means)
    measures = " and ".join(dict.fromkeys(mean["measure"] for mean in means))
    seeds = record["settings"]["seeds"]
    return (
        f"{measures} in per cent, mean of {show.plural(tasks, 'primary task')}, ± sd of {show.plural(seeds, 'seed')}"
    )


def _gain_of_weights(means: list[dict[str, Any]]) -> list[str]:
    """What learned weights gain, as the last row of a table."""
    here = {_place(mean): mean for mean in means if mean["method"] == "learned"}
    cells = [
        difference(here[place], "minus_multitask") if place in here else show.NOTHING for place in _places(means)
    ]
    return [f"| `learned` − `multitask` | {' | '.join(cells)} |"] if here else []


def _place(row: dict[str, Any]) -> tuple[str, int]:
    return row["archive"], row["size"]


def _places(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Archives and sizes, from left to right."""
    return sorted(set(map(_place, rows)), key=lambda place: (_ORDER.get(place[0], len(_ORDER)), place[1]))


def _table(rows: list[dict[str, Any]], whole: bool) -> list[str]:
    """A row a method, a column a size; of several archives, a column for each archive and size."""
    places = _places(rows)
    several = len({archive for archive, _ in places}) > 1
    titles = [f"{archive}, {size} dialogs" if several else f"{size} dialogs" for archive, size in places]
    names = list(dict.fromkeys(row["method"] for row in rows if whole or row["method"] in shown(rows)))
    lines = [f"| method | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"]
    for name in names:
        here = {_place(row): row for row in rows if row["method"] == name}
        cells = (
            show.mean_sd(here[place]["mean"], here[place]["sd"]) if place in here else show.NOTHING
            for place in places
        )
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return lines


def shown(means: Iterable[dict[str, Any]]) -> set[str]:
    """The methods that matter most; of the simple ones that with the best validation over all sizes."""
    simple: dict[str, list[float]] = {}
    for mean in means:
        if mean["method"] in SIMPLE:
            simple.setdefault(mean["method"], []).append(mean["valid"])
    best = sorted(simple, key=lambda name: -statistics.fmean(simple[name]))[:1]
    return {*_SHORT, *best}


def _gains(means: list[dict[str, Any]]) -> list[str]:
    lines = ["| method | dialogs | against the best simple method | against `primary` | against `multitask` |"]
    lines.append("|---|---|---|---|---|")
    for mean in means:
        cells = (difference(mean, name) for name in ("minus_simple", "minus_primary", "minus_multitask"))
        lines.append(f"| `{mean['method']}` | {mean['size']} | {' | '.join(cells)} |")
    return lines


def _fewer(rows: list[dict[str, Any]]) -> str:
    found = sorted({(row["size"], row["dialogs"]) for row in rows if row["dialogs"] < row["size"]})
    return "".join(f" ({dialogs} dialogs instead of {size})" for size, dialogs in found)


def _notes(records: Sequence[dict[str, Any]], *, whole: bool) -> list[str]:
    lines: list[str] = []
    if whole or any(mean["method"] == "learned" for record in records for mean in record["means"]):
        lines += [
            "Differences are points, paired by primary task and seed, with 95 % interval (Student, primary tasks as",
            "strata).",
        ]
    if whole:
        lines[-1] += " The best simple method is the one with the best validation in each task."
    done, every = (sum(record["runs"][name] for record in records) for name in ("done", "all"))
    return lines if done == every else [*lines, f"{done:,} of {every:,} runs are in it."]
