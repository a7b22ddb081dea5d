"""Shaded dialogs in the terminal: with every kind of colour and with none."""

from __future__ import annotations

import math
import re
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

from tasksieve.records.config import config_from
from tasksieve.records.run_folder import RunFolder
from tasksieve.report.html import write_report
from tasksieve.report.reading import read_run
from tasksieve.report.terminal_dialogs import SHADES, dialogs_page, shade
from tasksieve.report.weights import WeightedDialog, WeightedTurn, extreme_dialogs, named_tasks
from tests.unit.report_folders import examples_frame, weights_frame, write_run


def dialog(*turns: tuple[str, str, float | None], task: str = "") -> WeightedDialog:
    made = [WeightedTurn(place, "other", user, system, weight) for place, (user, system, weight) in enumerate(turns)]
    return WeightedDialog(task, 7, 0.5, tuple(made))


def printed(
    highest: list[WeightedDialog],
    lowest: list[WeightedDialog],
    colours: Literal["standard", "256", "truecolor"] | None,
) -> str:
    file = StringIO()
    console = Console(file=file, width=80, color_system=colours, force_terminal=colours is not None)
    for part in dialogs_page(highest, lowest, 800):
        console.print(part)
    return file.getvalue()


def luminance(style: Style, place: Literal["color", "bgcolor"], system: ColorSystem) -> float:
    colour = getattr(style, place).downgrade(system).get_truecolor()
    parts = [part / 255 for part in colour]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


@pytest.mark.parametrize(("kind", "said"), [("groups", "drawn more often"), ("memory-network", "borrowed in full")])
def test_weights_that_are_drawn_by_are_not_said_to_be_left_out(tmp_path: Path, kind: str, said: str) -> None:
    data = {"primary": "p.txt", "valid": "v.txt"}
    write_run(tmp_path / "run", "learned", 50, 0, 60.0, weights=True)
    folder = RunFolder(tmp_path / "run")
    folder.write_config(config_from({"data": data, "weight_module": {"kind": kind}}))
    legend = next(dialogs_page([], [], 800, read_run(tmp_path / "run").drawn))
    page = write_report(tmp_path / "run").read_text(encoding="utf-8")
    other = ({"drawn more often", "borrowed in full"} - {said}).pop()
    assert said in str(legend) and said in page
    assert other not in str(legend) and other not in page


@pytest.mark.parametrize("text", SHADES)
@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT])
def test_every_shade_has_text_in_contrast(text: str, system: ColorSystem) -> None:
    style = Style.parse(text)
    dark, light = sorted(luminance(style, place, system) for place in ("color", "bgcolor"))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize("text", SHADES)
def test_on_16_colours_text_and_ground_differ(text: str) -> None:
    style = Style.parse(text)
    fore, ground = (getattr(style, place).downgrade(ColorSystem.STANDARD) for place in ("color", "bgcolor"))
    assert fore.number in (0, 15) and ground.number != fore.number


def test_shades_deepen_with_the_weight_and_nothing_has_none() -> None:
    assert [shade(weight) for weight in (0.0, 0.26, 0.5, 0.74, 1.0)] == list(SHADES)
    assert (shade(-1.0), shade(2.0)) == (SHADES[0], SHADES[-1])
    assert shade(None) == shade(math.nan) == ""


COLOURS: Any = pytest.mark.parametrize("colours", [None, "standard", "256", "truecolor"])


@COLOURS
def test_numbers_are_printed_whatever_the_terminal_can(colours: Any) -> None:
    text = printed([dialog(("hi", "hello", 0.91), ("<SILENCE>", "sure", None))], [dialog(("a", "b", 0.0))], colours)
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert ("\x1b[" in text) == (colours is not None)
    for wanted in ("0.91 █████▌", "user   hi", "system hello", "–", "(says nothing)", "0.00", "mean weight 0.50"):
        assert wanted in plain
    assert plain.index("Borrowed most at iteration 800: dialog 8") < plain.index("Borrowed least at iteration 800")
    assert "0.00  0.25  0.50  0.75  1.00" in plain.splitlines()[0]
    assert max(map(len, plain.splitlines())) <= 80


def test_long_and_hostile_texts_stay_text_within_80_columns() -> None:
    turns = [("[red]\x1b[31m" + "w " * 200, "日本" * 60, 0.5)] * 43
    text = printed([dialog(*turns, task="older/" + "x" * 200)], [], None)
    assert "[red]" in text and "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "3 more turns not shown" in text
    assert text.count("0.50 ███ ") == 40


def test_tasks_are_named_where_there_are_several_and_numbered_where_names_are_missing() -> None:
    examples = examples_frame().with_columns(task=pl.col("dialog") % 2)
    weights = weights_frame(examples, 800)
    highest, lowest = extreme_dialogs(weights, named_tasks(examples, ["a.txt", "b.txt"]), each=1)
    assert [one.task for one in (*highest, *lowest)] == ["a.txt", "b.txt"]
    assert extreme_dialogs(weights, named_tasks(examples, ["a"]), each=1)[0][0].task == "related task 1"
    alone = examples.with_columns(task=pl.lit(0))
    assert extreme_dialogs(weights, named_tasks(alone, ["a.txt"]), each=1)[0][0].task == ""
    assert named_tasks(examples_frame(), ["a", "b"])["task"].unique().to_list() == ["older"]
