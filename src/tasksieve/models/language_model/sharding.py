"""A frozen model whose weights lie in parts over the processes of a run: torch's FSDP2, layer by layer.

A layer is gathered for its pass and given up after it, and once more on the way back: beside its part of all weights
a process holds one or two layers at a time. What is learned is no part of this: adapters are whole in every process.

What is gathered for a pass back is gone after it. So there is no pass back through a pass back, from which estimators
have their second derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from tasksieve.errors import UserError
from tasksieve.metagrad import AutogradLinearization
from tasksieve.models.language_model.adapters import AdaptedLinear

Found = TypeVar("Found")


class Whole(nn.Module):
    """A model as one module whose pass is any work on it, so that there is one door at which weights are gathered.

    Args:
        model: of transformers.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, work: Callable[[Any], Found]) -> Found:
        """What the work finds."""
        return work(self.model)


def several_processes() -> bool:
    """Whether this process is one of several that ``torch.distributed`` has connected."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def shard(whole: Whole, device: torch.device) -> None:
    """Leave of all weights this process's part, where it computes; all processes do this at the same time.

    Args:
        whole: with adapted maps.
        device: of this process; of several GPUs it must be the current one.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device.type, (dist.get_world_size(),))
    for layer in layers_of(whole.model):
        fully_shard(layer, mesh=mesh, reshard_after_forward=True)
    fully_shard(whole, mesh=mesh, reshard_after_forward=True)  # embeddings and what else is in no layer


def layers_of(model: nn.Module) -> list[nn.Module]:
    """The layers of a model: what stands in a list of modules and has an adapted map."""
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    return [
        layer for one in lists for layer in one if any(isinstance(part, AdaptedLinear) for part in layer.modules())
    ]


class NotGathered(UserError, NotImplementedError):
    """A second derivative was asked for, and the weights it needs are with other processes."""


class OneWayBack(AutogradLinearization):
    """A linearization with first derivatives alone, as sharded weights have it."""

    def gradient(self, factors: Tensor) -> Mapping[str, Tensor | None]:
        """By a plain backward pass."""
        return self.gradient_alone(factors)

    def second(self, direction: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Refused. Raises: NotGathered."""
        raise NotGathered(_REFUSED)

    def slopes(self, direction: Mapping[str, Tensor]) -> Tensor:
        """Refused. Raises: NotGathered."""
        raise NotGathered(_REFUSED)


_REFUSED = (
    "model.sharded: an operation of this model has no forward-mode derivative, and sharded weights allow no pass "
    "back through a pass back; take meta.estimator=finite-difference, or set model.sharded=false"
)
