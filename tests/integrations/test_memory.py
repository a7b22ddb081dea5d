"""What a meta-update holds beside a plain step of the trainer, counted block by block."""

from __future__ import annotations

import pytest
import torch

from benchmarks import language_model_cases
from benchmarks.language_model_cases import TINY, Case, case_of, ours, plain_step
from benchmarks.language_models import GOALS
from benchmarks.memory import counted_mb

pytest.importorskip("peft")


@pytest.fixture(scope="module")
def case() -> Case:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language_model_cases, "LENGTH", 64)
        return case_of(TINY, "cpu", 1)


@pytest.mark.parametrize("estimator", ["approximate", "exact"])
def test_an_update_needs_little_more_than_a_plain_step(case: Case, estimator: str) -> None:
    plain = counted_mb(plain_step(case))
    work = ours(case, 1, estimator)
    work()
    extra = counted_mb(work) / plain - 1
    assert plain > 1
    assert extra < GOALS[estimator]["extra_memory"]
    assert extra > -0.5  # it takes gradients as a plain step does


@pytest.mark.parametrize("estimator", ["approximate", "exact"])
def test_an_update_leaves_nothing_behind(case: Case, estimator: str) -> None:
    work, kept = ours(case, 1, estimator), list[torch.Tensor]()
    work()

    def twice() -> None:
        kept.append(work())
        kept.append(work())

    assert counted_mb(twice) < 1.01 * counted_mb(work) + 0.01
