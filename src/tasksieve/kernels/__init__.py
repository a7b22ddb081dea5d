"""Small compiled pieces for the CPU, built on first use where there is a C++ compiler.

Nothing depends on them for its result: where they cannot be had, torch operations do the same, slower.
"""

from tasksieve.kernels.batches import BatchKernels, batch_kernels
from tasksieve.kernels.build import compiler, disabled
from tasksieve.kernels.network import BatchIndices, NetworkKernels, Parameters, network_kernels

__all__ = [
    "BatchIndices",
    "BatchKernels",
    "NetworkKernels",
    "Parameters",
    "batch_kernels",
    "compiler",
    "disabled",
    "network_kernels",
]
