"""Simple baselines: against scikit-learn's own and plain formulas; as runs of a comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from tasksieve.dialogs import Dialog, Record, Turn
from tasksieve.encoding import Reader
from tasksieve.errors import UserError
from tasksieve.experiments.compare import Plan, compare
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.methods import all_methods
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.simple import run as simple_run
from tasksieve.training.runs.simple.classifier import Classifier
from tasksieve.training.runs.simple.contexts import seen_turns
from tasksieve.training.runs.simple.ranker import Ranker
from tasksieve.training.runs.simple.texts import K1, B, Terms
from tasksieve.training.runs.trained_model import TrainedModel, evaluate_run
from tests.small import small_config

CLASSIFY, RANK = ("tfidf", "tfidf-all", "encoder", "encoder-all"), ("bm25", "cosine", "cosine-encoder")
TEXTS = ["Where would you like to go?", "to rome, to rome", "a table for two", "", "Rome"]


@pytest.mark.parametrize("pairs", [False, True])
def test_tfidf_is_that_of_scikit_learn(pairs: bool) -> None:
    plain = [" ".join(word.strip("?,").lower() for word in text.split()) for text in TEXTS]
    expected = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2 if pairs else 1), sublinear_tf=True)
    wanted = expected.fit_transform(plain)
    terms = Terms.of(TEXTS, pairs=pairs)
    assert terms.terms == tuple(expected.get_feature_names_out())
    assert terms.tfidf(TEXTS).toarray() == pytest.approx(wanted.toarray())


def test_bm25_is_its_formula() -> None:
    terms = Terms.of(TEXTS, pairs=False)
    found = (terms.there(["rome to to"]) @ terms.bm25(TEXTS).T).toarray()[0]
    words = [[word.strip("?,").lower() for word in text.split()] for text in TEXTS]
    average = sum(map(len, words)) / len(words)

    def score(said: list[str], word: str) -> float:
        holders = sum(word in other for other in words)
        count, length = said.count(word), K1 * (1 - B + B * len(said) / average)
        return math.log(1 + (len(words) - holders + 0.5) / (holders + 0.5)) * count * (K1 + 1) / (count + length)

    assert found == pytest.approx([score(said, "rome") + score(said, "to") for said in words])


def test_texts_without_words_have_no_terms() -> None:
    terms = Terms.of(["", " "], pairs=True)
    assert terms.terms == ()
    assert terms.tfidf(["a"]).shape == terms.bm25(["a"]).shape == (1, 0)


@pytest.mark.parametrize("labels", [[1, 1, 1, 1], [0, 2, 0, 2], [0, 1, 2, 1]])
def test_a_classifier_learns_what_can_be_told_apart(labels: list[int]) -> None:
    rows = np.eye(4, dtype=np.float32)
    found = Classifier.fit(rows, np.array(labels), np.ones(4), 4, 100.0, 50)
    logits = found.logits(rows)
    assert logits.argmax(axis=1).tolist() == labels
    unseen = [label for label in range(4) if label not in labels]
    assert np.isneginf(logits[:, unseen]).all()
    assert np.isneginf(found.without(1).logits(rows)[:, 1:]).all()


def test_what_tools_have_just_returned_is_seen() -> None:
    found = [Record.of("Buses", {"fare": "20", "seats": 3}), Record.of("Buses", {"fare": "31", "seats": 3})]
    dialog = Dialog((Turn("hi", "hello"), *found, Turn("to rome", "i found one")))
    first, second = seen_turns([dialog], Reader().read([dialog]), 250)
    assert first.context.fresh == "records=0"
    words = second.context.fresh.split()
    assert words[:2] == ["records=2", "Buses"]
    assert words.count("Buses.fare") == 2
    assert "fare=31" in words
    assert (second.context.user, second.context.last) == ("to rome", "hello")
    assert second.context.history.startswith("hi\nhello") or "hello" in second.context.history


def vectors(texts: Sequence[str]) -> torch.Tensor:
    """Counts of letters: an encoder that needs no files."""
    return torch.tensor([[float(text.lower().count(letter)) for letter in "aeiourstn"] for text in texts])


def test_the_cosine_of_sentence_vectors_ranks_responses() -> None:
    ranker = Ranker.of("encoder", [], vectors)
    dialog = Dialog((Turn("rest", "tree"),))
    (turn,) = seen_turns([dialog], Reader().read([dialog]), 250)
    scores = ranker.scores([turn.context], ranker.rows(["rest", "oooo", ""]))
    assert scores[0] == pytest.approx([1.0, 0.0, 0.0])


@pytest.mark.parametrize("method", [*CLASSIFY, *RANK])
def test_every_simple_method_leaves_a_run_that_can_be_measured(
    method: str, tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simple_run, "sentence_vectors", lambda config: vectors)
    related = ["restaurant"] if method.endswith("-all") else []
    config = small_config(tasks_dir, *related, training={"method": method})
    result = train(config, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    assert folder.finished
    assert (result["method"], result["size"], result["iterations"]) == (method, 6, 0)
    valid = evaluate_run(tmp_path / "run", tasks_dir / "primary", "valid", predictions=tmp_path / "said.parquet")
    assert valid["accuracy"] == pytest.approx(result["valid_accuracy"])
    said = pl.read_parquet(tmp_path / "said.parquet")
    assert said["hit"].mean() == pytest.approx(valid["accuracy"] / 100)
    assert said.filter(pl.col("hit"))["rank"].to_list() == [1] * int(said["hit"].sum())
    assert ("selection" in valid) == (method in RANK)
    assert train(config, tmp_path / "run") == result  # done before
    with pytest.raises(UserError, match=f"was fitted by '{method}', a simple baseline"):
        TrainedModel.load(tmp_path / "run")


def test_related_turns_teach_what_the_primary_dialogs_lack(tmp_path: Path) -> None:
    answers = {"rome": "to rome then", "oslo": "oslo is cold", "lima": "lima is far"}

    def write(name: str, cities: list[str]) -> str:
        rows = [
            {"dialog": n, "user": f"{n} to {city} please", "system": answers[city]} for n, city in enumerate(cities)
        ]
        pl.DataFrame(rows).write_csv(tmp_path / name)
        return str(tmp_path / name)

    data = {
        "primary": write("train.csv", ["rome", "oslo"] * 3),
        "valid": write("valid.csv", ["rome", "oslo", "lima"]),
        "related": [write("related.csv", ["lima", "oslo"] * 8)],
    }
    test, found = write("test.csv", ["rome", "oslo", "lima"] * 4), {}
    for method in ("tfidf", "tfidf-all"):
        train(small_config(tmp_path, data=data, training={"method": method}), tmp_path / method)
        found[method] = evaluate_run(tmp_path / method, test)["accuracy"]
    assert found["tfidf"] <= 200 / 3  # it has never seen one of the three
    assert found["tfidf-all"] > found["tfidf"]


@pytest.fixture
def without_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasksieve.experiments.compare.has_vectors", lambda config: False)


@pytest.mark.usefixtures("without_encoder")
def test_a_comparison_has_simple_rows_once_and_names_the_best(tasks_dir: Path, tmp_path: Path) -> None:
    config = small_config(tasks_dir, "restaurant")
    plan = Plan(config, str(tasks_dir / "primary"), ("primary", "multitask"), (), 2, tmp_path, methods_given=False)
    found = compare(plan)
    rows = {row.method: row for row in found.rows}
    assert {"tfidf", "tfidf-all"} <= rows.keys()
    assert [len(rows[name].seeds) for name in ("multitask", "tfidf")] == [2, 1]
    assert found.measure == "accuracy of responses"
    assert rows["multitask"].best_simple in rows
    assert rows["multitask"].ci95_bootstrap is not None
    assert rows["tfidf"].minus_primary == pytest.approx(rows["tfidf"].mean - rows["primary"].mean)
    assert rows["multitask"].best_simple in found.verdict
    assert set(rows["primary"].seeds[0].measures) >= {"accuracy", "R_100@1", "MRR_20"}
    assert (tmp_path / "runs" / "tfidf-6-0" / "predictions.parquet").exists()
    assert compare(plan) == found


def write_csv(path: Path, responses: list[str]) -> str:
    rows = [{"dialog": n // 2, "user": f"question {n}", "system": text} for n, text in enumerate(responses)]
    pl.DataFrame(rows).write_csv(path)
    return str(path)


@pytest.mark.usefixtures("without_encoder")
def test_responses_that_are_said_once_are_judged_by_their_rank(tmp_path: Path) -> None:
    files = {
        split: write_csv(tmp_path / f"{split}.csv", [f"{split} answer number {n}" for n in range(8)])
        for split in ("train", "valid", "test")
    }
    data: dict[str, Any] = {"data": {"primary": files["train"], "valid": files["valid"]}}
    config = small_config(tmp_path, **data)
    plan = Plan(config, files["test"], ("primary",), (), 1, tmp_path / "out", methods_given=False)
    found = compare(plan)
    assert found.measure == "R_100@1"
    assert [row.method for row in found.rows][:3] == ["primary", "bm25", "cosine"]
    for row in found.rows:
        assert row.seeds[0].test_accuracy == row.seeds[0].measures["R_100@1"]
    result = RunFolder(tmp_path / "out" / "runs" / "primary-4-0").read_record("result")
    assert result["measure"] == "R_100@1"
    refused = Plan(config, files["test"], ("primary", "tfidf"), (), 1, tmp_path / "other")
    with pytest.raises(UserError, match="method 'tfidf' learns responses that repeat"):
        compare(refused)


def test_help_has_a_line_for_every_simple_method() -> None:
    simple = {name: method for name, method in all_methods().items() if method.simple}
    assert set(simple) == {*CLASSIFY, *RANK}
    assert all(method.summary.endswith(".") and not method.weights_batches for method in simple.values())
    assert [name for name, method in simple.items() if method.borrows] == ["encoder-all", "tfidf-all"]
