"""Tables for a terminal of 80 columns."""

from __future__ import annotations

from typing import Any

import polars as pl
from rich import box
from rich.table import Table
from rich.text import Text

from tasksieve.records.comparison import Comparison, ComparisonRow
from tasksieve.records.counts import plural
from tasksieve.records.measures import RANKING, fewer_ranked
from tasksieve.report import formatting as show
from tasksieve.report.conditions import METHODS, describe
from tasksieve.report.reading import kinds_by_turns
from tasksieve.report.skipped import skipped_in

_BAR_CELLS = 6
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_DIRECTION_STYLE = {1: "green", 0: "", -1: "red"}


def comparison_table(comparison: Comparison) -> Table:
    """Methods with their test accuracy, the difference to `primary`, validation accuracy and time.

    Args:
        comparison: its rows are shown in their order, a rule between sizes; the column of sizes is left out
            if there is only one. Runs that failed come last.
    """
    several = len({row.size for row in comparison.rows}) > 1
    table = plain_table()
    table.add_column("method")
    if several:
        table.add_column("size", justify="right", no_wrap=True)
    table.add_column(
        "test %" if comparison.measure != RANKING else f"test\n{RANKING} %", justify="right", no_wrap=True
    )
    table.add_column("points against primary\n(95 % interval)", justify="right", no_wrap=True)
    table.add_column("valid. %", justify="right", no_wrap=True)
    table.add_column("seconds\na run", justify="right", no_wrap=True)
    previous: int | None = None
    for row in comparison.rows:
        if previous is not None and row.size != previous:
            table.add_section()
        previous = row.size
        size = [Text(str(row.size))] if several else []
        table.add_row(_cropped(row.method), *size, *_row_cells(row))
    if comparison.failed:
        table.add_section()
    for failed in comparison.failed:
        size = [Text(show.NOTHING)] if several else []
        table.add_row(_cropped(failed.name), *size, Text("failed", style="red"), *[Text(show.NOTHING)] * 3)
    return table


def told_below(comparison: Comparison) -> list[Text]:
    """What to know of the table: among how few responses the right one was ranked, what its intervals are of, and
    how many meta-updates were skipped.
    """
    fewer = fewer_ranked(comparison.among)
    said = [*([f"{fewer}."] if fewer else []), *_of_intervals(comparison), *skipped_in(comparison)]
    return [Text(sentence) for sentence in said]


def _of_intervals(comparison: Comparison) -> list[str]:
    shown = [row for row in comparison.rows if row.method != "primary" and row.interval is not None]
    if not shown:
        return []
    both = [row.ci95_bootstrap is not None for row in shown]
    kind = "bootstrap over test dialogs and seeds" if all(both) else "Student over paired seeds"
    if any(both) and not all(both):
        kind = "bootstrap over test dialogs and seeds where it is known which were right, else Student over seeds"
    return [f"Intervals: {kind}; not corrected for the number of methods."]


def verdict_lines(comparison: Comparison) -> list[Text]:
    """The answer to each question, a line each, the first of them bold; the verdict as it is where there are none."""
    first, *others = [answer.sentence for answer in comparison.answers] or [comparison.verdict]
    return [Text(first, style="bold"), *map(Text, others)]


def _row_cells(row: ComparisonRow) -> list[Text]:
    accuracy = Text(show.mean_sd(row.mean, row.sd), style="bold")
    return [
        accuracy,
        _difference(row),
        Text(show.percent(show.mean_valid(row.seeds))),
        Text(show.whole(show.mean_seconds(row.seeds))),
    ]


def _difference(row: ComparisonRow) -> Text:
    if row.method == "primary" or row.minus_primary is None:
        return Text(show.NOTHING)
    return Text(show.gain(row.minus_primary, row.interval), style=_DIRECTION_STYLE[show.direction(row)])


def evaluation_table(test: dict[str, Any]) -> Table:
    """Accuracy on the test set: over all turns, the ceiling, and by kind of turn, the commonest first.

    Args:
        test: the record ``test.json``; the parts it lacks are shown as absent.
    """
    table = plain_table()
    table.add_column("kind of turn")
    for heading in ("turns", "right %", "in first 5", "in first 10"):
        table.add_column(heading, justify="right", no_wrap=True)
    overall = {"turns": test.get("turns"), "hits": test.get("hits")}
    if not overall["hits"]:
        overall["hits"] = {"1": test.get("accuracy")}
    table.add_row(Text("all turns", style="bold"), *_hit_cells(overall, style="bold"))
    coverage = test.get("coverage") or {}
    table.add_row("  ceiling (candidates)", "", show.percent(coverage.get("candidate_ceiling")))
    whole_dialogs = show.percent(test.get("per_dialog_accuracy"))
    table.add_row("  whole dialogs right", "", whole_dialogs)
    acts = test.get("acts") or {}
    for name, label in (("micro_f1", "micro-F1"), ("macro_f1", "macro-F1")) if acts else ():
        table.add_row(f"  {label} over acts", "", show.percent(acts.get(name)))
    table.add_section()
    for kind, entry in kinds_by_turns(test):
        table.add_row(_cropped(kind), *_hit_cells(entry))
    return table


def answers_sentence(answers: dict[str, Any]) -> str:
    """How many answers hold a value that their conversation does not, and the first of them.

    Args:
        answers: that part of the record ``test.json``.
    """
    given, foreign, unanswered = (answers[name] for name in ("answers", "foreign", "unanswered"))
    some = show.whole(foreign) if foreign else "none"
    said = f"{show.whole(given)} answers: {some} with a value that the conversation does not hold"
    said += f"; {show.whole(unanswered)} turns at which nothing could be said." if unanswered else "."
    return said + "".join(f"\n  {value}: {show.one_line(text, 200)}" for value, text in answers["shown"])


def calls_sentence(calls: dict[str, Any]) -> str:
    """How many turns call the right tools, and which arguments are wrong; empty where no call is due.

    Args:
        calls: that part of the record ``test.json``.
    """
    if not calls["due"]:
        return ""
    said = f"Tools are to be called at {plural(calls['due'], 'turn')}. The right ones are called at "
    said += f"{show.whole(calls['right_tool'])}, with all arguments right at {show.whole(calls['right'])}"
    if wrong := ", ".join(f"{name} ({show.whole(times)})" for name, times in calls["wrong"].items()):
        said += f"; wrong: {wrong}"
    missing, extra = calls.get("missing", 0), calls.get("extra", 0)
    if missing or extra:
        said += f"; beside a right one {plural(missing, 'call')} missing and {show.whole(extra)} too many"
    return f"{said}."


def selection_table(test: dict[str, Any]) -> Table:
    """How the right response ranks among distractors: a row for each number of responses ranked and their source.

    Args:
        test: the record ``test.json`` with a part ``selection``.
    """
    table = plain_table()
    table.add_column("right response among")
    for heading in ("first %", "in first 3", "mean reciprocal rank"):
        table.add_column(heading, justify="right", no_wrap=True)
    for label, found in test["selection"].items():
        ranks = [show.percent(found.get(name)) for name in ("recall@1", "recall@3", "mrr")]
        table.add_row(Text(_ranked(label, found)), *ranks)
    return table


def _ranked(label: str, found: dict[str, Any]) -> str:
    """What was ranked, in words; fewer than wanted are said."""
    if label == "given":
        return f"those that the data give ({show.number(found.get('mean_ranked'), 1)})"
    size, _, random = label.partition("_")
    fewest = found.get("fewest_ranked")
    there = f", as few as {fewest} there" if isinstance(fewest, int) and fewest < int(size) else ""
    return f"{size} of {'all services' if random else 'the same service'}{there}"


def _hit_cells(entry: dict[str, Any], style: str = "") -> list[Text]:
    hits = entry.get("hits") or {}
    numbers = [show.percent(hits.get(rank)) for rank in ("1", "5", "10")]
    return [Text(text, style=style) for text in (show.whole(entry.get("turns")), *numbers)]


def weights_table(frame: pl.DataFrame, title: str) -> Table:
    """Related examples with their texts and weights, a line each; dialogs and turns are counted from 1 here.

    Args:
        frame: columns example, dialog, turn, kind, user, system, weight, in the order to show.
        title: what these examples are, e.g. ``highest weights``.
    """
    table = plain_table(title=Text(show.one_line(title)))
    frame = frame.with_columns(pl.col("dialog") + 1, pl.col("turn") + 1)
    for name in ("example", "dialog", "turn"):
        longest = max((len(str(value)) for value in frame[name]), default=0)
        table.add_column(name, justify="right", width=max(longest, len(name)))
    for name in ("kind", "user", "system"):
        table.add_column(name)
    table.add_column("weight", width=5 + _BAR_CELLS)
    for row in frame.iter_rows(named=True):
        places = [Text(str(row[name])) for name in ("example", "dialog", "turn")]
        texts = [_cropped(row[name]) for name in ("kind", "user", "system")]
        table.add_row(*places, *texts, weight_bar(row["weight"]))
    return table


def table1_table(table: dict[str, Any]) -> Table:
    """The paper's Table 1 beside its numbers.

    Args:
        table: the record ``table1.json``.
    """
    shown = plain_table()
    shown.add_column("weighting")
    for heading in ("test, %", "paper, %", "valid., %", "seconds\na run"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in table["rows"]:
        valid = show.mean([seed["valid_accuracy"] for seed in row["seeds"]])
        seconds = show.mean([seed["seconds"] for seed in row["seeds"]])
        ours, paper = show.mean_sd(row["mean"], row["sd"]), show.mean_sd(row["paper_mean"], row["paper_sd"])
        shown.add_row(row["method"], Text(ours, style="bold"), paper, show.percent(valid), show.whole(seconds))
    return shown


def conditions_table(table: dict[str, Any]) -> Table:
    """Test accuracy under every condition beyond the paper, and how the learned weights tell right from wrong.

    Args:
        table: the record ``table1.json``.
    """
    shown = plain_table()
    shown.add_column("wrong labels")
    for heading in (*METHODS, "weight\nright", "weight\nwrong", "AUROC"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for condition in table["conditions"]:
        rows = {row["method"]: show.mean_sd(row["mean"], row["sd"]) for row in condition["rows"]}
        means = {name: value["mean"] for name, value in condition["weights"].items()}
        cells = [Text(rows[method], style="bold" if method == "learned" else "") for method in METHODS]
        weights = [show.number(means[name], 3) for name in ("right", "wrong", "auroc")]
        shown.add_row(Text(describe(condition)), *cells, *weights)
    return shown


def kinds_table(frame: pl.DataFrame) -> Table:
    """Mean weight by kind of turn.

    Args:
        frame: columns kind, examples, mean_weight, in the order to show.
    """
    table = plain_table(title=Text("Mean weight by kind of turn"))
    table.add_column("kind")
    table.add_column("examples", justify="right")
    table.add_column("weight", width=5 + _BAR_CELLS)
    for kind, examples, weight in frame.select("kind", "examples", "mean_weight").iter_rows():
        table.add_row(Text(show.one_line(kind)), show.whole(examples), weight_bar(weight))
    return table


def _cropped(value: object) -> Text:
    text = show.NOTHING if value is None else show.one_line(value, 200)
    return Text(text, no_wrap=True, overflow="ellipsis")


def weight_bar(weight: float | None) -> Text:
    """A weight as a number and a bar of up to six cells."""
    if weight is None or show.missing(weight):
        return Text(show.NOTHING)
    full, part = divmod(round(min(max(weight, 0.0), 1.0) * _BAR_CELLS * 8), 8)
    bar = _EIGHTHS[8] * full + (_EIGHTHS[part] if part else "")
    return Text.assemble(f"{weight:.2f} ", (bar, "blue"))


def plain_table(title: Text | None = None) -> Table:
    """A table without columns yet, in the look that all tables share."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        header_style="bold",
        padding=(0, 1, 0, 0),
    )
