"""Small bilevel problems in float64 on which every meta-gradient is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn.functional import one_hot

from tasksieve.dialogs.simulate import simulate
from tasksieve.encoding import Choices, SentenceTable
from tasksieve.images import ImageTask, embedded_digits
from tasksieve.metagrad import BilevelProblem, InnerRule, MetaUpdate, Params, Simulation
from tasksieve.models import LogisticRegression, MemoryNetwork, MemoryWeightModule, PerceptronWeightModule
from tasksieve.records.model_config import MemoryNetworkConfig, MemoryWeightConfig
from tasksieve.weighting import Learned
from tests.gradients.plain_network import PlainNetwork
from tests.reading import World

MAX_UNROLL = 3


@dataclass(frozen=True)
class Plain:
    """The callables of a problem, as the naive unroll takes them."""

    related_losses: Callable[[Params, Any], torch.Tensor]
    primary_losses: Callable[[Params, Any], torch.Tensor]
    example_weights: Callable[[Params, Any], Any]


@dataclass(frozen=True)
class Case:
    """A problem with its parameters and batches for up to MAX_UNROLL steps; ``update`` makes a meta-update of it.

    Attributes:
        problem: for the engine.
        plain: the same for the naive unroll, without hand-made derivatives.
        few: names of some weight params, few enough for forward mode.
        related, joint: batches.
        lr: a step size that moves the model and does not make it explode.
    """

    problem: BilevelProblem[Any, Any]
    plain: Plain
    params: Params
    weight_params: Params
    few: tuple[str, ...]
    primary_batch: Any
    related: Any
    joint: Any
    lr: float = 0.3

    @property
    def reduction(self) -> str:
        return self.problem.reduction

    def related_batches(self, count: int) -> Any:
        return self.related[:count]

    def joint_batches(self, count: int) -> Any:
        return self.joint[:count]

    def simulation(self, steps: int, *, joint: bool = False, state: Any = None) -> Simulation[Any, Any]:
        """The first steps from the case's parameters."""
        return Simulation(
            self.params,
            self.related_batches(steps),
            self.primary_batch,
            state,
            self.joint_batches(steps) if joint else (),
        )

    def update(
        self, rule: InnerRule, steps: int, *, joint: bool = False, state: Any = None, few: bool = False
    ) -> MetaUpdate[Any, Any]:
        """The meta-update of so many steps, with respect to all weight params or to few of them."""
        names = self.few if few else tuple(self.weight_params)
        eta = {name: self.weight_params[name] for name in names}
        return MetaUpdate(self.problem, rule, self.simulation(steps, joint=joint, state=state), eta)

    def only(self, *names: str) -> Case:
        """With these parameters alone simulated; the others stay fixed."""
        plain = self.plain

        def with_all(losses: Any) -> Any:
            return lambda p, batch: losses({**self.params, **p}, batch)

        return replace(
            self,
            params={name: self.params[name] for name in names},
            plain=replace(
                plain,
                related_losses=with_all(plain.related_losses),
                primary_losses=with_all(plain.primary_losses),
            ),
        )


def classifier_case(reduction: str) -> Case:
    """A two-layer classifier with a two-layer weight module: nothing of ours but the engine."""
    generator = torch.Generator().manual_seed(3)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    params = {"a": draw(4, 6), "b": draw(6), "c": draw(6, 3)}
    weight_params = {"u": draw(7, 5), "v": draw(5)}
    data = [(draw(8, 4), torch.randint(3, (8,), generator=generator)) for _ in range(2 * MAX_UNROLL + 1)]

    def losses(p: Params, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        p = {**params, **p}
        scores = torch.tanh(batch[0] @ p["a"] + p["b"]) @ p["c"]
        return torch.nn.functional.cross_entropy(scores, batch[1], reduction="none")

    def weights(p: Params, batches: Any) -> list[torch.Tensor]:
        p = {**weight_params, **p}
        return [
            torch.sigmoid(torch.tanh(torch.cat([x, torch.eye(3).double()[y]], 1) @ p["u"]) @ p["v"])
            for x, y in batches
        ]

    problem = BilevelProblem(losses, losses, weights, reduction)
    related, joint = data[:MAX_UNROLL], data[MAX_UNROLL + 1 :]
    plain = Plain(losses, losses, weights)
    return Case(problem, plain, params, weight_params, ("v",), data[MAX_UNROLL], related, joint)


def dialog_case(
    reduction: str,
    *,
    shared: bool,
    normalize: bool = False,
    entities: bool = False,
    given: bool = False,
    own: bool = False,
) -> Case:
    """The memory network and the weight module on simulated dialogs of two related tasks.

    Args:
        reduction: of the problem.
        shared: whether all tasks' candidates have one embedding.
        normalize: whether weights are divided by their mean.
        entities: whether responses name entities.
        given: whether each example has choices of its own.
        own: whether the network's own linearization is used, where it has one.
    """
    primary = simulate("personalized-restaurant", dialogs=3, seed=1, task=3 if entities else 1)["train"]
    related = [
        simulate("restaurant", dialogs=4, seed=2, task=5)["train"],
        simulate("hotel", dialogs=4, seed=3)["train"],
    ]
    world = World({"primary": primary, "related-1": related[0], "related-2": related[1]}, named=entities)
    vocabulary, heads = world.vocabulary, world.heads
    tasks = [world.task(f"related-{number}") for number in (1, 2)]
    generator = torch.Generator().manual_seed(0)
    config = MemoryNetworkConfig.model_validate({"dim": 6, "shared_candidates": shared, "init_sd": 0.3})
    model = MemoryNetwork(config, len(vocabulary), list(heads), generator).double()
    module_config = MemoryWeightConfig.model_validate({"dim": 5, "init_sd": 0.3})
    learned = Learned(MemoryWeightModule(module_config, len(vocabulary), generator).double(), normalize=normalize)

    def related_losses(p: Params, parts: Any) -> torch.Tensor:
        return torch.cat([model.losses_at(p, part) for part in parts])

    encoded = world.task()
    if given:
        for task in (encoded, *tasks):
            task.choices = given_choices(task.choices)
    # where responses name entities, those that do come first
    first, *rest = [
        torch.argsort(task.entities.right, descending=True) if entities else torch.arange(len(task))
        for task in (encoded, *tasks)
    ]
    return Case(
        BilevelProblem(
            related_losses,
            model.losses_at,
            learned.unrolled,
            reduction,
            model.linearize if own else None,
            (lambda p, batch: model.linearize(p, (batch,))) if own else None,
        ),
        plain_dialogs(PlainNetwork(config), normalize),
        dict(model.named_parameters()),
        dict(learned.module.named_parameters()),
        ("output", "bias"),
        encoded.batch(first[:6]),
        [
            tuple(task.batch(order[k * 4 : k * 4 + 4]) for task, order in zip(tasks, rest, strict=True))
            for k in range(MAX_UNROLL)
        ],
        [encoded.batch(first[k : k + 4]) for k in range(MAX_UNROLL)],
        0.05 if reduction == "mean" else 0.005,
    )


def given_choices(choices: Choices) -> Choices:
    """Three to seven of the choices for each example, the right one among them, as if given with it."""
    generator = torch.Generator().manual_seed(6)
    offered, places = [], []
    for right in choices.right.tolist():
        others = torch.randperm(len(choices.table), generator=generator).tolist()
        mine = [number for number in others if number != right][: 2 + right % 5]
        places.append(right % (len(mine) + 1))
        offered.append([*mine[: places[-1]], right, *mine[places[-1] :]])
    table = SentenceTable.of(offered, len(choices.table))
    return Choices(choices.table, torch.tensor(places), table, choices.gaps)


def plain_dialogs(network: PlainNetwork, normalize: bool) -> Plain:
    """The same by the plain network."""

    def weights(p: Params, batches: Any) -> list[torch.Tensor]:
        found = [torch.cat([network.weights(p, part) for part in parts]) for parts in batches]
        return [w / w.mean() for w in found] if normalize else found

    def related_losses(p: Params, parts: Any) -> torch.Tensor:
        return torch.cat([network.losses(p, part) for part in parts])

    return Plain(related_losses, network.losses, weights)


def image_case(reduction: str) -> Case:
    """Logistic regression and the perceptron on digits, with their own derivatives."""
    digits = embedded_digits()["train"].part(slice(8 * (2 * MAX_UNROLL + 1)))
    right = torch.arange(len(digits)) % 2 == 0
    task = ImageTask(replace(digits, pixels=digits.pixels.double()), right)
    generator = torch.Generator().manual_seed(4)
    model = LogisticRegression(64, generator).double()
    learned = Learned(PerceptronWeightModule(64, generator).double())
    batches = [task.batch(torch.arange(k * 8, k * 8 + 8)) for k in range(2 * MAX_UNROLL + 1)]
    for batch in batches:
        batch.indicator = one_hot(right[batch.examples].long(), 2).double()

    def related_losses(p: Params, parts: Any) -> torch.Tensor:
        return torch.cat([model.losses_at(p, part) for part in parts])

    def plain_losses(p: Params, batch: Any) -> torch.Tensor:
        scores = batch.pixels @ p["weight"].T + p["bias"]
        return -torch.log_softmax(scores, 1)[torch.arange(len(batch)), batch.targets]

    def plain_weights(p: Params, related: Any) -> list[torch.Tensor]:
        seen = [torch.cat([b.pixels, torch.eye(10).double()[b.targets], b.indicator], 1) for (b,) in related]
        return [torch.sigmoid(inputs @ p["weight"] + p["bias"]) for inputs in seen]

    return Case(
        BilevelProblem(
            related_losses,
            model.losses_at,
            learned.unrolled,
            reduction,
            model.linearize,
            lambda p, batch: model.linearize(p, (batch,)),
        ),
        Plain(lambda p, parts: plain_losses(p, parts[0]), plain_losses, plain_weights),
        dict(model.named_parameters()),
        dict(learned.module.named_parameters()),
        ("bias",),
        batches[MAX_UNROLL],
        [(batch,) for batch in batches[:MAX_UNROLL]],
        batches[MAX_UNROLL + 1 :],
    )
