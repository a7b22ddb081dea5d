"""Small bilevel problems with the matching model: actions with vectors, and responses that name entities."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tasksieve.dialogs.simulate import simulate
from tasksieve.encoding import EncodedTask
from tasksieve.metagrad import BilevelProblem, Params
from tasksieve.models.matching.model import Matching
from tasksieve.models.matching.weight_module import MatchingWeights
from tasksieve.records.model_config import MatchingConfig, MatchingWeightConfig
from tasksieve.weighting import Learned
from tests.acting import embed, service
from tests.gradients.plain_matching import PlainMatching
from tests.gradients.problems import MAX_UNROLL, Case, Plain, given_choices
from tests.reading import World

QUIET = {"dropout": 0.0, "word_dropout": 0.0}
"""Settings of a model that draws nothing."""


def acting_world(*, dense: bool = True) -> World:
    """Buses, then hotels and trains, of which actions are predicted."""
    tasks = {"primary": service("buses"), "related-1": service("hotels"), "related-2": service("trains")}
    return World(tasks, named=False, predict="actions", vectors=embed if dense else None)


def responding_world() -> World:
    """Responses that name entities, as templates."""
    return World(
        {
            "primary": simulate("personalized-restaurant", dialogs=3, seed=1, task=3)["train"],
            "related-1": simulate("restaurant", dialogs=3, seed=2, task=5)["train"],
        }
    )


def matching(world: World, seed: int = 0, **settings: Any) -> Matching:
    """A small model in float64 of which nothing is 0 or symmetric."""
    config = MatchingConfig.model_validate({"width": 3, "hidden": 4, "members": 2, **settings})
    generator = torch.Generator().manual_seed(seed)
    model = Matching.build(config, len(world.vocabulary), world.heads, generator).double()
    _scatter(model, generator)
    return model


def matching_weights(world: World, seed: int = 1, **settings: Any) -> MatchingWeights:
    """A weight module likewise."""
    generator = torch.Generator().manual_seed(seed)
    config = MatchingWeightConfig.model_validate(settings)
    module = MatchingWeights.build(config, len(world.vocabulary), generator).double()
    _scatter(module, generator)
    return module


def _scatter(module: torch.nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for value in module.parameters():
            value += 0.15 * torch.randn(value.shape, generator=generator, dtype=torch.float64)


def matching_case(
    reduction: str,
    *,
    entities: bool = False,
    acting: World | None = None,
    plainly: type[PlainMatching] = PlainMatching,
    **settings: Any,
) -> Case:
    """The matching model and its weight module.

    Args:
        reduction: of the problem.
        entities: responses that name entities, each with choices of its own and without vectors; by default actions
            with vectors, the related tasks as one.
        acting: dialogs of which actions are predicted; by default :func:`acting_world`.
        plainly: the model and its module as their formulas read.
        settings: of the model.
    """
    world = responding_world() if entities else acting or acting_world()
    related = [world.task("related-1")] if entities else [world.pooled()]
    primary = world.task()
    if entities:
        for task in (primary, *related):
            task.choices = given_choices(task.choices)
    model, learned = matching(world, **{**QUIET, **settings}), Learned(matching_weights(world))
    plain = plainly(model.config, model.place, learned.module.config)

    def related_losses(p: Params, parts: Any) -> Tensor:
        return torch.cat([model.losses_at(p, part) for part in parts])

    first, *rest = (_order(task) for task in (primary, *related))
    return Case(
        BilevelProblem(related_losses, model.losses_at, learned.unrolled, reduction),
        Plain(
            lambda p, parts: torch.cat([plain.losses(p, part) for part in parts]),
            plain.losses,
            lambda p, batches: [torch.cat([plain.weights(p, part) for part in parts]) for parts in batches],
        ),
        dict(model.named_parameters()),
        dict(learned.module.named_parameters()),
        ("bias",),
        primary.batch(first[:4]),
        [
            tuple(task.batch(order[k * 4 : k * 4 + 4]) for task, order in zip(related, rest, strict=True))
            for k in range(MAX_UNROLL)
        ],
        [primary.batch(first[k : k + 3]) for k in range(MAX_UNROLL)],
        0.05,
    )


def _order(task: EncodedTask) -> Tensor:
    """By chance; but where responses name entities, those that do come first and every other one does not."""
    order = torch.randperm(len(task), generator=torch.Generator().manual_seed(2))
    if task.entities is None:
        return order
    named = task.entities.right[order] >= 0
    some, none = order[named], order[~named]
    least = min(len(some), len(none))
    return torch.cat([torch.stack([some[:least], none[:least]], 1).flatten(), some[least:], none[least:]])
