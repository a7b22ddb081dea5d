"""What users and system say when a table is reserved, and what the other kinds share of it."""

from __future__ import annotations

from tasksieve.dialogs.simulate.domain import Slot, SystemWording, UserWording

CUISINE = Slot(
    "cuisine",
    phrases=("serving {} dishes", "with {} cooking"),
    answers=("we are fond of {} dishes", "{} cooking please", "today i crave {} dishes"),
)
LOCATION = Slot(
    "location",
    phrases=("somewhere in {}", "near the centre of {}"),
    answers=("{} would be best", "somewhere in {}"),
)
NUMBER = Slot(
    "number",
    phrases=("for a group of {}", "for {} guests"),
    answers=("there are {} of us", "a group of {}", "for {} guests"),
)
PRICE = Slot(
    "price",
    phrases=("at {} prices", "on a {} budget"),
    answers=("something {} please", "{} prices would suit us"),
)

USERS = UserWording(
    greetings=("hey there", "good evening", "nice to find you here"),
    requests=(
        "please find us a table",
        "i need a table",
        "could you reserve seats for me",
        "we are looking for somewhere to eat",
    ),
    changes=("wait make it {}", "on second thought i want it {}"),
    no_changes=("leave the rest as it is", "nothing more to change"),
    choices=(
        "please find us a table at {}",
        "i need a table at {}",
        "could you reserve seats for me at {}",
        "we want to eat at {}",
    ),
    acceptances=("that sounds lovely", "yes take it", "this one suits us", "what a good choice"),
    rejections=("that one is not for me", "can you name another", "i would rather go elsewhere"),
    thanks=("cheers", "many thanks", "that was helpful"),
    refusals=("that is all", "nothing else for today"),
)

STYLE = SystemWording(
    greeting="good to hear from you what do you need",
    acknowledgement="let me note that down",
    questions={
        "cuisine": "what kind of cooking do you have in mind",
        "location": "which city should i search",
        "number": "how big is your group",
        "price": "what would you like to spend",
    },
    search="one moment while i search for tables",
    ask_updates="noted do you want to change anything more",
    proposal="i found this place: {}",
    find_another="understood i will pick a different place",
    reservation="perfect i am booking it for you",
    information="this is what you need {}",
    anything_else="can i do something more for you",
    goodbye="have a lovely day",
)

ASK_PHONE = ("which number can i call", "what is their telephone number", "please give me their phone")
ASK_ADDRESS = ("which street is it on", "where can i find it", "please give me their address")
