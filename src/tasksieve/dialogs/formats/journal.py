"""What a reader finds on its way through a file: problems, and things that a dialog has no place for."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tasksieve.dialogs.formats.split_names import in_order, split_meant
from tasksieve.errors import UserError
from tasksieve.records.parted_paths import MARK, parted

MAX_PROBLEMS = 1000
"""A journal that collects is full after so many."""
MAX_LOSSES = 50
"""So many things are counted by themselves, and the rest together."""
MAX_NAME = 120
"""Characters."""
SPLIT_KEYS = ("data_split", "split")
"""Under these names a dialog may say which split it is of, in formats that have no name of their own for it."""
MAX_NAMED = 6
"""Splits in a sentence."""


class JournalFull(Exception):
    """A file has so many problems that reading on is of no use."""


class Journal:
    """The problems and losses of one file.

    Args:
        path: the file.
        collect: keep problems and let the reader go on; otherwise the first one is raised.
        strict: take a turn without a response, and a dialog without a turn, for problems; otherwise they are left
            out and counted among the losses.
        split: the only one of which dialogs are taken; None for all.

    Attributes:
        splits: how many dialogs the file says are of each split, taken or not; those of which it says nothing under
            an empty name. Empty if the format has no place for splits.
        split_of_file: that of all dialogs in the file which do not say it themselves; empty if it is not known.
        reworded: what a dialog has in other words, and how often: a call of a tool as text. Nothing of it is lost to
            training, but the shape is, where the dialogs are written again.
    """

    def __init__(self, path: Path, *, collect: bool = False, strict: bool = False, split: str | None = None) -> None:
        self.path = path
        self.problems: list[UserError] = []
        self.lost: Counter[str] = Counter()
        self.reworded: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()
        self._collect = collect
        self.strict = strict
        self.split = split
        self.split_of_file = ""

    def takes(self, split: object) -> bool:
        """Whether a dialog is to be read that says it is of this split, or says nothing; it is counted.

        Readers of formats that have a place for splits ask before each dialog.
        """
        said = split.strip() if isinstance(split, str) else "" if split is None else shown(split)
        name = _plain(said or self.split_of_file)
        known = name in self.splits or len(self.splits) < MAX_LOSSES
        self.splits[name if known else "others"] += 1
        return self.split is None or split_meant(name) == split_meant(self.split)

    @property
    def as_one(self) -> str | None:
        """A sentence on the splits that were read as one; None if it is one alone."""
        if self.split is not None or len({split_meant(name) for name in self.splits}) < 2:
            return None
        named = [name for name in in_order(self.splits) if name]
        others = " and dialogs of none" if "" in self.splits else ""
        choose = f"{parted(self.path)[0].name}{MARK}{named[0]}"
        return f"read {_listed(named)}{others} as one: {self.splits.total():,} dialogs; choose with {choose}"

    @property
    def not_there(self) -> str | None:
        """Why there is no dialog of the split that is asked for; None if there is one, or all are asked for."""
        if self.split is None or any(split_meant(name) == split_meant(self.split) for name in self.splits):
            return None
        if not any(self.splits):
            return f"says of no dialog which split it is of; leave '{MARK}{_plain(self.split)}' out"
        counted = [f"{name} ({self.splits[name]:,})" for name in in_order(self.splits) if name]
        held = _listed(counted)
        return f"holds no dialog of a split '{_plain(self.split)}'; it has {held}"

    def refuse(self, message: str, line: int | None = None) -> None:
        """Say what was found, what was expected and where; the reader must then leave that part out.

        Raises:
            UserError: if problems are not collected.
            JournalFull: at the :data:`MAX_PROBLEMS`-th problem.
        """
        problem = UserError(message, self.path, line)
        if not self._collect:
            raise problem
        self.problems.append(problem)
        if len(self.problems) >= MAX_PROBLEMS:
            raise JournalFull

    def lose(self, what: str, count: int = 1) -> None:
        """Count something in the file that its dialogs cannot hold; ``what`` may have names from the file in it."""
        if not count:
            return
        name = _plain(what)
        known = name in self.lost or len(self.lost) < MAX_LOSSES
        self.lost[name if known else "something else"] += count


def split_said(fields: Mapping[str, object]) -> object:
    """What the fields of a dialog say of its split; None if nothing, or nothing in words."""
    return next((fields[key] for key in SPLIT_KEYS if key in split_keys(fields)), None)


def split_keys(fields: Mapping[str, object]) -> set[str]:
    """The names of those fields."""
    return {key for key in SPLIT_KEYS if isinstance(fields.get(key), str)}


def _plain(name: str) -> str:
    name = name[:MAX_NAME]
    return name if name.isprintable() else "".join(char if char.isprintable() else "?" for char in name)


def _listed(names: list[str]) -> str:
    if len(names) > MAX_NAMED:
        names = [*names[: MAX_NAMED - 1], f"{len(names) - MAX_NAMED + 1} more"]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def shown(value: object) -> str:
    """A value from a file as an error message shows it: short, whatever it is."""
    return repr(value) if isinstance(value, str) and len(value) <= 80 else reprlib.repr(value)
