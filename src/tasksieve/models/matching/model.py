r"""The matching model: a context and a choice as points of one space, and what they have in common.

A context is the vector :math:`v_u` of the last utterance and the mean :math:`v_h` of those before, from a frozen
encoder (:math:`v_u` with an adapter, if it is tuned: :mod:`tasksieve.models.matching.adapter`), the words of the last
utterance, and the words of the dialog's state. With :math:`A, B` embeddings of words,

.. math::
   h_0 &= W [s v_u; s v_h] + \frac{1}{\sqrt n} \sum_{w \in u} A_w + \sum_{w \in \mathrm{state}} A_w + b + t,\\
   h &= h_0 + W_3\, \mathrm{relu}(W_2 h_0 + b_2),

:math:`t` being there for the primary task alone. A choice with vector :math:`v_c` is
:math:`r = V v_c + \sum_{w \in c}
B_w`, over its words and their parts (``request_city``, ``request``, ``city``), which it shares with choices of other
services. Its score is :math:`h \cdot r + a \cdot φ`, with :math:`φ` what it has in common with the system's earlier
actions. Several members with initial values of their own are trained side by side; the probability of a choice is
the mean of theirs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.encoding import Batch, Candidates, Choices, SentenceTable
from tasksieve.models.matching.adapter import Adapter
from tasksieve.models.matching.choice_words import ChoiceWords
from tasksieve.models.matching.contexts import Contexts, kept_words
from tasksieve.models.matching.products import product
from tasksieve.models.model import DialogModel, normal
from tasksieve.records.model_config import MatchingConfig

OVERLAPS = 4
BESIDE_VECTORS = 0.3
"""By what the words of an utterance are multiplied beside its vector, which says more."""
PRIMARY = "primary"
"""The head of the primary task."""


class Matching(DialogModel):
    """A dialog model M_θ on sentence vectors and words.

    Args:
        config: widths and settings.
        words: size of the vocabulary.
        choices: numbers of the words that choices have, the only ones that are learned for them.
        dim: of sentence vectors; 0 for none.
        generator: draws the initial parameters.
    Raises: UserError: if the encoder is to be tuned, and cannot be.
    """

    place: Tensor

    def __init__(
        self, config: MatchingConfig, words: int, choices: Tensor, dim: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.config, self.members, self.width = config, config.members, config.width
        across = config.members * config.width
        self.heard = normal(generator, config.init_sd, words, across)
        self.chosen = normal(generator, config.choice_sd / math.sqrt(config.width), len(choices), across)
        self.linear = nn.Parameter(torch.zeros(len(choices), 2 * dim if config.linear else 0))
        place = torch.full((words,), -1, dtype=torch.long)
        place[choices] = torch.arange(len(choices))
        self.register_buffer("place", place, persistent=False)
        self._kept: WeakKeyDictionary[SentenceTable, SentenceTable] = WeakKeyDictionary()
        self._counts: WeakKeyDictionary[SentenceTable, dict[torch.dtype, Tensor]] = WeakKeyDictionary()
        self.of_context = normal(generator, 0.5 / math.sqrt(max(1, 2 * dim)), 2 * dim, across)
        self.of_choice = normal(generator, 0.5 / math.sqrt(max(1, dim)), dim, across)
        self.bias = nn.Parameter(torch.zeros(across))
        self.primary = nn.Parameter(torch.zeros(across))
        self.inward = normal(generator, 1 / math.sqrt(config.width), config.members, config.width, config.hidden)
        self.inward_bias = nn.Parameter(torch.zeros(config.members, 1, config.hidden))
        self.outward = nn.Parameter(torch.zeros(config.members, config.hidden, config.width))
        self.overlap = nn.Parameter(torch.zeros(config.members, OVERLAPS))
        self.adapter = Adapter.build(config, generator)

    @classmethod
    def build(
        cls, config: MatchingConfig, words: int, heads: Mapping[str, Candidates], generator: torch.Generator
    ) -> Matching:
        """All tasks share the model; choices tell them apart."""
        tables = [candidates.table for candidates in heads.values()]
        choices = torch.unique(torch.cat([table.words.cpu() for table in tables]))
        vectors = tables[0].vectors
        return cls(config, words, choices, 0 if vectors is None else vectors.shape[1], generator)

    def scores(self, batch: Batch, *choices: Choices) -> tuple[Float[Tensor, "batch _"], ...]:
        """The logarithm of each choice's mean probability over the members."""
        contexts = Contexts(batch)
        context = self._context(contexts)
        return tuple(
            self._log_shares(contexts, *context, one).logsumexp(dim=0) - math.log(self.members) for one in choices
        )

    def losses(self, batch: Batch) -> Float[Tensor, " batch"]:
        """The mean over the members of the right choice's cross-entropy, and of the entity's where one is named."""
        contexts = Contexts(batch)
        context = self._context(contexts)
        if not batch.all_answerable():
            raise IndexError("the right response of some example is no candidate")
        losses = context[0].new_zeros(len(batch))
        named = () if batch.entities is None or not batch.entities.most else (batch.entities,)  # nobody knows one yet
        for choices in (batch.choices, *named):
            right = choices.right.clamp(min=0).expand(self.members, -1)[:, :, None]
            shares = self._log_shares(contexts, *context, choices).gather(2, right)[:, :, 0].mean(dim=0)
            losses = losses - torch.where(choices.right >= 0, shares, 0.0)
        return losses

    def losses_apart(self, batch: Batch, parts: int) -> Float[Tensor, "parts batch"]:
        """As :meth:`losses`, of each of several equal parts of the members: as many models that are trained at once.

        Args:
            batch: whose right choices are all known, and name no entity.
            parts: how many; a divisor of the number of members.
        """
        contexts = Contexts(batch)
        right = batch.choices.right.expand(self.members, -1)[:, :, None]
        shares = self._log_shares(contexts, *self._context(contexts), batch.choices).gather(2, right)[:, :, 0]
        return -shares.view(parts, -1, len(batch)).mean(dim=1)

    def _context(
        self, contexts: Contexts
    ) -> tuple[Float[Tensor, "members batch width"], Float[Tensor, "batch both"] | None]:
        """The members' states, and the vectors that they start from; None if there are none."""
        config, vectors = self.config, contexts.vectors(self.adapter)
        utterances, states = (self._dropped(table) for table in (contexts.utterances(), contexts.states()))
        given = config.word_scale
        word_scale = given if given is not None else BESIDE_VECTORS if vectors is not None else 1.0
        scale = word_scale * utterances.lengths.clamp(min=1).to(self.heard.dtype).rsqrt()[:, None]
        state = self.bias + utterances.embed(self.heard) * scale + states.embed(self.heard)
        if vectors is not None:
            vectors = config.vector_scale * vectors.to(self.heard.dtype)
            vectors = nn.functional.dropout(vectors, config.dropout, self.training)
            state = state + product(vectors, self.of_context)
        if contexts.batch.head == PRIMARY:
            state = state + self.primary
        inner = state.view(len(state), self.members, self.width).transpose(0, 1)
        return inner + torch.relu(inner @ self.inward + self.inward_bias) @ self.outward, vectors

    def _dropped(self, table: SentenceTable) -> SentenceTable:
        """A table without some of its words, in training."""
        share = self.config.word_dropout
        if not self.training or share == 0:
            return table
        kept = torch.rand(len(table.words), device=table.device) >= share
        return kept_words(table, kept) if table.device.type == "cpu" else table.thinned(kept)

    def _log_shares(
        self,
        contexts: Contexts,
        states: Float[Tensor, "members batch width"],
        vectors: Float[Tensor, "batch both"] | None,
        choices: Choices,
    ) -> Float[Tensor, "members batch most"]:
        """The logarithm of each choice's probability by each member; -inf where an example has fewer."""
        words = self._known_words(choices.table)
        rows = words.embed(self.chosen)
        if choices.table.vectors is not None:
            rows = rows + product(choices.table.vectors.to(rows.dtype), self.of_choice)
        rows = rows.view(len(rows), self.members, self.width).permute(1, 2, 0)
        scores = states @ rows + self._in_common(contexts, choices.table)
        if vectors is not None and self.linear.shape[1]:
            scores = scores + product(product(vectors, self.linear.T), self._counted(choices.table).T)
        if choices.offered is not None:
            offered = choices.offered.padded()
            numbers = offered.clamp(min=0).expand(self.members, -1, -1)
            scores = scores.gather(2, numbers).masked_fill(offered < 0, -math.inf)
        return torch.log_softmax(scores, dim=2)

    def _known_words(self, table: SentenceTable) -> SentenceTable:
        """The words of choices by their places among those that are learned; worked out once for each list."""
        if table not in self._kept:
            known = self.place[table.words]
            self._kept[table] = kept_words(table, known >= 0, known, len(self.chosen))
        return self._kept[table]

    def _counted(self, table: SentenceTable) -> Float[Tensor, "choices words"]:
        """How often each choice has each of the words that are learned; worked out once for each list."""
        kept, dtype = self._counts.setdefault(table, {}), self.linear.dtype
        if dtype not in kept:
            words = self._known_words(table)
            counts = torch.zeros(len(table), words.vocabulary_size, dtype=dtype, device=table.device)
            ones = counts.new_ones(len(words.words))
            kept[dtype] = counts.index_put_((words.owners, words.words), ones, accumulate=True)
        return kept[dtype]

    def _in_common(self, contexts: Contexts, table: SentenceTable) -> Float[Tensor, "members batch choices"]:
        words = ChoiceWords.of(table, self.overlap.dtype)
        has = words.shares
        last, every = (found.to(has.dtype) @ has.T for found in contexts.actions(words))
        shares = torch.stack([last, every, (last > 0.999).to(has.dtype), (every > 0.999).to(has.dtype)])
        return torch.einsum("mo,obc->mbc", self.overlap, shares)
