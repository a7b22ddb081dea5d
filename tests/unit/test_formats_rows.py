"""An utterance a row, or a dialog a row, in every kind of table: CSV, JSON lines, JSON arrays, Parquet, Arrow."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasksieve.dialogs import Act, Dialog, Record, Turn
from tasksieve.dialogs.formats import format_of, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError

Rows = list[dict[str, Any]]
ALTERNATING: Rows = [
    {"dialog_id": 1, "turn": 0, "speaker": "user", "text": "hi", "action": None, "mood": None},
    {"dialog_id": 2, "turn": 0, "speaker": "user", "text": "an inn", "action": None, "mood": None},
    {"dialog_id": 1, "turn": 1, "speaker": "bot", "text": "hello", "action": "greet", "mood": None},
    {"dialog_id": 2, "turn": 2, "speaker": "bot", "text": "this one", "action": "offer(name)", "mood": "glad"},
    {"dialog_id": 2, "turn": 1, "speaker": "fact", "text": "inn R_price cheap", "action": None, "mood": None},
]
FIRST = (Turn("hi", "hello", acts=(Act("greet"),)),)
SECOND = (
    Record("kb", (("name", "inn"), ("R_price", "cheap"))),
    Turn("an inn", "this one", acts=(Act("offer", "name"),)),
)
ORDERED = [FIRST, SECOND]
PUT_TOGETHER = "row apart from the others of its dialog, put together with them"
PUT_IN_ORDER = "dialog whose rows were not in the order of its turns, put in order"
LOST = {PUT_TOGETHER: 3, PUT_IN_ORDER: 1, "column 'mood'": 1, "column 'turn'": 5}


def csv_file(path: Path, rows: Rows) -> None:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def json_lines(path: Path, rows: Rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


KINDS: dict[str, Callable[[Path, Rows], object]] = {
    "csv": csv_file,
    "lines": json_lines,
    "array": lambda path, rows: path.write_text(json.dumps(rows)),
    "pretty array": lambda path, rows: path.write_text(json.dumps(rows, indent=2)),
    "parquet": lambda path, rows: pl.DataFrame(rows).write_parquet(path),
    "arrow": lambda path, rows: pl.DataFrame(rows).write_ipc(path),
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_rows_of_dialogs_that_alternate_are_put_together_and_counted(tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / "in", ALTERNATING)
    assert [dialog.events for dialog in read_dialogs(tmp_path / "in")] == ORDERED
    assert validate(tmp_path / "in").lost == LOST


@pytest.mark.parametrize("kind", list(KINDS))
def test_without_numbers_a_dialog_that_goes_on_later_is_refused(tmp_path: Path, kind: str) -> None:
    rows = [{key: row[key] for key in ("dialog_id", "speaker", "text")} for row in ALTERNATING]
    KINDS[kind](tmp_path / "in", rows)
    problems = [problem.message for problem in validate(tmp_path / "in").problems]
    assert sum("goes on after another one began" in problem for problem in problems) == 2


@pytest.mark.parametrize("kind", ["lines", "array", "parquet"])
def test_objects_of_utterances_are_converted(tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / "in", ALTERNATING)
    done = convert(tmp_path / "in", tmp_path / "out.jsonl")
    assert (done.dialogs, done.turns) == (2, 2)
    assert [dialog.events for dialog in read_dialogs(tmp_path / "out.jsonl")] == ORDERED


def test_keys_that_only_later_objects_have_are_counted(tmp_path: Path) -> None:
    rows = [{"id": 0, "session": "a", "from": "user", "text": "hi"}] * 150
    json_lines(tmp_path / "in", [*rows, {"session": "a", "from": "bot", "text": "hello", "late": 1}])
    assert validate(tmp_path / "in").lost["column 'late'"] == 1


def test_objects_with_messages_in_them_are_no_rows(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    json_lines(tmp_path / "in", [{"conversation_id": 1, "role": "x", "message": "", "messages": talk}])
    assert format_of(tmp_path / "in").name in ("chat", "json-rows")
    json_lines(tmp_path / "in", [{"conversation": talk, "speaker": "x", "text": "y"}])
    assert format_of(tmp_path / "in").name == "chat"


def test_what_is_no_row_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "in").write_text(
        '{"dialog": 1, "speaker": "user", "text": "hi"}\n3\n{"dialog": 1, "speaker": "cat"}\n'
    )
    assert [(problem.line, problem.message) for problem in validate(tmp_path / "in").problems] == [
        (2, "found 3; expected a JSON object"),
        (3, "found speaker 'cat'; expected user, system or fact, or a name such as customer, agent or kb"),
    ]


MESSAGES = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": 'say "hello"'}]


@pytest.mark.parametrize("write", [json.dumps, repr])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_column_of_messages_in_csv_is_a_dialog_a_row(
    tmp_path: Path, write: Callable[[Any], str], separator: str
) -> None:
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=separator).writerows(
            [["id", "messages", "split"], ["1", write(MESSAGES), "train"], ["2", write(MESSAGES), "test"]]
        )
    assert read_dialogs(f"{tmp_path / 'in.csv'}#test") == [Dialog((Turn("hi", 'say "hello"'),), line=3)]
    found = validate(tmp_path / "in.csv")
    assert (found.dialogs, found.lost) == (2, {"'id' of a dialog": 2})
    assert found.as_one is not None


def test_a_cell_without_messages_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,messages\n1,[hi]\n")
    with pytest.raises(UserError, match=r"in.csv:2: found '\[hi\]' as 'messages'; expected a list of messages"):
        read_dialogs(tmp_path / "in.csv")
