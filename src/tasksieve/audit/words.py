"""Words and entities: what two tasks share, and what held-out dialogs name that training never does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tasksieve.audit.splits import ReadSplits, Splits, Use, share
from tasksieve.dialogs import Dialog, Note, Record, Turn
from tasksieve.encoding import Reader, Reading, Vocabulary, words_of

_SHOWN = 5
_RESPONSES = Use()
_NAME = re.compile(r".*[_\d].*")
_PUNCTUATION = ".,;:!?\"'()[]{}"
"""What stands around a word without being a part of it."""


@dataclass(frozen=True, slots=True)
class SharedWords:
    """What the primary task's words and responses have in common with a related task's, in per cent.

    Attributes:
        related: the name of the task.
        words: of the primary task's distinct words, those the related task has.
        running: of all words said in the primary task, those the related task has.
        responses: of the primary task's turns, those whose response the related task has word for word; or, if
            actions are predicted, those whose action it has.
    """

    related: str
    words: float
    running: float
    responses: float


def shared_words(
    primary: Sequence[Dialog], name: str, related: Sequence[Dialog], use: Use = _RESPONSES
) -> SharedWords:
    """Compare the words and responses of two tasks."""
    plain = Reader("all").read(related)
    known = set(Vocabulary.of(plain).words)
    said = Counter(word for turn in _turns(primary) for word in _said(turn))
    responses = {use.predicted(turn) for turn in _turns(related)}
    ours = [response for turn in _turns(primary) if (response := use.predicted(turn))]
    return SharedWords(
        name,
        share(len(said.keys() & known), len(said)),
        share(sum(count for word, count in said.items() if word in known), said.total()),
        share(sum(response in responses for response in ours), len(ours)),
    )


@dataclass(frozen=True, slots=True)
class Entities:
    """The entities of a held-out split: words of its facts, and words with a digit or an underscore.

    Attributes:
        split: its name.
        entities: how many distinct ones it has.
        unseen: those that no training dialog has, primary, validation or related.
        related_only: those that only related dialogs have.
        turns: per cent of its turns whose response says an unseen one that cannot be filled in from its own dialog.
        examples: those of these that are said most often.
    """

    split: str
    entities: int
    unseen: int
    related_only: int
    turns: float
    examples: tuple[str, ...]


def entities(splits: Splits, read: ReadSplits) -> tuple[Entities, ...]:
    """Entities of validation dialogs against training, and of test dialogs against training and validation.

    Names that a record tells of are known, and what the user says may be filled in where the response says it.

    Args:
        splits: the dialogs.
        read: the same as they were read.
    """
    found = []
    own, related = _words(splits.primary), _words(*splits.related)
    for (name, dialogs), (_, readings) in zip(splits.held_out(), read.held_out(), strict=True):
        there = _entities(dialogs)
        unseen = there - own - related
        turns = [unseen & words for reading in readings for words in _unfilled(reading)]
        often = Counter(word for words in turns for word in words)
        examples = tuple(word for word, _ in sorted(often.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN])
        missed = share(sum(map(bool, turns)), len(turns))
        found.append(Entities(name, len(there), len(unseen), len(there - own) - len(unseen), missed, examples))
        own |= _words(dialogs)
    return tuple(found)


def _words(*tasks: Sequence[Dialog]) -> set[str]:
    """All words of dialogs as they stand, with their facts."""
    return _bare(Vocabulary.of(*(Reader("all").read(dialogs) for dialogs in tasks)).words)


def _entities(dialogs: Sequence[Dialog]) -> set[str]:
    told: set[str] = set()
    for event in {event for dialog in dialogs for event in dialog.events if not isinstance(event, Turn)}:
        told.update(word for text in _told(event) for word in words_of(text))
    said = _bare(word for turn in _turns(dialogs) for word in _said(turn))
    return _bare(told) | {word for word in said if _NAME.fullmatch(word)}


def _bare(words: Iterable[str]) -> set[str]:
    """The words without the punctuation around them; the arguments of a call, which quotes part, are words each."""
    return {part.strip(_PUNCTUATION) for word in words for part in word.split('"')} - {""}


def _told(event: Record | Note) -> Iterator[str]:
    """The texts of a record's fields; nothing of a note, whose words are ordinary ones."""
    return (value for _, value in event.flat()) if isinstance(event, Record) else iter(())


def _unfilled(reading: Reading) -> Iterator[set[str]]:
    """The words of each response but for what is filled in from its own dialog.

    That is names of what the records tell of, and values that have a gap. Where there are no gaps, as a response is
    read without them, it is what was said before it.
    """
    heard: set[str] = set()
    for turn in reading.turns:
        user, system = (
            _bare(words_of(line.seen)[1:]) for line in reading.lines[turn.remembered : turn.remembered + 2]
        )  # what is said is remembered right after
        heard |= user
        yield system - heard if turn.gapped is None else system & _bare(words_of(turn.gapped.text))
        heard |= system


def _turns(dialogs: Sequence[Dialog]) -> Iterator[Turn]:
    for dialog in dialogs:
        yield from dialog.turns


def _said(turn: Turn) -> list[str]:
    return words_of(turn.user) + words_of(turn.system)
