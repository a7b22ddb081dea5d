"""Archives of which is known what they are: planted beside a simulated support desk that is new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from tasksieve.dialogs import SILENCE, Act, Dialog, Turn
from tasksieve.dialogs.archives import noisy
from tasksieve.dialogs.archives.cipher import ciphered
from tasksieve.dialogs.simulate import simulate, simulate_support
from tasksieve.dialogs.simulate.support.customers import customer
from tasksieve.dialogs.simulate.support.desks import DESKS
from tasksieve.dialogs.simulate.support.flow import play
from tasksieve.dialogs.turn_kinds import turn_kind

Services = dict[str, list[Dialog]]
"""Dialogs by the service that they are of."""
_AWAY = 1_000_000
"""Between the seeds of a draw's own dialogs and those of its archive, so that they share none."""


@dataclass(frozen=True, slots=True)
class Planted:
    """An archive.

    Attributes:
        name: as ``--archives`` takes it.
        what: it is, in a few words.
        services: that it has.
        make: it of about so many dialogs, given a seed.
    """

    name: str
    what: str
    services: tuple[str, ...]
    make: Callable[[int, int], Services]


def _copy(dialogs: int, seed: int) -> Services:
    return {"desk": simulate_support(desk="new", dialogs={"train": dialogs}, seed=seed + _AWAY)["train"]}


def _near(dialogs: int, seed: int) -> Services:
    """The newer desk's policies, and with them its services, as agents of the older one word it."""
    desk = replace(DESKS["old"], policies=DESKS["new"].policies)
    services: Services = {name: [] for name in desk.policies}
    for number in range(max(dialogs, len(services))):
        random = Random(f"near {seed} {number}")
        service = list(desk.policies)[number % len(desk.policies)]
        services[service].append(play(desk, service, customer(number, seed + _AWAY, random), random))
    return services


def _stale(dialogs: int, seed: int) -> Services:
    services = len(DESKS["old"].policies)
    return simulate_support(desk="old", dialogs=max(1, dialogs // services), seed=seed + _AWAY)


def _far(dialogs: int, seed: int) -> Services:
    """Dialogs of a hotel, annotated by the kinds of its responses."""
    drawn = simulate("hotel", dialogs=dialogs, seed=seed + _AWAY)["train"]
    return {"hotel": [_annotated(dialog) for dialog in drawn]}


def _annotated(dialog: Dialog) -> Dialog:
    events = (
        replace(event, acts=(Act("hotel", turn_kind(event.system).replace(" ", "_")),))
        if isinstance(event, Turn)
        else event
        for event in dialog.events
    )
    return replace(dialog, events=tuple(events))


def _noise(dialogs: int, seed: int) -> Services:
    """The copy, but every utterance is words drawn at random, and every response one drawn at random."""
    copy = _copy(dialogs, seed)["desk"]
    random = Random(f"noise {seed}")
    turns = [turn for dialog in copy for turn in dialog.turns]
    words = [word for turn in turns if turn.user != SILENCE for word in turn.user.split()]

    def drawn(turn: Turn) -> Turn:
        length = len(turn.user.split())
        return replace(random.choice(turns), user=" ".join(random.choices(words, k=length)), learned=True)

    return {
        "desk": [
            replace(dialog, events=tuple(drawn(event) for event in dialog.events if isinstance(event, Turn)))
            for dialog in copy
        ]
    }


def _shuffled(dialogs: int, seed: int) -> Services:
    services = _near(dialogs, seed)
    return {name: noisy(of_service, f"{name} {seed}") for name, of_service in services.items()}


def _cipher(dialogs: int, seed: int) -> Services:
    return {"desk": ciphered(_copy(dialogs, seed)["desk"], str(seed))}


PLANTED: Mapping[str, Planted] = {
    one.name: one
    for one in (
        Planted("copy", "more dialogs of the new desk itself", ("desk",), _copy),
        Planted("near", "the new desk's policies in an older desk's words", tuple(DESKS["new"].policies), _near),
        Planted("stale", "an older desk of other policies and words", tuple(DESKS["old"].policies), _stale),
        Planted("far", "a hotel", ("hotel",), _far),
        Planted("cipher", "the new desk in another language, invented word by word", ("desk",), _cipher),
        Planted("shuffled", "near, responses shuffled within services", tuple(DESKS["new"].policies), _shuffled),
        Planted("noise", "words and responses drawn at random", ("desk",), _noise),
    )
}
"""Every archive by its name."""


def services_of(archive: str) -> tuple[str, ...]:
    """The services of an archive, in the order of the related tasks."""
    return PLANTED[archive].services


def primary_dialogs(train: int, valid: int, test: int, seed: int) -> Mapping[str, Sequence[Dialog]]:
    """A draw's own dialogs of the new desk: ``train``, ``valid`` and ``test``."""
    return simulate_support(desk="new", dialogs={"train": train, "valid": valid, "test": test}, seed=seed)
