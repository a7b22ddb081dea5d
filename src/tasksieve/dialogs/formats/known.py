"""Which format a file is in, and the reading of a file in any of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.assembly import WITHOUT_TURN
from tasksieve.dialogs.formats.compressed import compression_named
from tasksieve.dialogs.formats.format import FORMATS, Format, Start
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.errors import UserError
from tasksieve.plugins import load_plugins

_ELSE = "babi"
"""The format of a file whose content and name say nothing."""


def formats() -> dict[str, Format]:
    """Every format by its name, those of plug-ins too. Raises: UserError: if a plug-in cannot be imported."""
    load_plugins()
    return FORMATS


def format_named(name: str) -> Format:
    """The format of that name. Raises: UserError: if there is none."""
    known = formats()
    if name not in known:
        raise UserError(f"unknown format '{name}'; known: {', '.join(known)}")
    return known[name]


def format_to_write(path: Path) -> Format:
    """The format that a file's name asks for. Raises: UserError: if its ending says nothing."""
    found = _by_suffix(path)
    if found is None:
        endings = ", ".join(suffix for known in formats().values() for suffix in known.suffixes)
        raise UserError(
            f"ends in '{compression_named(path)[1].suffix}'; expected one of {endings}, or --to with a format", path
        )
    return found


def format_of(path: Path) -> Format:
    """The format that a file is in, told from how it starts; where that says nothing, from its name; else bAbI.

    Raises: UserError: if the file cannot be read, or is none to read twice (a pipe).
    """
    start = Start(path)
    asked = sorted(formats().values(), key=lambda known: (known.order, known.name))
    found = next((known for known in asked if known.recognises(start)), None)
    return found or _by_suffix(path) or FORMATS[_ELSE]


def iterate_dialogs(path: Path, journal: Journal | None = None, known: Format | None = None) -> Iterator[Dialog]:
    """Yield the dialogs of a file one by one, in any format.

    Args:
        path: the file.
        journal: where problems and losses go; without it the first problem is raised.
        known: its format; else it is told from the content.
    Raises: UserError: if the file cannot be read or holds no dialog; of a split that is asked for it may hold none.
    """
    known = known or format_of(path)
    journal = journal or Journal(path)
    empty = True
    try:
        for dialog in known.read(path, journal):
            empty = False
            yield dialog
    except RecursionError:
        journal.refuse("is nested too deeply; expected dialogs")
    if empty and journal.lost[WITHOUT_TURN] and journal.split is None:
        journal.refuse(f"holds no dialog in which the system responds; expected lines like '{known.example}'")
    elif empty and not journal.problems and journal.split is None:
        journal.refuse(f"holds no dialog; expected lines like '{known.example}'")


def _by_suffix(path: Path) -> Format | None:
    """The format that a file's name asks for, whatever ending it has for its compression."""
    ending = compression_named(path)[1].suffix.lower()
    return next((known for known in formats().values() if ending in known.suffixes), None)
