"""The bAbI dialog format (Bordes et al., 2017) and its personalized form (Joshi et al., 2017).

A file holds dialogs with a blank line after each. Every line starts with its number in the dialog, from 1::

    1 male young veg pizza                          the user's profile (personalized form only)
    2 resto_rome_1 R_rating 8                       a fact of the knowledge base
    3 hello<TAB>hello what can i help you with      a turn: user, tab, system

``<SILENCE>`` stands for the user when the system speaks twice in a row. ``api_call no result`` without a tab is
the answer of a knowledge base that found nothing (Task 6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog, Fact, Turn
from tasksieve.dialogs.formats.lines import numbered_lines
from tasksieve.errors import UserError

NO_RESULT = "api_call no result"
GENDERS = ("male", "female")
AGES = ("young", "middle-aged", "elderly")
DIETS = ("veg", "non-veg")

_NUMBERED = re.compile(r"(\d+) (.*)", re.DOTALL)
_FACT = re.compile(r"\S+ R_\S+ \S+")


def read_babi(path: Path | str) -> list[Dialog]:
    """Read all dialogs of one file, with or without profiles.

    Args:
        path: a text file in UTF-8; Windows line ends and a byte-order mark are accepted.
    Returns: the dialogs in the order of the file.
    Raises:
        UserError: at the first line that is not of the format, with file, line, what was found and what was
            expected; if the file is missing or holds no dialog.
    """
    path = Path(path)
    dialogs = list(_dialogs(numbered_lines(path), path))
    if not dialogs:
        raise UserError("holds no dialog; expected lines like '1 hello<TAB>hello what can i help you with'", path)
    return dialogs


def write_babi(dialogs: Iterable[Dialog], path: Path | str) -> None:
    """Write dialogs so that :func:`read_babi` gives them back (their line numbers apart)."""
    Path(path).write_text("".join(_dialog_text(dialog) for dialog in dialogs), encoding="utf-8", newline="\n")


def read_sentences(path: Path | str) -> list[str]:
    """Read a candidates or knowledge-base file: one sentence a line, each after a number.

    Tabs inside a sentence (knowledge bases have one before the value) become spaces.

    Raises: UserError: at the first line that does not start with a number and a space; if there is no line.
    """
    path = Path(path)
    sentences = []
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        match = _NUMBERED.fullmatch(line)
        if match is None or not match[2].strip():
            raise UserError(f"found {line!r}; expected a number, a space and a sentence", path, number)
        sentences.append(" ".join(match[2].split()))
    if not sentences:
        raise UserError("holds no sentence; expected lines like '1 hello what can i help you with'", path)
    return sentences


def _dialogs(lines: Iterator[tuple[int, str]], path: Path) -> Iterator[Dialog]:
    block: list[str] = []
    first = 0
    for number, line in lines:
        if line:
            first = first or number
            block.append(line)
        elif block:
            yield _dialog(block, first, path)
            block, first = [], 0
    if block:
        yield _dialog(block, first, path)


def _dialog(block: Sequence[str], first: int, path: Path) -> Dialog:
    profile: tuple[str, ...] = ()
    events: list[Turn | Fact] = []
    for position, line in enumerate(block, start=1):
        text = _strip_number(line, position, path, first + position - 1)
        if "\t" in text:
            events.append(_turn(text, path, first + position - 1))
        elif _FACT.fullmatch(text) or text == NO_RESULT:
            events.append(Fact(text))
        elif position == 1 and _is_profile(text):
            profile = tuple(text.split(" "))
        else:
            raise UserError(_unknown(text, position), path, first + position - 1)
    if not any(isinstance(event, Turn) for event in events):
        raise UserError("this dialog has no turn; expected at least one line with a tab in it", path, first)
    return Dialog(tuple(events), profile, first)


def _strip_number(line: str, position: int, path: Path, number: int) -> str:
    digits, space, text = line.partition(" ")
    if not (digits.isdecimal() and space):
        raise UserError(f"found {line[:80]!r}; expected a line number, a space and text", path, number)
    if digits != str(position):
        hint = " (a blank line ends a dialog)" if digits == "1" or position == 1 else ""
        raise UserError(f"found line number {digits}; expected {position}{hint}", path, number)
    return text


def _turn(text: str, path: Path, number: int) -> Turn:
    user, _, system = text.partition("\t")
    if "\t" in system:
        raise UserError(f"found {text.count(chr(9))} tabs; expected one, between user and system", path, number)
    if not system.strip():
        raise UserError("found no system response after the tab; expected one", path, number)
    return Turn(user.strip(), system.strip())


def _is_profile(text: str) -> bool:
    words = text.split(" ")
    return (
        2 <= len(words) <= 4
        and words[0] in GENDERS
        and words[1] in AGES
        and (len(words) < 3 or words[2] in DIETS)
        and all(words)
    )


def _unknown(text: str, position: int) -> str:
    expected = "a turn ('user<TAB>system'), a fact ('entity R_relation value')"
    if position == 1:
        expected += ", a profile ('male young veg pizza')"
    return f"found {text[:80]!r}; expected {expected} or '{NO_RESULT}'"


def _dialog_text(dialog: Dialog) -> str:
    lines = [" ".join(dialog.profile)] if dialog.profile else []
    for event in dialog.events:
        lines.append(event.text if isinstance(event, Fact) else f"{event.user}\t{event.system}")
    return "".join(f"{number} {line}\n" for number, line in enumerate(lines, start=1)) + "\n"
