"""Dialogs whose messages stand under other names, in other layouts, or are not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasksieve.dialogs import SILENCE, Act, Note, Turn
from tasksieve.dialogs.formats import FORMATS, format_of, read_dialogs
from tasksieve.dialogs.formats.assembly import WITHOUT_RESPONSE, WITHOUT_TURN
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError

SPOKEN = [{"speaker": "user", "text": "hi"}, {"speaker": "system", "text": "hello"}]
GOOD = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}
HELLO = (Turn("hi", "hello"),)


def lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))
    return path


@pytest.mark.parametrize("key", ["turns", "dialog", "dialogue", "chat", "utterances", "transcript", "items"])
def test_messages_may_stand_under_any_of_these_names(key: str, tmp_path: Path) -> None:
    path = lines(tmp_path / "in.jsonl", {key: SPOKEN}, {key: SPOKEN, "id": 1})
    assert [dialog.events for dialog in read_dialogs(path)] == [HELLO, HELLO]
    assert validate(path).lost == {"'id' of a dialog": 1}
    (tmp_path / "in.json").write_text(json.dumps([{key: SPOKEN}]))
    assert read_dialogs(tmp_path / "in.json")[0].events == HELLO
    convert(path, tmp_path / "out.jsonl", weights={(0, 0): 0.5, (1, 0): 0.25})
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert first == {key: [SPOKEN[0], {**SPOKEN[1], "weight": 0.5}]}
    assert second == {key: [SPOKEN[0], {**SPOKEN[1], "weight": 0.25}], "id": 1}


def test_a_system_gives_prompts_there_only_beside_another_that_responds(tmp_path: Path) -> None:
    asked = {"speaker": "user", "text": "hi"}
    greeted = [{"speaker": "system", "text": "welcome"}, *SPOKEN]
    prompted = [{"speaker": "system", "text": "be kind"}, asked, {"speaker": "agent", "text": "hello"}]
    first, second = read_dialogs(lines(tmp_path / "in.jsonl", {"turns": greeted}, {"turns": prompted}))
    assert first.events == (Turn(SILENCE, "welcome"), *HELLO)
    assert second.events == (Note("be kind"), *HELLO)


def test_turns_that_are_texts_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"found keys \['turns'\]; expected 'messages', "):
        read_dialogs(lines(tmp_path / "in.jsonl", {"turns": ["a question", "another question"]}))


def test_schema_guided_and_convlab_dialogs_may_have_a_line_each(tmp_path: Path) -> None:
    for name in ("sgd", "convlab"):
        write = FORMATS[name].write
        assert write is not None
        made = read_dialogs(lines(tmp_path / "in.jsonl", {"messages": [*GOOD["messages"], *GOOD["messages"]]}, GOOD))
        acted = [type(one)((Turn("hi", "hello", acts=(Act("greet"),)),)) for one in made]
        write(acted, tmp_path / "array.json")
        path = lines(tmp_path / "lines.jsonl", *json.loads((tmp_path / "array.json").read_text()))
        assert format_of(path).name == name
        assert [dialog.events for dialog in read_dialogs(path)] == [one.events for one in acted]


@pytest.mark.parametrize("empty", [{"messages": None}, {"conversations": None, "id": 3}, {"text": None}])
def test_a_dialog_that_is_null_is_left_out_and_counted(empty: dict[str, Any], tmp_path: Path) -> None:
    path = lines(tmp_path / "in.jsonl", GOOD, empty)
    done = convert(path, tmp_path / "out.csv")
    assert (done.dialogs, done.lost[WITHOUT_TURN]) == (1, 1)
    (problem,) = validate(path).problems
    assert (problem.line, "this dialog has no turn" in problem.message) == (2, True)
    with pytest.raises(UserError, match="this dialog has no turn"):
        convert(path, tmp_path / "out.csv", strict=True)


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_so_is_a_row_of_a_table_in_which_it_is_null(ending: str, tmp_path: Path) -> None:
    for rows in (
        [{"id": 1, **GOOD}, {"id": 2, "messages": None}],
        [{"id": 1, "prompt": "hi", "completion": "hello"}, {"id": 2, "prompt": "so", "completion": None}],
        [{"id": 1, "prompt": "hi", "completion": "hello"}, {"id": 2, "prompt": None, "completion": None}],
    ):
        frame = pl.DataFrame(rows)
        path = tmp_path / f"in.{ending}"
        (frame.write_parquet if ending == "parquet" else frame.write_ipc)(path)
        done = convert(path, tmp_path / "out.csv")
        assert (done.dialogs, done.lost[WITHOUT_TURN]) == (1, 1)
        assert done.lost.get(WITHOUT_RESPONSE, 0) == ("prompt" in rows[0])
        assert [dialog.events for dialog in read_dialogs(path)] == [HELLO]


def test_dialogs_in_which_nobody_responds_are_not_said_to_be_none(tmp_path: Path) -> None:
    path = lines(tmp_path / "in.jsonl", {"messages": GOOD["messages"][:1], "response": "hello"})
    with pytest.raises(UserError, match="holds no dialog in which the system responds; expected lines like"):
        read_dialogs(path)


def test_a_weight_beside_a_text_with_marks_counts_and_is_replaced(tmp_path: Path) -> None:
    text = "USER: hi ASSISTANT: hello</s>USER: so ASSISTANT: well</s>"
    path = lines(tmp_path / "in.jsonl", {"text": text, "weight": 0.5})
    assert [turn.learned for turn in read_dialogs(path)[0].turns] == [0.5, 0.5]
    assert validate(path).lost == {}
    convert(path, tmp_path / "out.jsonl", weights={(0, 0): 0.25, (0, 1): 1.5})
    assert [turn.learned for turn in read_dialogs(tmp_path / "out.jsonl")[0].turns] == [0.25, 1.5]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            b'{"messages": []},\n' * 2,
            "found ',' after the object; expected one array around all of them",
        ),
        (b"dialog,speaker,text\r1,user,hi\r1,bot,hello\r", "has line ends of old Macintosh programs, CR alone"),
        ("dialog,speaker,text\n".encode("utf-32"), "is UTF-32 text; save it as UTF-8"),
    ],
)
def test_what_other_programs_do_is_called_by_its_name(data: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(data)
    with pytest.raises(UserError, match=sentence):
        read_dialogs(tmp_path / "in.csv")
