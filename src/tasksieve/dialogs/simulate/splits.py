"""Simulated data as files of four splits: the published data sets come with the same."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.babi import write_babi
from tasksieve.dialogs.simulate.domains import DOMAINS, KINDS
from tasksieve.dialogs.simulate.flow import play
from tasksieve.errors import UserError
from tasksieve.records.files import unfinished

SPLITS = ("train", "valid", "test", "test-oov")
TASKS = range(1, 6)

_UNSEEN = "test-oov"


def simulate(kind: str, *, dialogs: int, seed: int, task: int = 5) -> dict[str, list[Dialog]]:
    """Simulate dialogs of one kind and task.

    The same arguments give the same dialogs everywhere. A split's first dialogs do not depend on how many
    follow, and no split depends on another. All but ``test-oov`` draw on one knowledge base; ``test-oov`` has
    cities, cuisines and names of its own. No knowledge base depends on the seed.

    Args:
        kind: one of :data:`KINDS`.
        dialogs: how many dialogs each split holds.
        seed: any integer; another seed gives other dialogs.
        task: 1 API calls, 2 updates of API calls, 3 options, 4 contact information, 5 all in one dialog.
    Returns: the dialogs by split, for every split of :data:`SPLITS`.
    Raises: UserError: if the kind or the task is unknown or ``dialogs`` is not positive.
    """
    if kind not in DOMAINS:
        raise UserError(f"found kind {kind!r}; expected one of {', '.join(KINDS)}")
    if task not in TASKS:
        raise UserError(f"found task {task}; expected one from {TASKS[0]} to {TASKS[-1]}")
    if dialogs < 1:
        raise UserError(f"found {dialogs} as the number of dialogs; expected at least 1")
    return {
        split: [
            play(DOMAINS[kind], task, split == _UNSEEN, random.Random(f"{seed}/{kind}/{task}/{split}/{index}"))
            for index in range(dialogs)
        ]
        for split in SPLITS
    }


def write_simulation(splits: Mapping[str, Sequence[Dialog]], directory: Path) -> list[Path]:
    """Write each split to ``directory/<split>.txt`` in the bAbI format.

    A file appears under its name only when it is complete; one that was there before is replaced.

    Args:
        splits: what :func:`simulate` returned.
        directory: where to; created if it is missing.
    Returns: the files, in the order of the splits.
    Raises: UserError: if the directory or a file in it cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return [_write(dialogs, directory / f"{split}.txt") for split, dialogs in splits.items()]
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}; name another directory", directory) from None


def _write(dialogs: Sequence[Dialog], path: Path) -> Path:
    part = unfinished(path)
    try:
        write_babi(dialogs, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
