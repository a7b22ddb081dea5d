"""Products with constants: the same as by torch in every mode of differentiation, by fewer products."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.utils._python_dispatch import TorchDispatchMode

from tasksieve.models.matching.products import product


class Counted(TorchDispatchMode):
    """Counts the matrix products within it."""

    products = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.products += func is torch.ops.aten.mm.default
        return func(*args, **(kwargs or {}))


def factors(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(7, 33, generator=generator, dtype=dtype), torch.randn(33, 5, generator=generator, dtype=dtype)


@pytest.mark.parametrize("moving", [(False, True), (True, False), (True, True), (False, False)])
def test_tangents_are_those_of_torch_without_a_product_with_zeros(moving: tuple[bool, bool]) -> None:
    with forward_ad.dual_level():
        pair = [
            forward_ad.make_dual(value, value.cos()) if moves else value
            for value, moves in zip(factors(), moving, strict=True)
        ]
        with Counted() as counted:
            found = forward_ad.unpack_dual(product(pair[0], pair[1]))
        expected = forward_ad.unpack_dual(pair[0] @ pair[1])
        assert torch.equal(found.primal, expected.primal)
        assert counted.products == 1 + sum(moving)
        if any(moving):
            assert torch.equal(found.tangent, expected.tangent)
        else:
            assert found.tangent is None


def test_it_has_derivatives_of_every_order_and_mode() -> None:
    pair = [value.requires_grad_() for value in factors(torch.float64)]
    assert gradcheck(product, pair, check_forward_ad=True)
    assert gradgradcheck(product, pair, check_fwd_over_rev=True)
    left, right = factors(torch.float64)

    def one(at: Tensor) -> Tensor:
        return product(left, at).sin().sum()

    def plain(at: Tensor) -> Tensor:
        return (left @ at).sin().sum()

    assert torch.equal(torch.func.hessian(one)(right), torch.func.hessian(plain)(right))
    many = torch.stack([right, -right])
    torch.testing.assert_close(torch.func.vmap(lambda at: product(left, at))(many), left @ many)
