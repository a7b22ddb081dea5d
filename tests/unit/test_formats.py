"""Each format as its specification has it: what is read, under which name, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.dialogs import SILENCE, Act, Dialog, Note, Record, Turn
from tasksieve.dialogs.formats import FORMATS, format_named, format_of, read_babi, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.known import format_to_write
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError
from tests.reading import WRITTEN

CHEAP = Record("kb", (("name", "resto_1"), ("R_price", "cheap")))

CHAT = """{"messages": [{"role": "system", "content": "profile: male young\\nresto_1 R_price cheap"}, \
{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello", "weight": 0}, \
{"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "find", "arguments": "{}"}}]}, \
{"role": "tool", "content": "resto_2 R_price high"}, {"role": "assistant", "content": "resto_2 it is"}]}

{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}, \
{"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}], "tools": [{}]}
"""
PARLAI = """text:resto_1 R_price cheap\\nhi there\tlabels:hello|good day\tid:x
text:__SILENCE__\tlabels:a__PIPE__b\\tc\tepisode_done:True
text:\tlabels:bye\tepisode_done:True
"""
CONVERSATIONS = """{"dialog": [[{"id": "speaker_1", "text": "hi"}, {"id": "speaker_2", "text": "hello"}], \
[{"id": "context", "text": "it rains"}, {"id": "speaker_1", "text": "bye"}, {"id": "speaker_2", "text": "bye bye"}]],\
 "context": [{"id": "context", "text": "your persona: i like rain"}], "metadata_path": "x.metadata"}
"""
SGD = """[
 {"dialogue_id": "1_00000", "services": ["Restaurants_1"], "turns": [
   {"speaker": "USER", "utterance": "a table in Rome", "frames": [{"service": "Restaurants_1", "slots": [],
     "state": {"active_intent": "FindRestaurants", "requested_slots": [], "slot_values": {"city": ["Rome"]}}}]},
   {"speaker": "SYSTEM", "utterance": "Da Enzo?", "frames": [{"service": "Restaurants_1", "slots": [],
     "actions": [{"act": "OFFER", "slot": "restaurant_name", "values": ["Da Enzo"]}],
     "service_call": {"method": "FindRestaurants", "parameters": {"city": "Rome"}},
     "service_results": [{"restaurant_name": "Da Enzo", "city": "Rome"}]}]}]},
 {"dialogue_id": "1_00001", "services": [], "turns": [
   {"speaker": "USER", "turn_id": "0", "utterance": "hello", "frames": []},
   {"speaker": "SYSTEM", "turn_id": "1", "utterance": " hi ", "frames": []}]}
]
"""
CONVLAB = """[{"dataset": "camrest", "data_split": "train", "dialogue_id": "camrest-train-0",
  "domains": ["restaurant"], "goal": {"description": "", "inform": {}, "request": {}}, "turns": [
  {"speaker": "user", "utterance": "cheap food", "utt_idx": 0, "state": {"restaurant": {"price range": "cheap"}},
   "dialogue_acts": {"binary": [], "categorical": [], "non-categorical": []}},
  {"speaker": "system", "utterance": "Da Enzo", "utt_idx": 1, "db_results": {"restaurant": [{"name": "Da Enzo"}]},
   "dialogue_acts": {"binary": [{"intent": "offer", "domain": "restaurant", "slot": ""}], "categorical": []}}]}]
"""
RASA = """version: "3.1"
nlu:
- intent: greet
  examples: |
    - hey
stories:
- story: book a table
  steps:
  - intent: greet
  - action: utter_greet
  - user: |
      in [Rome](city) or [chinese]{"entity": "cuisine"}
    intent: inform
  - slot_was_set:
    - city: Rome
  - action: action_search
  - bot: "yes"
- story: with or
  steps:
  - checkpoint: start
  - or:
    - intent: affirm
      entities:
      - people: 6
    - intent: thanks
  - action: utter_done
responses:
  utter_greet:
  - text: "Hey!"
  - text: "Hi!"
"""
LONG = '''Dialog_ID;Role;Utterance
1;kb;resto_1 R_price cheap
1;Customer;"hello; ""you"""
1;Agent;hi
1;Agent;how are you
2;user;bye
2;bot;"bye
bye"
'''
PAIRS = "conversation_id,response,context,facts\n7,hello,hi,it rains\n7,bye,<SILENCE>,\n"
SINGLE = "prompt\tcompletion\nhi\thello\nhi\thello\n"

EXPECTED: dict[str, tuple[str, str, list[Dialog]]] = {
    "chat": (
        CHAT,
        "chat",
        [
            Dialog(
                (
                    CHEAP,
                    Turn("hi", "hello"),
                    Turn(SILENCE, "api_call find {}", acts=(Act("call", "find"),)),
                    Record("kb", (("name", "resto_2"), ("R_price", "high"))),
                    Turn(SILENCE, "resto_2 it is"),
                ),
                ("male", "young"),
                1,
            ),
            Dialog((Turn("a", "b"),), line=3),
        ],
    ),
    "parlai": (
        PARLAI,
        "parlai",
        [
            Dialog((CHEAP, Turn("hi there", "hello"), Turn(SILENCE, "a|b\tc")), line=1),
            Dialog((Turn("", "bye"),), line=3),
        ],
    ),
    "parlai conversations": (
        CONVERSATIONS,
        "parlai-jsonl",
        [
            Dialog(
                (
                    Note("your persona: i like rain"),
                    Turn("hi", "hello"),
                    Note("it rains"),
                    Turn("bye", "bye bye"),
                ),
                line=1,
            )
        ],
    ),
    "schema-guided": (
        SGD,
        "sgd",
        [
            Dialog(
                (
                    Record("Restaurants_1", (("restaurant_name", "Da Enzo"), ("city", "Rome"))),
                    Turn("a table in Rome", "Da Enzo?", acts=(Act("offer", "restaurant_name"),)),
                ),
                line=2,
            ),
            Dialog((Turn("hello", "hi"),), line=9),
        ],
    ),
    "convlab": (
        CONVLAB,
        "convlab",
        [
            Dialog(
                (
                    Record("restaurant", (("name", "Da Enzo"),)),
                    Turn("cheap food", "Da Enzo", acts=(Act("offer"),)),
                ),
                line=1,
            )
        ],
    ),
    "rasa": (
        RASA,
        "rasa",
        [
            Dialog(
                (
                    Turn("/greet", "Hey!", acts=(Act("utter_greet"),)),
                    Record("slots", (("city", "Rome"),)),
                    Turn("in Rome or chinese", "action_search", acts=(Act("action_search"),)),
                    Turn(SILENCE, "yes"),
                ),
                line=7,
            ),
            Dialog((Turn('/affirm{"people": "6"}', "utter_done", acts=(Act("utter_done"),)),), line=18),
            Dialog((Turn("/thanks", "utter_done", acts=(Act("utter_done"),)),), line=18),
        ],
    ),
    "csv of utterances": (
        LONG,
        "csv",
        [
            Dialog((CHEAP, Turn('hello; "you"', "hi"), Turn(SILENCE, "how are you")), line=2),
            Dialog((Turn("bye", "bye\nbye"),), line=6),
        ],
    ),
    "csv of examples": (
        PAIRS,
        "csv",
        [Dialog((Note("it rains"), Turn("hi", "hello"), Turn(SILENCE, "bye")), line=2)],
    ),
    "csv of single examples": (SINGLE, "csv", [Dialog((Turn("hi", "hello"),), line=n) for n in (2, 3)]),
}

LOST = {
    "chat": {
        "'tools' of a dialog": 1,
        "part 'image_url' of a message": 1,
        "utterance of the user without a response at the end": 1,
    },
    "parlai": {"label after the first": 1, "'id' of an example": 1},
    "parlai conversations": {"'metadata_path' of a dialog": 1},
    "schema-guided": {
        "'services' of a dialog": 1,
        "'state' in the frames of a turn": 1,
        "value of an act without a place in the response": 1,
        "'service_call' in the frames of a turn": 1,
    },
    "convlab": {"'domains' of a dialog": 1, "'state' of a turn": 1, "'domain' of an act": 1},
    "rasa": {
        "entry under 'nlu'": 1,
        "'intent' of a user's own words": 1,
        "checkpoint that no story ends with": 1,
        "entity marked in a user's own words": 2,
        "further wording of a response": 1,
    },
    "csv of utterances": {},
    "csv of examples": {},
    "csv of single examples": {},
}


def written(folder: Path, text: str, name: str = "dialogs") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("name", list(EXPECTED))
def test_a_specification_s_example_is_known_and_read(tmp_path: Path, name: str) -> None:
    text, known, dialogs = EXPECTED[name]
    path = written(tmp_path, text)
    assert format_of(path).name == known
    assert read_dialogs(path) == dialogs


@pytest.mark.parametrize("name", list(EXPECTED))
def test_what_is_not_read_is_counted(tmp_path: Path, name: str) -> None:
    found = validate(written(tmp_path, EXPECTED[name][0]))
    assert found.lost == LOST[name]
    assert (found.problems, found.dialogs) == ((), len(EXPECTED[name][2]))


@pytest.mark.parametrize("name", list(EXPECTED))
def test_line_ends_and_byte_order_mark_do_not_matter(tmp_path: Path, name: str) -> None:
    text, known, dialogs = EXPECTED[name]
    path = written(tmp_path, "\ufeff" + text.replace("\n", "\r\n"))
    assert format_of(path).name == known
    assert read_dialogs(path) == dialogs


def test_a_name_decides_where_the_content_says_nothing(tmp_path: Path) -> None:
    for ending, name in ((".jsonl", "chat"), (".json", "sgd"), (".yml", "rasa"), (".csv", "csv"), (".odd", "babi")):
        assert format_of(written(tmp_path, "what is this", f"x{ending}")).name == name
        assert format_of(written(tmp_path, "1 hi\thello\n", f"x{ending}")).name == "babi"
    assert format_of(written(tmp_path, '[{"turns": [{"speaker": "user"}]}]')).name == "convlab"
    assert format_of(written(tmp_path, '[{"turns": [{"speaker": "USER"}]}]')).name == "sgd"
    assert format_of(written(tmp_path, '{"dialog": broken')).name == "parlai-jsonl"
    assert format_of(written(tmp_path, "labels:a\ttext:b")).name == "parlai"
    assert format_of(written(tmp_path, "{")).name == "chat"


def test_splits_that_are_read_as_one_are_counted(tmp_path: Path) -> None:
    turns = '"turns": [{"speaker": "user", "utterance": "a"}, {"speaker": "system", "utterance": "b"}]'
    dialogs = [f'{{"data_split": "{split}", {turns}}}' for split in ("train", "train", "test")]
    assert validate(written(tmp_path, f"[{dialogs[0]}, {dialogs[1]}]")).lost == {}
    found = validate(written(tmp_path, f"[{', '.join(dialogs)}]"))
    assert (found.format.name, found.dialogs) == ("convlab", 3)
    assert (found.lost, found.splits) == ({}, {"train": 2, "test": 1})
    assert found.as_one == "read train and test as one: 3 dialogs; choose with dialogs#train"


def test_names_and_endings_choose_what_is_written() -> None:
    for ending, name in ((".txt", "babi"), (".JSONL", "chat"), (".json", "sgd"), (".yaml", "rasa"), (".csv", "csv")):
        assert format_to_write(Path(f"out{ending}")).name == name
    with pytest.raises(UserError, match=r"ends in '.doc'; expected one of .txt, .jsonl, .csv"):
        format_to_write(Path("out.doc"))
    with pytest.raises(UserError, match="unknown format 'xml'; known: babi, abcd, camrest, chat"):
        format_named("xml")


def test_a_folder_may_hold_splits_in_any_format(tmp_path: Path) -> None:
    written(tmp_path, CHAT, "train.jsonl")
    written(tmp_path, PAIRS, "valid.csv")
    assert len(read_dialogs(tmp_path, "train")) == 2
    assert len(read_dialogs(tmp_path, "valid")) == 1
    written(tmp_path, "1 hi\thello\n", "train.txt")
    assert len(read_dialogs(tmp_path, "train")) == 1


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "babi"])
def test_the_published_dialogs_come_back(data_dir: Path, tmp_path: Path, name: str) -> None:
    path = data_dir / "dialog-bAbI-tasks" / "dialog-babi-task6-dstc2-dev.txt"
    done = convert(path, tmp_path / "out", to_format=FORMATS[name])
    assert (done.dialogs, done.lost) == (500, {})
    convert(tmp_path / "out", tmp_path / "back.txt")
    assert read_babi(tmp_path / "back.txt") == read_babi(path)
