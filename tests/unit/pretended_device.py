"""A device that is none: its tensors lie on the CPU, and whatever would make the program wait for it is noted.

On a GPU the program is ahead of the device, until it asks for a number, or for how many there are of something. With
:func:`pretended` the device ``xpu`` is there in name, and each such question is written down with who asked.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("xpu", 0)
_SOURCE = str(Path("tasksieve"))
_ASKS = {
    "aten::_local_scalar_dense",
    "aten::item",
    "aten::equal",
    "aten::is_nonzero",
    "aten::nonzero",
    "aten::masked_select",
    "aten::bincount",
    "aten::_unique2",
    "aten::_unique",
    "aten::unique_dim",
    "aten::unique_consecutive",
}
"""Operations whose result, or the size of it, the program has to wait for."""
_ACCESS = ("aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")
_READS = {torch.Tensor.tolist: "tolist", torch.Tensor.numpy: "numpy", torch.Tensor.cpu: "cpu"}


@dataclass
class Waits:
    """What the program waited for, by who asked, while it was listened to.

    Attributes:
        found: how often each place of the package asked, with what it asked.
        listening: whether anything is noted.
    """

    found: Counter[str] = field(default_factory=Counter)
    listening: bool = False

    def note(self, what: str) -> None:
        """Note a question of the innermost function of the package."""
        if not self.listening:
            return
        frame, torchs = sys._getframe(1), False
        while frame is not None:
            path = frame.f_code.co_filename
            if "/torch/optim/" in path:
                torchs = True  # it asks C++ for the device, which knows of no pretence
            if "/src/tasksieve/" in path:
                if not torchs:
                    name = path.rpartition("/src/tasksieve/")[2]
                    self.found[f"{name}: {frame.f_code.co_name} ({what})"] += 1
                return
            frame = frame.f_back  # type: ignore[assignment]


class Elsewhere(torch.Tensor):
    """A tensor that says it lies on the pretended device."""

    inner: torch.Tensor
    waits: Waits
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, inner: torch.Tensor, waits: Waits) -> Elsewhere:
        made: Elsewhere = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device="cpu",
        )
        made.inner, made.waits = inner, waits
        return made

    @property
    def device(self) -> torch.device:  # type: ignore[override]  # C++ knows it to be on the CPU
        """The pretended device."""
        return DEVICE

    def __repr__(self, **_: Any) -> str:
        return f"Elsewhere({self.inner!r})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        given = [value for value in tree_flatten((args, kwargs))[0] if isinstance(value, torch.Tensor)]
        waits = next(value.waits for value in given if isinstance(value, Elsewhere))
        name = func._schema.name
        _ask(waits, name, func, args, kwargs, given)
        plain_args, plain_kwargs = tree_map(_inner, (args, kwargs))
        found = func(*plain_args, **plain_kwargs)
        found = tree_map(lambda value: Elsewhere(value, waits) if isinstance(value, torch.Tensor) else value, found)
        return return_and_correct_aliasing(func, args, kwargs, found)


def _inner(value: Any) -> Any:
    return value.inner if isinstance(value, Elsewhere) else value


def _ask(waits: Waits, name: str, func: Any, args: Any, kwargs: dict[str, Any], given: list[torch.Tensor]) -> None:
    """Note what has to be waited for, and refuse what two devices cannot do together."""
    if name in _ASKS:
        waits.note(name.removeprefix("aten::"))
    if name == "aten::repeat_interleave" and kwargs.get("output_size") is None:
        waits.note("repeat_interleave")
    apart = [value for value in given if not isinstance(value, Elsewhere) and value.dim()]
    if name in _ACCESS:
        places = [value for value in args[1] if value is not None]
        if any(value.dtype in (torch.bool, torch.uint8) for value in places):
            waits.note("mask")
        if any(not isinstance(value, Elsewhere) for value in places):
            waits.note("numbers from the CPU")
        apart = [value for value in apart if not any(value is place for place in places)]
    if name == "aten::copy_":
        if apart and not (args[2:3] or (kwargs.get("non_blocking", False),))[0]:
            waits.note("copy")
        apart = []
    assert not apart, f"{name}: tensors of two devices {[(type(v), v.shape, v.dtype) for v in given]}"


class _Pretence(TorchFunctionMode):
    """Makes tensors for the device, and brings others there and back."""

    def __init__(self, waits: Waits) -> None:
        super().__init__()
        self.waits = waits

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.Tensor.pin_memory:
            return args[0]
        if func in _READS and isinstance(args[0], Elsewhere):
            self.waits.note(_READS[func])
            found = args[0].inner.detach()
            return found.clone() if func is torch.Tensor.cpu else func(found)
        if func is torch.Tensor.to:
            return self._moved(args, kwargs)
        if _is_ours(kwargs.get("device")):
            kwargs["device"] = "cpu"
            made = func(*args, **kwargs)
            if func in (torch.tensor, torch.as_tensor):
                self.waits.note("tensor")
            return made if isinstance(made, Elsewhere) else Elsewhere(made, self.waits)
        return func(*args, **kwargs)

    def _moved(self, args: Any, kwargs: dict[str, Any]) -> Any:
        value, *rest = args
        devices = [place for place in (*rest, kwargs.get("device")) if isinstance(place, (str, torch.device))]
        other = next((place for place in rest if isinstance(place, torch.Tensor)), None)
        if other is not None:
            return self._moved((value, other.device, other.dtype), kwargs)
        if not devices:
            return torch.Tensor.to(*args, **kwargs)
        rest = [place for place in rest if not isinstance(place, (str, torch.device))]
        kwargs.pop("device", None)
        dtype = next((place for place in (*rest, kwargs.get("dtype")) if isinstance(place, torch.dtype)), value.dtype)
        waiting = not (kwargs.get("non_blocking") or any(place is True for place in rest))
        there, here = _is_ours(devices[0]), not isinstance(value, Elsewhere)
        if there and here:
            if waiting:
                self.waits.note("to")
            return Elsewhere(value.detach().clone().to(dtype), self.waits)
        if not there and not here:
            self.waits.note("to the CPU")
            return value.inner.detach().clone().to(dtype)
        return value if dtype == value.dtype and not kwargs.get("copy") else torch.Tensor.to(value, dtype, copy=True)


def _is_ours(device: Any) -> bool:
    return device is not None and not isinstance(device, int) and torch.device(device).type == DEVICE.type


@contextmanager
def pretended() -> Iterator[Waits]:
    """There is a device ``xpu``; what is waited for is noted while ``listening`` is set."""
    waits, before = Waits(), torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)  # else modules keep parameters of plain tensors
    try:
        with _Pretence(waits):
            yield waits
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)
