"""What one conversation holds: its records, its profile and notes, what the user said and what was answered.

A value that stands in none of these is not said in it (:mod:`tasksieve.encoding.slots`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Literal

from tasksieve.dialogs import Record
from tasksieve.dialogs.record import KNOWLEDGE_BASE
from tasksieve.encoding.around import AROUND, asked_before
from tasksieve.encoding.calls_made import CallsMade
from tasksieve.encoding.days import days_from_today, is_one_of, todays_in
from tasksieve.encoding.heard import Heard
from tasksieve.encoding.names import fields_of
from tasksieve.encoding.phrases import SPELLED, Phrase, Phrases, Said, phrase_of
from tasksieve.encoding.searched import Sentences, says, stands_in, telling
from tasksieve.encoding.spoken_names import names_in
from tasksieve.encoding.taken_back import meant, taken_back
from tasksieve.encoding.told import Told, agree, is_replaced, values_of
from tasksieve.encoding.values import Value, alike, canonical, digits_in, same, values_in

Source = Literal["user", "profile", "note", "record", "system"]


class Held:
    """What a conversation holds so far.

    Attributes:
        records: in the order they came.
        heard: values that the user said, or that the profile and notes hold; the latest last.
        digits: numbers of one digit that the user said; the latest last.
        phrases: values of records that can be looked for in sentences.
        present: the dates that a note says is today's.
        sentences: what the user, profile and notes meant (:func:`tasksieve.encoding.taken_back.meant`), with the
            words asked before and the time; the latest last.
        calls: of tools so far.
        last: what the system said last, if it had a word; a response that is due has none.
    """

    def __init__(self) -> None:
        self.last = ""
        self.records: list[Told] = []
        self.heard: list[Heard] = []
        self.digits: list[Heard] = []
        self.sentences: list[tuple[Phrase, frozenset[str], int]] = []
        self.phrases: Phrases[str] = Phrases()
        self.present: list[Value] = []
        self._given, self._answered, self._said = Sentences(), Sentences(), Said()
        self._fields: dict[Phrase | str, list[tuple[Told, str, str]]] = defaultdict(list)
        self._named: Told | None = None
        self._offered: set[Hashable] = set()
        self._earlier: dict[str, list[Told]] = defaultdict(list)
        self._together: dict[str, list[Told]] = defaultdict(list)
        self.calls = CallsMade()
        self._denies = False
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
        self.present += todays_in(text)
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
        told.offered = told.key in self._offered
        self._replace(told)
        for path, values in fields.items():
            for value in values:
                phrase, form = canonical(value)
                for key in (phrase, *(() if form is None else (form.key,))):
                    self._fields[key].append((told, path, value))
                if telling(value):
                    self.phrases.add(phrase, value)

    def _replace(self, newer: Told) -> None:
        """Put records of earlier batches into the past that speak of something else of its kind."""
        earlier, batch = self._earlier[newer.kind], self._together[newer.kind]
        if batch and batch[0].batch != newer.batch:
            earlier += batch
            batch.clear()
        batch.append(newer)
        for older in earlier:
            older.past = is_replaced(older, newer)
        earlier[:] = [older for older in earlier if not older.past]

    def hear(self, utterance: str) -> None:
        """Know what the user says."""
        self._time += 1
        self._batch += 1
        self._hear(utterance, self._time)
        self.calls.hear(meant(utterance))
        self._refer(utterance)

    def answer(self, response: str) -> None:
        """Know what the system answered."""
        if any(map(str.isalnum, response)):
            self.last = response
        self._answered.add(response)
        self.calls.answer(response)
        self._asked = list(phrase_of(response))[-2 * AROUND :]
        for told in self._refer(response):
            told.offered = True
            self._offered.add(told.key)

    def is_denied(self, text: str, since: int = -1) -> bool:
        """Whether the user has taken a value back and not said it again, after so many utterances."""
        if not self._denies:
            return False
        said = [
            heard.denied for heard in (*self.heard, *self.digits) if heard.time > since and alike(heard.text, text)
        ]
        return bool(said) and said[-1]

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
        ) or is_one_of(value, (one.text for one in self.heard if one.kind == "date"), self.dates(), self.present)

    def dates(self) -> list[Value]:
        """The dates that the conversation holds; only the present one where a note tells it."""
        known = (value for values in self._given.values.values() for value in values if value.kind == "date")
        return self.present or list(known)

    def says(self, phrase: Phrase, *, answered: bool = True) -> bool:
        """Whether some words stand in the conversation, one after the other."""
        return any(says(sentences, phrase) for sentences in self._all(answered))

    def counts(self, number: str) -> bool:
        """Whether a number of one digit or two stands in the conversation, or is how many records came last.

        Where there are no records, one of two digits counts nothing, and may be said.
        """
        came = sum(told.batch == self.records[-1].batch for told in self.records) if self.records else 0
        if len(number) == 1 and any(self.says((word,)) for word in SPELLED[int(number)]):
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

    def fields(self, name: str, entity: int = -1, *, fresh: bool = False) -> Iterator[tuple[Told, list[str]]]:
        """The records with a field of this name, in the order of :meth:`in_order`."""
        for told in self.in_order(entity, fresh=fresh):
            values = values_of(told, name)
            if values:
                yield told, values

    def in_order(self, entity: int = -1, *, fresh: bool = False) -> list[Told]:
        """The records that can be spoken of: those of an entity, the one named last, then the latest in their order.

        Triples are none of them, and neither is what is past, unless it is of the entity. Where a record was named,
        and no entity is given, others of its kind that say something else are none either, but where they are fresh.

        Args:
            entity: its number, -1 for none.
            fresh: whether those that the system has not spoken of come first, as where it offers another one.
        """
        named = None if fresh or entity >= 0 else self._named
        return sorted(
            (
                told
                for told in self._present(entity)
                if named is None or told.kind != named.kind or agree(told, named)
            ),
            key=lambda told: (fresh and told.offered, *self._place(told, entity)),
        )

    def is_past(self, entity: int) -> bool:
        """Whether records of others have come since all that was told of an entity."""
        its = [told for told in self.records if told.entity == entity]
        return bool(its) and all(told.past for told in its)

    def is_fresh(self, values: Sequence[str]) -> bool:
        """Whether values are those of a record that nobody has spoken of yet."""
        best, most = None, 0
        for told in sorted(self._present(), key=lambda told: self._place(told, -1)):
            own = [value for found in told.fields.values() for value in found]
            having = sum(any(alike(value, other) for other in own) for value in values)
            if having > most:
                best, most = told, having
        return best is not None and best is not self._named and not best.offered

    def _present(self, entity: int = -1) -> Iterator[Told]:
        """All but triples, and but what is past and not of the entity."""
        for told in self.records:
            if told.kind != KNOWLEDGE_BASE and (not told.past or told.entity == entity >= 0):
                yield told

    def _place(self, told: Told, entity: int) -> tuple[bool, bool, int]:
        return entity < 0 or told.entity != entity, told is not self._named, -told.batch

    def _all(self, answered: bool) -> tuple[Sentences, ...]:
        return (self._given, self._answered) if answered else (self._given,)

    def _hear(self, text: str, time: int) -> None:
        self._given.add(text)
        asked = [*self._asked, "|"] if time else []
        denied = taken_back(text) if time else frozenset()
        self._denies |= bool(denied)
        names = names_in(text)
        for value in values_in(text):
            if any(name.start < value.end <= name.end and value.kind == "date" for name in names):
                continue  # of a street that is called after a day
            before = asked_before(asked, text, value.start)
            self.heard.append(Heard(value.kind, value.text, before, time, True, (value.start, value.end) in denied))
        for value in digits_in(text) if time else ():
            before = asked_before(asked, text, value.start)
            self.digits.append(Heard("number", value.text, before, time, True, (value.start, value.end) in denied))
        for start, end, day in days_from_today(text, self.present) if time else ():
            before = asked_before(asked, text, start)
            self.heard.append(Heard("date", day.isoformat(), before, time, True, (start, end) in denied))
        for name in names:
            before = asked_before(asked, text, name.start)
            self.heard.append(Heard("name", name.text, before, time, name.sure, (name.start, name.end) in denied))
        if text.strip():
            self._said.add(phrase_of(text))
        self.sentences.append((meant(text) if time else phrase_of(text), frozenset(asked[-AROUND:]), time))
        if time:
            self._asked = []

    def _refer(self, text: str) -> list[Told]:
        """Find the record of those that came last that a sentence names: the one with most of its own values in it.

        Returns: it, and all that have as many.
        """
        latest = [told for told in self.records if told.batch == self.records[-1].batch]
        if not latest:
            return []
        sentence = Sentences()
        sentence.add(text)
        hits = [
            {value for values in told.fields.values() for value in values if stands_in(sentence, value)}
            for told in latest
        ]
        shared = set.intersection(*hits) if len(hits) > 1 else set()
        counts = [len(found - shared) for found in hits]
        most = max(counts)
        if most == 0:
            return []
        if len(latest) > 1:
            self._named = latest[counts.index(most)]
        return [told for told, count in zip(latest, counts, strict=True) if count == most]
