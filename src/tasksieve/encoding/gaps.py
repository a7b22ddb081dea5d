"""Where values of a conversation stand in a response, and what each gap that takes their place is called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tasksieve.dialogs import Span
from tasksieve.encoding.calls import arguments_of
from tasksieve.encoding.held import Held
from tasksieve.encoding.names import placeholder
from tasksieve.encoding.phrases import STOP, Phrases, phrase_of, put_in_place
from tasksieve.encoding.searched import telling
from tasksieve.encoding.spoken_names import names_in
from tasksieve.encoding.told import PARTS, Told, part_of
from tasksieve.encoding.values import MONEY, Kind, alike, canonical, values_in


@dataclass(frozen=True, slots=True)
class Gap:
    """A value in a response that comes from the conversation.

    Attributes:
        start, end: its first character, and the one after its last.
        text: the value as it stands there.
        name: of the field or slot whose value it is; its kind, if only the user said it.
        kind: of what form it is.
    """

    start: int
    end: int
    text: str
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    text: str
    slot: str


def gaps_in(response: str, spans: Sequence[Span], held: Held) -> list[Gap]:
    """The values in a response that its conversation holds, from left to right; they do not overlap.

    Args:
        response: as the system said it.
        spans: where values stand in it, as far as the data say so.
        held: what the conversation held before.
    """
    places = [_Place(start, end, response[start:end], slot) for start, end, slot in _annotated(response, spans)]
    called = arguments_of(response)
    if called:
        places += (
            _Place(given.start, given.end, given.text, _slot(given.key))
            for given in called
            if given.key or telling(given.text)  # a plain word without a name is taken as it is
        )
    else:
        places += (_Place(start, end, response[start:end], "") for start, end in _unannotated(response, held))
    found: list[Gap] = []
    for place in places:
        if place.text.strip() and not any(gap.start < place.end and place.start < gap.end for gap in found):
            name = _name(place, held)
            if name:
                found.append(Gap(place.start, place.end, place.text, name, kind_of_value(place.text)))
    return sorted(found, key=lambda gap: gap.start)


def with_gaps(response: str, gaps: Iterable[Gap], reserved: frozenset[str]) -> tuple[str, dict[str, Gap]]:
    """A response with gaps for values; and which placeholder stands for which.

    Several values of one name are numbered in the order in which they stand: ``<date>``, ``<date_2>``.

    Args:
        response: the text in which they stand.
        gaps: from left to right.
        reserved: placeholders with another meaning, which are numbered from ``_1``.
    """
    parts: list[str] = []
    place, stands_for = 0, dict[str, Gap]()
    for gap in gaps:
        mark = _mark(gap, stands_for, reserved)
        parts += (response[place : gap.start], mark)
        place = gap.end
    return "".join((*parts, response[place:])), stands_for


def kind_of_value(text: str) -> Kind:
    """Of what form a value is by itself."""
    forms = values_in(text)
    if len(forms) == 1 and len(forms[0].text) >= len(text.strip()) - 2:
        return forms[0].kind
    if any(character.isdigit() for character in text) and len(text.split()) == 1:
        return "number"
    return "name" if text[:1].isupper() else "text"


def _slot(name: str) -> str:
    return "_".join(name.lower().split())


def _annotated(response: str, spans: Sequence[Span]) -> Iterable[tuple[int, int, str]]:
    """The places of annotated values, without signs of money, and their slots."""
    for span in spans:
        start = span.start + (response[span.start : span.start + 1] in MONEY)
        yield start, span.end, _slot(span.slot)


def _mark(gap: Gap, stands_for: dict[str, Gap], reserved: frozenset[str]) -> str:
    number = 1
    while True:
        mark = placeholder(gap.name if number == 1 else f"{gap.name}_{number}")
        if mark in reserved:
            mark = placeholder(f"{gap.name}_{number}")
        taken = stands_for.setdefault(mark, gap)
        if mark not in reserved and alike(taken.text, gap.text):
            return mark
        number += 1


def places_of(response: str, phrases: Phrases[Any]) -> Iterable[tuple[int, int]]:
    """The places of words, without the punctuation around them, in which phrases stand."""
    words = response.split()
    starts = _starts(response, words)
    for first, last, _ in phrases.find(words):
        yield starts[first], starts[last - 1] + len(words[last - 1])


def _unannotated(response: str, held: Held) -> Iterable[tuple[int, int]]:
    """Places of values that records hold, of those told by their form, and of names, the longest first."""
    places = [(value.start, value.end) for value in values_in(response)]
    places += ((name.start, name.end) for name in names_in(response) if name.sure or " " not in name.text)
    if len(held.phrases):
        places += _of_phrases(response, held.phrases)
    return sorted(set(places), key=lambda place: (place[0] - place[1], place[0]))


def _starts(response: str, words: Sequence[str]) -> list[int]:
    """Where each of a response's words starts in it."""
    starts, place = [], 0
    for word in words:
        place = response.index(word, place)
        starts.append(place)
        place += len(word)
    return starts


def _of_phrases(response: str, phrases: Phrases[str]) -> Iterable[tuple[int, int]]:
    words = response.split()
    starts = _starts(response, words)
    small = response.islower()
    for first, last, value in phrases.find(words):
        if last - first == 1 and value.isalpha() and not small and not words[first].lstrip("\"'([{“‘")[:1].isupper():
            continue  # an ordinary word that is also a name
        before, _, after = put_in_place(words, first, last, value, "\n").partition("\n")
        yield starts[first] + len(before), starts[last - 1] + len(words[last - 1]) - len(after)


def _name(place: _Place, held: Held) -> str:
    """What the gap for a value is called; empty if the conversation does not hold it, or it is no value."""
    records = held.in_order()
    if place.slot:
        if held.field_of(place.text, place.slot):
            return place.slot
        if was_said(place.text, held):
            return place.slot
    if not telling(place.text) and phrase_of(place.text) and not values_in(place.text):
        return ""
    field = held.field_of(place.text)
    if field or place.slot:
        return field
    part = _part(place.text, records, held) if place.text.isalpha() else ""
    if part or not was_said(place.text, held):
        return part
    kind = kind_of_value(place.text)
    single = kind == "name" and " " not in place.text
    return "" if kind == "text" or (single and not _is_name(place.text, held)) else kind


def _part(text: str, records: Sequence[Told], held: Held) -> str:
    """The name of the gap for the first or last word of a longer name."""
    for part in PARTS:
        for told in records:
            for path, values in told.fields.items():
                if any(_is_part(value, part, text) for value in values):
                    return path + part
        if any(heard.kind == "name" and heard.sure and _is_part(heard.text, part, text) for heard in held.heard):
            return f"name{part}"
    return ""


def _is_part(value: str, part: str, text: str) -> bool:
    return phrase_of(part_of(value, part)) == phrase_of(text)


def _is_name(text: str, held: Held) -> bool:
    return any(heard.kind == "name" and heard.sure and alike(heard.text, text) for heard in held.heard)


def was_said(text: str, held: Held) -> bool:
    """Whether the user, the profile or a note said a value."""
    phrase, form = canonical(text)
    if form is not None:
        return any(alike(heard.text, text) for heard in held.heard)
    return any(word not in STOP for word in phrase) and held.was_said(phrase)


def was_spoken(text: str, held: Held) -> bool:
    """Whether the user said a value; in a profile or note alone it is not spoken."""
    phrase, form = canonical(text)
    if form is not None:
        return any(heard.time > 0 and alike(heard.text, text) for heard in held.heard)
    said = Phrases[bool]()
    said.add(phrase, True)
    return any(time > 0 and any(said.find(words)) for words, _, time in held.sentences)
