"""Weight modules for units of a batch: a table by group."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tasksieve.errors import UserError
from tasksieve.integrations.known_examples import assert_count


class GroupTable(nn.Module):
    """A logit for each group; the weight is its sigmoid.

    Any other module does as well that is called with a batch and returns a logit a unit, shape (units,): the collator
    passes what examples hold as ``features`` on as a tensor (units, numbers).

    Args:
        groups: how many; for a weight an example, as many as there are examples.
        weight: of each at the start, in (0, 1). What has group -1 weighs 1.

    Raises: UserError: if there is no group, and when called, if a batch has a group that is not among them.
    """

    def __init__(self, groups: int, weight: float = 0.5) -> None:
        super().__init__()
        assert_count(groups, "groups")
        self.logits = nn.Parameter(torch.full((groups,), weight).logit())

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """One logit a unit, shape (units,); that of the first group where there is none."""
        groups = batch["groups"]
        highest = int(groups.max()) if groups.numel() else -1
        if highest >= len(self.logits):
            raise UserError(
                f"a batch has the group {highest} and groups is {len(self.logits)}, so that the last one is "
                f"{len(self.logits) - 1}; give more groups, or another group"
            )
        return self.logits[groups.clamp(min=0)]
