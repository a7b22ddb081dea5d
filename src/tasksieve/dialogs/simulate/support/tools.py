"""Tools: what the desks' databases answer to calls."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from tasksieve.dialogs.record import Record
from tasksieve.dialogs.simulate.support.customers import Customer
from tasksieve.dialogs.simulate.support.values import WEEKDAYS, Notation

Fields = dict[str, str]

SUCCESS, FAILURE, NOT_FOUND = "done", "refused", "not_found"
"""What the field ``status`` of an answer may be, besides others."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the answers follow from.

    Attributes:
        customer: who asks.
        wishes: what the user has in mind, by slot.
        notation: how the desk's databases write.
        today: the day of the dialog.
        rng: the only source of chance.
    """

    customer: Customer
    wishes: Mapping[str, str]
    notation: Notation
    today: date
    rng: random.Random

    def day(self, least: int, most: int) -> str:
        """A date some days from today."""
        return self.notation.date(self.today + timedelta(days=self.rng.randint(least, most)))

    def amount(self, least: int, most: int) -> str:
        """An amount between two whole ones."""
        return self.notation.amount(self.rng.randint(least * 100, most * 100))

    def number(self, letter: str) -> str:
        """The number of a document or ticket, of this customer alone."""
        return f"{letter}{self.rng.randint(10, 99)}-{self.customer.customer_number[::-1]}"


def looked_up(tool: str, situation: Situation) -> list[Record]:
    """The answer of a tool that looks something up: one record, or several to choose from."""
    kind, answer = _LOOK_UPS[tool]
    return [Record.of(kind, fields) for fields in answer(situation)]


def changed(tool: str, situation: Situation, *, refused: str = "") -> Record:
    """The answer of a tool that changes something.

    Args:
        tool: its name; the kind of its record follows from it.
        situation: what it follows from.
        refused: why it cannot be done; empty if it is done.
    """
    if refused:
        return Record.of(_kind(tool), {"status": FAILURE, "cause": refused})
    fields = {"status": SUCCESS, "reference": situation.number("R")}
    if situation.rng.random() < 0.6:
        fields["effective_on"] = situation.day(1, 12)
    return Record.of(_kind(tool), fields)


def _kind(tool: str) -> str:
    return "".join(word.capitalize() for word in tool.split("_"))


def _invoice(it: Situation) -> list[Fields]:
    return [
        {
            "invoice_number": it.number("B"),
            "amount": it.amount(35, 420),
            "previous_amount": it.amount(30, 200),
            "usage": f"{it.rng.randint(120, 900)} kWh",
            "due_date": it.day(-10, 20),
            "cause": it.rng.choice(
                (
                    "the reading was estimated",
                    "the price changed last month",
                    "a back payment is included",
                    "the usage was higher than a year before",
                    "two months were billed at once",
                    "a reminder fee is included",
                )
            ),
        }
    ]


def _balance(it: Situation) -> list[Fields]:
    return [{"open_amount": it.amount(40, 700), "due_date": it.day(-20, 12), "reminders": str(it.rng.randint(0, 3))}]


def _plans(it: Situation) -> list[Fields]:
    total = it.rng.randint(9_000, 90_000)
    return [
        {"plan": f"{number} monthly payments", "rate": it.notation.amount(total // number), "fee": it.amount(2, 9)}
        for number in sorted(it.rng.sample((2, 3, 4, 6, 9, 12), it.rng.randint(2, 4)))
    ]


def _payment(it: Situation) -> list[Fields]:
    if it.rng.random() < 0.35:
        return [{"status": NOT_FOUND}]
    return [
        {"amount": it.amount(30, 300), "booked_on": it.day(-6, 0), "status": it.rng.choice(("booked", "on hold"))}
    ]


def _meter(it: Situation) -> list[Fields]:
    return [
        {
            "meter_number": it.customer.meter_number,
            "last_reading": f"{it.rng.randint(900, 90_000)} kWh",
            "read_on": it.day(-400, -90),
            "read_by": it.rng.choice(("customer", "technician", "estimate")),
        }
    ]


def _supply(it: Situation) -> list[Fields]:
    return [{"tariff": it.rng.choice(_TARIFFS), "price": it.amount(25, 140), "grid": it.rng.choice(_GRIDS)}]


def _outage(it: Situation) -> list[Fields]:
    if it.rng.random() < 0.45:
        return [{"status": NOT_FOUND}]
    hour = it.rng.randint(9, 22)
    return [
        {
            "cause": it.rng.choice(
                ("a damaged cable", "a storm", "work on the grid", "a fault in a substation", "a fallen tree")
            ),
            "restored_at": it.rng.choice((f"{hour}:00", f"{hour}:30", f"{hour}:45")),
            "households": str(it.rng.randint(12, 900)),
        }
    ]


def _tariffs(it: Situation) -> list[Fields]:
    names = it.rng.sample(_TARIFFS, it.rng.randint(2, 4))
    return [{"tariff": name, "price": it.amount(28, 160), "term": it.rng.choice(_TERMS)} for name in names]


def _contract(it: Situation) -> list[Fields]:
    return [
        {
            "contract_number": it.customer.contract_number,
            "tariff": it.rng.choice(_TARIFFS),
            "price": it.amount(28, 160),
            "ends_on": it.day(20, 400),
            "notice": it.rng.choice(("two weeks", "one month", "six weeks", "three months")),
        }
    ]


def _visits(it: Situation) -> list[Fields]:
    starts = it.rng.sample(range(8, 18), it.rng.randint(2, 4))
    return [
        {
            "visit": f"{_weekday(it)} at {start}:{it.rng.choice(('00', '15', '30'))}",
            "technician": it.rng.choice(_TECHNICIANS),
            "duration": it.rng.choice(("30 minutes", "45 minutes", "one hour", "two hours")),
        }
        for start in starts
    ]


def _weekday(it: Situation) -> str:
    day = it.today + timedelta(days=it.rng.randint(2, 21))
    day -= timedelta(days=max(0, day.weekday() - 4))
    return f"{WEEKDAYS[day.weekday()]} {it.notation.date(day)}"


def _chargers(it: Situation) -> list[Fields]:
    names = it.rng.sample(_CHARGERS, it.rng.randint(2, 3))
    return [{"charger": name, "price": it.amount(390, 1_400), "delivered_on": it.day(6, 40)} for name in names]


def _charger_state(it: Situation) -> list[Fields]:
    if it.rng.random() < 0.4:
        return [{"status": NOT_FOUND}]
    causes = ("the plug is too hot", "the software is out of date", "the fuse has gone", "the car cut it off")
    return [{"cause": it.rng.choice(causes), "charger": it.rng.choice(_CHARGERS), "last_seen": it.day(-3, 0)}]


_TARIFFS = (
    "River Green",
    "Steady 24",
    "Night Owl",
    "Basic Flow",
    "Family Plus",
    "Wind Fix",
    "Open Flex",
    "Sun Saver",
)
_TERMS = ("12 months", "24 months", "no minimum term", "6 months")
_GRIDS = ("north grid", "harbour grid", "hill grid", "city grid")
_TECHNICIANS = ("Mr Brandt", "Ms Ferreira", "Mr Osei", "Ms Halloran", "Mr Vidal", "Ms Kurz")
_CHARGERS = ("Volta Home 11", "Plugmate S", "Kerb 22", "Ampere Nest", "Spark Mini")

_LOOK_UPS: dict[str, tuple[str, Callable[[Situation], list[Fields]]]] = {
    "get_invoice": ("Invoice", _invoice),
    "get_balance": ("Balance", _balance),
    "find_plans": ("Plan", _plans),
    "find_payment": ("Payment", _payment),
    "get_meter": ("Meter", _meter),
    "check_supply": ("Supply", _supply),
    "check_outages": ("Outage", _outage),
    "find_tariffs": ("Tariff", _tariffs),
    "get_contract": ("Contract", _contract),
    "find_visits": ("Visit", _visits),
    "find_chargers": ("Charger", _chargers),
    "check_charger": ("ChargerState", _charger_state),
}
