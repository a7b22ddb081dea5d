"""A domain: everything in which one kind of simulated dialog differs from another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tasksieve.dialogs.simulate.knowledge_base import KnowledgeBase, Option

Profile = tuple[str, ...]
"""Gender, age, diet and favourite dish, or the first two of them, or nothing."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Something the system must know before it can look for options.

    Attributes:
        name: its name, the same as that of the relation in the knowledge base where there is one.
        phrases: how a user adds a value to a sentence, ``{}`` standing for it.
        answers: how a user answers the system's question for it.
    """

    name: str
    phrases: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserWording:
    """What users say, several ways for each purpose; ``{}`` is a slot's phrase or an option's name."""

    greetings: tuple[str, ...]
    requests: tuple[str, ...]
    changes: tuple[str, ...]
    no_changes: tuple[str, ...]
    choices: tuple[str, ...]
    acceptances: tuple[str, ...]
    rejections: tuple[str, ...]
    thanks: tuple[str, ...]
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SystemWording:
    """A style: the one wording the system has for each purpose; ``questions`` by slot."""

    greeting: str
    acknowledgement: str
    questions: Mapping[str, str]
    search: str
    ask_updates: str
    proposal: str
    find_another: str
    reservation: str
    information: str
    anything_else: str
    goodbye: str


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question the user may ask about the chosen option.

    Attributes:
        wordings: how users ask it.
        relations: the relations whose values answer it, given the option and the user's profile.
        replies: sentences by value, for what is answered with yes or no; if empty, the style gives the value.
    """

    wordings: tuple[str, ...]
    relations: Callable[[Option, Profile], tuple[str, ...]]
    replies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Domain:
    """Slots, wording, knowledge base and ranking of one kind of dialog.

    Attributes:
        slots: in the order in which the system asks for them.
        users: what users say.
        styles: what the system says, by gender and age; under the empty profile if it is not personalized.
        knowledge: the knowledge base; its argument says whether that of the unseen half.
        appeal: what options are proposed by, the largest first, given the user's profile.
        contacts: inquiries that end a reservation.
        facilities: inquiries beside the point, strewn among the contacts.
        personalized: whether users have a profile.
    """

    slots: tuple[Slot, ...]
    users: UserWording
    styles: Mapping[Profile, SystemWording]
    knowledge: Callable[[bool], KnowledgeBase]
    appeal: Callable[[Option, Profile], tuple[int, ...]]
    contacts: tuple[Inquiry, ...]
    facilities: tuple[Inquiry, ...] = ()
    personalized: bool = False
