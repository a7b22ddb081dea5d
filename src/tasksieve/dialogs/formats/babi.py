"""The bAbI dialog format (Bordes et al., 2017) and its personalized form (Joshi et al., 2017).

A file holds dialogs with a blank line after each. Every line starts with its number in the dialog, from 1::

    1 male young veg pizza                          the user's profile (personalized form only)
    2 resto_rome_1 R_rating 8                       a triple of the knowledge base: entity, relation, value
    3 hello<TAB>hello what can i help you with      a turn: user, tab, system

Triples of one entity in a row are one record of kind ``kb``. ``<SILENCE>`` stands for the user when the system speaks
twice in a row. ``api_call no result`` without a tab is the answer of a knowledge base that found nothing (Task 6): a
note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasksieve.dialogs.dialog import Dialog, Turn
from tasksieve.dialogs.formats.assembly import WITHOUT_RESPONSE, WITHOUT_TURN, one_line
from tasksieve.dialogs.formats.format import Format, Start, register
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.lines import numbered_lines
from tasksieve.dialogs.record import KNOWLEDGE_BASE, NAME, Note, Record, collected, triples
from tasksieve.errors import UserError

NO_RESULT = "api_call no result"
GENDERS = ("male", "female")
AGES = ("young", "middle-aged", "elderly")
DIETS = ("veg", "non-veg")
SPACED_OUT = re.compile(r"\S {3,}\S")
"""Where a tab became spaces, as editors and terminals make of it."""

_NUMBERED = re.compile(r"(\d+) (.*)", re.DOTALL)
_TRIPLE = re.compile(r"(\S+) (R_\S+) (\S+)")


def read_babi(path: Path | str) -> list[Dialog]:
    """Read all dialogs of one file, with or without profiles. Turns without a response are left out.

    Args:
        path: a text file in UTF-8; Windows line ends and a byte-order mark are accepted.
    Returns: the dialogs in the order of the file.
    Raises:
        UserError: at the first line that is not of the format, with file, line, what was found and what was
            expected; if the file is missing or holds no dialog.
    """
    path = Path(path)
    dialogs = list(_read(path, Journal(path)))
    if not dialogs:
        raise UserError(f"holds no dialog; expected lines like '{BABI.example}'", path)
    return dialogs


def write_babi(dialogs: Iterable[Dialog], path: Path | str) -> None:
    """Write dialogs, so that :func:`read_babi` gives them back, but for what has no place in the format.

    That is: records other than triples with values of one word, notes, other profiles, line ends and tabs in a turn,
    and line numbers.
    """
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        for dialog in dialogs:
            file.write(_dialog_text(dialog))


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


def _read(path: Path, journal: Journal) -> Iterator[Dialog]:
    block: _Block | None = None
    for number, line in numbered_lines(path, journal):
        if line:
            block = block or _Block(journal, number)
            block.add(line, number)
        elif block is not None:
            yield from block.dialog()
            block = None
    if block is not None:
        yield from block.dialog()


class _Block:
    """The lines of one dialog."""

    def __init__(self, journal: Journal, first: int) -> None:
        self._journal = journal
        self._first = first
        self._position = 0
        self._refused = False
        self._profile: tuple[str, ...] = ()
        self._events: list[Turn | Record | Note] = []

    def add(self, line: str, number: int) -> None:
        self._position += 1
        text = self._strip_number(line, number)
        if text is None:
            return
        if "\t" in text:
            self._turn(text, number)
        elif text == NO_RESULT:
            self._events.append(Note(text))
        elif (triple := _TRIPLE.fullmatch(text)) is not None:
            self._events.append(Record(KNOWLEDGE_BASE, ((NAME, triple[1]), (triple[2], triple[3]))))
        elif self._position == 1 and _is_profile(text):
            self._profile = tuple(text.split(" "))
        else:
            self._refuse(_unknown(text, self._position), number)

    def dialog(self) -> Iterator[Dialog]:
        if any(isinstance(event, Turn) for event in self._events):
            if not self._refused:
                yield Dialog(tuple(collected(self._events)), self._profile, self._first)
        elif not self._refused:
            if self._journal.strict:
                self._refuse("this dialog has no turn; expected at least one line with a tab in it", self._first)
            else:
                self._journal.lose(WITHOUT_TURN)

    def _strip_number(self, line: str, number: int) -> str | None:
        digits, space, text = line.partition(" ")
        if not (digits.isdecimal() and space):
            other = _NO_BABI if number == 1 else ""
            self._refuse(f"found {line[:80]!r}; expected a line number, a space and text{other}", number)
            return None
        if digits != str(self._position):
            hint = " (a blank line ends a dialog)" if digits == "1" or self._position == 1 else ""
            self._refuse(f"found line number {digits[:20]}; expected {self._position}{hint}", number)
            self._position = int(digits) if len(digits) < 10 else self._position
        return text

    def _turn(self, text: str, number: int) -> None:
        user, _, system = text.partition("\t")
        if "\t" in system:
            self._refuse(f"found {text.count(chr(9))} tabs; expected one, between user and system", number)
        elif not system.strip():
            if self._journal.strict:
                self._refuse("found no system response after the tab; expected one", number)
            else:
                self._journal.lose(WITHOUT_RESPONSE)
        else:
            self._events.append(Turn(user.strip(), system.strip()))

    def _refuse(self, message: str, number: int) -> None:
        self._refused = True
        self._journal.refuse(message, number)


_NO_BABI = (
    ' as in bAbI, for which a file of no known form is taken; give JSON lines such as {"messages": [{"role": "user", '
    '"content": "hi"}, …]}, a CSV with a line of names, or another form (docs/formats.md)'
)


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
    if SPACED_OUT.search(text):
        return f"found {text[:80]!r}; expected a tab between user and system, not spaces"
    expected = "a turn ('user<TAB>system'), a triple ('entity R_relation value')"
    if position == 1:
        expected += ", a profile ('male young veg pizza')"
    return f"found {text[:80]!r}; expected {expected} or '{NO_RESULT}'"


def _dialog_text(dialog: Dialog) -> str:
    profile = " ".join(dialog.profile)
    lines = [profile] if _is_profile(profile) else []
    for event in dialog.events:
        lines.extend(_lines(event))
    return "".join(f"{number} {line}\n" for number, line in enumerate(lines, start=1)) + "\n"


def _lines(event: Turn | Record | Note) -> list[str]:
    if isinstance(event, Turn):
        return [f"{one_line(event.user)}\t{one_line(event.system)}"]
    if isinstance(event, Note):
        return [NO_RESULT] if event.text == NO_RESULT else []
    return [line for line in triples(event) or () if _TRIPLE.fullmatch(line)]


def _recognises(start: Start) -> bool:
    return _NUMBERED.match(start.line) is not None


BABI = register(
    Format(
        name="babi",
        title="bAbI dialog",
        suffixes=(".txt",),
        read=_read,
        write=write_babi,
        recognises=_recognises,
        example="1 hello<TAB>hello what can i help you with",
    )
)
"""The bAbI dialog format and its personalized form."""
