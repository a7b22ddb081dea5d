"""The same context with another response: within the primary task, and between it and a related one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tasksieve.audit.splits import Example, Use, examples, share
from tasksieve.dialogs import SILENCE, Dialog
from tasksieve.encoding import Phrase, bag_of
from tasksieve.encoding.kinds import kind_of

_SHOWN = 5
_RESPONSES = Use()

Key = TypeVar("Key", bound=Hashable)
Answers = Mapping[Key, Counter[str]]
"""How often which response, or action if actions are predicted, follows which context."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Primary turns whose context is in the related task too, in per cent.

    Attributes:
        turns: of all primary turns.
        conflicting: of these, where the related task never gives the primary response.
        other_kind: of these, where it never gives a response of the same kind.
    """

    turns: float
    conflicting: float
    other_kind: float


@dataclass(frozen=True, slots=True)
class Clash:
    """An exchange that the tasks end differently, each with its most frequent response, and how often it comes up."""

    turns: int
    before: str
    user: str
    primary: str
    related: str


@dataclass(frozen=True, slots=True)
class Conflicts:
    """How a related task answers what the primary task is asked.

    Attributes:
        related: the name of the task.
        whole: by whole contexts: profile, facts, turns so far and utterance.
        exchange: by the last response and the utterance after it.
        utterance: by the utterance alone, silence left out.
        kinds: by kind of the primary turn: primary turns whose exchange is shared, and how many conflict.
        clashes: the most frequent conflicts of exchanges.
        strangers: where actions are predicted and the tasks have none in common, the commonest one of each; else
            nothing. Then everything conflicts, and that says nothing.
    """

    related: str
    whole: Shared
    exchange: Shared
    utterance: Shared
    kinds: dict[str, tuple[int, int]]
    clashes: tuple[Clash, ...]
    strangers: tuple[str, ...] = ()


def conflicts(primary: Sequence[Dialog], name: str, related: Sequence[Dialog], use: Use = _RESPONSES) -> Conflicts:
    """Compare what two tasks respond, or do if actions are predicted, in the same contexts."""
    ours, theirs = _Told.of(primary, use), _Told.of(related, use)
    return Conflicts(
        name,
        _shared(ours, theirs, _whole),
        _shared(ours, theirs, _exchange),
        _shared(ours, theirs, _utterance),
        _by_kind(ours, theirs),
        _clashes(ours, theirs),
        _strangers(ours, theirs) if use.predict == "actions" else (),
    )


def ambiguous(dialogs: Sequence[Dialog], use: Use = _RESPONSES) -> tuple[int, int]:
    """Turns whose whole context more often has something else to predict: no model can get them right.

    Returns: how many, of how many.
    """
    answers: dict[int, Counter[Phrase]] = defaultdict(Counter)
    told = _Told.of(dialogs, use)
    for example, answer in told:
        answers[example.context][bag_of(answer)] += 1
    return sum(count.total() - count.most_common(1)[0][1] for count in answers.values()), len(told)


class _Told(list[tuple[Example, str]]):
    """Every turn with its contexts, and what is predicted of it."""

    @classmethod
    def of(cls, dialogs: Sequence[Dialog], use: Use) -> _Told:
        told = ((example, use.predicted(example.turn)) for example in examples(dialogs))
        return cls(pair for pair in told if pair[1])

    def answers(self, key: Callable[[Example], Key]) -> Answers[Key]:
        found: dict[Key, Counter[str]] = defaultdict(Counter)
        for example, answer in self:
            found[key(example)][answer] += 1
        return dict(found)

    def kinds(self, key: Callable[[Example], Key]) -> Mapping[Key, set[str]]:
        found: dict[Key, set[str]] = defaultdict(set)
        for example, _ in self:
            found[key(example)].add(kind_of(example.turn))
        return dict(found)


def _strangers(ours: _Told, theirs: _Told) -> tuple[str, ...]:
    counts = [Counter(answer for _, answer in told) for told in (ours, theirs)]
    if not all(counts) or counts[0].keys() & counts[1].keys():
        return ()
    return tuple(_most(count) for count in counts)


def _whole(example: Example) -> int:
    return example.context


def _exchange(example: Example) -> tuple[str, str]:
    return example.exchange


def _utterance(example: Example) -> str:
    return example.exchange[1]


def _shared(ours: _Told, theirs: _Told, key: Callable[[Example], Key]) -> Shared:
    silence, answers, kinds = SILENCE.lower(), theirs.answers(key), theirs.kinds(key)
    shared = [(e, said) for e, said in ours if (own := key(e)) in answers and own != silence]
    clashing = [e for e, said in shared if said not in answers[key(e)]]
    other = sum(kind_of(e.turn) not in kinds[key(e)] for e in clashing)
    return Shared(share(len(shared), len(ours)), share(len(clashing), len(shared)), share(other, len(shared)))


def _by_kind(ours: _Told, theirs: _Told) -> dict[str, tuple[int, int]]:
    answers = theirs.answers(_exchange)
    shared = [(e, said) for e, said in ours if e.exchange in answers]
    turns = Counter(kind_of(e.turn) for e, _ in shared)
    clashing = Counter(kind_of(e.turn) for e, said in shared if said not in answers[e.exchange])
    return {kind: (turns[kind], clashing[kind]) for kind in sorted(turns)}


def _clashes(ours: _Told, theirs: _Told) -> tuple[Clash, ...]:
    answers = theirs.answers(_exchange)
    clashing = _Told((e, said) for e, said in ours if e.exchange in answers and said not in answers[e.exchange])
    said = sorted(clashing.answers(_exchange).items(), key=lambda item: (-item[1].total(), item[0]))
    return tuple(
        Clash(count.total(), before, user, _most(count), _most(answers[before, user]))
        for (before, user), count in said[:_SHOWN]
    )


def _most(count: Counter[str]) -> str:
    return min(count.items(), key=lambda item: (-item[1], item[0]))[0]
