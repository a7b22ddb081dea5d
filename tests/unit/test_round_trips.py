"""Dialogs with everything in them, through every format: what is not the same is named, and what is named is not."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import SILENCE, Act, Dialog, Note, Record, Span, Turn
from tasksieve.dialogs.formats import FORMATS, iterate_dialogs
from tasksieve.dialogs.formats.convert import MOVED, convert
from tasksieve.dialogs.formats.journal import Journal

NAMES = [name for name, known in FORMATS.items() if known.write is not None]
"""Formats that are written too."""
WHOLE = "parlai-jsonl"
"""A format that holds everything but weights."""
LOSSES: dict[str, Callable[[Dialog], object]] = {
    "wording of a turn": lambda dialog: [(turn.user, turn.system) for turn in dialog.turns],
    "acts of a turn": lambda dialog: [turn.acts for turn in dialog.turns],
    "candidates of a turn": lambda dialog: [turn.candidates for turn in dialog.turns],
    "place of a value in a response": lambda dialog: [turn.spans for turn in dialog.turns],
    "record": lambda dialog: [event if not isinstance(event, Turn) else None for event in dialog.events],
    "profile of a dialog": lambda dialog: dialog.profile,
    "weight of a response": lambda dialog: [turn.learned for turn in dialog.turns],
}
SAME = {
    "line end or tab in a turn": "wording of a turn",
    "order of a turn's acts": "acts of a turn",
    "note": "record",
    "place of the records in a dialog": "record",
    "weight 0 of a response": "weight of a response",
}

words = st.sampled_from(
    ["a", "Da", "Enzo", "l'é", "日", "6", "|", "[x](y)", "\\n", "/greet", "user:", "...", "#", "-"]
)
sentences = st.lists(words, min_size=1, max_size=4).map(" ".join)
lines = st.lists(sentences, min_size=1, max_size=2).map("\n".join)
slots = st.sampled_from(["", "city", "name of a place", "(x)"])
acts = st.lists(
    st.builds(Act, st.sampled_from(["inform", "request", "utter_ask", "say good bye", "call"]), slots), max_size=2
).map(lambda found: tuple(dict.fromkeys(found)))
values = st.one_of(sentences, st.lists(sentences, max_size=2).map(tuple))
records = st.builds(
    Record,
    st.sampled_from(["slots", "active_loop", "Hotels 1", "notes", "told"]),
    st.lists(st.tuples(st.sampled_from(["name", "told", "at the"]), values), min_size=1, max_size=3).map(tuple),
)
triples = st.builds(lambda value: Record("kb", (("name", "inn"), ("R_price", value))), sentences)
notes = lines.filter(lambda text: not text.startswith("profile: ")).map(Note)


def _placed(turn: Turn, ends: list[tuple[int, int]]) -> Turn:
    """The turn with places of values in its response."""
    inside = [(min(pair), max(pair)) for pair in ends]
    spans = {
        Span("city", start, end)
        for start, end in inside
        if end <= len(turn.system) and turn.system[start:end].strip()
    }
    return replace(turn, spans=tuple(sorted(spans, key=lambda span: (span.start, span.end))))


plain_turns = st.builds(Turn, lines | st.just(SILENCE) | st.just(""), lines, acts=acts)
calls = st.builds(
    lambda user, city: Turn(user, f'api_call book {{"city": "{city}"}}', acts=(Act("call", "book"),)),
    sentences,
    st.sampled_from(["Rome", "San Remo"]),
)
actions = st.sampled_from(["utter_greet", "action_search", "table_form", "utter_faq/ask_name"]).map(
    lambda name: Turn("/inform" + '{"city": ["Rome", "Oslo"]}', name, acts=(Act(*name.split("/")),))
)
turns = st.builds(
    _placed,
    st.builds(
        lambda turn, others: replace(turn, candidates=(*others, turn.system) if others else ()),
        st.one_of(plain_turns, calls, actions),
        st.lists(sentences, max_size=2),
    ),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=2),
)


def _in_order(events: list[Turn | Record | Note], after: list[int]) -> tuple[Turn | Record | Note, ...]:
    """The events, each turn with how many of those right before it came after its utterance."""
    told, found = 0, []
    for event, most in zip(events, after, strict=False):
        if isinstance(event, Turn):
            found.append(replace(event, told_after=0 if event.user == SILENCE else min(told, most)))
            told = 0
        else:
            found.append(event)
            told += 1
    return tuple(found)


dialogs = st.builds(
    lambda events, last, profile, after: Dialog(_in_order([*events, last], after), profile),
    st.lists(st.one_of(turns, records, triples, notes), max_size=4),
    turns,
    st.sampled_from([(), ("male", "young")]),
    st.lists(st.integers(0, 3), min_size=5, max_size=5),
)
STEADY = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))


def told_around(dialog: Dialog) -> list[tuple[list[object], list[object]]]:
    """Of each turn what came before the user's utterance, and what after it."""
    around: list[tuple[list[object], list[object]]] = []
    context: list[object] = []
    for event in dialog.events:
        if isinstance(event, Turn):
            cut = len(context) - event.told_after
            around.append((context[:cut], context[cut:]))
            context = []
        else:
            context.append(event)
    return around


def moved(old: Dialog, new: Dialog) -> bool:
    """Whether something came after what the user said, and stands before it now."""
    pairs = zip(told_around(old), told_around(new), strict=True)
    return any(
        event in first and came.count(event) > last.count(event)
        for (_, came), (first, last) in pairs
        for event in came
    )


def check(source: Path, target: Path, name: str, known: str | None = None) -> None:
    """Convert, and hold each loss against what differs; ``known`` is the format of the source."""
    given = None if known is None else FORMATS[known]
    done = convert(source, target, from_format=given, to_format=FORMATS[name])
    before = list(iterate_dialogs(source, known=given))
    after = list(FORMATS[name].read(target, Journal(target)))
    assert done.dialogs == len(before)
    if len(before) != len(after) or any(len(a.turns) != len(b.turns) for a, b in zip(before, after, strict=True)):
        assert {"dialog", "dialog with as many turns"} & done.lost.keys()
        return
    named = {SAME.get(loss, loss) for loss in done.lost}
    differs = {loss for loss, of in LOSSES.items() for a, b in zip(before, after, strict=True) if of(a) != of(b)}
    differs |= {MOVED for a, b in zip(before, after, strict=True) if moved(a, b)}
    assert named == differs


@pytest.mark.parametrize("name", NAMES)
@given(given_dialogs=st.lists(dialogs, min_size=1, max_size=2))
@example([Dialog((Record("slots", (("name", "Da Enzo"),)), Turn("hi", "a|b", candidates=("c", "a|b"))))])
@example([Dialog((Turn("hi", "table_form", acts=(Act("table_form"),)), Turn("...", "x", acts=(Act("x"), Act("y")))))])
@STEADY
def test_what_differs_is_what_is_named(
    tmp_path_factory: pytest.TempPathFactory, name: str, given_dialogs: list[Dialog]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    write = FORMATS[WHOLE].write
    assert write is not None
    write(given_dialogs, folder / "in.jsonl")
    check(folder / "in.jsonl", folder / "out", name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("learned", [True, False])
def test_weights_are_kept_or_named(tmp_path: Path, name: str, learned: bool) -> None:
    write = FORMATS["chat"].write
    assert write is not None
    write([Dialog((Turn("hi", "hello"), Turn("bye", "bye bye", learned=learned)))], tmp_path / "in.jsonl")
    check(tmp_path / "in.jsonl", tmp_path / "out", name)


def written(folder: Path, dialogs: list[Dialog]) -> tuple[Path, list[Dialog]]:
    write = FORMATS[WHOLE].write
    assert write is not None
    write(dialogs, folder / "in.jsonl")
    return folder / "in.jsonl", list(iterate_dialogs(folder / "in.jsonl"))


LOOKED_UP = Dialog(
    (
        Record("Hotels", (("name", "Inn"),)),
        Turn("a room, my number is 5", "api_call lookup"),
        Record("Guests", (("number", "5"),)),
        Turn("the Inn", "booked", told_after=1),
    )
)
IN_LINES_OF_TEXT = ("babi", "parlai", "fbdialog")
"""Formats whose lines have records before a turn alone, if at all."""


@pytest.mark.parametrize("name", NAMES)
def test_a_record_that_came_after_what_the_user_said_stays_there_or_is_named(tmp_path: Path, name: str) -> None:
    source, _ = written(tmp_path, [LOOKED_UP])
    done = convert(source, tmp_path / "out", to_format=FORMATS[name])
    (found,) = FORMATS[name].read(tmp_path / "out", Journal(tmp_path / "out"))
    assert [turn.told_after for turn in found.turns] == ([0, 0] if name in IN_LINES_OF_TEXT else [0, 1])
    assert done.lost == ({"babi": {"record": 2}}.get(name, {MOVED: 1}) if name in IN_LINES_OF_TEXT else {})


PLAIN = Dialog(
    (
        Record("kb", (("name", "inn"), ("R_price", "cheap"))),
        Turn("a table in San Remo", "api_call inn"),
        Turn(SILENCE, "Da Enzo, is it?"),
        Turn("yes", "good bye"),
    )
)


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(NAMES, 2)))
def test_plain_dialogs_are_the_same_after_any_two_formats(tmp_path: Path, first: str, second: str) -> None:
    source, dialogs = written(tmp_path, [PLAIN])
    assert convert(source, tmp_path / "one", to_format=FORMATS[first]).lost == {}
    one = FORMATS[first]
    assert convert(tmp_path / "one", tmp_path / "two", from_format=one, to_format=FORMATS[second]).lost == {}
    (found,) = FORMATS[second].read(tmp_path / "two", Journal(tmp_path / "two"))
    assert found.events == dialogs[0].events


RICH = Dialog(
    (
        Note("Be kind."),
        Record("Hotels 1", (("name", "71 Saint Peter"), ("near", ("a lake", "the sea")), ("stay", "2 nights"))),
        Record("kb", (("name", "inn"), ("R_price", "very cheap"))),
        Turn("a room", "71 Saint Peter?", learned=0.5, acts=(Act("offer", "name"),), spans=(Span("name", 0, 14),)),
        Turn("yes", 'api_call book {"people": 2}', acts=(Act("call", "book"),)),
        Record("slots", (("booked", "true"),)),
        Turn("/thank", "utter_bye", learned=0, acts=(Act("utter_bye"),)),
        Turn("bye", "see you", learned=2),
    ),
    ("male", "young"),
)


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(NAMES, 2)))
def test_of_everything_what_differs_after_any_two_formats_is_what_is_named(
    tmp_path: Path, first: str, second: str
) -> None:
    write = FORMATS["chat"].write
    assert write is not None
    write([RICH, PLAIN], tmp_path / "in.jsonl")
    check(tmp_path / "in.jsonl", tmp_path / "one", first)
    check(tmp_path / "one", tmp_path / "two", second, known=first)
