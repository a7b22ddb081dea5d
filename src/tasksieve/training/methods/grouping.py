"""The groups that related examples are weighted by: their services, and kinds of response within them."""

from __future__ import annotations

import torch
from torch import Tensor

from tasksieve.dialogs.turn_kinds import OTHER
from tasksieve.encoding import EncodedTask
from tasksieve.errors import UserError
from tasksieve.models.group_weights import Groups, guessing_loss
from tasksieve.training.loop.method import Start
from tasksieve.weighting import response_groups


def groups_in(start: Start, most: int) -> Groups:
    """Divide the related examples of a run.

    Each service is a group, or several groups of turns whose responses are of a kind, as many as fit into the number
    allowed.

    Args:
        start: of the run; its examples have the columns task, kind and system.
        most: groups in all, but at least one a service.
    Raises: UserError: if batches are not drawn of all related tasks together.
    """
    if len(start.tasks.related) != 1:
        raise UserError(
            "weight_module.kind: 'groups' draws from all related tasks together; set training.related_batch_size"
        )
    (task,) = start.tasks.related
    if not isinstance(task, EncodedTask):
        raise UserError("weight_module.kind: 'groups' weights turns of dialogs; choose another kind")
    services = torch.tensor(start.examples["task"].to_list())
    services = torch.unique(services, return_inverse=True)[1]
    kinds, responses = start.examples["kind"].to_list(), start.examples["system"].to_list()
    texts = [text if kind == OTHER else kind for kind, text in zip(kinds, responses, strict=True)]
    learnable = torch.zeros(len(task), dtype=torch.bool)
    learnable[task.answerable().cpu()] = True
    of_example = torch.empty_like(services)
    of_groups: list[int] = []
    guessed = []
    for service in range(int(services.max()) + 1):
        numbers = torch.nonzero(services == service).flatten()
        own = [texts[number] for number in numbers.tolist()]
        each = max(1, most // (int(services.max()) + 1))
        found = _dense(response_groups(own, each, start.config.training.seed))
        of_example[numbers] = found + len(of_groups)
        of_groups += [service] * (int(found.max()) + 1)
        guessed.append(guessing_loss(task.choices, numbers[learnable[numbers]].to(task.device)))
    return Groups(of_example, torch.tensor(of_groups), torch.tensor(guessed))


def _dense(groups: Tensor) -> Tensor:
    """The same groups, numbered from 0 without a gap."""
    numbers: Tensor = torch.unique(groups, return_inverse=True)[1]
    return numbers
