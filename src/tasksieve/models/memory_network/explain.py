"""What a memory network attends to, hop by hop: the same hops as in the model, with their probabilities kept."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import Batch
from tasksieve.models.memory_network.network import MemoryBody


@torch.no_grad()
def attention_of(
    body: MemoryBody, batch: Batch, with_response: bool = False
) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "hops batch slots"]]:
    r"""The internal state after the last hop, and the attention of every hop, :math:`p = \mathrm{softmax}(u^\top m)`.

    A sentence that is a memory twice has two slots here, each with its own share.

    Args:
        body: of a dialog model or a weight module.
        batch: examples.
        with_response: whether the query is utterance plus response, or the utterance alone.
    Returns: u, which equals ``body(batch, with_response)`` up to rounding; and p over ``batch.memories``, latest
        first, exactly 0 where there are no more.
    """
    embedded = batch.table.embed(body.embedding)
    state = embedded.index_select(0, batch.utterances)
    if with_response:
        state = state + embedded.index_select(0, batch.responses)
    absent = batch.memories < 0
    memories = embedded[batch.memories.clamp(min=0)]
    if body.recency is not None:
        memories = memories + body.recency[: memories.shape[1]]
    hops = []
    for _ in range(body.hops):
        scores = torch.einsum("bd,bsd->bs", state, memories).masked_fill(absent, -torch.inf)
        hops.append(torch.softmax(scores, dim=1))
        attended = torch.einsum("bs,bsd->bd", hops[-1], memories)
        carried, added = (state, attended) if body.transforms_state else (attended, state)
        state = torch.addmm(added, carried, body.transform)
    return state, torch.stack(hops)
