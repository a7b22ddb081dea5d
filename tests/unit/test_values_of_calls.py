"""Calls have values that go with what the user said, and write them as tools are always called with them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Act, Dialog, Note, Record, Turn
from tasksieve.encoding import Held, KnownEntities, Names, Reader, slots_of
from tasksieve.encoding.argument_words import ArgumentWords
from tasksieve.encoding.days import day_meant, todays_in
from tasksieve.encoding.newest import Newest
from tasksieve.encoding.slots import Slots
from tasksieve.encoding.wordings import Wording, Wordings, wordings_of
from tasksieve.encoding.written import Written
from tasksieve.training.runs.answers import worded_actions

BOOK = 'api_call book_pickup {"date":"<date>"}'


def returning(number: str, wish: str, resolution: str) -> Dialog:
    """A dialog in which something is sent back."""
    call = f'api_call create_return {{"order_number":"{number}", "resolution":"{resolution}"}}'
    asked = Turn(f"{number} is broken", "A new one or the price?", acts=(Act("offer"),))
    confirmed = Turn(wish, "Correct?", acts=(Act("confirm"),))
    made = Turn("yes", call, acts=(Act("create_return"),))
    return Dialog((asked, confirmed, made, Turn("thanks", "Bye.", acts=(Act("bye"),))))


RETURNS = [
    returning(f"RT-2026-1234{number}", wish, resolution)
    for number, (wish, resolution) in enumerate(
        [
            ("the money back", "refund"),
            ("money back please", "refund"),
            ("I'd rather have the money", "refund"),
            ("send me another one", "replacement"),
            ("another one please", "replacement"),
            ("can I have another one", "replacement"),
            ("refund", "refund"),
        ]
    )
]


def wordings_with_slots() -> tuple[Wordings, Slots]:
    slots = slots_of(RETURNS)
    return wordings_of(Reader(predict="actions", slots=slots).read(RETURNS)), slots


def conversation(*wishes: str) -> Held:
    held = Held()
    asked = ("RT-2026-99999 is broken", "A new one or the price?")
    for user, system in (asked, *((wish, "Correct?") for wish in wishes)):
        held.hear(user)
        held.answer(system)
    held.hear("yes")
    return held


@pytest.mark.parametrize(
    ("wishes", "resolution"),
    [
        (["my money back"], "refund"),
        (["please send another one"], "replacement"),
        (["the money", "no wait, I meant a replacement"], "replacement"),
        (["another one", "hm, refund"], "refund"),
    ],
)
def test_a_call_has_the_value_that_goes_with_what_the_user_said(wishes: list[str], resolution: str) -> None:
    wordings, slots = wordings_with_slots()
    held, entities = conversation(*wishes), KnownEntities(Names())
    text = wordings.said("create_return", "yes", "Correct?", held, entities, slots)
    assert text == f'api_call create_return {{"order_number":"RT-2026-99999", "resolution":"{resolution}"}}'
    assert 0.5 < wordings.likely(text, held) < 1
    other = {"refund": "replacement", "replacement": "refund"}[resolution]
    shares = wordings.likely(text, held) + wordings.likely(text.replace(f'"{resolution}"', f'"{other}"'), held)
    assert shares == pytest.approx(1)
    assert wordings.likely("Bye.", held) == 1


def test_what_was_said_before_the_last_call_of_the_tool_tells_nothing_of_the_next() -> None:
    wordings, _ = wordings_with_slots()
    held = conversation("another one please, another one")
    text = 'api_call create_return {"order_number":"RT-2026-99999", "resolution":"replacement"}'
    before = wordings.likely(text, held)
    held.answer(text)
    held.hear("and that too")
    assert wordings.likely(text, held) < 0.5 < before


def test_words_of_one_dialog_and_numbers_are_not_kept_and_the_rest_is_read_again() -> None:
    wordings, _ = wordings_with_slots()
    argument = ("create_return", "resolution")
    assert wordings.arguments.values == {argument: {"refund": 4, "replacement": 3}}
    words = set(wordings.arguments.words[argument])
    assert {"money", "another"} <= words
    assert not words & {"rather", "send", "rt-2026-12341"}
    assert Wordings.read(wordings.plain(), wordings.arguments.plain(), wordings.types.plain()) == wordings
    assert Wordings.read(wordings.plain()).arguments == ArgumentWords()
    with pytest.raises(ValueError, match="arguments: found"):
        Wordings.read([], [{"tool": "create_return"}])


def test_an_answer_is_as_certain_as_its_values() -> None:
    scores = torch.tensor([2.0, 1.0])
    plain = worded_actions(scores, ["call", "bye"], str.upper, 2)
    unsure = worded_actions(scores, ["call", "bye"], str.upper, 2, lambda text: 0.25 if text == "CALL" else 1.0)
    assert [answer.text for answer in plain] == ["CALL", "BYE"]
    assert [answer.text for answer in unsure] == ["BYE", "CALL"], "the most certain answer stands first"
    assert unsure[1].certainty == pytest.approx(plain[0].certainty / 4)
    assert unsure[0].certainty == plain[1].certainty
    almost = worded_actions(scores, ["call", "bye"], str.upper, 2, lambda text: 0.5 if text == "CALL" else 1.0)
    assert [answer.text for answer in almost] == ["CALL", "BYE"]


def picking_up(said: str, day: str) -> Dialog:
    call = f'api_call book_pickup {{"date":"{day}"}}'
    return Dialog(
        (Note("Today is 2026-11-26."), Turn("pick it up", "When?"), Turn(said, call), Turn("thanks", "Bye."))
    )


ISO = [
    picking_up("on 1.12.", "2026-12-01"),
    picking_up("December 6", "2026-12-06"),
    picking_up("8 May", "2027-05-08"),
]


def called_on(slots: Slots, said: str, *events: Note | Record) -> str | None:
    held = Held()
    for event in events:
        if isinstance(event, Note):
            held.note(event.text)
        else:
            held.tell(event)
    held.hear(said)
    return slots.filled(BOOK, held)


def test_a_date_is_written_as_tools_are_always_called_with_it() -> None:
    slots = slots_of(ISO)
    assert slots.newest.written.dates == {"date": "iso"}
    today = Note("You are polite. Today is 2026-11-26.")
    for said, day in (("on 15.12., please", "2026-12-15"), ("the 2nd of January", "2027-01-02")):
        assert called_on(slots, said, today) == BOOK.replace("<date>", day)
    assert called_on(slots, "on 5 December 2028", today) == BOOK.replace("<date>", "2028-12-05")
    order = Record.of("order", {"delivered_on": "2026-11-19"})
    assert called_on(slots, "on 5 December", order) == BOOK.replace("<date>", "2026-12-05")
    assert called_on(slots, "on 5 December") is None, "no year can be known"
    assert Slots.read(slots.plain()) == slots


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("on 25/03/2027", "2027-03-25"),
        ("on 12/25", "2026-12-25"),
        ("on 12/12/26", "2026-12-12"),
        ("on 12/08/2026", None),
        ("on 1/12", None),
        ("on 31/31/2026", None),
        ("on 30 February 2027", None),
        ("on Monday", "2026-11-30"),
        ("this Friday", "2026-11-27"),
        ("next Tuesday", "2026-12-01"),
        ("Tuesday next week", "2026-12-01"),
        ("next Friday", None),
        ("on Thursday", None),
    ],
)
def test_a_date_goes_into_a_call_only_where_one_day_is_meant(said: str, day: str | None) -> None:
    found = called_on(slots_of(ISO), said, Note("Today is 2026-11-26."))
    assert found == (None if day is None else BOOK.replace("<date>", day)), "2026-11-26 is a Thursday"


def test_a_day_of_the_week_is_none_where_nobody_says_what_day_it_is() -> None:
    slots = slots_of(ISO)
    order = Record.of("order", {"delivered_on": "2026-11-19"})
    assert called_on(slots, "next Tuesday", order) is None
    said = slots_of([*ISO, picking_up("9.12.", "9.12.")])
    assert called_on(said, "next Tuesday", order) == BOOK.replace("<date>", "next Tuesday"), "no one format"


def test_the_next_wording_or_action_is_taken_where_a_date_may_be_two_days() -> None:
    slots = slots_of(ISO)
    held = Held()
    held.note("Today is 2026-11-26.")
    held.hear("on 12/08/2026")
    known = [Wording("book", "", "", text) for text in (BOOK, "On which day?")]
    assert Wordings(known).said("book", "", "", held, KnownEntities(Names()), slots) == "On which day?"
    assert Wordings(known[:1]).said("book", "", "", held, KnownEntities(Names()), slots) is None


def test_gaps_are_learned_from_calls_whose_dates_nobody_can_tell() -> None:
    said = [Dialog(tuple(event for event in one.events if isinstance(event, Turn))) for one in ISO]
    candidates = {
        turn.gapped.text for one in Reader(slots=slots_of(said)).read(said) for turn in one.learned if turn.gapped
    }
    assert BOOK in candidates


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.sampled_from(["", "this ", "next "]), st.integers(0, 6))
def test_a_day_of_the_week_is_one_of_the_next_two_weeks(today: date, which: str, number: int) -> None:
    name = (date(2026, 11, 30) + timedelta(number)).strftime("%A")
    present = todays_in(f"Today is {today.isoformat()}.")
    found = day_meant(f"{which}{name}", present, present)
    assert found is None or (found.weekday() == number and 0 < (found - today).days <= 14)
    assert found is not None or which == "next " or today.weekday() == number


def test_dates_written_in_several_ways_stay_as_they_are() -> None:
    slots = slots_of([*ISO, picking_up("9.12.", "9.12.")])
    assert slots.newest.written.dates == {}
    assert called_on(slots, "on 15.12.", Note("Today is 2026-11-26.")) is not None


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(-59, 300))
def test_a_date_without_a_year_is_found_near_the_present_one(today: date, days: int) -> None:
    due, form = today + timedelta(days), "%d.%m.%Y"
    slots = Slots({"date": ("date",)}, newest=Newest(written=Written(dates={"date": "points"})))
    said = f"on {due.day}.{due.month}. please"
    called = called_on(slots, said, Note(f"Today is {today.isoformat()}."))
    assert called == BOOK.replace("<date>", due.strftime(form))
