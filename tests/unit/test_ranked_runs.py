"""A run whose measure is ranking: which model it has, what is read as it was written, and what is said in the end."""

from __future__ import annotations

import random
import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tasksieve.audit import audit
from tasksieve.audit.audit import audit_splits
from tasksieve.audit.splits import Splits
from tasksieve.cli.compare import print_comparison
from tasksieve.dialogs import Dialog, Record, Turn
from tasksieve.dialogs.formats import FORMATS
from tasksieve.encoding.known_responses import known_responses
from tasksieve.experiments.compare import Plan, compare
from tasksieve.records.config import RunConfig, config_from
from tasksieve.records.measures import fewer_ranked
from tasksieve.report.html import write_report
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialog_tasks import load_tasks
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.settled import settled
from tasksieve.training.runs.trained_model import TrainedModel, evaluate_run

CITIES = ("Rome", "Oslo", "Bonn", "Lima", "Cork", "Nice", "Bern", "Kyiv")
SAID = ("sure", "fine", "well", "okay", "right", "so", "good", "then", "now", "great")


def trips(count: int, seed: int) -> list[Dialog]:
    """Dialogs about buses, each with a fare of its own, of which no response is said twice."""
    draw = random.Random(seed)
    dialogs = []
    for number in range(count):
        city, fare = draw.choice(CITIES), 1000 * seed + 100 + number
        before = " ".join(draw.sample(SAID, 5))
        record = Record.of("trip", {"to": city, "fare": str(fare)})
        dialogs.append(
            Dialog(
                (
                    Turn(f"a bus to {city}", f"{before} on which day to {city}"),
                    record,
                    Turn("tomorrow", f"{' '.join(draw.sample(SAID, 4))} it is {fare} dollars"),
                )
            )
        )
    return dialogs


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    folder = tmp_path_factory.mktemp("trips")
    known = FORMATS["chat"]
    files = {}
    for name, count, seed in (("train", 12, 1), ("valid", 8, 2), ("test", 8, 3), ("other", 12, 4), ("more", 9, 5)):
        files[name] = str(folder / f"{name}{known.suffixes[0]}")
        known.write(trips(count, seed), Path(files[name]))
    return config_from(
        {
            "data": {
                "primary": files["train"],
                "valid": files["valid"],
                "related": [files["other"], files["more"]],
                "predict": "responses",
            },
            "model": {"sentences": "bag-of-words"},
            "training": {"method": "multitask", "iterations": 6, "evaluate_every": 3},
        }
    )


def test_a_run_that_ranks_reads_all_as_it_was_written(config: RunConfig) -> None:
    ready = settled(config)
    assert (ready.model.kind, ready.model.facts, ready.weight_module.kind) == ("ranking", "all", "groups")
    tasks = load_tasks(ready, method_named("multitask"))
    assert tasks.measure == "R_100@1"
    assert tasks.encoding.reader.written
    (related,) = tasks.related
    for task in (tasks.primary, related):
        offered = task.choices.offered
        assert offered is not None
        assert task.entities is None
        assert bool((task.choices.right == 0).all())
        firsts = offered.words[offered.offsets[:-1]]
        words, table = tasks.encoding.vocabulary.words, task.choices.table
        for example, number in zip(task.examples, firsts.tolist(), strict=True):
            bag = table.words[table.offsets[number] : table.offsets[number + 1]].tolist()
            assert sorted(words[word] for word in bag) == sorted(example.system.lower().split())
    assert any("<" in text for text in tasks.encoding.candidates["primary"].texts)  # what answers still are


def test_what_is_said_has_values_of_this_conversation_alone(config: RunConfig, tmp_path: Path) -> None:
    result = train(config, tmp_path / "run")
    assert result["measure"] == "R_100@1"
    trained = TrainedModel.load(tmp_path / "run")
    assert trained.encoding.reader.written
    events = (Turn("a bus to Rome", "okay on which day to Rome"), Record.of("trip", {"to": "Rome", "fare": "77"}))
    answers = trained.answer(events, "tomorrow", top=50)
    assert answers
    assert {number for answer in answers for number in re.findall(r"\d+", answer.text)} <= {"77"}
    assert not any("<" in answer.text for answer in answers)


def test_a_run_measures_the_same_from_its_folder(config: RunConfig, tmp_path: Path) -> None:
    result = train(config, tmp_path / "run")
    again = evaluate_run(tmp_path / "run", config.data.valid)
    assert again["measures"]["R_100@1"] == pytest.approx(result["valid_accuracy"])
    assert again["selection"]["100"]["fewest_ranked"] == 16


FEWER = "R_100@1 is among 16 responses on validation and 10 on test, where no more differ: the two cannot be compared"


def test_among_how_many_responses_the_right_one_is_ranked_is_said_everywhere(
    config: RunConfig, tmp_path: Path
) -> None:
    few = tmp_path / "few.jsonl"
    FORMATS["chat"].write(trips(5, 6), few)
    assert config.data.valid is not None
    looked = audit(config.data.primary, valid=config.data.valid, test=few, predict="responses")
    assert looked.predicting.among == {"valid": 16, "test": 10}
    assert FEWER in next(found.sentence for found in looked.findings if found.topic == "coverage")
    found = compare(Plan(config, str(few), ("primary", "bm25"), (), 1, tmp_path / "out"))
    assert found.among == {"valid": 16, "test": 10}
    console = Console(width=200, file=StringIO())
    print_comparison(found, [], console)
    assert FEWER in console.file.getvalue()  # type: ignore[attr-defined]
    assert FEWER in write_report(tmp_path / "out").read_text(encoding="utf-8")
    run = tmp_path / "out" / "runs" / "primary-12-0"
    assert FEWER in write_report(run).read_text(encoding="utf-8")


def test_of_a_hundred_responses_nothing_is_said_of_their_number() -> None:
    assert fewer_ranked({"valid": 100, "test": 100}) == fewer_ranked({}) == fewer_ranked({"valid": None}) == ""
    assert fewer_ranked({"valid": 60, "test": 60}) == (
        "R_100@1 is among 60 responses on validation and 60 on test, where no more differ"
    )


def test_the_audit_foretells_by_which_measure_a_comparison_judges() -> None:
    splits = Splits(trips(12, 1), valid=trips(8, 2))
    found = audit_splits(splits, "responses").predicting
    assert (found.ranked, found.known) == (True, known_responses(splits.primary, splits.valid or ()))
    booked = [Dialog((Turn(f"book at {hour}:30", f"booked at {hour}:30"),)) for hour in range(1, 21)]
    splits = Splits(booked[:12], valid=booked[12:])
    found = audit_splits(splits, "responses").predicting
    assert (found.ceilings[0].responses, found.ranked, found.known) == (100.0, True, 0.0)
