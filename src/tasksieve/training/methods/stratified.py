r"""Method `stratified`: as many related examples of each service, whichever.

With services of :math:`n_1, …, n_K` examples and :math:`m` to keep, each gives :math:`\min(n_k, c)`, the
:math:`c` being such that they are :math:`m` in all. Which ones is drawn once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from tasksieve.encoding import derived_generator
from tasksieve.training.loop.method import Start
from tasksieve.training.loop.streams import KEPT_STREAM
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.fixed import Selection, answerable
from tasksieve.training.rivals.prepared import Watch
from tasksieve.training.rivals.services import services_of


@register
class Stratified(Selection):
    """As multitask, with half of the related examples, drawn at random once, equally many of each service."""

    name = "stratified"
    reference = "equal allocation: Cochran, 1977: Sampling Techniques, Chapter 5"

    def kept(self, start: Start, watch: Watch) -> Bool[Tensor, " examples"]:
        """As many of each service as there are, up to the same number."""
        services = services_of(start)
        able = answerable(start.tasks.related)
        generator = derived_generator(start.config.training.seed, KEPT_STREAM)
        order = torch.randperm(len(able), generator=generator)
        members = [order[able[order] & (services[order] == service)] for service in sorted(set(services.tolist()))]
        total = max(1, round(start.config.rivals.share * int(able.sum())))
        kept = torch.zeros_like(able)
        for numbers, count in zip(members, equal_parts([len(part) for part in members], total), strict=True):
            kept[numbers[:count]] = True
        return kept


def equal_parts(sizes: Sequence[int], total: int) -> list[int]:
    """How many each gives, as equal as their sizes allow, so that they are ``total`` in all; the first give more."""
    parts, left = [0] * len(sizes), min(total, sum(sizes))
    while left:
        able = [place for place, size in enumerate(sizes) if parts[place] < size]
        each = left // len(able)
        for place in able if each else able[:left]:
            given = min(max(1, each), sizes[place] - parts[place])
            parts[place] += given
            left -= given
    return parts
