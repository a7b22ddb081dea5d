"""What training dialogs tell of gaps and of policy.

A value that stands in responses of at least :data:`FEWEST_CUSTOMERS` dialogs with different customers, in which
nobody told it, is policy if no dialog's records, profile or user tell it anywhere.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tasksieve.dialogs import Dialog, Note, Record, Turn
from tasksieve.encoding.calls import argument_key, call_values, is_call
from tasksieve.encoding.date_words import WEEKDAYS
from tasksieve.encoding.fillings import chosen, of_records
from tasksieve.encoding.gaps import gaps_in
from tasksieve.encoding.german import is_german
from tasksieve.encoding.held import Held
from tasksieve.encoding.names import fields_of
from tasksieve.encoding.newest import NewestEvidence
from tasksieve.encoding.phrases import STOP, Phrase, Phrases, phrase_of
from tasksieve.encoding.searched import telling
from tasksieve.encoding.slots import Slots
from tasksieve.encoding.spoken_names import names_in, words_of_names
from tasksieve.encoding.told import parted
from tasksieve.encoding.values import Kind, values_in

FEWEST_CUSTOMERS = 3
_MOST_KNOWN = 500
_SHORTEST = 3

Customer = object


def digest(note: Note) -> str:
    """By what a note is known again."""
    return hashlib.sha256(note.text.encode()).hexdigest()[:16]


def slots_of(*tasks: Sequence[Dialog], reserved: frozenset[str] = frozenset()) -> Slots:
    """What all tasks together tell of gaps and policy.

    Args:
        tasks: training dialogs.
        reserved: placeholders that stand for what an entity has.
    """
    dialogs = [dialog for task in tasks for dialog in task]
    shared = _shared_notes(dialogs)
    evidence = _Evidence()
    for dialog in dialogs:
        evidence.add(dialog, shared)
    return evidence.slots(dialogs, reserved, shared)


def holding(dialog: Dialog, shared: frozenset[str] = frozenset()) -> Iterator[tuple[Turn, Held]]:
    """Each turn of a dialog with what the conversation holds when its response is due; one object that goes on."""
    held = Held()
    held.profile(dialog.profile)
    for event in dialog.events:
        if isinstance(event, Turn):
            held.hear(event.user)
            yield event, held
            held.answer(event.system)
        elif isinstance(event, Note):
            held.note(event.text, fills=digest(event) not in shared)
        else:
            held.tell(event)


@dataclass(slots=True)
class _Evidence:
    """What was seen so far.

    Attributes:
        kinds, known: of gaps, by their names.
        untold: by key of a value, argument or word: the customers to whom it was said though nobody told it.
        told: keys of the values that are in records, profiles, notes of one dialog or the user's words.
        lexicon: values that records hold or that are annotated, and names.
        parts: single words of longer names.
        small: words in lower case in responses, with the number of dialogs.
        capital: words of what looks like names in responses.
        nouns: such words that some German response has though nobody told them.
        newest: whether records or what the user has said since fill gaps.
    """

    kinds: dict[str, Counter[Kind]] = field(default_factory=lambda: defaultdict(Counter))
    known: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    untold: dict[str, set[Customer]] = field(default_factory=lambda: defaultdict(set))
    told: set[str] = field(default_factory=set)
    lexicon: dict[Phrase, None] = field(default_factory=dict)
    parts: set[Phrase] = field(default_factory=set)
    small: Counter[str] = field(default_factory=Counter)
    capital: set[str] = field(default_factory=set)
    nouns: set[str] = field(default_factory=set)
    responses: dict[str, None] = field(default_factory=dict)
    newest: NewestEvidence = field(default_factory=NewestEvidence)

    def add(self, dialog: Dialog, shared: frozenset[str]) -> None:
        """Count a dialog in."""
        customer = self._told(dialog, shared)
        german = is_german(" ".join(turn.system for turn in dialog.turns if not is_call(turn.system)))
        for turn, held in holding(dialog, shared):
            self.responses[turn.system] = None
            self._gaps(turn, held)
            for key in self._untold(turn.system, held):
                self.untold[key].add(customer)
                if german and key.startswith("w:"):
                    self.nouns.add(key[2:])
        words = (word for turn in dialog.turns for word in turn.system.split() if word.islower())
        self.small.update({phrase[0] for word in words if (phrase := phrase_of(word))})

    def _told(self, dialog: Dialog, shared: frozenset[str]) -> Customer:
        """Take what the dialog tells; returns what tells its customer from others."""
        own: set[str] = set()
        said: list[str] = []
        for event in dialog.events:
            if isinstance(event, Record):
                for _, value in fields_of(event):
                    self._value(value)
                    said.append(value)
            elif isinstance(event, Turn):
                said.append(event.user)
                self.lexicon.update((phrase_of(event.system[s.start : s.end]), None) for s in event.spans)
            elif digest(event) not in shared:
                said.append(event.text)
        for text in (*said, " ".join(dialog.profile)):
            own.update(value.key for value in values_in(text))
            for name in names_in(text):
                if name.sure:
                    self._value(name.text)
                    own.add(name.text.lower())
        self.told |= own
        return frozenset(own) or tuple(said)

    def _value(self, value: str) -> None:
        phrase = phrase_of(value)
        if len(phrase) > 1 or (phrase and len(phrase[0]) >= _SHORTEST and phrase[0] not in STOP):
            self.lexicon[phrase] = None
        if len(phrase) > 1 and telling(value):  # a part of a person's name names them too
            parts = [word for word in value.split() if word[:1].isupper()]
            for part in map(phrase_of, parts if len(parts) == len(phrase) else ()):
                if len(part[0]) >= _SHORTEST and part[0] not in STOP:
                    self.parts.add(part)

    def _gaps(self, turn: Turn, held: Held) -> None:
        gaps, call = gaps_in(turn.system, turn.spans, held), is_call(turn.system)
        spoken_of = chosen({(gap.name, None) for gap in gaps}, held, -1)
        for gap in gaps:
            self.kinds[gap.name][gap.kind] += 1
            self.newest.written.count(gap.name, gap.text, number=gap.kind == "number", call=call)
            if found := of_records((gap.name, None), spoken_of, held, -1, ()):
                heard = [one.text for one in held.heard if one.time > found[1].batch and one.kind == gap.kind]
                self.newest.count(gap.name, gap.text, call=call, recorded=found[0], heard=heard)
            self.lexicon[phrase_of(gap.text)] = None
            if (
                gap.kind in ("name", "text")
                and parted(gap.name)[0] != "name"
                and not parted(gap.name)[1]
                and len(self.known[gap.name]) < _MOST_KNOWN
            ):
                self.known[gap.name][gap.text] = None

    def _untold(self, response: str, held: Held) -> Iterable[str]:
        if is_call(response):
            for key, value in call_values(response):
                if not held.says(phrase_of(value), answered=False):
                    yield argument_key(key, value)
            return
        for form in values_in(response):
            if not held.holds(form, answered=False):
                yield form.key
        names = words_of_names(response)
        self.capital.update(names)
        for word in {*phrase_of(response), *names}:
            if not held.says((word,), answered=False):
                yield f"w:{word}"

    def slots(self, dialogs: Sequence[Dialog], reserved: frozenset[str], shared: frozenset[str]) -> Slots:
        """All of it together."""
        untold = {key for key, customers in self.untold.items() if len(customers) >= FEWEST_CUSTOMERS}
        small = set(self.small)
        common = {key[2:] for key in untold if key.startswith("w:") and key[2:].isalpha()}
        ordinary_parts = {
            word for word, times in self.small.items() if times >= FEWEST_CUSTOMERS or f"w:{word}" in self.untold
        }
        self.lexicon |= dict.fromkeys(part for part in sorted(self.parts) if part[0] not in ordinary_parts)
        values = [phrase for phrase in self._in_responses() if not self._is_common(phrase, common, small)]
        named = {phrase[0] for phrase in values if len(phrase) == 1}
        ordinary = {word for word in self.capital if word in small or word in common or word in self.nouns} - named
        policy = {
            key for key in untold if not key.startswith("w:") and (key.startswith("a:") or key not in self.told)
        }
        policy |= {key for key in untold if key.startswith("w:") and key[2:] in WEEKDAYS and key not in self.told}
        return Slots(
            {name: tuple(sorted(kinds)) for name, kinds in sorted(self.kinds.items())},
            {name: tuple(sorted(known)) for name, known in sorted(self.known.items()) if known},
            sorted(map(" ".join, values)),
            policy,
            ordinary,
            reserved,
            shared,
            self.newest.newest(),
        )

    def _is_common(self, phrase: Phrase, common: set[str], small: set[str]) -> bool:
        """Whether a value is an ordinary word, which the system says by itself."""
        return len(phrase) == 1 and (phrase[0] in STOP or (phrase[0] in common and phrase[0] in small))

    def _in_responses(self) -> list[Phrase]:
        """Those values that stand in some response."""
        phrases: Phrases[Phrase] = Phrases()
        for phrase in self.lexicon:
            phrases.add(phrase, phrase)
        found = dict.fromkeys(phrase for text in self.responses for _, _, phrase in phrases.find(text.split()))
        words = {word for text in self.responses for word in phrase_of(text)}
        found |= dict.fromkeys(phrase for phrase in self.lexicon if len(phrase) == 1 and phrase[0] in words)
        return [phrase for phrase in found if not all(word in STOP for word in phrase)]


def _shared_notes(dialogs: Sequence[Dialog]) -> frozenset[str]:
    counts = Counter(
        found for dialog in dialogs for found in {digest(event) for event in dialog.events if isinstance(event, Note)}
    )
    return frozenset(found for found, times in counts.items() if times >= FEWEST_CUSTOMERS)
