"""Responses to choose from that a user gives instead of those a run knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import KnownEntities, SentenceTable, Vocabulary
from tasksieve.encoding.phrases import phrase_of
from tasksieve.training.runs.answers import Answer


class GivenResponses:
    """Texts with their embeddings. Those that name an entity a dialog knows are read as templates in that dialog.

    Args:
        texts: distinct.
        vocabulary: numbers their words.
        embedding: of candidates.
    """

    def __init__(self, texts: Sequence[str], vocabulary: Vocabulary, embedding: Float[Tensor, "words dim"]) -> None:
        self.texts = tuple(texts)
        self._vocabulary, self._embedding = vocabulary, embedding
        self._matrix = self._embed(self.texts)
        self._with: dict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(self.texts):
            for word in set(phrase_of(text)):
                self._with[word].append(number)

    def best(
        self,
        state: Float[Tensor, " dim"],
        known: KnownEntities,
        entities: Float[Tensor, " entities"] | None,
        top: int,
    ) -> list[Answer]:
        """The best of them.

        Args:
            state: of the dialog.
            known: entities of the dialog.
            entities: their scores; None if there are none.
            top: how many.
        """
        scores = self._matrix @ state
        if entities is not None:
            self._name(scores, state, known, torch.log_softmax(entities, 0))
        best = scores.topk(min(top, len(self.texts)))
        shares = (best.values - scores.logsumexp(0)).exp()
        rows = zip(best.indices.tolist(), best.values.tolist(), shares.tolist(), strict=True)
        return [Answer(self.texts[number], score, share) for number, score, share in rows]

    def _name(self, scores: Tensor, state: Tensor, known: KnownEntities, shares: Tensor) -> None:
        """Put in the scores of the texts that name one of the entities."""
        naming = sorted({number for name in known.names for number in self._with.get(name[0], ())})
        if not naming:
            return
        read = [known.template(self.texts[number]) for number in naming]
        found = self._embed([template for template, _ in read]) @ state
        named = torch.tensor([entity for _, entity in read], device=scores.device)
        scores[naming] = found + torch.where(named >= 0, shares[named], 0.0)

    def _embed(self, texts: Sequence[str]) -> Tensor:
        words = [self._vocabulary.numbers(text)[0] for text in texts]
        return SentenceTable.of(words, len(self._vocabulary), self._embedding.device).embed(self._embedding)
