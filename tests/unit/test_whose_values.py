"""Whose value fills a gap where a conversation holds several: the next customer's, the newest, another offer's."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import Act, Dialog, Record, Turn
from tasksieve.encoding import Held, KnownEntities, Names, Reader, Slots, names_of, slots_of
from tasksieve.encoding.newest import Newest
from tasksieve.encoding.number_form import NumberForm
from tasksieve.encoding.values import alike, values_in
from tasksieve.encoding.wordings import Wording, Wordings, wordings_of
from tasksieve.encoding.written import Written
from tests.support_dialogs import support_dialogs, with_acts

CALL = 'api_call get_member {"card":"<card>"}'


def member(name: str, card: str, **more: object) -> Record:
    """What a library's tool answers."""
    return Record.of("get_member", {"name": name, "card": card, **more})


def held_by(*events: Turn | Record) -> Held:
    """What a conversation holds after these events, each turn with its answer."""
    held = Held()
    for event in events:
        if isinstance(event, Turn):
            held.hear(event.user)
            held.answer(event.system)
        else:
            held.tell(event)
    return held


def test_the_record_of_the_next_customer_takes_the_place_of_the_former_one() -> None:
    slots = Slots({"title": ("name",), "fines": ("number",), "name": ("name",)})
    ann = member("Ann Lee", "L777123", fines="£2.20", title="Moby Dick")
    held = held_by(Turn("hi", "Your card?"), ann, Turn("and for my daughter?", "Her card?"))
    assert slots.filled("<name>: <title>. You owe £<fines>.", held) == "Ann Lee: Moby Dick. You owe £2.20."
    held.tell(member("Zoe Lee", "L555321", fines="£7.75"))
    assert slots.filled("<name>, you owe £<fines>.", held) == "Zoe Lee, you owe £7.75."
    assert slots.filled("<name>: <title>. You owe £<fines>.", held) is None, "the title is Ann's"
    assert slots.filled("<title> is due.", held) is None


def test_a_record_that_says_more_of_the_same_does_not_make_the_others_past() -> None:
    slots = Slots({"name": ("name",), "phone": ("number",), "time": ("time",)})
    hotel = Record.of("Hotels", {"name": "Hotel Rex", "city": "Rome", "phone": "06 4711 4711"})
    held = held_by(Turn("a hotel in Rome", "Hotel Rex?"), hotel, Turn("yes, for 7 pm", "Done."))
    held.tell(Record.of("Hotels", {"name": "Hotel Rex", "city": "Rome", "time": "19:00"}))
    assert slots.filled("Come at <time>, or call <phone>.", held) == "Come at 19:00, or call 06 4711 4711."


def test_of_several_results_a_value_that_the_one_spoken_of_lacks_is_not_taken_from_another() -> None:
    slots = Slots({"name": ("name",), "city": ("name",), "stars": ("number",)})
    rex, ritz = Record.of("h", {"name": "Rex", "city": "Rome"}), Record.of("h", {"name": "Ritz", "stars": "45"})
    held = held_by(Turn("hotels?", ""), rex, ritz)
    assert slots.filled("<name> has <stars> stars.", held) == "Ritz has 45 stars."
    assert slots.filled("<name> in <city> has <stars> stars.", held) is None
    held.answer("There is Rex.")
    assert slots.filled("It has <stars> stars.", held) is None
    held.hear("and the Ritz?")
    assert slots.filled("It has <stars> stars.", held) == "It has 45 stars."
    assert slots.filled("It is in <city>.", held) is None


def test_a_call_takes_the_number_that_was_given_since_and_a_response_what_the_record_says() -> None:
    slots = Slots({"card": ("number",), "fines": ("number",)})
    held = held_by(Turn("L777123", ""), member("Ann Lee", "L777123", fines="12"))
    held.hear("how many can I take, 2? and it is 14:30")
    assert slots.filled(CALL, held) == CALL.replace("<card>", "L777123")
    held.hear("and hers is L555321")
    assert slots.filled(CALL, held) == CALL.replace("<card>", "L555321")
    assert slots.filled("Your card is <card>.", held) == "Your card is L777123."
    held.tell(member("Zoe Lee", "L555321"))
    held.hear("the other one again, 8812-7715")
    assert slots.filled(CALL, held) == CALL.replace("<card>", "L555321"), "it does not look like a card"


def test_training_dialogs_tell_whether_the_newest_value_prevails() -> None:
    def asks_twice(first: str, second: str, called: str) -> Dialog:
        def call(card: str) -> str:
            return CALL.replace("<card>", card)

        known = member("Ann Lee", first)
        return Dialog((Turn(first, call(first)), known, Turn("hm", "Next?"), Turn(second, call(called))))

    held = held_by(Turn("L777123", ""), member("Ann Lee", "L777123"), Turn("and 8812-7715", ""))
    by_user = slots_of([asks_twice("L777000", "1234-5678", "1234-5678")])
    assert by_user.newest.prefers == {"api_call card": True}
    assert by_user.filled(CALL, held) == CALL.replace("<card>", "8812-7715")
    by_record = slots_of([asks_twice("L777000", "L777001", "L777000"), asks_twice("L123", "L124", "L123")])
    held.hear("L999888")
    assert by_record.filled(CALL, held) == CALL.replace("<card>", "L777123")


def test_a_number_of_people_is_no_number_of_a_card() -> None:
    slots = Slots({"card": ("number",)}, newest=Newest(written=Written({"card": NumberForm(6, 8)})))
    assert slots.filled(CALL, held_by(Turn("a room for 40 people", ""))) is None
    assert slots.filled(CALL, held_by(Turn("a room for 40 people", ""), Turn("471188", ""))) is not None


def test_a_code_is_no_date_where_dates_may_be_written_as_numbers() -> None:
    def leaving(date: str) -> Dialog:
        call = f'api_call end_contract {{"end_date":"{date}"}}'
        return Dialog((Turn("I leave", "When?"), Turn(f"on {date}", call), Turn("thanks", "Bye.")))

    slots = slots_of([leaving(date) for date in ("25/03", "8.4.", "12 march", "16.7.")])
    (gap,) = (name for name, kinds in slots.kinds.items() if {"date", "number"} & set(kinds))
    call = f'api_call end_contract {{"end_date":"<{gap}>"}}'
    code = Turn("my code is 6839", "When?")
    assert slots.filled(call, held_by(code)) is None
    assert slots.filled(call, held_by(code, Turn("on 22/09", ""))) == 'api_call end_contract {"end_date":"22/09"}'
    assert Slots.read(slots.plain()) == slots


def test_what_is_known_of_it_is_kept_and_runs_from_before_have_none() -> None:
    slots = slots_of(support_dialogs(8, 1))
    customers = slots.newest.written.numbers["customer"]
    assert (customers.least, customers.most) == (5, 5)
    kept = slots.plain()
    assert Slots.read(kept) == slots
    older = {name: value for name, value in kept.items() if name != "newest"}
    assert Slots.read(older).newest == Newest()
    written: dict[str, object] = {"numbers": {}, "dates": {}}
    wrongs = ({"prefers": {"a": 1}, "written": written}, {"prefers": {}, "written": {"numbers": {"a": {}}}})
    older_wrongs = ({"prefers": {"a": 1}, "digits": {}}, {"prefers": {}, "digits": {"a": [1]}}, {"digits": {}})
    for wrong in ([], {"prefers": {}}, *wrongs, *older_wrongs):
        with pytest.raises(ValueError, match="slots: found"):
            Slots.read({**kept, "newest": wrong})


BUSES = tuple(Record.of("Buses", {"leaves": leaves, "fare": fare}) for leaves, fare in (("6:50", 31), ("7:10", 32)))


def offers() -> list[Dialog]:
    """Dialogs in which a bus is offered, then another one, which is confirmed."""
    first = Turn("a bus please", "One leaves at 6:50.", acts=(Act("offer"),))
    other = Turn("another one?", "There is one at 7:10 too.", acts=(Act("offer"),))
    confirm = Turn("that is fine", "The bus at 7:10 it is.", acts=(Act("confirm"),))
    return [Dialog((*BUSES, first, other, confirm))]


def test_another_offer_is_of_a_record_that_nobody_has_spoken_of() -> None:
    slots = slots_of(offers())
    readings = Reader(predict="actions", slots=slots).read(offers())
    wordings = wordings_of(readings)
    assert {one.template: one.fresh for one in wordings.wordings} == {
        "One leaves at <leaves>.": True,
        "There is one at <leaves> too.": True,
        "The bus at <leaves> it is.": False,
    }
    held, nobody = Held(), KnownEntities(Names())
    for leaves in ("9:05", "9:15", "9:25"):
        held.tell(Record.of("Buses", {"leaves": leaves, "fare": leaves[-2:]}))
    said = []
    for user in ("a bus", "another one?", "another one?"):
        held.hear(user)
        text = wordings.said("offer", user, "", held, nobody, slots)
        assert text is not None
        held.answer(text)
        said.append(text)
    assert said == ["One leaves at 9:05.", "There is one at 9:15 too.", "There is one at 9:25 too."]
    assert wordings.said("confirm", "fine", "", held, nobody, slots) == "The bus at 9:25 it is."
    held.hear("no, rather the one at 9:15")
    assert wordings.said("confirm", "fine", "", held, nobody, slots) == "The bus at 9:15 it is."
    assert Wordings.read(wordings.plain(), types=wordings.types.plain()) == wordings
    assert Wordings.read([{"action": "a", "user": "b", "before": "c", "template": "d"}]).wordings[0] == Wording(
        "a", "b", "c", "d"
    )


def test_an_entity_that_has_just_come_is_spoken_of_until_another_is_named() -> None:
    names = Names({"h": ("name",)})
    known = KnownEntities(names)
    for name in ("Rex", "Ritz"):
        known.learn(Record.of("h", {"name": name}))
    assert known.spoken_of() == [0, 1]
    known.hear("rather the Ritz")
    assert known.spoken_of() == [1, 0]
    known.learn(Record.of("h", {"name": "Savoy"}))
    known.learn(Record.of("h", {"name": "Plaza"}))
    assert known.spoken_of()[0] == 2
    known.name("The Plaza is full.")
    assert known.spoken_of()[0] == 3


def told(dialog: Dialog) -> set[str]:
    """All that the records of a dialog say."""
    return {value for event in dialog.events if isinstance(event, Record) for _, value in event.flat()}


TRAINING = with_acts(support_dialogs(12, 1))
NAMES = names_of(TRAINING)[0]
SLOTS = slots_of(TRAINING, reserved=NAMES.gaps())
WORDINGS = wordings_of(Reader(names=NAMES, predict="actions", slots=SLOTS).read(TRAINING))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
@example(1042)  # both contracts end on one day
def test_nothing_of_the_former_customer_is_said_once_the_next_one_is_known(seed: int) -> None:
    former, later = with_acts(support_dialogs(2, seed))
    reader = Reader(names=NAMES, predict="actions", slots=SLOTS)
    own = [
        {value for record in one.events if isinstance(record, Record) for _, value in record.flat()}
        for one in (former, later)
    ]
    values = {value for value in own[0] - own[1] if values_in(value) or " " in value}
    known = next(place for place, event in enumerate(later.events) if isinstance(event, Record))
    for place in range(known + 1, len(later.events)):
        event = later.events[place]
        if isinstance(event, Turn):
            reading = reader.read_one(Dialog((*former.events, *later.events[:place], Turn(event.user, "?"))))
            for action in {one.action for one in WORDINGS.wordings} - {"request_customer", "call_find_customer"}:
                text = WORDINGS.said(action, event.user, "", reading.held, reading.entities, SLOTS)
                assert not any(value in cast(str, text or "") for value in values), text


def test_an_amount_at_the_end_of_a_sentence_is_no_date() -> None:
    assert [(value.kind, value.text) for value in values_in("You owe £2.10.")] == [("number", "2.10")]
    assert [(value.kind, value.text) for value in values_in("It costs 6.43.")] == [("number", "6.43")]
    assert [value.kind for value in values_in("am 2.10. oder 31.12.2024; 4.3. um 9")] == ["date", "date", "date"]
    assert alike("rated 4.30", "rated 4.3") is False and alike("4.30", "4.3")


def test_next_friday_is_no_other_friday() -> None:
    assert [value.text for value in values_in("next Friday or Monday next week")] == [
        "next Friday",
        "Monday next week",
    ]
    assert alike("next Friday", "Friday") and not alike("next Friday", "this friday")


def test_what_was_offered_is_not_offered_anew_when_it_is_found_again() -> None:
    held = held_by(*BUSES, Turn("a bus", "One leaves at 6:50."), Turn("another one?", ""), *BUSES)
    slots = Slots({"leaves": ("time",)})
    assert slots.filled("There is one at <leaves>.", held, fresh=True) == "There is one at 7:10."


def test_a_second_address_mends_the_first() -> None:
    held = held_by(Turn("hi", "Your email address?"), Turn("my email is ann@x.example", "?"))
    held.hear("sorry, I mean anna@x.example")
    assert Slots({"email": ("email",)}).filled("<email>, right?", held) == "anna@x.example, right?"


LOOKUP = 'api_call lookup_customer {"customer_number":"<customer_number>"}'
NOT_FOUND = Record.of("lookup_customer", {"error": "not found"})


@pytest.mark.parametrize("answers", [(), (NOT_FOUND,)])
def test_a_number_that_is_corrected_is_not_looked_up_again(answers: tuple[Record, ...]) -> None:
    slots = Slots({"customer_number": ("number",)})
    wrong, right = (LOOKUP.replace("<customer_number>", number) for number in ("512346", "512345"))
    held = held_by(Turn("hi", "And your number?"), Turn("my customer number is 512346", wrong), *answers)
    held.answer("I cannot find 512346. Could you check the number again?")
    held.hear("the FritzLine 7590, for 20 of us")
    assert slots.filled(LOOKUP, held) == wrong, "these do not look like the number before"
    held.hear("sorry, I meant 512345, it is 20 of us at 14:30")
    assert slots.filled(LOOKUP, held) == right
    held.hear("512347, not 512346")
    assert slots.filled(LOOKUP, held) == LOOKUP.replace("<customer_number>", "512347")


def ordering(number: str) -> Dialog:
    """A dialog in which an order is looked up."""
    return Dialog((Turn("hi", "Which order?"), Turn(number, f'api_call get_order {{"order_number":"{number}"}}')))


ORDER = 'api_call get_order {"order_number":"<order_number>"}'
ORDERS = ("RT-2025-60867", "RT-2026-11111", "RT-2026-22222")


def test_a_number_of_another_shape_fills_no_gap_whose_values_all_have_one() -> None:
    slots = slots_of([ordering(number) for number in ORDERS])
    asked = Turn("512345, please", "Which order?")
    for other in ("the FritzLine 7590", "RT-77", "747168001", "XY-2026-33333"):
        assert slots.filled(ORDER, held_by(asked, Turn(other, ""))) is None
    said = held_by(asked, Turn("RT-2026-33333, the FritzLine 7590", ""))
    assert slots.filled(ORDER, said) == ORDER.replace("<order_number>", "RT-2026-33333")
    assert Slots.read(slots.plain()) == slots


def test_a_number_is_written_as_tools_are_always_called_with_it() -> None:
    slots = slots_of([ordering(number) for number in ORDERS])
    assert slots.filled(ORDER, held_by(Turn("rt-2026-33333", ""))) == ORDER.replace("<order_number>", "RT-2026-33333")


@pytest.mark.parametrize("numbers", [("RT-2025-60867", "RT-2026-11111"), (*ORDERS, "A-12"), ("120", "250", "300")])
def test_few_values_or_mixed_ones_or_amounts_tell_no_shape(numbers: tuple[str, ...]) -> None:
    slots = slots_of([ordering(number) for number in numbers])
    assert not any(map(slots.newest.written.tells, slots.newest.written.numbers))
    assert slots.filled(ORDER, held_by(Turn("it is 8812-771", ""))) is None or len(numbers) != 3
