"""Which words of the user go with which value of a call's argument, where training dialogs have a few values.

``{"resolution":"refund"}`` is called for "I want my money back", and ``"replacement"`` for "send me a new one":
neither value need be said. What the user said since the tool was called last is counted with the value that it was
called with; naive Bayes then tells how likely each value is, a word for less the longer ago it was said.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasksieve.dialogs import SILENCE
from tasksieve.encoding.calls import argument_at, arguments_of
from tasksieve.encoding.phrases import Phrase, phrase_of

_FEWEST_CALLS = 2
"""So many calls have each value of an argument that is told by words."""
_FEWEST_DIALOGS = 2
"""In so many dialogs a word was said, else it may be somebody's name."""
_MOST_VALUES = 20
_SMOOTHING = 1.0
_FADES = 0.8
"""What a word is worth for each utterance since."""
_SAID_ITSELF = 4.0
"""What it adds to the logit of a value that it is said by its own words."""

_SILENCE = phrase_of(SILENCE)

Argument = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ArgumentWords:
    """How often an argument had each value, and how often each word had been said then.

    Attributes:
        values: calls with each value, by tool and argument.
        words: calls with each word and value, likewise.
    """

    values: Mapping[Argument, Mapping[str, int]] = field(default_factory=dict)
    words: Mapping[Argument, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)

    def share(self, call: str, said: Mapping[str, Sequence[Phrase]]) -> float:
        """How likely a call has the right values for its arguments that are told by words; 1 if it has none.

        Args:
            call: as it is made.
            said: what the user said since each tool was called last, the latest first.
        """
        share = 1.0
        for given in arguments_of(call):
            argument = argument_at(call, given.start)
            if argument is not None and argument in self.values:
                share *= self.shares(argument, said.get(argument[0], said[""])).get(given.text, self._new(argument))
        return share

    def shares(self, argument: Argument, said: Sequence[Phrase]) -> dict[str, float]:
        """How likely each value of an argument is after what the user said, the latest first."""
        values, words = self.values[argument], self.words.get(argument, {})
        calls = sum(values.values()) + _SMOOTHING * len(values)
        logits = {value: math.log((times + _SMOOTHING) / calls) for value, times in values.items()}
        for word, worth in _worth(said).items():
            if word in words:
                for value, times in values.items():
                    rate = (words[word].get(value, 0) + _SMOOTHING) / (times + 2 * _SMOOTHING)
                    logits[value] += worth * math.log(rate)
        for value in values:
            logits[value] += _SAID_ITSELF * _said_itself(phrase_of(value), said)
        most = max(logits.values())
        whole = sum(math.exp(logit - most) for logit in logits.values())
        return {value: math.exp(logit - most) / whole for value, logit in logits.items()}

    def _new(self, argument: Argument) -> float:
        """The share of a value that no call of the training dialogs had."""
        return 1.0 / (1 + sum(self.values[argument].values()))

    def plain(self) -> list[dict[str, Any]]:
        """As JSON has it; :meth:`read` takes it back."""
        return [
            {"tool": tool, "argument": key, "values": dict(values), "words": self.words.get((tool, key), {})}
            for (tool, key), values in self.values.items()
        ]

    @classmethod
    def read(cls, value: Any) -> ArgumentWords:
        """What :meth:`plain` gave. Raises: ValueError: if it is something else."""
        try:
            rows = {(str(row["tool"]), str(row["argument"])): row for row in value}
            values = {name: _counts(row["values"]) for name, row in rows.items()}
            words = {name: {str(w): _counts(of) for w, of in row["words"].items()} for name, row in rows.items()}
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(f"arguments: found {str(value)[:80]}; expected tool, argument, values, words") from None
        return cls(values, words)


class ArgumentEvidence:
    """The calls of training dialogs, as they are counted."""

    def __init__(self) -> None:
        self._calls: dict[Argument, list[tuple[int, str, frozenset[str]]]] = defaultdict(list)

    def add(self, number: int, turns: Iterable[tuple[str, str]]) -> None:
        """Count in a dialog.

        Args:
            number: of the dialog.
            turns: of each what the user said, and what the system did.
        """
        since: dict[str, int] = {}
        said: list[Phrase] = []
        for user, system in turns:
            said.append(phrase_of(user))
            called = set()
            for given in arguments_of(system):
                if argument := argument_at(system, given.start):
                    words = frozenset(_worth(said[since.get(argument[0], 0) :]))
                    self._calls[argument].append((number, given.text, words))
                    called.add(argument[0])
            since |= dict.fromkeys(called, len(said))

    def words(self) -> ArgumentWords:
        """All of it together: arguments with several values, each of several calls, that are no numbers."""
        values: dict[Argument, dict[str, int]] = {}
        words: dict[Argument, dict[str, dict[str, int]]] = {}
        for argument, calls in sorted(self._calls.items()):
            counts = Counter(value for _, value, _ in calls)
            if _is_told(counts):
                values[argument] = dict(sorted(counts.items()))
                dialogs = defaultdict[str, set[int]](set)
                found = defaultdict[str, Counter[str]](Counter)
                for number, value, said in calls:
                    for word in said:
                        dialogs[word].add(number)
                        found[word][value] += 1
                often = sorted(word for word, of in dialogs.items() if len(of) >= _FEWEST_DIALOGS)
                words[argument] = {word: dict(sorted(found[word].items())) for word in often}
        return ArgumentWords(values, words)


def _is_told(counts: Counter[str]) -> bool:
    plain = all(value.strip() and not any(map(str.isdigit, value)) for value in counts)
    return plain and 1 < len(counts) <= _MOST_VALUES and min(counts.values()) >= _FEWEST_CALLS


def _worth(said: Iterable[Phrase]) -> dict[str, float]:
    """What each word that was said is worth, by when it was said last."""
    worth: dict[str, float] = {}
    for age, phrase in enumerate(_spoken(said)):
        for word in phrase:
            if not any(map(str.isdigit, word)):
                worth.setdefault(word, _FADES**age)
    return worth


def _said_itself(value: Phrase, said: Iterable[Phrase]) -> float:
    for age, phrase in enumerate(_spoken(said)):
        if f" {' '.join(value)} " in f" {' '.join(phrase)} ":
            return _FADES**age
    return 0.0


def _spoken(said: Iterable[Phrase]) -> Iterator[Phrase]:
    """What was said, without the silence of one who lets the system speak on."""
    return (phrase for phrase in said if phrase not in ((), _SILENCE))


def _counts(value: Any) -> dict[str, int]:
    return {str(name): int(times) for name, times in value.items()}
