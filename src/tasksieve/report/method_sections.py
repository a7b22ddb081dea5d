"""The sections of a comparison page on its methods: the comparison's measure, all other measures, the bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tasksieve.records.comparison import Comparison, ComparisonRow
from tasksieve.records.counts import plural
from tasksieve.records.measures import RANKING, fewer_ranked
from tasksieve.report import formatting as show
from tasksieve.report.bar_figures import comparison_bars
from tasksieve.report.blocks import Block, Cell, Note, Section, TableBlock
from tasksieve.report.drawing import picture
from tasksieve.report.wording import Wording, wording

_LEARNS = {
    "primary": "borrows nothing",
    "multitask": "borrows everything alike",
    "learned": "gives related examples weights, which it learns",
}
_NO_ROWS = Note("The comparison has no rows.")
Columns = Callable[[ComparisonRow], tuple[Cell, ...]]


def methods_section(comparison: Comparison) -> Section:
    """Every method against `primary`, then against the best simple baseline; simple baselines by themselves."""
    words = wording(comparison.measure)
    reading = (
        f"{words.heading} is the share of test turns {words.right}, mean ± standard deviation over "
        "seeds; a difference whose interval leaves out 0 is unlikely to be chance. Blue is better, orange is worse."
    )
    if not comparison.rows:
        return Section("methods", "Methods", reading, (_NO_ROWS,))
    main = [row for row in comparison.rows if not row.simple]
    simple = [row for row in comparison.rows if row.simple]
    both = any(row.ci95_bootstrap is not None for row in comparison.rows)
    if both:
        reading += (
            " The interval over dialogs and seeds draws both anew; the one over seeds alone is Student's, "
            "and wide where seeds are few."
        )
    best = {row.size: max(r.mean for r in comparison.rows if r.size == row.size) for row in comparison.rows}
    head = _head(words, both)

    def against_primary(row: ComparisonRow) -> tuple[Cell, ...]:
        return _against_primary(row, best[row.size], both)

    blocks: list[Block] = []
    if main:
        named = [f"{row.method} {_LEARNS[row.method]}" for row in main if row.method in _LEARNS]
        blocks += [Note(f"{'; '.join(dict.fromkeys(named))}.")] if named else []
        blocks += [Note(f"{fewer}.") for fewer in [fewer_ranked(comparison.among)] if fewer]
        blocks.append(_table(comparison, main, head, against_primary, "Against primary" if simple else ""))
    if simple:
        blocks += [Note(sentence, strong=True) for sentence in _best_simple(comparison, words)]
        compared = [row for row in main if row.best_simple is not None]
        if compared:
            over = _SIMPLE_HEAD if both else (*_SIMPLE_HEAD[:-1], "95 % interval over seeds")
            blocks.append(_table(comparison, compared, over, _against_simple, "Against the best simple baseline"))
        blocks.append(_table(comparison, simple, head, against_primary, "Simple baselines"))
    return Section("methods", "Methods", reading, tuple(blocks))


def _head(words: Wording, both: bool) -> tuple[str, ...]:
    intervals: tuple[str, ...] = ("95 % interval over seeds",)
    if both:
        intervals = ("95 % interval over dialogs and seeds", "over seeds alone")
    name = "" if words.name == "accuracy" else f"{words.name}, "
    return (f"test, {name}%", "difference to primary", *intervals, "validation, %", "time per run")


_SIMPLE_HEAD = ("best simple baseline", "difference to it", "95 % interval over dialogs and seeds")


def _table(
    comparison: Comparison, rows: Sequence[ComparisonRow], head: Sequence[str], cells: Columns, heading: str
) -> TableBlock:
    """A row a method, a rule between sizes; the column of sizes only where there are several."""
    several = len({row.size for row in comparison.rows}) > 1
    groups = frozenset(place for place, row in enumerate(rows) if place and row.size != rows[place - 1].size)
    shown = tuple(
        (
            Cell(row.method, row.method == "learned"),
            *((Cell(show.whole(row.size)),) if several else ()),
            *cells(row),
        )
        for row in rows
    )
    return TableBlock(("method", *(("dialogs",) if several else ()), *head), shown, groups=groups, heading=heading)


def _against_primary(row: ComparisonRow, best: float, both: bool) -> tuple[Cell, ...]:
    against = None if row.method == "primary" else row.minus_primary
    intervals = (row.ci95_bootstrap, row.ci95) if both else (row.ci95,)
    return (
        Cell(show.mean_sd(row.mean, row.sd), strong=row.mean == best),
        Cell(show.signed(against), tint=0.6 * show.direction(row) if against is not None else 0.0),
        *(Cell(show.interval(ends if against is not None else None)) for ends in intervals),
        Cell(show.percent(show.mean_valid(row.seeds))),
        Cell(show.duration(show.mean_seconds(row.seeds))),
    )


def _against_simple(row: ComparisonRow) -> tuple[Cell, ...]:
    ends = row.ci95_simple
    side = 0 if ends is None else 1 if ends[0] > 0 else -1 if ends[1] < 0 else 0
    return (
        Cell(row.best_simple or show.NOTHING),
        Cell(show.signed(row.minus_simple), tint=0.6 * side),
        Cell(show.interval(ends)),
    )


def _best_simple(comparison: Comparison, words: Wording) -> list[str]:
    """A sentence for each number of primary dialogs."""
    sentences = []
    for size in sorted({row.size for row in comparison.rows}):
        simple = [row for row in comparison.rows if row.simple and row.size == size]
        if simple:
            best = max(simple, key=lambda row: row.mean)
            sentences.append(
                f"With {plural(size, 'dialog')} the best simple baseline is {best.method}: "
                f"{show.percent(best.mean)}\N{NO-BREAK SPACE}% {words.name}.{_untrained(words)}"
            )
    return sentences


def _untrained(words: Wording) -> str:
    return " Those that rank responses learn nothing." if words.measure == RANKING else ""


def bars_section(comparison: Comparison) -> Section:
    """The same as a picture."""
    words = wording(comparison.measure)
    reading = (
        "A bar spans mean ± standard deviation, its tick is the mean, each dot is a seed; right of the "
        "dashed line is better than primary. The scale does not start at 0."
    )
    if any(row.simple for row in comparison.rows):
        reading += " Simple baselines stand under the rule."
    blocks: tuple[Block, ...] = (_NO_ROWS,)
    if comparison.rows:
        label = f"Test {words.name} by method"
        blocks = (picture(lambda narrow: comparison_bars(comparison, narrow), "bars", label),)
    return Section("bars", f"{words.heading} at a glance", reading, blocks)
