"""Gaps for what a conversation holds, and nobody else's data in an answer, whatever a model thinks of it."""

from __future__ import annotations

import re
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Note, Record, Span, Turn
from tasksieve.dialogs.formats import FORMATS, iterate_dialogs
from tasksieve.dialogs.simulate import simulate
from tasksieve.encoding import (
    Candidates,
    Held,
    KnownEntities,
    Names,
    Reader,
    Slots,
    Vocabulary,
    bag_of,
    fillable,
    names_of,
    responses_of,
    slots_of,
)
from tasksieve.encoding.slot_evidence import holding
from tasksieve.encoding.spoken_names import names_in
from tasksieve.encoding.values import Kind, values_in
from tasksieve.errors import UserError
from tasksieve.training.runs.answers import best_answers
from tasksieve.training.runs.foreign import foreign_values, held_by
from tests.reading import WRITTEN
from tests.support_dialogs import FIRST, LAST, POLICY, support_dialogs


class Desk:
    """What was learned of training dialogs, and a model that scores at random."""

    def __init__(self, training: list[Dialog]) -> None:
        names = names_of(training)[0]
        self.slots = slots_of(training, reserved=names.gaps())
        self.reader = Reader(names=names, slots=self.slots)
        readings = self.reader.read(training)
        self.candidates = Candidates(responses_of(readings), Vocabulary.of(readings), placeholders=names.gaps())

    def answers(self, before: Dialog, user: str, seed: int) -> list[str]:
        """All that can be said, in a random order."""
        reading = self.reader.read_one(Dialog((*before.events, Turn(user, "?")), before.profile))
        count = len(self.candidates) + len(self.candidates.gaps) * len(reading.entities)
        scores = torch.randn(count, generator=torch.Generator().manual_seed(seed))
        try:
            found = best_answers(scores, self.candidates, reading.entities, count, reading.held, self.slots)
        except UserError:
            return []
        return [answer.text for answer in found]


def strangers(text: str, before: Dialog, user: str) -> list[str]:
    """Names and numbers in a text that stand nowhere in a dialog, found without any of the code under test."""
    said = [*before.profile, user]
    for event in before.events:
        if isinstance(event, Turn):
            said += (event.user, event.system)
        else:
            said.append(event.text)
    known = " ".join(said).lower()
    found = re.findall(r"[^\W\d_]+|\w*\d[\w.-]*\d|\d", text)
    values = [word for word in found if word in FIRST + LAST or (any(map(str.isdigit, word)) and word not in POLICY)]
    return [word for word in values if word.lower() not in known]


def all_answers(desk: Desk, dialogs: list[Dialog]) -> list[tuple[Dialog, str, str]]:
    found = []
    for number, dialog in enumerate(dialogs):
        for place, event in enumerate(dialog.events):
            if isinstance(event, Turn):
                before = Dialog(dialog.events[:place], dialog.profile)
                found += [(before, event.user, text) for text in desk.answers(before, event.user, number)]
    return found


@pytest.mark.parametrize("name", WRITTEN)
@given(seed=st.integers(0, 10**6), told=st.booleans(), small=st.booleans())
@settings(deadline=None, max_examples=3)
def test_no_answer_holds_a_value_of_another_customer_in_any_format(
    tmp_path_factory: pytest.TempPathFactory, name: str, seed: int, told: bool, small: bool
) -> None:
    folder = tmp_path_factory.mktemp("support")
    read = []
    for split, own in (("train", seed), ("test", seed + 1)):
        FORMATS[name].write(support_dialogs(8, own, told=told, small=small), folder / split)
        read.append(list(iterate_dialogs(folder / split, known=FORMATS[name])))
    desk = Desk(read[0])
    answers = all_answers(desk, read[1])
    assert len(answers) > 30, "there is much that can be said"
    for before, user, text in answers:
        assert strangers(text, before, user) == [], text
        assert "<" not in text, "every gap is filled"
        assert foreign_values(text, (*before.events, Turn(user, "")), before.profile, desk.slots) == []


def test_values_are_gaps_so_that_few_candidates_say_it_all() -> None:
    desk = Desk(support_dialogs(20, 1))
    assert sorted(desk.candidates.texts) == [
        "Done, <name.first>. Your ticket is <entity>. Call Acme Power from 9 am to 5 pm.",
        "Hello <name.first>, I see meter <entity>. Is that right?",
        "Mr. <name.last>, your meter is <entity>, correct?",
        "Thank you, <name>. Is your meter number <entity>?",
        "What is your customer number?",
        "Your balance is $<balance_1>; the contract ends on <ends>. It takes 24 hours. Cancel it?",
        'api_call cancel {"customer":"<customer>","meter":"<meter>","reason":"customer wish","days":14}',
        'api_call find_customer {"customer":"<customer>"}',
    ]
    unseen = desk.reader.read(support_dialogs(20, 2))
    known = set(map(bag_of, desk.candidates.texts))
    assert all(bag_of(turn.response) in known for reading in unseen for turn in reading.turns)


def test_turns_whose_values_can_be_filled_are_counted() -> None:
    slots = Slots({"number": ("number",)})
    said = Turn("I am 4711", "Hello 4711, all is well"), Turn("bye", "Bye")
    both = Turn("12 or 15", "15 or 12?")
    found = fillable(Reader(names=Names(), slots=slots).read([Dialog(said), Dialog((both,))]))
    assert found == {"turns": 2, "fillable": 2}
    assert fillable(Reader(names=Names(), slots=Slots()).read([Dialog(said)])) == {"turns": 1, "fillable": 0}


def test_the_right_call_is_filled_from_this_conversation() -> None:
    desk = Desk(support_dialogs(20, 1))
    for dialog in support_dialogs(10, 3):
        for place, event in enumerate(dialog.events):
            if isinstance(event, Turn):
                assert event.system in desk.answers(Dialog(dialog.events[:place]), event.user, place)


def test_dialogs_of_triples_are_read_as_ever() -> None:
    for world, task in (("personalized-restaurant", 3), ("restaurant", 5), ("hotel", 5)):
        dialogs = list(simulate(world, dialogs=20, seed=3, task=task)["train"])
        names = names_of(dialogs)[0]
        slots = slots_of(dialogs, reserved=names.gaps())
        before = Reader(names=names).read(dialogs)
        after = Reader(names=names, slots=slots).read(dialogs)
        for one, other in zip(before, after, strict=True):
            assert [(turn.response, turn.entity) for turn in one.turns] == [
                (turn.response, turn.entity) for turn in other.turns
            ]
        assert not any(slots.foreign(turn.system, held) for dialog in dialogs for turn, held in holding(dialog))


def told_by(*events: Turn | Record | Note, profile: tuple[str, ...] = ()) -> Held:
    return held_by(events, profile)


BUS = Record.of("Buses", {"fare": "3900", "leaves": "06:30", "to": "San Jose", "date": "2019-03-14"})


def gapped(response: str, held: Held, *spans: Span) -> str:
    numbers: dict[str, tuple[Kind, ...]] = dict.fromkeys(("fare", "to", "seats", "city"), ("number",))
    slots = Slots({**numbers, "date": ("date",), "leaves": ("time",)})
    return slots.template(response, spans, held, KnownEntities(Names())).full


def test_values_are_found_however_they_are_written() -> None:
    held = told_by(BUS)
    assert gapped("To San Jose at 6:30 am for $3,900.", held) == "To <to> at <leaves> for $<fare>."
    assert gapped("It leaves on March 14th; 3901 no, 6:31 no.", held) == "It leaves on <date>; 3901 no, 6:31 no."
    assert gapped("It leaves at 6:30 pm in 2020-03-14", held) == "It leaves at 6:30 pm in 2020-03-14"
    assert gapped("san jose, SAN JOSE'S", held) == "<to>, SAN JOSE'S"


def test_annotated_values_are_gaps_even_if_they_are_plain_words() -> None:
    held = told_by(Turn("a table for 4 in rome please", ""))
    response = "A table for 4 in rome?"
    spans = (Span("seats", 12, 13), Span("city", 17, 21))
    assert gapped(response, held) == response
    assert gapped(response, held, *spans) == "A table for <seats> in <city>?"


def test_gaps_of_one_record_are_filled_from_the_record_that_is_spoken_of() -> None:
    slots = Slots({"fare": ("number",), "leaves": ("time",)})
    held = told_by(
        *(Record.of("Buses", {"fare": fare, "leaves": leaves}) for fare, leaves in (("66", "6:50"), ("67", "7:10")))
    )
    template = "at <leaves> for $<fare>"
    assert slots.filled(template, held) == "at 6:50 for $66"
    held.hear("anything later?")
    held.answer("There is one at 7:10")
    assert slots.filled(template, held) == "at 7:10 for $67"
    held.tell(Record.of("Buses", {"fare": "70", "leaves": "9:00"}))
    assert slots.filled(template, held) == "at 9:00 for $70"
    assert slots.filled("at <leaves> for $<fare>, <fare_2>", held) is None, "the others are past"
    held.tell(Record.of("Buses", {"fare": "75", "leaves": "9:30"}))
    assert slots.filled("at <leaves> for $<fare>, <fare_2>", held) == "at 9:00 for $70, 75"
    assert slots.filled(template, told_by(Turn("hi", ""))) is None


def test_what_only_the_user_said_is_told_by_the_words_around_it() -> None:
    slots = Slots({"number": ("number",), "meter_number": ("number",)})
    held = told_by(
        Turn("hi", "What is your customer number?"), Turn("4711", "And your meter number?"), Turn("8812 it is", "")
    )
    assert slots.filled("Your customer number <number>, right?", held) == "Your customer number 4711, right?"
    assert (
        slots.filled('api_call end {"meter_number":"<meter_number>"}', held) == 'api_call end {"meter_number":"8812"}'
    )
    assert slots.filled("<number> and <number_2>", held) == "8812 and 4711"


def test_calls_stay_json_when_they_are_filled() -> None:
    slots = Slots({"name": ("name",), "count": ("number",)})
    held = told_by(Record.of("c", {"name": 'Ann "A" \\ Lee', "count": "12 pieces"}))
    assert slots.filled('api_call x {"name":"<name>"}', held) == 'api_call x {"name":"Ann \\"A\\" \\\\ Lee"}'
    assert slots.filled('api_call x {"count":<count>}', held) is None


def test_policy_is_what_different_customers_were_told_and_nobody_said() -> None:
    def dialogs(*customers: str, said: str = "hi") -> list[Dialog]:
        return [Dialog((Turn(f"{said}, I am {c}", "We answer in 24 hours, call 0800 123 456."),)) for c in customers]

    def foreign(training: list[Dialog], text: str) -> list[str]:
        return slots_of(training).foreign(text, told_by(Turn("hello", "")))

    said = "We answer in 24 hours, call 0800 123 456."
    assert foreign(dialogs("Ann Lee", "Bo Li", "Cy Po"), said) == []
    assert foreign(dialogs("Ann Lee", "Bo Li"), said) == ["24", "0800 123 456"]
    assert foreign(dialogs("Ann Lee", "Ann Lee", "Ann Lee"), said) == ["24", "0800 123 456"]
    assert foreign([*dialogs("Ann Lee", "Bo Li", "Cy Po"), *dialogs("Di Xu", said="in 24 hours")], said) == ["24"]
    assert foreign(dialogs("Ann Lee", "Bo Li", "Cy Po"), "Thanks, Ann Lee. Mr. Po, in 48 hours.") == [
        "48",
        "ann",
        "lee",
        "po",
    ]


def test_slots_are_kept_as_json_and_anything_else_is_refused() -> None:
    slots = slots_of(support_dialogs(8, 1))
    assert Slots.read(slots.plain()) == slots
    wrong: object
    for wrong in (None, [], {}, {**slots.plain(), "kinds": {"a": ["colour"]}}, {**slots.plain(), "more": []}):
        with pytest.raises(ValueError, match="slots: found"):
            Slots.read(wrong)


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "1" * 10_000, "Ann Lee " * 1200, "a.b" * 3000, "(1" * 5000, "x@" * 5000]
)
def test_long_texts_are_searched_at_once(text: str) -> None:
    started = time.perf_counter()
    values_in(text)
    names_in(text)
    assert time.perf_counter() - started < 2
