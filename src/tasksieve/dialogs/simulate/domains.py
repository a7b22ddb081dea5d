"""The kinds of dialogs that can be simulated, each put together from its wording and its knowledge base."""

from __future__ import annotations

from tasksieve.dialogs.simulate import hotel_wording, personalized_wording, restaurant_wording
from tasksieve.dialogs.simulate.domain import Domain, Inquiry, Profile
from tasksieve.dialogs.simulate.knowledge_base import Option, hotels, personalized_restaurants, restaurants


def _rating(option: Option, profile: Profile) -> tuple[int, ...]:
    return (int(option.values["rating"]),)


def _taste(option: Option, profile: Profile) -> tuple[int, ...]:
    """The user's diet counts most, then a favourite dish, then the rating."""
    diet, favourite = profile[2:]
    return (
        option.values["type"] == diet,
        option.values["speciality"] == favourite,
        int(option.values["rating"]),
    )


def _contact(option: Option, profile: Profile) -> tuple[str, ...]:
    return ("social_media",) if "young" in profile else ("phone",)


def _way(option: Option, profile: Profile) -> tuple[str, ...]:
    return ("address", "public_transport" if option.values["price"] == "cheap" else "parking")


def _value(relation: str, wordings: tuple[str, ...], replies: dict[str, str] | None = None) -> Inquiry:
    return Inquiry(wordings, lambda option, profile: (relation,), replies or {})


_CONTACTS = (
    _value("phone", restaurant_wording.ASK_PHONE),
    _value("address", restaurant_wording.ASK_ADDRESS),
)
_TABLE_SLOTS = (
    restaurant_wording.CUISINE,
    restaurant_wording.LOCATION,
    restaurant_wording.NUMBER,
    restaurant_wording.PRICE,
)

DOMAINS = {
    "restaurant": Domain(
        slots=_TABLE_SLOTS,
        users=restaurant_wording.USERS,
        styles={(): restaurant_wording.STYLE},
        knowledge=restaurants,
        appeal=_rating,
        contacts=_CONTACTS,
    ),
    "personalized-restaurant": Domain(
        slots=_TABLE_SLOTS,
        users=restaurant_wording.USERS,
        styles=personalized_wording.STYLES,
        knowledge=personalized_restaurants,
        appeal=_taste,
        contacts=(
            Inquiry(personalized_wording.ASK_CONTACT, _contact, {}),
            Inquiry(personalized_wording.ASK_WAY, _way, {}),
        ),
        personalized=True,
    ),
    "hotel": Domain(
        slots=(
            restaurant_wording.LOCATION,
            hotel_wording.NIGHTS,
            hotel_wording.ARRIVAL,
            hotel_wording.ROOM,
            restaurant_wording.PRICE,
        ),
        users=hotel_wording.USERS,
        styles={(): hotel_wording.STYLE},
        knowledge=hotels,
        appeal=_rating,
        contacts=_CONTACTS,
        facilities=tuple(
            _value(facility, wordings, hotel_wording.REPLIES[facility])
            for facility, wordings in hotel_wording.ASK_FACILITY.items()
        ),
    ),
}
"""The domain of each kind."""
KINDS = tuple(DOMAINS)
