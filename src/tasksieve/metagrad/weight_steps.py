"""The real steps of a weight module: each is taken whole and stays finite, or is not taken."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


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
        self._before = _Before(optimizer)

    def fault(self, gradients: Mapping[str, Tensor]) -> str:
        """What is wrong with gradients, by name of the parameter; empty if nothing is.

        A square that is not finite would make Adam's second moment infinite, and stop the parameter for good.
        """
        sizes = _sizes(gradients)
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
        self._before.keep(named)
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
        bad = next((name for name, size in _sizes(named).items() if not math.isfinite(size)), None)
        if bad is None:
            return ""
        self._before.restore()
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


class _Before:
    """Module and optimiser as they were before a step. The memory of the copies is used again for the next one.

    Args:
        optimizer: of the module.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._values: list[tuple[Tensor, Tensor]] = []
        self._states: dict[Any, dict[str, Any]] = {}

    @torch.no_grad()
    def keep(self, named: Mapping[str, nn.Parameter]) -> None:
        """Copy all that a step changes: the parameters, by their names, and what the optimiser holds."""
        grouped = [value for group in self._optimizer.param_groups for value in group["params"]]
        values = {id(value): value for value in (*named.values(), *grouped)}.values()
        copies = {id(value): copy for value, copy in self._values}
        self._values = [(value, _copied(value, copies.get(id(value)))) for value in values]
        self._states = {
            value: {name: _copied(part, self._states.get(value, {}).get(name)) for name, part in own.items()}
            for value, own in self._optimizer.state.items()
        }

    @torch.no_grad()
    def restore(self) -> None:
        """Undo the step. What was copied of the optimiser is its own then, and no longer a copy."""
        for value, before in self._values:
            value.copy_(before)
        self._optimizer.state.clear()
        self._optimizer.state.update(self._states)
        self._states = {}


def _is_short(value: Tensor) -> bool:
    return value.requires_grad and value.is_floating_point() and value.element_size() < 4


def _precise(value: Tensor) -> nn.Parameter:
    return nn.Parameter(value.detach().float())


@torch.no_grad()
def _sizes(named: Mapping[str, Tensor]) -> dict[str, float]:
    """The largest absolute value of each tensor; nan if any is. The program waits for the device once."""
    found = [value.abs().max().reshape(1) for value in named.values() if value.numel()]
    sizes: Iterator[float] = iter(torch.cat([one.to(found[0].device) for one in found]).tolist() if found else ())
    return {name: next(sizes) if value.numel() else 0.0 for name, value in named.items()}


def _copied(part: Any, memory: Any) -> Any:
    """A copy, in memory that has held one before if it fits."""
    if not isinstance(part, Tensor):
        return deepcopy(part)
    if not isinstance(memory, Tensor) or _form(memory) != _form(part):
        return part.detach().clone()
    return memory.copy_(part)


def _form(value: Tensor) -> tuple[torch.Size, torch.dtype, torch.device]:
    return value.shape, value.dtype, value.device


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
