"""The responses a head chooses among."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import torch
from jaxtyping import Int
from torch import Tensor

from tasksieve.encoding.choices import Choices
from tasksieve.encoding.phrases import Phrase, bag_of
from tasksieve.encoding.reading import Reading
from tasksieve.encoding.sentences import Embed, SentenceTable, dense, plain
from tasksieve.encoding.vocabulary import Vocabulary


class Candidates:
    """Distinct responses in a fixed order, as texts and as bags of words.

    Texts that differ in case, punctuation or the order of words alone are twins: a model of bags of words gives them
    the same score, and would always be wrong among them. They are one candidate, and the first of them its text.

    Args:
        texts: responses.
        vocabulary: numbers their words.
        device: where the table lives.
        placeholders: what stands for names in those that are templates.
        vectors: gives the table a dense vector for each text, in which gaps are plain words; None for none.
        spell: gives the words of a text; by default it stands for itself.

    Attributes:
        texts: of the candidates.
        gaps: the numbers of those that are templates with gaps.
        vocabulary: that numbers their words.
    """

    def __init__(
        self,
        texts: Iterable[str],
        vocabulary: Vocabulary,
        device: torch.device | str = "cpu",
        placeholders: frozenset[str] = frozenset(),
        vectors: Embed | None = None,
        spell: Callable[[str], str] = str,
    ) -> None:
        first: dict[Phrase, str] = {}
        for text in texts:
            first.setdefault(bag_of(text), text)
        self.texts = tuple(first.values())
        self.vocabulary = vocabulary
        gaps = [n for n, text in enumerate(self.texts) if has_gap(text, placeholders)]
        self.gaps = torch.tensor(gaps, dtype=torch.long, device=device)
        self._numbers = {bag: number for number, bag in enumerate(first)}
        bags = [vocabulary.numbers(spell(text))[0] for text in self.texts]
        rows = None if vectors is None else dense([plain(text) for text in self.texts], vectors, device)
        self.table = SentenceTable.of(bags, len(vocabulary), device, rows)

    def __len__(self) -> int:
        return len(self.texts)

    def number(self, response: str) -> int:
        """The number of the candidate that a response or a twin of it is, or -1 if it is none."""
        return self._numbers.get(bag_of(response), -1)

    def choices(self, right: Int[Tensor, " examples"]) -> Choices:
        """What examples choose among that have all of these as their choices.

        Args:
            right: the number of each example's right response; -1 for none.
        """
        return Choices(self.table, right, gaps=self.gaps)


class CountedResponses(Candidates):
    """Responses that tell how rare words are and are never said: nothing but their words is known.

    Args:
        table: their words.
        vocabulary: that numbers these.
    """

    def __init__(self, table: SentenceTable, vocabulary: Vocabulary) -> None:
        self.texts, self.vocabulary, self.table = (), vocabulary, table
        self.gaps = torch.empty(0, dtype=torch.long, device=table.device)
        self._numbers = {}

    def __len__(self) -> int:
        return len(self.table)


def responses_of(*tasks: Iterable[Reading]) -> list[str]:
    """The distinct responses to learn from in several tasks, as read, sorted; of twins the most frequent one."""
    return responses_counted(Counter(turn.response for task in tasks for reading in task for turn in reading.learned))


def responses_counted(counts: Mapping[str, int]) -> list[str]:
    """Distinct responses, sorted; of twins the most frequent one.

    Args:
        counts: how often each is to be learned from.
    """
    chosen: dict[Phrase, str] = {}
    for text in sorted(counts, key=lambda text: (-counts[text], text)):
        chosen.setdefault(bag_of(text), text)
    return sorted(chosen.values())


def has_gap(text: str, placeholders: frozenset[str]) -> bool:
    """Whether a response is a template."""
    return "<" in text and any(gap in text for gap in placeholders)
