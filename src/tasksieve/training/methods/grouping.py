"""The groups that related examples are weighted by: their services, and kinds of response within them."""

from __future__ import annotations

import torch

from tasksieve.dialogs.turn_kinds import OTHER
from tasksieve.encoding import EncodedTask
from tasksieve.errors import UserError
from tasksieve.models.group_weights import Groups, guessing_loss
from tasksieve.training.loop.method import Start
from tasksieve.weighting import groups_by_task


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
    services = torch.unique(torch.tensor(start.examples["task"].to_list()), return_inverse=True)[1]
    kinds, responses = start.examples["kind"].to_list(), start.examples["system"].to_list()
    texts = [text if kind == OTHER else kind for kind, text in zip(kinds, responses, strict=True)]
    of_example = groups_by_task(texts, torch.bincount(services).tolist(), most, start.config.training.seed)
    of_groups = torch.empty(int(of_example.max()) + 1, dtype=torch.long)
    of_groups[of_example] = services
    learnable = torch.zeros(len(task), dtype=torch.bool)
    learnable[task.answerable().cpu()] = True
    guessed = [
        guessing_loss(task.choices, torch.nonzero((services == service) & learnable).flatten().to(task.device))
        for service in range(int(services.max()) + 1)
    ]
    return Groups(of_example, of_groups, torch.tensor(guessed))
