"""The verdict's calibration: what is planted, what is true of it, and that verdicts are counted rightly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.archives.cipher import ciphered
from tasksieve.errors import UserError
from tasksieve.experiments.calibration.archives import PLANTED, primary_dialogs
from tasksieve.experiments.calibration.calibration import VerdictPlan, reproduce_verdict
from tasksieve.experiments.calibration.data import Numbers
from tasksieve.experiments.calibration.rows import Runs, calibration, cut, truth_of, verdict_row, with_truth
from tasksieve.records.comparison import MeasuredSeed
from tasksieve.report.verdict import verdict_sentences, verdict_table

QUICK = (
    "training.iterations=6",
    "training.evaluate_every=3",
    "training.batch_size=4",
    "model.dim=4",
    "meta.warm_up=0",
    "screening.trials=0",
)


def _plan(out: Path, **changes: Any) -> VerdictPlan:
    numbers = Numbers(train=3, valid=2, judging=3, truth=3, archive=9)
    return replace(VerdictPlan(("copy", "noise"), 2, 1, out, QUICK, numbers=numbers), **changes)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_archive_is_annotated_has_its_services_and_follows_from_its_seed(name: str) -> None:
    made = PLANTED[name].make(18, 0)
    assert tuple(made) == PLANTED[name].services
    assert all(turn.acts for dialogs in made.values() for dialog in dialogs for turn in dialog.turns)
    assert 14 <= sum(map(len, made.values())) <= 18
    assert made == PLANTED[name].make(18, 0) != PLANTED[name].make(18, 1)


def test_a_copy_shares_no_dialog_with_the_draw_it_is_for() -> None:
    own = {dialog.events for dialogs in primary_dialogs(20, 20, 20, 0).values() for dialog in dialogs}
    assert not own & {dialog.events for dialog in PLANTED["copy"].make(20, 0)["desk"]}


def test_a_cipher_replaces_a_word_by_the_same_one_everywhere_and_keeps_annotations() -> None:
    plain = PLANTED["copy"].make(10, 0)["desk"]
    other = ciphered(plain, "0")
    meanings: dict[str, set[str]] = {}
    for before, after in zip(_turns(plain), _turns(other), strict=True):
        assert (before.acts, [span.slot for span in before.spans]) == (after.acts, [s.slot for s in after.spans])
        for word, invented in zip(before.user.lower().split(), after.user.split(), strict=True):
            meanings.setdefault(word, set()).add(invented)
        if not before.system.startswith("api_call"):
            assert not {w for w in before.system.lower().split() if w.isalpha()} & set(after.system.split())
    assert all(len(found) == 1 for found in meanings.values())
    assert len({next(iter(found)) for found in meanings.values()}) == len(meanings)


def test_a_ciphered_value_stands_where_its_span_says() -> None:
    plain = PLANTED["copy"].make(10, 0)["desk"]
    for before, after in zip(_turns(plain), _turns(ciphered(plain, "0")), strict=True):
        for old, new in zip(before.spans, after.spans, strict=True):
            value, found = before.system[old.start : old.end], after.system[new.start : new.end]
            assert len(found.split()) == len(value.split())
            assert (found == value) == (not any(letter.isalpha() for letter in value))


def _turns(dialogs: list[Dialog]) -> list[Turn]:
    return [turn for dialog in dialogs for turn in dialog.turns]


def _row(archive: str, draw: int, verdict: str, difference: float) -> dict[str, Any]:
    return {"archive": archive, "draw": draw, "verdict": verdict, "differences": {"multitask": difference}}


def test_the_truth_is_the_best_methods_mean_over_draws_where_it_is_clear() -> None:
    def truth(*differences: float) -> str:
        found: str = truth_of([_row("a", n, "", value) for n, value in enumerate(differences)])["truth"]
        return found

    assert truth(2.0, 2.5, 3.0) == "pays"
    assert truth(-2.0, -2.5, -3.0) == "harms"
    assert truth(0.3, 0.4, 0.4) == "makes little difference"
    assert truth(9.0, -5.0, 3.0) == "unclear" == truth(2.0)
    rows = [
        {**_row("a", n, "", -3.0 - n), "differences": {"multitask": -3.0 - n, "learned": 2.0 + n / 9}} for n in (0, 1)
    ]
    assert (truth_of(rows)["best"], truth_of(rows)["truth"]) == ("learned", "pays")


def test_shares_count_right_verdicts_where_there_is_a_right_one() -> None:
    said = ("borrow", "undecided", "borrow", "do not borrow")
    rows = with_truth(
        [_row("good", n, word, 2.0 + n / 9) for n, word in enumerate(said)]
        + [_row("bad", n, word, -2.0 - n / 9) for n, word in enumerate(("borrow", "do not borrow"))]
        + [_row("level", n, "undecided", 0.1) for n in range(3)]
    )
    found = calibration(rows)
    assert found["right"] == 50.0 and found["borrow_where_harmful"] == 50.0
    assert found["wrong"] == pytest.approx(100 / 3, abs=0.01)
    assert [(one["archive"], one["right"]) for one in found["archives"]] == [
        ("good", 50.0),
        ("bad", 50.0),
        ("level", None),
    ]


def test_a_cut_run_is_measured_on_its_dialogs_alone() -> None:
    dialogs = {"turns": [4, 2, 4], "accuracy": [4, 1, 0]}
    seed = MeasuredSeed(
        seed=0,
        test_accuracy=50.0,
        valid_accuracy=1.0,
        per_dialog_accuracy=0.0,
        iterations=1,
        seconds=0.0,
        by_dialog=dialogs,
    )
    assert cut(seed, 0, 1).test_accuracy == 100.0
    assert cut(seed, 1, 3).test_accuracy == pytest.approx(100 / 6)
    assert cut(seed, 1, 3).by_dialog == {"turns": [2, 4], "accuracy": [1, 0]}


def test_a_calibration_goes_on_and_runs_primary_once_for_all_archives(tmp_path: Path) -> None:
    first = reproduce_verdict(_plan(tmp_path, draws=1))
    assert first["runs"] == {"done": 5, "all": 5}
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/**/test.json")}
    record = reproduce_verdict(_plan(tmp_path))
    assert record["runs"] == {"done": 10, "all": 10}
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert [(row["archive"], row["draw"]) for row in record["rows"]] == [
        ("copy", 0),
        ("copy", 1),
        ("noise", 0),
        ("noise", 1),
    ]
    assert all(set(row["differences"]) == {"multitask", "learned"} for row in record["rows"])
    assert json.loads((tmp_path / "verdict.json").read_text("utf-8"))["rows"] == record["rows"]
    assert str(tmp_path) not in (tmp_path / "verdict.json").read_text("utf-8")
    assert verdict_table(record).row_count == 2 and not [s for s in verdict_sentences(record) if "runs" in s]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"archives": ("copy", "neat")}, "found 'neat'; known: copy, near"),
        ({"archives": ("copy", "copy")}, "name each once"),
        ({"methods": ("multitask",)}, "give primary and one that borrows"),
        ({"seeds": 3, "max_seeds": 2}, "--max-seeds: found 2, fewer than the 3 of --seeds"),
    ],
)
def test_a_plan_of_what_is_not_known_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        reproduce_verdict(_plan(tmp_path, **changes))


def test_an_undecided_draw_has_more_seeds_up_to_so_many_and_the_others_keep_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(runs: Runs, size: int, judging: int, first: int) -> dict[str, Any]:
        decided = runs.archive == "copy" or (runs.draw == 1 and len(runs.seeds["primary"]) == 2)
        word = "borrow" if decided else "undecided"
        return {**verdict_row(runs, size, judging, first), "verdict": word}

    monkeypatch.setattr("tasksieve.experiments.calibration.calibration.verdict_row", said)
    record = reproduce_verdict(_plan(tmp_path, max_seeds=3))
    seeds = {(row["archive"], row["draw"]): row["seeds"] for row in record["rows"]}
    assert seeds == {("copy", 0): 1, ("copy", 1): 1, ("noise", 0): 3, ("noise", 1): 2}
    # Each draw: primary as often as its archive with most seeds, two borrowing methods as often as each archive.
    assert record["runs"] == {"done": (3 + 2 * (1 + 3)) + (2 + 2 * (1 + 2)), "all": 19}
    again = reproduce_verdict(_plan(tmp_path, max_seeds=3))
    assert again == record


def test_the_verdict_of_the_first_seeds_is_kept_beside_that_of_all(tmp_path: Path) -> None:
    record = reproduce_verdict(_plan(tmp_path, draws=1, seeds=2))
    one = reproduce_verdict(_plan(tmp_path, draws=1))
    for two, first in zip(record["rows"], one["rows"], strict=True):
        assert (two["seeds"], first["seeds"], first["first"]) == (2, 1, first["verdict"])
        assert two["first"] == two["verdict"]


def test_shares_by_the_first_seeds_stand_beside_those_by_all() -> None:
    rows = [
        {**_row("good", n, "borrow", 2.0 + n / 9), "first": word} for n, word in enumerate(("borrow", "undecided"))
    ]
    found = calibration(with_truth(rows))
    assert (found["right"], found["right_at_first"]) == (100.0, 50.0)
    record = {
        "calibration": found,
        "runs": {"done": 1, "all": 1},
        "failed": [],
        "settings": {"seeds": 3, "max_seeds": 6},
    }
    assert "Right in 100 % (50 % with 3 seeds alone)" in verdict_sentences(record)[0]
    record["settings"] = {"seeds": 3, "max_seeds": None}
    assert "alone" not in verdict_sentences(record)[0]
