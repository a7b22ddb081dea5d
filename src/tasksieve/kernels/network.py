"""``network.cpp`` from Python: functions for one width and one number type."""

from __future__ import annotations

import ctypes

import torch

from tasksieve.kernels.build import library, switched_off

_NUMBERS = {torch.float32: "float", torch.float64: "double"}
_INDEX, _POINTER = ctypes.c_int64, ctypes.c_void_p


_RAGGED = ("words", "word_offsets", "offered", "offsets", "right")


class Parameters(ctypes.Structure):
    """Pointers to the model's parameters, to a direction, or to gradients; null for what the model does not have."""

    _fields_ = [(name, _POINTER) for name in ("embedding", "transform", "candidates")]


class BatchIndices(ctypes.Structure):
    """The batch, as ``network.cpp`` describes it."""

    _fields_ = [
        *((name, _INDEX) for name in ("hops", "examples", "entries", "sentences", "transforms_state", "count")),
        *((name, _POINTER) for name in ("words", "word_offsets", "sentence", "counts", "offsets")),
        *((name, _POINTER) for name in ("utterance", "response")),
        *((name, _POINTER) for name in ("candidate_words", "candidate_offsets", "targets")),
        *((f"{of}_{name}", _POINTER) for of in ("response", "entity") for name in _RAGGED),
    ]


class NetworkKernels:
    """The functions of ``network.cpp``, which describes their arguments; pointers are ``Tensor.data_ptr()``.

    Args:
        compiled: the library.
    """

    def __init__(self, compiled: ctypes.CDLL) -> None:
        self.sum_words = compiled.sum_words
        self.add_rows = compiled.add_rows
        for function in (self.sum_words, self.add_rows):
            function.argtypes, function.restype = (_INDEX, *[_POINTER] * 4), None
        self.forward = compiled.forward
        self.forward.argtypes, self.forward.restype = [_POINTER] * 3, _POINTER
        self.backward = compiled.backward
        self.backward.argtypes, self.backward.restype = [_POINTER] * 3, _POINTER
        self.second = compiled.second
        self.second.argtypes, self.second.restype = [_POINTER] * 5, None
        self.free_pass = compiled.free_pass
        self.free_gradient = compiled.free_gradient
        for function in (self.free_pass, self.free_gradient):
            function.argtypes, function.restype = (_POINTER,), None


_built: dict[tuple[torch.dtype, int], NetworkKernels | None] = {}


def network_kernels(like: torch.Tensor) -> NetworkKernels | None:
    """The functions for embeddings like this one (words × d); None where torch operations have to do.

    These are embeddings on another device than the CPU, half precision, and machines without a C++ compiler.
    """
    if switched_off() or like.device.type != "cpu":
        return None
    key = (like.dtype, like.shape[1])
    if key not in _built:
        number = _NUMBERS.get(like.dtype)
        compiled = number and library("network.cpp", f"REAL={number}", f"DIM={like.shape[1]}")
        _built[key] = NetworkKernels(compiled) if compiled else None
    return _built[key]
