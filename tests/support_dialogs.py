"""Dialogs of a support desk: names, numbers, dates, calls that cancel contracts; each customer has their own."""

from __future__ import annotations

import random
from dataclasses import replace

from tasksieve.dialogs import SILENCE, Dialog, Record, Turn
from tasksieve.dialogs.act import acts_of

FIRST = ["Anna", "Peter", "Maria", "Jonas", "Clara", "Viktor", "Nina", "Oskar", "Paula", "Felix", "Greta", "Hugo"]
LAST = ["Berg", "Lund", "Stein", "Wolf", "Krause", "Vogel", "Busch", "Fuchs", "Haas", "Kern", "Otto", "Pohl"]
POLICY = ("24", "9", "5", "14")
"""Numbers that the desk says to everybody."""


def support_dialogs(count: int, seed: int, *, told: bool = True, small: bool = False) -> list[Dialog]:
    """Dialogs with customers who cancel their contracts.

    Args:
        count: how many.
        seed: of the draws.
        told: whether tools answer with records; otherwise the desk says what nobody told.
        small: whether customers write in lower case.
    """
    draw = random.Random(seed)
    return [_dialog(draw, told, small) for _ in range(count)]


def _dialog(draw: random.Random, told: bool, small: bool) -> Dialog:
    first, last, customer = draw.choice(FIRST), draw.choice(LAST), str(draw.randint(10000, 99999))
    meter, ticket = f"M-{draw.randint(100000, 999999)}", str(draw.randint(1000, 9999))
    balance = f"{draw.randint(20, 200)}.{draw.randint(10, 99)}"
    ends = f"20{draw.randint(26, 27)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"

    def said(*texts: str) -> str:
        text = draw.choice(texts)
        return text.lower() if small else text

    greeting = draw.choice(
        (
            f"Thank you, {first} {last}. Is your meter number {meter}?",
            f"Hello {first}, I see meter {meter}. Is that right?",
            f"Mr. {last}, your meter is {meter}, correct?",
        )
    )
    found = {"name": f"{first} {last}", "customer": customer, "meter": meter, "balance": balance, "ends": ends}
    call = f'api_call cancel {{"customer":"{customer}","meter":"{meter}","reason":"customer wish","days":14}}'
    events: list[Turn | Record] = [
        Turn(said("Hi, I want to cancel my contract", "Please end my contract"), "What is your customer number?"),
        Turn(
            said(f"It is {customer}, my name is {first} {last}", f"{customer}. This is {first} {last}."),
            f'api_call find_customer {{"customer":"{customer}"}}',
        ),
        *([Record.of("find_customer", found)] if told else []),
        Turn(SILENCE, greeting),
        Turn(said("yes"), f"Your balance is ${balance}; the contract ends on {ends}. It takes 24 hours. Cancel it?"),
        Turn(said("yes please"), call),
        *([Record.of("cancel", {"ok": True, "ticket": ticket})] if told else []),
        Turn(SILENCE, f"Done, {first}. Your ticket is {ticket}. Call Acme Power from 9 am to 5 pm."),
    ]
    return Dialog(tuple(events))


ACTIONS = ("request(customer)", "call(find_customer)", "confirm(meter)", "confirm", "call(cancel)", "notify")


def with_acts(dialogs: list[Dialog]) -> list[Dialog]:
    """The same dialogs, in which each turn says what the desk does."""
    found = []
    for dialog in dialogs:
        acts = iter(ACTIONS)
        found.append(
            replace(
                dialog,
                events=tuple(
                    replace(event, acts=acts_of(next(acts))) if isinstance(event, Turn) else event
                    for event in dialog.events
                ),
            )
        )
    return found
