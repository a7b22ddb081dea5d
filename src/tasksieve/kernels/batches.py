"""``batches.cpp`` from Python."""

from __future__ import annotations

import ctypes
import functools

from tasksieve.kernels.build import library, switched_off

_INDEX, _POINTER = ctypes.c_int64, ctypes.c_void_p


class BatchKernels:
    """The functions of ``batches.cpp``, which describes their arguments; pointers are ``Tensor.data_ptr()``.

    Args:
        compiled: the library.
    """

    def __init__(self, compiled: ctypes.CDLL) -> None:
        self.measure = compiled.measure
        self.measure.argtypes = (_INDEX, _INDEX, *[_POINTER] * 3, _INDEX, *[_POINTER] * 2)
        self.measure.restype = ctypes.c_bool
        self.assemble = compiled.assemble
        self.assemble.argtypes = (*[_INDEX] * 4, *[_POINTER] * 16)
        self.assemble.restype = _INDEX
        self.select_words = compiled.select_words
        self.select_words.argtypes = (_INDEX, *[_POINTER] * 5)
        self.select_words.restype = None
        self.inner_products = compiled.inner_products
        self.inner_products.argtypes, self.inner_products.restype = (*[_INDEX] * 3, *[_POINTER] * 4), None


@functools.cache
def _built() -> BatchKernels | None:
    compiled = library("batches.cpp")
    return BatchKernels(compiled) if compiled else None


def batch_kernels() -> BatchKernels | None:
    """The functions; None where torch operations have to do."""
    return None if switched_off() else _built()
