r"""Which of the entities that an example knows its response names.

With :math:`W` the candidates' embedding and :math:`e` the bag of words that describes an entity, it is scored by
:math:`u^\top W e`, as a candidate is. The probability of a response that names an entity is that of its template
times that of the entity among those known, so that its loss is a sum of two cross-entropies.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding import Options


def entity_scores(
    states: Float[Tensor, "batch dim"], embedding: Float[Tensor, "words dim"], options: Options
) -> Float[Tensor, "batch entities"]:
    """Scores (logits) of the entities of each example, in their order; -inf where there are no more."""
    offered = options.offered
    known = offered.lengths
    owners = torch.repeat_interleave(known)
    places = torch.arange(len(owners), device=owners.device) - offered.offsets[:-1][owners]
    rows = options.descriptions.embed(embedding).index_select(0, offered.words)
    scores = (rows * states.index_select(0, owners)).sum(dim=1)
    full = states.new_full((len(states), int(known.max()) if len(known) else 0), -math.inf)
    return full.index_put((owners, places), scores)


def entity_losses(
    states: Float[Tensor, "batch dim"], embedding: Float[Tensor, "words dim"], options: Options
) -> Float[Tensor, " batch"]:
    """Cross-entropy of the right entity in nats, per example; 0 where the response names none.

    Differentiable to any order.
    """
    naming = torch.nonzero(options.right >= 0).flatten()
    losses = states.new_zeros(len(states))
    if len(naming) == 0:
        return losses
    named = options.select(naming)
    log_shares = torch.log_softmax(entity_scores(states.index_select(0, naming), embedding, named), dim=1)
    return losses.index_put((naming,), -log_shares.gather(1, named.right[:, None])[:, 0])


def responses(
    scores: Float[Tensor, "batch candidates"],
    gaps: Int[Tensor, " gaps"],
    entities: Float[Tensor, "batch entities"],
    targets: Int[Tensor, " batch"],
    right: Int[Tensor, " batch"],
) -> tuple[Float[Tensor, "batch responses"], Int[Tensor, " batch"]]:
    """Scores of whole responses: the candidates, then each that has a gap with each entity; and the right ones.

    A softmax over them gives every response its probability. A candidate with a gap is none by itself and has a score
    of -inf, like one with an entity that an example does not know.

    Args:
        scores: of the candidates.
        gaps: the candidates with a gap.
        entities: scores of entities.
        targets: the right candidates, -1 for none.
        right: the right entities, -1 for none.
    """
    batch, most = entities.shape
    if most == 0 or len(gaps) == 0:
        return scores.index_fill(1, gaps, -math.inf), targets
    known = (entities > -math.inf).any(dim=1, keepdim=True)
    shares = torch.log_softmax(entities.masked_fill(~known, 0.0), dim=1).masked_fill(~known, -math.inf)
    whole = (scores[:, gaps, None] + shares[:, None, :]).reshape(batch, len(gaps) * most)
    place_of = torch.full((scores.shape[1] + 1,), -1, device=gaps.device)
    place_of[gaps] = torch.arange(len(gaps), device=gaps.device)
    gap = place_of[targets]
    named = scores.shape[1] + gap * most + right
    return torch.cat([scores.index_fill(1, gaps, -math.inf), whole], dim=1), torch.where(
        (gap >= 0) & (right >= 0), named, targets
    )
