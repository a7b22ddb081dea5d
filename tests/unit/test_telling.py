"""What is told in a conversation: records, lists of them, prose; and the example that shows how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Note, Record
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.tellings import tellings
from tasksieve.encoding import Names, Reader, Slots, Vocabulary
from tasksieve.training.runs.conversation import Conversation
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.fact_example import fact_example
from tests.unit.test_wordings import TRAINING, trained

KINDS = st.text("abcXYZ_1", min_size=1, max_size=8)
FIELDS = st.dictionaries(KINDS, st.text(max_size=6) | st.integers() | st.booleans(), min_size=1, max_size=3)


@given(KINDS, st.lists(FIELDS, min_size=1, max_size=4))
def test_a_list_of_objects_after_a_name_is_as_many_records(kind: str, objects: list[dict[str, object]]) -> None:
    assert tellings(f"{kind} {json.dumps(objects)}") == tuple(Record.of(kind, fields) for fields in objects)
    assert tellings(json.dumps(objects)) == tuple(Record.of("", fields) for fields in objects)
    assert tellings(f"{kind} {json.dumps(objects[0])}") == (Record.of(kind, objects[0]),)


@pytest.mark.parametrize("text", ["closed on Sundays", "[closed] on Sundays", "x [1, 2]", "x [{]", '{"a": 1', "x []"])
def test_what_is_no_record_is_prose(text: str) -> None:
    assert tellings(text) == (Note(text),)


def test_a_conversation_says_what_it_took_a_fact_for() -> None:
    conversation = Conversation(trained(TRAINING, "actions"))
    told = conversation.command
    assert told('/fact find_customer {"name": "Ann Lee"}') == "a record of find_customer; 1 fact so far"
    assert told('/fact find [{"name": "Bo"}, {"name": "Cy"}]') == "2 records of find; 3 facts so far"
    conversation.say("hello")
    assert told("/fact we close at 5") == "taken as words; 4 facts and 1 turn so far"
    assert told('/fact find {"name": }').startswith("taken as words, as it cannot be read as JSON; 5 facts")
    assert told("/fact inn R_price cheap") == "a record of kb; 6 facts and 1 turn so far"
    conversation.say("hello")
    assert told("/fact x").endswith("7 facts and 2 turns so far")
    assert told("/reset") == "a new dialog"
    assert told("/fact x") == "taken as words; 1 fact so far"


def example_of(names: Names | None, slots: Slots | None, *words: str) -> str:
    return fact_example(Encoding(Vocabulary(words), {}, 9, Reader(names=names, slots=slots)))


def test_the_example_is_a_fact_as_the_run_has_them() -> None:
    member = Names({"get_member": ("name", "fines")}, (("get_member", "card", "said everywhere"), ("kb", "x", "")))
    assert example_of(member, None, "r_price") == 'get_member {"name": "…", "fines": "…", "card": "…"}'
    assert example_of(Names({"kb": ("name", "r_phone")}), None, "hi", "r_price", "r_phone") == "NAME R_phone VALUE"
    assert example_of(None, None, "r_price") == "NAME R_price VALUE"
    assert example_of(Names(), Slots({"room": ("name",), "date": ("date",), "name.first": ("name",)})) == (
        'TOOL {"date": "…", "room": "…"}'
    )
    assert example_of(None, None) == 'TOOL {"FIELD": "…"}'


def test_the_example_can_be_told() -> None:
    model = trained(TRAINING, "actions")
    (record,) = tellings(fact_example(model.encoding))
    assert isinstance(record, Record)
    assert record.kind == "find_customer"


def test_a_run_of_a_knowledge_base_shows_a_triple(tasks_dir: Path, tmp_path: Path) -> None:
    from tasksieve.training.runs.dialogs import train
    from tasksieve.training.runs.trained_model import TrainedModel
    from tests.small import small_config

    train(small_config(tasks_dir, training={"method": "primary"}), tmp_path / "run")
    shown = Conversation(TrainedModel.load(tmp_path / "run")).help()
    assert "/fact NAME R_" in shown


@pytest.mark.parametrize("name", ["search", ""])
def test_what_a_tool_answered_is_read_as_in_chat_messages(name: str, tmp_path: Path) -> None:
    answer = json.dumps({"count": 1, "items": [{"item_id": "FU-1", "office": "Nord"}]})
    calls = [{"id": "1", "function": {"name": name, "arguments": "{}"}}] if name else None
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None if calls else "yes", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "1" if name else None, "content": answer},
        {"role": "user", "content": "and"},
        {"role": "assistant", "content": "so"},
    ]
    (tmp_path / "in").write_text(json.dumps({"messages": messages}))
    [dialog] = read_dialogs(tmp_path / "in")
    read = tuple(event for event in dialog.events if isinstance(event, Record))
    assert tellings(f"{name} {answer}".strip()) == read
    assert len(read) == 2
