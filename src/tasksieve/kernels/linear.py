"""``linear.cpp`` from Python: functions for one number of classes and one number type."""

from __future__ import annotations

import ctypes

import torch

from tasksieve.kernels.build import library, switched_off

CLASSES_AT_MOST = 16
"""So many scores fit into the lanes."""
_NUMBERS = {torch.float32: "float", torch.float64: "double"}
_INDEX, _POINTER = ctypes.c_int64, ctypes.c_void_p


class RowIndices(ctypes.Structure):
    """Rows of a table, as ``linear.cpp`` describes them."""

    _fields_ = [
        *((name, _INDEX) for name in ("count", "of", "width")),
        *((name, _POINTER) for name in ("numbers", "offsets", "entries", "levels")),
    ]


class LinearKernels:
    """The functions of ``linear.cpp``, which describes their arguments; pointers are ``Tensor.data_ptr()``.

    Args:
        compiled: the library.
    """

    def __init__(self, compiled: ctypes.CDLL) -> None:
        self.forward = compiled.forward
        self.forward.argtypes, self.forward.restype = [_POINTER] * 6, ctypes.c_bool
        self.backward = compiled.backward
        self.backward.argtypes, self.backward.restype = [_POINTER] * 6, None
        self.second = compiled.second
        self.second.argtypes, self.second.restype = [_POINTER] * 9, None
        self.logits, self.logits_backward = compiled.logits, compiled.logits_backward
        self.logits.argtypes, self.logits.restype = [_POINTER] * 7, ctypes.c_bool
        self.logits_backward.argtypes, self.logits_backward.restype = [_POINTER] * 7, None


_built: dict[tuple[torch.dtype, int], LinearKernels | None] = {}


def linear_kernels(number: torch.dtype, classes: int) -> LinearKernels | None:
    """The functions for so many classes; None where torch operations have to do.

    These are more classes than there are lanes, half precision, and machines without a C++ compiler.
    """
    if switched_off() or classes > CLASSES_AT_MOST:
        return None
    key = (number, classes)
    if key not in _built:
        name = _NUMBERS.get(number)
        compiled = name and library("linear.cpp", f"REAL={name}", f"CLASSES={classes}")
        _built[key] = LinearKernels(compiled) if compiled else None
    return _built[key]
