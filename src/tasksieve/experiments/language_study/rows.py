"""Rows of the study of language models: what each learns of an archive, and the batches that it draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from tasksieve.experiments.language_study.data import StudyData
from tasksieve.models.language_model.tokens import DialogTokens, Said, Spoken

PRIMARY_ROWS, RELATED_ROWS = 4, 4
"""Dialogs of the primary task, and of related ones, in a step."""
OWN = "embedding"
"""Score of turns by the language model's own states."""
HALF = 0.5
"""Share of the archive's turns that a selection keeps."""


@dataclass(frozen=True, slots=True)
class Row:
    """A way to use an archive.

    Attributes:
        name: of the row.
        what: in a few words.
        score: what turns are selected by, of a file of scores, or ``random``; empty for no selection.
        dialogs: whether whole dialogs are selected, and half as many are read a step: half of the archive's cost.
        trained: whether there is a step at all.
        borrows: whether it reads an archive.
        learned: whether the weights of services are learned during the fine-tuning.
        graded: whether random numbers are weights themselves, instead of what turns are selected by.
    """

    name: str
    what: str
    score: str = ""
    dialogs: bool = False
    trained: bool = True
    borrows: bool = True
    learned: bool = False
    graded: bool = False

    @property
    def related_rows(self) -> int:
        """Related dialogs in a step."""
        if not self.borrows:
            return 0
        return RELATED_ROWS // 2 if self.dialogs else RELATED_ROWS


ROWS: Mapping[str, Row] = {
    row.name: row
    for row in (
        Row("untrained", "as it comes", trained=False, borrows=False),
        Row("primary", "primary dialogs alone", borrows=False),
        Row("everything", "all related turns as well"),
        Row("random", "a random weight for every turn", score="random", graded=True),
        Row("random-half", "half of the turns, at random", score="random"),
        Row("bm25", "the half of the turns that is nearest by words", score="bm25"),
        Row("embedding", "the half of the turns that is nearest by the model's own states", score=OWN),
        Row("sieved", "the half of the turns that `tasksieve sieve` weights most", score="sieved"),
        Row("sieved-actions", "likewise, where actions are predicted", score="sieved-actions"),
        Row("sieved-own", "likewise, by actions with a head for every task", score="sieved-own"),
        Row("learned", "a weight for every service, learned during the fine-tuning", learned=True),
        Row("random-dialogs", "random dialogs with half of the turns", score="random", dialogs=True),
        Row("bm25-dialogs", "the dialogs with half of the turns that are nearest by words", "bm25", dialogs=True),
        Row("sieved-dialogs", "the dialogs with half of the turns weighted most", score="sieved", dialogs=True),
    )
}
"""Every row by its name."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One fine-tuning."""

    primary: str
    archive: str
    row: str
    size: int
    seed: int

    @property
    def name(self) -> str:
        """As its file is called, below the folder of cells."""
        return f"{self.primary}/{self.archive}/{self.row}-{self.size}-seed-{self.seed}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A dialog in a batch.

    Attributes:
        spoken: its tokens.
        weights: of each token of its responses, one after the other; already divided so that the losses of all
            dialogs of its side of the batch add up to a mean.
        service: of a related one the number of its service; -1 for the primary task.
    """

    spoken: Spoken
    weights: tuple[float, ...]
    service: int


@dataclass(frozen=True, slots=True)
class Part:
    """A dialog, or what fits of one, with the weights of its turns."""

    spoken: Spoken
    turns: tuple[float, ...]
    service: int


def turn_weights(
    row: Row, data: StudyData, archive: str, scores: Mapping[str, Sequence[float]], seed: int
) -> list[float]:
    """The weight of every turn of an archive, one after the other; 0 for those left out.

    Selections keep half of all turns, of equal ones the first; a row of whole dialogs takes those with the highest
    mean score until it has as many turns.
    """
    lengths = [len(dialog) for dialog in data.archives[archive]]
    count = sum(lengths)
    if not row.score:
        return [1.0] * count
    random = Random(f"{row.name} {archive} {seed}")
    given = [random.random() for _ in range(count)] if row.score == "random" else list(scores[row.score])
    if row.graded:
        return given
    kept = [0.0] * count
    if not row.dialogs:
        for number in sorted(range(count), key=lambda turn: -given[turn])[: round(HALF * count)]:
            kept[number] = 1.0
        return kept
    ends = [0]
    for length in lengths:
        ends.append(ends[-1] + length)
    spans = sorted(pairwise(ends), key=lambda span: -sum(given[slice(*span)]) / max(1, span[1] - span[0]))
    left = round(HALF * count)
    for first, end in spans:
        if left > 0:
            kept[first:end] = [1.0] * (end - first)
            left -= end - first
    return kept


def parts_of(
    dialogs: Sequence[Sequence[Sequence[str]]],
    tokens: DialogTokens,
    weights: Sequence[float] | None = None,
    services: Sequence[int] | None = None,
) -> list[Part]:
    """Dialogs as tokens, without those parts in which nothing has a weight."""
    parts, begun = [], 0
    for number, dialog in enumerate(dialogs):
        own = (1.0,) * len(dialog) if weights is None else tuple(weights[begun : begun + len(dialog)])
        begun += len(dialog)
        for spoken in tokens.dialog(Said(turn[0], turn[1]) for turn in dialog):
            turns = own[spoken.first : spoken.first + len(spoken.spans)]
            if any(turns):
                parts.append(Part(spoken, turns, -1 if services is None else services[number]))
    return parts


def in_turn(parts: Sequence[Part], seed: str, count: int) -> Iterator[list[Part]]:
    """Batches of so many, without end: every part once in a seeded order, then in another one."""
    random, waiting = Random(seed), list[Part]()
    while True:
        while len(waiting) < count:
            order = list(parts)
            random.shuffle(order)
            waiting += order
        yield waiting[:count]
        del waiting[:count]


def batch_of(parts: Sequence[Part], by_count: bool = False) -> list[Drawn]:
    """The side of a batch whose losses add up to the mean of its tokens, each counted by its turn's weight.

    Args:
        parts: the dialogs.
        by_count: divide by the number of tokens, not by the sum of their weights.
    """
    weighted = [
        [
            weight
            for weight, (first, end) in zip(part.turns, part.spoken.spans, strict=True)
            for _ in range(first, end)
        ]
        for part in parts
    ]
    total = sum(map(len, weighted)) if by_count else sum(map(sum, weighted))
    return [
        Drawn(part.spoken, tuple(weight / max(total, 1e-9) for weight in own), part.service)
        for part, own in zip(parts, weighted, strict=True)
    ]
