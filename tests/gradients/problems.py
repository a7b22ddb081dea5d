"""Small bilevel problems in float64 on which every meta-gradient is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.func import functional_call

from tasksieve.dialogs.simulate import simulate
from tasksieve.encoding import Candidates, EncodedTask, Vocabulary, responses_of
from tasksieve.metagrad import BilevelProblem, Params
from tasksieve.models import LossesOf, MemoryNetwork, WeightModule
from tasksieve.records.config import ModelConfig, WeightModuleConfig
from tasksieve.weighting import Learned

MAX_UNROLL = 5


@dataclass(frozen=True)
class Case:
    """A problem with its parameters and batches for up to MAX_UNROLL steps."""

    problem: BilevelProblem[Any, Any]
    params: Params
    weight_params: Params
    primary_batch: Any

    related: Any
    lr: float = 0.3

    def related_batches(self, count: int) -> Any:
        return self.related(count)


def classifier_case(reduction: str) -> Case:
    """A two-layer classifier with a two-layer weight module: nothing of ours but the engine."""
    generator = torch.Generator().manual_seed(3)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    params = {"a": draw(4, 6), "b": draw(6), "c": draw(6, 3)}
    weight_params = {"u": draw(7, 5), "v": draw(5)}
    data = [(draw(8, 4), torch.randint(3, (8,), generator=generator)) for _ in range(MAX_UNROLL + 1)]

    def losses(p: Params, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        scores = torch.tanh(batch[0] @ p["a"] + p["b"]) @ p["c"]
        return torch.nn.functional.cross_entropy(scores, batch[1], reduction="none")

    def weights(p: Params, batches: Any) -> list[torch.Tensor]:
        return [
            torch.sigmoid(torch.tanh(torch.cat([x, torch.eye(3).double()[y]], 1) @ p["u"]) @ p["v"])
            for x, y in batches
        ]

    problem = BilevelProblem(losses, losses, weights, reduction)
    return Case(problem, params, weight_params, data[-1], lambda count: data[:count])


def dialog_case(reduction: str, *, recency: bool, shared: bool, normalize: bool = False) -> Case:
    """The memory network and the weight module on simulated dialogs of two related tasks."""
    primary = simulate("personalized-restaurant", dialogs=3, seed=1, task=1)["train"]
    related = [
        simulate("restaurant", dialogs=4, seed=2, task=5)["train"],
        simulate("hotel", dialogs=4, seed=3)["train"],
    ]
    vocabulary = Vocabulary.of(primary, *related)
    heads = {"primary": Candidates(responses_of(primary), vocabulary)}
    tasks = []
    for number, dialogs in enumerate(related):
        head = f"related-{number + 1}"
        heads[head] = Candidates(responses_of(dialogs), vocabulary)
        tasks.append(EncodedTask(dialogs, vocabulary, heads[head], head=head))
    generator = torch.Generator().manual_seed(0)
    config = ModelConfig(dim=6, recency=recency, shared_candidates=shared, init_sd=0.3)
    model = LossesOf(MemoryNetwork(config, len(vocabulary), heads, generator).double())
    module_config = WeightModuleConfig(dim=5, recency=recency, init_sd=0.3)
    learned = Learned(WeightModule(module_config, len(vocabulary), 250, generator).double(), normalize=normalize)

    def losses(p: Params, batch: Any) -> torch.Tensor:
        return functional_call(model, p, (batch,))

    def related_losses(p: Params, parts: Any) -> torch.Tensor:
        return torch.cat([losses(p, part) for part in parts])

    def batches(count: int) -> list[Any]:
        return [tuple(task.batch(torch.arange(k * 6, k * 6 + 6)) for task in tasks) for k in range(count)]

    encoded = EncodedTask(primary, vocabulary, heads["primary"])
    return Case(
        BilevelProblem(related_losses, losses, learned.unrolled, reduction),
        dict(model.named_parameters()),
        dict(learned.module.named_parameters()),
        encoded.batch(torch.arange(8)),
        batches,
        0.3 if reduction == "mean" else 0.01,
    )
