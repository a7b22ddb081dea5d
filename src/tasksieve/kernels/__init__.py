"""Small compiled pieces for the CPU, built on first use where there is a C++ compiler.

Nothing depends on them for its result: where they cannot be had, torch operations do the same, slower.
"""

from tasksieve.kernels.batches import BatchKernels, batch_kernels
from tasksieve.kernels.build import compiler, disabled
from tasksieve.kernels.linear import LinearKernels, RowIndices, linear_kernels
from tasksieve.kernels.network import BatchIndices, NetworkKernels, Parameters, network_kernels

__all__ = [
    "BatchIndices",
    "BatchKernels",
    "LinearKernels",
    "NetworkKernels",
    "Parameters",
    "RowIndices",
    "batch_kernels",
    "compiler",
    "disabled",
    "linear_kernels",
    "network_kernels",
]
