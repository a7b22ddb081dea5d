"""What users and system say when a room is reserved; the rest is as for a table."""

from __future__ import annotations

from dataclasses import replace

from tasksieve.dialogs.simulate import restaurant_wording
from tasksieve.dialogs.simulate.domain import Slot

NIGHTS = Slot(
    "nights",
    phrases=("for {} nights", "to stay {} nights"),
    answers=("{} nights please", "we stay {} nights"),
)
ARRIVAL = Slot(
    "arrival",
    phrases=("arriving on {}", "from {} on"),
    answers=("we arrive on {}", "from {} on"),
)
ROOM = Slot(
    "room",
    phrases=("with a {} room", "in a {} room"),
    answers=("a {} room please", "we prefer a {} room"),
)

USERS = replace(
    restaurant_wording.USERS,
    requests=(
        "please find us a hotel",
        "i need a place to sleep",
        "could you arrange a stay for me",
        "we are looking for somewhere to stay",
    ),
    choices=(
        "please find us a room at {}",
        "i need a bed at {}",
        "could you arrange a stay for me at {}",
        "we want to sleep at {}",
    ),
)

STYLE = replace(
    restaurant_wording.STYLE,
    acknowledgement="let me start on your stay",
    questions={
        "location": restaurant_wording.STYLE.questions["location"],
        "nights": "how long will you stay",
        "arrival": "which day do you arrive",
        "room": "which room would you like",
        "price": restaurant_wording.STYLE.questions["price"],
    },
    search="one moment while i search for rooms",
    proposal="you could sleep here: {}",
    find_another="understood i will pick a different hotel",
    reservation="perfect i am booking the room for you",
)

ASK_FACILITY = {
    "pool": ("is there a pool", "can i go for a swim there"),
    "fitness": ("is there a gym", "can i lift weights there"),
    "breakfast": ("is there breakfast", "can i eat there in the morning"),
}
"""How users ask for a facility, by relation."""
REPLIES = {
    "pool": {"yes": "yes the hotel has a pool", "no": "sorry the hotel has no pool"},
    "fitness": {"yes": "yes the hotel has a gym", "no": "sorry the hotel has no gym"},
    "breakfast": {"yes": "yes the hotel serves breakfast", "no": "sorry the hotel serves no breakfast"},
}
"""What the system answers, by relation and value."""
