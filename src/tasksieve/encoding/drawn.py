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
    for number, task in zip(right, tasks, strict=True):
        own = of_task[task]
        places = random.choice(len(own), min(len(own), among), replace=False)
        others = [own[place] for place in places if own[place] != number]
        offered.append([number, *others[: among - 1]])
    bags = [vocabulary.numbers(text)[0] for text in texts]
    rows = None if vectors is None else dense([plain(text) for text in texts], vectors, device)
    table = SentenceTable.of(bags, len(vocabulary), device, rows)
    first = torch.zeros(len(offered), dtype=torch.long, device=device)
    return Choices(table, first, SentenceTable.of(offered, len(texts), device))
