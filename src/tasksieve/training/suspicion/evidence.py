r"""What speaks against the answer of a turn, from other turns of its service.

**Neighbours.** :math:`1 - \sum_j c_{ij} a_{ij} / \sum_j c_{ij}` over the turns j of other dialogs whose contexts are
most like that of i, with :math:`c_{ij}` the cosine of the contexts and :math:`a_{ij}` that of the answers; or, where
answers are labels, whether they are the same.

**Expectation.** A ridge regression from contexts to answers is fitted five times, each time on four fifths of the
dialogs, and says of the others what it expects: :math:`\hat y_i`. Against a label speaks
:math:`\tfrac12 \max_{l \ne y_i} \hat y_{il} - \hat y_{i y_i}`; against a sentence, how much nearer :math:`\hat y_i`
is to the others' sentences on average than to its own, in standard deviations. Held-out predictions that disagree
with a label are the evidence of confident learning (Northcutt, Jiang and Chuang, 2021); a regression with a closed
form is enough to have it for thousands of turns in seconds.

**Loss.** That of the trained model, see :mod:`tasksieve.training.suspicion.services`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasksieve.training.rivals.features import unit
from tasksieve.training.suspicion.services import Array, Numbers, Service

FOLDS = 5
NEIGHBOURS = 20
"""At most so many; of few turns a tenth, at least 3."""
_RIDGE = 1.0
_CONTEXT_DIM, _ANSWER_DIM = 150, 100
"""Dimensions that contexts and sentences are reduced to before they are fitted."""
_CELLS = 1 << 24
"""Of a table of turns by turns, so many at once."""
WITNESSES = 10_000
"""Of more turns so many, drawn by a fixed seed, are compared with."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the turns with similar contexts say.

    Attributes:
        against: 1 less how much their answers are like the turn's own.
        others: of the turns looked at the share that has another label; nan without labels.
        counts: how many turns were looked at for each: fewer where there are not so many in other dialogs.
    """

    against: Array
    others: Array
    counts: Numbers


@dataclass(frozen=True, slots=True)
class Expectation:
    """What other dialogs let expect.

    Attributes:
        against: how far the turn's own answer is from it.
        nearest: the turn whose answer is expected most.
    """

    against: Array
    nearest: Numbers


def neighbours(service: Service) -> Neighbours:
    """Compare each turn with those of other dialogs whose contexts are most like its own."""
    witnesses = _witnesses(len(service))
    count = min(NEIGHBOURS, max(3, len(witnesses) // 10), len(witnesses) - 1)
    against, others = np.zeros(len(service)), np.full(len(service), np.nan)
    counts = np.zeros(len(service), dtype=np.int64)
    if count < 1:
        return Neighbours(against, others, counts)
    contexts, dialogs = service.contexts[witnesses].T.tocsr(), service.dialogs[witnesses]
    for rows in _parts(len(service), len(witnesses)):
        near = np.asarray((service.contexts[rows] @ contexts).todense())
        near[service.dialogs[rows][:, None] == dialogs[None]] = -1.0
        places = np.argpartition(-near, count - 1, axis=1)[:, :count]
        elsewhere = dialogs[places] != service.dialogs[rows][:, None]
        weights = np.where(elsewhere, np.maximum(np.take_along_axis(near, places, axis=1), 1e-6), 0.0)
        alike = _alike(service, rows, witnesses[places])
        counts[rows] = elsewhere.sum(axis=1)
        known = rows[counts[rows] > 0]
        there = counts[rows] > 0
        against[known] = 1 - (weights * alike).sum(axis=1)[there] / weights.sum(axis=1)[there]
        if service.labels is not None:
            others[known] = 1 - (elsewhere * alike).sum(axis=1)[there] / counts[known]
    return Neighbours(against, others, counts)


def _alike(service: Service, rows: Numbers, places: Numbers) -> Array:
    if service.labels is not None:
        return np.asarray(service.labels[places] == service.labels[rows][:, None], dtype=float)
    own = service.answers[np.repeat(rows, places.shape[1])]
    products = own.multiply(service.answers[places.ravel()]).sum(axis=1)
    return np.asarray(products).reshape(places.shape)


def expectation(service: Service) -> Expectation:
    """What the other dialogs let expect of each turn."""
    answers = _targets(service)
    expected = _held_out(_reduced(service.contexts, _CONTEXT_DIM), answers, service.dialogs)
    if service.labels is not None:
        own = np.take_along_axis(expected, service.labels[:, None], axis=1)[:, 0]
        rest = expected.copy()
        np.put_along_axis(rest, service.labels[:, None], -np.inf, axis=1)
        best = expected.argmax(axis=1)
        _, first = np.unique(service.labels, return_index=True)
        against = rest.max(axis=1) / 2 - own if rest.shape[1] > 1 else -own
        return Expectation(against, first[best])
    against, nearest = np.zeros(len(service)), np.zeros(len(service), dtype=np.int64)
    witnesses = _witnesses(len(service))
    for rows in _parts(len(service), len(witnesses)):
        scores = expected[rows] @ answers[witnesses].T
        own = (expected[rows] * answers[rows]).sum(axis=1)
        against[rows] = (scores.mean(axis=1) - own) / (scores.std(axis=1) + 1e-9)
        nearest[rows] = witnesses[scores.argmax(axis=1)]
    return Expectation(against, nearest)


def _targets(service: Service) -> Array:
    if service.labels is None:
        return np.asarray(unit(_reduced(service.answers, _ANSWER_DIM)))
    return np.eye(int(service.labels.max()) + 1)[service.labels]


def _reduced(rows: Any, most: int) -> Array:
    """Rows by their principal directions; as they are if these would be no fewer."""
    dim = min(most, min(rows.shape) - 1)
    if dim < 2:
        return np.asarray(rows.todense())
    from sklearn.decomposition import TruncatedSVD

    return np.asarray(TruncatedSVD(dim, n_iter=3, random_state=0).fit_transform(rows))


def _held_out(rows: Array, answers: Array, dialogs: Numbers) -> Array:
    """What is expected of each turn by who learned from other dialogs."""
    known = np.unique(dialogs)
    order = np.random.default_rng(0).permutation(len(known))
    fold = order[np.searchsorted(known, dialogs)] % FOLDS
    expected = np.tile(answers.mean(axis=0), (len(answers), 1))
    ones = np.hstack([rows, np.ones((len(rows), 1))])
    for held in range(FOLDS):
        test = fold == held
        if not test.any() or test.all():
            continue
        learned, told = ones[~test], answers[~test]
        mean = told.mean(axis=0)
        gram = learned.T @ learned + _RIDGE * np.eye(learned.shape[1])
        expected[test] = ones[test] @ np.linalg.solve(gram, learned.T @ (told - mean)) + mean
    return expected


def _witnesses(count: int) -> Numbers:
    if count <= WITNESSES:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, WITNESSES, replace=False))


def _parts(count: int, columns: int) -> Iterator[Numbers]:
    """The numbers of all rows, in parts that fit in memory with so many columns."""
    size = max(1, _CELLS // columns)
    for start in range(0, count, size):
        yield np.arange(start, min(count, start + size))
