"""What is worked out once for each example of a task, and taken from there by every batch that has the example."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

MOST_BYTES = 256 << 20
"""What takes more for all examples of a task is not kept, but worked out anew for each batch."""


class KeptRows:
    """Constants of a task's examples on the CPU, a row an example, each found when it is first asked for.

    Every kind of row is kept apart, and takes at most :data:`MOST_BYTES` (256 MiB) for the whole task; one that would
    take more is not kept at all.

    Args:
        examples: how many the task has.
    """

    def __init__(self, examples: int) -> None:
        self._examples = examples
        self._kept: dict[Hashable, tuple[Float[Tensor, "examples dim"], Bool[Tensor, " examples"]]] = {}

    def rows(
        self,
        key: Hashable,
        examples: Int[Tensor, " batch"],
        work: Callable[[Int[Tensor, " some"] | None], Float[Tensor, "some dim"]],
    ) -> Float[Tensor, "batch dim"]:
        """The rows of a batch's examples, in their order.

        Args:
            key: of the kind of row, with whatever it depends on beside the example.
            examples: their numbers in the task.
            work: finds the rows of those at some places of the batch, of all for None; it may depend on no parameter,
                and a row on no other example.
        """
        kept = self._kept.get(key)
        if kept is None:
            found = work(None)
            if self._examples * found.shape[1] * found.element_size() <= MOST_BYTES:
                rows, there = found.new_empty(self._examples, found.shape[1]), torch.zeros(self._examples).bool()
                rows[examples], there[examples] = found, True
                self._kept[key] = rows, there
            return found
        rows, there = kept
        missing = (~there[examples]).nonzero().flatten()
        if len(missing):
            numbers = examples[missing]
            rows[numbers] = work(missing)
            there[numbers] = True
        return rows.index_select(0, examples)
