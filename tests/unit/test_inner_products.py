"""Inner products of contexts with what each is offered: by compiled code and by torch, with all derivatives."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import forward_ad

from tasksieve.encoding import SentenceTable
from tasksieve.encoding.inner_products import inner_products

pytestmark = pytest.mark.usefixtures("both_paths")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3), st.integers(0, 5), st.integers(1, 20), st.sampled_from([torch.float32, torch.float64]))
def test_products_are_those_of_a_copy_of_the_rows(batch: int, most: int, dim: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(batch + 10 * most + 100 * dim)
    states, rows = (torch.randn(size, dim, generator=generator) for size in (batch, 7))
    numbers = torch.randint(7, (batch, most), generator=generator)
    found = inner_products(states.to(dtype), rows, numbers)
    expected = (rows[numbers].double() @ states.double()[:, :, None])[:, :, 0]
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_derivatives_are_those_of_a_copy_of_the_rows(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    states, rows = (torch.randn(size, 6, generator=generator, dtype=dtype) for size in (3, 5))
    numbers = torch.randint(5, (3, 4), generator=generator)
    tangent, weights = (torch.randn(shape, generator=generator, dtype=dtype) for shape in ((3, 6), (3, 4)))
    found = []
    for products in (
        lambda at: inner_products(at, rows, numbers),
        lambda at: (rows[numbers] @ at[:, :, None])[:, :, 0],
    ):
        at = states.clone().requires_grad_()
        (first,) = torch.autograd.grad(torch.tanh(products(at)).mul(weights).sum(), at, create_graph=True)
        (second,) = torch.autograd.grad((first * tangent).sum(), at)
        with forward_ad.dual_level():
            ahead = forward_ad.unpack_dual(products(forward_ad.make_dual(states, tangent))).tangent
        assert ahead is not None
        found.append((first.detach(), second, ahead))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_vectors_of_chosen_sentences_are_put_together_when_they_are_asked_for() -> None:
    rows = torch.arange(8.0).view(4, 2)
    table = SentenceTable.of([[0], [1, 2], [], [2]], 3, vectors=rows, pieces=rows + 1)
    once = table.select(torch.tensor([3, 1, 1, 0]))
    twice = once.select(torch.tensor([1, 0]))
    found, places = twice.looked_up(torch.tensor([1, 1]))
    assert twice.has_vectors and found is rows and places.tolist() == [3, 3]
    assert twice.vectors is not None and torch.equal(twice.vectors, rows[[1, 3]])
    assert twice.pieces is not None and torch.equal(twice.pieces, rows[[1, 3]] + 1)
    assert torch.equal(twice.looked_up(torch.tensor([1]))[0], twice.vectors)
    plain = SentenceTable.of([[0]], 3).select(torch.tensor([0]))
    assert not plain.has_vectors and plain.vectors is None and plain.pieces is None
