"""How a dialog goes, whatever it is about: the five tasks of dialog bAbI as stages of one scene."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.formats.babi import AGES, DIETS, GENDERS
from tasksieve.dialogs.record import Note, Record
from tasksieve.dialogs.simulate.domain import Domain, Inquiry, Profile
from tasksieve.dialogs.simulate.knowledge_base import KnowledgeBase, Option

ACCEPTANCE = 0.25
"""How likely the user takes an option that is not the last, as measured in both published data sets."""


def play(domain: Domain, task: int, unseen: bool, rng: random.Random) -> Dialog:
    """One dialog of a task.

    Args:
        domain: what it is about.
        task: 1 API calls, 2 updates of API calls, 3 options, 4 contact information, 5 all in one dialog.
        unseen: whether it uses the half of the knowledge base that training never shows.
        rng: the only source of chance.
    """
    scene = _Scene(domain, domain.knowledge(unseen), task, rng)
    _TASKS[task](scene)
    return Dialog(tuple(scene.events), scene.profile)


class _Scene:
    """A dialog in the making: the user's goal and profile, and what has been said so far."""

    def __init__(self, domain: Domain, knowledge: KnowledgeBase, task: int, rng: random.Random) -> None:
        self.domain, self.knowledge, self.rng = domain, knowledge, rng
        wishes, self.options = rng.choice(knowledge.goals)
        slots = [slot.name for slot in domain.slots]
        self.goal = {slot: wishes.get(slot) or rng.choice(knowledge.values[slot]) for slot in slots}
        self.profile = self._draw_profile(task) if domain.personalized else ()
        self.system = domain.styles[self.profile[:2]]
        self.events: list[Turn | Record | Note] = []
        self.heard = SILENCE

    def _draw_profile(self, task: int) -> Profile:
        profile = (self.rng.choice(GENDERS), self.rng.choice(AGES))
        if task < 3:
            return profile
        dishes = self.knowledge.dishes[self.goal["cuisine"]]
        return (*profile, self.rng.choice(DIETS), self.rng.choice(dishes))

    def hear(self, wordings: Sequence[str], value: str = "") -> None:
        """The user says one of the wordings; the system's next response is to it."""
        self.heard = self.rng.choice(wordings).format(value)

    def respond(self, response: str) -> None:
        """The system responds to what it heard last, or goes on by itself if it has done that."""
        self.events.append(Turn(self.heard, response))
        self.heard = SILENCE

    def show(self, options: Iterable[Option]) -> None:
        """The knowledge base answers with these options."""
        self.events.extend(option.record for option in options)


def _play_api_call(scene: _Scene) -> None:
    _request(scene, scene.goal, missing=scene.rng.randint(0, len(scene.domain.slots)))
    _call(scene, scene.goal)


def _play_updates(scene: _Scene) -> None:
    first = _other_goal(scene)
    _request(scene, first, missing=0)
    _call(scene, first)
    _update(scene, first)
    scene.hear(scene.domain.users.thanks)
    scene.respond(scene.system.goodbye)


def _play_options(scene: _Scene) -> None:
    scene.show(_shuffled(scene))
    _request(scene, scene.goal, missing=scene.rng.randint(0, len(scene.domain.slots)))
    _propose(scene)


def _play_information(scene: _Scene) -> None:
    chosen = scene.rng.choice(scene.options)
    scene.show([chosen])
    _greet(scene)
    scene.hear(scene.domain.users.choices, chosen.name)
    scene.respond(scene.system.reservation)
    _inquire(scene, chosen)


def _play_all(scene: _Scene) -> None:
    first = _other_goal(scene)
    _request(scene, first, missing=scene.rng.randint(1, len(scene.domain.slots) - 1))
    _call(scene, first)
    _update(scene, first)
    scene.show(_shuffled(scene))
    _inquire(scene, _propose(scene))
    scene.hear(scene.domain.users.thanks)
    scene.respond(scene.system.anything_else)
    scene.hear(scene.domain.users.refusals)
    scene.respond(scene.system.goodbye)


_TASKS: Mapping[int, Callable[[_Scene], None]] = {
    1: _play_api_call,
    2: _play_updates,
    3: _play_options,
    4: _play_information,
    5: _play_all,
}


def _greet(scene: _Scene) -> None:
    scene.hear(scene.domain.users.greetings)
    scene.respond(scene.system.greeting)


def _request(scene: _Scene, goal: Mapping[str, str], missing: int) -> None:
    """From the greeting to the search: the request leaves slots open, and the system asks for them."""
    _greet(scene)
    slots = scene.domain.slots
    given = scene.rng.sample(slots, len(slots) - missing)
    phrases = [scene.rng.choice(slot.phrases).format(goal[slot.name]) for slot in given]
    scene.hear([" ".join([scene.rng.choice(scene.domain.users.requests), *phrases])])
    scene.respond(scene.system.acknowledgement)
    for slot in slots:
        if slot not in given:
            scene.respond(scene.system.questions[slot.name])
            scene.hear(slot.answers, goal[slot.name])
    scene.respond(scene.system.search)


def _call(scene: _Scene, goal: Mapping[str, str]) -> None:
    scene.respond(" ".join(["api_call", *goal.values()]))


def _other_goal(scene: _Scene) -> dict[str, str]:
    """A goal that one to three updates turn into the scene's."""
    changed = scene.rng.sample(list(scene.goal), scene.rng.randint(1, 3))
    goal = dict(scene.goal)
    for slot in changed:
        goal[slot] = scene.rng.choice([value for value in scene.knowledge.values[slot] if value != goal[slot]])
    return goal


def _update(scene: _Scene, first: Mapping[str, str]) -> None:
    """The user changes the first goal into the scene's, slot by slot, and the system calls the API anew."""
    users = scene.domain.users
    changed = [slot for slot in scene.domain.slots if first[slot.name] != scene.goal[slot.name]]
    scene.rng.shuffle(changed)
    for slot in changed:
        scene.hear(users.changes, scene.rng.choice(slot.phrases).format(scene.goal[slot.name]))
        scene.respond(scene.system.ask_updates)
    scene.hear(users.no_changes)
    scene.respond(scene.system.search)
    _call(scene, scene.goal)


def _propose(scene: _Scene) -> Option:
    """Propose the options, the most appealing first, until the user takes one, the last at the latest."""
    users = scene.domain.users
    appeal = scene.domain.appeal
    *others, last = sorted(scene.options, key=lambda option: appeal(option, scene.profile), reverse=True)
    for option in others:
        scene.respond(scene.system.proposal.format(option.name))
        if scene.rng.random() < ACCEPTANCE:
            break
        scene.hear(users.rejections)
        scene.respond(scene.system.find_another)
    else:
        option = last
        scene.respond(scene.system.proposal.format(option.name))
    scene.hear(users.acceptances)
    scene.respond(scene.system.reservation)
    return option


def _inquire(scene: _Scene, chosen: Option) -> None:
    """The user asks one or all contacts and up to two facilities, in any order."""
    contacts, facilities = scene.domain.contacts, scene.domain.facilities
    inquiries = scene.rng.sample(contacts, scene.rng.randint(1, len(contacts)))
    inquiries += scene.rng.sample(facilities, scene.rng.randint(0, min(2, len(facilities))))
    scene.rng.shuffle(inquiries)
    for inquiry in inquiries:
        scene.hear(inquiry.wordings)
        scene.respond(_answer(scene, inquiry, chosen))


def _answer(scene: _Scene, inquiry: Inquiry, chosen: Option) -> str:
    values = [chosen.values[relation] for relation in inquiry.relations(chosen, scene.profile)]
    if inquiry.replies:
        return inquiry.replies[values[0]]
    return scene.system.information.format(" ".join(values))


def _shuffled(scene: _Scene) -> list[Option]:
    return scene.rng.sample(scene.options, len(scene.options))
