"""What a user takes back in the same breath fills no gap: the number before a correction, and what is negated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Record
from tasksieve.encoding import Held, KnownEntities, Names, Slots
from tasksieve.encoding.calls_made import CallsMade
from tasksieve.encoding.phrases import Phrase
from tasksieve.encoding.sources import source_of
from tasksieve.encoding.taken_back import meant, taken_back
from tests.unit.test_values_of_calls import conversation, wordings_with_slots

ORDER = 'api_call get_order {"order":"<order>"}'
SLOTS = Slots({"order": ("number",)})


def looked_up(*said: str, records: tuple[Record, ...] = ()) -> str | None:
    """The number that is looked up after a user said something; None if there is none."""
    held = Held()
    held.answer("What is the number of your order?")
    for number, user in enumerate(said):
        held.hear(user)
        for record in records if not number else ():
            held.tell(record)
    call = SLOTS.filled(ORDER, held)
    return None if call is None else call.removeprefix(ORDER.partition("<")[0]).removesuffix('"}')


@pytest.mark.parametrize(
    "said",
    [
        "My order is 700112, no sorry, 700111",
        "My order is 700112. No, wait! I meant 700111.",
        "order number 700112 - oops - 700111",
        "my order is 700112, 700113, no, sorry, 700111 rather than 700113, and not 700112",
        "not 700112 but 700111",
        "700111, not 700112",
        "my order is 700111 and not the order 700112",
        "700111 instead of order 700112",
        "order 700112 is wrong, it is 700111",
        "die Bestellung 700112, ach nein, Entschuldigung, 700111",
        "nicht die 700112, sondern 700111",
    ],
)
def test_the_number_that_is_meant_is_looked_up(said: str) -> None:
    assert looked_up(said) == "700111"
    assert looked_up("My order is 700112", said) == "700111"


@pytest.mark.parametrize("said", ["not 700112", "it is not order number 700112", "I did not mean 700112"])
def test_a_number_that_is_only_negated_is_not_looked_up_until_it_is_said_again(said: str) -> None:
    assert looked_up(said) is None
    assert looked_up("700112", said) is None
    assert looked_up("700112", said, records=(Record.of("get_order", {"order": "700112"}),)) is None
    assert looked_up(said, "ah, yes, 700112") == "700112"


@pytest.mark.parametrize(
    "said",
    [
        "order no 700112",
        "order no. 700112",
        "No. 700112",
        "no, 700112",
        "not sure, 700112",
        "why not 700112?",
        "700112 is not working",
        "sorry, 700112",
        "it is not here: 700112",
        "not only 700112",
    ],
)
def test_a_number_that_nothing_takes_back_is_looked_up(said: str) -> None:
    assert looked_up(said) == "700112"


def test_other_values_are_taken_back_alike_and_unlike_ones_are_not() -> None:
    def back(text: str) -> list[str]:
        return [text[start:end] for start, end in sorted(taken_back(text))]

    assert back("from Rome, no sorry, Paris at 12:30, I mean 13:00") == ["Rome", "12:30"]
    assert back("on 12 May, no, on 13 May") == ["12 May"]
    assert back("512346, sorry, and RT-2026-11111") == back("40 people, sorry, 700112") == []
    assert back("700112 and 700111") == back("customer 700112, order no 700111") == []


@given(st.text(alphabet=st.sampled_from("no t,.1234 sorryRm"), max_size=60))
def test_only_what_stands_there_is_taken_back_and_words_stay_in_their_places(text: str) -> None:
    assert all(0 <= start < end <= len(text) for start, end in taken_back(text))
    assert len(meant(text)) == len(text.split())


@pytest.mark.parametrize(
    ("wish", "resolution"),
    [
        ("not a replacement, the refund", "refund"),
        ("the refund, not a replacement", "refund"),
        ("no replacement, refund", "refund"),
        ("not a refund, the replacement", "replacement"),
        ("I don't want a refund, replacement please", "replacement"),
        ("replacement rather than a refund", "replacement"),
        ("a replacement, no sorry, the refund", "refund"),
        ("the refund, no wait, I mean a replacement", "replacement"),
    ],
)
def test_a_call_has_the_word_that_is_meant(wish: str, resolution: str) -> None:
    wordings, slots = wordings_with_slots()
    text = wordings.said("create_return", "yes", "Correct?", conversation(wish), KnownEntities(Names()), slots)
    assert text is not None and f'"resolution":"{resolution}"' in text


def test_of_known_values_the_one_that_is_meant_fills_a_gap() -> None:
    slots = Slots({"city": ("text",)}, {"city": ("rome", "paris")})
    for said in ("to rome, no sorry, paris", "paris not rome", "not rome but paris"):
        held = Held()
        held.hear(said)
        assert slots.filled("to <city>", held) == "to paris", said


def test_calls_are_remembered_by_tool_and_argument_and_what_was_said_since_by_tool() -> None:
    made = CallsMade()
    one, two = ("one",), ("two",)
    for phrase, answer in ((one, 'api_call f {"a":["4","5"],"b":2}\napi_call g {"a":"6"}'), (two, "?!")):
        made.hear(phrase)
        made.answer(answer)
    assert made.just_made() == {("f", "a"): ("4", "5"), ("f", "b"): ("2",), ("g", "a"): ("6",)}
    made.answer("Done.")
    assert made.just_made() == {}
    last = made.last(("f", "a"))
    assert last is not None and (last.values, last.time) == (("4", "5"), 1)
    assert made.said_since("f") == [two] and made.said_since("h") == [two, one]
    no_phrase: list[Phrase] = []
    assert CallsMade().said_since("f") == no_phrase


def test_a_value_comes_from_the_call_just_before_and_from_no_earlier_one() -> None:
    held = Held()
    held.hear("700111 please")
    held.answer('api_call get_order {"order":"700111"}')
    assert source_of("order", "700111", held).called == {("get_order", "order")}
    held.answer("One moment.")
    assert source_of("order", "700111", held).called == frozenset()
