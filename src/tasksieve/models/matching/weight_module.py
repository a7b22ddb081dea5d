r"""The weight module that goes with matching: a logit linear in vectors and words of context and response."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.encoding import Batch
from tasksieve.models.matching.contexts import Contexts
from tasksieve.models.model import DialogWeightModule
from tasksieve.records.model_config import MatchingWeightConfig


class MatchingWeights(DialogWeightModule):
    """The weight module P_η: the last utterance, what was said before, the state, and the response, to a logit.

    Args:
        config: settings.
        words: size of the vocabulary.
    """

    def __init__(self, config: MatchingWeightConfig, words: int) -> None:
        super().__init__()
        self.config = config
        self.context = nn.Parameter(torch.zeros(words, 1))
        self.response = nn.Parameter(torch.zeros(words, 1))
        self.vectors = nn.Parameter(torch.zeros(3 * MOST_DIM))
        self.bias = nn.Parameter(torch.ones(()))

    @classmethod
    def build(cls, config: Any, words: int, generator: torch.Generator) -> MatchingWeights:
        """A fresh module: all weights are alike at first."""
        return cls(config, words)

    def forward(self, batch: Batch) -> Float[Tensor, " batch"]:
        """One logit an example."""
        contexts, table = Contexts(batch), batch.table
        logits = self.bias + contexts.states().embed(self.context)[:, 0]
        logits = logits + contexts.responses().embed(self.response)[:, 0]
        vectors = contexts.vectors()
        if vectors is not None:
            rows, places = table.looked_up(batch.responses)
            seen = torch.cat([vectors, rows.index_select(0, places)], dim=1)
            weights = self.vectors[: seen.shape[1]]
            logits = logits + self.config.vector_scale * seen.to(weights.dtype) @ weights
        return logits


MOST_DIM = 4096
"""Sentence vectors have at most so many numbers."""
