"""Tables for the terminal, summaries of weights and figures."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import polars as pl
import pytest
from matplotlib.container import BarContainer

from tasksieve.records.comparison import Comparison, ComparisonRow, SeedResult, comparison_row
from tasksieve.report import figures, formatting, terminal
from tasksieve.report.bar_figures import comparison_bars
from tasksieve.report.reading import read_comparison, read_run, read_runs
from tasksieve.report.style import line_styles, spread, svg_text
from tasksieve.report.weights import extreme_dialogs, histogram, mean_by_kind, stages
from tests.unit.report_folders import (
    HOSTILE,
    KINDS,
    STEPS,
    evaluation,
    examples_frame,
    lines_of,
    weights_frame,
    write_run,
)

# Terminal


def test_comparison_table_fits_80_columns_and_shows_the_numbers(compared: Path) -> None:
    comparison = read_comparison(compared)
    lines = lines_of(terminal.comparison_table(comparison))
    assert max(map(len, lines)) <= 80
    learned = next(row for row in comparison.rows if row.method == "learned" and row.size == 100)
    line = next(line for line in lines if "learned" in line and " 100 " in line)
    assert f"{learned.mean:.1f} ± {learned.sd:.1f}" in line
    assert learned.ci95 is not None
    assert f"{learned.minus_primary:+.1f} ({learned.ci95[0]:+.1f} to {learned.ci95[1]:+.1f})" in line
    assert line.split()[-1] == "83"
    assert "…" not in "".join(lines)


def test_comparison_table_leaves_out_what_is_not_there() -> None:
    seed = SeedResult(
        seed=0, test_accuracy=60, valid_accuracy=61, per_dialog_accuracy=0, iterations=1, seconds=12345.0
    )
    rows = (comparison_row("primary", 50, [seed], [seed]), comparison_row("[bold]" + "x" * 90, 50, [seed], []))
    lines = lines_of(terminal.comparison_table(Comparison(rows=rows, verdict="")))
    assert max(map(len, lines)) <= 80
    assert "size" not in lines[1]
    assert all("±" not in line for line in lines)
    assert lines[-1].split()[1:] == ["60.0", "–", "61.0", "12,345"]
    assert lines[-1].startswith("[bold]xxx")


def test_below_the_comparison_stands_what_its_intervals_are_of() -> None:
    def seeds(accuracy: float) -> list[SeedResult]:
        known = {"valid_accuracy": 61.0, "per_dialog_accuracy": 0.0, "iterations": 1, "seconds": 1.0}
        return [SeedResult(seed=n, test_accuracy=accuracy + n, **known) for n in range(2)]

    primary, row = (comparison_row(name, 50, seeds(60.0), seeds(60.0)) for name in ("primary", "multitask"))
    drawn = row.model_copy(update={"method": "learned", "ci95_bootstrap": (-1.0, 1.0)})
    not_corrected = "; not corrected for the number of methods."

    def told(*rows: ComparisonRow) -> list[str]:
        return [str(line) for line in terminal.told_below(Comparison(rows=(primary, *rows), verdict=""))]

    assert told() == []
    assert told(row) == [f"Intervals: Student over paired seeds{not_corrected}"]
    assert told(drawn) == [f"Intervals: bootstrap over test dialogs and seeds{not_corrected}"]
    assert "else Student over seeds" in told(drawn, row)[0]


def test_evaluation_table_shows_overall_ceiling_and_kinds_by_number_of_turns() -> None:
    lines = lines_of(terminal.evaluation_table(evaluation(60.0)))
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert re.search(r"all turns +11,850 +60\.0 +70\.0 +72\.0", text)
    assert re.search(r"ceiling.* 74\.3", text)
    assert [text.index(kind) for kind in KINDS] == sorted((text.index(kind) for kind in KINDS), reverse=True)
    assert "–" in "\n".join(lines_of(terminal.evaluation_table({})))


def test_weights_table_crops_texts_and_draws_a_bar() -> None:
    frame = examples_frame().with_columns(
        user=pl.lit("[red]long\n\x1b[31m" + "w" * 300),
        weight=pl.Series([1.0, 0.5, 0.0, float("nan"), *[0.25] * 28]),
    )
    lines = lines_of(terminal.weights_table(frame, "highest [weights]"))
    assert max(map(len, lines)) <= 80
    assert lines[0].strip() == "highest [weights]"
    assert len(lines) == 3 + frame.height
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "1.00 ██████" in text
    assert "0.50 ███\n" in re.sub(" +\n", "\n", text)
    assert re.search("0.00 *\n", text)
    assert re.search("– *\n", text)
    assert "[red]" in text


def test_formatting() -> None:
    assert formatting.signed(-0.44) == "−0.4"
    assert formatting.mean_sd(64.61, None) == "64.6"
    assert formatting.percent(float("nan")) == formatting.percent(None) == formatting.interval(None) == "–"
    assert [formatting.duration(s) for s in (4.2, 48, 185, 7800, None)] == [
        "4.2 s",
        "48 s",
        "3 min 5 s",
        "2 h 10 min",
        "–",
    ]
    assert formatting.one_line("a\n\x07b  c", 4) == "a b…"


# Summaries of weights


def test_stages_include_first_and_last_evenly() -> None:
    assert stages(range(0, 4000, 100)) == [0, 800, 1600, 2300, 3100, 3900]
    assert stages([300, 100]) == [100, 300]
    assert stages([100, 200, 300], 1) == [300]
    assert stages([5, 5]) == [5]


def test_histogram_counts_every_number_once() -> None:
    counts = histogram(pl.Series([0.0, 0.049, 0.5, 0.999, 1.0, float("nan"), None], dtype=pl.Float32))
    assert sum(counts) == 5
    assert (counts[0], counts[10], counts[19]) == (2, 1, 2)


def test_mean_by_kind_takes_rare_kinds_together() -> None:
    examples = examples_frame()
    weights = pl.concat([weights_frame(examples, step) for step in STEPS])
    means = mean_by_kind(weights, examples)
    assert set(means["kind"]) == set(KINDS)
    last = means.filter((pl.col("kind") == "cuisine") & (pl.col("step") == 800))
    expected = weights.filter((pl.col("turn") == 1) & (pl.col("step") == 800))["weight"].mean()
    assert last["weight"].item() == pytest.approx(expected)
    few = mean_by_kind(weights, examples, most=2)
    assert few["kind"].unique(maintain_order=True).to_list()[1:] == ["other kinds"]
    assert few.group_by("step").agg(pl.col("examples").sum())["examples"].unique().to_list() == [32]


@pytest.mark.parametrize(("dialogs", "high", "low"), [(8, [0, 1], [7, 6]), (3, [0, 1], [2]), (1, [0], [])])
def test_extreme_dialogs_share_none(dialogs: int, high: list[int], low: list[int]) -> None:
    examples = examples_frame(8).filter(pl.col("dialog") < dialogs)
    weights = pl.concat([weights_frame(examples_frame(8), step) for step in (0, 800)])
    highest, lowest = extreme_dialogs(weights, examples, each=2)
    assert [dialog.dialog for dialog in highest] == high
    assert [dialog.dialog for dialog in lowest] == low
    assert [turn.turn for turn in highest[0].turns] == [0, 1, 2, 3]
    assert highest[0].turns[0].user == HOSTILE


# Figures


def bars(figure: Any) -> list[dict[str, list[float]]]:
    return [
        {str(c.get_label()): [bar.get_height() for bar in c] for c in axes.containers if isinstance(c, BarContainer)}
        for axes in figure.axes
    ]


def test_weight_histograms_count_all_examples_at_every_stage() -> None:
    examples = examples_frame()
    weights = pl.concat([weights_frame(examples, step) for step in STEPS])
    figure = figures.weight_histograms(weights, examples)
    assert [axes.get_title("left") for axes in figure.axes][:: len(figure.axes) - 1] == [
        "iteration 0",
        "iteration 800",
    ]
    assert len(figure.axes) == 6
    assert [sum(panel["examples"]) for panel in bars(figure)] == [32] * 6


def test_weight_histograms_set_right_and_wrong_apart() -> None:
    examples = examples_frame(labels=True)
    weights = pl.concat([weights_frame(examples, step) for step in STEPS[:2]])
    missing = examples.filter(pl.col("dialog") > 0).drop("kind")
    figure = figures.weight_histograms(weights, missing)
    sums = [{name: sum(counts) for name, counts in panel.items()} for panel in bars(figure)]
    assert sums == [{"right": 14, "wrong": 14, "no label": 4}] * 2
    right, wrong, _ = figure.axes[0].containers
    assert isinstance(right, BarContainer)
    assert isinstance(wrong, BarContainer)
    assert (right[0].get_hatch(), wrong[0].get_hatch()) == ("//", None)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["right", "wrong", "no label"]


def test_learning_curves_average_seeds_while_all_train(compared: Path) -> None:
    runs, _ = read_runs(compared, ["primary", "multitask", "learned"])
    figure = figures.learning_curves(runs)
    assert len(figure.axes) == 2
    thick = [line for line in figure.axes[0].lines if line.get_linewidth() > 1]
    assert [line.get_xdata()[-1] for line in thick] == [1000] * 3  # type: ignore[index]
    values = [run.metrics[0]["valid_accuracy"] for run in runs if run.method == "primary" and run.size == 50]
    assert thick[0].get_ydata()[0] == pytest.approx(sum(values) / 3)  # type: ignore[index]
    assert len(figure.axes[0].lines) == 3 * (1 + 3)


def test_a_dot_marks_the_model_that_is_kept(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "learned", 50, 0, 60.0)
    run = replace(
        read_run(tmp_path / "run"), metrics=tuple({"step": n, "valid_accuracy": 70.0 - n} for n in (1, 2, 3))
    )
    for keep, kept in (("best", 1), ("last", 3)):
        (dot,) = [
            line
            for line in figures.learning_curves([replace(run, keep=keep)]).axes[0].lines
            if line.get_marker() == "o" and len(np.atleast_1d(line.get_xdata())) == 1
        ]
        assert np.atleast_1d(dot.get_xdata())[0] == kept


def test_weights_by_kind_labels_every_line() -> None:
    examples = examples_frame()
    weights = pl.concat([weights_frame(examples, step) for step in STEPS])
    figure = figures.weights_by_kind(weights, examples)
    assert {text.get_text() for text in figure.axes[0].texts} - {""} == set(KINDS)
    assert len(figure.axes[0].lines) == len(KINDS)


def test_comparison_bars_show_mean_sd_and_seeds(compared: Path) -> None:
    comparison = read_comparison(compared)
    figure = comparison_bars(comparison)
    assert len(figure.axes) == 2
    for axes, row in zip(figure.axes, (comparison.rows[0], comparison.rows[3]), strict=True):
        bar = axes.patches[0].get_bbox()  # type: ignore[attr-defined]
        assert row.sd is not None
        assert (bar.x0, bar.x1) == pytest.approx((row.mean - row.sd, row.mean + row.sd))
        dots = [line for line in axes.lines if line.get_marker() == "o"]
        assert list(dots[0].get_xdata()) == [seed.test_accuracy for seed in row.seeds]  # type: ignore[arg-type]


def test_figures_of_nothing_say_so() -> None:
    empty = weights_frame(examples_frame(), 0).clear()
    with pytest.raises(ValueError, match="no rows"):
        figures.weight_histograms(empty)
    with pytest.raises(ValueError, match="nothing to show"):
        figures.weights_by_kind(empty, examples_frame())
    with pytest.raises(ValueError, match="no run has metrics"):
        figures.learning_curves([])
    with pytest.raises(ValueError, match="no rows"):
        comparison_bars(Comparison(rows=(), verdict=""))


def test_save_figure_writes_png_and_svg_the_same_every_time(tmp_path: Path) -> None:
    examples = examples_frame().with_columns(kind=pl.lit("_日本 $"))
    written = []
    for name in ("a.1", "b"):
        figure = figures.weights_by_kind(weights_frame(examples, 0), examples)
        paths = figures.save_figure(figure, tmp_path / name)
        written.append([path.read_bytes() for path in paths])
        assert [path.name for path in paths] == [f"{name}.png", f"{name}.svg"]
    assert written[0] == written[1]
    assert written[0][0].startswith(b"\x89PNG")
    assert "_日本 $" in written[0][1].decode()
    assert len(list(tmp_path.iterdir())) == 4


def test_figures_ignore_and_keep_the_users_settings(compared: Path) -> None:
    comparison = read_comparison(compared)
    plain = svg_text(comparison_bars(comparison), "x")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert svg_text(comparison_bars(comparison), "x") == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_spread_keeps_order_and_distance() -> None:
    values = [0.5, 0.51, 0.1, 0.52, 1.0, 0.99]
    moved = spread(values, 0.1, 0.0, 1.0)
    ordered = sorted(moved)
    assert [moved.index(value) for value in ordered] == sorted(range(6), key=values.__getitem__)
    assert all(high - low >= 0.1 - 1e-9 for low, high in pairwise(ordered))
    assert ordered[0] >= 0
    assert ordered[-1] <= 1
    assert moved[2] == 0.1
    assert spread([0.3, 0.3, 0.3], 9.0, 0.0, 1.0) == pytest.approx([0.0, 0.5, 1.0])


def test_line_styles_all_differ() -> None:
    styles = line_styles(["primary", "learned", *(f"m{number}" for number in range(12))])
    assert len(set(styles.values())) == 14
