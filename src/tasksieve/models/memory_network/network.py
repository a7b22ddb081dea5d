r"""End-to-end memory network (Sukhbaatar et al., 2015), as used for dialogs by Bordes et al. (2017).

With :math:`A` the embedding, :math:`m_i` the embedded memories and :math:`u_0` the embedded query, each hop does

.. math:: p_i = \mathrm{softmax}_i(u^\top m_i), \qquad o = \sum_i p_i m_i, \qquad u \leftarrow H u + o .

With ``transform = "attended"`` the matrix is applied to what was attended to instead, :math:`u \leftarrow u + H o`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tasksieve.encoding import Batch, Candidates, SentenceTable
from tasksieve.models.memory_network.candidate_losses import candidate_losses
from tasksieve.models.memory_network.entity_choice import entity_losses, entity_scores, responses
from tasksieve.models.memory_network.hops import composed_hops, hops, next_state
from tasksieve.models.memory_network.linearization import NetworkLinearization
from tasksieve.models.memory_network.operation import compiled_network
from tasksieve.models.memory_network.passes import Layout, NetworkTensors
from tasksieve.models.model import normal
from tasksieve.records.config import BodyConfig, ModelConfig, WeightModuleConfig

MASKED = -1e9
"""Added to the attention score of padding, so that its probability is exactly 0."""


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
        config: BodyConfig,
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
            batch: examples.
            with_response: whether the query is utterance plus response, or the utterance alone.
        """
        (states,) = self.several([batch], with_response)
        return states

    def several(self, batches: Sequence[Batch], with_response: bool) -> tuple[Float[Tensor, "_ dim"], ...]:
        """The states of several batches, with one gradient for all of them."""
        params = NetworkTensors(self.embedding, self.transform, self.recency)
        layouts = [self.layout(params, batch, with_response=with_response) for batch in batches]
        compiled = [layout for layout in layouts if layout is not None]
        if len(compiled) == len(batches):
            return compiled_network(compiled, params)
        return tuple(self._composed(batch, with_response) for batch in batches)

    def _composed(self, batch: Batch, with_response: bool) -> Tensor:
        embedded = batch.table.embed(self.embedding)
        queries = embedded.index_select(0, batch.utterances)
        if with_response:
            queries = queries + embedded.index_select(0, batch.responses)
        if self.recency is not None:
            return self._in_order(batch, embedded, queries)
        log_counts = batch.log_counts(embedded.dtype)
        if self.transforms_state:
            return hops(embedded, self.transform, queries, log_counts, self.hops)
        return composed_hops(embedded, self.transform, queries, log_counts, self.hops, transforms_state=False)

    def layout(
        self, params: NetworkTensors, batch: Batch, *, with_response: bool, candidates: SentenceTable | None = None
    ) -> Layout | None:
        """How compiled code goes over a batch; None where torch operations have to do.

        Args:
            params: the body's own parameters or others of their shapes, with those of candidates if these are given.
            batch, with_response: as for the states.
            candidates: for losses instead of states.
        """
        batch.table.check(params.embedding)
        return Layout.of(
            params,
            batch,
            with_response=with_response,
            hops=self.hops,
            transforms_state=self.transforms_state,
            candidates=candidates,
        )

    def _in_order(self, batch: Batch, embedded: Tensor, state: Tensor) -> Tensor:
        """Attend over each example's memories one by one, as each has its distance from the end."""
        assert self.recency is not None
        slots = batch.memories.shape[1]
        gathered = embedded.index_select(0, batch.memories.clamp(min=0).flatten())
        memories = gathered.view(-1, slots, embedded.shape[1]) + self.recency[:slots]
        padding = ((batch.memories < 0) * MASKED).to(embedded.dtype).unsqueeze(2)
        for _ in range(self.hops):
            attention = torch.softmax(torch.baddbmm(padding, memories, state.unsqueeze(2)), dim=1)
            attended = torch.bmm(attention.transpose(1, 2), memories).squeeze(1)
            state = next_state(state, attended, self.transform, self.transforms_state)
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
        """Scores (logits) of the candidates of the batch's head, templates as they are."""
        state, candidates = self._states_and_candidates(batch)
        return state @ candidates.T

    def responses(self, batch: Batch) -> tuple[Float[Tensor, "batch responses"], Int[Tensor, " batch"]]:
        """Scores of whole responses, and the right one's number, -1 for none.

        The candidates come first; then, where responses name entities, each candidate with a gap with each entity
        that the example knows, in the order in which it came to know them.
        """
        state, candidates = self._states_and_candidates(batch)
        scores, options, head = state @ candidates.T, batch.options, self.heads[batch.head]
        if options is None:
            return scores.index_fill(1, head.gaps, -math.inf), batch.targets
        embedding, _ = self._candidates(batch)
        return responses(scores, head.gaps, entity_scores(state, embedding, options), batch.targets, options.right)

    def losses(self, batch: Batch) -> Float[Tensor, " batch"]:
        """Cross-entropy of the right response in nats, per example; every target must be a candidate."""
        embedding, candidates = self._candidates(batch)
        body = self.body
        params = NetworkTensors(body.embedding, body.transform, body.recency, embedding)
        layout = body.layout(params, batch, with_response=False, candidates=candidates)
        if layout is None:
            state, embedded = self._states_and_candidates(batch)
            losses = candidate_losses(state, embedded, batch.targets)
            return losses if batch.options is None else losses + entity_losses(state, embedding, batch.options)
        candidates.check(embedding)
        (losses,) = compiled_network([layout], params)
        return losses

    def linearize(self, params: Mapping[str, Tensor], batch: Batch, prefix: str = "") -> NetworkLinearization | None:
        """The losses at other parameters, with their derivatives; None where there is no compiled code for them.

        Args:
            params: by their names in this module; those that are missing are its own, and are held still.
            batch: examples whose right response is a candidate.
            prefix: comes before the names.
        """
        own, (embedding, candidates) = self.body, self._candidates(batch)
        candidate = f"candidate_embedding.{self._embedding_of[batch.head]}"
        names = [prefix + name for name in ("body.embedding", "body.transform", "body.recency", candidate)]
        parts = zip(names, (own.embedding, own.transform, own.recency, embedding), strict=True)
        tensors = NetworkTensors(*(params.get(name, part) for name, part in parts))  # type: ignore[arg-type]
        layout = own.layout(tensors, batch, with_response=False, candidates=candidates)
        if layout is None:
            return None
        candidates.check(embedding)
        return NetworkLinearization(layout, tensors, [name if name in params else None for name in names], params)

    def _states_and_candidates(self, batch: Batch) -> tuple[Tensor, Tensor]:
        embedding, candidates = self._candidates(batch)
        return self.body(batch, with_response=False), candidates.embed(embedding)

    def _candidates(self, batch: Batch) -> tuple[Tensor, SentenceTable]:
        embedding = self.candidate_embedding[self._embedding_of[batch.head]]
        return embedding, self.heads[batch.head].table


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
        (logits,) = self.several([batch])
        return logits

    def several(self, batches: Sequence[Batch]) -> list[Float[Tensor, " _"]]:
        """The logits of several batches: one call, and one gradient, for all that a meta-update simulates."""
        logits = torch.cat(self.body.several(batches, with_response=True)) @ self.output + self.bias
        return list(torch.split(logits, [len(batch) for batch in batches]))
