"""Method `random-half`: so many related examples, whichever."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import derived_generator
from tasksieve.training.loop.method import Start
from tasksieve.training.loop.streams import KEPT_STREAM
from tasksieve.training.methods.registry import register
from tasksieve.training.rivals.fixed import TopShare
from tasksieve.training.rivals.prepared import Watch


@register
class RandomHalf(TopShare):
    """As multitask, with half of the related examples, drawn at random once."""

    name = "random-half"
    reference = "the control of every selection, as in Xia et al., 2024"

    def scores(self, start: Start, watch: Watch) -> Float[Tensor, " examples"]:
        """Uniform on (0, 1), by the seed."""
        generator = derived_generator(start.config.training.seed, KEPT_STREAM)
        return torch.rand(sum(map(len, start.tasks.related)), generator=generator)
