r"""Low-rank adapters of a frozen model, a set of its own for every row of a batch.

A linear map :math:`Wx` becomes :math:`Wx + \frac{α}{r} B_c A_c x`, where :math:`c` is the set that the row belongs
to. So several fine-tunings of one model share its passes: their rows stand in one batch, and each row sees only its
own set. Gradients come a row, not summed, which tells how much each dialog agrees with others at no further cost.
One set by itself is LoRA as peft has it: what goes down is drawn as there, what goes up begins as 0, and the scale is
α/r (:mod:`~tasksieve.models.language_model.peft_folder` writes it so).

Reference: Hu et al., 2022: LoRA; sharing a batch as in Chen et al., 2024 (Punica).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "c_attn", "query_key_value", "q", "k", "v", "o")
"""What maps of attention are called in models of Hugging Face's."""


class AdaptedLinear(nn.Module):
    """A linear map and what is added to it, where something is.

    Args:
        inner: the frozen map.
        features: lengths of its input and output.
    """

    def __init__(self, inner: nn.Module, features: tuple[int, int], scale: float) -> None:
        super().__init__()
        self.inner, self.features, self.scale = inner, features, scale
        self.rows: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Float[Tensor, "rows tokens _"]) -> Float[Tensor, "rows tokens _"]:
        """The map of each row with that row's set."""
        y: Tensor = self.inner(x)
        if self.rows is None:
            return y
        down, up = (matrix.to(x.dtype) for matrix in self.rows)
        return y + (x @ down @ up) * self.scale


class Adapters:
    """All adapted maps of a model, in the model's order.

    Args:
        model: of transformers; its maps of attention are replaced.
        rank: r.
        alpha: α.
    Raises: ValueError: if the model has no map of a known name.

    Attributes:
        rank, alpha: as given.
        maps: the adapted maps.
        names: of them in the model, as peft calls them too.
        turned: whether the frozen maps have their weights input × output, as transformers' Conv1D has.
    """

    def __init__(self, model: nn.Module, rank: int = 8, alpha: float = 16.0) -> None:
        self.rank, self.alpha, self.turned = rank, alpha, False
        self.maps, self.names = list[AdaptedLinear](), list[str]()
        for path, parent in list(model.named_modules()):
            for name, child in list(parent.named_children()):
                if name in PROJECTIONS and not isinstance(parent, AdaptedLinear):
                    adapted = AdaptedLinear(child, _features(child), alpha / rank)
                    setattr(parent, name, adapted)
                    self.maps.append(adapted)
                    self.names.append(f"{path}.{name}" if path else name)
                    self.turned = not isinstance(child, nn.Linear)
        if not self.maps:
            raise ValueError(f"the model has no map named one of {', '.join(PROJECTIONS)}")

    def fresh(self, sets: int, generator: torch.Generator, device: torch.device) -> list[Tensor]:
        """Parameters of as many sets, all alike: of each map what goes down, drawn, and what goes up, 0."""
        found: list[Tensor] = []
        for one in self.maps:
            before, after = one.features
            bound = math.sqrt(1 / before)
            down = (torch.rand(before, self.rank, generator=generator) * 2 - 1) * bound
            found += [
                down.expand(sets, -1, -1).clone().to(device),
                torch.zeros(sets, self.rank, after, device=device),
            ]
        return found

    def use(self, params: Sequence[Tensor] | None) -> None:
        """Add these from now on: a set a row, as :meth:`of_rows` gives them, or one for all; None for nothing."""
        for number, one in enumerate(self.maps):
            one.rows = None if params is None else (params[2 * number], params[2 * number + 1])

    @staticmethod
    def of_rows(params: Sequence[Tensor], sets: Int[Tensor, " rows"], learned: bool = False) -> list[Tensor]:
        """The set of each row, copied; ``learned``: to have gradients of their own."""
        rows = [param.detach()[sets] for param in params]
        return [row.requires_grad_() for row in rows] if learned else rows


def _features(linear: Any) -> tuple[int, int]:
    if isinstance(linear, nn.Linear):
        return linear.in_features, linear.out_features
    before, after = linear.weight.shape  # transformers' Conv1D has its weight the other way round
    return int(before), int(after)
