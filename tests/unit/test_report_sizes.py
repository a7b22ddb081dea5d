"""How many more dialogs would be needed without borrowing: the number, its interval, the words, the figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from tasksieve.records.comparison import Comparison, SeedResult, comparison_row
from tasksieve.records.files import write_json
from tasksieve.report.html import write_report
from tasksieve.report.needs import more_dialogs, needs, sentence
from tasksieve.report.size_figures import accuracy_by_size
from tests.unit.report_folders import Outline

CURVE = [(50, 60.0), (100, 64.0), (200, 63.0), (300, 68.0)]


def compared(methods: dict[str, dict[int, Sequence[float]]]) -> Comparison:
    """A comparison from accuracies by method, size and seed."""

    def results(accuracies: Sequence[float]) -> list[SeedResult]:
        same = {"valid_accuracy": 60.0, "per_dialog_accuracy": 0.0, "iterations": 1, "seconds": 1.0}
        return [SeedResult(seed=seed, test_accuracy=value, **same) for seed, value in enumerate(accuracies)]

    rows = [
        comparison_row(method, size, results(accuracies), results(methods["primary"].get(size, ())))
        for method, sizes in methods.items()
        for size, accuracies in sizes.items()
    ]
    return Comparison(rows=tuple(rows), verdict="")


@pytest.mark.parametrize(
    ("size", "accuracy", "more"),
    [
        (50, 59.0, 0.0),
        (50, 60.0, 0.0),
        (50, 61.0, 12.5),
        (50, 64.0, 50.0),
        (50, 65.5, 200.0),
        (50, 68.1, math.inf),
        (200, 63.5, 10.0),
        (300, 68.0, 0.0),
        (300, 68.01, math.inf),
    ],
)
def test_more_dialogs_reads_the_first_crossing_off_the_line(size: int, accuracy: float, more: float) -> None:
    assert more_dialogs(CURVE, size, accuracy) == pytest.approx(more)


def test_sentences_at_every_size() -> None:
    primary = {50: (59, 60, 61), 100: (63, 64, 65), 200: (65, 66, 67)}
    learned = {50: (61, 61.9, 63), 100: (62, 63, 64), 200: (67, 68, 69.2)}
    first, second, last = map(sentence, needs(compared({"primary": primary, "learned": learned})))
    assert first == (
        "With 50 dialogs, learned reaches 62.0 %: without borrowing you would need about 25 more "
        "(95 % interval: 23 to 27)."
    )
    assert second == "With 100 dialogs: none, for learned is not better there."
    assert last == (
        "With 200 dialogs, the most compared, learned is +2.1 points against primary (95 % interval +1.8 to +2.4): "
        "how many dialogs that is worth cannot be told without a larger size."
    )


def test_what_no_size_reaches_is_more_than_the_most_compared() -> None:
    primary = {50: (59, 60), 150: (61, 62)}
    learned = {50: (64, 66), 150: (61, 61.5)}
    first, last = map(sentence, needs(compared({"primary": primary, "learned": learned})))
    assert "you would need more than 100 more, the most compared (95 % interval: none to more than 100)" in first
    assert last.endswith("(95 % interval −3.4 to +2.9): none are needed.")


def test_one_seed_has_no_interval() -> None:
    found = needs(compared({"primary": {50: [60], 100: [64]}, "learned": {50: [62], 100: [65]}}))
    assert "about 25 more (one seed, so without an interval)" in sentence(found[0])
    assert "on one seed: how many" in sentence(found[1])


def test_an_unsure_gain_of_nothing_still_says_what_it_may_be() -> None:
    found = needs(compared({"primary": {50: (60, 60), 100: (70, 70)}, "learned": {50: (58, 61), 100: (70, 70)}}))
    assert sentence(found[0]) == (
        "With 50 dialogs: none, for learned is not better there (95 % interval: none to more than 50)."
    )


def test_there_is_no_answer_without_two_sizes_or_without_learned() -> None:
    assert needs(compared({"primary": {50: [60]}, "learned": {50: [61]}})) == []
    assert needs(compared({"primary": {50: [60], 100: [61]}, "multitask": {50: [61], 100: [62]}})) == []


def test_the_figure_has_a_line_a_method_with_deviations_and_leads_to_the_crossing() -> None:
    comparison = compared(
        {"primary": {50: (59, 61), 100: (63, 65)}, "learned": {50: (61, 63), 100: (64, 66)}, "ones": {50: [58]}}
    )
    figure = accuracy_by_size(comparison)
    lines = [line for line in figure.axes[0].lines if line.get_linewidth() == 1.9]
    assert [list(line.get_ydata()) for line in lines] == [[60, 64], [62, 65], [58]]  # type: ignore[arg-type]
    (dotted,) = [line for line in figure.axes[0].lines if line.get_linestyle() == ":"]
    assert list(dotted.get_xdata()) == [50, 75]  # type: ignore[arg-type]
    heights = [
        segment[1, 1] - segment[0, 1] for bars in figure.axes[0].collections for segment in bars.get_segments()
    ]  # type: ignore[attr-defined]
    assert heights == pytest.approx([2 * 2**0.5] * 4 + [0])
    with pytest.raises(ValueError, match="one size"):
        accuracy_by_size(compared({"primary": {50: [60]}}))


@pytest.mark.parametrize(("sizes", "shown"), [((50,), False), ((50, 100), True)])
def test_the_page_answers_where_several_sizes_were_compared(
    tmp_path: Path, sizes: tuple[int, ...], shown: bool
) -> None:
    accuracies = {size: (60 + size / 50, 60.5 + size / 50) for size in sizes}
    comparison = compared({"primary": accuracies, "learned": dict.fromkeys(sizes, (62.0, 62.25))})
    write_json(tmp_path / "comparison.json", comparison.model_dump(mode="json"))
    text = Outline(write_report(tmp_path).read_text(encoding="utf-8")).text
    assert ("How many more dialogs would you need without borrowing?" in text) == shown
    assert ("without borrowing you would need about 44 more" in text) == shown
