"""JSON that someone else wrote: an object a line, objects over several lines, or one array of dialogs."""

from __future__ import annotations

import codecs
import contextlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from tasksieve.dialogs.formats.compressed import open_plain
from tasksieve.dialogs.formats.journal import Journal, shown
from tasksieve.dialogs.formats.lines import MAX_LINE, numbered_lines, refuse_binary, unreadable

_CHUNK = 1 << 18
_TOO_LONG = f"this dialog has more than {MAX_LINE >> 20} Mi characters"
_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_NAME = 40
TWICE = ", which stands twice in one object"
"""How the names of such losses end."""


def json_lines(path: Path, journal: Journal) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a file with a JSON object on each line; blank lines are skipped.

    Raises: UserError: at a line that is not a JSON object, if the journal does not collect.
    """
    objects = _Objects()
    for number, line in numbered_lines(path, journal):
        if not line.strip():
            continue
        try:
            value = objects.decode(line)
        except RecursionError:
            journal.refuse("is nested too deeply; expected a dialog", number)
        except json.JSONDecodeError as error:
            journal.refuse(f"is not JSON: {_why_not(error)} at column {error.colno}", number)
        except ValueError:
            journal.refuse("holds a number with too many digits; expected a dialog", number)
        else:
            objects.tell(journal)
            if isinstance(value, dict):
                yield number, value
            else:
                journal.refuse(f"found {shown(value)}; expected a JSON object", number)


def _why_not(error: json.JSONDecodeError) -> str:
    """What is wrong in a line; a comma after its object is left from an array."""
    comma = error.msg == "Extra data" and error.doc[error.pos :].strip() == ","
    return "found ',' after the object; expected one array around all of them, or no commas," if comma else error.msg


def write_json_lines(values: Iterable[Any], path: Path) -> None:
    """Write values that :func:`json_lines` gives back."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for value in values:
            file.write(json.dumps(value, ensure_ascii=False) + "\n")


@contextlib.contextmanager
def _items_in(path: Path, journal: Journal) -> Iterator[_Items]:
    """What a file holds, to be read one after the other. Raises: UserError: if the file cannot be read."""
    try:
        with open_plain(path) as file:
            refuse_binary(path, file)
            yield _Items(file, journal)
    except OSError as error:
        raise unreadable(path, error) from None


def json_items(path: Path, journal: Journal) -> Iterator[tuple[int, Any]]:
    """Yield (line where it starts, value) of each item of the one array that a file holds.

    Only the item at hand is in memory. What follows an item that is not JSON cannot be read.

    Raises: UserError: if the file cannot be read or is not an array, if the journal does not collect.
    """
    with _items_in(path, journal) as items:
        yield from items


def json_objects(path: Path, journal: Journal) -> Iterator[tuple[int, Any]]:
    """Yield (line where it starts, value) of each of the objects in a file, which may go over several lines.

    Only the object at hand is in memory. What follows one that is not JSON cannot be read.

    Raises: UserError: if the file cannot be read or holds something else, if the journal does not collect.
    """
    with _items_in(path, journal) as items:
        yield from items.objects()


def json_pairs(path: Path, journal: Journal) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of each entry of the one object that a file holds; see :func:`json_entries`."""
    return ((name, value) for _, name, value in json_entries(path, journal))


def json_entries(path: Path, journal: Journal) -> Iterator[tuple[int, str, Any]]:
    """Yield (line where it starts, name, value) of each entry of the one object that a file holds.

    Only the entry at hand is in memory. What follows an entry that is not JSON cannot be read.

    Raises: UserError: if the file cannot be read or is not an object, if the journal does not collect.
    """
    with _items_in(path, journal) as items:
        yield from items.pairs()


def json_listed(path: Path, journal: Journal) -> Iterator[tuple[int, str, Any]]:
    """Yield (line where it starts, name, item) of each item of the lists that the one object of a file holds by name.

    Only the item at hand is in memory. What follows an item that is not JSON cannot be read.

    Raises: UserError: if the file cannot be read or holds something else, if the journal does not collect.
    """
    with _items_in(path, journal) as items:
        yield from items.listed()


def write_json_items(values: Iterable[Any], path: Path) -> None:
    """Write one array that :func:`json_items` gives back, an item a line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number, value in enumerate(values):
            file.write((",\n" if number else "[\n") + json.dumps(value, ensure_ascii=False))
        file.write("\n]\n")


class _Objects:
    """Decodes JSON and remembers which names stand twice in one object, whose last value counts."""

    def __init__(self) -> None:
        self._json = json.JSONDecoder(object_pairs_hook=self._object)
        self._twice: list[str] = []

    def decode(self, text: str) -> Any:
        """The value that a text is."""
        self._twice.clear()
        return self._json.decode(text)

    def decode_at(self, text: str, place: int) -> tuple[Any, int]:
        """The value that starts at a place of a text, and where it ends."""
        self._twice.clear()
        return self._json.raw_decode(text, place)

    def tell(self, journal: Journal) -> None:
        """Count what was not kept of the last value."""
        for name in self._twice:
            journal.lose(f"value of '{name[:_LONGEST_NAME]}'{TWICE}")

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            times = Counter(name for name, _ in pairs)
            self._twice += [name for name, count in times.items() for _ in range(count - 1)]
        return value


class _Stop(Exception):
    """Nothing more can be read from the array."""


class _Items:
    """The items of an array, decoded from a text that is read as it is needed."""

    def __init__(self, file: IO[bytes], journal: Journal) -> None:
        self._file = file
        self._journal = journal
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._objects = _Objects()
        self._text = ""
        self._at = 0
        self._line = self._named_at = 1
        self._ended = False

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        with contextlib.suppress(_Stop):
            yield from self._array()
            if rest := self._next_mark():
                self._refuse(f"found {rest!r} after the array of dialogs; expected nothing")

    def objects(self) -> Iterator[tuple[int, Any]]:
        """Values that follow each other without an array around them."""
        with contextlib.suppress(_Stop):
            while self._next_mark():
                yield self._item()

    def listed(self) -> Iterator[tuple[int, str, Any]]:
        """The items of each list in one object, with the list's name."""
        with contextlib.suppress(_Stop):
            for name in self._names():
                yield from ((line, name, item) for line, item in self._array())

    def pairs(self) -> Iterator[tuple[int, str, Any]]:
        """The entries of one object."""
        with contextlib.suppress(_Stop):
            for name in self._names():
                yield self._named_at, name, self._item()[1]

    def _array(self) -> Iterator[tuple[int, Any]]:
        """The items of the array that comes next."""
        self._expect("[", "the start of a JSON array of dialogs")
        more = self._next_mark() != "]"
        while more:
            yield self._item()
            more = self._expect(",]", "after a dialog") == ","
        if not self._at or self._text[self._at - 1] != "]":
            self._expect("]", "the end of the array")

    def _names(self) -> Iterator[str]:
        """The names in the object that comes next; what each is of is to be read before the next one."""
        self._expect("{", "the start of a JSON object")
        more = self._next_mark() != "}"
        while more:
            if self._next_mark() != '"':
                self._expect('"', "the name of an entry")
            self._named_at, name = self._item()
            self._expect(":", "after a name")
            yield name
            more = self._expect(",}", "after an entry") == ","

    def _expect(self, marks: str, what: str) -> str:
        mark = self._next_mark()
        if not mark or mark not in marks:
            expected = " or ".join(repr(char) for char in marks)
            self._refuse(f"found {repr(mark) if mark else 'the end of the file'}; expected {expected}, {what}")
        self._skip_to(self._at + 1)
        return mark

    def _item(self) -> tuple[int, Any]:
        self._next_mark()
        size = _CHUNK
        while True:
            try:
                value, end = self._objects.decode_at(self._text, self._at)
            except RecursionError:
                raise self._refuse("this dialog is nested too deeply") from None
            except ValueError as error:
                if not self._read(size):
                    raise self._refuse(*self._why(error)) from None
                size *= 2
                continue
            line = self._line
            if end - self._at > MAX_LINE:
                raise self._refuse(_TOO_LONG)
            self._skip_to(end)
            self._objects.tell(self._journal)
            return line, value

    def _why(self, error: ValueError) -> tuple[str, int]:
        if not self._ended:
            return _TOO_LONG, self._line
        if not isinstance(error, json.JSONDecodeError):
            return "this dialog holds a number with too many digits", self._line
        return f"is not JSON: {error.msg}", self._line + self._text.count("\n", self._at, error.pos)

    def _refuse(self, message: str, line: int | None = None) -> _Stop:
        self._journal.refuse(message, line or self._line)
        raise _Stop

    def _next_mark(self) -> str:
        """Skip white space; the character after it, or nothing at the end of the file."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._skip_to(found.end() if found else self._at)
            if self._at < len(self._text) or not self._read(_CHUNK):
                return self._text[self._at : self._at + 1]

    def _skip_to(self, end: int) -> None:
        self._line += self._text.count("\n", self._at, end)
        self._at = end

    def _read(self, size: int) -> bool:
        """Read on; False at the end of the file, or if the item at hand is too long already."""
        if self._ended or len(self._text) - self._at > MAX_LINE:
            return False
        raw = self._file.read(size)
        self._ended = not raw
        try:
            added = self._decode(raw, not raw)
        except UnicodeDecodeError as error:
            line = self._line + self._text.count("\n", self._at) + error.object.count(b"\n", 0, error.start)
            found = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
            raise self._refuse(found, line) from None
        self._text = self._text[self._at :] + added
        self._at = 0
        return not self._ended
