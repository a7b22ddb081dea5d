"""Responses to choose from that a user gives instead of those a run knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import Batch, Choices, KnownEntities, Reading, SentenceTable, Slots, Vocabulary
from tasksieve.encoding.phrases import phrase_of
from tasksieve.encoding.sentences import Embed, dense, plain
from tasksieve.models import DialogModel
from tasksieve.training.runs.answers import NOTHING_GIVEN, Answer, NothingToSay


class GivenResponses:
    """Texts to rank. Those that name an entity a dialog knows are read as templates in that dialog.

    Args:
        texts: distinct.
        vocabulary: numbers their words.
        device: where the model is.
        tokens: gives the tokens of texts to a language model; None for other models.
    """

    def __init__(
        self, texts: Sequence[str], vocabulary: Vocabulary, device: torch.device, tokens: Embed | None = None
    ) -> None:
        self.texts = tuple(texts)
        self._vocabulary, self._device, self._tokens = vocabulary, device, tokens
        self._choices = self._choices_of(self.texts)
        self._with: dict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(self.texts):
            for word in set(phrase_of(text)):
                self._with[word].append(number)

    @torch.no_grad()
    def ranked(self, model: DialogModel, batch: Batch, reading: Reading, top: int, slots: Slots) -> list[Answer]:
        """The candidates with the highest scores, best first, each with whether it holds a foreign value.

        Args:
            model: scores them.
            batch: a dialog that waits for a response, by itself.
            reading: that dialog.
            top: how many.
            slots: what is policy.
        """
        best = self._best(self._scores(model, batch, reading.entities), top)
        return [replace(one, foreign=bool(slots.foreign(one.text, reading.held))) for one in best]

    @torch.no_grad()
    def best(self, model: DialogModel, batch: Batch, reading: Reading, top: int, slots: Slots) -> list[Answer]:
        """The same without those that hold a value that the conversation does not.

        Their probability is among the others alone.

        Args:
            model, batch, reading, top, slots: as of :meth:`ranked`.
        Raises: NothingToSay: if every candidate holds such a value.
        """
        foreign = [number for number, text in enumerate(self.texts) if slots.foreign(text, reading.held)]
        if len(foreign) == len(self.texts):
            raise NothingToSay(NOTHING_GIVEN)
        left_out = torch.tensor(foreign, dtype=torch.long, device=self._device)
        scores = self._scores(model, batch, reading.entities).index_fill(0, left_out, -torch.inf)
        return self._best(scores, min(top, len(self.texts) - len(foreign)))

    def _best(self, scores: Float[Tensor, " texts"], top: int) -> list[Answer]:
        best = scores.topk(min(top, len(self.texts)))
        shares = (best.values - scores.logsumexp(0)).exp()
        rows = zip(best.indices.tolist(), best.values.tolist(), shares.tolist(), strict=True)
        return [Answer(self.texts[number], score, share, certainty=share) for number, score, share in rows]

    def _scores(self, model: DialogModel, batch: Batch, known: KnownEntities) -> Float[Tensor, " texts"]:
        naming = sorted({number for name in known.names for number in self._with.get(name[0], ())})
        if batch.entities is None or not naming:
            return model.scores(batch, self._choices)[0][0]
        read = [known.template(self.texts[number]) for number in naming]
        templates = self._choices_of([template for template, _ in read])
        found = model.scores(batch, self._choices, templates, batch.entities)
        return found[0][0].index_put(
            (torch.tensor(naming, device=self._device),), _named(found[1][0], found[2][0], [n for _, n in read])
        )

    def _choices_of(self, texts: Sequence[str]) -> Choices:
        words = [self._vocabulary.numbers(text)[0] for text in texts]
        rows = None if self._tokens is None else dense([plain(text) for text in texts], self._tokens, self._device)
        table = SentenceTable.of(words, len(self._vocabulary), self._device, rows)
        return Choices(table, torch.tensor([-1], device=self._device))


def _named(
    templates: Float[Tensor, " naming"], entities: Float[Tensor, " entities"], named: list[int]
) -> Float[Tensor, " naming"]:
    """Scores of texts from those of their templates and of the entities they name, -1 for none."""
    numbers = torch.tensor(named, device=templates.device)
    shares = torch.log_softmax(entities, 0)[numbers.clamp(min=0)]
    return templates + torch.where(numbers >= 0, shares, 0.0)
