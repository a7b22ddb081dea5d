r"""The model that ranks responses as people wrote them: by meaning, and by where their words come from.

With :math:`v_u, v_s` the vectors of the last utterance and of the system's last one, :math:`v_h` the mean of those
before, and :math:`q` a few facts about the context,

.. math::
   z &= [v_u; v_s; v_h], \qquad h = \tanh(W_1 [s z; q] + b_1),\\
   c &= e^{τ} (v_u + v_s / 2 + D z + W_2 h) + b,

so that before any learning a response is near to what was said last. A response with vector :math:`r` and the
overlaps :math:`f` of its terms with the context's sources (:mod:`tasksieve.models.matching.overlap`) has the score

.. math:: c \cdot r + g \cdot f + w \cdot \tanh(U f + C h + b_2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from tasksieve.contracts import brought
from tasksieve.encoding import Batch, Candidates, Choices, SentenceTable
from tasksieve.encoding.delivery import words_here
from tasksieve.encoding.inner_products import inner_products
from tasksieve.encoding.reading import RESULT
from tasksieve.encoding.terms import Terms
from tasksieve.models.matching.adapter import Adapter
from tasksieve.models.matching.contexts import Contexts
from tasksieve.models.matching.overlap import FEATURES, overlaps, term_weights
from tasksieve.models.matching.products import product
from tasksieve.models.matching.sources import Sources
from tasksieve.models.model import DialogModel, ParameterGroup, normal
from tasksieve.records.model_config import RankingConfig

FLAGS = 5
"""Facts about a context: see :func:`_flags`."""
_PAIRS = 16_384
"""At most so many pairs of a context and a response are at work at a time, where each context has all responses."""
_KEPT_PAIRS = 65_536
"""What at most so many pairs have in common is kept with a batch that has all responses."""


class Ranking(DialogModel):
    """A dialog model M_θ that ranks responses, on frozen sentence vectors and words.

    Args:
        config: settings.
        terms: of the vocabulary's words.
        weights: of the terms.
        result: the number of the word that leads the counts of what tools answered; -1 for none.
        dim: of sentence vectors; 0 for none.
        generator: draws the initial parameters.
    Raises: UserError: if the encoder is to be tuned, and cannot be.
    """

    weights: Tensor
    term_words: Tensor
    term_offsets: Tensor

    def __init__(
        self,
        config: RankingConfig,
        terms: Terms,
        weights: Float[Tensor, "terms 3"],
        result: int,
        dim: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.config, self.dim, self.result = config, dim, result
        seen, hidden, inner = 3 * dim + FLAGS, config.hidden, config.overlap_hidden
        self.inward = normal(generator, 1 / math.sqrt(seen), seen, hidden)
        self.inward_bias = nn.Parameter(torch.zeros(hidden))
        self.outward = nn.Parameter(torch.zeros(hidden, dim))
        self.map = nn.Parameter(torch.zeros(3 * dim, dim))
        self.sharper = nn.Parameter(torch.zeros(()))
        self.response = nn.Parameter(torch.zeros(dim))
        self.linear = nn.Parameter(torch.zeros(FEATURES))
        self.of_overlap = normal(generator, 1 / math.sqrt(FEATURES), FEATURES, inner)
        self.of_context = normal(generator, 1 / math.sqrt(hidden), hidden, inner)
        self.overlap_bias = nn.Parameter(torch.zeros(inner))
        self.last = nn.Parameter(torch.zeros(inner))
        self.adapter = Adapter.build(config, generator)
        self.register_buffer("weights", weights)
        self.register_buffer("term_words", terms.table.words, persistent=False)
        self.register_buffer("term_offsets", terms.table.offsets, persistent=False)
        self._kept: tuple[SentenceTable, Tensor] | None = None

    @classmethod
    def build(
        cls, config: RankingConfig, words: int, heads: Mapping[str, Candidates], generator: torch.Generator
    ) -> Ranking:
        """All tasks share the model; words are as rare as they are among all of their candidates."""
        tables = [candidates.table for candidates in heads.values()]
        known = next(iter(heads.values())).vocabulary.words
        terms = Terms.of(known)
        every = SentenceTable(
            torch.cat([table.words.cpu() for table in tables]),
            nn.functional.pad(torch.cat([table.lengths.cpu() for table in tables]).cumsum(0), (1, 0)),
            words,
        )
        weights = term_weights(every, terms.table, terms.numbers)
        result = known.index(RESULT) if RESULT in known else -1
        vectors = tables[0].vectors
        return cls(config, terms, weights, result, 0 if vectors is None else vectors.shape[1], generator)

    def parameter_groups(self) -> Sequence[ParameterGroup]:
        """Maps of vectors learn at a rate of their own."""
        maps = [self.inward, self.outward, self.map]
        held = {id(value) for value in maps}
        others = [value for value in self.parameters() if id(value) not in held]
        return [ParameterGroup(maps, self.config.map_lr), ParameterGroup(others)]

    def scores(self, batch: Batch, *choices: Choices) -> tuple[Float[Tensor, "batch _"], ...]:
        """Scores of all choices of each example."""
        dtype = self.inward.dtype
        read = batch.once((self, dtype, "contexts"), lambda: self._read(batch, dtype))
        context, hidden = self._context(self._tuned(read, batch))
        return tuple(self._scored(batch, read.found, context, hidden, one) for one in choices)

    @property
    def _terms(self) -> SentenceTable:
        return SentenceTable(self.term_words, self.term_offsets, len(self.weights))

    @property
    def _terms_here(self) -> tuple[SentenceTable, Tensor]:
        """The terms and their weights on the CPU, where batches are cut."""
        if self._kept is None:
            self._kept = words_here(self._terms), self.weights.cpu()
        return self._kept

    def _read(self, batch: Batch, dtype: torch.dtype) -> _Read:
        """What depends on the contexts alone."""
        sources = Sources(Contexts(batch.cut), self.result)
        device = batch.table.device
        found = sources.terms(self._terms if batch.here is None else self._terms_here[0])
        flags = brought(_flags(sources).to(dtype), device)
        if not batch.table.has_vectors or not self.dim:
            return _Read(found, flags, None)
        contexts = Contexts(batch)
        means = contexts.means("system and earlier", lambda: (sources.system, sources.earlier), dtype)
        return _Read(found, flags, torch.cat([contexts.last().to(dtype), means], dim=1))

    def _tuned(self, read: _Read, batch: Batch) -> _Read:
        """The same with the last utterances as the adapter reads them, if there is one."""
        if self.adapter is None or read.vectors is None:
            return read
        return replace(read, vectors=torch.cat([self.adapter(batch), read.vectors[:, self.dim :]], dim=1))

    def _context(self, read: _Read) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch hidden"]]:
        """What responses are compared with, and the layer on the context."""
        if read.vectors is None:
            hidden = torch.tanh(read.flags @ self.inward + self.inward_bias)
            return hidden @ self.outward, hidden
        seen = nn.functional.dropout(read.vectors, self.config.dropout, self.training)
        scaled = torch.cat([self.config.vector_scale * seen, read.flags], dim=1)
        hidden = torch.tanh(product(scaled, self.inward) + self.inward_bias)
        user, system, _ = torch.split(seen, self.dim, dim=1)
        near = user + system / 2 + product(seen, self.map) + hidden @ self.outward
        return self.config.sharpness * self.sharper.exp() * near + self.response, hidden

    def _scored(
        self,
        batch: Batch,
        found: Tensor,
        context: Float[Tensor, "batch dim"],
        hidden: Float[Tensor, "batch hidden"],
        choices: Choices,
    ) -> Float[Tensor, "batch most"]:
        """Scores of what each example chooses among; -inf where it has no more."""
        kept, table, dtype = choices is batch.choices, choices.table, hidden.dtype
        here = batch.here.choices if kept and batch.here is not None else choices  # where pairs are looked at
        if not kept:
            found = brought(found, table.device)
        if choices.offered is not None:
            offered = choices.offered.padded()
            assert here.offered is not None
            work = partial(self._shared, found, here.table, here.offered.padded, dtype, table.device)
            shared = _once(batch, kept, (self, dtype, "offered"), work)
            scores = self._of_shared(shared, hidden)
            if table.vectors is not None and self.dim:
                scores = scores + inner_products(context, table.vectors, offered.clamp(min=0))
            return scores.masked_fill(offered < 0, -math.inf)
        size, parts = len(table), []
        kept = kept and len(context) * size <= _KEPT_PAIRS
        step = max(1, _PAIRS // max(1, size))
        every = torch.arange(size, device=here.table.device)
        for start in range(0, len(context), step):
            part = slice(start, start + step)
            places = partial(every.expand, len(context[part]), -1)
            work = partial(self._shared, found[part], here.table, places, dtype, table.device)
            shared = _once(batch, kept, (self, dtype, start), work)
            scores = self._of_shared(shared, hidden[part])
            if table.vectors is not None and self.dim:
                scores = scores + product(context[part], table.vectors.to(dtype).T)
            parts.append(scores)
        return torch.cat(parts) if parts else context.new_zeros(0, size)

    def _shared(
        self,
        found: Tensor,
        table: SentenceTable,
        places: Callable[[], Int[Tensor, "batch most"]],
        dtype: torch.dtype,
        device: torch.device,
    ) -> Float[Tensor, "batch most features"]:
        """What contexts and what they are offered have in common; zeros where an example has no more, at -1."""
        offered, apart = places(), table.device != device
        terms, weights = self._terms_here if apart else (self._terms, self.weights)
        owners, columns = (offered >= 0).nonzero(as_tuple=True)
        pairs = overlaps(found, table, terms, owners, offered[owners, columns], weights.to(dtype))
        shared = pairs.new_zeros(*offered.shape, FEATURES).index_put((owners, columns), pairs)
        return brought(shared, device) if apart else shared

    def _of_shared(
        self,
        shared: Float[Tensor, "batch most features"],
        hidden: Float[Tensor, "batch hidden"],
    ) -> Float[Tensor, "batch most"]:
        gate = hidden @ self.of_context + self.overlap_bias
        return shared @ self.linear + torch.tanh(shared @ self.of_overlap + gate[:, None]) @ self.last


@dataclass(frozen=True, slots=True)
class _Read:
    """What the model reads of a batch's contexts, all of it constant unless the encoder is tuned.

    Attributes:
        found: the bits of the sources that each term stands in.
        flags: see :func:`_flags`.
        vectors: of the last utterance, the system's last one, and the mean of those before; None for none.
    """

    found: UInt8[Tensor, "batch terms"]
    flags: Float[Tensor, "batch flags"]
    vectors: Float[Tensor, "batch three_dims"] | None


def _flags(sources: Sources) -> Float[Tensor, "batch flags"]:
    """Whether facts have just come, and whether others are known, how many came, and how much was said."""
    come, known = sources.come.sum(dim=1), sources.known.sum(dim=1)
    said = (sources.earlier | sources.system).sum(dim=1)
    columns = [come > 0, known > 0, said == 0, said / 10, come.clamp(max=50) / 50]
    return torch.stack([column.to(torch.float64) for column in columns], dim=1)


def _once(batch: Batch, kept: bool, key: Hashable, work: Callable[[], Tensor]) -> Tensor:
    return batch.once(key, work) if kept else work()
