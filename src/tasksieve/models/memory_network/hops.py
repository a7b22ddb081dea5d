r"""The hops of the memory network, with torch operations.

Over the distinct sentences E of a batch (U × d), with :math:`N` the log counts (how often a sentence is a memory of
each example) and :math:`u` the state, which is the query at first (B × d), each hop does

.. math:: P = \mathrm{softmax}(u E^\top + N), \qquad o = P E, \qquad u \leftarrow u + o H

(:math:`u \leftarrow o + u H` where H is applied to the state). On the CPU ``kernels/hops.hpp`` does the same over
each example's own memories, with first and second derivatives; tests compare the two.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def hops(
    sentences: Float[Tensor, "sentences dim"],
    transform: Float[Tensor, "dim dim"],
    queries: Float[Tensor, "batch dim"],
    log_counts: Float[Tensor, "batch sentences"],
    count: int,
    transforms_state: bool,
) -> tuple[Float[Tensor, "batch dim"], list[Float[Tensor, "batch sentences"]]]:
    """Attend ``count`` times.

    Args:
        sentences: E.
        transform: H.
        queries: u before the first hop.
        log_counts: N; -inf where a sentence is no memory of an example.
        count: number of hops.
        transforms_state: whether H is applied to the state, or to what was attended to.
    Returns: u after the last hop, and P of each.
    """
    state, attention = queries, []
    for _ in range(count):
        attention.append(torch.softmax(torch.addmm(log_counts, state, sentences.T), dim=1))
        attended = attention[-1] @ sentences
        carried, added = (state, attended) if transforms_state else (attended, state)
        state = torch.addmm(added, carried, transform)
    return state, attention
