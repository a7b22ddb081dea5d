"""Response selection: the right response ranked among others that were said elsewhere, its distractors.

Distractors are texts; twins of the right response are none. The right one and they are treated alike, so that
nothing in how they are written tells them apart. A run whose measure is this one reads everything as it was written,
and so are they. In other runs a text is read in the dialog where it might be said: where it names an entity that this
dialog knows at that turn, it is a template and that entity; other values stand as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding import Choices, EncodedTask, Reading, ReadTurn, SentenceTable, bag_of, chunks
from tasksieve.encoding.phrases import Phrase, phrase_of
from tasksieve.encoding.sentences import dense, plain
from tasksieve.models import DialogModel
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.in_use import in_use

SIZES = (20, 100)
"""How many responses one is ranked among, the right one with them."""
SEED = 0
"""Of the draw of distractors: the same in every run, so that all models rank the same responses."""
_CHUNK = 128


@dataclass(frozen=True, slots=True)
class Distractors:
    """What the right response of each example is ranked among.

    Attributes:
        texts: distinct ones.
        drawn: by example the numbers of its distractors; the first 19 of them are those among 20.
    """

    texts: tuple[str, ...]
    drawn: tuple[tuple[int, ...], ...]

    @property
    def fewest(self) -> int:
        """Among how many responses the right one of an example is ranked at least, itself with them."""
        return 1 + min(map(len, self.drawn), default=0)

    @classmethod
    def draw(cls, right: Sequence[str], pool: Iterable[str], seed: int = SEED) -> Distractors:
        """Draw distractors without replacement, up to 99 for each right response, as many as there are.

        Args:
            right: the right response of each example.
            pool: responses; of twins the first is taken.
            seed: of the draw.
        """
        first: dict[Phrase, str] = {}
        for text in pool:
            first.setdefault(bag_of(text), text)
        numbers = {bag: number for number, bag in enumerate(first)}
        random = np.random.default_rng(seed)
        drawn = []
        for text in right:
            chosen = random.choice(len(first), min(len(first), max(SIZES)), replace=False) if first else ()
            own = numbers.get(bag_of(text), -1)
            drawn.append(tuple(int(number) for number in chosen if number != own)[: max(SIZES) - 1])
        return cls(tuple(first.values()), tuple(drawn))

    @classmethod
    def given(cls, right: Sequence[str], candidates: Sequence[Sequence[str]]) -> Distractors:
        """Those that the data give with each example, without the right response and its twins."""
        numbers: dict[str, int] = {}
        drawn = []
        for text, those in zip(right, candidates, strict=True):
            own = bag_of(text)
            drawn.append(tuple(numbers.setdefault(one, len(numbers)) for one in those if bag_of(one) != own))
        return cls(tuple(numbers), tuple(drawn))


def text_choices(
    encoding: Encoding,
    texts: Sequence[str],
    offered: Sequence[Sequence[int]],
    device: torch.device,
) -> Choices:
    """Texts that need be no candidates of the training, as what examples choose among; the first one is right.

    Args:
        encoding: numbers the words, and gives dense vectors if the run's model reads them.
        texts: distinct.
        offered: by example, the numbers of the texts that it chooses among.
        device: where the model is.
    """
    bags = [encoding.vocabulary.numbers(text)[0] for text in texts]
    embed = encoding.vectors
    rows = None if embed is None else dense([plain(text) for text in texts], embed, device)
    table = SentenceTable.of(bags, len(encoding.vocabulary), device, rows)
    right = torch.zeros(len(offered), dtype=torch.long, device=device)
    return Choices(table, right, SentenceTable.of(offered, len(texts), device))


class Ranking:
    """Ranks the right responses of a task's examples among distractors, by any model.

    Args:
        encoding: of the run.
        readings: the dialogs of the task.
        task: the same dialogs, encoded.
        distractors: by example of the task.
    """

    def __init__(
        self, encoding: Encoding, readings: Sequence[Reading], task: EncodedTask, distractors: Distractors
    ) -> None:
        self._task, self._written = task, encoding.reader.written
        numbers: dict[str, int] = {}
        offered, entities = [], []
        as_read = _AsRead(distractors.texts)
        for example, drawn in zip(task.examples, distractors.drawn, strict=True):
            reading = readings[example.dialog]
            turn = reading.turns[example.turn]
            if self._written:
                read = [(turn.said.system, -1), *((distractors.texts[number], -1) for number in drawn)]
            else:
                read = [as_read.right(reading, turn), *as_read.texts(reading, turn, drawn)]
            offered.append([numbers.setdefault(text, len(numbers)) for text, _ in read])
            entities.append([entity for _, entity in read])
        self._choices = text_choices(encoding, list(numbers), offered, task.device)
        self._entities = _padded(entities).to(task.device)

    @torch.no_grad()
    def scores(self, model: DialogModel) -> Float[Tensor, "examples most"]:
        """A score for the right response, then one for each distractor; -inf where there are no more. On the CPU."""
        parts = []
        with in_use(model):
            for numbers in chunks(self._task, _CHUNK):
                batch = self._task.batch(numbers)
                choices, entities = self._choices.select(numbers), self._entities[numbers]
                asked = [choices] if batch.entities is None or self._written else [choices, batch.entities]
                found = model.scores(batch, *asked)
                part = found[0] if len(found) == 1 else _named(found[0], found[1], entities[:, : found[0].shape[1]])
                missing = entities.shape[1] - part.shape[1]
                parts.append(torch.nn.functional.pad(part, (0, missing), value=-torch.inf).cpu())
        return torch.cat(parts)


def selection_ranks(scores: Float[Tensor, "examples most"], size: int) -> Int[Tensor, " examples"]:
    """The rank of the first response of each example among the first ``size``, from 1.

    Ties count against it, and so does what is not a number.
    """
    return (~(scores[:, :size] < scores[:, :1])).sum(dim=1)


def _named(
    texts: Float[Tensor, "batch most"], of_entities: Float[Tensor, "batch entities"], named: Int[Tensor, "batch most"]
) -> Float[Tensor, "batch most"]:
    """Scores of texts from those of their templates and of the entities they name, -1 for none."""
    if not of_entities.shape[1]:
        return texts
    known = (of_entities > -torch.inf).any(dim=1, keepdim=True)
    shares = torch.log_softmax(of_entities.masked_fill(~known, 0.0), dim=1)
    return texts + shares.gather(1, named.clamp(min=0)).masked_fill(named < 0, 0.0)


class _AsRead:
    """Texts as a dialog reads them, which may know entities that they name."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._with: dict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(texts):
            for word in set(phrase_of(text)):
                self._with[word].append(number)
        self._last: Reading | None = None
        self._read: dict[int, tuple[str, int]] = {}

    @staticmethod
    def right(reading: Reading, turn: ReadTurn) -> tuple[str, int]:
        """The same of the right response, of which only what names the entity is a gap."""
        if turn.gapped is None:
            return turn.response, turn.entity
        text, entity = reading.entities.template(turn.said.system)
        return (text, entity) if entity < len(turn.descriptions) else (turn.said.system, -1)

    def texts(self, reading: Reading, turn: ReadTurn, numbers: Iterable[int]) -> list[tuple[str, int]]:
        """Each text as read when the response of a turn is due, and the entity that it names then, or -1."""
        if reading is not self._last:
            known = reading.entities
            naming = {number for name in known.names for number in self._with.get(name[0], ())}
            self._last, self._read = reading, {number: known.template(self._texts[number]) for number in naming}
        plain = [(self._texts[number], -1) for number in numbers]
        read = [self._read.get(number, text) for number, text in zip(numbers, plain, strict=True)]
        known_now = len(turn.descriptions)
        return [text if text[1] < known_now else as_is for text, as_is in zip(read, plain, strict=True)]


def _padded(rows: Sequence[Sequence[int]]) -> Int[Tensor, "examples most"]:
    most = max(map(len, rows), default=0)
    return torch.tensor([[*row, *[-1] * (most - len(row))] for row in rows], dtype=torch.long).reshape(
        len(rows), most
    )
