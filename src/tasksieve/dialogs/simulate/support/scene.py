"""A dialog in the making: what the user has in mind, what is known, and what has been said so far."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.record import Note, Record
from tasksieve.dialogs.simulate.support.customers import Customer
from tasksieve.dialogs.simulate.support.desks import Desk, Policy
from tasksieve.dialogs.simulate.support.errand import Errand
from tasksieve.dialogs.simulate.support.habits import Habits
from tasksieve.dialogs.simulate.support.slots import SLOTS
from tasksieve.dialogs.simulate.support.template import Piece, drawn, spans_of, text_of
from tasksieve.dialogs.simulate.support.tools import Situation
from tasksieve.dialogs.simulate.support.user_wording import GIVES
from tasksieve.dialogs.simulate.support.values import some_day, wished

_IDENTITY = ("customer_number", "last_name", "postcode", "email")
_NOT_CONFIRMED = ("title", "first_name")


class Scene:
    """A dialog of one customer with one desk.

    Attributes:
        wishes: what the user has in mind, by slot, as this user writes it.
        given: what the user has said, by slot.
        known: what the agent may say: the user's words, and fields of records.
        failed: whether the last thing that was tried could not be done.
    """

    def __init__(self, desk: Desk, policy: Policy, customer: Customer, rng: random.Random) -> None:
        self.desk, self.policy, self.customer, self.rng = desk, policy, customer, rng
        self.habits = Habits.drawn(rng)
        self.wishes: dict[str, str] = {}
        self.given: set[str] = set()
        self.known: dict[str, str] = {}
        self.situation = Situation(customer, self.wishes, desk.notation, some_day(rng), rng)
        self.failed = False
        self._events: list[Turn | Record | Note] = []
        self._heard = SILENCE
        self.wish(_IDENTITY)

    @property
    def dialog(self) -> Dialog:
        """The dialog so far."""
        return Dialog(tuple(self._events))

    def chance(self, likely: float) -> bool:
        """Whether something happens that is as likely as that."""
        return self.rng.random() < likely

    def wish(self, slots: Sequence[str]) -> None:
        """The user gets something in mind for slots; for an errand anew, so that it is nothing of an earlier one."""
        for slot in slots:
            text = wished(slot, self.customer, self.situation.today, self.rng)
            self.wishes[slot] = self.habits.value(text)
            self.given.discard(slot)
        self.forget(slots)

    def forget(self, slots: Iterable[str]) -> None:
        """The agent speaks of these no longer."""
        for slot in slots:
            self.known.pop(slot, None)

    def say(self, templates: Sequence[str], *more: Sequence[str]) -> None:
        """The user says one of the templates, and after it one of each others that gives nothing twice."""
        pieces = [*drawn(templates, self.wishes, self.rng)]
        for each in more:
            added = drawn(each, self.wishes, self.rng)
            if not {piece.slot for piece in added if piece.slot} & {piece.slot for piece in pieces}:
                between = " " if pieces[-1].text.endswith("?") else self.rng.choice((", ", ", ", ". ", " - "))
                pieces += [Piece(between), *added]
        self._hear(pieces)

    def give(self, slot: str, *, templates: Sequence[str] = (), wrong: str = "") -> None:
        """The user gives what a slot is about.

        Args:
            slot: the slot.
            templates: in which words, ``{VALUE}`` standing for it; else in any that suit the slot.
            wrong: what the user says in place of it by mistake.
        """
        words = templates or (*GIVES, *SLOTS[slot].answers, *SLOTS[slot].answers)
        words = [template.replace("{VALUE}", f"{{{slot}}}") for template in words]
        self._hear(drawn(words, {**self.wishes, **({slot: wrong} if wrong else {})}, self.rng))

    def respond(self, *acts: Act, opens: bool = False, errand: Errand | None = None) -> None:
        """The agent does some acts in one turn.

        Args:
            acts: in their order.
            opens: whether it starts by taking note of what was said, if it does not with something else.
            errand: which a confirmation is about.
        """
        pieces: list[Piece] = []
        done: list[Act] = []
        if opens and self.chance(0.6):
            pieces += _sentence(drawn(self.desk.tone.openers, self.known, self.rng))
        for act in acts:
            templates = self.desk.tone.templates(act, errand.summary if errand else "")
            clause = _sentence(drawn(templates, self.known, self.rng))
            done += _confirmed(clause) if act == Act("confirm") else [act]
            pieces += [Piece(" "), *clause] if pieces else clause
        self._add(pieces, done)

    def call(self, tool: str, slots: Iterable[str]) -> None:
        """The agent calls a tool with what is known for some slots."""
        pieces = [Piece(f"api_call {tool} {{")]
        for number, slot in enumerate(slot for slot in slots if slot in self.known):
            pieces += [Piece(f'{"," if number else ""}"{slot}":"'), Piece(self.known[slot], slot), Piece('"')]
        self._add([*pieces, Piece("}")], [Act("call", tool)])

    def answer(self, *records: Record) -> None:
        """A tool answers; what is in its one record, or the first, is known from here on."""
        self._events += records
        self.look_at(records[0])

    def look_at(self, record: Record) -> None:
        """The agent speaks of this record from here on."""
        self.known.update(record.flat())

    def _hear(self, pieces: Sequence[Piece]) -> None:
        typed = self.habits.typed(pieces, self.rng)
        said = {piece.slot: piece.text for piece in typed if piece.slot}
        self.given |= said.keys()
        self.known |= said
        self._heard = text_of(typed).strip()

    def _add(self, pieces: Sequence[Piece], acts: Sequence[Act]) -> None:
        self._events.append(Turn(self._heard, text_of(pieces), acts=tuple(acts), spans=spans_of(pieces)))
        self._heard = SILENCE


def _confirmed(clause: Iterable[Piece]) -> list[Act]:
    """An act for each value that is confirmed; one without a slot if there is none."""
    slots = dict.fromkeys(piece.slot for piece in clause if piece.slot and piece.slot not in _NOT_CONFIRMED)
    return [Act("confirm", slot) for slot in slots] or [Act("confirm")]


def _sentence(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces with a capital letter at the start and no double spaces."""
    tidy: list[Piece] = []
    for piece in pieces:
        before = tidy[-1].text[-1:] if tidy else " "
        text = piece.text if piece.slot or before != " " else piece.text.lstrip(" ")
        if text and not tidy and not piece.slot:
            text = text[:1].upper() + text[1:]
        if text:
            tidy.append(Piece(text, piece.slot))
    return tidy
