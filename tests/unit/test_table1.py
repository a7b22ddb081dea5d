"""Table 1 beyond the paper: its conditions, their table and their picture."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from tasksieve.errors import UserError
from tasksieve.experiments.published.mnist import Table1Plan, reproduce_table1, table1_config
from tasksieve.experiments.published.table1_conditions import NO_INDICATOR, Condition, conditions_of
from tasksieve.records.run_folder import RunFolder
from tasksieve.report.conditions import METHODS, describe, shares_of
from tasksieve.report.shares import accuracy_by_share, write_shares_figure
from tasksieve.report.terminal import conditions_table
from tasksieve.training.runs.images import ImageConfig

QUICK = [
    "training.iterations=4",
    "training.batch_size=64",
    "training.evaluate_every=4",
    "training.snapshot_every=4",
]
NAMES = [
    "share-0", "share-25", "share-50", "share-75", "share-90", "corruption-uniform", "no-indicator", "paper-settings",
]  # fmt: skip


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Table1Plan:
    return Table1Plan(table1_config(None, "next", 0.75, QUICK), 2, tmp_path_factory.mktemp("table"), 1)


@pytest.fixture(scope="module")
def table(plan: Table1Plan) -> dict[str, Any]:
    return reproduce_table1(plan)


def test_every_condition_has_three_rows_and_weights(plan: Table1Plan, table: dict[str, Any]) -> None:
    assert [condition["name"] for condition in table["conditions"]] == NAMES
    for condition in table["conditions"]:
        assert tuple(row["method"] for row in condition["rows"]) == METHODS
        assert condition["weights"].keys() == {"right", "wrong", "auroc"}
    assert json.loads((plan.out / "table1.json").read_text()) == table


def test_runs_that_are_the_tables_own_are_not_run_twice(plan: Table1Plan, table: dict[str, Any]) -> None:
    conditions = {condition["name"]: condition for condition in table["conditions"]}
    own = {row["method"]: row["seeds"] for row in table["rows"]}
    for name in ("share-75", "no-indicator", "paper-settings"):
        for row in conditions[name]["rows"]:
            assert (row["seeds"] == own[row["method"]]) == (name == "share-75" or row["method"] != "learned")
    runs = {path.name for path in (plan.out / "runs").iterdir()}
    assert len(runs) == 5 * 2 + 4 * 3 + 3 + 1 + 1
    assert {"learned-1", "share-0-oracle-0", "corruption-uniform-ones-0", "no-indicator-learned-0"} <= runs


def test_conditions_change_what_they_say(plan: Table1Plan, table: dict[str, Any]) -> None:
    def config(run: str) -> ImageConfig:
        return RunFolder(plan.out / "runs" / run).read_config_of(ImageConfig)

    assert config("share-90-ones-0").data.share == 0.9
    assert config("corruption-uniform-oracle-0").data.corruption == "uniform"
    without = config("no-indicator-learned-0")
    assert (without.data.indicator, without.weight_module.kind) == (False, "label-scores")
    paper = config("paper-settings-learned-0").meta
    assert (paper.inner_optimizer, paper.inner_lr, paper.weight_lr) == ("adam", 1e-3, 1e-3)
    assert paper.weight_lr_schedule == "constant"
    assert not config("paper-settings-learned-0").weight_module.centred
    last = next(condition for condition in table["conditions"] if condition["name"] == "no-indicator")
    assert (last["indicator"], last["module"], last["settings"]) == (False, "label-scores", NO_INDICATOR)


def test_every_run_and_every_mean_is_in_a_csv(plan: Table1Plan, table: dict[str, Any]) -> None:
    runs = pl.read_csv(plan.out / "table1.csv").to_dicts()
    assert [(run["method"], run["seed"], run["test"], run["valid"]) for run in runs] == [
        (row["method"], seed["seed"], seed["test_accuracy"], seed["valid_accuracy"])
        for row in table["rows"]
        for seed in row["seeds"]
    ]
    means = pl.read_csv(plan.out / "table1-methods.csv").to_dicts()
    every = [{"name": "table", **table}, *table["conditions"]]
    assert [(one["condition"], one["method"], one["mean"]) for one in means] == [
        (condition["name"], row["method"], row["mean"]) for condition in every for row in condition["rows"]
    ]
    own = {one["method"]: one for one in means[: len(table["rows"])]}
    assert (own["ones"]["paper_mean"], own["ones"]["seeds"], own["ones"]["share"]) == (21.63, 2, 0.75)
    assert own["ones"]["weight_auroc"] is None
    assert own["learned"]["weight_auroc"] == table["weights"]["auroc"]["mean"]


def test_the_tables_own_share_and_corruption_are_among_the_conditions() -> None:
    config = table1_config(None, "uniform", 0.6, [])
    names = [condition.name for condition in conditions_of(config)]
    assert names[:7] == ["share-0", "share-25", "share-50", "share-60", "share-75", "share-90", "corruption-next"]
    assert Condition("table").config(config, "learned") == config


def test_conditions_can_be_left_out(tmp_path: Path) -> None:
    table = reproduce_table1(Table1Plan(table1_config(None, "next", 0.75, QUICK), 1, tmp_path))
    assert table["conditions"] == []
    assert len(list((tmp_path / "runs").iterdir())) == 5
    assert write_shares_figure(tmp_path, table) == []


@pytest.mark.parametrize(
    ("corruption", "share", "setting", "told"),
    [
        ("next", 0.75, "training.iterations=6", "training.iterations is 4 there and 6 here"),
        ("next", 0.75, "meta.weight_lr=0.5", "meta.weight_lr is 0.02 there and 0.5 here"),
        ("next", 0.6, "training.seed=0", "data.share is 0.75 there and 0.6 here"),
        ("uniform", 0.75, "training.seed=0", "data.corruption is 'next' there and 'uniform' here"),
    ],
)
def test_a_finished_table_is_not_told_of_other_settings(
    plan: Table1Plan, table: dict[str, Any], corruption: str, share: float, setting: str, told: str
) -> None:
    other = Table1Plan(table1_config(None, corruption, share, [*QUICK, setting]), 2, plan.out, 1)
    with pytest.raises(UserError, match="holds a run with another configuration") as refused:
        reproduce_table1(other)
    assert told in str(refused.value)
    assert json.loads((plan.out / "table1.json").read_text()) == table


def test_a_finished_table_is_told_again_by_the_same_command(plan: Table1Plan, table: dict[str, Any]) -> None:
    assert reproduce_table1(plan) == table


def test_without_wrong_labels_there_is_nothing_to_tell_apart(table: dict[str, Any]) -> None:
    clean = shares_of(table)[0]
    assert (clean["share"], clean["weights"]["wrong"]["mean"], clean["weights"]["auroc"]["mean"]) == (0, None, None)
    rows = {row["method"]: row["mean"] for row in clean["rows"]}
    assert rows["ones"] == rows["oracle"]


def test_the_conditions_fit_80_columns(table: dict[str, Any]) -> None:
    console = Console(file=StringIO(), width=80)
    console.print(conditions_table(table))
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in console.file.getvalue()
    assert any("75 % uniform" in line for line in lines)
    assert describe(table["conditions"][6]) == "75 % next, no indicator"


def test_the_picture_has_a_line_a_method_and_a_mark_a_share(table: dict[str, Any], tmp_path: Path) -> None:
    figure = accuracy_by_share(shares_of(table))
    (axes,) = figure.axes
    assert len(axes.containers) == len(METHODS)
    for method, container in zip(METHODS, axes.containers, strict=True):
        line = container.lines[0]
        assert list(line.get_xdata()) == [0, 25, 50, 75, 90]
        expected = [r["mean"] for c in shares_of(table) for r in c["rows"] if r["method"] == method]
        assert list(line.get_ydata()) == pytest.approx(expected)
    assert {text.get_text() for text in axes.texts} >= set(METHODS)
    (png,) = write_shares_figure(tmp_path, table)
    assert png.exists() and png.with_suffix(".svg").exists()
    with pytest.raises(ValueError, match="nothing to show"):
        accuracy_by_share([])
