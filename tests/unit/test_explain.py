"""The attention that is shown is the attention the model pays."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from tasksieve.models.memory_network.explain import attention_of
from tests.unit.test_models import network, task


@pytest.mark.parametrize("transform", ["state", "attended"])
@pytest.mark.parametrize("recency", [True, False])
@pytest.mark.parametrize("with_response", [True, False])
def test_the_state_is_the_models_own(
    transform: Literal["state", "attended"], recency: bool, with_response: bool
) -> None:
    body, batch = network(transform=transform, recency=recency, hops=3).body, task().batch(torch.arange(20))
    state, attention = attention_of(body, batch, with_response)
    torch.testing.assert_close(state, body(batch, with_response).detach(), rtol=1e-6, atol=1e-8)
    assert attention.shape == (3, 20, batch.memories.shape[1])
    torch.testing.assert_close(attention.sum(2), torch.ones(3, 20, dtype=torch.float64))
    assert (attention.transpose(0, 1)[(batch.memories < 0)[:, None].expand(-1, 3, -1)] == 0).all()


def test_a_sentence_that_comes_twice_gets_two_equal_shares() -> None:
    batch = task().batch(torch.arange(len(task())))
    rows = [
        row
        for row in range(len(batch))
        if len(set(batch.memories[row].tolist()) - {-1}) < (batch.memories[row] >= 0).sum()
    ]
    assert rows
    _, attention = attention_of(network().body, batch)
    memories = batch.memories[rows[0]]
    number = next(n for n in memories.tolist() if n >= 0 and (memories == n).sum() > 1)
    shares = attention[:, rows[0], memories == number]
    torch.testing.assert_close(shares, shares[:, :1].expand_as(shares))
