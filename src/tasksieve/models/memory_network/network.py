r"""End-to-end memory network (Sukhbaatar et al., 2015), as used for dialogs by Bordes et al. (2017).

With :math:`A` the embedding, :math:`m_i` the embedded memories and :math:`u_0` the embedded query, each hop does

.. math:: p_i = \mathrm{softmax}_i(u^\top m_i), \qquad o = \sum_i p_i m_i, \qquad u \leftarrow u + H o .

With ``transform = "state"`` the matrix is applied to the state instead, :math:`u \leftarrow H u + o`. A choice (a
response, or an entity with its description) whose words are :math:`c` is scored by :math:`u^\top W c`, with
:math:`W` the candidates' embedding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.contracts import Linearization
from tasksieve.encoding import Batch, Candidates, Choices
from tasksieve.models.memory_network.choice_losses import choice_losses
from tasksieve.models.memory_network.hops import hops
from tasksieve.models.memory_network.linearization import NetworkLinearization
from tasksieve.models.memory_network.operation import compiled_network
from tasksieve.models.memory_network.passes import Layout, NetworkTensors
from tasksieve.models.model import DialogModel, DialogWeightModule, normal
from tasksieve.models.several import together
from tasksieve.records.model_config import BodyConfig, MemoryNetworkConfig, MemoryWeightConfig


class MemoryBody(nn.Module):
    """Embeds sentences and attends over the memories; shared by the dialog model and the weight module.

    Args:
        config: width, hops and initial values.
        words: rows of the embedding.
        generator: draws the initial parameters.
    """

    def __init__(self, config: BodyConfig, words: int, generator: torch.Generator) -> None:
        super().__init__()
        self.hops, self.transforms_state = config.hops, config.transform == "state"
        self.embedding = normal(generator, config.init_sd, words, config.dim)
        self.transform = normal(generator, config.init_sd, config.dim, config.dim)

    def tensors(self, params: Mapping[str, Tensor] | None = None, lead: str = "body.") -> NetworkTensors:
        """The body's parameters, or others in their place.

        Args:
            params: by name; those that are missing are the body's own.
            lead: comes before the names.
        """
        params = params or {}
        return NetworkTensors(
            params.get(f"{lead}embedding", self.embedding), params.get(f"{lead}transform", self.transform)
        )

    def states(
        self, params: NetworkTensors, batches: Sequence[Batch], with_response: bool
    ) -> tuple[Float[Tensor, "_ dim"], ...]:
        """The internal states of several batches after the last hop, with one gradient for all of them.

        Args:
            params: of the body.
            batches: examples.
            with_response: whether the query is utterance plus response, or the utterance alone.
        """
        layouts = [self.layout(params, batch, with_response) for batch in batches]
        compiled = [layout for layout in layouts if layout is not None]
        if len(compiled) == len(batches):
            return compiled_network(compiled, params)
        return tuple(self.attend(params, batch, with_response)[0] for batch in batches)

    def attend(
        self, params: NetworkTensors, batch: Batch, with_response: bool
    ) -> tuple[Float[Tensor, "batch dim"], list[Float[Tensor, "batch sentences"]]]:
        """The states of one batch by torch operations, and each hop's attention over the batch's sentences."""
        embedded = batch.table.embed(params.embedding)
        queries = embedded.index_select(0, batch.utterances)
        if with_response:
            queries = queries + embedded.index_select(0, batch.responses)
        log_counts = batch.log_counts(embedded.dtype)
        return hops(embedded, params.transform, queries, log_counts, self.hops, self.transforms_state)

    def layout(self, params: NetworkTensors, batch: Batch, with_response: bool) -> Layout | None:
        """How compiled code goes over a batch; None where torch operations have to do.

        Args:
            params: the body's; with the embedding of candidates for losses instead of states.
            batch, with_response: as for the states.
        """
        batch.table.check(params.embedding)
        return Layout.of(params, batch, with_response, self.hops, self.transforms_state)


class MemoryNetwork(DialogModel):
    """The dialog model M_θ: scores responses, and entities where responses name some.

    Args:
        config: widths and settings.
        words: rows of the embeddings.
        heads: their names; heads share the body and, if so configured, the candidates' embedding.
        generator: draws the initial parameters.
    """

    def __init__(
        self, config: MemoryNetworkConfig, words: int, heads: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__()
        self.body = MemoryBody(config, words, generator)
        shared = config.shared_candidates
        self._embedding_of = {head: "shared" if shared else head for head in heads}
        self.candidate_embedding = nn.ParameterDict(
            {
                name: normal(generator, config.init_sd, words, config.dim)
                for name in dict.fromkeys(self._embedding_of.values())
            }
        )

    @classmethod
    def build(
        cls, config: MemoryNetworkConfig, words: int, heads: Mapping[str, Candidates], generator: torch.Generator
    ) -> MemoryNetwork:
        """A fresh network for these heads."""
        return cls(config, words, list(heads), generator)

    def scores(self, batch: Batch, *choices: Choices) -> tuple[Float[Tensor, "batch _"], ...]:
        """The inner product of the state with each choice."""
        (states,) = self.body.states(self.body.tensors(), [batch], with_response=False)
        embedding = self._candidate_embedding(batch)
        return tuple(one.scores(states, one.table.embed(embedding)) for one in choices)

    def losses(self, batch: Batch) -> Float[Tensor, " batch"]:
        """Cross-entropy of the right response, and of the entity where it names one, in nats.

        Raises: IndexError: if the right response of an example is none of its choices.
        """
        params = self._tensors({}, batch)
        layout = self._layout(params, batch)
        if layout is not None:
            (losses,) = compiled_network([layout], params)
            return losses
        states, _ = self.body.attend(params, batch, with_response=False)
        embedding = self._candidate_embedding(batch)
        if not batch.all_answerable():
            raise IndexError("the right response of some example is no candidate")
        here = batch.here
        losses = choice_losses(states, embedding, batch.choices, None if here is None else here.choices)
        if batch.entities is None:
            return losses
        named = choice_losses(states, embedding, batch.entities, None if here is None else here.entities)
        return losses + named

    def linearize(self, params: Mapping[str, Tensor], batches: Sequence[Batch]) -> Linearization:
        """The losses of several batches at other parameters, with derivatives from compiled code where there is some.

        Args:
            params: where, by name; those that are missing are the network's own, held still.
            batches: at least one.
        """
        parts = []
        for batch in batches:
            tensors = self._tensors(params, batch)
            layout = self._layout(tensors, batch)
            if layout is None:
                return super().linearize(params, batches)
            names = [name if name in params else None for name in self._names(batch)]
            parts.append(NetworkLinearization(layout, tensors, names, params))
        return together(parts, params)

    def backward(self, batches: Sequence[Batch], factors: Float[Tensor, " examples"]) -> Float[Tensor, " examples"]:
        """Set the gradients of the losses times factors; returns the losses, detached."""
        return self.backward_by_linearization(batches, factors)

    @torch.no_grad()
    def attention(self, batch: Batch) -> Float[Tensor, "hops batch slots"]:
        r"""Each hop's :math:`p` over ``batch.memories``; a sentence that stands there twice has two equal shares."""
        _, shares = self.body.attend(self.body.tensors(), batch, with_response=False)
        memories = batch.memories.clamp(min=0)
        each = torch.stack(shares) / batch.counts.clamp(min=1)
        return each.gather(2, memories.expand(len(shares), -1, -1)).masked_fill(batch.memories < 0, 0.0)

    def _names(self, batch: Batch) -> tuple[str, str, str]:
        return "body.embedding", "body.transform", f"candidate_embedding.{self._embedding_of[batch.head]}"

    def _tensors(self, params: Mapping[str, Tensor], batch: Batch) -> NetworkTensors:
        """What the losses of a batch depend on, at other parameters than the network's own."""
        body, name = self.body.tensors(params), self._names(batch)[2]
        return NetworkTensors(*body.parts[:2], params.get(name, self._candidate_embedding(batch)))

    def _layout(self, params: NetworkTensors, batch: Batch) -> Layout | None:
        assert params.candidates is not None
        for choices in filter(None, (batch.choices, batch.entities)):
            choices.table.check(params.candidates)
        return self.body.layout(params, batch, with_response=False)

    def _candidate_embedding(self, batch: Batch) -> Tensor:
        candidates: Tensor = self.candidate_embedding[self._embedding_of[batch.head]]
        return candidates


class MemoryWeightModule(DialogWeightModule):
    """The weight module P_η: history, utterance and response to a logit (Eq. 3 before the sigmoid).

    Args:
        config: widths and settings.
        words: rows of the embedding.
        generator: draws the initial parameters.
    """

    def __init__(self, config: MemoryWeightConfig, words: int, generator: torch.Generator) -> None:
        super().__init__()
        self.body = MemoryBody(config, words, generator)
        self.output = normal(generator, config.init_sd, config.dim)
        self.bias = nn.Parameter(torch.zeros(()))

    @classmethod
    def build(cls, config: MemoryWeightConfig, words: int, generator: torch.Generator) -> MemoryWeightModule:
        """A fresh module."""
        return cls(config, words, generator)

    def forward(self, batch: Batch) -> Float[Tensor, " batch"]:
        """One logit an example."""
        (logits,) = self.logits_at({}, [batch])
        return logits

    def logits_at(self, weight_params: Mapping[str, Tensor], batches: Sequence[Batch]) -> list[Float[Tensor, " _"]]:
        """The logits of several batches: one call, and one gradient, for all that a meta-update simulates."""
        states = self.body.states(self.body.tensors(weight_params), batches, with_response=True)
        output, bias = weight_params.get("output", self.output), weight_params.get("bias", self.bias)
        return list(torch.split(torch.cat(states) @ output + bias, [len(batch) for batch in batches]))
