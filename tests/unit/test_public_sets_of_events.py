"""Public data sets that list events, searches or actions of a person who plays the system, in their own shapes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasksieve.dialogs import SILENCE, Act, Note, Record
from tasksieve.dialogs.formats import archive_files, iterate_dialogs, read_dialogs
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.validate import validate
from tests.public_sets import FOLDER
from tests.unit.test_public_sets import records, said


def test_frames() -> None:
    (dialog,) = read_dialogs(FOLDER / "frames.json")
    assert said(dialog)[1] == ("Thanks", "My pleasure")
    assert records(dialog) == [
        Record.of("db", {"trip": {"returning": {"hours": 0}}, "hotel": {"name": "Vaani"}, "price": 1001.5}),
        Record.of("db", {"hotel": {"name": "Regal"}}),
        Record.of("db", {}),
    ]
    assert dialog.turns[0].told_after == len(records(dialog))
    assert [turn.acts for turn in dialog.turns] == [
        (Act("offer", "name"), Act("offer", "price"), Act("request", "str_date")),
        (Act("you_are_welcome"),),
    ]
    assert validate(FOLDER / "frames.json").lost == {
        "'labels' of a dialog": 1,
        "'acts' of a user's turn": 1,
        "'frames' of a user's turn": 1,
        "'active_frame' of a user's turn": 2,
        "'active_frame' of a wizard's turn": 2,
        "'search' of a database": 1,
        "value of an act without a place in the response": 2,
        "reference or list in an act": 1,
    }


def test_in_metalwoz_the_bot_begins() -> None:
    first, second = read_dialogs(FOLDER / "metalwoz" / "CATALOGUE_BOT.txt")
    assert said(first) == [
        (SILENCE, "Hello how may I help you?"),
        ("which lamps are new", "The brass one."),
    ]
    assert said(second) == [(SILENCE, "Hello how may I help you?")]
    assert validate(FOLDER / "metalwoz").lost == {
        "'domain' of a dialog": 2,
        "'task_id' of a dialog": 2,
        "utterance of the user without a response at the end": 1,
    }


def test_in_star_a_query_is_a_call_and_what_comes_back_a_record() -> None:
    first, second = read_dialogs(FOLDER / "star")
    asked = ("12345", 'api_call bank {"AccountNumber":"12345","PIN":"1"}')
    assert said(first) == [
        ("What is my balance?", "Your account number, please?"),
        asked,
        (SILENCE, "There you are"),
    ]
    assert [turn.acts for turn in first.turns] == [(Act("bank_ask_account_number"),), (Act("call", "bank"),), ()]
    assert records(first) == [Record.of("bank", {"Balance": 100, "Name": "Ann Lee"})]
    assert records(second) == [Record.of("bank", {})]
    assert validate(FOLDER / "star").lost == {
        "'Scenario' of a dialog": 2,
        "'TotalItems' of an answer": 1,
        "event 'instruct' of 'UserGuide'": 2,
        "event 'request_suggestions' of 'Wizard'": 2,
        "event 'complete' of 'Wizard'": 2,
    }


def test_a_folder_of_star_is_one_task_and_other_numbered_files_are_one_each(tmp_path: Path) -> None:
    assert archive_files(FOLDER / "star") == (FOLDER / "star",)
    for number in (1, 2):
        (tmp_path / f"{number}.txt").write_text("1 hi\thello\n")
    assert archive_files(tmp_path) == (tmp_path / "1.txt", tmp_path / "2.txt")


def test_bitod() -> None:
    (dialog,) = read_dialogs(FOLDER / "bitod.json")
    call = 'api_call hotels_en_US_search {"rating":{"at_least":3}}'
    assert said(dialog)[1:] == [("Three", call), (SILENCE, "The Harbour Inn.")]
    assert [turn.acts for turn in dialog.turns] == [
        (Act("request", "rating"),),
        (Act("call", "hotels_en_US_search"),),
        (Act("offer", "name"),),
    ]
    assert records(dialog) == [Record.of("hotels_en_US_search", {"name": "Harbour Inn", "stars": 3})]
    assert validate(FOLDER / "bitod.json").lost == {
        "'Scenario' of a dialog": 1,
        "'Actions' of a user's event": 1,
        "'active_intent' of a user's event": 1,
        "'state' of a user's event": 1,
        "'TotalItems' of an answer": 1,
        "'Topic' of an answer": 1,
        "'relation' of an act": 1,
        "value of an act without a place in the response": 1,
    }


def test_in_abcd_an_action_is_a_call_and_each_split_can_be_chosen() -> None:
    file = FOLDER / "abcd.json"
    assert [len(read_dialogs(f"{file}#{split}")) for split in ("train", "valid", "test")] == [2, 1, 1]
    assert validate(file).as_one == "read train, dev and test as one: 4 dialogs; choose with abcd.json#train"
    first, _ = read_dialogs(f"{file}#train")
    assert said(first) == [
        (SILENCE, "Hello! how may I help you?"),
        ("My name is Ann Lee, a return please", 'api_call pull-up-account ["ann lee"]'),
        (SILENCE, "Thank you!"),
    ]
    assert [turn.acts for turn in first.turns] == [(), (Act("call", "pull-up-account"),), ()]
    assert [event for event in first.events if isinstance(event, Note)] == [
        Note("Account has been pulled up for Ann Lee.")
    ]
    assert validate(file).lost == {"'scenario' of a conversation": 4}


@pytest.mark.parametrize("shape", ["list", "lines"])
def test_abcd_cut_into_a_list_or_lines_is_read_too(tmp_path: Path, shape: str) -> None:
    some = json.loads((FOLDER / "abcd.json").read_text())["train"]
    some[1]["delexed"].pop()
    lines = "\n".join(map(json.dumps, some))
    (tmp_path / "some").write_text(json.dumps(some) if shape == "list" else lines)
    journal = Journal(tmp_path / "some")
    first, second = iterate_dialogs(tmp_path / "some", journal)
    assert len(first.turns) - 1 == len(second.turns)
    assert journal.lost["'delexed' of a conversation that does not fit its lines"] == 1
