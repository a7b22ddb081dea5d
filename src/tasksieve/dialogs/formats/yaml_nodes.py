"""YAML that someone else wrote, as plain text, lists and mappings with their lines.

Only the events of PyYAML's parser are used, so that nothing is ever constructed: every scalar is text, and tags,
anchors and aliases are refused. ``yaml.compose`` would not do. It holds the whole document, 370 MiB for a file of
8 MiB where events take 15; its nodes no longer tell an alias from a value; and with libyaml, 100,000 opening brackets
overflow its stack and end the process.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.lines import numbered_lines
from tasksieve.errors import UserError

MAX_DEPTH = 32
MAX_SIZE = 64 << 20
"""Bytes that a YAML file may have."""

_MARK = "---"
_TOP = re.compile(r"([A-Za-z_][\w-]*) *:(?: *(?:#.*)?$|(.*))")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """A value: text, a list, or a mapping, with the line where it starts."""

    value: str | list[Node] | dict[str, Node]
    line: int

    @property
    def text(self) -> str | None:
        """The text, if it is one."""
        return self.value if isinstance(self.value, str) else None

    @property
    def items(self) -> list[Node]:
        """The items of a list; none if it is not one."""
        return self.value if isinstance(self.value, list) else []

    @property
    def entries(self) -> dict[str, Node]:
        """The entries of a mapping; none if it is not one."""
        return self.value if isinstance(self.value, dict) else {}


def yaml_entries(
    path: Path, journal: Journal, lists: frozenset[str], passed_over: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Node]]:
    """Yield (key, value) of the mapping that a file holds.

    Args:
        path: the file.
        journal: told of problems of lines.
        lists: keys of lists of which each item is yielded by itself.
        passed_over: keys whose values are not parsed, which takes long, but empty, if they begin on the next line.

    Raises: UserError: if the file is no such YAML, or is too large.
    """
    if path.is_file() and path.stat().st_size > MAX_SIZE:
        raise _too_large(path)
    lines = (line for _, line in numbered_lines(path, journal))
    yield from _entries(path, journal, _without(lines, passed_over) if passed_over else lines, lists)


def sections(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (key, line) of each line: under which key at the start of a line it stands, as far as lines tell it.

    The line of the key has it too, if the value begins after it; of lines before any such key it is empty.
    """
    key = ""
    for line in lines:
        if (found := _TOP.match(line)) is not None:
            key = found[1] if found[2] is None else ""
        yield key, line


def _without(lines: Iterable[str], keys: frozenset[str]) -> Iterator[str]:
    """Lines, empty ones in place of those under these keys, but for the keys themselves."""
    return ("" if key in keys and not _TOP.match(line) else line for key, line in sections(lines))


def front_matter(path: Path) -> Iterator[tuple[str, Node]]:
    """Yield (key, value) of the mapping at the start of a page of Markdown, between two lines ``---``, if it has one.

    Raises: UserError: if the file cannot be read, or what stands there is no such YAML.
    """
    journal = Journal(path)
    lines = (line for _, line in numbered_lines(path, journal))
    if next(lines, "").rstrip() == _MARK:
        yield from _entries(path, journal, itertools.takewhile(lambda line: line.rstrip() != _MARK, lines))


def _entries(
    path: Path, journal: Journal, lines: Iterator[str], lists: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Node]]:
    try:
        yield from _Events(path, journal, lines).entries(lists)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UserError(
            f"is not YAML: {error.problem or error.context}", path, mark.line + 1 if mark else None
        ) from None
    except yaml.YAMLError:
        raise UserError("holds a character that YAML does not allow", path) from None


def _too_large(path: Path) -> UserError:
    return UserError(f"is larger than {MAX_SIZE >> 20} MiB; split it into several files", path)


class _Text:
    """A file's lines as the text stream that the parser reads; a compressed file may have more than its size says."""

    def __init__(self, path: Path, lines: Iterator[str]) -> None:
        self._path = path
        self._lines = lines
        self._left = MAX_SIZE

    def read(self, size: int = -1) -> str:
        text = next((line + "\n" for line in self._lines), "")
        self._left -= len(text)
        if self._left < 0:
            raise _too_large(self._path)
        return text


class _Events:
    """The parser's events, checked."""

    def __init__(self, path: Path, journal: Journal, lines: Iterator[str]) -> None:
        self._path = path
        self._journal = journal
        self._events = yaml.parse(_Text(path, lines), Loader=_LOADER)
        self._depth = 0

    def entries(self, lists: frozenset[str]) -> Iterator[tuple[str, Node]]:
        start = self._next()
        if isinstance(start, yaml.StreamEndEvent):
            return
        if not isinstance(start, yaml.MappingStartEvent):
            raise self._refused(start, "found no mapping; expected one with a key 'stories'")
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            name = self._key(key)
            event = self._next()
            if name in lists and isinstance(event, yaml.SequenceStartEvent):
                while not isinstance(item := self._next(), yaml.SequenceEndEvent):
                    yield name, self._node(item)
            else:
                yield name, self._node(event)
        if not isinstance(after := self._next(), yaml.StreamEndEvent):
            raise self._refused(after, "found a second document; expected one in a file")

    def _next(self) -> yaml.Event:
        """The next event that is more than the frame of the stream."""
        frame = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
        event = next(event for event in self._events if not isinstance(event, frame))
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._refused(event, "found an anchor or alias; expected the value itself")
        if (tag := getattr(event, "tag", None)) not in (None, "!"):
            raise self._refused(event, f"found the tag {str(tag)[:80]!r}; expected none")
        return event

    def _key(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refused(event, "found a list or mapping as a key; expected text")
        return str(event.value)

    def _node(self, event: yaml.Event) -> Node:
        line = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            return Node(str(event.value), line)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refused(event, f"is nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := self._next(), yaml.SequenceEndEvent):
                items.append(self._node(item))
            node = Node(items, line)
        else:
            entries: dict[str, Node] = {}
            while not isinstance(key := self._next(), yaml.MappingEndEvent):
                name = self._key(key)
                self._journal.lose(f"value of '{name}', which stands twice in one mapping", int(name in entries))
                entries[name] = self._node(self._next())
            node = Node(entries, line)
        self._depth -= 1
        return node

    def _refused(self, event: yaml.Event, message: str) -> UserError:
        return UserError(message, self._path, _line(event))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
