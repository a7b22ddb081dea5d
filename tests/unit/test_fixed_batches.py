"""Batches that are dealt out once and come again and again."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from tasksieve.training.loop.samplers import KNOWN_BATCHES, FixedBatches


@dataclass
class Numbers:
    """A batch that is nothing but the numbers of its examples."""

    examples: Tensor

    @property
    def targets(self) -> Tensor:
        return self.examples

    def __len__(self) -> int:
        return len(self.examples)


@dataclass
class Numbered:
    """Examples, the first two of which have no right answer."""

    count: int
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    cut: int = 0

    def __len__(self) -> int:
        return self.count

    def batch(self, examples: Tensor) -> Numbers:
        self.cut += 1
        return Numbers(examples)

    def answerable(self) -> Tensor:
        return torch.arange(2, self.count)


def dealt(count: int, size: int) -> tuple[Numbered, FixedBatches]:
    """Batches of about so many examples."""
    examples = Numbered(count)
    return examples, FixedBatches(examples, size, torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("count", "size", "batches"), [(68, 64, 1), (12, 64, 1), (102, 20, 5), (103, 20, 5), (3, 1, 1)]
)
def test_each_round_has_every_example_once_in_batches_of_about_the_size(count: int, size: int, batches: int) -> None:
    _, fixed = dealt(count, size)
    found = [fixed.batch(number) for number in range(batches)]
    assert sorted(number for batch in found for number in batch.examples.tolist()) == list(range(2, count))
    lengths = [len(batch) for batch in found]
    assert max(lengths) - min(lengths) <= 1


def test_a_round_is_like_the_one_before_and_costs_nothing() -> None:
    examples, fixed = dealt(102, 20)
    first = [fixed.batch(number) for number in range(5)]
    assert all(fixed.batch(5 + number) is batch for number, batch in enumerate(first))
    assert examples.cut == 5


def test_no_more_than_a_few_are_kept() -> None:
    batches = KNOWN_BATCHES + 3
    examples, fixed = dealt(2 + 10 * batches, 10)
    rounds = [[fixed.batch(number) for number in range(start, start + batches)] for start in (0, batches)]
    assert all(torch.equal(one.examples, other.examples) for one, other in zip(*rounds, strict=True))
    assert examples.cut == 2 * batches
    assert len(fixed._known) == KNOWN_BATCHES
