"""Responses as they were said, some of which each example chooses among: its own and others of its task.

What is right is told from what was said elsewhere, and nothing in how either is written may tell them apart: so
neither has gaps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tasksieve.encoding.choices import Choices
from tasksieve.encoding.phrases import Phrase, bag_of
from tasksieve.encoding.sentences import Embed, SentenceTable, dense, plain
from tasksieve.encoding.vocabulary import Vocabulary

SEED = 0
"""Of the draw: the same in every run."""


def drawn_choices(
    said: Sequence[str],
    tasks: Sequence[int],
    among: int,
    vocabulary: Vocabulary,
    device: torch.device | str = "cpu",
    vectors: Embed | None = None,
    seed: int = SEED,
    beside: Sequence[str] | None = None,
) -> Choices:
    """What examples choose among; the right response comes first.

    Args:
        said: the right response of each example.
        tasks: of each example the number of its task, whose other responses it is told from.
        among: responses an example, the right one with them; fewer where its task has fewer. Twins of a response
            count as that response.
        vocabulary: numbers the words.
        device: where the tensors live.
        vectors: gives each response a dense vector; None for none.
        seed: of the draw.
        beside: responses of tasks that are not here. Where they are given, half of what an example chooses among is
            drawn from these and from all tasks here; None for those of its own task alone.
    """
    numbers: dict[tuple[int, Phrase], int] = {}
    texts: list[str] = []
    right = []
    of_task: dict[int, list[int]] = {}
    for text, task in zip(said, tasks, strict=True):
        key = task, bag_of(text)
        if key not in numbers:
            numbers[key] = len(texts)
            of_task.setdefault(task, []).append(len(texts))
            texts.append(text)
        right.append(numbers[key])
    random = np.random.default_rng(seed)
    offered = []
    of_all = None if beside is None else range(len(texts) + len(beside))
    texts += beside or ()
    twins = [bag_of(text) for text in texts] if of_all is not None else []
    for number, task in zip(right, tasks, strict=True):
        share = among if of_all is None else among // 2
        others = others_of(number, of_task[task], share, random)
        if of_all is not None:
            known = {twins[number], *(twins[other] for other in others)}
            more = _some(of_all, among, random)
            others += list({twins[other]: other for other in more if twins[other] not in known}.values())
        offered.append([number, *others[: among - 1]])
    bags = [vocabulary.numbers(text)[0] for text in texts]
    rows = None if vectors is None else dense([plain(text) for text in texts], vectors, device)
    table = SentenceTable.of(bags, len(vocabulary), device, rows)
    first = torch.zeros(len(offered), dtype=torch.long, device=device)
    return Choices(table, first, SentenceTable.of(offered, len(texts), device))


def others_of(number: int, numbers: Sequence[int], share: int, random: np.random.Generator) -> list[int]:
    """What a response is told from: others of its task, drawn.

    Args:
        number: of the response.
        numbers: of all responses of its task.
        share: so many, itself with them.
        random: draws them.
    """
    return [other for other in _some(numbers, share, random) if other != number][: share - 1]


def _some(numbers: Sequence[int], count: int, random: np.random.Generator) -> list[int]:
    places = random.choice(len(numbers), min(len(numbers), count), replace=False)
    return [numbers[place] for place in places]
