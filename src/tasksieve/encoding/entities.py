"""What a dialog's facts are about, and how responses name it.

A fact is read as entity, relation and value, e.g. ``resto_rome_1 R_rating 8``. A response that names an entity, or
what only that entity has, such as its phone number, is a template with gaps (``what do you think of this option:
<entity>``, ``here it is <r_phone>``) and a choice among the entities that the dialog knows. These are told from each
other by their descriptions: the values of their facts, whether the user asked for such a value, whether they were
named before. So an entity that no training dialog knows can be chosen like any other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tasksieve.dialogs import Dialog, Fact

ENTITY = "<entity>"
"""What stands for an entity's name."""
HEARD, NAMED, LATEST = ":heard", ":named", ":latest"
"""Words of descriptions: the user said this value; a response named the entity; nobody named another one since."""
_PUNCTUATION = ".,;:!?"
_FEWEST = 10
_ORDINARY = 0.1
"""Names are said more rarely than this, as a share, where no fact has told of them."""
_OF_ENTITIES = ""
"""Where the names of entities themselves come from, beside relations."""


def placeholder(relation: str) -> str:
    """What stands for an entity's own value of a relation."""
    return f"<{relation}>"


@lru_cache(maxsize=1 << 16)
def statement(text: str) -> tuple[str, str, str] | None:
    """Entity, relation (in lower case) and value of a fact's text; None if it has fewer than three words."""
    words = text.split(maxsplit=2)
    return (words[0], words[1].lower(), words[2]) if len(words) == 3 else None


def naming_relations(*tasks: Iterable[Dialog]) -> frozenset[str] | None:
    """The relations whose values are names, told from dialogs.

    Such values have one word each, no two entities have the same (fewer than ten entities are too few to tell), and
    they are hardly ever said where no fact tells of them.

    Returns: None if that is not so of the entities themselves: what facts are about are ordinary words then.
    """
    dialogs = [dialog for task in tasks for dialog in task]
    relations = _owned(dialogs)
    sources = {_OF_ENTITIES, *relations}
    names: dict[str, str] = {}
    for fact in _statements(dialogs):
        names.update(_names_of(fact, sources))
    told, untold = _said(dialogs, names, sources)
    ordinary = {source for source in sources if untold[source] > _ORDINARY * (told[source] + untold[source])}
    return None if _OF_ENTITIES in ordinary else frozenset(relations - ordinary)


def _owned(dialogs: Iterable[Dialog]) -> set[str]:
    """The relations in which every value has one word and belongs to one entity."""
    owners: dict[str, dict[str, str]] = defaultdict(dict)
    shared: set[str] = set()
    for entity, relation, value in _statements(dialogs):
        if owners[relation].setdefault(value, entity) != entity or " " in value:
            shared.add(relation)
    return {name for name, of in owners.items() if name not in shared and len(set(of.values())) >= _FEWEST}


def _said(
    dialogs: Iterable[Dialog], names: Mapping[str, str], sources: set[str]
) -> tuple[Counter[str], Counter[str]]:
    """How often names of each source are said after a fact told of them, and otherwise."""
    told: Counter[str] = Counter()
    untold: Counter[str] = Counter()
    for dialog in dialogs:
        known: set[str] = set()
        for event in dialog.events:
            if isinstance(event, Fact):
                found = statement(event.text.lower())
                known.update(() if found is None else _names_of(found, sources))
                continue
            for word in KnownEntities.words(f"{event.user} {event.system}") & names.keys():
                (told if word in known else untold)[names[word]] += 1
    return told, untold


def _names_of(fact: tuple[str, str, str], sources: set[str]) -> dict[str, str]:
    """The names in a fact, with their sources."""
    entity, relation, value = fact
    return {entity: _OF_ENTITIES, **({value: relation} if relation in sources else {})}


def _statements(dialogs: Iterable[Dialog]) -> Iterator[tuple[str, str, str]]:
    """Of all facts, in lower case."""
    for dialog in dialogs:
        for event in dialog.events:
            found = statement(event.text.lower()) if isinstance(event, Fact) else None
            if found is not None:
                yield found


@dataclass(slots=True)
class _Entity:
    """An entity of a dialog: how it is written, its own values by placeholder, its other ones with their words."""

    name: str
    own: dict[str, str] = field(default_factory=dict)
    values: dict[str, frozenset[str]] = field(default_factory=dict)


class KnownEntities:
    """The entities that a dialog knows, as it goes on.

    Args:
        naming: relations whose values are names.
        profile: words that describe the user, who asks for them from the start.
    """

    def __init__(self, naming: frozenset[str], profile: Iterable[str] = ()) -> None:
        self._naming = naming
        self._entities: list[_Entity] = []
        self._numbers: dict[str, int] = {}
        self._names: dict[str, tuple[int, str]] = {}
        self._value_words: set[str] = set()
        self._heard = {word.lower() for word in profile}
        self._named: set[int] = set()
        self._latest = -1
        self._descriptions: tuple[tuple[str, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self._entities)

    @property
    def names(self) -> Iterable[str]:
        """All names, of entities and of what only one of them has, in lower case."""
        return self._names

    @staticmethod
    def words(text: str) -> set[str]:
        """The words of a sentence as :attr:`names` has them."""
        return {_core(word).lower() for word in text.split()}

    def learn(self, fact: Fact) -> None:
        """Know what a fact says."""
        found = statement(fact.text)
        if found is None:
            return
        name, relation, value = found
        key = name.lower()
        if key not in self._numbers:
            self._numbers[key] = len(self._entities)
            self._entities.append(_Entity(name))
            self._names[key] = self._numbers[key], ENTITY
        entity = self._entities[self._numbers[key]]
        if relation in self._naming and " " not in value:
            entity.own.setdefault(placeholder(relation), value)
            self._names.setdefault(value.lower(), (self._numbers[key], placeholder(relation)))
        else:
            words = value.lower().split()
            self._value_words.update(words)
            entity.values[f"{relation}={'_'.join(words)}"] = frozenset(words)
        self._descriptions = None

    def hear(self, utterance: str) -> None:
        """Know what the user asks for."""
        new = set(utterance.lower().split()) - self._heard
        self._heard |= new
        if new & self._value_words:
            self._descriptions = None
        for number in self._named_in(utterance):
            self._refer(number)

    def name(self, response: str) -> None:
        """Know what a response names."""
        for number in self._named_in(response):
            self._refer(number)
            if number not in self._named:
                self._named.add(number)
                self._descriptions = None

    def replaced(self, text: str) -> str:
        """A sentence with placeholders for names."""
        if not self._names:
            return text
        words = text.split()
        if not any(_core(word).lower() in self._names for word in words):
            return text
        return " ".join(map(self._placed, words))

    def template(self, response: str) -> tuple[str, int]:
        """A response with gaps and the number of the entity that it names.

        Returns: the response as it is and -1, if it names none, or several.
        """
        named = set(self._named_in(response))
        return (self.replaced(response), named.pop()) if len(named) == 1 else (response, -1)

    def filled(self, template: str, entity: int) -> str | None:
        """A template with the gaps filled in for an entity; None if it lacks what belongs there."""
        chosen = self._entities[entity]
        text = template.replace(ENTITY, chosen.name)
        for relation in self._naming:
            gap = placeholder(relation)
            if gap in text:
                if gap not in chosen.own:
                    return None
                text = text.replace(gap, chosen.own[gap])
        return text

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

    def _named_in(self, text: str) -> list[int]:
        found = (self._names.get(_core(word).lower()) for word in text.split())
        return [name[0] for name in found if name is not None]

    def _refer(self, number: int) -> None:
        if number != self._latest:
            self._latest = number
            self._descriptions = None

    def _values(self, values: Mapping[str, frozenset[str]]) -> Iterable[str]:
        for value, words in values.items():
            yield value
            if words <= self._heard:
                yield value.partition("=")[0] + HEARD

    def _placed(self, word: str) -> str:
        core = _core(word)
        found = self._names.get(core.lower())
        return word if found is None else found[1] + word[len(core) :]


def has_gap(text: str, naming: frozenset[str]) -> bool:
    """Whether a candidate is a template."""
    return "<" in text and (ENTITY in text or any(placeholder(relation) in text for relation in naming))


def _core(word: str) -> str:
    return word.rstrip(_PUNCTUATION)
