"""The memory network and the weight module as their equations read, in dense operations that torch differentiates.

Nothing is shared with the product but the numbers of words and sentences in a batch.
"""

from __future__ import annotations

from typing import Any

import torch

Params = dict[str, torch.Tensor]


def bags(table: Any) -> torch.Tensor:
    """How often each word (column) is in each sentence (row)."""
    counts = torch.zeros(len(table.offsets) - 1, table.vocabulary_size, dtype=torch.float64)
    for row, (first, last) in enumerate(zip(table.offsets[:-1], table.offsets[1:], strict=True)):
        for word in table.words[first:last].tolist():
            counts[row, word] += 1
    return counts


class PlainNetwork:
    """Losses and weights of one batch after another; sentences are counted once a batch and kept."""

    def __init__(self, config: Any) -> None:
        self._hops, self._of_state, self._shared = config.hops, config.transform == "state", config.shared_candidates
        self._bags: dict[int, tuple[Any, torch.Tensor]] = {}

    def losses(self, p: Params, batch: Any) -> torch.Tensor:
        """Cross-entropy of each example's right response, and of the entity it names."""
        states = self._states(p, batch, with_response=False)
        embedding = p[f"candidate_embedding.{'shared' if self._shared else batch.head}"]
        losses = self._choice_losses(states, embedding, batch.choices)
        return losses if batch.entities is None else losses + self._choice_losses(states, embedding, batch.entities)

    def _choice_losses(self, states: torch.Tensor, embedding: torch.Tensor, choices: Any) -> torch.Tensor:
        """Cross-entropy of the right choice among an example's own; 0 where there is none."""
        rows = self._counted(choices.table) @ embedding
        if choices.offered is None:
            return torch.nn.functional.cross_entropy(states @ rows.T, choices.right, reduction="none")
        losses = []
        for number, right in enumerate(choices.right.tolist()):
            first, last = choices.offered.offsets[number : number + 2].tolist()
            scores = rows[choices.offered.words[first:last]] @ states[number]
            losses.append(torch.logsumexp(scores, 0) - scores[right] if right >= 0 else states.new_zeros(()))
        return torch.stack(losses)

    def weights(self, p: Params, batch: Any) -> torch.Tensor:
        """σ(logit) of each example."""
        return torch.sigmoid(self._states(p, batch, with_response=True) @ p["output"] + p["bias"])

    def _states(self, p: Params, batch: Any, with_response: bool) -> torch.Tensor:
        embedded = self._counted(batch.table) @ p["body.embedding"]
        states = embedded[batch.utterances]
        if with_response:
            states = states + embedded[batch.responses]
        memories = embedded[batch.memories.clamp(min=0)]
        padding = torch.zeros(batch.memories.shape, dtype=torch.float64).masked_fill(batch.memories < 0, -torch.inf)
        for _ in range(self._hops):
            attention = torch.softmax((memories * states[:, None]).sum(2) + padding, dim=1)
            attended = (attention[:, :, None] * memories).sum(1)
            matrix = p["body.transform"]
            states = states @ matrix + attended if self._of_state else states + attended @ matrix
        return states

    def _counted(self, table: Any) -> torch.Tensor:
        if id(table) not in self._bags:
            self._bags[id(table)] = table, bags(table)
        return self._bags[id(table)][1]
