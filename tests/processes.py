"""Processes of tests: each is forked from one that has imported what most of them need and has done nothing.

Importing torch, transformers and this package anew would cost each of them several seconds.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from typing import Any

import torch.multiprocessing

_IMPORTED = [
    "tests.reliability.victims",
    "tests.unit.sharded_cases",
    "transformers.models.auto.modeling_auto",
    "transformers.models.llama.modeling_llama",
]
"""What cannot be imported is left out."""


def forked() -> ForkServerContext:
    """What begins such processes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return context


def in_ranks(work: Callable[..., None], *arguments: Any, count: int = 2) -> None:
    """Do some work in several processes at once, each told its number first; errors of theirs are raised here."""
    forked()
    torch.multiprocessing.start_processes(work, args=arguments, nprocs=count, start_method="forkserver")
