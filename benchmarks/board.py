"""The tables of the board, in the README and in docs/results.md, from the record ``archive.json``."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from tasksieve.experiments.board.rows import SIMPLE
from tasksieve.records.comparison import paired_interval
from tasksieve.records.counts import plural
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
_AGAINST = {
    "minus_simple": "against the best simple method",
    "minus_primary": "against `primary`",
    "minus_multitask": "against `multitask`",
}
"""Differences in a record, and the titles of their columns."""
_OVER_TASKS = (("multitask", "primary"), ("learned", "primary"), ("learned", "multitask"))
"""Differences that are told with primary tasks as a sample, too."""


def boards_of(records: Sequence[dict[str, Any]], *, whole: bool, title: str) -> str:
    """Boards as Markdown, one after the other.

    Args:
        records: of ``archive.json``.
        whole: whether to show all methods with their differences and every primary task, or what matters most.
        title: of the section, where it is whole.
    """
    heading = [f"## {title}", "", *_HEADING] if whole else []
    parts = [line for record in records for line in _board(record, whole=whole)]
    return "\n".join([*heading, *parts, *_notes(records, whole=whole), *over_tasks(records, whole=whole), ""])


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
    return f"{measures} in per cent, mean of {plural(tasks, 'primary task')}, ± sd of {plural(seeds, 'seed')}"


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
    """Every method against others; without the best simple one where none was run. None is held against itself."""
    columns = {name: title for name, title in _AGAINST.items() if any(mean.get(name) is not None for mean in means)}
    lines = [f"| method | dialogs | {' | '.join(columns.values())} |", f"|---|---|{'---|' * len(columns)}"]
    for mean in means:
        itself = f"minus_{mean['method']}"
        cells = (show.NOTHING if name == itself else difference(mean, name) for name in columns)
        lines.append(f"| `{mean['method']}` | {mean['size']} | {' | '.join(cells)} |")
    return lines


def _fewer(rows: list[dict[str, Any]]) -> str:
    found = sorted({(row["size"], row["dialogs"]) for row in rows if row["dialogs"] < row["size"]})
    return "".join(f" ({dialogs} dialogs instead of {size})" for size, dialogs in found)


def _notes(records: Sequence[dict[str, Any]], *, whole: bool) -> list[str]:
    lines: list[str] = []
    if whole or any(mean["method"] == "learned" for record in records for mean in record["means"]):
        lines += [
            "Differences are points, paired by primary task and seed. Their 95 % interval is for these",
            f"{_tasks(records)} alone: only seeds vary in it (Student, primary tasks as strata; Welch's degrees of",
            "freedom).",
        ]
    if whole and any(mean["method"] in SIMPLE for record in records for mean in record["means"]):
        lines += ["The best simple method is the one with the best validation in each task."]
    if whole:
        lines += ["No interval is corrected for the number of methods."]
    done, every = (sum(record["runs"][name] for record in records) for name in ("done", "all"))
    return lines if done == every else [*lines, f"{done:,} of {every:,} runs are in it."]


def _tasks(records: Sequence[dict[str, Any]]) -> str:
    return plural(max(len(mean["primaries"]) for record in records for mean in record["means"]), "primary task")


def over_tasks(records: Sequence[dict[str, Any]], *, whole: bool) -> list[str]:
    """Differences with primary tasks as a sample of tasks: as a table, or in how many columns weights gain.

    Args:
        records: of ``archive.json``.
        whole: whether the table is wanted.
    """
    found = [row for record in records for row in _differences_over_tasks(record)]
    if whole:
        return _table_over_tasks(found) if found else []
    of_weights = [ends for _, pair, _, ends in found if pair == ("learned", "multitask")]
    if not of_weights:
        return []
    better = sum(ends[0] > 0 for ends in of_weights)
    worse = sum(ends[1] < 0 for ends in of_weights)
    return [
        f"With the tasks as a sample of services (Student over their {len(_mean_tasks(records))} mean differences) "
        f"`learned` is above `multitask`",
        f"in {better} of {len(of_weights)} columns and below it in {worse or 'none'}; "
        "[those intervals](docs/results.md#what-weights-are-worth-there).",
    ]


def _mean_tasks(records: Sequence[dict[str, Any]]) -> set[str]:
    return {row["primary"] for record in records for row in record["rows"]}


_Over = tuple[tuple[str, str, int], tuple[str, str], float, tuple[float, float]]
"""Where (what is predicted, archive, size), which methods, the mean difference and its interval over tasks."""


def _differences_over_tasks(record: dict[str, Any]) -> list[_Over]:
    """Student's intervals over the tasks' mean differences, where there are two tasks or more."""
    found: list[_Over] = []
    rows = record["rows"]
    for place in dict.fromkeys((row["predict"], row["archive"], row["size"]) for row in rows):
        here = [row for row in rows if (row["predict"], row["archive"], row["size"]) == place]
        for method, other in _OVER_TASKS:
            gains = [row[f"minus_{other}"] for row in here if row["method"] == method]
            ends = None if None in gains else paired_interval(gains)
            if ends is not None:
                found.append((place, (method, other), statistics.fmean(gains), ends))
    return found


def _table_over_tasks(found: Sequence[_Over]) -> list[str]:
    pairs = [pair for pair in _OVER_TASKS if any(of == pair for _, of, _, _ in found)]
    lines = [
        "",
        "The same differences for services like these: each task's mean over its seeds is one value of a sample,",
        "with Student's 95 % interval over the tasks.",
        "",
        f"| predicted | archive | dialogs | {' | '.join(f'`{one}` − `{other}`' for one, other in pairs)} |",
        f"|---|---|---|{'---|' * len(pairs)}",
    ]
    for place in dict.fromkeys(place for place, _, _, _ in found):
        cells = {of: show.gain(mean, ends) for its, of, mean, ends in found if its == place}
        where = " | ".join(map(str, place))
        lines.append(f"| {where} | {' | '.join(cells.get(pair, show.NOTHING) for pair in pairs)} |")
    return lines
