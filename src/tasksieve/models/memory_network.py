r"""End-to-end memory network (Sukhbaatar et al., 2015), as used for dialogs by Bordes et al. (2017).

With :math:`A` the embedding, :math:`m_i` the embedded memories and :math:`u_0` the embedded query, each hop does

.. math:: p_i = \mathrm{softmax}_i(u^\top m_i), \qquad o = \sum_i p_i m_i, \qquad u \leftarrow H u + o .

With ``transform = "attended"`` the matrix is applied to what was attended to instead, :math:`u \leftarrow u + H o`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.encoding import Batch, Candidates
from tasksieve.encoding.batch import in_dtype
from tasksieve.records.config import ModelConfig, WeightModuleConfig


class MemoryBody(nn.Module):
    """Embeds sentences and attends over the memories; shared by the dialog model and the weight module.

    Args:
        config: width, hops and options.
        vocabulary_size: rows of the embedding.
        max_memories: how many distances from the end have an embedding, if any.
        generator: draws the initial parameters.
    """

    def __init__(
        self,
        config: ModelConfig | WeightModuleConfig,
        vocabulary_size: int,
        max_memories: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.hops, self.transforms_state = config.hops, config.transform == "state"
        self.embedding = normal(generator, config.init_sd, vocabulary_size, config.dim)
        self.transform = normal(generator, config.init_sd, config.dim, config.dim)
        self.recency = normal(generator, config.init_sd, max_memories, config.dim) if config.recency else None

    def forward(self, batch: Batch, with_response: bool) -> Float[Tensor, "batch dim"]:
        """The internal state after the last hop.

        Args:
            batch: examples; a dialog without memories has one empty one.
            with_response: whether the query is utterance plus response, or the utterance alone.
        """
        embedded = batch.table.embed(self.embedding)
        sentences = embedded.index_select(0, batch.sentences.flatten()).view(*batch.sentences.shape, -1)
        utterance, response, memories = torch.split(sentences, [1, 1, sentences.shape[1] - 2], dim=1)
        padding = in_dtype(batch.padding, embedded.dtype)
        if self.recency is not None:
            memories = memories + self.recency[: memories.shape[1]]
        state = (utterance + response if with_response else utterance).squeeze(1)
        for _ in range(self.hops):
            scores = torch.baddbmm(padding.unsqueeze(2), memories, state.unsqueeze(2))
            attention = torch.softmax(scores, dim=1)
            attended = torch.bmm(attention.transpose(1, 2), memories).squeeze(1)
            if self.transforms_state:
                state = torch.addmm(attended, state, self.transform)
            else:
                state = torch.addmm(state, attended, self.transform)
        return state


class MemoryNetwork(nn.Module):
    """The dialog model M_θ: scores the candidates of a task's head.

    Args:
        config: widths and options.
        vocabulary_size: rows of the embeddings.
        heads: candidates by the head's name; heads share the body and, if so configured, the candidate embedding.
        generator: draws the initial parameters.
    """

    def __init__(
        self,
        config: ModelConfig,
        vocabulary_size: int,
        heads: Mapping[str, Candidates],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.body = MemoryBody(config, vocabulary_size, config.max_memories, generator)
        self.heads = dict(heads)
        names = ["shared"] if config.shared_candidates else list(heads)
        self._embedding_of = {head: "shared" if config.shared_candidates else head for head in heads}
        self.candidate_embedding = nn.ParameterDict(
            {name: normal(generator, config.init_sd, vocabulary_size, config.dim) for name in names}
        )

    def forward(self, batch: Batch) -> Float[Tensor, "batch candidates"]:
        """Scores (logits) of the candidates of the batch's head."""
        embedding = self.candidate_embedding[self._embedding_of[batch.head]]
        candidates = self.heads[batch.head].table.embed(embedding)
        state: Tensor = self.body(batch, with_response=False)
        return state @ candidates.T


class WeightModule(nn.Module):
    """The weight module P_η: history, utterance and response to a logit (Eq. 3 before the sigmoid).

    Args:
        config: widths and options.
        vocabulary_size: rows of the embedding.
        max_memories: how many distances from the end have an embedding.
        generator: draws the initial parameters.
    """

    def __init__(
        self,
        config: WeightModuleConfig,
        vocabulary_size: int,
        max_memories: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.body = MemoryBody(config, vocabulary_size, max_memories, generator)
        self.output = normal(generator, config.init_sd, config.dim)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, batch: Batch) -> Float[Tensor, " batch"]:
        """One logit an example."""
        state: Tensor = self.body(batch, with_response=True)
        return state @ self.output + self.bias


def normal(generator: torch.Generator, sd: float, *shape: int) -> nn.Parameter:
    """A parameter drawn from a normal distribution with mean 0."""
    return nn.Parameter(torch.randn(*shape, generator=generator) * sd)
