"""Dialogs as an older policy would have led them: other slots asked for, and nothing confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from random import Random

from tasksieve.dialogs.archives.noisy import answered
from tasksieve.dialogs.dialog import SILENCE, Dialog, Turn
from tasksieve.dialogs.record import Note, Record
from tasksieve.errors import UserError

REQUEST, CONFIRM = "request", "confirm"
"""Acts that the older policy does otherwise, or not at all."""
_Slots = frozenset[str]


def stale(dialogs: Sequence[Dialog], seed: str) -> list[Dialog]:
    """Change the policy of one service in all its dialogs, the same way everywhere.

    *Other slots asked for.* The slots that the system asks for one at a time are put into a circle in a seeded order;
    the older policy asks for the next one in it. Where the published system asks for some slots and does nothing
    else, its response, with acts and places of values, is that of a turn, of any dialog of the service, that asks for
    just the slots it would ask for instead; and what the user says next is what was said to that turn, so that
    questions and answers fit each other. Donors are taken in turn, in a seeded order. Where no turn asks for just
    those slots, or nobody answers, the turn stays as it is. Earlier and later turns know nothing of the exchange: the
    older system may ask for what it was told, and goes on without what it never asked.

    *Nothing confirmed.* A turn in which the system does nothing but confirm is left out together with the user's
    answer to it: the system goes on with what it did after that. If it confirmed once more, the user had something
    to change; what was said then is kept, after what was said before. Records between the two turns stay. Where
    nothing follows, the turn is left out as a whole. A dialog in which the system does nothing but confirm stays.

    Args:
        dialogs: of one service.
        seed: what the order of slots and donors follows from.
    Raises: UserError: if no turn says what the system does.
    """
    if not any(turn.acts for dialog in dialogs for turn in dialog.turns):
        raise UserError("no turn says what the system does, so its policy cannot be made an older one")
    exchanges = _Exchanges.of(dialogs, Random(f"stale {seed}"))
    return [_unconfirmed(exchanges.made(dialog)) for dialog in dialogs]


@dataclass(frozen=True, slots=True)
class _Exchanges:
    """What is asked instead, and the turns that ask it.

    Attributes:
        instead: slot by slot.
        donors: by the slots asked for: such a turn, and what the user answers; without end.
    """

    instead: Mapping[str, str]
    donors: Mapping[_Slots, Iterator[tuple[Turn, str]]]

    @classmethod
    def of(cls, dialogs: Sequence[Dialog], random: Random) -> _Exchanges:
        found: dict[_Slots, list[tuple[Turn, str]]] = {}
        for dialog in dialogs:
            for turn, following in zip(dialog.turns, dialog.turns[1:], strict=False):
                if (slots := asked(turn)) and following.user != SILENCE:
                    found.setdefault(slots, []).append((turn, following.user))
        alone = sorted(slot for slots in found if len(slots) == 1 for slot in slots)
        random.shuffle(alone)
        for _, turns in sorted(found.items(), key=lambda item: sorted(item[0])):
            random.shuffle(turns)
        instead = dict(zip(alone, alone[1:] + alone[:1], strict=True))
        return cls(instead, {slots: cycle(turns) for slots, turns in found.items()})

    def made(self, dialog: Dialog) -> Dialog:
        """A dialog in which other slots are asked for."""
        turns = list(dialog.turns)
        for number, turn in enumerate(dialog.turns[:-1]):
            donors = self._donors(turn)
            if donors is not None and turns[number + 1].user != SILENCE:
                response, answer = next(donors)
                turns[number] = answered(turns[number], response)
                turns[number + 1] = replace(turns[number + 1], user=answer)
        rest = iter(turns)
        events = (next(rest) if isinstance(event, Turn) else event for event in dialog.events)
        return replace(dialog, events=tuple(events))

    def _donors(self, turn: Turn) -> Iterator[tuple[Turn, str]] | None:
        slots = asked(turn)
        other = frozenset(self.instead.get(slot, slot) for slot in slots)
        return None if other == slots else self.donors.get(other)


def asked(turn: Turn) -> _Slots:
    """The slots that a turn asks for, if it does nothing else; otherwise none."""
    slots = frozenset(act.slot for act in turn.acts if act.name == REQUEST and act.slot)
    return slots if all(act.name == REQUEST for act in turn.acts) else frozenset()


def confirms(turn: Turn) -> bool:
    """Whether a turn does nothing but confirm."""
    return bool(turn.acts) and all(act.name == CONFIRM for act in turn.acts)


def _unconfirmed(dialog: Dialog) -> Dialog:
    """A dialog without the turns that confirm, and without the answers to them."""
    if all(map(confirms, dialog.turns)):
        return dialog
    events: list[Turn | Record | Note] = []
    said: list[str] = []
    confirmed = False
    for event in dialog.events:
        if not isinstance(event, Turn):
            events.append(event)
            continue
        if confirms(event):
            said.append(event.user)
        elif confirmed:
            events.append(replace(event, user=" ".join(text for text in said if text != SILENCE) or SILENCE))
            said.clear()
        else:
            events.append(event)
        confirmed = confirms(event)
    return replace(dialog, events=tuple(events))
