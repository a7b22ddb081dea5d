"""What may fill a gap: no address where a price stood in training, no customer's number where an order's did."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import SILENCE, Act, Dialog, Record, Turn
from tasksieve.encoding import Candidates, Names, Reader, Reading, Vocabulary, responses_of, slots_of
from tasksieve.encoding.gap_types import GapType, GapTypes
from tasksieve.encoding.number_form import NumberForm
from tasksieve.encoding.offers import offered
from tasksieve.encoding.sources import Source
from tasksieve.encoding.values import Kind
from tasksieve.encoding.wordings import Wordings, types_of, wordings_of
from tasksieve.training.runs.answers import best_answers

NAMES = Names({"find_customer": ("address",), "find_order": ("price",), "create_return": ("return_id",)})
Event = Turn | Record


def said(user: str, system: str, action: str) -> Turn:
    """A turn with the action that it does."""
    return Turn(user, system, acts=(Act(action),))


def call(tool: str, **arguments: str) -> str:
    """The call of a tool."""
    return f"api_call {tool} {json.dumps(arguments)}"


def customer(number: str, address: str) -> Record:
    """What is found by a customer's number."""
    return Record.of("find_customer", {"customer": number, "address": address})


def order(number: str, price: str) -> Record:
    """What is found by an order's number."""
    return Record.of("find_order", {"order": number, "price": price})


def found(number: str, address: str, code: str, price: str) -> list[Event]:
    """A customer is found, and what they have ordered."""
    return [
        said("send it back", "Your number?", "ask"),
        said(number, call("find_customer", customer=number), "call_find_customer"),
        customer(number, address),
        said(SILENCE, "Which order?", "ask"),
        said(code, call("find_order", order=code), "call_find_order"),
        order(code, price),
    ]


def returned(number: str, address: str, code: str, price: str, return_id: str) -> Dialog:
    """An order goes back: a wrong number, what is paid back, where it is fetched."""
    wrong, wrong_code = number[::-1], code[:-2] + code[-2:][::-1]
    created = Record.of("create_return", {"return_id": return_id, "order": code})
    return Dialog(
        (
            said(wrong, call("find_customer", customer=wrong), "call_find_customer"),
            said(SILENCE, f"There is no customer {wrong} here.", "not_found"),
            *found(number, address, code, price),
            said(SILENCE, f"Order {code}, is that right?", "confirm"),
            said("yes", call("create_return", order=code), "call_create_return"),
            created,
            said(SILENCE, f"The number of the return is {return_id}.", "inform_return"),
            said(SILENCE, f"You get {price} euros back.", "inform_amount"),
            said("please fetch it", f"Shall we come to {address}?", "confirm_pickup"),
            said(wrong_code, call("find_order", order=wrong_code), "call_find_order"),
            said(SILENCE, f"I have no order {wrong_code} here.", "not_found"),
        )
    )


TRAINING = [
    returned("512346", "Gartenweg 9, 10115 Berlin", "RT-2026-11132", "119.90", "R555001"),
    returned("700112", "Ringstraße 77, 01067 Dresden", "RT-2025-22241", "87.50", "R555902"),
    returned("431299", "Am Bahnhof 2, 28195 Bremen", "RT-2026-33318", "64.00", "R808149"),
]
SLOTS = slots_of(TRAINING, reserved=NAMES.gaps())
READER = Reader(names=NAMES, predict="actions", slots=SLOTS)
WORDINGS = wordings_of(READER.read(TRAINING))
ANN = ("943203", "Oak Avenue 112, 80331 München")


def at(*events: Event, user: str = SILENCE) -> Reading:
    """A conversation whose next response is due."""
    return READER.read_one(Dialog((*events, Turn(user, "?"))))


def worded(action: str, reading: Reading, before: str = "") -> str | None:
    """How an action is worded then."""
    user = reading.turns[-1].said.user
    return WORDINGS.said(action, user, before, reading.held, reading.entities, SLOTS)


def test_templates_have_the_one_gap_for_any_entity_and_types_tell_them_apart() -> None:
    fields = {text: WORDINGS.types.of_template(text)["<entity>"].fields for text in _with("<entity>")}
    assert fields == {
        "The number of the return is <entity>.": (("create_return", "return_id"),),
        "You get <entity> euros back.": (("find_order", "price"),),
        "Shall we come to <entity>?": (("find_customer", "address"),),
    }


def _with(gap: str) -> set[str]:
    return {wording.template for wording in WORDINGS.wordings if gap in wording.template}


def test_no_address_is_paid_and_nobody_comes_to_a_number_of_a_return() -> None:
    back = Record.of("create_return", {"return_id": "R471259", "order": "RT-2026-90320"})
    events = found(*ANN, "RT-2026-90320", "240.90")
    assert worded("inform_amount", at(*events)) == "You get 240.90 euros back."
    assert worded("confirm_pickup", at(*events, back)) == f"Shall we come to {ANN[1]}?"
    assert worded("inform_amount", at(*events, back)) == "You get 240.90 euros back."
    assert worded("inform_return", at(*events, back)) == "The number of the return is R471259."


def test_what_has_not_come_yet_is_not_said() -> None:
    first = found(*ANN, "RT-2026-90320", "240.90")[:3]
    assert worded("inform_amount", at(*first)) is None
    assert worded("inform_return", at(*found(*ANN, "RT-2026-90320", "240.90"))) is None


def test_a_kind_of_record_that_training_does_not_know_fills_by_the_name_of_its_field() -> None:
    other = Record.of("get_order", {"order": "RT-2026-90320", "price": "240.90"})
    names = Names({**NAMES.fields, "get_order": ("price",), "get_fee": ("fee",)})
    reader = Reader(names=names, predict="actions", slots=SLOTS)

    def amount(record: Record) -> str | None:
        reading = reader.read_one(Dialog((record, Turn("what do I get?", "?"))))
        return WORDINGS.said("inform_amount", "", "", reading.held, reading.entities, SLOTS)

    assert amount(other) == "You get 240.90 euros back."
    assert amount(Record.of("get_fee", {"fee": "9.90"})) is None


def test_what_was_not_found_is_what_the_call_just_before_was_made_with() -> None:
    events = [*found(*ANN, "RT-2026-90320", "240.90"), said("no, another one", "Which one?", "ask")]
    events += [said("RT-2026-99999", call("find_order", order="RT-2026-99999"), "call_find_order")]
    for before in ("There is no customer there.", "I have no order there."):
        assert worded("not_found", at(*events), before) == "I have no order RT-2026-99999 here."
    nobody = said("700111", call("find_customer", customer="700111"), "call_find_customer")
    for before in ("There is no customer there.", "I have no order there."):
        assert worded("not_found", at(nobody), before) == "There is no customer 700111 here."


def test_what_was_confirmed_is_what_is_done() -> None:
    events = [
        *found(*ANN, "RT-2026-44444", "140.00"),
        said("and RT-2026-11111", call("find_order"), "call_find_order"),
    ]
    events += [order("RT-2026-11111", "119.90")]
    for code in ("RT-2026-44444", "RT-2026-11111"):
        confirmed = at(*events, said("send it back", f"Order {code}, is that right?", "confirm"), user="yes")
        assert worded("call_create_return", confirmed) == call("create_return", order=code)
        new = at(*events, said("send it back", f"Order {code}, is that right?", "confirm"), user="no, RT-2026-55555")
        assert worded("call_create_return", new) != call("create_return", order=code)


def test_an_order_is_looked_up_by_the_number_of_an_order_and_the_newest_first() -> None:
    events = found(*ANN, "RT-2026-90320", "240.90")
    assert worded("call_find_order", at(*events[:3], user="it is 4711 or so")) is None
    for user in ("RT-2026-22222", "it is RT-2026-22222, my number is 943203"):
        assert worded("call_find_order", at(*events, user=user)) == call("find_order", order="RT-2026-22222")


def test_predicted_responses_are_filled_by_type_too() -> None:
    reader = Reader(names=NAMES, slots=SLOTS)
    readings = reader.read(TRAINING)
    candidates = Candidates(responses_of(readings), Vocabulary.of(readings), placeholders=NAMES.gaps())
    types = types_of(frozenset(candidates.texts), readings)
    reading = reader.read_one(Dialog((*found(*ANN, "RT-2026-90320", "240.90"), Turn(SILENCE, "?"))))
    texts = [text for text in offered(candidates, reading.entities, reading.held, SLOTS, types) if text is not None]
    assert {"You get 240.90 euros back.", f"Shall we come to {ANN[1]}?"} <= set(texts)
    assert not any(ANN[1] in text and "euros" in text for text in texts)
    untyped = offered(candidates, reading.entities, reading.held, SLOTS)
    assert f"You get {ANN[1]} euros back." in untyped and len(untyped) == len(
        offered(candidates, reading.entities, reading.held, SLOTS, types)
    )
    answers = best_answers(torch.zeros(len(untyped)), candidates, reading.entities, 99, reading.held, SLOTS, types)
    assert {answer.text for answer in answers} == set(texts)


def test_types_are_kept_and_runs_from_before_have_none() -> None:
    kept = json.loads(json.dumps(WORDINGS.types.plain()))
    assert GapTypes.read(kept) == WORDINGS.types
    assert Wordings.read(WORDINGS.plain(), types=kept) == WORDINGS
    older = Wordings.read(WORDINGS.plain())
    assert older.wordings == WORDINGS.wordings and not older.types.types
    wrong: tuple[object, ...] = ([], {"a": 1}, {"a": {"<b>": 1}})
    for value in (*wrong, {"a": {"<b>": {"form": [1]}}}, {"a": {"<b>": {"fields": ["xyz"]}}}):
        with pytest.raises(ValueError, match="types: found"):
            GapTypes.read(value)


def test_a_gap_that_dates_alone_filled_takes_no_number() -> None:
    dates = GapType.of([source(heard="12 May", kind="date"), source(heard="25/03", kind="date")])
    assert dates.takes("8 June", "date") and not dates.takes("4711", "number")
    words = GapType.of([source(heard="12 May", kind="date"), source(heard="twelve", kind="text")])
    both = GapType.of([source(heard="12 May", kind="date"), source(heard="1205", kind="number")])
    assert words.takes("12", "number") and both.takes("1306", "number")
    assert GapType(said=True).takes("4711", "number"), "runs of older versions do not say"
    for kind in (dates, words, both):
        assert GapType.read(json.loads(json.dumps(kind.plain()))) == kind
    with pytest.raises(ValueError):
        GapType.read({"kinds": ["colour"]})


def test_a_code_is_no_date_in_a_call_that_was_only_made_with_dates() -> None:
    def leaving(code: str, day: str) -> Dialog:
        end = said(f"on {day}", call("end_contract", value=day), "call_end")
        return Dialog((said(code, call("find_contract", value=code), "call_find"), end))

    training = [leaving(*one) for one in (("68391", "12 May"), ("47112", "25/03"), ("99014", "8 June"))]
    slots = slots_of(training)
    wordings = wordings_of(Reader(predict="actions", slots=slots).read(training))

    def ended(user: str) -> str | None:
        reading = Reader(predict="actions", slots=slots).read_one(Dialog((Turn(user, "?"),)))
        return wordings.said("call_end", user, "", reading.held, reading.entities, slots)

    assert ended("my code is 12345") is None
    assert ended("my code is 12345, and it is 9 July") == call("end_contract", value="9 July")


def source(
    *fields: tuple[str, str], heard: str = "", others: Iterable[tuple[str, str]] = (), kind: Kind = "number"
) -> Source:
    """Where a value came from."""
    return Source(kind, frozenset(fields), frozenset(others), heard, frozenset(), False)


def test_what_had_a_value_by_chance_is_no_type() -> None:
    pickup, refund = ("book_pickup", "date"), ("refund_status", "date")
    kind = GapType.of([source(pickup), source(pickup, refund), source(pickup, others=[refund])])
    assert kind.fields == (pickup,) and kind.against == (refund,)
    assert [kind.rank(*one) for one in (pickup, refund, ("fetch", "date"), ("fetch", "day"))] == [2, 0, 1, 0]
    both = GapType.of([source(pickup), source(refund)])
    assert both.fields == (pickup, refund)


def test_words_of_the_user_fill_a_response_only_where_records_did_not_each_time() -> None:
    held = source(("find_order", "order"), heard="RT-1111")
    assert not GapType.of([held] * 3).said and GapType.of([held] * 3, call=True).said
    assert GapType.of([held, held, source(heard="RT-2222")]).said


NUMBERS = st.from_regex(r"\A(?:[A-Z]{1,3}-?)?[0-9]{2,8}(?:[-/.][0-9]{1,4})?\Z")


@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_a_form_fits_the_values_that_it_is_of(values: list[str]) -> None:
    form = NumberForm.of(values)
    assert all(map(form.fits, values))
    assert not any(letter.isupper() for letter in form.start) and not any(map(str.isdigit, form.start))


def test_a_form_tells_numbers_apart_and_one_value_gives_nothing_away() -> None:
    customers, orders = NumberForm.of(["700111", "512345"]), NumberForm.of(["RT-2026-11111", "RT-2025-22222"])
    assert customers.fits("943203") and not any(map(customers.fits, ("7590", "119.90", "RT-2026-11111")))
    assert orders.fits("rt-2026-99999") and not any(map(orders.fits, ("943203", "R471259", "AB-2026-11111")))
    assert NumberForm.of(["XK-4711"]).start == "+"
