"""What is kept of a task's examples: the same to the bit as what is worked out anew, and within bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tasksieve.encoding import Batch, EncodedTask, kept_rows
from tasksieve.encoding.kept_rows import KeptRows
from tasksieve.models.matching.contexts import Contexts
from tasksieve.models.matching.sources import Sources
from tests.gradients.matching_cases import acting_world

WORLD = acting_world()
TASKS = [WORLD.task(head) for head in list(WORLD.readings)]


def means(batch: Batch, dtype: torch.dtype | None) -> tuple[Tensor, Tensor]:
    """What both models ask for."""
    contexts = Contexts(batch)
    sources = Sources(contexts, -1)
    said = contexts.means("said", lambda: (contexts.said,), dtype)
    return said, contexts.means("system and earlier", lambda: (sources.system, sources.earlier), dtype)


def forgetful(batch: Batch) -> Batch:
    """The same batch, of which nothing is kept."""
    other = replace(batch)
    assert other.rows is None
    return other


@pytest.mark.usefixtures("both_paths")
@pytest.mark.parametrize("dtype", [None, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("task", TASKS)
def test_kept_means_are_those_that_are_worked_out_anew(task: EncodedTask, dtype: torch.dtype | None) -> None:
    task.__dict__.pop("_rows", None)
    generator = torch.Generator().manual_seed(0)
    for size in (1, 3, len(task) // 2, len(task), len(task)):
        examples = torch.randint(len(task), (size,), generator=generator)
        for batch in (task.batch(examples), task.batch(examples)):
            for kept, fresh in zip(means(batch, dtype), means(forgetful(batch), dtype), strict=True):
                assert kept.dtype == fresh.dtype
                assert torch.equal(kept, fresh)


def test_a_batch_that_was_changed_takes_nothing_from_the_task() -> None:
    batch = TASKS[0].batch(torch.arange(len(TASKS[0])))
    means(batch, None)
    shorter = replace(batch, memories=batch.memories[:, :1].contiguous())
    assert torch.equal(means(shorter, None)[0], means(forgetful(shorter), None)[0])
    assert not torch.equal(means(shorter, None)[0], means(batch, None)[0])


@given(st.lists(st.lists(st.integers(0, 9), min_size=1), min_size=1))
def test_each_row_is_found_once_and_comes_back_in_the_order_asked_for(batches: list[list[int]]) -> None:
    truth, found = torch.randn(10, 3), list[list[int]]()
    rows = KeptRows(10)
    for numbers in map(torch.tensor, batches):
        assert torch.equal(rows.rows("key", numbers, looking_up(truth, numbers, found)), truth[numbers])
        assert torch.equal(rows.rows("other", numbers, looking_up(-truth, numbers, [])), -truth[numbers])
    assert found[0] == batches[0]
    once = [number for numbers in found for number in {*numbers}]
    assert sorted(once) == sorted({number for numbers in batches for number in numbers})


def looking_up(truth: Tensor, numbers: Tensor, found: list[list[int]]) -> Callable[[Tensor | None], Tensor]:
    def work(places: Tensor | None) -> Tensor:
        asked = numbers if places is None else numbers[places]
        found.append(asked.tolist())
        return truth[asked]

    return work


def test_what_would_take_too_much_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, numbers = torch.randn(10, 3), torch.tensor([4, 4, 1])
    for most, times in ((10 * 3 * 4, 1), (10 * 3 * 4 - 1, 2)):
        monkeypatch.setattr(kept_rows, "MOST_BYTES", most)
        found: list[list[int]] = []
        rows: Any = KeptRows(10)
        for _ in range(2):
            assert torch.equal(rows.rows("key", numbers, looking_up(truth, numbers, found)), truth[numbers])
        assert found == times * [[4, 4, 1]]
