"""How actions are worded: the nearest response of an action in the training data, with gaps to be filled.

What was said before a response tells which wording suits: words of the utterance, and of the response before it, are
weighted by how rare they are, and the cosine with what is said now ranks an action's wordings.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tasksieve.encoding.argument_words import ArgumentEvidence, ArgumentWords
from tasksieve.encoding.calls import is_call
from tasksieve.encoding.entities import KnownEntities
from tasksieve.encoding.fillings import entity_rank, is_left
from tasksieve.encoding.gap_types import GapType, GapTypes
from tasksieve.encoding.held import Held
from tasksieve.encoding.phrases import phrase_of
from tasksieve.encoding.reading import Reading
from tasksieve.encoding.refusals import is_asked_for, is_corrected, is_refusal
from tasksieve.encoding.slots import Slots
from tasksieve.encoding.spoken_names import names_in
from tasksieve.encoding.values import values_in

MOST_OF_ACTION = 200
"""How many wordings of an action are kept."""
_WEIGHT_BEFORE = 0.5
_MORE_THAN_OTHERS = 0.5
_SMALL = re.compile(r"(?<![\w.,:/$€£¥-])\d\d?(?![\w:/-]|[.,]\d)")
"""A number of one digit or two that is no part of a longer value."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One way in which an action was worded.

    Attributes:
        action: as it is predicted.
        user: what the user had said, with values masked.
        before: what the system had said before that, likewise.
        template: the response with gaps.
        fresh: whether it speaks of a record that nobody had spoken of, as where another one is offered.
    """

    action: str
    user: str
    before: str
    template: str
    fresh: bool = False


class Wordings:
    """The wordings of actions, to be searched for the one that suits.

    Args:
        wordings: all that are known.
        arguments: which words tell the values of calls.
        types: of the gaps in their templates; where responses are predicted, in these.
    """

    def __init__(
        self,
        wordings: Iterable[Wording] = (),
        arguments: ArgumentWords | None = None,
        types: GapTypes | None = None,
    ) -> None:
        self.wordings = tuple(wordings)
        self.arguments, self.types = arguments or ArgumentWords(), types or GapTypes()
        bags = [_bag(wording.user, wording.before) for wording in self.wordings]
        counts = Counter(word for bag in bags for word in bag)
        self._rarity = {word: math.log((1 + len(bags)) / (1 + count)) + 1 for word, count in counts.items()}
        self._of: dict[str, list[tuple[Wording, Mapping[str, float]]]] = defaultdict(list)
        for wording, bag in zip(self.wordings, bags, strict=True):
            self._of[wording.action].append((wording, self._vector(bag)))

    def __len__(self) -> int:
        return len(self.wordings)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Wordings):
            return NotImplemented
        return (self.wordings, self.arguments, self.types) == (other.wordings, other.arguments, other.types)

    def __hash__(self) -> int:
        return hash(self.wordings)

    def nearest(self, action: str, user: str, before: str) -> Iterator[Wording]:
        """The wordings of an action, best first; each template once.

        Args:
            action: to be worded.
            user: what the user says now.
            before: what the system said before that.
        """
        now = self._vector(_bag(_masked(user), _masked(before)))
        ranked = sorted(self._of.get(action, ()), key=lambda known: -_cosine(now, known[1]))
        best: dict[str, Wording] = {}
        for wording, _ in ranked:
            best.setdefault(wording.template, wording)
        yield from best.values()

    def said(
        self, action: str, user: str, before: str, held: Held, entities: KnownEntities, slots: Slots
    ) -> str | None:
        """An action's best wording that can be said in a conversation, filled in; None if there is none.

        One with a small number that the conversation does not hold, such as "3 tickets" or "I found 10", is said only
        if there is no other. Of calls the one is made that most likely has the right values (:meth:`likely`); none is
        made that the user has just refused, if none was in training.

        Args:
            action, user, before: as for :meth:`nearest`.
            held: what the conversation holds.
            entities: that it knows.
            slots: the gaps, and what is policy.
        """
        doubtful: str | None = None
        best: tuple[float, str | None] = (0.0, None)
        for wording in self.nearest(action, user, before):
            if not slots.foreign(wording.template, held):
                types = self.types.of_template(wording.template)
                text = _filled(wording, held, entities, slots, types)
                if text is not None and self._is_refused(action, text, user, held):
                    continue
                if text is None or not all(map(held.counts, _SMALL.findall(text))):
                    doubtful = doubtful or text
                    continue
                share = self.likely(text, held)
                if share > best[0]:
                    best = share, text
                if share > _MORE_THAN_OTHERS:
                    break
        return best[1] or doubtful

    def _is_refused(self, action: str, text: str, user: str, held: Held) -> bool:
        """Whether a call was just asked for and refused, or mended in what it does not have.

        Where a call of this action followed a refusal in training, none is refused.
        """
        return (
            is_call(text)
            and (is_refusal(user) or is_corrected(user, text))
            and is_asked_for(text, held)
            and not any(is_refusal(known.user) for known, _ in self._of[action])
        )

    def likely(self, text: str, held: Held) -> float:
        """How likely the call of a tool has the right values, where the user's words tell; 1 for other responses."""
        return self.arguments.share(text, held.calls) if self.arguments.values and is_call(text) else 1.0

    def plain(self) -> list[dict[str, Any]]:
        """As JSON has it, without the types of gaps; :meth:`read` takes it back."""
        return [asdict(wording) for wording in self.wordings]

    @classmethod
    def read(cls, value: object, arguments: object = (), types: object = None) -> Wordings:
        """What :meth:`plain` gave, here, of arguments and of types. Raises: ValueError: if it is something else."""
        known = GapTypes() if types is None else GapTypes.read(types)  # older runs have none
        try:
            rows: list[dict[str, Any]] = list(value)  # type: ignore[call-overload]
            found = (
                Wording(fresh=row.pop("fresh", False) is True, **{str(key): str(text) for key, text in row.items()})
                for row in map(dict, rows)
            )
            return cls(found, ArgumentWords.read(arguments), known)
        except (AttributeError, TypeError):
            raise ValueError(f"wordings: found {str(value)[:80]}; expected action, user, before, template") from None

    def _vector(self, bag: Mapping[str, float]) -> dict[str, float]:
        vector = {word: times * self._rarity[word] for word, times in bag.items() if word in self._rarity}
        length = math.sqrt(sum(value * value for value in vector.values())) or 1.0
        return {word: value / length for word, value in vector.items()}


def wordings_of(primary: Sequence[Reading], *related: Sequence[Reading]) -> Wordings:
    """The wordings of every action: the primary task's, and the related tasks' where it has none of an action.

    Args:
        primary: training dialogs of the primary task, read with slots.
        related: those of each related task.
    """
    found: dict[str, dict[Wording, None]] = defaultdict(dict)
    _take(primary, found, frozenset())
    own = frozenset(found)
    for readings in related:
        _take(readings, found, own)
    evidence = ArgumentEvidence()
    for number, reading in enumerate(primary):
        evidence.add(number, ((turn.said.user, turn.said.system) for turn in reading.turns))
    wordings = [wording for action in sorted(found) for wording in found[action]]
    types = types_of({wording.template for wording in wordings}, primary, *related)
    return Wordings(wordings, evidence.words(), types)


def types_of(templates: Collection[str] | None, *tasks: Iterable[Reading]) -> GapTypes:
    """What may fill the gaps of templates, as responses to learn from tell.

    Args:
        templates: those that can be said; None for all.
        tasks: dialogs, read with slots.
    """
    turns = (turn for task in tasks for reading in task for turn in reading.learned)
    sources = (source for turn in turns if turn.gapped is not None for source in turn.gapped.sources)
    return GapTypes.of(source for source in sources if templates is None or source[0] in templates)


def _take(readings: Iterable[Reading], found: dict[str, dict[Wording, None]], known: frozenset[str]) -> None:
    for reading in readings:
        before = ""
        for turn in reading.turns:
            action = turn.response
            if turn.learned and turn.gapped is not None and action not in known and turn.said.acts:
                gapped, user = turn.gapped, _masked(turn.said.user)
                wording = Wording(action, user, _masked(before), gapped.full, gapped.fresh)
                if len(found[action]) < MOST_OF_ACTION:
                    found[action][wording] = None
            before = turn.said.system


def _filled(
    wording: Wording, held: Held, entities: KnownEntities, slots: Slots, types: Mapping[str, GapType]
) -> str | None:
    """A wording filled in: with the entity that is spoken of, if it has a gap for one that this one may fill."""
    template, fresh = wording.template, wording.fresh
    if not entities.has_gap(template):
        return slots.filled(template, held, fresh=fresh, types=types)
    spoken_of = entities.spoken_of()[:1]
    in_order = [
        entity
        for entity in _in_order(held, entities, fresh=fresh)
        if not types or entity in spoken_of or not is_left(entity, held)
    ]
    ranks = {entity: rank for entity in in_order if (rank := entity_rank(template, entity, entities, held, types))}
    for entity in sorted(ranks, key=lambda entity: ranks[entity], reverse=True):
        text = entities.filled(template, entity)
        text = None if text is None else slots.filled(text, held, entity, fresh=fresh, types=types)
        if text is not None:
            return text
    return None


def _in_order(held: Held, entities: KnownEntities, *, fresh: bool) -> Iterable[int]:
    """The entities, the one that is spoken of first; those whose records are past are none but if somebody is there.

    Args:
        held, entities: what the conversation holds.
        fresh: whether one that the system has not spoken of comes first.
    """
    of_records = [told.entity for told in held.in_order(fresh=fresh) if told.entity >= 0]
    spoken_of, *others = entities.spoken_of() or [-1]
    first = [] if fresh or spoken_of < 0 else [spoken_of]
    last = [entity for entity in (spoken_of, *others) if entity >= 0 and not held.is_past(entity)]
    return dict.fromkeys((*first, *of_records, *last))


def _masked(text: str) -> str:
    """A text without values: they say nothing of how to word a response, and are somebody's."""
    places = [(value.start, value.end, value.kind) for value in values_in(text)]
    places += [(name.start, name.end, "name") for name in names_in(text) if name.sure]
    parts: list[str] = []
    place = 0
    for start, end, kind in sorted(places):
        if start >= place:
            parts += (text[place:start], f"<{kind}>")
            place = end
    return "".join((*parts, text[place:]))


def _bag(user: str, before: str) -> dict[str, float]:
    bag: dict[str, float] = defaultdict(float)
    for word in phrase_of(user):
        bag[word] += 1.0
    for word in phrase_of(before):
        bag[f"before:{word}"] += _WEIGHT_BEFORE
    return bag


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum((value * other.get(word, 0.0) for word, value in one.items()), 0.0)
