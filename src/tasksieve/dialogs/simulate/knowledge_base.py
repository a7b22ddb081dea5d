"""What the simulated system can look up: options with their records, and the goals that enough options meet.

Nothing here depends on a seed. There are two halves without a city, cuisine, dish or name in common: one for
training, validation and test, one (``unseen``) for the test on words that training never showed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

from tasksieve.dialogs.record import KNOWLEDGE_BASE, NAME, Record

CITIES = (
    ("lisbon", "vienna", "dublin", "oslo", "prague"),
    ("nairobi", "lima", "montreal", "manila", "perth"),
)
"""Cities of the first half, cities of the unseen half."""
DISHES: tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]] = (
    {
        "greek": ("moussaka", "souvlaki", "spanakopita"),
        "turkish": ("kebab", "pide", "lahmacun"),
        "mexican": ("tacos", "enchiladas", "pozole"),
        "lebanese": ("falafel", "tabbouleh", "kibbeh"),
        "ethiopian": ("injera", "doro_wat", "kitfo"),
    },
    {
        "peruvian": ("ceviche", "lomo_saltado", "causa"),
        "nepalese": ("momo", "dal_bhat", "thukpa"),
        "polish": ("pierogi", "bigos", "zurek"),
        "moroccan": ("tagine", "couscous", "harira"),
        "georgian": ("khachapuri", "khinkali", "lobio"),
    },
)
"""Cuisines of each half with their dishes, which a user may have as a favourite."""
PRICES = ("cheap", "midrange", "fancy")
PARTY_SIZES = ("two", "three", "five", "six")
NIGHTS = ("two", "three", "four", "seven")
ROOMS = ("single", "double", "twin", "family")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FACILITIES = ("pool", "fitness", "breakfast")

_RATINGS = range(1, 9)
_VARIANTS = (("a", "veg"), ("b", "non-veg"))
_DROPPED = 0.15  # of the personalized variants, so that dialogs differ in how many options there are of each diet


@dataclass(frozen=True, slots=True)
class Option:
    """A restaurant or hotel.

    Attributes:
        name: one word, as it stands in dialogs.
        values: what is known of it, by relation, e.g. ``{"rating": "7"}``; in the order of the record.
        record: the same as the knowledge base answers it, with fields such as ``R_rating``.
    """

    name: str
    values: Mapping[str, str]
    record: Record


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """The options of one half.

    Attributes:
        values: the words a slot can take, by slot.
        goals: for every goal that enough options meet, what it asks for (by slot) and these options.
        dishes: dishes by cuisine; empty for hotels.
    """

    values: Mapping[str, tuple[str, ...]]
    goals: tuple[tuple[Mapping[str, str], tuple[Option, ...]], ...]
    dishes: Mapping[str, tuple[str, ...]]


@cache
def restaurants(unseen: bool) -> KnowledgeBase:
    """Restaurants with 7 values each; 3 to 8 meet every goal."""
    options = [_option(name, _contact(name, values)) for name, values in _restaurants(unseen)]
    return _restaurant_base(options, unseen, at_least=3, at_most=8)


@cache
def personalized_restaurants(unseen: bool) -> KnowledgeBase:
    """The restaurants of the plain task, most of them once for each diet, with 12 values; 5 to 8 meet every goal."""
    rng = random.Random(f"personalized restaurants {unseen}")
    options = []
    for base, values in _restaurants(unseen):
        for suffix, diet in _VARIANTS:
            dish = rng.choice(DISHES[unseen][values["cuisine"]])
            if rng.random() < _DROPPED:
                continue
            name = f"{base}_{suffix}"
            more = {"type": diet, "speciality": dish}
            more |= {relation: f"{name}_{relation}" for relation in ("social_media", "parking", "public_transport")}
            options.append(_option(name, _contact(name, values) | more))
    return _restaurant_base(options, unseen, at_least=5, at_most=8)


@cache
def hotels(unseen: bool) -> KnowledgeBase:
    """Hotels with 10 values each; 3 to 8 meet every goal. The day of arrival rules none out."""
    rng = random.Random(f"hotels {unseen}")
    options = []
    for city, price, room, rating in product(CITIES[unseen], PRICES, ROOMS, _RATINGS):
        name = f"inn_{city}_{price}_{room}_{rating}"
        values = {
            "location": city,
            "room": room,
            "nights": rng.choice(NIGHTS),
            "price": price,
            "rating": str(rating),
        }
        facilities = {facility: rng.choice(("yes", "no")) for facility in FACILITIES}
        options.append(_option(name, _contact(name, values) | facilities))
    slots = {"location": CITIES[unseen], "nights": NIGHTS, "arrival": DAYS, "room": ROOMS, "price": PRICES}
    goals = _goals(options, ("location", "nights", "room", "price"), at_least=3, at_most=8)
    return KnowledgeBase(slots, goals, {})


def _restaurants(unseen: bool) -> Iterable[tuple[str, dict[str, str]]]:
    rng = random.Random(f"kitchens {unseen}")
    for city, price, cuisine, rating in product(CITIES[unseen], PRICES, DISHES[unseen], _RATINGS):
        yield (
            f"table_{city}_{price}_{cuisine}_{rating}",
            {
                "cuisine": cuisine,
                "location": city,
                "number": rng.choice(PARTY_SIZES),
                "price": price,
                "rating": str(rating),
            },
        )


def _restaurant_base(options: Iterable[Option], unseen: bool, at_least: int, at_most: int) -> KnowledgeBase:
    cuisines = tuple(DISHES[unseen])
    slots = {"cuisine": cuisines, "location": CITIES[unseen], "number": PARTY_SIZES, "price": PRICES}
    return KnowledgeBase(slots, _goals(options, tuple(slots), at_least, at_most), DISHES[unseen])


def _contact(name: str, values: Mapping[str, str]) -> dict[str, str]:
    """Add phone and address where dialog bAbI has them: before and after the first of the other values."""
    first, *rest = values.items()
    return dict([("phone", f"{name}_phone"), first, ("address", f"{name}_address"), *rest])


def _option(name: str, values: Mapping[str, str]) -> Option:
    relations = ((f"R_{relation}", value) for relation, value in values.items())
    return Option(name, values, Record(KNOWLEDGE_BASE, ((NAME, name), *relations)))


def _goals(
    options: Iterable[Option], slots: tuple[str, ...], at_least: int, at_most: int
) -> tuple[tuple[Mapping[str, str], tuple[Option, ...]], ...]:
    groups: dict[tuple[str, ...], list[Option]] = {}
    for option in options:
        groups.setdefault(tuple(option.values[slot] for slot in slots), []).append(option)
    return tuple(
        (dict(zip(slots, goal, strict=True)), tuple(group))
        for goal, group in groups.items()
        if at_least <= len(group) <= at_most
    )
