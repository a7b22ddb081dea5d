"""Measures against naive counting: acts, ranks among distractors, what is written of every turn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from tasksieve.dialogs import Act, Dialog, Record, Turn
from tasksieve.encoding import Batch, Choices, EncodedTask, Names, Reader, Vocabulary, bag_of
from tasksieve.encoding.candidates import Candidates
from tasksieve.errors import UserError
from tasksieve.models import DialogModel
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.measures import act_scores, summary
from tasksieve.training.runs.predictions import distractors_of, predict, selection_columns, write_predictions
from tasksieve.training.runs.selection import Distractors, Ranking, selection_ranks

ACTS = st.lists(st.sampled_from(["inform", "offer", "goodbye", "request_city"]), max_size=3, unique=True)
LABELS = ACTS.map(sorted).map(" ".join)


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=8))
@settings(deadline=None, max_examples=50)
def test_f1_over_acts_is_that_of_scikit_learn(turns: list[tuple[str, str]]) -> None:
    right, predicted = [one for one, _ in turns], [other for _, other in turns]
    binary = MultiLabelBinarizer().fit([text.split() for text in [*right, *predicted]])
    found = act_scores(right, predicted)
    if len(binary.classes_) < 2:  # a single column is taken for two classes there
        assert found["micro_f1"] == found["macro_f1"]
        return
    sides = [binary.transform([text.split() for text in side]) for side in (right, predicted)]
    for name in ("micro", "macro"):
        expected = 100.0 * f1_score(*sides, average=name, zero_division=0.0)
        assert found[f"{name}_f1"] == pytest.approx(expected)


@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=6), st.integers(2, 5))
@settings(deadline=None, max_examples=50)
def test_ties_count_against_the_right_response(rows: list[list[int]], size: int) -> None:
    found = selection_ranks(torch.tensor(rows, dtype=torch.float32), size)
    assert found.tolist() == [1 + sum(score >= row[0] for score in row[1:size]) for row in rows]


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=20), st.integers(0, 3))
@settings(deadline=None, max_examples=50)
def test_distractors_are_distinct_and_never_the_right_response(right: list[str], seed: int) -> None:
    pool = [*right, *(text.upper() for text in right), *(f"{text} ." for text in right)]
    drawn = Distractors.draw(right, pool, seed)
    assert drawn == Distractors.draw(right, pool, seed)
    for text, numbers in zip(right, drawn.drawn, strict=True):
        bags = [bag_of(drawn.texts[number]) for number in numbers]
        assert bag_of(text) not in bags
        assert len(bags) == len(set(bags)) == len(set(right)) - 1  # as many as there are


def test_ninety_nine_are_drawn_where_there_are_more() -> None:
    texts = [f"response {number}" for number in range(500)]
    drawn = Distractors.draw(texts, texts)
    assert {len(numbers) for numbers in drawn.drawn} == {99}
    assert len(set(drawn.drawn)) == 500
    assert Distractors.draw(texts, texts, 1) != drawn


class Longest(DialogModel):
    """Likes long choices, and the first entity."""

    @classmethod
    def build(cls, config: object, words: int, heads: object, generator: object) -> Longest:
        return cls()

    def scores(self, batch: Batch, *choices: Choices) -> tuple[torch.Tensor, ...]:
        return tuple(self._one(batch, one) for one in choices)

    def _one(self, batch: Batch, choices: Choices) -> torch.Tensor:
        return choices.scores(torch.ones(len(batch), 1), choices.table.lengths[:, None].float())


def _encoded(dialogs: list[Dialog], names: Names | None = None) -> tuple[Encoding, list, EncodedTask]:  # type: ignore[type-arg]
    readings = Reader("all", names).read(dialogs)
    vocabulary = Vocabulary.of(readings)
    encoding = Encoding(vocabulary, {"primary": Candidates(["hello"], vocabulary)}, 250, Reader("all", names))
    return encoding, readings, encoding.encode(readings)


def test_responses_that_are_no_candidates_are_ranked_among_others() -> None:
    said = ["hello", "how are you", "one two three four", "good bye"]
    encoding, readings, task = _encoded([Dialog(tuple(Turn("hi", text) for text in said))])
    frame = predict(Longest(), encoding, readings, task, distractors_of(task.examples, readings))
    assert frame["rank"].to_list() == [1, None, None, None]
    assert frame["rank_100"].to_list() == [4, 2, 1, 3]
    assert frame["among_100"].to_list() == [4] * 4
    record = summary(frame, task.coverage, "responses")
    assert record["selection"]["100"]["recall@1"] == record["measures"]["R_100@1"] == 25.0
    assert record["measures"]["R_20@3"] == 75.0
    assert record["measures"]["MRR_100"] == pytest.approx(25 * (1 / 4 + 1 / 2 + 1 + 1 / 3))
    assert record["selection"]["20"]["fewest_ranked"] == 4
    assert record["by_dialog"] == {"dialog": [0], "turns": [4], "accuracy": [1], "R_100@1": [1]}
    assert "acts" not in record


def test_distractors_of_other_services_are_measured_apart() -> None:
    encoding, readings, task = _encoded([Dialog((Turn("hi", "hello"), Turn("hi", "how are you")))])
    drawn = distractors_of(task.examples, readings, [["hello how are you", "hello ."]])
    record = summary(predict(Longest(), encoding, readings, task, drawn), task.coverage, "responses")
    assert record["measures"]["R_100@1"] == 50.0
    assert record["measures"]["R_100@1 random"] == 0.0


def test_a_text_that_names_a_known_entity_is_a_template_with_it() -> None:
    names = Names({"hotel": ("name",)})
    hotels = [Record.of("hotel", {"name": name, "stars": "5"}) for name in ("Da Enzo", "Grand Inn")]
    dialogs = [
        Dialog((*hotels, Turn("hi", "try Grand Inn please"), Turn("no", "try Da Enzo please"))),
        Dialog((Turn("hi", "yes of course"),)),
    ]
    encoding, readings, task = _encoded(dialogs, names)
    assert [turn.response for turn in readings[0].turns] == ["try <entity> please"] * 2
    drawn = distractors_of(task.examples, readings)[""]
    scores = Ranking(encoding, readings, task, drawn).scores(Longest())
    there = {drawn.texts[number]: float(score) for number, score in zip(drawn.drawn[0], scores[0, 1:], strict=True)}
    shares = torch.tensor([float(scores[0, 0]), there["try Da Enzo please"]]) - 3
    assert float(shares.exp().sum()) == pytest.approx(1.0)  # the template's score, and a share for each entity
    assert there["yes of course"] == 3.0
    elsewhere = {drawn.texts[n]: float(s) for n, s in zip(drawn.drawn[2], scores[2, 1:], strict=True)}
    assert elsewhere["try Da Enzo please"] == 2.0  # nobody knows it there: its known words alone


def test_measures_of_actions_are_of_sets_of_acts() -> None:
    turns = (
        Turn("hi", "which city?", acts=(Act("request", "city"),)),
        Turn("rome", "fine, bye", acts=(Act("inform"), Act("goodbye"))),
    )
    reader = Reader("all", None, "actions")
    readings = reader.read([Dialog(turns)])
    vocabulary = Vocabulary.of(readings)
    candidates = Candidates(["goodbye", "request_city"], vocabulary)
    encoding = Encoding(vocabulary, {"primary": candidates}, 250, reader)
    task = encoding.encode(readings)
    frame = predict(Longest(), encoding, readings, task, {})
    assert frame["right"].to_list() == ["request_city", "goodbye inform"]
    record = summary(frame, task.coverage, "actions")
    assert set(record["acts"]) == {"micro_f1", "macro_f1"}
    assert record["measures"]["micro-F1"] == pytest.approx(40.0)
    assert "selection" not in record


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_predictions_are_written_by_the_files_ending(tmp_path: Path, ending: str) -> None:
    encoding, readings, task = _encoded([Dialog((Turn("hi", "hello"), Turn("hi", "how are you")))])
    frame = predict(Longest(), encoding, readings, task, {})
    file = tmp_path / f"said.{ending}"
    write_predictions(file, frame)
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "jsonl": pl.read_ndjson}[ending](file)
    assert read["predicted"].to_list() == ["hello", "hello"]
    assert read["hit"].to_list() == [True, False]
    assert read["rank"].to_list() == [1, None]
    with pytest.raises(UserError, match=r"ends in '.txt'; expected .parquet, .csv, .jsonl"):
        write_predictions(tmp_path / "said.txt", frame)


def test_given_candidates_are_ranked_without_the_right_one_and_its_twins() -> None:
    drawn = Distractors.given(["a b", "c"], [["B a", "x", "y"], ["x"]])
    assert [[drawn.texts[n] for n in numbers] for numbers in drawn.drawn] == [["x", "y"], ["x"]]
    scores = torch.tensor([[1.0, 1.0, 0.0], [2.0, 1.0, -torch.inf]])
    rank, among = selection_columns("_given", scores, drawn)
    assert (rank.name, rank.to_list(), among.to_list()) == ("rank_given", [2, 1], [3, 2])


def test_scores_of_acts_are_the_same_in_every_process() -> None:
    """Sets of words come in another order in each, and sums of numbers are rounded by their order."""
    code = (
        "from tasksieve.training.runs.measures import act_scores; n = 60;"
        "right = [f'act{i} act{i * 7 % n}' for i in range(n)]; said = [f'act{i * 3 % n}' for i in range(n)];"
        "print(repr(act_scores(right, said)['macro_f1']))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(found) == 1
