"""Turns that look wrongly answered: planted ones are found in runs of every kind of model, and told why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tasksieve.dialogs.archives import mislabelled
from tasksieve.dialogs.formats.chat import write_chat
from tasksieve.dialogs.simulate import simulate_support
from tasksieve.encoding import Example
from tasksieve.errors import UserError
from tasksieve.experiments.published.table1_rows import auroc
from tasksieve.records.config import config_from
from tasksieve.records.suspicious import NAME, SCHEMA
from tasksieve.report.html import write_report
from tasksieve.training.runs.dialogs import train
from tasksieve.training.suspicion import evidence, services, suspicious_turns
from tasksieve.training.suspicion.evidence import expectation, neighbours
from tasksieve.training.suspicion.scores import judge, means_by_kind, reason, standard
from tasksieve.training.suspicion.services import Service, labels_of
from tests.commands import call as cli
from tests.small import OPTIONS

Places = dict[str, frozenset[tuple[int, int]]]
RUNS: dict[str, dict[str, Any]] = {
    "actions": {"model": {"sentences": "bag-of-words"}},
    "ranked": {"data": {"predict": "responses"}, "model": {"kind": "ranking", "sentences": "bag-of-words"}},
    "network": {
        "data": {"predict": "actions"},
        "model": {"kind": "memory-network", "dim": 6},
        "weight_module": {"kind": "memory-network", "dim": 4},
    },
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Places]:
    """A folder with train.jsonl, valid.jsonl and two related tasks, and the wrong turns of each."""
    folder = tmp_path_factory.mktemp("planted")
    new = simulate_support(desk="new", dialogs={"train": 8, "valid": 8}, seed=5)
    old = simulate_support(desk="old", dialogs={"billing": 16, "tariffs": 14}, seed=5)
    places: Places = {}
    write_chat(new["valid"], folder / "valid.jsonl")
    for name, dialogs in {"train": new["train"], **old}.items():
        wrong, places[name] = mislabelled(dialogs, 0.1, name)
        write_chat(wrong, folder / f"{name}.jsonl")
    return folder, places


def trained(folder: Path, kind: str, method: str = "learned") -> Path:
    """A short run, trained once."""
    values: dict[str, Any] = {name: dict(section) for name, section in RUNS[kind].items()}
    related = [] if method == "primary" else [str(folder / f"{name}.jsonl") for name in ("billing", "tariffs")]
    files = {"primary": str(folder / "train.jsonl"), "valid": str(folder / "valid.jsonl"), "related": related}
    values["data"] = {**values.get("data", {}), **files}
    quick = {key: value for key, value in OPTIONS["training"].items() if key != "pretrain_iterations"}
    values["training"] = {**quick, "iterations": 24, "method": method}
    values["screening"] = {"trials": 0}
    train(config_from(values), folder / f"run-{kind}-{method}")
    return folder / f"run-{kind}-{method}"


def of_part(table: pl.DataFrame, part: str, service: str, wrong: frozenset[tuple[int, int]]) -> float:
    """How well the wrong turns of one task are told by their scores."""
    turns = table.filter((pl.col("part") == part) & (pl.col("service") == service))
    labels = [place in wrong for place in turns.select("dialog", "turn").iter_rows()]
    return auroc(pl.DataFrame({"weight": turns["score"], "label": labels}))


@pytest.mark.parametrize("kind", RUNS)
def test_planted_wrong_turns_stand_out_in_runs_of_every_kind_of_model(
    planted: tuple[Path, Places], kind: str
) -> None:
    folder, places = planted
    found = suspicious_turns(trained(folder, kind), every=True)
    assert found.table.schema == pl.Schema(SCHEMA)
    assert found.not_borrowed == 0
    assert found.table["score"].is_sorted(descending=True)
    for part, service, name in (
        ("primary", "", "train"),
        ("related", "billing", "billing"),
        ("related", "tariffs", "tariffs"),
    ):
        least = 0.8 if part == "related" else 0.6  # eight dialogs, and a model that has hardly learned them
        assert of_part(found.table, part, service, places[name]) > least, (part, service)
    first = found.table.filter(pl.col("part") == "related").row(0, named=True)
    lines = (folder / f"{first['service']}.jsonl").read_text(encoding="utf-8").splitlines()
    assert first["response"] in [said["content"] for said in json.loads(lines[first["line"] - 1])["messages"]]
    assert first["reason"]


def test_a_run_that_borrows_nothing_has_its_own_turns_judged(planted: tuple[Path, Places]) -> None:
    found = suspicious_turns(trained(planted[0], "actions", "primary"))
    assert set(found.table["part"]) == {"primary", "validation"}
    assert found.table["weight"].null_count() == len(found.table)


def test_what_a_run_hardly_borrows_is_left_out_and_counted(planted: tuple[Path, Places]) -> None:
    run = trained(planted[0], "actions")
    every, borrowed = suspicious_turns(run, every=True), suspicious_turns(run)
    assert len(every.table) == len(borrowed.table) + borrowed.not_borrowed
    assert borrowed.related == len(every.table.filter(pl.col("part") == "related"))


def test_how_many_turns_are_not_looked_at_is_said_and_how_to_look_at_them(
    planted: tuple[Path, Places], monkeypatch: pytest.MonkeyPatch
) -> None:
    def every_second_kind(folder: Any, services: Sequence[Service]) -> list[Any]:
        kinds = sorted({example.kind for one in services for example in one.examples})
        return [np.array([float(kinds.index(e.kind) % 2) for e in one.examples]) for one in services]

    monkeypatch.setattr("tasksieve.training.suspicion.suspicious._weights", every_second_kind)
    run = trained(planted[0], "actions")
    told = json.loads(cli("weights", run, "--suspicious", "--json").out)
    assert 0 < told["not_borrowed"] < told["related"]
    said = " ".join(cli("weights", run, "--suspicious").out.split())
    assert (
        f"Not looked at: {told['not_borrowed']:,} of {told['related']:,} related turns, of kinds with less than"
        in said
    )
    assert "--every looks at them too, as does a run of multitask" in said
    every = cli("weights", run, "--suspicious", "--every")
    assert every.code == 0 and "Not looked at" not in every.out
    assert cli("weights", run, "--every").code == 2


def test_the_command_shows_keeps_and_exports_them(planted: tuple[Path, Places], tmp_path: Path) -> None:
    run, out = trained(planted[0], "actions"), tmp_path / "turns.csv"
    ended = cli("weights", run, "--suspicious", "--top", 3, "--out", out)
    assert ended.code == 0, ended.err
    assert "1. " in ended.out
    assert "4. " not in ended.out
    assert "let expect" in ended.out or "have something else" in ended.out
    written = pl.read_csv(out)
    assert written.columns == list(SCHEMA)
    assert f"Wrote {len(written):,} rows" in ended.out.replace("\n", "")
    told = json.loads(cli("weights", run, "--suspicious", "--json").out)
    assert len(told["turns"]) == 10
    page = write_report(run, tmp_path / "report.html").read_text()
    assert "Turns that look wrongly answered" in page
    for wrong in (("--out", "turns.xls"), ("--bottom", 3)):
        assert cli("weights", run, "--suspicious", *wrong).code == 2
    (run / NAME).write_bytes(b"damaged")
    assert "They cannot be shown" in write_report(run, tmp_path / "report.html").read_text()


def test_files_that_changed_and_simple_baselines_are_refused(planted: tuple[Path, Places], tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in planted[0].glob("*.jsonl"):
        (folder / file.name).write_bytes(file.read_bytes())
    run = trained(folder, "actions", "primary")
    simple = trained(folder, "actions", "tfidf")
    with pytest.raises(UserError, match="a simple baseline, which keeps no model"):
        suspicious_turns(simple)
    lines = (folder / "train.jsonl").read_text().splitlines(keepends=True)
    (folder / "train.jsonl").write_text("".join(lines[:-1]))
    with pytest.raises(UserError, match="is not what the run was trained on"):
        suspicious_turns(run)
    (folder / "train.jsonl").unlink()
    with pytest.raises(
        UserError, match=r"was not found at .*train\.jsonl; the run was trained on it: run the command in"
    ):
        suspicious_turns(run)


def service(contexts: Sequence[Sequence[float]], texts: Sequence[str], losses: Sequence[float] = ()) -> Service:
    """A service of one turn a dialog."""
    from scipy.sparse import csr_matrix

    count = len(texts)
    rows = csr_matrix(np.array(contexts) / np.linalg.norm(contexts, axis=1, keepdims=True))
    known = np.unique(texts, return_inverse=True)[1]
    return Service(
        tuple(Example(number, 0, "hi", text) for number, text in enumerate(texts)),
        np.arange(count),
        rows,
        csr_matrix(np.eye(known.max() + 1)[known]),
        labels_of(texts),
        tuple(texts),
        np.array(losses or [1.0] * count),
        np.ones(count),
    )


def one_wrong(count: int = 40) -> Service:
    """Two kinds of contexts, each with its answer; turn 3, of the first kind, has the other's."""
    random = np.random.default_rng(0)
    kinds = np.arange(count) % 2
    contexts = np.eye(2)[kinds] @ np.array([[1.0, 0, 0.2], [0, 1.0, 0.2]]) + 0.1 * random.random((count, 3))
    texts = ["yes" if kind else "no" for kind in kinds]
    texts[3] = "no"
    return service(contexts, texts)


def test_neighbours_and_expectation_each_speak_against_the_one_wrong_turn() -> None:
    turns = one_wrong()
    near, expected = neighbours(turns), expectation(turns)
    assert near.against.argmax() == expected.against.argmax() == 3
    assert near.others[3] == 1.0
    assert turns.texts[expected.nearest[3]] == "yes"
    judged = judge(turns)
    assert judged.scores.argmax() == 3
    told = reason(turns, judged, 3, None, None)
    assert "4 of the 4 turns with the most similar contexts have something else" in told
    assert "let expect 'yes'" in told


def test_turns_of_the_same_dialog_are_no_witnesses() -> None:
    turns = one_wrong()
    alone = Service(**{**{name: getattr(turns, name) for name in Service.__slots__}, "dialogs": np.zeros(40, int)})
    assert (expectation(alone).against[turns.labels == 0] == expectation(alone).against[0]).all()
    assert not neighbours(alone).against.any()


def test_where_one_dialog_has_nearly_all_turns_its_own_are_not_counted_as_neighbours() -> None:
    turns = one_wrong()
    dialogs = np.array([0] * 39 + [1])
    whole = Service(**{**{name: getattr(turns, name) for name in Service.__slots__}, "dialogs": dialogs})
    near = neighbours(whole)
    assert near.counts.tolist() == [1] * 39 + [4]
    other = (whole.labels[:39] != whole.labels[39]).astype(float)
    assert near.others[:39].tolist() == near.against[:39].tolist() == other.tolist()
    told = reason(whole, judge(whole), 3, None, None)
    assert "1 of the 1 turns with the most similar contexts have something else" in told


def test_a_low_weight_within_its_kind_is_told() -> None:
    turns = one_wrong()
    weights = np.full(40, 0.8)
    weights[3] = 0.1
    means = means_by_kind(["a kind"] * 40, weights)
    assert means == pytest.approx(np.full(40, weights.mean()))
    assert "its weight is 0.10, the mean of its kind, other, 0.78" in reason(turns, judge(turns), 3, weights, means)
    assert "weight" not in reason(turns, judge(turns), 4, weights, means)


def test_standard_deviations_ignore_what_is_no_number_and_are_bounded() -> None:
    found = standard(np.array([0.0, 0.0, np.nan, 0.0, 1e9] + [0.0] * 60))
    assert found[2] == 0.0
    assert found[4] == 5.0
    assert not standard(np.full(3, 2.0)).any()
    assert not standard(np.full(3, np.nan)).any()


def test_of_very_many_turns_some_are_compared_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "WITNESSES", 24)
    monkeypatch.setattr(evidence, "_CELLS", 100)
    turns = one_wrong()
    near, expected = neighbours(turns), expectation(turns)
    assert (near.counts == 3).all()
    assert near.against.argmax() == expected.against.argmax() == 3
    said = service(np.random.default_rng(1).random((40, 3)).tolist(), [f"answer {number}" for number in range(40)])
    assert said.labels is None
    assert len(np.unique(expectation(said).nearest)) <= 24
    assert (neighbours(said).counts == 3).all()


def test_too_many_different_answers_are_no_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    assert labels_of(["a", "b", "a", "b"]) is not None
    assert labels_of(["a", "b", "c", "a"]) is None
    monkeypatch.setattr(services, "MOST_LABELS", 1)
    assert labels_of(["a", "b", "a", "b"]) is None


def test_what_speaks_for_an_answer_is_no_reason_against_it() -> None:
    turns = one_wrong()
    losses = np.full(40, 0.001)
    losses[3] = 0.01
    sure = Service(**{**{name: getattr(turns, name) for name in Service.__slots__}, "losses": losses})
    assert judge(sure).losses[3] == 5.0
    assert "the trained model gives it" not in reason(sure, judge(sure), 3, None, None)
    losses[5] = 3.0
    assert "the trained model gives it 5.0 %, and 99.9 %" in reason(sure, judge(sure), 5, None, None)
    told = reason(sure, judge(sure), 4, None, None)
    assert told == "nothing by itself speaks against it"
