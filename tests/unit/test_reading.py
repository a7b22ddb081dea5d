"""What is read of a dialog: what is remembered, and which facts the model can see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Note, Record, Turn
from tasksieve.encoding import Candidates, Names, Reader, Vocabulary, responses_of
from tasksieve.errors import UserError
from tasksieve.records.model_config import Facts
from tasksieve.training.runs.encoding import Encoding
from tests.reading import KB, facts, lines, records

DIALOG = Dialog(
    (
        *facts("r1 R_price cheap", "r2 R_price dear", "r1 R_phone r1_phone"),
        Turn("a table", "how about r1"),
        Turn("is R2 any better", "no"),
        *facts("r2 R_phone r2_phone", "r3 R_phone r3_phone"),
    ),
    ("young",),
)
TABLE = ["<user> a table", "<system> how about r1"]
BETTER = ["<user> is R2 any better", "<system> no"]
FIRST = ["<fact> r1 R_price cheap", "<fact> r2 R_price dear", "<fact> r1 R_phone r1_phone"]
MENTIONED = [*TABLE, FIRST[0], FIRST[2], FIRST[1], *BETTER, "<fact> r2 R_phone r2_phone"]


@pytest.mark.parametrize(
    ("choice", "remembered"),
    [
        ("all", [*FIRST, *TABLE, *BETTER, "<fact> r2 R_phone r2_phone", "<fact> r3 R_phone r3_phone"]),
        ("mentioned", MENTIONED),
        ("needed", MENTIONED),
        ("none", [*TABLE, *BETTER]),
    ],
)
def test_facts_are_memories_as_chosen(choice: Facts, remembered: list[str]) -> None:
    assert lines(DIALOG, choice) == ["<profile> young", *remembered]


def test_what_has_just_come_is_seen_at_the_turn_at_hand_and_no_longer() -> None:
    result = records("weather", {"sky": "rain", "wind": {"from": "north", "gusts": [20, 30]}})
    dialog = Dialog((Turn("how is it", "one moment"), *result, Turn("well", "take an umbrella"), Turn("so", "bye")))
    reading = Reader().read_one(dialog)
    told = ["weather sky rain", "weather wind.from north", "weather wind.gusts 20", "weather wind.gusts 30"]
    assert [[line.original for line in turn.fresh] for turn in reading.turns] == [
        [],
        ["<result> weather 1", *(f"<fact> {t}" for t in told)],
        [],
    ]
    assert (reading.given, reading.seen) == (4, 4)
    memory = reading.memory(reading.turns[1])
    assert [line.seen for line in memory] == [
        "<result> weather 1",
        *(f"<fact> {t}" for t in told),
        "<user> how is it",
        "<system> one moment",
    ]
    assert not Reader("mentioned").read_one(dialog).turns[1].fresh


def test_a_knowledge_base_before_the_first_turn_is_no_answer_to_it() -> None:
    base = facts("r1 R_price cheap", "r2 R_price dear")
    reading = Reader().read_one(Dialog((*base, Turn("hi", "hello"), *facts("r3 R_price cheap"), Turn("so", "r3"))))
    assert [[line.seen for line in turn.fresh] for turn in reading.turns] == [[], ["<fact> r3 R_price cheap"]]
    assert (reading.given, reading.seen) == (3, 1)
    assert Reader(names=KB).read_one(Dialog((*base, Turn("hi", "hello")))).seen == 2  # they describe entities


def test_what_identifies_a_record_brings_it_back() -> None:
    names = Names({"Hotels_1": ("hotel_name", "address")})
    inn = records(
        "Hotels_1",
        {"hotel_name": "The Old Inn", "address": "71 Saint Peter", "stars": 4},
        {"hotel_name": "Astoria", "address": "1 Main St", "stars": 4},
    )
    dialog = Dialog((*inn, Turn("hello", "hi"), Turn("the one at 71 saint peter, please", "the old inn")))
    reading = Reader(names=names).read_one(dialog)
    memory = [line.seen for line in reading.memory(reading.turns[1])]
    assert memory == [
        *("<user> hello", "<system> hi"),
        *("<fact> <entity> address <address>", "<fact> <entity> stars 4"),
    ]
    assert reading.turns[1].user == "the one at <address>, please"
    assert (reading.turns[1].response, reading.turns[1].entity) == ("<entity>", 0)


def test_without_names_a_value_that_no_other_record_has_identifies_one() -> None:
    weather = records("weather", {"city": "Rome", "sky": "rain"}, {"city": "Oslo", "sky": "rain"})
    dialog = Dialog((*weather, Turn("hi", "hello"), Turn("rain again", "where"), Turn("in oslo", "an umbrella")))
    reading = Reader().read_one(dialog)
    seen = [[line.seen for line in reading.memory(turn)] for turn in reading.turns]
    assert "<fact> weather city Oslo" in seen[0]  # it has just come
    assert "<fact> weather city Oslo" not in seen[1]  # rain says nothing of which
    assert seen[2][-2:] == ["<fact> weather city Oslo", "<fact> weather sky rain"]


def test_a_blank_value_identifies_nothing() -> None:
    blank = records("ticket", {"id": "A7", "notes": "  "}, {"id": "", "notes": ""})
    reading = Reader().read_one(Dialog((*blank, Turn("hi", "hello"), Turn("and A7", "closed"))))
    assert [line.seen for line in reading.lines[2:4]] == ["<fact> ticket id A7", "<fact> ticket notes"]


def test_notes_are_remembered_from_when_they_come() -> None:
    dialog = Dialog((Note("You are a kind assistant."), Turn("hello", "hi"), Note("no result"), Turn("so", "sorry")))
    told = ["<fact> You are a kind assistant.", "<user> hello", "<system> hi", "<fact> no result"]
    reading = Reader(names=KB).read_one(dialog)
    assert [line.seen for line in reading.memory(reading.turns[1])] == told
    assert (reading.given, reading.seen) == (2, 2) and len(reading.entities) == 0
    assert Reader("none").read_one(dialog).seen == 0


def test_a_record_that_comes_twice_is_one_fact() -> None:
    once = records("weather", {"sky": "rain"})
    reading = Reader().read_one(Dialog((*once, Turn("hi", "hello"), *once, Turn("again", "rain it is"))))
    assert (reading.given, reading.seen) == (1, 1)
    told = ["<result> weather 1", "<fact> weather sky rain"]
    assert [[line.seen for line in turn.fresh] for turn in reading.turns] == [told, told]


def test_how_many_records_came_is_told_and_that_a_tool_found_none() -> None:
    bus = records("Buses", {"time": "9"}, {"time": "10"})
    dialog = Dialog(
        (Turn("a bus", "one moment"), *bus, *records("Trains", {}), Turn("so", "sorry"), Turn("ok", "bye"))
    )
    reading = Reader("needed").read_one(dialog)
    told = [[line.seen for line in turn.fresh] for turn in reading.turns]
    facts = ["<fact> Buses time 9", "<fact> Buses time 10"]
    assert told == [[], ["<result> Buses 2", "<result> Trains 0", *facts], []]
    assert not any(turn.fresh for turn in Reader("none").read_one(dialog).turns)


WORD = st.sampled_from(["r1", "r2", "R3", "hello", ""])
RECORD = st.builds(lambda name, value: Record("kb", (("name", name), ("R_is", value))), WORD, st.sampled_from("ab"))
EVENTS = st.lists(RECORD | st.builds(Turn, WORD, WORD), max_size=8)


@given(EVENTS)
def test_mentioned_facts_are_some_of_all_and_what_is_said_stays_in_order(events: list[Turn | Record]) -> None:
    dialog = Dialog((*events, Turn("r1 r2", "r3")))
    every, mentioned = lines(dialog), lines(dialog, "mentioned")
    assert [line for line in mentioned if not line.startswith("<fact>")] == lines(dialog, "none")
    said = {word for turn in dialog.turns for word in f"{turn.user} {turn.system}".lower().split()}
    named = {record for record in events if isinstance(record, Record) and record.fields[0][1]}
    wanted = [f"<fact> {r.fields[0][1]} R_is {r.fields[1][1]}" for r in named if str(r.fields[0][1]).lower() in said]
    assert sorted(line for line in mentioned if line.startswith("<fact>")) == sorted(wanted)
    assert set(mentioned) <= set(every)
    needed = Reader("needed").read_one(dialog)
    assert [line.seen for line in needed.lines] == mentioned and needed.seen <= needed.given


def test_an_example_has_the_facts_mentioned_up_to_its_utterance() -> None:
    reader = Reader("mentioned")
    readings = reader.read([DIALOG])
    vocabulary = Vocabulary.of(readings)
    assert "r3_phone" not in vocabulary.words
    encoding = Encoding(vocabulary, {"primary": Candidates(responses_of(readings), vocabulary)}, 250, reader)
    task = encoding.encode(readings)
    assert (task.end - task.start).tolist() == [1, 1 + 2 + 2 + 1]
    assert task.coverage.unknown_words == 0


def test_fresh_facts_are_the_first_to_leave_a_memory_that_is_full() -> None:
    reader = Reader()
    readings = reader.read(
        [Dialog((Turn("hi", "hello"), *facts("r1 R_price cheap", "r2 R_price dear"), Turn("a", "b")))]
    )
    vocabulary = Vocabulary.of(readings)
    task = Encoding(vocabulary, {"primary": Candidates(["b"], vocabulary)}, 3, reader).encode(readings)
    (second,) = task.batch(task.targets.new_tensor([1])).memories.tolist()
    table = task.batch(task.targets.new_tensor([1])).table
    said = [[vocabulary.words[word] for word in table.words[table.offsets[n] : table.offsets[n + 1]]] for n in second]
    assert said == [["<system>", "hello"], ["<user>", "hi"], ["<fact>", "r2", "r_price", "dear"]]


def test_an_encoding_remembers_how_dialogs_are_read(tmp_path: Path) -> None:
    file = tmp_path / "encoding.json"
    vocabulary = Vocabulary.of(Reader().read([DIALOG]))
    candidates = {"primary": Candidates(["no", "try <entity>"], vocabulary, placeholders=KB.gaps())}
    Encoding(vocabulary, candidates, 9, Reader("none", KB), (Names({"Hotels": ("name",)}),)).write(file)
    read = Encoding.read(file, "cpu")
    assert read.reader == Reader("none", KB) and read.related_names == (Names({"Hotels": ("name",)}),)
    assert read.candidates["primary"].gaps.tolist() == [1]
    assert read.encode_dialogs([DIALOG]).end.tolist() == [1, 3]
    text = file.read_text()
    file.write_text(text.replace('"none"', '"some"'))
    with pytest.raises(UserError, match=r"facts: found some; expected all, needed, mentioned, none"):
        Encoding.read(file, "cpu")
    file.write_text(text.replace('"fields"', '"field"'))
    with pytest.raises(UserError, match="names: found"):
        Encoding.read(file, "cpu")


def test_encodings_of_older_versions_are_read(tmp_path: Path) -> None:
    values = {"max_memories": 5, "facts": "mentioned", "words": ["a"], "candidates": {"primary": ["a"]}}
    (tmp_path / "encoding.json").write_text(json.dumps({**values, "naming": ["r_phone"]}))
    assert Encoding.read(tmp_path / "encoding.json", "cpu").reader == Reader("mentioned", KB)
    (tmp_path / "encoding.json").write_text(json.dumps({**values, "naming": None}))
    assert Encoding.read(tmp_path / "encoding.json", "cpu").reader == Reader("mentioned", None)
