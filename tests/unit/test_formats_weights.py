"""Weights of responses, from a table into chat messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasksieve.dialogs import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats.chat import write_chat
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.response_weights import read_weights
from tasksieve.errors import UserError


def written(folder: Path, text: str, name: str = "dialogs") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_weights_are_written_beside_assistant_messages(tmp_path: Path) -> None:
    dialogs = [Dialog((Turn("a", "b"), Turn(SILENCE, "c"))), Dialog((Turn("d", "e"),))]
    write_chat(dialogs, tmp_path / "out.jsonl", {(0, 0): 1.0, (0, 1): 0.25})
    first, second = (json.loads(line)["messages"] for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert first == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "weight": 1},
        {"role": "assistant", "content": "c", "weight": 0.25},
    ]
    assert "weight" not in second[1]
    assert isinstance(first[1]["weight"], int)


def test_weights_come_from_an_exported_table(tmp_path: Path) -> None:
    table = written(tmp_path, "task,dialog,turn,step,weight\n0,0,0,5,0.9\n0,0,0,9,0.5\n1,0,0,9,0.1\n", "w.csv")
    assert read_weights(table) == {(0, 0): 0.5}
    assert read_weights(table, task=1, threshold=0.5) == {(0, 0): 0.0}
    assert read_weights(table, threshold=0.5) == {(0, 0): 1.0}
    for text, message in (("a,b\n1,2\n", "expected dialog, turn, weight"), ("", "cannot be read")):
        with pytest.raises(UserError, match=message):
            read_weights(written(tmp_path, text, "bad.csv"))
    with pytest.raises(UserError, match="cannot be read"):
        read_weights(written(tmp_path, "PAR1 and no more", "bad.parquet"))
    with pytest.raises(UserError, match="'turn' of type String, 'weight' of type String; expected whole numbers"):
        read_weights(written(tmp_path, "task,dialog,turn,weight\nx,y,z,a\n", "bad.csv"))
    with pytest.raises(UserError, match="no number"):
        read_weights(written(tmp_path, "dialog,turn,weight\n0,0,\n", "bad.csv"))
    with pytest.raises(UserError, match=r"expected .parquet"):
        read_weights(tmp_path / "w.xls")
    with pytest.raises(UserError, match="Rasa stories has no place for them"):
        convert(written(tmp_path, "1 a\tb\n"), tmp_path / "out.yml", weights={})
    with pytest.raises(UserError, match="has 1 responses, and the table weights of 2; expected the table of this"):
        convert(tmp_path / "dialogs", tmp_path / "out.jsonl", weights={(0, 0): 1.0, (0, 1): 1.0})
    assert not list(tmp_path.glob("*out*"))
