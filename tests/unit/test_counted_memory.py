"""Blocks of memory are counted to the byte, whatever the system's allocator does with them."""

from __future__ import annotations

import pytest
import torch

from benchmarks.memory import counted_mb

MB = 2**18
"""So many numbers in single precision are one megabyte."""


@pytest.mark.parametrize("held", [0, 3])
def test_the_peak_is_what_is_held_together_beyond_what_was_held_before(held: int) -> None:
    before = [torch.zeros(MB) for _ in range(held)]

    def work() -> None:
        for _ in range(5):
            torch.zeros(4 * MB)  # each is given back before the next is taken
        kept = [torch.zeros(MB) for _ in range(7)]
        kept.clear()

    assert counted_mb(work) == pytest.approx(7, abs=0.01)
    assert len(before) == held


def test_what_was_held_before_makes_no_room() -> None:
    before = [torch.zeros(8 * MB)]

    def work() -> None:
        before.clear()
        torch.zeros(9 * MB)

    assert counted_mb(work) == pytest.approx(9, abs=0.01)


def test_a_backward_pass_counts_too() -> None:
    weight = torch.zeros(MB, requires_grad=True)
    assert counted_mb(lambda: weight.exp().sum().backward()) == pytest.approx(2, abs=0.01)


def test_nothing_is_nothing() -> None:
    assert counted_mb(lambda: None) == 0
