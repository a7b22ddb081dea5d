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
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tasksieve.encoding import Batch, Candidates, Choices, SentenceTable
from tasksieve.encoding.reading import RESULT
from tasksieve.encoding.terms import Terms
from tasksieve.models.matching.contexts import Contexts
from tasksieve.models.matching.overlap import FEATURES, overlaps, term_weights
from tasksieve.models.matching.sources import Sources
from tasksieve.models.model import DialogModel, ParameterGroup, normal
from tasksieve.records.model_config import RankingConfig

FLAGS = 5
"""Facts about a context: see :meth:`Ranking._flags`."""
_PAIRS = 16_384
"""At most so many pairs of a context and a response are at work at a time, where each context has all responses."""


class Ranking(DialogModel):
    """A dialog model M_θ that ranks responses, on frozen sentence vectors and words.

    Args:
        config: settings.
        terms: of the vocabulary's words.
        weights: of the terms.
        result: the number of the word that leads the counts of what tools answered; -1 for none.
        dim: of sentence vectors; 0 for none.
        generator: draws the initial parameters.
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
        self.register_buffer("weights", weights)
        self.register_buffer("term_words", terms.table.words, persistent=False)
        self.register_buffer("term_offsets", terms.table.offsets, persistent=False)

    @classmethod
    def build(
        cls, config: RankingConfig, words: int, heads: Mapping[str, Candidates], generator: torch.Generator
    ) -> Ranking:
        """All tasks share the model; words are as rare as they are among all of their candidates."""
        tables = [candidates.table for candidates in heads.values()]
        known = next(iter(heads.values())).vocabulary.words
        terms = Terms.of(known)
        every = SentenceTable(
            torch.cat([table.words for table in tables]).cpu(),
            nn.functional.pad(torch.cat([table.lengths for table in tables]).cpu().cumsum(0), (1, 0)),
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
        sources = Sources(Contexts(batch), self.result)
        context, hidden = self._context(sources)
        found = sources.terms(self._terms)
        return tuple(self._scored(found, context, hidden, one) for one in choices)

    @property
    def _terms(self) -> SentenceTable:
        return SentenceTable(self.term_words, self.term_offsets, len(self.weights))

    def _context(self, sources: Sources) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch hidden"]]:
        """What responses are compared with, and the layer on the context."""
        flags = self._flags(sources)
        batch, vectors = sources.contexts.batch, sources.contexts.batch.table.vectors
        if vectors is None or not self.dim:
            hidden = torch.tanh(flags @ self.inward + self.inward_bias)
            return hidden @ self.outward, hidden
        vectors = vectors.to(flags.dtype)
        means = [sources.contexts.mean_of(among, vectors) for among in (sources.system, sources.earlier)]
        parts = [vectors[batch.utterances], *means]
        seen = nn.functional.dropout(torch.cat(parts, dim=1), self.config.dropout, self.training)
        scaled = torch.cat([self.config.vector_scale * seen, flags], dim=1)
        hidden = torch.tanh(scaled @ self.inward + self.inward_bias)
        user, system, _ = torch.split(seen, self.dim, dim=1)
        near = user + system / 2 + seen @ self.map + hidden @ self.outward
        return self.config.sharpness * self.sharper.exp() * near + self.response, hidden

    def _flags(self, sources: Sources) -> Float[Tensor, "batch flags"]:
        """Whether facts have just come, and whether others are known, how many came, and how much was said."""
        come, known = sources.come.sum(dim=1), sources.known.sum(dim=1)
        said = (sources.earlier | sources.system).sum(dim=1)
        columns = [come > 0, known > 0, said == 0, said / 10, come.clamp(max=50) / 50]
        return torch.stack([column.to(self.inward.dtype) for column in columns], dim=1)

    def _scored(
        self,
        found: Tensor,
        context: Float[Tensor, "batch dim"],
        hidden: Float[Tensor, "batch hidden"],
        choices: Choices,
    ) -> Float[Tensor, "batch most"]:
        if choices.offered is not None:
            return self._of_pairs(found, context, hidden, choices.table, choices.offered)
        size, parts = len(choices.table), []
        step = max(1, _PAIRS // max(1, size))
        for start in range(0, len(context), step):
            rows = slice(start, start + step)
            count = len(context[rows])
            offsets = torch.arange(count + 1, device=context.device) * size
            every = SentenceTable(torch.arange(size, device=context.device).repeat(count), offsets, size)
            parts.append(self._of_pairs(found[rows], context[rows], hidden[rows], choices.table, every))
        return torch.cat(parts) if parts else context.new_zeros(0, size)

    def _of_pairs(
        self,
        found: Tensor,
        context: Float[Tensor, "batch dim"],
        hidden: Float[Tensor, "batch hidden"],
        table: SentenceTable,
        offered: SentenceTable,
    ) -> Float[Tensor, "batch most"]:
        """Scores of what each example is offered; -inf where it has no more."""
        owners: Int[Tensor, " pairs"] = torch.repeat_interleave(offered.lengths)
        shared = overlaps(found, table, self._terms, owners, offered.words, self.weights.to(hidden.dtype))
        gate = hidden @ self.of_context + self.overlap_bias
        scores = shared @ self.linear
        scores = scores + torch.tanh(shared @ self.of_overlap + gate.index_select(0, owners)) @ self.last
        if table.vectors is not None and self.dim:
            rows = table.vectors.index_select(0, offered.words).to(hidden.dtype)
            scores = scores + (rows * context.index_select(0, owners)).sum(dim=1)
        places = torch.arange(len(owners), device=owners.device) - offered.offsets[:-1][owners]
        most = int(offered.lengths.max()) if len(offered) else 0
        return scores.new_full((len(offered), most), -math.inf).index_put((owners, places), scores)
