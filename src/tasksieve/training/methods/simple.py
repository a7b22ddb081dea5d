"""Simple baselines: what a few lines of scikit-learn reach with the same dialogs.

They are fitted in seconds by :mod:`tasksieve.training.runs.simple` and not by the loop. They read what the models
read: utterances with placeholders for names, the system's own earlier actions, remembered facts, and what tools have
just returned.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from tasksieve.training.loop.method import Method, Update
from tasksieve.training.methods.registry import register

Sees = Literal["tfidf", "encoder", "bm25"]
"""How a simple method sees texts: TF-IDF of words and pairs, a pretrained encoder's vectors, or words as in BM25."""


class SimpleMethod(Method):
    """A simple baseline.

    Attributes:
        sees: how it sees texts.
        classifies: whether it learns which response or action follows; else it ranks responses by how near they are.
    """

    simple = True
    updates: ClassVar[tuple[Update, ...]] = ("primary",)
    heads = "one"
    sees: ClassVar[Sees] = "tfidf"
    classifies: ClassVar[bool] = True


@register
class Tfidf(SimpleMethod):
    """Logistic regression on TF-IDF of last utterance, last action and history; primary task alone."""

    name = "tfidf"


@register
class TfidfAll(SimpleMethod):
    """As tfidf, with all related turns; how much more a primary turn counts is chosen on validation."""

    name = "tfidf-all"
    updates = ("pooled",)


@register
class Encoder(SimpleMethod):
    """As tfidf, on frozen sentence vectors in place of TF-IDF; primary task alone."""

    name = "encoder"
    sees = "encoder"


@register
class EncoderAll(SimpleMethod):
    """As encoder, with all related turns; how much more a primary turn counts is chosen on validation."""

    name = "encoder-all"
    sees = "encoder"
    updates = ("pooled",)


@register
class Bm25(SimpleMethod):
    """Ranks responses by BM25 of the context; learns nothing."""

    name = "bm25"
    sees = "bm25"
    classifies = False


@register
class Cosine(SimpleMethod):
    """Ranks responses by the cosine of their TF-IDF and the context's; learns nothing."""

    name = "cosine"
    classifies = False


@register
class CosineEncoder(SimpleMethod):
    """Ranks responses by the cosine of their sentence vector and the context's; learns nothing."""

    name = "cosine-encoder"
    sees = "encoder"
    classifies = False
