"""One run by several processes: each has its part of every batch, and all end with the same model.

Batches are drawn alike by all. A process takes every so-many-th example of one, and gradients, losses and what
decides whether a step is taken are summed over the processes, so that the run is that of one process up to rounding.
The first process writes, and tells the others what it reads.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.distributed.nn.functional  # before a group is there: see started_ranks
from torch import Tensor

from tasksieve.encoding import derived_generator
from tasksieve.errors import UserError
from tasksieve.metagrad import Evolution, estimator_named
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.launcher import ending_with_torchrun
from tasksieve.training.loop.method import Method
from tasksieve.training.loop.state import TrainState
from tasksieve.training.loop.streams import LAYERS_STREAM
from tasksieve.variables import whole_number

PATIENCE = timedelta(days=7)
"""How long a process waits for another one: a screening, which the first does for all, may take hours."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """The processes of a run, as one of them sees them; by default it is alone.

    Attributes:
        rank: its number, from 0.
        size: how many there are.
        device: where it computes; None for what the configuration says.
        several: whether there are others.
        messages: where what is sent has to be.
    """

    rank: int = 0
    size: int = 1
    device: str | None = None
    several: bool = False
    messages: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def part(self, numbers: Tensor) -> Tensor:
        """The examples of a batch that are this process's."""
        return numbers[self.rank :: self.size] if self.several else numbers

    def whole(self, values: Tensor) -> Tensor:
        """The values of a whole batch, of which each process has those of its part."""
        if not self.several:
            return values
        places = torch.arange(int(self.total(torch.tensor(len(values), device=values.device))))
        found = values.new_zeros(len(places))
        found[self.part(places).to(values.device)] = values
        return self.total(found)

    def total(self, value: Tensor) -> Tensor:
        """The sum over all processes, detached."""
        if not self.several:
            return value
        found = value.detach().clone()
        dist.all_reduce(found)
        return found

    def add_up(self, params: Iterable[Tensor], loss: Tensor) -> Tensor:
        """Sum the gradients over all processes, in place, and return the summed loss.

        A parameter has a gradient then if it has one in some process.
        """
        values = list(params)
        there = self.total(torch.tensor([value.grad is not None for value in values], device=loss.device).float())
        known = [value for value, has in zip(values, there.tolist(), strict=True) if has]
        parts = [torch.zeros_like(value) if value.grad is None else value.grad for value in known]
        summed = self.total(torch.cat([*(part.reshape(-1) for part in parts), loss.detach().reshape(1)]))
        for value, own in zip(known, torch.split(summed[:-1], [part.numel() for part in parts]), strict=True):
            value.grad = own.view(value.shape)
        return summed[-1]

    def told(self, value: Any) -> Any:
        """What the first process says: numbers, texts, lists and mappings of such, or None."""
        if not self.several:
            return value
        data = json.dumps(value).encode() if self.first else b""
        return json.loads(bytes(self._sent(torch.frombuffer(bytearray(data or b" "), dtype=torch.uint8)).tolist()))

    def copied(self, tensors: Iterable[Tensor]) -> None:
        """Have the first process's values, in place."""
        for tensor in tensors if self.several else ():
            dist.broadcast(tensor, 0)

    def share(self, state: TrainState) -> None:
        """Give all processes the state of the first one."""
        if not self.several:
            return
        with tempfile.TemporaryDirectory(prefix="tasksieve-") as folder:
            file = Path(folder) / "state.safetensors"
            if self.first:
                state.copy().write(file)
            data = file.read_bytes() if self.first else b" "
            sent = self._sent(torch.frombuffer(bytearray(data), dtype=torch.uint8))
            if not self.first:
                file.write_bytes(sent.numpy().tobytes())
                state.load(file)

    def draw_layers(self, seed: int, step: int) -> None:
        """Let what layers draw at an iteration follow from its number, so that no process's draws need be kept."""
        if self.several:
            torch.manual_seed(derived_generator(seed, LAYERS_STREAM, step, self.rank).initial_seed())

    def _sent(self, data: Tensor) -> Tensor:
        """Bytes of the first process."""
        length = torch.tensor(len(data), device=self.messages)
        dist.broadcast(length, 0)
        sent = data.to(self.messages) if self.first else torch.zeros(int(length), dtype=torch.uint8).to(self.messages)
        dist.broadcast(sent, 0)
        return sent.cpu()


ALONE = Ranks()
"""One process."""


def check_ranks(ranks: Ranks, config: LoopConfig, method: Method) -> None:
    """Refuse what several processes cannot do together.

    Raises: UserError: saying what, and what to do.
    """
    if not ranks.several:
        return
    meta, instead = config.meta, f"{ranks.size} processes cannot share this run"
    if not method.spreads:
        found = "is fitted by one" if method.simple else "weights a batch by itself or before the run, in one"
        raise UserError(f"{instead}: method '{method.name}' {found}; start it without torchrun")
    if "weights" not in method.updates:
        return
    if meta.normalize_weights:
        raise UserError(f"{instead}: meta.normalize_weights divides by a whole batch's mean; leave it out")
    if meta.certify_every:
        raise UserError(f"{instead}: meta.certify_every looks at a whole batch; leave it out")
    if isinstance(estimator_named(meta.estimator), Evolution):
        raise UserError(f"{instead}: the estimator '{meta.estimator}' goes by the meta-loss; take adjoint")


@contextmanager
def started_ranks(device: str) -> Iterator[Ranks]:
    """The processes that ``torchrun`` has started, this one among them; one alone where it has not.

    Args:
        device: of the run, as the configuration has it; of several GPUs each process takes its own.
    Raises: UserError: if there are more processes on this machine than GPUs, or its environment does not say who
        this process is.

    ``torch.distributed.nn.functional`` has the group of that moment as a default argument. Imported while a group is
    there (optimizers do so), it keeps the group and its threads until the interpreter is gone, and such a thread may
    then abort a process whose work is done. So this file imports it first.
    """
    size = whole_number("WORLD_SIZE", 1, least=1)
    if size == 1 or "MASTER_ADDR" not in os.environ:
        yield ALONE
        return
    on_gpu = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    own = _own_gpu(device) if on_gpu else None
    with ending_with_torchrun():
        try:
            dist.init_process_group("nccl" if own else "gloo", timeout=PATIENCE)
        except ValueError as error:  # its variables do not go together, or one is missing
            raise UserError(f"cannot be one of {size} processes: {error}; start them with torchrun") from None
        yield Ranks(dist.get_rank(), size, own, several=True, messages=torch.device(own or "cpu"))
        dist.destroy_process_group()  # not after an error, when others may still wait for this process


def _own_gpu(device: str) -> str:
    here, gpus = whole_number("LOCAL_WORLD_SIZE", 1, least=1), torch.cuda.device_count()
    if here > gpus:
        raise UserError(
            f"training.device: found '{device}', but there are {here} processes and {gpus} GPUs on this machine; "
            "start one process for each GPU (torchrun --nproc-per-node), or set training.device=cpu"
        )
    own = f"cuda:{whole_number('LOCAL_RANK', 0)}"
    torch.cuda.set_device(own)
    return own
