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

    def __init__(self, config: Any, heads: dict[str, Any]) -> None:
        self._hops, self._of_state, self._shared = config.hops, config.transform == "state", config.shared_candidates
        self._candidates = {head: bags(candidates.table) for head, candidates in heads.items()}
        self._bags: dict[int, tuple[Any, torch.Tensor]] = {}

    def losses(self, p: Params, batch: Any) -> torch.Tensor:
        """Cross-entropy of each example's right candidate."""
        states = self._states(p, "model.body.", batch, with_response=False)
        embedding = p[f"model.candidate_embedding.{'shared' if self._shared else batch.head}"]
        scores = states @ (self._candidates[batch.head] @ embedding).T
        losses = torch.nn.functional.cross_entropy(scores, batch.targets, reduction="none")
        return losses if batch.options is None else losses + self._entity_losses(states, embedding, batch.options)

    @staticmethod
    def _entity_losses(states: torch.Tensor, embedding: torch.Tensor, options: Any) -> torch.Tensor:
        """Cross-entropy of the right entity among those an example knows; 0 where it names none."""
        described = bags(options.descriptions) @ embedding
        losses = []
        for number, right in enumerate(options.right.tolist()):
            first, last = options.offered.offsets[number : number + 2].tolist()
            scores = described[options.offered.words[first:last]] @ states[number]
            losses.append(torch.logsumexp(scores, 0) - scores[right] if right >= 0 else states.new_zeros(()))
        return torch.stack(losses)

    def weights(self, p: Params, batch: Any) -> torch.Tensor:
        """σ(logit) of each example."""
        return torch.sigmoid(self._states(p, "body.", batch, with_response=True) @ p["output"] + p["bias"])

    def _states(self, p: Params, lead: str, batch: Any, with_response: bool) -> torch.Tensor:
        embedded = self._counted(batch) @ p[f"{lead}embedding"]
        states = embedded[batch.utterances]
        if with_response:
            states = states + embedded[batch.responses]
        memories = embedded[batch.memories.clamp(min=0)]
        if f"{lead}recency" in p:
            memories = memories + p[f"{lead}recency"][: memories.shape[1]]
        padding = torch.zeros(batch.memories.shape, dtype=torch.float64).masked_fill(batch.memories < 0, -torch.inf)
        for _ in range(self._hops):
            attention = torch.softmax((memories * states[:, None]).sum(2) + padding, dim=1)
            attended = (attention[:, :, None] * memories).sum(1)
            matrix = p[f"{lead}transform"]
            states = states @ matrix + attended if self._of_state else states + attended @ matrix
        return states

    def _counted(self, batch: Any) -> torch.Tensor:
        if id(batch.table) not in self._bags:
            self._bags[id(batch.table)] = batch.table, bags(batch.table)
        return self._bags[id(batch.table)][1]
