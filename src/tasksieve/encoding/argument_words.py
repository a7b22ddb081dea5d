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
from itertools import zip_longest
from typing import Any

from tasksieve.dialogs import SILENCE
from tasksieve.encoding.calls import given_to
from tasksieve.encoding.calls_made import Argument, CallsMade
from tasksieve.encoding.phrases import Phrase, Phrases, phrase_of
from tasksieve.encoding.taken_back import corrects, meant

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


@dataclass(frozen=True, slots=True)
class ArgumentWords:
    """How often an argument had each value, and how often each word had been said then.

    Attributes:
        values: calls with each value, by tool and argument.
        words: calls with each word and value, likewise.
    """

    values: Mapping[Argument, Mapping[str, int]] = field(default_factory=dict)
    words: Mapping[Argument, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)

    def share(self, call: str, made: CallsMade) -> float:
        """How likely a call has the right values for its arguments that are told by words; 1 if it has none.

        Args:
            call: as it is made.
            made: the calls before, and what the user said since.
        """
        share = 1.0
        for tool, given in given_to(call):
            argument = tool, given.key
            if argument in self.values:
                share *= self.shares(argument, made.said_since(tool)).get(given.text, self._new(argument))
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
        for value, worth in _said_themselves(values, said).items():
            logits[value] += _SAID_ITSELF * worth
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
        made = CallsMade()
        for user, system in turns:
            made.hear(meant(user))
            for tool, given in given_to(system):
                if tool and given.key:
                    words = frozenset(_worth(made.said_since(tool)))
                    self._calls[tool, given.key].append((number, given.text, words))
            made.answer(system)

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


def _said_themselves(values: Iterable[str], said: Iterable[Phrase]) -> dict[str, float]:
    """What it is worth for each value that it was said by its own words and not corrected, by when that was last."""
    phrases: Phrases[str] = Phrases()
    for value in values:
        phrases.add(phrase_of(value), value)
    worth: dict[str, float] = {}
    for age, phrase in enumerate(_spoken(said)):
        found = list(phrases.find(phrase))
        for (_, end, value), later in zip_longest(found, found[1:]):
            if later is None or not corrects(phrase[end : later[0]]):
                worth.setdefault(value, _FADES**age)
    return worth


def _spoken(said: Iterable[Phrase]) -> Iterator[Phrase]:
    """What was said, without the silence of one who lets the system speak on."""
    return (phrase for phrase in said if phrase not in ((), _SILENCE))


def _counts(value: Any) -> dict[str, int]:
    return {str(name): int(times) for name, times in value.items()}
