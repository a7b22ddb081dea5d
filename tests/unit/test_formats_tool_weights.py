"""What is written for fine-tuning tools is read with its weights, and nothing of it is said to be lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasksieve.dialogs.finetuning import ChatTask, Dialogs, tool_named
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate

SAID = [("a", "b"), ("c", "d")]
MESSAGES = [
    {"role": role, "content": text} for pair in SAID for role, text in zip(("user", "assistant"), pair, strict=True)
]
WEIGHTS = {(0, 0): 0.25, (0, 1): 0.75}
READ: dict[str, tuple[str, list[list[float]]]] = {
    "llama-factory": ("train.jsonl", [[0.25, 0.75]]),
    "ms-swift": ("train.jsonl", [[0.25, 0.75]]),
    "axolotl": ("train.jsonl", [[1, 1]]),
    "fireworks": ("train.jsonl", [[0, 0.75], [0.25]]),
    "mistral": ("train-0.8.jsonl", [[0, 1]]),
    "openai": ("train.jsonl", [[1, 1]]),
    "trl": ("train.jsonl", [[0.25, 0.75]]),
    "huggingface": ("train.parquet", [[0.25, 0.75]]),
    "demonstrations": ("demonstrations.jsonl", [[0.5, 0.5]]),
    "csv": ("train.csv", [[0.25, 0.75]]),
}


def written(path: Path, *values: Any) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


@pytest.mark.parametrize("name", sorted(READ))
def test_a_tools_file_is_read_with_its_weights(name: str, tmp_path: Path) -> None:
    source = written(tmp_path / "old.jsonl", {"messages": MESSAGES})
    file, weights = READ[name]
    (tmp_path / name).mkdir()
    tool_named(name).write(Dialogs(ChatTask("old", source, WEIGHTS)), tmp_path / name)
    found = read_dialogs(tmp_path / name / file)
    assert [[turn.learned for turn in dialog.turns] for dialog in found] == weights
    assert [(turn.user, turn.system) for turn in found[0].turns] == SAID
    lost = {"column 'message'", "column 'service'"} if name == "csv" else set()
    assert validate(tmp_path / name / file).lost.keys() == lost


@pytest.mark.parametrize(
    ("value", "lost"),
    [
        ({"messages": MESSAGES, "weights": [0.5]}, {"'weights' of a dialog": 1}),
        ({"messages": MESSAGES, "weights": [0.5, "much"]}, {"'weights' of a dialog": 1}),
        (
            {"messages": MESSAGES, "weight": -1, "service": "x"},
            {"'weight' of a dialog": 1, "'service' of a dialog": 1},
        ),
        ({"messages": [{**MESSAGES[0], "loss_weight": 1}, *MESSAGES[1:]]}, {"'loss_weight' of a message": 1}),
        ({"messages": [MESSAGES[0], {**MESSAGES[1], "train": "yes"}]}, {"'train' of a message": 1}),
        ({"messages": [MESSAGES[0], {**MESSAGES[1], "weight": 0.5, "train": True}]}, {"'train' of a message": 1}),
    ],
)
def test_what_is_no_weight_is_named_as_before(value: Any, lost: dict[str, int], tmp_path: Path) -> None:
    assert validate(written(tmp_path / "in.jsonl", value)).lost == lost


def test_weights_of_a_dialog_and_of_its_messages_are_multiplied(tmp_path: Path) -> None:
    messages = [MESSAGES[0], {**MESSAGES[1], "weight": 0.5}, *MESSAGES[2:]]
    path = written(tmp_path / "in.jsonl", {"messages": messages, "weight": 0.5, "weights": [0.5, 1]})
    (dialog,) = read_dialogs(path)
    assert [turn.learned for turn in dialog.turns] == [0.125, 0.5]


def test_other_weights_take_the_place_of_those_that_a_dialog_has(tmp_path: Path) -> None:
    value = {"messages": MESSAGES, "weights": [0.5, 0.25], "weight": 0.5, "service": "x", "dialog": 3}
    done = convert(written(tmp_path / "in.jsonl", value), tmp_path / "out.jsonl", weights={(0, 0): 0.1, (0, 1): 1.0})
    assert (done.replaced, done.lost) == (2, {})
    (dialog,) = read_dialogs(tmp_path / "out.jsonl")
    assert [turn.learned for turn in dialog.turns] == [0.1, 1]
    kept = json.loads((tmp_path / "out.jsonl").read_text())
    assert (kept["service"], kept["dialog"], kept.keys() & {"weight", "weights"}) == ("x", 3, set())
