"""Values: what users have in mind, and how users and the desks' databases write dates, amounts and numbers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from tasksieve.dialogs.simulate.support.customers import LAST_NAMES, MAIL_HOSTS, Customer, new_address

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_FIRST_DAY = date(2023, 1, 2)

_CHOICES = {
    "delivery": ("by e-mail", "by post", "by letter", "via email", "by mail"),
    "complaint": (
        "the amount is far too high",
        "the usage can't be right",
        "I was charged twice",
        "the old address is on it",
        "a payment is missing",
        "the price per unit is wrong",
        "the dates don't match",
        "the discount isn't on there",
    ),
    "affected": (
        "the whole flat",
        "the kitchen",
        "half the house",
        "the whole street",
        "the upper floor",
        "the entire building",
        "the cellar and the stairs",
        "our living room",
        "everything",
    ),
    "preference": (
        "green power",
        "a fixed price",
        "a low price",
        "no long contract",
        "cheap nights",
        "the lowest rate",
    ),
    "job": (
        "a meter exchange",
        "a safety check",
        "a second meter",
        "a new fuse box",
        "a broken seal",
        "a smart meter",
        "a connection for the garden",
        "a check of the wiring",
    ),
    "daypart": ("morning", "afternoon", "early afternoon", "late morning", "evening"),
    "reason": (
        "it got too expensive",
        "I'm moving abroad",
        "I found a cheaper offer",
        "we're moving in together",
        "the service was bad",
        "I want green power",
        "the house is being sold",
    ),
    "parking": ("a garage", "a carport", "a space outside", "an underground garage", "a driveway", "a shared yard"),
    "power": ("11 kW", "22 kW", "11kw", "22kw", "7.4 kW"),
    "usage_unit": ("kWh", "kwh", "kilowatt hours", "kWh a year"),
}


@dataclass(frozen=True, slots=True)
class Notation:
    """How a desk's databases write.

    Attributes:
        numeric: whether dates are numbers alone.
        currency: where ``{}`` is the number.
    """

    numeric: bool
    currency: str

    def date(self, day: date) -> str:
        """A date as a record has it."""
        return (
            f"{day.day:02d}.{day.month:02d}.{day.year}"
            if self.numeric
            else f"{day.day} {MONTHS[day.month - 1]} {day.year}"
        )

    def amount(self, cents: int) -> str:
        """An amount of money as a record has it."""
        return self.currency.format(f"{cents // 100}.{cents % 100:02d}")


def some_day(rng: random.Random) -> date:
    """The day of a dialog."""
    return _FIRST_DAY + timedelta(days=rng.randrange(1000))


def wished(slot: str, customer: Customer, today: date, rng: random.Random) -> str:
    """What a user has in mind for a slot, in one of the ways in which people write it."""
    if slot in _CHOICES:
        return rng.choice(_CHOICES[slot])
    if slot in _DATES:
        least, most = _DATES[slot]
        return _written_date(today + timedelta(days=rng.randint(least, most)), rng)
    if slot in _OTHERS:
        return _OTHERS[slot](customer, today, rng)
    return _spaced(getattr(customer, slot), rng) if slot in _IN_GROUPS else str(getattr(customer, slot))


_DATES = {
    "new_due_date": (10, 50),
    "first_payment": (5, 40),
    "paid_on": (-40, -5),
    "reading_date": (-9, -1),
    "moving_date": (5, 60),
    "valid_from": (-50, 10),
    "end_date": (15, 90),
}
"""How many days from today they are, at least and at most."""
_IN_GROUPS = ("customer_number", "phone", "meter_number")


def _written_date(day: date, rng: random.Random) -> str:
    month, number = MONTHS[day.month - 1], day.day
    ending = "th" if 10 < number < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return rng.choice(
        (
            f"{number} {month}",
            f"{month} {number}",
            f"{number}{ending} of {month}",
            f"the {number}{ending} of {month}",
            f"{number}.{day.month}.",
            f"{number:02d}/{day.month:02d}",
            f"{month[:3]} {number}{ending}",
            f"{number}.{day.month:02d}.{day.year}",
        )
    )


def _spaced(digits: str, rng: random.Random) -> str:
    """A number whole or in two groups."""
    return rng.choice((digits, digits, f"{digits[:4]} {digits[4:]}", f"{digits[:3]} {digits[3:]}"))


def _month(customer: Customer, today: date, rng: random.Random) -> str:
    month = MONTHS[(today.month - rng.randint(2, 5)) % 12]
    return rng.choice((month, month, month[:3], f"{month} {today.year}"))


def _reading(customer: Customer, today: date, rng: random.Random) -> str:
    number = rng.randint(1_200, 98_000)
    return rng.choice((f"{number}", f"{number:06d}", f"{number:,}", f"{number}.{rng.randint(0, 9)}"))


def _day(customer: Customer, today: date, rng: random.Random) -> str:
    day = rng.choice(WEEKDAYS)
    ahead = _written_date(today + timedelta(days=rng.randint(3, 20)), rng)
    return rng.choice((day, f"next {day}", f"{day} next week", ahead, f"this {day}"))


def _since(customer: Customer, today: date, rng: random.Random) -> str:
    hour = rng.randint(1, 11)
    return rng.choice(
        (
            f"{hour} this morning",
            f"{hour} o'clock",
            f"about {hour}pm",
            "last night",
            "yesterday evening",
            f"{rng.randint(2, 9)} hours ago",
            f"{hour}:{rng.randint(10, 55)}",
            "this morning",
            f"half past {hour}",
        )
    )


def _usage(customer: Customer, today: date, rng: random.Random) -> str:
    number = rng.randint(12, 62) * 100
    return f"{rng.choice((f'{number}', f'{number:,}'))} {rng.choice(_CHOICES['usage_unit'])}"


def _new_email(customer: Customer, today: date, rng: random.Random) -> str:
    name, _, host = customer.email.partition("@")
    return f"{name}{rng.choice(('x', '.home', '_new'))}@{rng.choice(MAIL_HOSTS)}" if host else customer.email


def _new_phone(customer: Customer, today: date, rng: random.Random) -> str:
    return _spaced(f"{customer.phone[:3]}{customer.phone[:2:-1]}", rng)


_OTHERS: dict[str, Callable[[Customer, date, random.Random], str]] = {
    "code": lambda customer, today, rng: f"{rng.randint(100_000, 999_999)}",
    "month": _month,
    "reading": _reading,
    "day": _day,
    "since": _since,
    "usage": _usage,
    "new_email": _new_email,
    "new_phone": _new_phone,
    "new_address": lambda customer, today, rng: new_address(rng),
    "new_last_name": lambda customer, today, rng: f"{rng.choice(LAST_NAMES)}",
    "error_code": lambda customer, today, rng: f"{rng.choice('EFH')}{rng.randint(1, 79):02d}",
}
