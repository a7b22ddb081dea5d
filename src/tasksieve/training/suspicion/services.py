"""The turns of one service, seen side by side: contexts, what was answered, and what a trained model makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tasksieve.encoding import EncodedTask, Example
from tasksieve.models import DialogModel
from tasksieve.training.rivals.features import Views, tfidf, unit, views_of
from tasksieve.training.runs.in_use import in_use

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
LATEST = 4
"""So many memories are the history of a turn, as what was said long ago says little about the response."""
HISTORY = 0.5
"""What the history counts beside the utterance."""
REPEATED = 0.5
MOST_LABELS = 1_000
"""Where the distinct answers are more, or more than that share of all, they are compared as sentences, not labels."""
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Service:
    """The turns of one service.

    Attributes:
        examples: the turns.
        dialogs: a number for the dialog of each, the same in no two dialogs.
        contexts: a row of length 1 a turn: words of the utterance and of the latest memories, and their vectors.
        answers: the same of the responses.
        labels: what is predicted of each turn, as a number; None where answers hardly repeat.
        texts: what is predicted of each turn.
        losses: of the trained model, in nats; nan where the right response is none of its candidates.
        trust: how much each loss tells, 0 to 1: little where the model knows the turn by heart.
    """

    examples: tuple[Example, ...]
    dialogs: Numbers
    contexts: Any
    answers: Any
    labels: Numbers | None
    texts: tuple[str, ...]
    losses: Array
    trust: Array

    def __len__(self) -> int:
        return len(self.examples)

    def part(self, which: Numbers) -> Service:
        """Some of the turns."""
        texts = tuple(self.texts[number] for number in which)
        return Service(
            tuple(self.examples[number] for number in which),
            self.dialogs[which],
            self.contexts[which],
            self.answers[which],
            labels_of(texts),
            texts,
            self.losses[which],
            self.trust[which],
        )


def primary_service(model: DialogModel, train: EncodedTask, valid: EncodedTask, *, written: bool) -> Service:
    """The primary task, its training dialogs before its validation dialogs.

    The model's losses of training turns are trusted by what their mean is of that over the validation turns, which it
    has not learned.

    Args:
        model: trained.
        train, valid: encoded alike.
        written: whether responses are ranked as they were written.
    """
    losses = losses_of(model, train), losses_of(model, valid)
    means = [float(np.nanmean(found)) if np.isfinite(found).any() else np.nan for found in losses]
    known = min(1.0, means[0] / means[1]) if np.isfinite(means).all() and means[1] > 0 else 0.0
    trust = np.concatenate([np.full(len(train), known), np.ones(len(valid))])
    return _service((train, valid), np.concatenate(losses), trust, written)


def related_services(model: DialogModel, tasks: Sequence[EncodedTask], *, written: bool) -> list[Service]:
    """The related tasks, by number, each by itself.

    Args:
        model: trained.
        tasks: of the run, of which one may be several.
        written: whether responses are ranked as they were written.
    """
    services: dict[int, Service] = {}
    for task in tasks:
        whole = _service((task,), losses_of(model, task), np.ones(len(task)), written)
        of_task = np.array([example.task for example in task.examples])
        for number in np.unique(of_task):
            services[int(number)] = whole.part(np.flatnonzero(of_task == number))
    return [services[number] for number in sorted(services)]


def losses_of(model: DialogModel, task: EncodedTask) -> Array:
    """The loss of every turn in nats; nan where the right response is no candidate."""
    found = np.full(len(task), np.nan)
    answerable = task.answerable()
    with in_use(model):
        for numbers in torch.split(answerable, _CHUNK):
            found[numbers.cpu().numpy()] = model.losses(task.batch(numbers)).double().cpu().numpy()
    return found


def _service(tasks: Sequence[EncodedTask], losses: Array, trust: Array, written: bool) -> Service:
    views = views_of(tasks, LATEST)
    examples = tuple(example for task in tasks for example in task.examples)
    dialogs = [(number, example.dialog) for number, task in enumerate(tasks) for example in task.examples]
    names = {dialog: number for number, dialog in enumerate(dict.fromkeys(dialogs))}
    texts = tuple(text for task in tasks for text in _predicted(task, written))
    numbers = np.array([names[dialog] for dialog in dialogs])
    return Service(examples, numbers, _contexts(views), _answers(views), labels_of(texts), texts, losses, trust)


def labels_of(texts: Sequence[str]) -> Numbers | None:
    """A number for each text, counted from 0, the same for the same text; None where there are too many."""
    kinds = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    if len(kinds) > min(MOST_LABELS, REPEATED * len(texts)):
        return None
    return np.array([kinds[text] for text in texts])


def _predicted(task: EncodedTask, written: bool) -> list[str]:
    if written:
        return [example.system for example in task.examples]
    chosen = task.choices.chosen().tolist()
    said = zip(chosen, task.examples, strict=True)
    return [task.candidates.texts[number] if number >= 0 else example.system for number, example in said]


def _contexts(views: Views) -> Any:
    words, vectors = views.words, views.vectors
    return _rows([(1.0, words[0]), (HISTORY, words[2])], vectors and [(1.0, vectors[0]), (HISTORY, vectors[2])])


def _answers(views: Views) -> Any:
    return _rows([(1.0, views.words[1])], views.vectors and [(1.0, views.vectors[1])])


def _rows(counts: Sequence[tuple[float, Any]], vectors: Sequence[tuple[float, Array]] | None) -> Any:
    from scipy.sparse import csr_matrix, hstack

    parts = [share * tfidf(rows) for share, rows in counts]
    parts += [csr_matrix(share * unit(rows)) for share, rows in vectors or ()]
    return unit(hstack(parts).tocsr())
