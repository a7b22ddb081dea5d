"""What a run starts from, and what its examples say, read off one by one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch

from tasksieve.records.config import RunConfig
from tasksieve.training.methods import Method, Start, Weighing
from tasksieve.training.runs.dialogs import build_parts

Bag = Counter[int]


class _Seen(Method):
    """Keeps what it is given."""

    name = "seen"
    start: Start

    def weighing(self, start: Start) -> Weighing:
        """All 1."""
        self.start = start
        return super().weighing(start)


def start_of(config: RunConfig) -> Start:
    """What a run with this configuration starts from."""
    method = _Seen()
    build_parts(config, method)
    return method.start


def bags_of(task: Any, latest: int | None = None) -> list[tuple[Bag, Bag, Bag]]:
    """Of each example the words of its utterance, of its response and of its memories."""
    found = []
    for number in range(len(task)):
        batch = task.batch(torch.tensor([number]))
        sentences = [
            batch.table.words[start:end].tolist()
            for start, end in zip(batch.table.offsets[:-1].tolist(), batch.table.offsets[1:].tolist(), strict=True)
        ]
        memories = [place for place in batch.memories[0].tolist() if place >= 0][:latest]
        history: Bag = Counter(word for place in memories for word in sentences[place])
        found.append((Counter(sentences[int(batch.utterances)]), Counter(sentences[int(batch.responses)]), history))
    return found


def tfidf_of(bags: Sequence[Bag], words: int) -> torch.Tensor:
    """TF-IDF, a row of length 1 a bag."""
    rows = torch.zeros(len(bags), words, dtype=torch.float64)
    holders = Counter(word for bag in bags for word in bag)
    for row, bag in zip(rows, bags, strict=True):
        for word, count in bag.items():
            row[word] = (1 + math.log(count)) * (1 + math.log((1 + len(bags)) / (1 + holders[word])))
    return torch.nn.functional.normalize(rows)
