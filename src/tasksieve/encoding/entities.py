"""What a dialog's records are about, and how responses name it.

A response that names an entity, or what only that entity has, such as its telephone number, is a template with gaps
(``what do you think of this option: <entity>``, ``here it is <r_phone>``) and a choice among the entities that the
dialog knows. These are told from each other by their descriptions: the values of their records, whether the user
asked for such a value, whether they were named before. So an entity that no training dialog knows can be chosen like
any other. :mod:`tasksieve.encoding.names` says what is a name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tasksieve.dialogs import Record
from tasksieve.encoding.names import ENTITY, Names, fields_of
from tasksieve.encoding.phrases import Phrases, Said, phrase_of, put_in_place

HEARD, NAMED, LATEST = ":heard", ":named", ":latest"
"""Words of descriptions: the user said this value; a response named the entity; nobody named another one since."""


@dataclass(slots=True)
class _Entity:
    """An entity of a dialog: what fills its gaps, and of which fields that is; its other values with their words."""

    names: dict[str, str] = field(default_factory=dict)
    fields: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    values: dict[str, frozenset[str]] = field(default_factory=dict)


class KnownEntities:
    """The entities that a dialog knows, as it goes on.

    Args:
        names: which fields of records give names.
        profile: words that describe the user, who asks for them from the start.
    """

    def __init__(self, names: Names, profile: Iterable[str] = ()) -> None:
        self._of = names
        self._gaps = names.gaps()
        self._entities: list[_Entity] = []
        self._names: Phrases[tuple[int, str, str]] = Phrases()
        self._value_words: set[str] = set()
        self._heard = {word.lower() for word in profile}
        self._utterances = Said()
        self._named: set[int] = set()
        self._latest = -1
        self._by = ("", "")
        self._came, self._said = -1, True
        self._descriptions: tuple[tuple[str, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self._entities)

    @property
    def names(self) -> Phrases[tuple[int, str, str]]:
        """All names, of entities and of what only one of them has: entity, placeholder, and the name as written."""
        return self._names

    def learn(self, record: Record) -> int | None:
        """Know what a record says.

        Returns: the number of its entity; None for one without names, which is of none.
        """
        fields = fields_of(record)
        gaps: dict[str, str] = {}
        paths: dict[str, str] = {}
        for path, value in fields:
            gap = self._of.gap_of(record.kind, path)
            if gap is not None and phrase_of(value):
                gaps.setdefault(gap, value)
                paths.setdefault(gap, "_".join(path.split()))
        if not gaps:
            return None
        number = self._number(gaps)
        if self._said:  # the first of those that come together
            self._came, self._said = number, False
        entity = self._entities[number]
        for gap, value in gaps.items():
            if entity.names.setdefault(gap, value).lower() == value.lower():
                entity.fields[gap].add((record.kind, paths[gap]))
            self._names.add(phrase_of(value), (number, gap, value))
            if phrase_of(value) in self._utterances:
                self._refer(number, gap, value)
        for path, value in fields:
            if self._of.gap_of(record.kind, path) is None:
                words = value.lower().split()
                self._value_words.update(words)
                entity.values[f"{'_'.join(path.split())}={'_'.join(words)}"] = frozenset(words)
        self._descriptions = None
        return number

    def hear(self, utterance: str) -> None:
        """Know what the user asks for."""
        self._said = True
        self._utterances.add(phrase_of(utterance))
        new = set(utterance.lower().split()) - self._heard
        self._heard |= new
        if new & self._value_words:
            self._descriptions = None
        for found in self._found_in(utterance):
            self._refer(*found)

    def name(self, response: str) -> None:
        """Know what a response names."""
        self._said = True
        for number, gap, value in self._found_in(response):
            self._refer(number, gap, value)
            if number not in self._named:
                self._named.add(number)
                self._descriptions = None

    def replaced(self, text: str) -> str:
        """A sentence with placeholders for names; as it is if it has none."""
        words = text.split()
        named = list(self._names.find(words)) if len(self._names) else []
        if not named:
            return text
        parts, place = [], 0
        for start, end, (_, gap, value) in named:
            parts += [*words[place:start], put_in_place(words, start, end, value, gap)]
            place = end
        return " ".join([*parts, *words[place:]])

    def template(self, response: str) -> tuple[str, int]:
        """A response with gaps and the number of the entity that it names.

        Returns: the response as it is and -1, if it names none, or several.
        """
        named = set(self.named_in(response))
        return (self.replaced(response), named.pop()) if len(named) == 1 else (response, -1)

    def filled(self, template: str, entity: int) -> str | None:
        """A template with the gaps filled in for an entity; None if it lacks what belongs there."""
        text, names = template, self._entities[entity].names
        for gap in self._gaps:
            if gap in template:
                if gap not in names:
                    return None
                text = text.replace(gap, names[gap])
        return text

    def has_gap(self, template: str) -> bool:
        """Whether a template has a gap for what an entity has."""
        return any(gap in template for gap in self._gaps)

    def gaps(self, template: str) -> list[str]:
        """The gaps of a template that stand for what an entity has."""
        return sorted(gap for gap in self._gaps if gap in template)

    def told(self, entity: int, gap: str) -> tuple[str, frozenset[tuple[str, str]]]:
        """What fills a gap for an entity, empty for nothing, and the kinds and paths of the fields that say so."""
        known = self._entities[entity]
        return known.names.get(gap, ""), frozenset(known.fields.get(gap, ()))

    def spoken_of(self) -> list[int]:
        """The numbers of the entities, the one that is spoken of first, then those known last.

        Spoken of is the one that was named last, or the first of those that have come since. What several have in
        common, as two customers a date, names the one that came last.
        """
        first = self._came
        if first < 0:
            gap, value = self._by
            first = max(
                (number for number, one in enumerate(self._entities) if one.names.get(gap, "").lower() == value),
                default=self._latest,
            )
        others = [number for number in reversed(range(len(self._entities))) if number != first]
        return [first, *others] if first >= 0 else others

    def named_in(self, text: str) -> list[int]:
        """The numbers of the entities that a text names, in the order in which it does."""
        return [number for number, _, _ in self._found_in(text)]

    def descriptions(self) -> tuple[tuple[str, ...], ...]:
        """The words that describe each entity now; the same object as before if nothing changed."""
        if self._descriptions is None:
            self._descriptions = tuple(
                (
                    *self._values(entity.values),
                    *((NAMED,) if number in self._named else ()),
                    *((LATEST,) if number == self._latest else ()),
                )
                for number, entity in enumerate(self._entities)
            )
        return self._descriptions

    def _number(self, gaps: Mapping[str, str]) -> int:
        """The number of the entity that has these names, by their placeholders, or of a new one.

        A record is of the entity with its first name, or without one, of that with any of its names; but of another
        entity if they differ in a name, as two people of one name do in their telephone numbers.
        """
        for gap in [ENTITY] if ENTITY in gaps else gaps:
            phrase = phrase_of(gaps[gap])
            if phrase in self._names and self._names[phrase][1] == gap:
                number = self._names[phrase][0]
                known = self._entities[number].names
                if all(known.get(gap, value).lower() == value.lower() for gap, value in gaps.items()):
                    return number
        self._entities.append(_Entity())
        return len(self._entities) - 1

    def _found_in(self, text: str) -> list[tuple[int, str, str]]:
        """The entities that a text names, each with the placeholder of what names it, and with that."""
        return [found for _, _, found in self._names.find(text.split())] if len(self._names) else []

    def _refer(self, number: int, gap: str, value: str) -> None:
        self._came, self._by = -1, (gap, value.lower())
        if number != self._latest:
            self._latest = number
            self._descriptions = None

    def _values(self, values: Mapping[str, frozenset[str]]) -> Iterable[str]:
        for value, words in values.items():
            yield value
            if words <= self._heard:
                yield value.partition("=")[0] + HEARD
