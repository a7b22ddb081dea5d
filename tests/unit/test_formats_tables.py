"""Parquet and Arrow tables: as the datasets library and the hub have them, and as they are written here."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from tasksieve.dialogs import SILENCE, Act, Dialog, Record, Turn
from tasksieve.dialogs.formats import FORMATS, format_of, iterate_dialogs, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError
from tasksieve.records import foreign_rows
from tasksieve.records.foreign_rows import ForeignRows

MADE = Path(__file__).with_name("hugging_face")
"""Made by the datasets library: a dictionary of splits as it saves them, and as it has them on the hub."""
SAVED = sorted((MADE / "saved").glob("*/*.arrow"))
ON_HUB = sorted((MADE / "hub" / "data").glob("*.parquet"))
TRAIN = MADE / "hub" / "data" / "train-00000-of-00002.parquet"
SAID = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


def table(path: Path, rows: list[dict[str, object]], schema: dict[str, pl.DataType] | None = None) -> Path:
    frame = pl.DataFrame(rows, schema=schema, infer_schema_length=None)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_ipc_stream(path)
    return path


@pytest.mark.parametrize("path", [*SAVED, *ON_HUB], ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_the_datasets_library_writes_is_read(path: Path) -> None:
    journal = Journal(path)
    dialogs = list(iterate_dialogs(path, journal))
    assert len(dialogs) == (2 if "train" in str(path) else 1)
    first, second = dialogs[0].turns
    assert first.system in ('api_call find {"stars":3}', 'api_call find {"city":"Rome"}')
    assert (first.acts, second) == ((Act("call", "find"),), Turn(SILENCE, "the Inn"))
    assert Record.of("find", {"name": "Inn"}) in dialogs[0].events
    assert journal.lost == {"'id' of a dialog": len(dialogs)}


def test_what_is_null_in_one_message_and_not_in_another_is_not_there() -> None:
    rows = ForeignRows(SAVED[1])
    assert rows.columns == ["id", "messages"]
    arguments = [row["messages"][1]["tool_calls"][0]["function"]["arguments"] for row in rows if row is not None]
    assert arguments == [{"stars": 3}, {"city": "Rome"}]


def test_messages_may_be_a_list_for_each_of_their_keys() -> None:
    assert [dialog.turns for dialog in read_dialogs(MADE / "lists-by-key.parquet")] == [(Turn("a", "b"),)] * 2


@pytest.mark.parametrize("name", ["messages", "conversations"])
def test_messages_may_be_a_text_of_json(tmp_path: Path, name: str) -> None:
    path = table(tmp_path / "a.parquet", [{name: json.dumps(SAID)}])
    assert read_dialogs(path)[0].turns == (Turn("hi", "hello"),)


def test_a_table_may_have_an_utterance_a_row() -> None:
    path = MADE / "dictionaries.arrow"
    assert [dialog.turns for dialog in read_dialogs(path)] == [(Turn("a", "b"),), (Turn(SILENCE, "c"),)]


def test_utterances_a_row_may_have_numbers_and_nothing_in_them(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"dialog_id": 1, "speaker": "user", "text": "hi", "score": None},
        {"dialog_id": 1, "speaker": "system", "text": "hello", "score": 0.5},
        {"dialog_id": 2, "speaker": "system", "text": None, "score": None},
        {"dialog_id": 2, "speaker": "system", "text": "bye", "score": None},
    ]
    path = table(tmp_path / "a.parquet", rows)
    journal = Journal(path)
    assert [d.turns for d in iterate_dialogs(path, journal)] == [(Turn("hi", "hello"),), (Turn(SILENCE, "bye"),)]
    assert journal.lost == {"column 'score'": 1, "turn without a response": 1}


def test_a_column_of_text_alone_is_refused_once_and_by_its_name(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", [{"story": "Once upon a time."}] * 5)
    (problem,) = validate(path).problems
    assert "has a text column 'story' alone, which does not say who speaks; expected a column" in str(problem)


def test_a_problem_is_told_with_the_number_of_its_row(tmp_path: Path) -> None:
    bad = [{"role": "boss", "content": "x"}]
    path = table(tmp_path / "a.parquet", [{"messages": SAID}, {"messages": bad}, {"messages": SAID}])
    found = validate(path)
    assert [(problem.line, "found role 'boss'" in str(problem)) for problem in found.problems] == [(2, True)]
    assert found.dialogs == 2


def test_a_row_that_is_too_long_is_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_rows, "LONGEST_ROW", 500)
    long = [*SAID, {"role": "assistant", "content": "a" * 2000}]
    path = table(tmp_path / "a.arrow", [{"messages": SAID}, {"messages": long}, {"messages": SAID}])
    found = validate(path)
    assert found.dialogs == 2
    assert [problem.line for problem in found.problems] == [2]
    assert "found a row of more than" in str(found.problems[0])


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_a_table_without_rows_holds_no_dialog(tmp_path: Path, name: str) -> None:
    path = table(tmp_path / name, [], {"messages": pl.List(pl.Struct({"role": pl.String()}))})
    assert "holds no dialog" in str(validate(path).problems[0])


@pytest.mark.parametrize("path", [SAVED[0], ON_HUB[0]], ids=["arrow", "parquet"])
def test_a_cut_table_is_one_problem(tmp_path: Path, path: Path) -> None:
    cut = tmp_path / path.name
    cut.write_bytes(path.read_bytes()[:-300])
    (problem,) = validate(cut).problems
    assert "cannot be read as a table" in str(problem)
    assert "is it damaged?" in str(problem)
    with pytest.raises(UserError, match="is it damaged"):
        read_dialogs(cut)


def test_a_table_that_brings_its_reader_down_is_one_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(tmp_path / "a.parquet", [{"messages": SAID}])
    rows = ForeignRows(path)
    assert rows._reader is not None
    os.kill(rows._reader._process.pid, signal.SIGSTOP)
    os.kill(rows._reader._process.pid, signal.SIGABRT)
    os.kill(rows._reader._process.pid, signal.SIGCONT)
    rows._reader._process.wait()
    rows._reader._out.close()
    rows._reader._out = io.BytesIO()
    with pytest.raises(UserError, match=r"a\.parquet: cannot be read as a table; is it damaged\?"):
        list(rows)
    assert read_dialogs(path)[0].turns == (Turn("hi", "hello"),)


def test_one_process_reads_one_table_after_the_other(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", [{"messages": SAID}] * 3)
    read_dialogs(path)
    resting = list(foreign_rows._RESTING)
    read_dialogs(path)
    assert resting == foreign_rows._RESTING
    assert len(resting) == 1
    next(iter(iterate_dialogs(path)))
    assert foreign_rows._RESTING == []


def test_a_table_that_is_compressed_once_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet.gz"
    path.write_bytes(gzip.compress(ON_HUB[0].read_bytes()))
    assert "is a table compressed by gzip once more; unpack it" in str(validate(path).problems[0])
    with pytest.raises(UserError, match=r"is to be a table, which is not compressed once more; name it b\.parquet"):
        convert(ON_HUB[0], tmp_path / "b.parquet.gz")


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_a_table_is_written_without_keys_that_no_message_has(tmp_path: Path, ending: str) -> None:
    plain, told = [Dialog((Turn("a", "b"),))], [Dialog((Turn("a", "b", acts=(Act("offer"),)),))]
    for dialogs, keys in ((plain, {"role", "content"}), (told, {"role", "content", "action"})):
        path = tmp_path / f"out.{ending}"
        FORMATS[ending].write(dialogs, path)
        frame = pl.read_parquet(path) if ending == "parquet" else pl.read_ipc(path)
        (messages,) = frame.to_dicts()[0].values()
        assert frame.columns == ["messages"]
        assert messages[1].keys() == keys
        assert [dialog.events for dialog in read_dialogs(path)] == [dialog.events for dialog in dialogs]
        assert format_of(path).name == ending


WEIGHTS = {(0, 0): 1.0, (0, 1): 0.5, (1, 0): 0.0, (1, 1): 0.25}


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_weights_stand_beside_the_responses_of_a_table(tmp_path: Path, ending: str) -> None:
    convert(TRAIN, tmp_path / f"a.{ending}", weights=WEIGHTS)
    rows = [row["messages"] for row in ForeignRows(tmp_path / f"a.{ending}") if row is not None]
    said = [message for messages in rows for message in messages if message["role"] == "assistant"]
    assert [message["weight"] for message in said] == list(WEIGHTS.values())
    assert all("weight" not in message for messages in rows for message in messages if message not in said)


def test_a_table_that_becomes_weighted_chat_messages_keeps_all_it_has(tmp_path: Path) -> None:
    convert(TRAIN, tmp_path / "out.jsonl", weights=WEIGHTS)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert rows[0]["id"] == 0
    assert rows[0]["messages"][1]["tool_calls"][0]["function"] == {"name": "find", "arguments": {"stars": 3}}
    found = [message["weight"] for row in rows for message in row["messages"] if "weight" in message]
    assert found == list(WEIGHTS.values())


def test_names_with_marks_of_patterns_are_files(tmp_path: Path) -> None:
    path = tmp_path / "a[1]*?.parquet"
    shutil.copy(TRAIN, path)
    assert len(read_dialogs(path)) == 2
    folder = tmp_path / "split=train"
    folder.mkdir()
    convert(TRAIN, folder / "a[1]*?.arrow")
    assert read_dialogs(folder / "a[1]*?.arrow") == read_dialogs(TRAIN)


def test_pictures_and_dates_beside_messages_are_counted_as_not_read(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"messages": SAID, "image": b"\xff\xd8", "at": datetime(2020, 1, 1)}]
    path = table(tmp_path / "a.parquet", rows)
    journal = Journal(path)
    assert len(list(iterate_dialogs(path, journal))) == 1
    assert journal.lost == {"'image' of a dialog": 1, "'at' of a dialog": 1}


def test_nothing_is_left_beside_a_table_that_is_written(tmp_path: Path) -> None:
    convert(TRAIN, tmp_path / "out.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]
