"""A run whose measure is ranking: which model it has, what is read as it was written, and what is said in the end."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tasksieve.dialogs import Dialog, Record, Turn
from tasksieve.dialogs.formats import FORMATS
from tasksieve.records.config import RunConfig, config_from
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
