"""What was found, as CSV: a row a run, and every method against `primary` and `multitask` with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasksieve.experiments.result_tables import BOOTSTRAP, STUDENT, write_board_tables, write_comparison_tables
from tasksieve.records.comparison import Comparison, MeasuredSeed, comparison_row, run_name
from tasksieve.records.run_folder import RunFolder

REACHED = {"primary": (60.0, 62.0), "multitask": (65.0, 66.0), "mine": (70.0, 74.0)}


def seeds_of(method: str) -> list[MeasuredSeed]:
    """Two runs of a method, measured on four dialogs of ten turns."""
    return [
        MeasuredSeed(
            seed=seed,
            test_accuracy=reached,
            valid_accuracy=50.0,
            per_dialog_accuracy=10.0,
            iterations=12,
            seconds=1.0,
            measures={"accuracy": reached, **({"acts_micro_f1": 80.0} if method == "mine" else {})},
            by_dialog={"turns": [10] * 4, "accuracy": [round(reached / 10)] * 4},
        )
        for seed, reached in enumerate(REACHED[method])
    ]


def comparison_in(folder: Path, *, dialogs: bool) -> Comparison:
    """A comparison of two known methods and one of a plug-in, with or without what each dialog reached."""
    rows = []
    for method in REACHED:
        seeds = seeds_of(method)
        rows.append(comparison_row(method, 5, seeds, seeds_of("primary")))
        for one in seeds if dialogs else ():
            run = RunFolder(folder / "runs" / run_name(method, 5, one.seed))
            run.path.mkdir(parents=True)
            run.write_record("test", {"by_dialog": one.by_dialog})
    return Comparison(rows=tuple(rows), verdict="")


def test_every_run_has_a_row_with_all_measures(tmp_path: Path) -> None:
    write_comparison_tables(tmp_path, comparison_in(tmp_path, dialogs=False))
    runs = pl.read_csv(tmp_path / "comparison.csv")
    assert runs.select("method", "size", "seed", "test").rows() == [
        (method, 5, seed, reached) for method, both in REACHED.items() for seed, reached in enumerate(both)
    ]
    assert runs["test accuracy"].to_list() == runs["test"].to_list()
    assert runs["test acts_micro_f1"].to_list() == [None] * 4 + [80.0] * 2


@pytest.mark.parametrize(("dialogs", "kind"), [(True, BOOTSTRAP), (False, STUDENT)])
def test_every_method_is_held_against_both_with_what_the_interval_is_of(
    tmp_path: Path, dialogs: bool, kind: str
) -> None:
    write_comparison_tables(tmp_path, comparison_in(tmp_path, dialogs=dialogs))
    rows = {row["method"]: row for row in pl.read_csv(tmp_path / "comparison-methods.csv").to_dicts()}
    mine = rows["mine"]
    assert (mine["minus_primary"], mine["minus_multitask"]) == (11.0, 6.5)
    assert mine["minus_primary_interval"] == mine["minus_multitask_interval"] == kind
    assert mine["minus_multitask_seeds_low"] < mine["minus_multitask_low"] or not dialogs
    assert mine["minus_multitask_low"] <= mine["minus_multitask"] <= mine["minus_multitask_high"] or dialogs
    assert rows["primary"]["minus_primary"] is None
    assert rows["primary"]["minus_multitask"] == -4.5


def test_the_board_has_a_row_a_run_and_a_row_a_method(tmp_path: Path) -> None:
    place = {"predict": "actions", "archive": "clean", "size": 5, "method": "learned", "measure": "accuracy"}
    seeds = [{"seed": n, "test": {"accuracy": 70.0 + n}, "valid": 60.0, "seconds": 1.0} for n in range(2)]
    mean: dict[str, Any] = {
        **place,
        "primaries": ["a"],
        "runs": 2,
        "mean": 70.5,
        "sd": 0.7,
        "minus_primary": 2.0,
        "ci95": {"minus_primary": [1.0, 3.0]},
    }
    row = {**place, "primary": "a", "dialogs": 5, "seeds": seeds}
    write_board_tables(tmp_path, {"rows": [row], "means": [mean]})
    assert pl.read_csv(tmp_path / "archive.csv").select("primary", "seed", "accuracy").rows() == [
        ("a", 0, 70.0),
        ("a", 1, 71.0),
    ]
    (told,) = pl.read_csv(tmp_path / "archive-methods.csv").to_dicts()
    assert (told["minus_primary_low"], told["minus_primary_high"], told["minus_multitask"]) == (1.0, 3.0, None)
