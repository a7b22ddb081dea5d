"""The real steps of a weight module: each is taken whole and stays finite, or is not taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

_Kept = tuple[list[tuple[Tensor, Tensor]], dict[Any, dict[str, Any]]]


class WeightSteps:
    """The optimiser of a weight module.

    Parameters of 16 bits are moved in float32 and rounded after each step, unless the optimiser is one's own: Adam's
    ε is 0 in float16, and small steps are lost in bfloat16.

    Args:
        module: the weight module.
        optimizer: of its parameters; by default Adam.
        lr: of that Adam.

    Attributes:
        optimizer: what was given, or that Adam.

    Raises: ValueError: if the module has no parameter that requires a gradient.
    """

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer | None, lr: float) -> None:
        named = dict(module.named_parameters())
        if not any(value.requires_grad for value in named.values()):
            raise ValueError(
                "the weight module has no parameter that requires a gradient, so that it cannot learn; give one "
                "that has"
            )
        self._module = module
        self._precise: dict[str, nn.Parameter] = {}
        if optimizer is None:
            self._precise = {name: _precise(value) for name, value in named.items() if _is_short(value)}
            optimizer = torch.optim.Adam([self._precise.get(name, value) for name, value in named.items()], lr=lr)
        self.optimizer = optimizer

    def fault(self, gradients: Mapping[str, Tensor]) -> str:
        """What is wrong with gradients, by name of the parameter; empty if nothing is.

        A square that is not finite would make Adam's second moment infinite, and stop the parameter for good.
        """
        sizes = {name: _size(gradient) for name, gradient in gradients.items()}
        for name, size in sizes.items():
            if not math.isfinite(size):
                return f"the meta-gradient of '{name}' is not finite"
        for name, size in sizes.items():
            dtype = torch.float32 if name in self._precise else gradients[name].dtype
            if size * size > torch.finfo(dtype).max:
                return (
                    f"the meta-gradient of '{name}' reaches {size:.3g}, whose square is not finite in {_name(dtype)}"
                )
        return ""

    def take(self, gradients: Mapping[str, Tensor]) -> str:
        """Take a step down sound gradients, by name of the parameter.

        Returns: what was not finite after it, so that it was undone; empty if all is well.
        """
        named = dict(self._module.named_parameters())
        self._follow(named)
        kept = self._kept(named)
        for name, gradient in gradients.items():
            if name in self._precise:
                self._precise[name].grad = gradient.float()
            else:
                named[name].grad = gradient
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            for name, value in self._precise.items():
                named[name].copy_(value)
        bad = next((name for name, value in named.items() if not math.isfinite(_size(value))), None)
        if bad is None:
            return ""
        self._undo(kept)
        kind = _name(named[bad].dtype)
        return (
            f"a step of {type(self.optimizer).__name__} made '{bad}' of the weight module ({kind}) infinite or nan, "
            "and was undone; keep module and optimiser in float32, or take a smaller step size"
        )

    def state_dict(self) -> dict[str, Any]:
        """Module and optimiser, for a checkpoint, and what is kept in float32 of parameters that are shorter."""
        state = {"module": self._module.state_dict(), "optimizer": self.optimizer.state_dict()}
        if self._precise:
            state["float32"] = {name: value.detach().clone() for name, value in self._precise.items()}
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        with torch.no_grad():
            for name, value in state.get("float32", {}).items():
                if name in self._precise:
                    self._precise[name].copy_(value)

    @torch.no_grad()
    def _follow(self, named: Mapping[str, nn.Parameter]) -> None:
        """Take over what somebody else has changed in the module, such as by loading a checkpoint."""
        for name, precise in self._precise.items():
            value = named[name]
            if precise.device != value.device:
                precise.data = precise.data.to(value.device)
            precise.copy_(torch.where(precise.to(value.dtype) == value, precise, value.float()))

    def _kept(self, named: Mapping[str, nn.Parameter]) -> _Kept:
        """Copies of all that a step changes."""
        grouped = [value for group in self.optimizer.param_groups for value in group["params"]]
        values = {id(value): value for value in (*named.values(), *grouped)}.values()
        states = {
            value: {name: _copied(part) for name, part in own.items()} for value, own in self.optimizer.state.items()
        }
        return [(value, value.detach().clone()) for value in values], states

    @torch.no_grad()
    def _undo(self, kept: _Kept) -> None:
        values, states = kept
        for value, before in values:
            value.copy_(before)
        self.optimizer.state.clear()
        self.optimizer.state.update(states)


def _is_short(value: Tensor) -> bool:
    return value.requires_grad and value.is_floating_point() and value.element_size() < 4


def _precise(value: Tensor) -> nn.Parameter:
    return nn.Parameter(value.detach().float())


@torch.no_grad()
def _size(values: Tensor) -> float:
    """The largest absolute value; nan if any is."""
    return float(values.abs().max()) if values.numel() else 0.0


def _copied(part: Any) -> Any:
    return part.detach().clone() if isinstance(part, Tensor) else deepcopy(part)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
