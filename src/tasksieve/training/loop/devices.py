"""What other devices than the CPU ask for: numbers that are not waited for, and random states of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from tasksieve.errors import UserError
from tasksieve.records.config import LoopConfig

AUTO = "auto"
"""A run's device that is left to the machine."""


def chosen_device(name: str) -> str:
    """The device of this name; of ``auto`` the first GPU that is there, or else the CPU.

    Raises: UserError: if torch knows no such device, or this machine has none.
    """
    if name == AUTO:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"training.device: found '{name}'; expected auto, cpu, cuda or cuda:N") from None
    found = torch.cuda.device_count() if device.type == "cuda" else 1
    if device.type == "cuda" and (device.index or 0) >= found:
        there = f"{found} GPUs" if found else "no GPU that torch can use"
        raise UserError(f"training.device: found '{name}', but this machine has {there}; use auto or cpu")
    return name


Config = TypeVar("Config", bound=LoopConfig)


def on_device(config: Config) -> Config:
    """The configuration with its device chosen. Raises: UserError: as :func:`chosen_device`."""
    name = chosen_device(config.training.device)
    if name == config.training.device:
        return config
    return config.model_copy(update={"training": config.training.model_copy(update={"device": name})})


def at_hand(value: Tensor) -> bool:
    """Whether a number can be read at once; another device would have to finish all its work first."""
    return value.device.type == "cpu"


def logged(value: Tensor) -> float | Tensor:
    """A number to be logged: as a float if it is at hand, else where it is."""
    plain = value.detach()
    return float(plain) if at_hand(plain) else plain


def devices_of(module: nn.Module) -> list[torch.device]:
    """The devices of a module's parameters, in a fixed order."""
    return sorted({value.device for value in module.parameters()}, key=str)


def random_states(devices: Iterable[torch.device]) -> dict[str, Tensor]:
    """The states of the generators that layers such as dropout draw from: the CPU's, and that of each CUDA device."""
    states = {"random": torch.get_rng_state()}
    return states | {f"random.{d}": torch.cuda.get_rng_state(d) for d in devices if d.type == "cuda"}


def set_random_states(tensors: Mapping[str, Tensor], devices: Iterable[torch.device]) -> None:
    """Go on from what :func:`random_states` returned. Raises: KeyError: if a device's state is missing."""
    torch.set_rng_state(tensors["random"])
    for device in devices:
        if device.type == "cuda":
            torch.cuda.set_rng_state(tensors[f"random.{device}"], device)
