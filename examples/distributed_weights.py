"""Learned example weights over several processes, each with its share of every batch.

torchrun --nproc-per-node 2 examples/distributed_weights.py

prints the same as ``python examples/distributed_weights.py``: all ranks get the meta-gradient of the whole batch.
"""

import os

import torch
import torch.distributed as dist
from torch import nn

from tasksieve.metagrad import Adjoint, Distributed, ExampleWeights

BATCH, GROUPS = 64, 4


def draw(count: int, groups: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Inputs, targets and the group they are from; only in the first group is the target right."""
    inputs, group = torch.randn(count, 3, dtype=torch.float64), torch.randint(groups, (count,))
    truth = inputs.sum(1)
    return inputs, torch.where(group == 0, truth, -truth), group


def losses(model: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """One squared error an example."""
    return (model(batch[0])[:, 0] - batch[1]).square()


def main(iterations: int = 40) -> None:
    """Learn in step with the other processes, if there are any; the first one prints the weights of the groups."""
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if ranks > 1:
        dist.init_process_group("gloo")
    rank = dist.get_rank() if ranks > 1 else 0
    torch.manual_seed(0)  # the same parameters and the same batches for all
    model, module = nn.Linear(3, 1).double(), nn.Embedding(GROUPS, 1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    sieve = ExampleWeights(
        model,
        losses,
        module,
        optimizer=optimizer,
        logits=lambda module, batch: module(batch[2]),
        weight_lr=0.1,
        estimator=Distributed(Adjoint()) if ranks > 1 else "adjoint",
    )
    for _ in range(iterations):
        related, primary = ([part[rank::ranks] for part in draw(BATCH, groups)] for groups in (GROUPS, 1))
        sieve.update([related], primary)
        optimizer.zero_grad()
        (sieve.weights(related) * losses(model, related)).mean().backward()
        for value in model.parameters() if ranks > 1 else ():
            dist.all_reduce(value.grad)
            value.grad /= ranks
        optimizer.step()
    if rank == 0:
        print("weights by group", " ".join(f"{weight:.9f}" for weight in torch.sigmoid(module.weight[:, 0]).tolist()))
    if ranks > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
