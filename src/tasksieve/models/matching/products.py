r"""Matrix products of which one factor is constant.

With a tangent for B alone the tangent of :math:`A B` is :math:`A \dot B`. Forward-mode differentiation in torch adds
:math:`\dot A B` with zeros for :math:`\dot A`, a product as large as the others. Sentence vectors are constants, and
the products with them are most of the work of a pass.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad


def product(
    left: Float[Tensor, "rows inner"], right: Float[Tensor, "inner columns"]
) -> Float[Tensor, "rows columns"]:
    """The matrix product of two factors, differentiable by both in every mode; a constant has no tangent of zeros."""
    (first, of_first), (second, of_second) = map(forward_ad.unpack_dual, (left, right))
    tangent = None
    if of_second is not None and of_first is None and not left.requires_grad:
        tangent = first @ of_second
    elif of_first is not None and of_second is None and not right.requires_grad:
        tangent = of_first @ second
    if tangent is None:
        return left @ right
    dual: Tensor = forward_ad.make_dual(first @ second, tangent)  # type: ignore[no-untyped-call]
    return dual
