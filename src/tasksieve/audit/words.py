"""Words and entities: what two tasks share, and what held-out dialogs name that training never does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasksieve.audit.splits import Splits, share
from tasksieve.dialogs import Dialog, Fact, Turn
from tasksieve.encoding import MemoryLines, Vocabulary, responses_of
from tasksieve.encoding.memories import words_of

_SHOWN = 5
_RELATION = re.compile(r"r_\S+")
_NAME = re.compile(r".*[_\d].*")


@dataclass(frozen=True, slots=True)
class SharedWords:
    """What the primary task's words and responses have in common with a related task's, in per cent.

    Attributes:
        related: the name of the task.
        words: of the primary task's distinct words, those the related task has.
        running: of all words said in the primary task, those the related task has.
        responses: of the primary task's turns, those whose response the related task has word for word.
    """

    related: str
    words: float
    running: float
    responses: float


def shared_words(primary: Sequence[Dialog], name: str, related: Sequence[Dialog]) -> SharedWords:
    """Compare the words and responses of two tasks."""
    known = set(Vocabulary.of(related).words)
    said = Counter(word for turn in _turns(primary) for word in _said(turn))
    responses = set(responses_of(related))
    turns = list(_turns(primary))
    return SharedWords(
        name,
        share(len(said.keys() & known), len(said)),
        share(sum(count for word, count in said.items() if word in known), said.total()),
        share(sum(turn.system in responses for turn in turns), len(turns)),
    )


@dataclass(frozen=True, slots=True)
class Entities:
    """The entities of a held-out split: words of its facts, and words with a digit or an underscore.

    Attributes:
        split: its name.
        entities: how many distinct ones it has.
        unseen: those that no training dialog has, primary, validation or related.
        related_only: those that only related dialogs have.
        turns: per cent of its turns in which an unseen one is said that the dialog's facts do not tell of by then.
        examples: those of these that are said most often.
    """

    split: str
    entities: int
    unseen: int
    related_only: int
    turns: float
    examples: tuple[str, ...]


def entities(splits: Splits, naming: frozenset[str] | None) -> tuple[Entities, ...]:
    """Entities of validation dialogs against training, and of test dialogs against training and validation.

    Names (``naming``: of which relations) that a fact tells of are known.
    """
    found = []
    own = set(Vocabulary.of(splits.primary).words)
    related = set(Vocabulary.of(*splits.related).words)
    for name, dialogs in splits.held_out():
        there = _entities(dialogs)
        unseen = there - own - related
        turns = [unseen.intersection(words) for dialog in dialogs for words in _unplaced(dialog, naming)]
        often = Counter(word for words in turns for word in words)
        examples = tuple(word for word, _ in sorted(often.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN])
        missed = share(sum(map(bool, turns)), len(turns))
        found.append(Entities(name, len(there), len(unseen), len(there - own) - len(unseen), missed, examples))
        own |= set(Vocabulary.of(dialogs).words)
    return tuple(found)


def _entities(dialogs: Sequence[Dialog]) -> set[str]:
    facts = {event for dialog in dialogs for event in dialog.events if isinstance(event, Fact)}
    named = {word for fact in facts for word in words_of(fact.text) if not _RELATION.fullmatch(word)}
    return named | {word for turn in _turns(dialogs) for word in _said(turn) if _NAME.fullmatch(word)}


def _unplaced(dialog: Dialog, naming: frozenset[str] | None) -> Iterator[list[str]]:
    """The words said in each turn but for the names of what the facts tell of."""
    memory = MemoryLines(dialog, "none", naming)
    for turn in memory.turns():
        yield words_of(memory.entities.replaced(f"{turn.user} {turn.system}"))


def _turns(dialogs: Sequence[Dialog]) -> Iterator[Turn]:
    for dialog in dialogs:
        yield from dialog.turns


def _said(turn: Turn) -> list[str]:
    return words_of(turn.user) + words_of(turn.system)
