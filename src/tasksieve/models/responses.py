r"""From scores of templates and of entities to scores of whole responses.

The probability of a response that names an entity is that of its template times that of the entity among those the
example knows, so that its loss is a sum of two cross-entropies.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding import Choices


def whole_responses(
    choices: Choices,
    scores: Float[Tensor, "batch most"],
    entities: Choices | None = None,
    of_entities: Float[Tensor, "batch entities"] | None = None,
) -> tuple[Float[Tensor, "batch responses"], Int[Tensor, " batch"]]:
    """Scores of whole responses: the choices, then each template with each entity; and the places of the right ones.

    A softmax over them gives every response its probability. A template is none by itself and has a score of -inf, as
    has one with an entity that an example does not know.

    Args:
        choices: responses and templates.
        scores: of these.
        entities: what the templates may name, if anything.
        of_entities: their scores.
    """
    template = choices.with_gap()
    columns = torch.nonzero(template.any(dim=0)).flatten()
    plain = scores.masked_fill(template, -math.inf)
    if entities is None or of_entities is None or not entities.most or not len(columns):
        return plain, choices.right
    known = (of_entities > -math.inf).any(dim=1, keepdim=True)
    shares = torch.log_softmax(of_entities.masked_fill(~known, 0.0), dim=1).masked_fill(~known, -math.inf)
    filled = scores[:, columns].masked_fill(~template[:, columns], -math.inf)
    whole = (filled[:, :, None] + shares[:, None, :]).flatten(1)
    most = scores.shape[1]
    place_of = torch.full((most + 1,), -1, device=columns.device)
    place_of[columns] = torch.arange(len(columns), device=columns.device)
    place = place_of[choices.right]
    right_is_template = template.expand(len(scores), most).gather(1, choices.right.clamp(min=0)[:, None])[:, 0]
    named = (place >= 0) & right_is_template & (entities.right >= 0)
    right = torch.where(named, most + place * entities.most + entities.right, choices.right)
    return torch.cat([plain, whole], dim=1), right
