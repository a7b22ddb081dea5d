"""ParlAI's text format as its reference reads it, and where it is easily taken wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.formats import FORMATS, format_of, read_dialogs
from tasksieve.dialogs.formats.parlai import PARLAI
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError


def read(folder: Path, text: str) -> list[Dialog]:
    (folder / "dialogs").write_text(text)
    assert format_of(folder / "dialogs").name == "parlai"
    return read_dialogs(folder / "dialogs")


@pytest.mark.parametrize("value", ["False", "false", " False ", "0", ""])
def test_a_dialog_that_is_not_done_goes_on(tmp_path: Path, value: str) -> None:
    text = f"text: a \tlabels: b \tepisode_done:{value}\n\ntext:c\tlabels:d\tepisode_done:true\n"
    assert read(tmp_path, text) == [Dialog((Turn("a", "b"), Turn("c", "d")), line=1)]


def test_spaces_in_place_of_a_tab_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r":1: found fields \['text'\]; expected .* a tab before 'labels:', not spaces"
    ):
        read(tmp_path, "text:hello there    labels:hi\n")


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("text:hi\tlabels:hello    episode_done:True", "episode_done:"),
        ("text:hi\tlabels:hello label_candidates:hello|bye", "label_candidates:"),
        ("text:hi    labels:hello\teval_labels:hello", "labels:"),
    ],
)
def test_a_field_that_ran_into_another_is_named(tmp_path: Path, line: str, field: str) -> None:
    with pytest.raises(UserError, match=f":1: found '{field}' after spaces; expected a tab before it"):
        read(tmp_path, line + "\n")


def test_words_that_look_like_a_field_are_written_apart(tmp_path: Path) -> None:
    said = "say  labels: and episode_done: and labels:"
    PARLAI.write([Dialog((Turn(said, said),))], tmp_path / "a.txt")
    read_back = "say labels : and episode_done : and labels:"
    assert read_dialogs(tmp_path / "a.txt")[0].turns == (Turn(read_back, read_back),)


def test_a_file_without_any_end_of_a_dialog_says_so(tmp_path: Path) -> None:
    assert len(read(tmp_path, "text:a\tlabels:b\n" * 100)) == 1
    assert validate(tmp_path / "dialogs").lost == {}
    assert len(read(tmp_path, "text:a\tlabels:b\n" * 101)) == 1
    assert validate(tmp_path / "dialogs").lost == {
        "end of a dialog, if it is not one of 101 turns: 'episode_done:True'": 1
    }


def test_candidates_of_an_example_are_read_and_written(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("text:hi\tlabels:hello\tlabel_candidates:hello|good bye|a__PIPE__b\tepisode_done:True\n")
    (dialog,) = read_dialogs(file)
    assert dialog.turns[0].candidates == ("hello", "good bye", "a|b")
    PARLAI.write([dialog], tmp_path / "b.txt")
    assert read_dialogs(tmp_path / "b.txt") == [dialog]


def test_candidates_of_a_conversation_are_read_and_written(tmp_path: Path) -> None:
    acts = '{"id": "user", "text": "hi"}, {"id": "bot", "text": "hello", "label_candidates": ["hello", "bye"]}'
    more = '{"id": "user", "text": "a"}, {"id": "bot", "text": "b", "label_candidates": "b"}'
    (tmp_path / "a.jsonl").write_text(f'{{"dialog": [[{acts}], [{more}]]}}\n')
    (dialog,) = read_dialogs(tmp_path / "a.jsonl")
    assert [turn.candidates for turn in dialog.turns] == [("hello", "bye"), ()]
    assert validate(tmp_path / "a.jsonl").lost == {"'label_candidates' of an act": 1}
    FORMATS["parlai-jsonl"].write([dialog], tmp_path / "b.jsonl")
    assert read_dialogs(tmp_path / "b.jsonl") == [dialog]
