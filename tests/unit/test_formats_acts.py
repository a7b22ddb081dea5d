"""What the system does and where its values stand: read from each format, written to each that can hold it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import SILENCE, Act, Dialog, Span, Turn
from tasksieve.dialogs.formats import FORMATS, iterate_dialogs, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError
from tests.reading import WRITTEN

FOOD = "Da Enzo in Rome, shall I book it?"
OFFER = (Act("offer", "name"), Act("offer", "city"), Act("req_more"))
PLACES = (Span("name", 0, 7), Span("city", 11, 15))
HELD = {
    "sgd": True,
    "convlab": True,
    "chat": True,
    "parquet": True,
    "arrow": True,
    "parlai-jsonl": True,
    "csv": False,
    "parlai": False,
    "rasa": False,
    "babi": False,
    "fbdialog": False,
}
"""Whether a format can hold places."""


def written(folder: Path, value: Any, name: str = "dialogs") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8", newline="")
    return path


def only(path: Path) -> tuple[Turn, ...]:
    (dialog,) = read_dialogs(path)
    return dialog.turns


def frame(**annotations: object) -> list[dict[str, object]]:
    return [{"service": "Restaurants_1", **annotations}]


def sgd(*turns: tuple[str, str, list[dict[str, object]]]) -> list[dict[str, object]]:
    said = [{"speaker": speaker, "utterance": text, "frames": frames} for speaker, text, frames in turns]
    return [{"dialogue_id": "1_00000", "turns": said}]


def places(*spans: tuple[str, int, int]) -> list[dict[str, object]]:
    return [{"slot": slot, "start": start, "exclusive_end": end} for slot, start, end in spans]


def test_schema_guided_actions_and_slots_of_the_system_are_read(tmp_path: Path) -> None:
    actions = [
        {"act": "OFFER", "slot": "name", "values": ["Da Enzo"], "canonical_values": ["da enzo"]},
        {"act": "OFFER", "slot": "city", "values": ["Rome"], "canonical_values": ["Rome"]},
        {"act": "OFFER", "slot": "name", "values": []},
        {"act": "INFORM", "slot": "price", "values": ["cheap"]},
        {"act": "REQ_MORE", "slot": "", "values": []},
    ]
    user = frame(actions=[{"act": "INFORM", "slot": "city", "values": ["Rome"]}], slots=places(("city", 8, 12)))
    system = frame(actions=actions, slots=places(("city", 13, 17), ("name", 2, 9)))
    path = written(tmp_path, sgd(("USER", "food in Rome", user), ("SYSTEM", f"  {FOOD} ", system)))
    acts = (Act("offer", "name"), Act("offer", "city"), Act("inform", "price"), Act("req_more"))
    assert only(path) == (Turn("food in Rome", FOOD, acts=acts, spans=PLACES),)
    assert validate(path).lost == {
        "'actions' in the frames of a user's turn": 1,
        "'slots' in the frames of a user's turn": 1,
        "'canonical_values' of an act": 1,
        "value of an act without a place in the response": 1,
    }


def test_acts_stay_with_their_utterance_where_the_system_speaks_twice(tmp_path: Path) -> None:
    first, second = frame(actions=[{"act": "GREET"}]), frame(actions=[{"act": "BYE"}], slots=places(("x", 5, 7)))
    path = written(tmp_path, sgd(("SYSTEM", "hi", first), ("SYSTEM", "\r\na\r\nbc\r\n", second)))
    bye = Turn(SILENCE, "a\nbc", acts=(Act("bye"),), spans=(Span("x", 2, 4),))
    assert only(path) == (Turn(SILENCE, "hi", acts=(Act("greet"),)), bye)
    assert bye.system[2:4] == "bc"


def test_what_is_no_act_or_place_is_counted(tmp_path: Path) -> None:
    odd = frame(
        actions=[{"slot": "a"}, 5, {"act": " "}, {"act": "x", "slot": 3}, {"act": "Y", "more": 1}],
        slots=[*places(("a", 1, 99), ("a", -1, 2), ("a", 2, 2), ("a", 1, 2)), {"slot": "b", "copy_from": "c"}, []],
    )
    path = written(tmp_path, sgd(("SYSTEM", "a b", odd), ("SYSTEM", "c", frame(actions=7, slots={"a": 1}))))
    assert [turn.acts for turn in only(path)] == [(Act("y"),), ()]
    assert [turn.spans for turn in only(path)] == [(), ()]
    assert validate(path).lost == {
        "act that could not be read": 5,
        "'more' of an act": 1,
        "place of a value that could not be read": 3,
        "place of a value that is not in the response": 4,
    }


@pytest.mark.parametrize("where", [{"act": "a\0"}, {"act": "a", "slot": "\ud800"}])
def test_a_name_that_is_no_text_is_refused(tmp_path: Path, where: dict[str, str]) -> None:
    path = written(tmp_path, sgd(("SYSTEM", "hi", frame(actions=[where]))))
    with pytest.raises(UserError, match="turn 1: found a NUL or half a surrogate pair in an act or slot"):
        read_dialogs(path)


MULTIWOZ = [
    {
        "dialogue_id": "PMUL1.json",
        "services": ["restaurant"],
        "turns": [
            {"speaker": "USER", "turn_id": "0", "utterance": "food in Rome", "frames": []},
            {"speaker": "SYSTEM", "turn_id": "1", "utterance": FOOD, "frames": []},
            {"speaker": "USER", "turn_id": "2", "utterance": "no", "frames": []},
            {"speaker": "SYSTEM", "turn_id": "3", "utterance": "bye", "frames": []},
        ],
    }
]
MULTIWOZ_ACTS = {
    "PMUL1.json": {
        "0": {"dialog_act": {"Restaurant-Inform": [["area", "rome"]]}, "span_info": []},
        "1": {
            "dialog_act": {
                "Restaurant-Recommend": [["name", "Da Enzo"], ["city", "Rome"], ["food", "roman"]],
                "Restaurant-Request": [["area", "?"], ["area", "?"]],
                "general-reqmore": [["none", "none"]],
            },
            "span_info": [
                ["Restaurant-Recommend", "city", "Rome", 11, 15],
                ["Restaurant-Recommend", "name", "Da Enzo", 0, 7],
                ["Restaurant-Recommend", "food", "roman"],
            ],
        },
        "3": {"dialog_act": {"general-bye": [], "thank": [["none", "none"]], "odd": 1}},
    },
    "SNG2.json": {},
}


@pytest.mark.parametrize("name", ["train/dialogs.json", "dialogs.json"])
def test_multiwoz_acts_are_read_from_the_file_beside_or_above(tmp_path: Path, name: str) -> None:
    written(tmp_path, MULTIWOZ_ACTS, "dialog_acts.json")
    path = written(tmp_path, MULTIWOZ, name)
    recommend = tuple(Act("recommend", slot) for slot in ("name", "city", "food"))
    acts = (*recommend, Act("request", "area"), Act("reqmore"))
    assert only(path) == (
        Turn("food in Rome", FOOD, acts=acts, spans=PLACES),
        Turn("no", "bye", acts=(Act("bye"), Act("thank"))),
    )
    assert validate(path).lost == {
        "'services' of a dialog": 1,
        "acts of a user's turn in dialog_acts.json": 1,
        "'domain' of an act": 4,
        "value of an act without a place in the response": 1,
        "place of a value that could not be read": 1,
        "act that could not be read": 1,
    }
    (tmp_path / "dialog_acts.json").unlink()
    assert [turn.acts for turn in only(path)] == [(), ()]


def test_multiwoz_acts_that_are_no_json_are_refused_with_their_place(tmp_path: Path) -> None:
    beside = written(tmp_path, '{"PMUL1.json": {},\n"a": [}', "dialog_acts.json")
    path = written(tmp_path, MULTIWOZ, "dialogs.json")
    with pytest.raises(UserError, match=r"the acts beside it cannot be read: .*dialog_acts.json:2: is not JSON"):
        read_dialogs(path)
    assert len(validate(path).problems) == 1
    for text, message in (("[]", r"expected '{', the start"), ("{5: 1}", "the name of an entry"), ("\xff", "found")):
        beside.write_text(text)
        with pytest.raises(UserError, match=message):
            read_dialogs(path)
    beside.write_text("{}")
    assert [turn.acts for turn in only(path)] == [(), ()]


def test_convlab_acts_of_every_kind_are_read(tmp_path: Path) -> None:
    acts = {
        "categorical": [{"intent": "inform", "domain": "restaurant", "slot": "price range", "value": "cheap"}],
        "non-categorical": [
            {"intent": "Recommend", "domain": "", "slot": "name", "value": "Da Enzo", "start": 0, "end": 7},
            {"intent": "recommend", "domain": "", "slot": "city", "value": "Rome", "start": 11, "end": 15},
            {"intent": "inform", "domain": "", "slot": "phone", "value": "none at all"},
        ],
        "binary": [{"intent": "reqmore", "domain": "", "slot": ""}, "odd"],
    }
    turns = [
        {"speaker": "user", "utterance": "food", "utt_idx": 0, "dialogue_acts": {"binary": [{"intent": "hi"}]}},
        {"speaker": "system", "utterance": FOOD, "utt_idx": 1, "dialogue_acts": acts},
        {"speaker": "system", "utterance": "bye", "utt_idx": 2, "dialogue_acts": [1]},
    ]
    path = written(tmp_path, [{"dataset": "small", "data_split": "test", "dialogue_id": "0", "turns": turns}])
    informed = (Act("inform", "price range"), Act("recommend", "name"), Act("recommend", "city"))
    expected = (*informed, Act("inform", "phone"), Act("reqmore"))
    assert only(path) == (Turn("food", FOOD, acts=expected, spans=PLACES), Turn(SILENCE, "bye"))
    assert validate(path).lost == {
        "'dialogue_acts' of a user's turn": 1,
        "'domain' of an act": 1,
        "value of an act without a place in the response": 2,
        "act that could not be read": 2,
    }


@pytest.mark.parametrize(
    ("action", "acts"),
    [
        ("Request(city), goodbye", (Act("request", "city"), Act("goodbye"))),
        (["request(city)", "ask for a city", "ask for (any  city)"], None),
        ([{"act": "REQUEST", "slot": "a (b)"}, {"name": "bye"}], (Act("request", "a (b)"), Act("bye"))),
        ('[{"act": "a b", "slot": null}]', (Act("a b"),)),
        ("[x]", (Act("[x]"),)),
        ("", ()),
        (None, ()),
    ],
)
def test_an_action_is_a_line_or_a_list(tmp_path: Path, action: object, acts: tuple[Act, ...] | None) -> None:
    said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "b", "action": action}]
    path = written(tmp_path, {"messages": said})
    listed = (Act("request", "city"), Act("ask for a city"), Act("ask for", "any city"))
    assert only(path) == (Turn("hi", "b", acts=listed if acts is None else acts),)
    assert validate(path).lost == {}


@pytest.mark.parametrize("action", [5, "ask (politely)", [["a"]], [{"slot": "a"}], {"act": "a"}, ["(a)"]])
def test_an_action_that_is_none_is_counted(tmp_path: Path, action: object) -> None:
    said = {"role": "assistant", "content": "b", "action": action, "slots": [{"slot": "a"}]}
    path = written(tmp_path, {"messages": [{"role": "user", "content": "hi", "action": "a"}, said]})
    assert only(path) == (Turn("hi", "b"),)
    assert validate(path).lost == {"'action' of a message": 2, "'slots' of a message": 1}


def test_calls_of_tools_are_acts_once(tmp_path: Path) -> None:
    calls = [{"function": {"name": name, "arguments": "{}"}} for name in ("find", "find", "book it")]
    first = {"role": "assistant", "content": None, "tool_calls": calls}
    second = {"role": "assistant", "content": "there", "action": "offer(name) call(find)", "tool_calls": calls[:1]}
    path = written(tmp_path, {"messages": [first, second]})
    found, offered = (Act("call", "find"), Act("call", "book it")), (Act("offer", "name"), Act("call", "find"))
    assert [turn.acts for turn in only(path)] == [found, offered]
    convert(path, tmp_path / "again.conversations")
    assert [turn.acts for turn in only(tmp_path / "again.conversations")] == [found, offered]
    act = json.loads((tmp_path / "again.conversations").read_text())["dialog"][0][0]
    assert act["action"] == "call(find) call(book it)"


@pytest.mark.parametrize("column", ["action", "Actions", "acts", "act", "dialog_act"])
def test_a_column_of_acts_is_read_in_both_shapes(tmp_path: Path, column: str) -> None:
    long = f"dialog,speaker,text,{column}\n1,user,hi,greet\n1,system,hello,request(city) greet\n1,system,bye,(a)\n"
    path = written(tmp_path, long)
    assert [turn.acts for turn in only(path)] == [(Act("request", "city"), Act("greet")), ()]
    assert validate(path).lost == {"acts of another than the system": 1, "act that could not be read": 1}
    path = written(tmp_path, f'{column}\tprompt\tcompletion\n"[""a b(c)""]"\thi\thello\n')
    assert only(path) == (Turn("hi", "hello", acts=(Act("a b", "c"),)),)


def test_a_row_may_end_before_the_column_of_acts(tmp_path: Path) -> None:
    path = written(tmp_path, "dialog,speaker,text,action\n1,user,hi\n1,system,hello\n")
    assert only(path) == (Turn("hi", "hello"),)


def test_parlai_has_an_action_beside_the_words(tmp_path: Path) -> None:
    path = written(tmp_path, "text:hi\tlabels:hello\taction:request(city)\ntext:a\tlabels:b\taction:ask (x)\n")
    assert [turn.acts for turn in only(path)] == [(Act("request", "city"),), ()]
    assert validate(path).lost == {"'action' of an example": 1}
    acts: list[dict[str, object]] = [{"id": "user", "text": "hi", "action": "a"}]
    acts.append({"id": "system", "text": FOOD, "action": "offer(name)", "slots": places(("name", 0, 7))})
    path = written(tmp_path, {"dialog": [acts]})
    assert only(path) == (Turn("hi", FOOD, acts=(Act("offer", "name"),), spans=PLACES[:1]),)
    assert validate(path).lost == {"'action' of an act": 1}


RASA = """stories:
- story: a
  steps:
  - intent: greet
  - action: utter_ask_city
  - intent: ask
  - action: utter_faq/ask_name
  - action: restaurant_form
  - bot: bye
  - bot: utter_ask_city
responses:
  utter_ask_city:
  - text: which city
  utter_faq/ask_name:
  - text: a bot
"""


def test_rasa_actions_are_acts_and_keep_their_names_and_words(tmp_path: Path) -> None:
    path = written(tmp_path, RASA, "in.yml")
    turns = only(path)
    assert turns == (
        Turn("/greet", "which city", acts=(Act("utter_ask_city"),)),
        Turn("/ask", "a bot", acts=(Act("utter_faq", "ask_name"),)),
        Turn(SILENCE, "restaurant_form", acts=(Act("restaurant_form"),)),
        Turn(SILENCE, "bye"),
        Turn(SILENCE, "utter_ask_city"),
    )
    assert convert(path, tmp_path / "out.yml").lost == {}
    assert only(tmp_path / "out.yml") == turns
    assert "action: utter_ask_city" in (tmp_path / "out.yml").read_text()


def test_one_action_of_rasa_has_one_wording(tmp_path: Path) -> None:
    turns = tuple(Turn(SILENCE, words, acts=(Act("utter_ask"),)) for words in ("where", "which city", "where"))
    FORMATS["chat"].write([Dialog(turns)], tmp_path / "in.jsonl")
    assert convert(tmp_path / "in.jsonl", tmp_path / "out.yml").lost == {"acts of a turn": 1}
    assert only(tmp_path / "out.yml") == (turns[0], replace(turns[1], acts=()), turns[2])


@pytest.mark.parametrize("name", WRITTEN)
def test_what_a_format_cannot_hold_is_named(tmp_path: Path, name: str) -> None:
    turn = Turn("food in Rome", FOOD, acts=OFFER, spans=PLACES)
    FORMATS["chat"].write([Dialog((turn,))], tmp_path / "in.jsonl")
    lost = convert(tmp_path / "in.jsonl", tmp_path / "out", to_format=FORMATS[name]).lost
    expected = {} if HELD[name] else {"place of a value in a response": 2}
    assert lost == expected | ({"acts of a turn": 1} if name in ("babi", "fbdialog", "rasa") else {})


def test_convlab_loses_the_order_of_acts_only_where_kinds_alternate(tmp_path: Path) -> None:
    orders = [(OFFER[2], *OFFER[:2]), (OFFER[0], OFFER[2], OFFER[1])]
    turns = tuple(Turn("a", FOOD, acts=acts, spans=PLACES) for acts in orders)
    FORMATS["sgd"].write([Dialog(turns)], tmp_path / "in.json")
    assert convert(tmp_path / "in.json", tmp_path / "out.convlab").lost == {"order of a turn's acts": 1}
    assert [set(turn.acts) for turn in only(tmp_path / "out.convlab")] == [set(OFFER), set(OFFER)]


names = st.text("ab_-()[]{}, \"'\\\\ntu/|:é日ǅß#%", min_size=1, max_size=6).map(lambda text: " ".join(text.split()))
any_acts = st.builds(lambda name, slot: Act(name.lower(), slot), names.filter(bool), names | st.just(""))
act_lists = st.lists(any_acts, max_size=3, unique=True).map(tuple)


@st.composite
def annotated(draw: st.DrawFn) -> Turn:
    """A turn whose places are those of its acts, or of nothing."""
    system = " ".join(draw(st.lists(st.text("abcé", min_size=1, max_size=4), min_size=1, max_size=4)))
    acts = draw(act_lists)
    slots = st.sampled_from([act.slot for act in acts]) if acts else names
    spans = draw(st.sets(st.builds(Span, slots, st.integers(0, 9), st.integers(1, 9)), max_size=3))
    inside = [span for span in spans if span.end <= len(system) and system[span.start : span.end].strip()]
    ordered = sorted(inside, key=lambda span: (span.start, span.end, span.slot))
    return Turn("hi", system, acts=acts, spans=tuple(ordered))


def read(path: Path, name: str) -> list[Dialog]:
    return [replace(dialog, line=0) for dialog in iterate_dialogs(path, known=FORMATS[name])]


@pytest.mark.parametrize("name", WRITTEN)
@given(turns=st.lists(annotated(), min_size=1, max_size=3))
@example([Turn("a", "b", acts=(Act('["a"]'), Act("x", "\\n|__PIPE__\\\\t")))])
@example([Turn("a", "utter_x", acts=(Act("utter_x"),)), Turn("a", "b", acts=(Act("utter_x"),))])
@settings(deadline=None, max_examples=60)
def test_acts_and_places_come_back_or_their_loss_is_named(
    tmp_path_factory: pytest.TempPathFactory, name: str, turns: Sequence[Turn]
) -> None:
    folder = tmp_path_factory.mktemp("acts")
    dialogs = [Dialog(tuple(turns))]
    FORMATS["chat"].write(dialogs, folder / "in.jsonl")
    assert read(folder / "in.jsonl", "chat") == dialogs
    lost = convert(folder / "in.jsonl", folder / "out", to_format=FORMATS[name]).lost
    back = read(folder / "out", name)
    assert bool(lost) == (back != dialogs)
    if name in ("sgd", "chat", "parlai-jsonl"):
        assert back == dialogs
    if name in ("csv", "parlai"):
        assert [turn.acts for turn in back[0].turns] == [turn.acts for turn in turns]
    if name == "convlab":
        assert [set(turn.acts) for turn in back[0].turns] == [set(turn.acts) for turn in turns]
        assert [turn.spans for turn in back[0].turns if turn.acts] == [turn.spans for turn in turns if turn.acts]


def test_every_turn_of_the_system_has_acts_in_the_published_dialogs(data_dir: Path, tmp_path: Path) -> None:
    path = data_dir / "sgd" / "Music_1.json"
    if not path.is_file():
        pytest.skip("the Schema-Guided dialogs are not here")
    journal = Journal(path)
    turns = [turn for dialog in iterate_dialogs(path, journal) for turn in dialog.turns]
    assert all(turn.acts for turn in turns)
    places = [turn.system[span.start : span.end] for turn in turns for span in turn.spans]
    assert all(text == text.strip() != "" for text in places)
    said = [turn for dialog in json.loads(path.read_text()) for turn in dialog["turns"][1::2]]
    assert len(turns) == len(said) > 0
    assert len(places) == sum(len(frame["slots"]) for turn in said for frame in turn["frames"]) > 0
    assert not any("could not be read" in loss or "is not in" in loss for loss in journal.lost)
    for ending in ("json", "jsonl", "conversations", "convlab"):
        lost = convert(path, tmp_path / f"out.{ending}").lost
        assert "acts of a turn" not in lost
        assert "place of a value in a response" not in lost
