"""Losses of a language model at other adapter parameters than its own, in two ways.

:class:`FunctionalPass` puts the parameters in by ``torch.func.functional_call``: it can be differentiated twice, and
in forward mode. It keeps the graph of the whole model, and attention is that of plain operations.

:class:`PlacedPass` lets the model's own parameters have the values for as long as a pass takes, forward and backward.
It can be differentiated once, by any kernel of attention, and with gradient checkpointing, whose second forward pass
sees the same values; ``functional_call`` has put the old ones back by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from tasksieve.integrations.weighted_loss import IGNORED, targets_of, unit_count, unit_losses

Batch = Mapping[str, Tensor]
Params = dict[str, Tensor]

INPUTS = ("input_ids", "inputs_embeds", "attention_mask", "position_ids", "decoder_attention_mask", "token_type_ids")


def learned_params(model: nn.Module) -> Params:
    """The parameters that are trained, by name: those of the adapters where the body is frozen."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def shifts(model: Any) -> bool:
    """Whether logits at a place predict the label at the next one: so in decoders."""
    return not getattr(_config(model), "is_encoder_decoder", False)


def logits_of(model: Any, batch: Batch) -> Tensor:
    """The logits of a batch, by transformers' calling conventions.

    Args:
        model: called with what the batch has of :data:`INPUTS`; its result has ``logits``.
        batch: as of ``ChatCollator``.
    """
    inputs: dict[str, Any] = {name: batch[name] for name in INPUTS if name in batch}
    if not shifts(model):
        inputs["decoder_input_ids"] = _shifted_right(model, batch["labels"])
    found: Tensor = model(**inputs, use_cache=False).logits
    return found


def losses_of(model: Any, batch: Batch) -> Tensor:
    """The summed and weighted loss of each unit of a batch, shape (units,)."""
    targets = targets_of(batch, shift=shifts(model))
    return unit_losses(logits_of(model, batch), targets, unit_count(batch))


def _config(model: Any) -> Any:
    return getattr(getattr(model, "module", model), "config", None)  # as it is wrapped for several processes


def _shifted_right(model: Any, labels: Tensor) -> Tensor:
    config = _config(model)
    start = config.decoder_start_token_id if config.decoder_start_token_id is not None else config.pad_token_id
    shifted = torch.cat([torch.full_like(labels[:, :1], start), labels[:, :-1]], dim=1)
    return shifted.masked_fill(shifted == IGNORED, config.pad_token_id or 0)


class FunctionalPass:
    """Losses by ``functional_call``, differentiable twice.

    Args:
        model: whose parameters that are not given stay as they are.
    """

    def __init__(self, model: nn.Module) -> None:
        self._called = _Called(model)

    def __call__(self, params: Params, batch: Batch) -> Tensor:
        """The loss of each unit at these parameters."""
        with sdpa_kernel(SDPBackend.MATH):
            found: Tensor = functional_call(
                self._called, {f"model.{name}": value for name, value in params.items()}, (batch,)
            )
        return found


class _Called(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> Tensor:
        return losses_of(self.model, batch)


class PlacedPass:
    """Losses by the model's own parameters with other values for a while, differentiable once.

    Args:
        model: its parameters have their own values again after each pass.

    Attributes:
        again: whether a pass may be gone back over more than once; if not, its graph is freed on the way.
    """

    def __init__(self, model: nn.Module) -> None:
        self.again = False
        self._model, self._own = model, learned_params(model)

    def __call__(self, params: Params, batch: Batch) -> Tensor:
        """The loss of each unit at these parameters."""
        names = list(params)
        own = [self._own[name] for name in names]
        if not torch.is_grad_enabled() or not any(value.requires_grad for value in params.values()):
            with placed(own, list(params.values())), torch.no_grad():
                return losses_of(self._model, batch)
        found: Tensor = _Placed.apply(  # type: ignore[no-untyped-call]
            lambda: losses_of(self._model, batch), own, self.again, *params.values()
        )
        return found


@contextmanager
def placed(own: Sequence[Tensor], values: Sequence[Tensor]) -> Iterator[None]:
    """Let parameters have other values for a while.

    Args:
        own: the parameters.
        values: of the same shapes, dtypes and devices.
    """
    before = [value.data for value in own]
    try:
        for parameter, value in zip(own, values, strict=True):
            parameter.data = value.detach()
        yield
    finally:
        for parameter, data in zip(own, before, strict=True):
            parameter.data = data


class _Placed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, run: Callable[[], Tensor], own: Sequence[Tensor], again: bool, *values: Tensor) -> Tensor:
        with placed(own, values), torch.enable_grad():
            ctx.losses = run()
        ctx.own, ctx.again = own, again
        ctx.save_for_backward(*values)
        found: Tensor = ctx.losses.detach()
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, factors: Tensor) -> Any:
        with placed(ctx.own, ctx.saved_tensors):
            found = torch.autograd.grad(ctx.losses, ctx.own, factors, allow_unused=True, retain_graph=ctx.again)
        if not ctx.again:
            ctx.losses = None
        return (None, None, None, *found)


def checkpoints(model: Any) -> bool:
    """Whether the model's forward pass is recomputed on the way back (gradient checkpointing)."""
    return any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
