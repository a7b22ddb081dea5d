"""A preparation whose findings stay in the run folder, so that a run that was stopped does not do it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from tasksieve.encoding import derived_generator
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.devices import devices_of
from tasksieve.training.loop.method import Preparation, Start
from tasksieve.training.loop.streams import PREPARING_STREAM
from tasksieve.training.loop.tensor_files import read_tensors, write_tensors

Watch = Callable[[int], None]
"""Is called with the number of iterations done."""


def preparation(
    start: Start,
    iterations: int,
    find: Callable[[Watch], Mapping[str, Tensor]],
    take: Callable[[Mapping[str, Tensor]], None],
    *,
    lasting: bool = False,
) -> Preparation:
    """Work that finds tensors once, and takes them from ``prepared.safetensors`` if it is called again.

    Its random draws are its own: the run after it goes on as if it had not been.

    Args:
        start: of the run.
        iterations: that the work takes, for who watches.
        find: does the work.
        take: puts what was found where the run uses it. The tensors may be the file itself.
        lasting: whether checkpoints hold what was taken.
    """

    def restore(folder: RunFolder) -> None:
        take(read_tensors(folder.prepared, "prepared")[0])

    def work(folder: RunFolder, watch: Watch) -> None:
        if folder.prepared.exists():
            restore(folder)
            return
        started = time.perf_counter()
        with _aside(start):
            found = find(watch)
        kept = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in found.items()}
        write_tensors(folder.prepared, kept, {}, "prepared")
        folder.append_time(-1, time.perf_counter() - started)
        take(kept)

    return Preparation(iterations, work) if lasting else Preparation(iterations, work, restore)


@contextmanager
def _aside(start: Start) -> Iterator[None]:
    """Draw from generators that follow from the run's seed, and leave those of the run as they are."""
    devices = [device for device in devices_of(start.model) if device.type == "cuda"]
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(derived_generator(start.config.training.seed, PREPARING_STREAM).initial_seed())
        yield
