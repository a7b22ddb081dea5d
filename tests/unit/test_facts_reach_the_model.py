"""What a tool answers reaches the model in every format; prose names nothing and harms no other task."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tasksieve.audit import audit
from tasksieve.dialogs import Dialog, Note, Record, Turn
from tasksieve.dialogs.formats import FORMATS, write_babi
from tasksieve.dialogs.simulate import simulate
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.trained_model import TrainedModel, evaluate_run
from tests.reading import WRITTEN
from tests.small import small_config

CITIES = ("rome", "oslo", "bonn", "lima", "cork", "nice")
ADVICE = {"rain": "take an umbrella", "sun": "wear a hat"}
TRIPLES, SLOTS = "kb", "slots"
"""The kinds of record that bAbI's files and Rasa's stories have."""


def asked(count: int, seed: int, kind: str) -> list[Dialog]:
    """Dialogs in which the answer depends on what a tool has just said, and on nothing else."""
    draw = random.Random(seed)
    dialogs = []
    for _ in range(count):
        city, sky = draw.choice(CITIES), draw.choice(list(ADVICE))
        fields = {"name": city, "R_sky": sky} if kind == TRIPLES else {"city": city, "sky": sky}
        events = (Turn(f"what is it like in {city}", "one moment"), Record.of(kind, fields), Turn("", ADVICE[sky]))
        dialogs.append(Dialog(events))
    return dialogs


@pytest.mark.parametrize("name", WRITTEN)
def test_an_answer_that_depends_on_a_tools_result_alone_is_found_in_every_format(name: str, tmp_path: Path) -> None:
    kind = {"babi": TRIPLES, "rasa": SLOTS}.get(name, "forecast")
    known = FORMATS[name]
    for split, count, seed in (("train", 30, 1), ("valid", 20, 2), ("test", 40, 3)):
        known.write(asked(count, seed, kind), tmp_path / f"{split}{known.suffixes[0]}")
    files = {split: str(tmp_path / f"{split}{known.suffixes[0]}") for split in ("train", "valid", "test")}
    config = small_config(
        tmp_path,
        data={"primary": files["train"], "valid": files["valid"]},
        training={"method": "primary", "iterations": 300, "evaluate_every": 50, "primary_lr": 1e-2},
        model={"dim": 20},
    )
    train(config, tmp_path / "run")
    assert evaluate_run(tmp_path / "run", files["test"])["accuracy"] == 100.0


def test_a_system_prompt_names_nothing(tmp_path: Path) -> None:
    prompt = Note("You are a kind assistant.")
    dialogs = [
        Dialog((prompt, Turn(hello, "what can i do for you"), Turn("nothing", "thank you"))) for hello in "abc"
    ]
    FORMATS["chat"].write(dialogs, tmp_path / "train.jsonl")
    data = {"primary": str(tmp_path / "train.jsonl"), "valid": str(tmp_path / "train.jsonl")}
    train(small_config(tmp_path, data=data, training={"method": "primary"}), tmp_path / "run")
    trained = TrainedModel.load(tmp_path / "run")
    assert trained.encoding.candidates["primary"].texts == ("thank you", "what can i do for you")
    assert {answer.text for answer in trained.answer([], "hello")} == set(
        trained.encoding.candidates["primary"].texts
    )


def test_prose_in_a_related_task_leaves_the_primary_tasks_names_alone(
    tasks_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    older = simulate("restaurant", dialogs=8, seed=1, task=5)["train"]
    prompts = ("You are a kind assistant.", "i am a restaurant assistant")
    odd = [Dialog((Note(prompt), Turn("good morning", "hello what can i do"))) for prompt in prompts]
    FORMATS["chat"].write([*older, *odd], tmp_path / "odd.jsonl")
    write_babi(older, tmp_path / "plain.txt")
    names = {}
    with caplog.at_level("INFO", logger="tasksieve"):
        for related in ("plain.txt", "odd.jsonl"):
            config = small_config(
                tasks_dir, data={"related": [str(tmp_path / related)]}, training={"method": "multitask"}
            )
            train(config, tmp_path / f"run-{related}")
            names[related] = TrainedModel.load(tmp_path / f"run-{related}").encoding.reader.names
    assert names["plain.txt"] == names["odd.jsonl"]
    assert names["odd.jsonl"] is not None and names["odd.jsonl"].fields["kb"][0] == "name"
    assert "primary: names: name, " in caplog.text and "odd: names: name, " in caplog.text


@pytest.mark.parametrize("service", ["RideSharing_1", "Services_1"])
def test_no_fact_of_dialogs_that_people_wrote_goes_unseen(data_dir: Path, service: str) -> None:
    (size,) = audit(data_dir / "sgd" / f"{service}.json").sizes
    assert 0 < size.facts["given"] == size.facts["seen"]
