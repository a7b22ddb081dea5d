"""Which format a file is in, and the reading of a file in any of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.formats.babi import BABI
from tasksieve.dialogs.formats.chat import CHAT
from tasksieve.dialogs.formats.columns import COLUMNS, known_columns
from tasksieve.dialogs.formats.convlab import CONVLAB
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import Journal, JournalFull
from tasksieve.dialogs.formats.json_text import json_items
from tasksieve.dialogs.formats.lines import unreadable
from tasksieve.dialogs.formats.parlai import PARLAI
from tasksieve.dialogs.formats.parlai_jsonl import PARLAI_JSONL
from tasksieve.dialogs.formats.rasa import RASA
from tasksieve.dialogs.formats.sgd import SGD
from tasksieve.errors import UserError

FORMATS = {known.name: known for known in (BABI, CHAT, PARLAI, PARLAI_JSONL, SGD, CONVLAB, RASA, COLUMNS)}
"""Every format by its name."""

_START = 1 << 16
_BABI = re.compile(r"\d+ ")
_PARLAI = re.compile(r"(?:[\w-]+:[^\t]*\t)*(?:text|labels|eval_labels):")
_RASA = re.compile(r"^(?:version|stories|rules|nlu|responses|intents|actions|slots) *:", re.MULTILINE)
_PARLAI_KEY = re.compile(r'\{\s*"(?:dialog|context|metadata_path)"')


def format_named(name: str) -> Format:
    """The format of that name. Raises: UserError: if there is none."""
    if name not in FORMATS:
        raise UserError(f"unknown format '{name}'; known: {', '.join(FORMATS)}")
    return FORMATS[name]


def format_to_write(path: Path) -> Format:
    """The format that a file's name asks for. Raises: UserError: if its ending says nothing."""
    for known in FORMATS.values():
        if path.suffix.lower() in known.suffixes:
            return known
    endings = ", ".join(suffix for known in FORMATS.values() for suffix in known.suffixes)
    raise UserError(f"ends in '{path.suffix}'; expected one of {endings}, or --to with a format", path)


def format_of(path: Path) -> Format:
    """The format that a file is in, told from how it starts; where that says nothing, from its name; else bAbI.

    Raises: UserError: if the file cannot be read, or is none to read twice (a pipe).
    """
    start = _start(path)
    line = next((line for line in start.splitlines() if line.strip()), "")
    if _BABI.match(line):
        return BABI
    if line.startswith("{"):
        return _of_object(line)
    if line.startswith("["):
        return _of_array(path)
    if _PARLAI.match(line):
        return PARLAI
    if known_columns(line):
        return COLUMNS
    if _RASA.search(start):
        return RASA
    named = (known for known in FORMATS.values() if path.suffix.lower() in known.suffixes)
    return next(named, BABI)


def iterate_dialogs(path: Path, journal: Journal | None = None, known: Format | None = None) -> Iterator[Dialog]:
    """Yield the dialogs of a file one by one, in any format.

    Args:
        path: the file.
        journal: where problems and losses go; without it the first problem is raised.
        known: its format; else it is told from the content.
    Raises: UserError: if the file cannot be read or holds no dialog.
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
    if empty and not journal.problems:
        journal.refuse(f"holds no dialog; expected lines like '{known.example}'")


def _start(path: Path) -> str:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UserError("is a pipe or device; expected a file", path)
        with path.open("rb") as file:
            return file.read(_START).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise unreadable(path, error) from None


def _of_object(line: str) -> Format:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return PARLAI_JSONL if _PARLAI_KEY.match(line) else CHAT
    return PARLAI_JSONL if "dialog" in value and "messages" not in value else CHAT


def _of_array(path: Path) -> Format:
    try:
        _, first = next(json_items(path, Journal(path, collect=True)), (0, None))
    except (UserError, JournalFull):
        first = None
    if not isinstance(first, dict):
        return SGD
    if "services" in first:
        return SGD
    return CONVLAB if first.keys() & {"domains", "data_split", "dataset", "goal"} or _lower(first) else SGD


def _lower(dialog: dict[str, Any]) -> bool:
    """Whether the speakers are in lower case."""
    turns = dialog.get("turns")
    first = turns[0] if isinstance(turns, list) and turns else None
    return isinstance(first, dict) and first.get("speaker") in ("user", "system")
