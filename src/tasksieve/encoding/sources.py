"""Where a value of a response came from: fields of records, the user's words, the call of a tool just before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tasksieve.encoding.entities import KnownEntities
from tasksieve.encoding.gaps import Gap, kind_of_value, was_said, was_spoken
from tasksieve.encoding.held import Held
from tasksieve.encoding.searched import Sentences, stands_in
from tasksieve.encoding.told import Told, parted, values_of
from tasksieve.encoding.values import Kind, alike

Field = tuple[str, str]
"""Kind of record, and path of a field as a gap is called after it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of one gap came from.

    Attributes:
        kind: of what form the value is.
        fields: of records that hold it under the name of the gap.
        others: fields of the same name in other kinds of record, which say something else.
        heard: the value, if the user, the profile or a note said it; else empty.
        called: the tool and the name of its argument, where it is what the call just before was made with.
        echoed: whether it stood in what the system had said last.
        spoken: whether the user said it; in the profile or a note alone it is not.
    """

    kind: Kind
    fields: frozenset[Field]
    others: frozenset[Field]
    heard: str
    called: frozenset[tuple[str, str]]
    echoed: bool
    spoken: bool = False


@dataclass(frozen=True, slots=True)
class Gapped:
    """A response with gaps.

    Attributes:
        text: with gaps for those values that filling gives back in its own conversation.
        full: with gaps for all values that come from its conversation.
        entity: the number of the entity that it names, -1 for none.
        values: how many of its values come from its conversation.
        fillable: how many of them filling gives back.
        fresh: whether it speaks of a record that nobody had spoken of before.
        sources: where the values came from: each with a template, ``text`` or ``full``, and the placeholder in it.
    """

    text: str
    full: str
    entity: int
    values: int = 0
    fillable: int = 0
    fresh: bool = False
    sources: tuple[tuple[str, str, Source], ...] = ()


def sources_of(
    templates: Mapping[str, Mapping[str, Gap]], held: Held, entities: KnownEntities, entity: int
) -> tuple[tuple[str, str, Source], ...]:
    """Where the values came from for which gaps of some templates stand, those of the entity that they name too."""
    found: list[tuple[str, str, Source]] = []
    for template, marks in templates.items():
        found += ((template, mark, source_of(gap.name, gap.text, held)) for mark, gap in marks.items())
        for mark in entities.gaps(template) if entity >= 0 else ():
            value, fields = entities.told(entity, mark)
            path = min(fields)[1] if fields else ""
            found.append((template, mark, source_of(path, value, held, fields)))
    return tuple(found)


def source_of(base: str, value: str, held: Held, fields: frozenset[Field] | None = None) -> Source:
    """Where a value came from.

    Args:
        base: the name of its gap.
        value: as it stands in the response.
        held: what the conversation held before.
        fields: those that it came from, where they are known.
    """
    having, others = set[Field](), set[Field]()
    for told in held.records:
        path = path_in(told, base)
        if path and any(alike(one, value) for one in values_of(told, base)):
            having.add((told.kind, path))
        elif path and not told.past:
            others.add((told.kind, path))
    known = frozenset(having) if fields is None else fields
    heard = value if was_said(value, held) else ""
    just_made = held.calls.just_made().items()
    called = frozenset(argument for argument, texts in just_made if any(alike(text, value) for text in texts))
    spoken = bool(heard) and was_spoken(value, held)
    return Source(kind_of_value(value), known, frozenset(others) - known, heard, called, echoes(held, value), spoken)


def path_in(told: Told, base: str) -> str:
    """The path of a record's field after which a gap is called; empty if it has none."""
    root = parted(base)[0]
    if root in told.fields:
        return root
    return next((path for path in told.fields if path.rpartition(".")[2] == root), "")


def echoes(held: Held, value: str) -> bool:
    """Whether a value stood in what the system said last."""
    return bool(held.last) and stands_in(_searched(held.last), value)


@lru_cache(1 << 10)
def _searched(text: str) -> Sentences:
    sentences = Sentences()
    sentences.add(text)
    return sentences
