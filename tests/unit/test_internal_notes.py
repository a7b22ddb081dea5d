"""Notes among colleagues in exports of help desks: they are no responses, and are counted as left out."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tasksieve.dialogs import Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.internal_notes import INTERNAL_NOTE
from tasksieve.dialogs.formats.validate import validate

KEPT = (Turn("where is it", "on its way"), Turn("thanks", "welcome"))
SAID = [
    ("user", "where is it", False),
    ("agent", "on its way", False),
    ("agent", "a thief, i think", True),
    ("user", "thanks", False),
    ("agent", "welcome", False),
]


def rows(column: str, said: str, noted: str) -> list[dict[str, str]]:
    return [
        {"Conversation ID": "1", "Author Type": who, "Comment Body": text, column: noted if note else said}
        for who, text, note in SAID
    ]


@pytest.mark.parametrize(
    ("column", "said", "noted", "lost"),
    [
        ("Public", "true", "false", 0),
        ("is_public", "1", "0", 0),
        ("Private", "FALSE", "TRUE", 0),
        ("internal", "", "yes", 0),
        ("part_type", "comment", "note", 4),
        ("Message Type", "comment", "Private note", 4),
        ("visibility", "external", "internal", 4),
    ],
)
def test_a_row_that_the_user_never_saw_is_no_response(
    column: str, said: str, noted: str, lost: int, tmp_path: Path
) -> None:
    table = pl.DataFrame(rows(column, said, noted))
    table.write_csv(tmp_path / "in.csv")
    table.write_parquet(tmp_path / "in.parquet")
    table.write_ndjson(tmp_path / "in.jsonl")
    for ending in ("csv", "parquet", "jsonl"):
        (dialog,) = read_dialogs(tmp_path / f"in.{ending}")
        assert dialog.events == KEPT
        counted = {INTERNAL_NOTE: 1, f"column '{column}'": lost}
        assert validate(tmp_path / f"in.{ending}").lost == {name: count for name, count in counted.items() if count}


def test_a_message_that_is_private_is_no_response_and_stays_from_chat_to_chat(tmp_path: Path) -> None:
    for key, value in (("private", True), ("public", False)):
        messages = [{"role": who, "content": text, **({key: value} if note else {})} for who, text, note in SAID]
        text = json.dumps({"messages": messages}) + "\n"
        (tmp_path / "in.jsonl").write_text(text)
        (dialog,) = read_dialogs(tmp_path / "in.jsonl")
        assert dialog.events == KEPT
        assert validate(tmp_path / "in.jsonl").lost == {INTERNAL_NOTE: 1}
        convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl", weights={(0, 0): 0.25, (0, 1): 0.5})
        written = json.loads((tmp_path / "out.jsonl").read_text())["messages"]
        first, second = {**messages[1], "weight": 0.25}, {**messages[-1], "weight": 0.5}
        assert written == [messages[0], first, *messages[2:-1], second]


def test_a_table_of_examples_has_no_such_column(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("prompt,response,private\nhi,hello,yes\n")
    assert read_dialogs(tmp_path / "in.csv")[0].events == (Turn("hi", "hello"),)
    assert validate(tmp_path / "in.csv").lost == {"column 'private'": 1}


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("Ticket ID;Author;Subject", "none of what is said (text, utterance, content, message, …)"),
        ("session_id,message,Subject", "none of who speaks (speaker, role, author_type, author_role, …)"),
        ("role\tmessage\tSubject", "none of which dialog a row is of (dialog, dialog_id, dialogue, dialogue_id, …)"),
    ],
)
def test_a_table_without_one_of_its_columns_is_told_which(header: str, missing: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f"{header}\n")
    (problem,) = validate(tmp_path / "in.csv").problems
    assert missing in problem.message
