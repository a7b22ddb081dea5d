"""What one conversation holds: its records, its profile and notes, what the user said and what was answered.

A value that stands in none of these is not said in it (:mod:`tasksieve.encoding.slots`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from tasksieve.dialogs import Record
from tasksieve.dialogs.record import KNOWLEDGE_BASE
from tasksieve.encoding.names import fields_of
from tasksieve.encoding.phrases import Phrase, Phrases, Said, bare, phrase_of
from tasksieve.encoding.searched import BETWEEN, Sentences, says, stands_in, telling
from tasksieve.encoding.values import Kind, Value, alike, canonical, names_in, same, values_in

Source = Literal["user", "profile", "note", "record", "system"]

_AROUND = 4
"""How many words before a value tell what it is."""
_MOST_PARTS = 3
_SPELLED = (
    *(("zero", "no", "none"), ("one", "myself", "me", "a", "an"), ("two", "both", "couple"), ("three",), ("four",)),
    *(("five",), ("six",), ("seven",), ("eight",), ("nine",)),
)
"""Words for numbers of one digit."""
FIRST, LAST = PARTS = (".first", ".last")
"""What follows the name of a gap where the first or the last word of a value stands, as a first name does."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A value that somebody but a record told.

    Attributes:
        kind, text: of the value.
        before: the words before it, those of the question that it answers among them.
        time: larger for what was said later.
        sure: whether a name is one for certain.
    """

    kind: Kind
    text: str
    before: frozenset[str]
    time: int
    sure: bool = True


@dataclass(slots=True)
class Told:
    """A record, by its fields, with the entity that it is of (-1 for none) and the turn before which it came."""

    kind: str
    fields: dict[str, list[str]]
    entity: int
    batch: int


class Held:
    """What a conversation holds so far.

    Attributes:
        records: in the order they came.
        heard: values that the user said, or that the profile and notes hold; the latest last.
        phrases: values of records that can be looked for in sentences.
        sentences: what the user, profile and notes said, with the words asked before and the time; the latest last.
    """

    def __init__(self) -> None:
        self.records: list[Told] = []
        self.heard: list[Heard] = []
        self.sentences: list[tuple[Phrase, frozenset[str], int]] = []
        self.phrases: Phrases[str] = Phrases()
        self._given, self._answered, self._said = Sentences(), Sentences(), Said()
        self._fields: dict[Phrase | str, list[tuple[Told, str, str]]] = defaultdict(list)
        self._named: Told | None = None
        self._time = 0
        self._batch = 0
        self._asked: list[str] = []

    def profile(self, words: Iterable[str]) -> None:
        """Know who the user is."""
        self._hear(" ".join(words), 0)

    def note(self, text: str, *, fills: bool = True) -> None:
        """Know what prose tells.

        Args:
            text: the prose.
            fills: whether what it tells may fill gaps.
        """
        if fills:
            self._hear(text, 0)
        else:
            self._given.add(text)

    def tell(self, record: Record, entity: int = -1) -> None:
        """Know a record, and the number of the entity that it is of."""
        fields: dict[str, list[str]] = defaultdict(list)
        for path, value in fields_of(record):
            fields["_".join(path.split())].append(value)
            self._given.add(value)
        if not self.records or self.records[-1].batch != self._batch:
            self._named = None  # what has come last is spoken of now
        told = Told(record.kind, dict(fields), entity, self._batch)
        self.records.append(told)
        if record.kind == KNOWLEDGE_BASE:
            return
        for path, values in fields.items():
            for value in values:
                phrase, form = canonical(value)
                for key in (phrase, *(() if form is None else (form.key,))):
                    self._fields[key].append((told, path, value))
                if telling(value):
                    self.phrases.add(phrase, value)

    def hear(self, utterance: str) -> None:
        """Know what the user says."""
        self._time += 1
        self._batch += 1
        self._hear(utterance, self._time)
        self._refer(utterance)

    def answer(self, response: str) -> None:
        """Know what the system answered."""
        self._answered.add(response)
        self._asked = list(phrase_of(response))[-2 * _AROUND :]
        self._refer(response)

    def holds(self, value: Value, *, answered: bool = True) -> bool:
        """Whether a value stands in the conversation, however it is written.

        Args:
            value: told by its form.
            answered: whether what the system said counts.
        """
        return any(
            any(same(value, known) for known in sentences.values.get(value.key, ()))
            or phrase_of(value.text) in sentences.said
            for sentences in self._all(answered)
        )

    def says(self, phrase: Phrase, *, answered: bool = True) -> bool:
        """Whether some words stand in the conversation, one after the other."""
        return any(says(sentences, phrase) for sentences in self._all(answered))

    def counts(self, number: str) -> bool:
        """Whether a number of one digit or two stands in the conversation, or is how many records came last.

        Where there are no records, one of two digits counts nothing, and may be said.
        """
        came = sum(told.batch == self.records[-1].batch for told in self.records) if self.records else 0
        if len(number) == 1 and any(self.says((word,)) for word in _SPELLED[int(number)]):
            return True
        return came == int(number) > 0 or (len(number) > 1 and not came) or self.says((number,))

    def was_said(self, phrase: Phrase) -> bool:
        """Whether the user, the profile or a note said some words, one after the other."""
        return bool(phrase) and phrase in self._said

    def field_of(self, text: str, name: str = "") -> str:
        """The field that has a value in some record, the one spoken of first; empty if none has.

        Args:
            text: the value.
            name: of the only field that counts; all do if it is empty.
        """
        phrase, form = canonical(text)
        found = [*self._fields.get(phrase, ()), *(() if form is None else self._fields.get(form.key, ()))]
        found = [each for each in found if (not name or each[1] == name) and alike(each[2], text)]
        return min(found, key=lambda each: self._place(each[0], -1))[1] if found else ""

    def fields(self, name: str, entity: int = -1) -> Iterator[tuple[Told, list[str]]]:
        """The records with a field of this name, those first that are spoken of, or that are of an entity."""
        for told in self.in_order(entity):
            values = values_of(told, name)
            if values:
                yield told, values

    def in_order(self, entity: int = -1) -> list[Told]:
        """All records but triples: those of an entity, the one named last, then the latest ones in their order."""
        records = [told for told in self.records if told.kind != KNOWLEDGE_BASE]
        return sorted(records, key=lambda told: self._place(told, entity))

    def _place(self, told: Told, entity: int) -> tuple[bool, bool, int]:
        return entity < 0 or told.entity != entity, told is not self._named, -told.batch

    def _all(self, answered: bool) -> tuple[Sentences, ...]:
        return (self._given, self._answered) if answered else (self._given,)

    def _hear(self, text: str, time: int) -> None:
        self._given.add(text)
        asked = [*self._asked, "|"] if time else []
        for value in values_in(text):
            self.heard.append(Heard(value.kind, value.text, _before(asked, text, value.start), time))
        for name in names_in(text):
            self.heard.append(Heard("name", name.text, _before(asked, text, name.start), time, name.sure))
        if text.strip():
            self._said.add(phrase_of(text))
        self.sentences.append((phrase_of(text), frozenset(asked[-_AROUND:]), time))
        if time:
            self._asked = []

    def _refer(self, text: str) -> None:
        """Find the record that a sentence names: the one with most of its own values in it."""
        latest = [told for told in self.records if told.batch == self.records[-1].batch]
        if len(latest) < 2:
            return
        sentence = Sentences()
        sentence.add(text)
        hits = [
            {value for values in told.fields.values() for value in values if stands_in(sentence, value)}
            for told in latest
        ]
        shared = set.intersection(*hits)
        counts = [len(found - shared) for found in hits]
        if max(counts) > 0:
            self._named = latest[counts.index(max(counts))]


def part_of(value: str, part: str) -> str:
    """The first or the last of several capitalised words, as a first name is; empty if they are none."""
    words = value.split()
    if not 2 <= len(words) <= _MOST_PARTS or not all(word[:1].isalpha() for word in words):
        return ""
    return words[0] if part == FIRST else words[-1]


def parted(name: str) -> tuple[str, str]:
    """The name of a gap without what says that a part of the value stands there; and that.

    >>> parted("name.first"), parted("name")
    (('name', '.first'), ('name', ''))
    """
    part = next((part for part in PARTS if name.endswith(part)), "")
    return name.removesuffix(part), part


def values_of(told: Told, name: str) -> list[str]:
    """The values of a record's field, by its path or the last part of it."""
    name, part = parted(name)
    if part:
        return [found for value in values_of(told, name) if (found := part_of(value, part))]
    values = told.fields.get(name)
    if values is None:
        values = next((of for path, of in told.fields.items() if path.rpartition(".")[2] == name), [])
    return [value for value in values if value.strip()]


def words_before(text: str, place: int, names: Iterable[str] = ()) -> frozenset[str]:
    """The words before a place in a text that tell what stands there, with those of a name such as a key of JSON."""
    words = [part for name in names for part in BETWEEN.split(name.lower()) if part]
    return frozenset((*words, *map(bare, text[:place].split()[-_AROUND:])))


def _before(asked: list[str], text: str, place: int) -> frozenset[str]:
    return frozenset([*asked, *map(bare, text[:place].split())][-_AROUND:])
