"""What can be wrong with an archive, and with which of its services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tasksieve.dialogs.archives.noisy import noisy
from tasksieve.dialogs.archives.stale import stale
from tasksieve.dialogs.dialog import Dialog


@dataclass(frozen=True, slots=True)
class Archive:
    """A state that an archive is in.

    Attributes:
        name: as ``--archives`` takes it.
        spoil: changes the dialogs of one service, given a seed; None where all of them stay as they are.
    """

    name: str
    spoil: Callable[[Sequence[Dialog], str], list[Dialog]] | None


ARCHIVES: Mapping[str, Archive] = {
    archive.name: archive for archive in (Archive("clean", None), Archive("stale", stale), Archive("noisy", noisy))
}
"""Every state by its name."""


def spoiled_services(services: Iterable[str], seed: str) -> frozenset[str]:
    """The half of some services, rounded down, that is spoiled: drawn by the seed, whatever their order.

    A single service is spoiled itself: there would be nothing to tell apart otherwise.
    """
    known = sorted(set(services))
    return frozenset(Random(f"spoiled {seed}").sample(known, max(1, len(known) // 2) if known else 0))
