r"""Texts as rows of numbers: TF-IDF, BM25, or the vectors of a pretrained encoder.

TF-IDF of a term that a text has :math:`c` times is :math:`(1 + \ln c)(1 + \ln\frac{1 + n}{1 + n_t})`, with
:math:`n_t` of :math:`n` texts having it, and rows of length 1. BM25 (Robertson et al., 1994) of a response that has a
term :math:`c` times and :math:`l` words, on average :math:`\bar l`, is
:math:`\ln\left(1 + \frac{n - n_t + 0.5}{n_t + 0.5}\right) \frac{c(k_1 + 1)}{c + k_1(1 - b + b\,l / \bar l)}`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tasksieve.encoding.phrases import phrase_of

Array = NDArray[np.float64]
Vectors = Callable[[Sequence[str]], Tensor]
"""Gives a vector for each text, one row a text."""
MOST_TERMS = 4_000
RARE = 2_000
"""With more texts than these, a term of one text alone is left out."""
K1, B = 1.5, 0.75


@dataclass(frozen=True, slots=True)
class Terms:
    """Words, and pairs of words if wanted, and in how many of the texts that were seen each is.

    Attributes:
        terms: in the order of their columns.
        holders: how many texts have each.
        texts: how many texts there were.
        words: how many words they had on average.
        pairs: whether pairs of neighbours are terms too.
    """

    terms: tuple[str, ...]
    holders: Array
    texts: int
    words: float
    pairs: bool

    @classmethod
    def of(cls, texts: Sequence[str], *, pairs: bool, most: int = MOST_TERMS) -> Terms:
        """The terms of texts, the commonest if there are more than ``most``."""
        from sklearn.feature_extraction.text import CountVectorizer

        split = list(map(_split, texts))
        rarest = 2 if len(split) > RARE else 1
        try:
            counter = CountVectorizer(
                token_pattern=r"\S+", lowercase=False, ngram_range=(1, 2 if pairs else 1), min_df=rarest,
                max_features=most,
            )  # fmt: skip
            counts = counter.fit_transform(split)
        except ValueError:  # no text has a word
            return cls((), np.zeros(0), len(split), 1.0, pairs)
        holders = np.bincount(counts.indices, minlength=counts.shape[1]).astype(np.float64)
        words = sum(len(text.split()) for text in split) / max(1, len(split))
        return cls(tuple(counter.get_feature_names_out()), holders, len(split), max(1.0, words), pairs)

    def counts(self, texts: Sequence[str]) -> Any:
        """How often each text has each term, a sparse row a text."""
        from scipy.sparse import csr_matrix
        from sklearn.feature_extraction.text import CountVectorizer

        if not self.terms:
            return csr_matrix((len(texts), 0), dtype=np.float64)
        counter = CountVectorizer(
            token_pattern=r"\S+", lowercase=False, ngram_range=(1, 2 if self.pairs else 1), vocabulary=self.terms
        )
        return counter.transform(map(_split, texts)).astype(np.float64)

    def tfidf(self, texts: Sequence[str]) -> Any:
        """TF-IDF, a sparse row a text."""
        from sklearn.preprocessing import normalize

        rows = self.counts(texts)
        rows.data = 1.0 + np.log(rows.data)
        rows = rows.multiply(1.0 + np.log((1.0 + self.texts) / (1.0 + self.holders))).tocsr()
        return normalize(rows) if self.terms else rows

    def bm25(self, texts: Sequence[str]) -> Any:
        """BM25 of responses, a sparse row a text: what each word of a query adds to their score."""
        rows = self.counts(texts)
        lengths = np.array([len(_split(text).split()) for text in texts], dtype=np.float64)
        short = K1 * (1 - B + B * lengths / self.words)
        rows.data = rows.data * (K1 + 1) / (rows.data + np.repeat(short, np.diff(rows.indptr)))
        return rows.multiply(np.log1p((self.texts - self.holders + 0.5) / (self.holders + 0.5))).tocsr()

    def there(self, texts: Sequence[str]) -> Any:
        """1 for each term that a text has, a sparse row a text: a query for :meth:`bm25`."""
        rows = self.counts(texts)
        rows.data[:] = 1.0
        return rows


def _split(text: str) -> str:
    return " ".join(phrase_of(text))
