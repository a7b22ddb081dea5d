r"""What examples say, without any model: their words, and sentence vectors where there are some.

Every example has three views: the utterance, the response, and the history, all memories together. As words a view
is a row of TF-IDF: a word that it has :math:`c` times has :math:`(1 + \ln c)(1 + \ln\frac{1 + n}{1 + n_w})`, with
:math:`n_w` of :math:`n` examples having it, and rows have length 1. As vectors it is the sentence's own, or for the
history the mean of its memories', of length 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksieve.contracts import Examples
from tasksieve.encoding import Batch, EncodedTask, chunks
from tasksieve.errors import UserError

Array = NDArray[np.float64]
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Views:
    """The examples of tasks, one after the other, as counts of words and as vectors.

    Attributes:
        words: of utterance, response and history a sparse matrix, examples × words of the vocabulary.
        vectors: of the same the sentence vectors, examples × dim, not yet of length 1; None where there are none.
    """

    words: tuple[Any, Any, Any]
    vectors: tuple[Array, Array, Array] | None

    def features(self) -> Any:
        """All views side by side, as TF-IDF and as vectors: a sparse row an example."""
        from scipy.sparse import csr_matrix, hstack

        parts = [tfidf(counts) for counts in self.words]
        parts += [csr_matrix(unit(rows)) for rows in self.vectors or ()]
        return hstack(parts).tocsr()

    def together(self) -> Any:
        """How often each word is in any view: a sparse row an example."""
        return (self.words[0] + self.words[1] + self.words[2]).tocsr()


def views_of(tasks: Sequence[Examples], latest: int | None = None) -> Views:
    """The views of all examples of tasks.

    Args:
        tasks: of dialogs.
        latest: only so many memories are history; by default all.
    Raises: UserError: if the examples are no turns of dialogs.
    """
    from scipy.sparse import vstack

    parts = []
    for task in tasks:
        if not isinstance(task, EncodedTask):
            raise UserError("this method reads words, and the examples have none; choose another method")
        read = [_of_batch(task.batch(numbers), latest) for numbers in chunks(task, _CHUNK)]
        parts += [Views(part.words, None) for part in read] if task.tokens else read
    words = [vstack([part.words[view] for part in parts]).tocsr() for view in range(3)]
    vectors = None
    if parts[0].vectors is not None:
        found = [[part.vectors[view] for part in parts if part.vectors is not None] for view in range(3)]
        vectors = (np.vstack(found[0]), np.vstack(found[1]), np.vstack(found[2]))
    return Views((words[0], words[1], words[2]), vectors)


def _of_batch(batch: Batch, latest: int | None) -> Views:
    from scipy.sparse import csr_matrix

    table = batch.table
    ends, numbers = table.offsets.cpu().numpy(), table.words.cpu().numpy()
    shape = (len(table), table.vocabulary_size)
    sentences = csr_matrix((np.ones(len(numbers)), numbers, ends), shape=shape)
    sentences.sum_duplicates()
    memories = batch.memories[:, :latest].cpu().numpy()
    rows, places = np.nonzero(memories >= 0)
    among = csr_matrix((np.ones(len(rows)), (rows, memories[rows, places])), shape=(len(batch), len(table)))
    utterances, responses = batch.utterances.cpu().numpy(), batch.responses.cpu().numpy()
    words = sentences[utterances], sentences[responses], (among @ sentences).tocsr()
    if table.vectors is None:
        return Views(words, None)
    vectors = table.vectors.double().cpu().numpy()
    mean = among @ vectors / np.maximum(among.sum(axis=1), 1)
    return Views(words, (vectors[utterances], vectors[responses], np.asarray(mean)))


def tfidf(counts: Any) -> Any:
    """TF-IDF of counts, a sparse row of length 1 an example, or of zeros if it has no word."""
    rows = counts.tocsr(copy=True)
    holders = np.bincount(rows.indices, minlength=rows.shape[1])
    rows.data = (1 + np.log(rows.data)) * (1 + np.log((1 + rows.shape[0]) / (1 + holders)))[rows.indices]
    return unit(rows)


def unit(rows: Any) -> Any:
    """Rows of length 1; those of zeros stay so."""
    from sklearn.preprocessing import normalize

    return normalize(rows)
