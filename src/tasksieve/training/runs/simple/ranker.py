"""Ranking responses by how near they are to the context: BM25, or the cosine of TF-IDF or of sentence vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tasksieve.training.methods.simple import Sees
from tasksieve.training.runs.simple.contexts import Context
from tasksieve.training.runs.simple.texts import Array, Terms, Vectors

QUERIES = ("user", "user last", "user last history")
"""What of a context is looked for; which is chosen on validation."""


@dataclass(frozen=True, slots=True)
class Ranker:
    """Scores responses for contexts.

    Attributes:
        sees: how it sees texts.
        terms: of the training responses; None with sentence vectors.
        vectors: gives sentence vectors.
        query: the views of a context that are looked for.
    """

    sees: Sees
    terms: Terms | None
    vectors: Vectors | None = None
    query: str = QUERIES[0]

    @classmethod
    def of(cls, sees: Sees, responses: Sequence[str], vectors: Vectors | None) -> Ranker:
        """A ranker that knows from training responses how rare words are."""
        terms = None if sees == "encoder" else Terms.of(responses, pairs=sees == "tfidf")
        return cls(sees, terms, vectors)

    def looking_for(self, query: str) -> Ranker:
        """The same with another query."""
        return replace(self, query=query)

    def scores(self, contexts: Sequence[Context], responses: Any) -> Array:
        """A score for each of the responses, a row a context.

        Args:
            contexts: turns whose response is due.
            responses: rows from :meth:`rows`.
        """
        queries = self._queries([" \n".join(getattr(one, view) for view in self.query.split()) for one in contexts])
        product = queries @ responses.T
        scores: Array = product if isinstance(product, np.ndarray) else product.toarray()
        return scores

    def rows(self, responses: Sequence[str]) -> Any:
        """Responses as what contexts are compared with."""
        if self.terms is None:
            return self._dense(responses)
        return self.terms.bm25(responses) if self.sees == "bm25" else self.terms.tfidf(responses)

    def _queries(self, texts: Sequence[str]) -> Any:
        if self.terms is None:
            return self._dense(texts)
        return self.terms.there(texts) if self.sees == "bm25" else self.terms.tfidf(texts)

    def _dense(self, texts: Sequence[str]) -> Array:
        assert self.vectors is not None
        rows: Array = self.vectors(list(texts)).double().numpy()
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return rows
