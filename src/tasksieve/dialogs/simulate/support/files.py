"""The dialogs of both desks, and the files they are written to."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.chat import write_chat
from tasksieve.dialogs.simulate.support.customers import MOST, customer
from tasksieve.dialogs.simulate.support.desks import DESKS
from tasksieve.dialogs.simulate.support.errands import SERVICES
from tasksieve.dialogs.simulate.support.flow import play
from tasksieve.errors import UserError
from tasksieve.records.files import write_whole

NEW_SPLITS = ("train", "valid", "test")
"""What the dialogs of the newer desk are split into; those of the older one are split by service."""

_PARTS = (*(("new", split) for split in NEW_SPLITS), *(("old", service) for service in SERVICES))
MOST_DIALOGS = MOST // len(_PARTS)
"""How many dialogs a part can have at most, as each has a customer of its own."""


def simulate_support(*, desk: str, dialogs: int | Mapping[str, int], seed: int) -> dict[str, list[Dialog]]:
    """Simulate dialogs of a support desk.

    The same arguments give the same dialogs everywhere. The first dialogs of a part do not depend on how many
    follow, and no part depends on another. No two dialogs of one seed have the same customer, at whichever desk.

    Args:
        desk: ``new``, whose services are mixed and which has the parts of :data:`NEW_SPLITS`, or ``old``, each of
            whose services is a part.
        dialogs: how many each part holds, or how many by part; parts left out have none and are not in the result.
        seed: any integer; another seed gives other dialogs.
    Returns: the dialogs by part.
    Raises: UserError: if the desk or a part is unknown, or a number of dialogs is not possible.
    """
    if desk not in DESKS:
        raise UserError(f"found desk {desk!r}; expected one of {', '.join(DESKS)}")
    parts = NEW_SPLITS if desk == "new" else tuple(DESKS[desk].policies)
    numbers = dialogs if isinstance(dialogs, Mapping) else dict.fromkeys(parts, dialogs)
    for part, number in numbers.items():
        if part not in parts:
            raise UserError(f"found part {part!r} of the {desk} desk; expected one of {', '.join(parts)}")
        if not 1 <= number <= MOST_DIALOGS:
            raise UserError(f"found {number} as the number of dialogs; expected at least 1, at most {MOST_DIALOGS:,}")
    return {part: list(_dialogs(desk, part, numbers[part], seed)) for part in parts if part in numbers}


def write_support(
    new: Mapping[str, Sequence[Dialog]], old: Mapping[str, Sequence[Dialog]], folder: Path
) -> list[Path]:
    """Write chat messages: ``folder/new/<split>.jsonl`` and ``folder/old/<service>.jsonl``.

    A file appears under its name only when it is complete; one that was there before is replaced.

    Args:
        new, old: what :func:`simulate_support` returned for each desk.
        folder: where to; created if it is missing.
    Returns: the files.
    Raises: UserError: if the folder or a file in it cannot be written.
    """
    written = []
    for name, parts in (("new", new), ("old", old)):
        for part, dialogs in parts.items():
            path = folder / name / f"{part}.jsonl"
            write_whole(path, partial(write_chat, dialogs))
            written.append(path)
    return written


def _dialogs(desk: str, part: str, number: int, seed: int) -> Iterator[Dialog]:
    services = list(DESKS[desk].policies)
    place = _PARTS.index((desk, part))
    for index in range(number):
        rng = random.Random(f"{seed}/support/{desk}/{part}/{index}")
        service = part if desk == "old" else rng.choice(services)
        yield play(DESKS[desk], service, customer(index * len(_PARTS) + place, seed, rng), rng)
