"""Logistic regression from contexts to labels: actions, or responses that repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksieve.training.runs.simple.contexts import Context
from tasksieve.training.runs.simple.texts import MOST_TERMS, Array, Terms, Vectors

VIEWS = ("user", "last", "history", "fresh")
PAIRS = {"user": True, "last": True, "history": False, "fresh": False}
"""Whether pairs of words are seen in a view."""
FEW_TERMS = 300
"""Of what is fresh, beside sentence vectors."""
RECENT = 8
"""So many remembered lines are the history as a sentence vector."""
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Features:
    """How contexts become rows: TF-IDF of four views side by side; or sentence vectors, and TF-IDF of what is fresh.

    Attributes:
        terms: of each view that is seen as words.
        vectors: gives sentence vectors; None for words alone.
    """

    terms: dict[str, Terms]
    vectors: Vectors | None = None

    @classmethod
    def of(cls, contexts: Sequence[Context], vectors: Vectors | None) -> Features:
        """The features of contexts to learn from."""
        views = VIEWS if vectors is None else ("fresh",)
        texts = {view: [getattr(context, view) for context in contexts] for view in views}
        most = MOST_TERMS if vectors is None else FEW_TERMS
        return cls({view: Terms.of(texts[view], pairs=PAIRS[view], most=most) for view in views}, vectors)

    def rows(self, contexts: Sequence[Context]) -> Any:
        """A row a context; sparse if words alone are seen."""
        from scipy.sparse import hstack

        parts = [terms.tfidf([getattr(one, view) for one in contexts]) for view, terms in self.terms.items()]
        if self.vectors is not None:
            dense = [self._dense(contexts, self.vectors), *(part.toarray() for part in parts)]
            return np.hstack(dense).astype(np.float32)
        return hstack(parts).tocsr().astype(np.float32)

    def _dense(self, contexts: Sequence[Context], vectors: Vectors) -> Array:
        """The vectors of last utterance and last action, and the mean of those of the latest lines of the history."""
        lines = [[line for line in context.history.split("\n") if line.strip()][-RECENT:] for context in contexts]
        texts = dict.fromkeys(text for one in contexts for text in (one.user, one.last))
        texts |= dict.fromkeys(line for those in lines for line in those)
        places = {text: place for place, text in enumerate(texts)}
        known = vectors(list(texts)).double().numpy()
        mean = [known[[places[line] for line in those]].mean(axis=0) if those else 0 * known[0] for those in lines]
        user, last = ([known[places[getattr(one, view)]] for one in contexts] for view in ("user", "last"))
        return np.hstack([np.stack(user), np.stack(last), np.stack(mean)])


@dataclass(frozen=True, slots=True)
class Classifier:
    """Softmax over labels of a linear function.

    Attributes:
        weights: labels × features.
        bias: one a label; -inf for labels that were never seen.
    """

    weights: Array
    bias: Array

    @classmethod
    def fit(
        cls, rows: Any, labels: Labels, counts: Array, known: int, strength: float, iterations: int
    ) -> Classifier:
        """Fit by L-BFGS.

        Args:
            rows: features of examples.
            labels: the number of each example's label.
            counts: how much each example counts.
            known: how many labels there are, seen or not.
            strength: C, the inverse of the penalty's factor.
            iterations: at most so many.
        """
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        weights, bias = np.zeros((known, rows.shape[1])), np.full(known, -np.inf)
        seen = np.unique(labels)
        if len(seen) == 1:
            bias[seen] = 0.0
            return cls(weights, bias)
        model = LogisticRegression(C=strength, max_iter=iterations, tol=1e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # so many iterations are enough for a baseline
            warnings.filterwarnings("ignore", "The number of unique classes")  # few dialogs have few turns of a label
            model.fit(rows, labels, sample_weight=counts)
        both = len(seen) == 2
        weights[seen] = np.vstack([0 * model.coef_, model.coef_]) if both else model.coef_
        bias[seen] = np.array([0.0, model.intercept_[0]]) if both else model.intercept_
        return cls(weights, bias)

    def logits(self, rows: Any) -> Array:
        """A score a label, a row an example."""
        scores: Array = rows @ self.weights.T + self.bias
        return scores

    def without(self, first: int) -> Classifier:
        """The same, which never says the labels from a number on."""
        return Classifier(self.weights, np.where(np.arange(len(self.bias)) < first, self.bias, -np.inf))
