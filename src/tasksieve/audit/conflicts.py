"""The same context with another response: within the primary task, and between it and a related one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tasksieve.audit.splits import Example, examples, share
from tasksieve.dialogs import SILENCE, Dialog
from tasksieve.dialogs.turn_kinds import turn_kind
from tasksieve.encoding import Phrase, bag_of

_SHOWN = 5

Key = TypeVar("Key", bound=Hashable)
Answers = Mapping[Key, Counter[str]]
"""How often which response follows which context."""


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
        kinds: by kind of the primary response: primary turns whose exchange is shared, and how many conflict.
        clashes: the most frequent conflicts of exchanges.
    """

    related: str
    whole: Shared
    exchange: Shared
    utterance: Shared
    kinds: dict[str, tuple[int, int]]
    clashes: tuple[Clash, ...]


def conflicts(primary: Sequence[Dialog], name: str, related: Sequence[Dialog]) -> Conflicts:
    """Compare the responses of two tasks to the same contexts."""
    ours, theirs = list(examples(primary)), list(examples(related))
    answers = _answers(theirs, _exchange)
    return Conflicts(
        name,
        _shared(ours, _answers(theirs, _whole), _whole),
        _shared(ours, answers, _exchange),
        _shared(ours, _answers(theirs, _utterance), _utterance),
        _by_kind(ours, answers),
        _clashes(ours, answers),
    )


def ambiguous(dialogs: Sequence[Dialog]) -> int:
    """Turns whose whole context has a more frequent response elsewhere: no model can get them right."""
    answers: dict[int, Counter[Phrase]] = defaultdict(Counter)
    for example in examples(dialogs):
        answers[example.context][bag_of(example.turn.system)] += 1
    return sum(count.total() - count.most_common(1)[0][1] for count in answers.values())


def _whole(example: Example) -> int:
    return example.context


def _exchange(example: Example) -> tuple[str, str]:
    return example.exchange


def _utterance(example: Example) -> str:
    return example.exchange[1]


def _answers(found: Sequence[Example], key: Callable[[Example], Key]) -> Answers[Key]:
    answers: dict[Key, Counter[str]] = defaultdict(Counter)
    for example in found:
        answers[key(example)][example.turn.system] += 1
    return dict(answers)


def _shared(ours: Sequence[Example], answers: Answers[Key], key: Callable[[Example], Key]) -> Shared:
    silence = SILENCE.lower()
    shared = [e for e in ours if (own := key(e)) in answers and own != silence]
    clashing = [e for e in shared if e.turn.system not in answers[key(e)]]
    kinds = {own: {turn_kind(text) for text in answers[own]} for own in map(key, clashing)}
    other = sum(turn_kind(e.turn.system) not in kinds[key(e)] for e in clashing)
    return Shared(share(len(shared), len(ours)), share(len(clashing), len(shared)), share(other, len(shared)))


def _by_kind(ours: Sequence[Example], answers: Answers[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    shared = [e for e in ours if e.exchange in answers]
    turns = Counter(turn_kind(e.turn.system) for e in shared)
    clashing = Counter(turn_kind(e.turn.system) for e in shared if e.turn.system not in answers[e.exchange])
    return {kind: (turns[kind], clashing[kind]) for kind in sorted(turns)}


def _clashes(ours: Sequence[Example], answers: Answers[tuple[str, str]]) -> tuple[Clash, ...]:
    clashing = [e for e in ours if e.exchange in answers and e.turn.system not in answers[e.exchange]]
    said = sorted(_answers(clashing, _exchange).items(), key=lambda item: (-item[1].total(), item[0]))
    return tuple(
        Clash(count.total(), before, user, _most(count), _most(answers[before, user]))
        for (before, user), count in said[:_SHOWN]
    )


def _most(count: Counter[str]) -> str:
    return min(count.items(), key=lambda item: (-item[1], item[0]))[0]
