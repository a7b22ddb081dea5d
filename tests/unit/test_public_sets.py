"""Public data sets in their own shapes: every dialog is read, facts are records, and what is not read is named."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tasksieve.audit import audit
from tasksieve.dialogs import Act, Dialog, Record, Span, Turn
from tasksieve.dialogs.formats import FORMATS, archive_files, dialog_file, find_splits, format_at, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError
from tasksieve.records.parted_paths import data_sha256
from tests.public_sets import FOLDER, PUBLIC

FORMATS_OF = {
    "abcd.json": "abcd",
    "bitod.json": "events",
    "camrest.json": "camrest",
    "convlab": "convlab",
    "dstc2": "dstc2",
    "frames.json": "frames",
    "kvret.json": "kvret",
    "metalwoz": "metalwoz",
    "movie_all.tsv": "microsoft-e2e",
    "multiwoz21": "multiwoz",
    "multiwoz22": "sgd",
    "star": "events",
    "taskmaster1.json": "taskmaster",
    "taskmaster3.json": "taskmaster",
}
WITH_FACTS = {
    "abcd.json",
    "bitod.json",
    "convlab",
    "frames.json",
    "kvret.json",
    "multiwoz21",
    "star",
    "taskmaster3.json",
}


def said(dialog: Dialog) -> list[tuple[str, str]]:
    return [(turn.user, turn.system) for turn in dialog.turns]


def records(dialog: Dialog) -> list[Record]:
    return [event for event in dialog.events if isinstance(event, Record)]


def marked(turn: Turn) -> list[tuple[str, str]]:
    return [(span.slot, turn.system[span.start : span.end]) for span in turn.spans]


@pytest.mark.parametrize("name", list(FORMATS_OF))
def test_a_set_is_known_by_its_content_and_read_without_a_problem(name: str, tmp_path: Path) -> None:
    assert format_at(FOLDER / name).name == FORMATS_OF[name]
    found = validate(FOLDER / name)
    assert (found.format.name, found.problems) == (FORMATS_OF[name], ()) or name == "kvret.json"
    assert "act that could not be read" not in found.lost
    done = convert(FOLDER / name, tmp_path / "out.jsonl")
    assert done.dialogs == found.dialogs > 0
    assert not {"record", "acts of a turn", "place of a value in a response", "dialog"} & done.lost.keys()


@pytest.mark.parametrize("name", list(FORMATS_OF))
def test_every_fact_of_a_set_reaches_the_model(name: str) -> None:
    found = audit(FOLDER / name)
    facts = [size.facts for size in found.sizes]
    assert facts == [{"given": each["given"], "seen": each["given"]} for each in facts]
    assert (facts[0]["given"] > 0) == (name in WITH_FACTS)


def test_only_formats_that_can_be_written_are_offered(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("1 hi\thello\n")
    for name in sorted(PUBLIC.keys() - {"convlab", "sgd"}):
        with pytest.raises(UserError, match=f"'{name}' is read, not written; expected one of babi, chat"):
            convert(tmp_path / "in.txt", tmp_path / "out", to_format=FORMATS[name])
    assert set(PUBLIC) <= set(FORMATS)


def test_camrest(tmp_path: Path) -> None:
    old, new = read_dialogs(FOLDER / "camrest.json")
    assert said(old) == [
        ("Something cheap in the south", "What kind of food would you like?"),
        ("Any. Their phone number?", "The Green Door is on 01223 000111."),
    ]
    assert said(new) == [("Thai food", "Sala Thong serves thai food. Which area?")]
    assert new.turns[0].acts == (Act("inform", "food"), Act("request", "area"), Act("nooffer"))
    assert validate(FOLDER / "camrest.json").lost == {
        "'finished' of a dialog": 2,
        "'goal' of a dialog": 2,
        "'slu' of a user's turn": 2,
        "'dialog_act' of a user's turn": 1,
        "'DA' of a system's turn": 1,
        "value of an act without a place in the response": 1,
    }
    turn = {"usr": {"transcript": "hi"}, "sys": {"sent": "in which area", "DA": ["request(area)"]}}
    (tmp_path / "acts.json").write_text(json.dumps([{"dial": [turn]}]))
    assert read_dialogs(tmp_path / "acts.json")[0].turns[0].acts == (Act("request", "area"),)


def test_dialog_state_tracking_challenge(tmp_path: Path) -> None:
    first, second = read_dialogs(FOLDER / "dstc2")
    assert said(first) == [
        ("<SILENCE>", "Hello, how may I help you?"),
        ("thai food", "Thai food, in which area?"),
        ("any area", "Sala Thong is nice."),
    ]
    assert [turn.acts for turn in first.turns] == [
        (Act("welcomemsg"),),
        (Act("impl-conf", "food"), Act("request", "area")),
        (Act("offer", "name"),),
    ]
    assert said(second)[1] == ("hi", "Which food?")
    assert validate(FOLDER / "dstc2").lost == {
        "'end-time' of an output": 3,
        "'session-date' of a session": 1,
        "utterance of the user without a response at the end": 1,
        "value of an act without a place in the response": 2,
        "what the user said, instead of which what was heard is read": 1,
    }
    assert archive_files(FOLDER / "dstc2") == (FOLDER / "dstc2",)
    assert len(data_sha256(FOLDER / "dstc2")) == 64
    (tmp_path / "log.json").write_bytes(PUBLIC["dstc2"][0])
    (tmp_path / "label.json").write_text("{")
    (problem,) = validate(tmp_path / "log.json").problems
    assert "the labels beside it cannot be read" in problem.message


def test_kvret() -> None:
    navigate, schedule = read_dialogs(FOLDER / "kvret.json")
    assert records(navigate) == [
        Record.of("navigate", {"poi": "Blue Anchor", "distance": "3 miles", "traffic_info": "heavy traffic"}),
        Record.of("navigate", {"poi": "Two Oaks", "distance": "6 miles", "traffic_info": "no traffic"}),
    ]
    assert navigate.events[:2] == tuple(records(navigate))
    assert said(navigate)[0] == (
        "Where is the nearest petrol station?",
        "Blue Anchor is 3 miles away with heavy traffic.",
    )
    assert said(schedule) == [("Remind me to call home at 5pm", "Okay, at 5pm.")]
    assert validate(FOLDER / "kvret.json").lost == {
        "'requested' of a turn": 1,
        "'slots' of a turn": 2,
        "'kb_title' of a knowledge base": 3,
        "'column_names' of a knowledge base": 2,
    }
    (problem,) = validate(FOLDER / "kvret.json").problems
    assert "this dialog has no turn" in problem.message


def test_taskmaster() -> None:
    (dialog,) = read_dialogs(FOLDER / "taskmaster1.json")
    assert said(dialog)[1:] == [("7 pm it is", "Booked."), ("<SILENCE>", "Anything else?")]
    assert marked(dialog.turns[0]) == [("restaurant.name", "Corner Kitchen"), ("restaurant.time", "7 pm")]
    assert validate(FOLDER / "taskmaster1.json").lost == {
        "'instruction_id' of a conversation": 1,
        "'segments' of a user's utterance": 1,
        "place of a value that is not in the response": 1,
    }
    (dialog,) = read_dialogs(FOLDER / "taskmaster3.json")
    assert records(dialog) == [
        Record.of("find_movies", {"name.movie": ["The Long Walk", "Night Bus"], "time.start": ["8 pm"]}),
        Record.of("find_theaters", {"name.theater": "Old Mill"}),
        Record.of("find_theaters", {"name.theater": "Regent"}),
    ]
    assert marked(dialog.turns[0]) == [("name.movie", "The Long Walk")]
    assert validate(FOLDER / "taskmaster3.json").lost == {
        **{f"'{name}' of a conversation": 1 for name in ("vertical", "scenario", "instructions")},
        "'args' of an api": 2,
    }


def test_microsofts_challenge() -> None:
    movie, greeting = read_dialogs(FOLDER / "movie_all.tsv")
    assert said(movie) == [
        ('Two tickets for "Night Bus"', "Which theater, the Regent or the Old Mill?"),
        ("Regent", "Done, at 8 pm. Bye"),
    ]
    assert [turn.acts for turn in movie.turns] == [
        (Act("multiple_choice", "theater"),),
        (Act("inform", "starttime"), Act("inform", "taskcomplete"), Act("closing")),
    ]
    assert said(greeting) == [("hi", "hello")]
    assert validate(FOLDER / "movie_all.tsv").lost == {
        "'Message.Timestamp' of a message": 2,
        "act of a user's message": 2,
        "value of an act without a place in the response": 3,
    }


def test_multiwoz_as_first_published(tmp_path: Path) -> None:
    (dialog,) = read_dialogs(FOLDER / "multiwoz21")
    first, second, third = dialog.turns
    assert first.acts == (Act("inform", "Food"), Act("inform", "Choice"), Act("reqmore"))
    assert (first.spans, marked(first)) == ((Span("Food", 51, 58),), [("Food", "italian")])
    assert (second.acts, marked(second)) == ((Act("book", "Ref"),), [("Ref", "QQ12")])
    assert (third.acts, third.user) == ((), "Thanks")
    assert records(dialog) == [Record.of("restaurant", {"name": "Da Enzo", "reference": "QQ12"})]
    assert dialog.events.index(records(dialog)[0]) == 1
    file = FOLDER / "multiwoz21" / "data.json"
    assert [said(read_dialogs(f"{file}#{split}")[0])[0][0] for split in ("dev", "test")] == ["Hello", "Taxi"]
    found = validate(file)
    assert found.splits == {"train": 1, "val": 1, "test": 1}
    assert found.as_one == "read train, val and test as one: 3 dialogs; choose with data.json#train"
    assert found.lost == {
        "'goal' of a dialog": 1,
        "'dialog_act' of a user's turn": 1,
        "'metadata' of a turn": 3,
        "'domain' of an act": 3,
        "place of a value that could not be read": 1,
        "value of an act without a place in the response": 1,
    }
    (tmp_path / "data.json").write_bytes(file.read_bytes())
    assert (len(read_dialogs(tmp_path / "data.json")), validate(tmp_path / "data.json").splits) == (3, {})


def test_multiwoz_2_2() -> None:
    folder = FOLDER / "multiwoz22"
    assert find_splits(folder) == {0: {"train": folder / "train", "valid": folder / "dev"}}
    first, second = read_dialogs(folder)
    assert first.turns[0].acts == (Act("recommend", "name"), Act("reqmore"))
    assert said(second) == [("Bye", "Goodbye")]
    assert validate(folder / "train").lost == {
        "'services' of a dialog": 1,
        "'state' in the frames of a turn": 1,
        "acts of a user's turn in dialog_acts.json": 1,
        "'domain' of an act": 2,
    }
    assert len(read_dialogs(folder, "valid")) == 1


def test_places_that_multiwoz_s_acts_do_not_have_are_counted(tmp_path: Path) -> None:
    frames = [
        {
            "service": "inn",
            "slots": [
                {"slot": "inn-name", "start": 0, "exclusive_end": 3},
                {"slot": "inn-name", "start": 7, "exclusive_end": 10},
            ],
        }
    ]
    turns = [{"speaker": "SYSTEM", "turn_id": "1", "utterance": "Inn or Bar", "frames": frames}]
    (tmp_path / "dialogues_001.json").write_text(
        json.dumps([{"dialogue_id": "A", "services": ["inn"], "turns": turns}])
    )
    said = {"dialog_act": {"Inn-Inform": [["name", "Inn"]]}, "span_info": [["Inn-Inform", "name", "Inn", 0, 3]]}
    (tmp_path / "dialog_acts.json").write_text(json.dumps({"A": {"1": said}}))
    (dialog,) = read_dialogs(tmp_path / "dialogues_001.json")
    assert marked(dialog.turns[0]) == [("name", "Inn")]
    lost = validate(tmp_path / "dialogues_001.json").lost
    assert lost["place of a value that dialog_acts.json does not have"] == 1


def test_convlab() -> None:
    folder = FOLDER / "convlab"
    assert dialog_file(folder, "valid") == folder / "data" / "dialogues.json#valid"
    (dialog,) = read_dialogs(folder)
    assert records(dialog) == [
        Record.of("hotel", {"name": "Avalon", "price range": "cheap", "location": [52.2, 0.1]}),
        Record.of("hotel", {"name": "Old Inn", "price range": "cheap"}),
        Record.of("hotel", {"name": "Avalon", "ref": "QQ12"}),
    ]
    first, second, _ = dialog.turns
    assert first.acts == (Act("inform", "price range"), Act("recommend", "name"), Act("offerbook"))
    assert (marked(first), marked(second)) == ([("name", "Avalon")], [("ref", "QQ12")])
    assert validate(dialog_file(folder, "train")).lost == {
        "'domains' of a dialog": 1,
        "'goal' of a dialog": 1,
        "'dialogue_acts' of a user's turn": 1,
        "'state' of a turn": 2,
        "'domain' of an act": 4,
        "value of an act without a place in the response": 1,
    }
    assert [dialog.turns[0].user for dialog in read_dialogs(folder, "valid")] == ["Hi"]


BROKEN = {
    "abcd": (
        '{"train": [{"convo_id": 1, "original": [["boss", "a"]]}]}',
        "conversation 1, line 1: found ['boss', 'a']",
    ),
    "events": (
        '{"Events": [{"Agent": "Wizard", "Action": "query"}]}',
        "event 1: found a query of None; expected the name",
    ),
    "frames": (
        '[{"id": "f", "user_id": "u", "turns": [{"author": "boss", "text": "a", "labels": {}}]}]',
        "dialog 'f', turn 1: found author 'boss'; expected user or wizard",
    ),
    "metalwoz": (
        '{"user_id": "u", "bot_id": "b", "domain": "d", "turns": ["a", 5]}',
        "turn 2: found 5; expected text",
    ),
    "camrest": ('[{"dial": [{"usr": {"transcript": "a"}, "sys": 5}]}]', "expected an object with usr and sys"),
    "dstc2": ('{"session-id": "1", "turns": [{"output": {"transcript": 5}}]}', "turn 1: found 5; expected text"),
    "kvret": ('[{"dialogue": [{"turn": "boss", "data": {"utterance": "a"}}]}]', "found 'boss'; expected driver"),
    "taskmaster": (
        '[{"conversation_id": "1", "utterances": [{"speaker": "ME", "text": "a"}]}]',
        "utterance 1: found speaker 'ME'; expected USER or ASSISTANT",
    ),
    "microsoft-e2e": (
        "session.ID\tMessage.ID\tMessage.Timestamp\tMessage.From\tMessage.Text\n1\t2\n",
        "found 2 cells",
    ),
    "multiwoz": ('{"A.json": {"log": [{"text": "a", "metadata": {}}, 5]}}', "dialog 'A.json', turn 2: found 5"),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_what_is_not_of_the_form_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    text, message = BROKEN[name]
    (tmp_path / "in.json").write_text(text)
    (problem,) = validate(tmp_path / "in.json").problems
    assert problem.line == 1 + (name == "microsoft-e2e")
    assert message in problem.message


def test_the_schema_guided_files_are_read_whole(data_dir: Path) -> None:
    files = sorted((data_dir / "sgd").glob("*.json"))
    if not files:
        pytest.skip("the Schema-Guided dialogs are not here")
    path = min(files, key=lambda file: file.stat().st_size)
    published = json.loads(path.read_text())
    found = audit(path)
    (size,) = found.sizes
    assert size.dialogs == len(published)
    assert size.turns == sum(turn["speaker"] == "SYSTEM" for dialog in published for turn in dialog["turns"])
    assert size.facts["given"] == size.facts["seen"] > 0
    given = Counter(
        json.dumps([frame["service"], result])
        for dialog in published
        for turn in dialog["turns"]
        for frame in turn["frames"]
        for result in frame.get("service_results", ())
    )
    read = [event for dialog in read_dialogs(path) for event in dialog.events if isinstance(event, Record)]
    assert Counter(json.dumps([record.kind, record.plain()]) for record in read if record.fields) == given


ODD = (None, True, 5, -1.5, "", "x", "\0", "\ud800", [], {}, [1], [[]], {"a": 1}, {"a": {"b": [None]}}, ["x", "y"])
"""What may stand in the place of any value."""


def changed(value: Any, chance: random.Random) -> Any:
    """A value of JSON in which about one value is another."""
    if chance.random() < 0.02:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {
            (chance.choice(("", "x", key)) if chance.random() < 0.01 else key): changed(value[key], chance)
            for key in value
        }
    return [changed(item, chance) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in ("metalwoz", "microsoft-e2e")])
def test_any_value_in_any_place_is_read_refused_or_counted(name: str, tmp_path: Path) -> None:
    seeds = [json.loads(text) for text in PUBLIC[name]]
    for number in range(150):
        chance = random.Random(number)
        (tmp_path / "in.json").write_text(json.dumps(changed(chance.choice(seeds), chance)))
        try:
            found = validate(tmp_path / "in.json", FORMATS[name])
        except UserError as error:
            assert str(error).isprintable()
            continue
        assert all(len(str(problem)) < 1300 for problem in found.problems)
        assert found.dialogs or found.problems
