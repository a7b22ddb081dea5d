"""Gaps for values of a conversation, and what may be said in it.

A value in a response that comes from the conversation (its records, the profile, a note, the user's words) is a gap,
such as ``<phone_number>``, which is filled from the conversation that is going on. A value that is no gap may be said
only where the conversation holds it too; unless it is policy, as "24 hours" is: :func:`Slots.foreign` says which
values of a text may not.

Gaps of records are filled from one record, the one that is spoken of: the entity chosen, else the record named last,
else the first of the latest that has most of what belongs into the gaps. What only the user said is filled by form,
by the words around it, and the latest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tasksieve.dialogs import Span
from tasksieve.encoding.around import words_before
from tasksieve.encoding.calls import argument_at, argument_key, call_values, is_call
from tasksieve.encoding.entities import KnownEntities
from tasksieve.encoding.fillings import MARK, Wanted, chosen, of_records, put
from tasksieve.encoding.gap_types import UNTYPED, GapType
from tasksieve.encoding.gaps import gaps_in, places_of, with_gaps
from tasksieve.encoding.held import Held
from tasksieve.encoding.literal import Literal, is_held
from tasksieve.encoding.newest import Newest
from tasksieve.encoding.phrases import Phrase, Phrases, phrase_of
from tasksieve.encoding.sources import Gapped, sources_of
from tasksieve.encoding.spoken_names import words_of_names
from tasksieve.encoding.suiting import Suiting, said_again
from tasksieve.encoding.values import KINDS, Kind, alike, canonical, values_in

_NUMBERED = re.compile(r"(.+)_(\d+)")
_HIDDEN = "…"
_MOST_REMEMBERED = 20_000


class Slots:
    """What gaps there are and which values are policy, as learned from training dialogs.

    Args:
        kinds: of what forms the values of each gap's name are.
        known: values of slots that are told by no form, by the gap's name.
        values: what is a value though its form does not tell, e.g. names of people that records hold.
        policy: keys of values that may always be said.
        ordinary: words, in lower case, that are no names though they are capitalised.
        reserved: placeholders that stand for what an entity has.
        shared: digests of notes that many dialogs share; what they tell fills no gap.
        newest: whether a gap is filled with what a record says, or with what the user has said since.
    """

    def __init__(
        self,
        kinds: Mapping[str, Sequence[Kind]] | None = None,
        known: Mapping[str, Sequence[str]] | None = None,
        values: Iterable[str] = (),
        policy: Iterable[str] = (),
        ordinary: Iterable[str] = (),
        reserved: Iterable[str] = (),
        shared: Iterable[str] = (),
        newest: Newest | None = None,
    ) -> None:
        self.newest = newest or Newest()
        self.kinds = {name: tuple(found) for name, found in (kinds or {}).items()}
        self.known = {name: tuple(found) for name, found in (known or {}).items()}
        self.values, self.policy = tuple(values), frozenset(policy)
        self.ordinary, self.reserved, self.shared = frozenset(ordinary), frozenset(reserved), frozenset(shared)
        self._values: Phrases[str] = Phrases()
        for value in self.values:
            self._values.add(phrase_of(value), value)
        self._known: dict[str, Phrases[str]] = {}
        for name, found in self.known.items():
            self._known[name] = Phrases()
            for value in found:
                self._known[name].add(phrase_of(value), value)
        self._suiting = Suiting(self.kinds, self._known, self.newest)
        self._literals: dict[str, tuple[Literal, ...]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slots) and self.plain() == other.plain()

    def __hash__(self) -> int:
        return hash((self.values, self.policy))

    def plain(self) -> dict[str, Any]:
        """As JSON has it; :meth:`read` takes it back."""
        return {
            "kinds": {name: list(found) for name, found in self.kinds.items()},
            "known": {name: list(found) for name, found in self.known.items()},
            "values": list(self.values),
            **{name: sorted(getattr(self, name)) for name in ("policy", "ordinary", "reserved", "shared")},
            "newest": self.newest.plain(),
        }

    @classmethod
    def read(cls, value: object) -> Slots:
        """What :meth:`plain` gave. Raises: ValueError: if it is something else."""
        try:
            given = {str(name): found for name, found in value.items()}  # type: ignore[attr-defined]
            tables = {name: {str(key): list(map(str, of)) for key, of in given.pop(name).items()} for name in _TABLES}
            lists = {name: list(map(str, given.pop(name))) for name in _LISTS}
            newest = Newest.read(given.pop("newest", None))  # older runs have none
            if given or any(kind not in KINDS for kinds in tables["kinds"].values() for kind in kinds):
                raise ValueError
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(f"slots: found {str(value)[:80]}; expected what training writes") from None
        return cls(**tables, **lists, newest=newest)  # type: ignore[arg-type]

    def gaps(self, text: str) -> list[str]:
        """The placeholders in a text that are filled from the conversation, each once, in their order."""
        if "<" not in text:
            return []
        return [mark for mark in dict.fromkeys(MARK.findall(text)) if self._base(mark) is not None]

    def template(self, response: str, spans: Sequence[Span], held: Held, entities: KnownEntities) -> Gapped:
        """A response with gaps for what its conversation holds, and the entity it names.

        Args:
            response: as the system said it.
            spans: where values stand in it.
            held: what the conversation held before.
            entities: that it knows.
        """
        named, entity = entities.template(response)
        found = gaps_in(response, spans, held)
        if entity >= 0:
            own = list(places_of(response, entities.names))
            found = [gap for gap in found if not any(start < gap.end and gap.start < end for start, end in own)]
        if not found:
            return Gapped(named, named, entity, sources=sources_of({named: {}}, held, entities, entity))
        full, stands_for = with_gaps(response, found, self.reserved)
        all_marks = stands_for
        fresh = held.is_fresh([gap.text for gap in found])
        filled = self._fillings(full, held, entity)
        good = {mark for mark, gap in stands_for.items() if mark in filled and alike(filled[mark], gap.text)}
        exact = [gap for gap in found if any(alike(stands_for[mark].text, gap.text) for mark in good)]
        text, stands_for = with_gaps(response, exact, self.reserved)
        if len(exact) < len(found):  # the others are no longer there to tell which record is meant
            filled = self._fillings(text, held, entity)
            if not all(mark in filled and alike(filled[mark], gap.text) for mark, gap in stands_for.items()):
                exact, text, stands_for = [], response, {}
        if entity >= 0:
            text, full = entities.template(text)[0], entities.template(full)[0]
        sources = sources_of({full: all_marks, text: stands_for}, held, entities, entity)
        return Gapped(text, full, entity, len(found), len(exact), fresh, sources)

    def filled(
        self,
        template: str,
        held: Held,
        entity: int = -1,
        *,
        fresh: bool = False,
        types: Mapping[str, GapType] = UNTYPED,
    ) -> str | None:
        """A template with its gaps filled from a conversation; None if there is nothing to fill one with.

        Args:
            template: the gaps for what an entity has are filled already, or are none.
            held: what the conversation holds.
            entity: the entity that is spoken of, -1 for none.
            fresh: whether it speaks of a record that nobody has spoken of before, if there is one.
            types: of its gaps; one without a type is filled by its name alone.
        """
        gaps = self.gaps(template)
        if not gaps:
            return template
        fillings = self._fillings(template, held, entity, fresh=fresh, types=types)
        fillings = self._written(fillings, held, call=is_call(template))
        if any(gap not in fillings for gap in gaps):
            return None
        text = put(template, {gap: fillings[gap] for gap in gaps})
        return None if text is None or self.foreign(text, held, filled=True) else text

    def foreign(self, text: str, held: Held, *, filled: bool = False) -> list[str]:
        """The values in a text that a conversation does not hold, and that are no policy.

        Args:
            text: a response, or a template of one: gaps are no values.
            held: what the conversation holds.
            filled: whether gaps of the text were filled. What fills one may look like a longer value together with
                the words beside it; so it is enough that the conversation holds each word.
        """
        foreign = (literal.text for literal in self.literals(text) if not is_held(literal, held, filled=filled))
        return list(dict.fromkeys(foreign))

    def literals(self, text: str) -> tuple[Literal, ...]:
        """The values that stand in a text as they are and are no policy."""
        found = self._literals.get(text)
        if found is None:
            if len(self._literals) >= _MOST_REMEMBERED:
                self._literals.clear()
            found = self._literals[text] = tuple(self._literals_of(text))
        return found

    def _literals_of(self, text: str) -> Iterable[Literal]:
        text = MARK.sub(lambda mark: _HIDDEN if self._is_gap(mark[0]) else mark[0], text)
        if is_call(text):
            yield from self._of_call(text)
            return
        for form in values_in(text):
            if form.key not in self.policy:
                yield Literal(form.text, form)
        words: dict[Phrase, None] = {(word,): None for word in words_of_names(text) if word not in self.ordinary}
        words |= {phrase_of(value): None for _, _, value in self._values.find(text.split())}
        for phrase in words:
            yield Literal(" ".join(phrase), canonical(" ".join(phrase))[1], phrase)

    def _of_call(self, text: str) -> Iterable[Literal]:
        for key, value in call_values(text):
            if value != _HIDDEN and argument_key(key, value) not in self.policy:
                forms = values_in(value)
                form = forms[0] if len(forms) == 1 and forms[0].text == value else None
                yield Literal(value, form, phrase_of(value.replace(_HIDDEN, " ")))

    def _is_gap(self, mark: str) -> bool:
        return mark in self.reserved or self._base(mark) is not None

    def _base(self, mark: str) -> str | None:
        """The name of a gap, by its placeholder; None if it is none."""
        if mark in self.reserved:
            return None
        name = mark[1:-1]
        if name in self.kinds:
            return name
        numbered = _NUMBERED.fullmatch(name)
        return numbered[1] if numbered and numbered[1] in self.kinds else None

    def _fillings(
        self,
        template: str,
        held: Held,
        entity: int,
        *,
        fresh: bool = False,
        types: Mapping[str, GapType] = UNTYPED,
    ) -> dict[str, str]:
        """What fills each gap of a template, as far as there is something."""
        gaps, call = self.gaps(template), is_call(template)
        wanted = {gap: self._wanted(gap, types.get(gap), held) for gap in gaps}
        spoken_of = chosen(wanted.values(), held, entity, fresh=fresh)
        used: dict[str, str] = {}
        for gap in gaps:
            base, kind = wanted[gap]
            taken = [value for other, value in used.items() if wanted[other][0] == base]
            found = of_records(wanted[gap], spoken_of, held, entity, taken, fresh=fresh)
            before = words_before(template, template.index(gap), (base,)) if call else frozenset[str]()
            if call and found is not None and held.is_denied(found[0], found[1].batch):
                found = None
            argument = argument_at(template, template.index(gap)) if call else None
            last = held.calls.last(argument) if argument else None
            if last and last.values[-1] and (found is None or found[1].batch <= last.time):
                newer = self._suiting.best(base, held, before, used.values(), last.time, kind, last.values[-1], call)
                if newer is not None:
                    used[gap] = newer
                    continue
            again = said_again(base, kind, held, self._suiting, found and found[0], used.values())
            if again is not None:
                used |= {gap: again} if again else {}
                continue
            if found is not None and not self.newest.may_prevail(base, call=call):
                used[gap] = found[0]
                continue
            before = before or words_before(template, template.index(gap), (base,))
            since = -1 if found is None else found[1].batch
            if found is None and kind is not None:  # what is newer than a record's that may not fill it comes first
                since = next((told.batch for told, _ in held.fields(base, entity)), -1)
            heard = self._suiting.best(base, held, before, used.values(), since, kind, call=call)
            if heard is None and found is None and since >= 0:
                heard = self._suiting.best(base, held, before, used.values(), -1, kind, call=call)
            if found is not None and (heard is None or not self.newest.prevails(base, found[0], heard, call=call)):
                used[gap] = found[0]
            elif heard is not None:
                used[gap] = heard
        return used

    def _written(self, fillings: Mapping[str, str], held: Held, *, call: bool) -> dict[str, str]:
        """What fills gaps as it is written there; of a call without what cannot be written so."""
        written = self.newest.written
        write, dates = written.in_call if call else written.in_response, held.dates()
        found = {gap: write(str(self._base(gap)), text, dates, held.present) for gap, text in fillings.items()}
        return {gap: text for gap, text in found.items() if text is not None}

    def _wanted(self, gap: str, kind: GapType | None, held: Held) -> Wanted:
        """The name of a gap with its type; where the user has just said something else, it says nothing again."""
        base = str(self._base(gap))
        if kind is not None and kind.echoed and self._suiting.is_new(base, held, kind):
            kind = replace(kind, echoed=False)
        return base, kind


_TABLES = ("kinds", "known")
_LISTS = ("values", "policy", "ordinary", "reserved", "shared")
