"""The memory network against a plain loop, and what must not matter to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import Tensor

from tasksieve.dialogs.simulate import simulate
from tasksieve.encoding import Batch, Candidates, EncodedTask, Vocabulary, naming_relations, responses_of
from tasksieve.models import LossesOf, MemoryNetwork, WeightModule
from tasksieve.models.memory_network.candidate_losses import candidate_losses
from tasksieve.models.memory_network.entity_choice import entity_losses
from tasksieve.models.memory_network.hops import composed_hops, hops
from tasksieve.records.config import ModelConfig, WeightModuleConfig

pytestmark = pytest.mark.usefixtures("both_paths")

PRIMARY = simulate("personalized-restaurant", dialogs=4, seed=1, task=3)["train"]
RELATED = simulate("restaurant", dialogs=4, seed=2, task=1)["train"]
NAMING = naming_relations(PRIMARY, RELATED)
VOCABULARY = Vocabulary.of(PRIMARY, RELATED, naming=NAMING)
HEADS = {
    "primary": Candidates(responses_of(PRIMARY, naming=NAMING), VOCABULARY, naming=NAMING),
    "related-1": Candidates(responses_of(RELATED, naming=NAMING), VOCABULARY, naming=NAMING),
}


def network(heads: dict[str, Candidates] = HEADS, **options: object) -> MemoryNetwork:
    config = ModelConfig.model_validate({"dim": 5, "init_sd": 0.4, **options})
    return MemoryNetwork(config, len(VOCABULARY), heads, torch.Generator().manual_seed(0)).double()


def task(head: str = "primary") -> EncodedTask:
    dialogs = PRIMARY if head == "primary" else RELATED
    return EncodedTask(dialogs, VOCABULARY, HEADS[head], head=head, naming=NAMING)


def plain_state(body: torch.nn.Module, batch: Batch, row: int, with_response: bool) -> Tensor:
    """One example, sentence by sentence, as the equations read."""
    embedded = batch.table.embed(body.embedding)
    state = embedded[batch.utterances[row]] + (embedded[batch.responses[row]] if with_response else 0)
    memories = []
    for slot, number in enumerate(batch.memories[row].tolist()):
        if number >= 0:
            memory = embedded[number]
            memories.append(memory if body.recency is None else memory + body.recency[slot])
    for _ in range(body.hops):
        attention = torch.softmax(torch.stack([memory @ state for memory in memories]), 0)
        attended = sum(p * memory for p, memory in zip(attention, memories, strict=True))
        h = body.transform
        state = state @ h + attended if body.transforms_state else state + attended @ h
    return state


@pytest.mark.parametrize("transform", ["state", "attended"])
@pytest.mark.parametrize("recency", [True, False])
def test_the_network_is_what_its_equations_say(transform: Literal["state", "attended"], recency: bool) -> None:
    model, batch = network(transform=transform, recency=recency, hops=2), task().batch(torch.arange(20))
    scores = model(batch)
    candidates = HEADS["primary"].table.embed(model.candidate_embedding["shared"])
    for row in range(20):
        torch.testing.assert_close(scores[row], candidates @ plain_state(model.body, batch, row, with_response=False))
    config = WeightModuleConfig(dim=5, transform=transform, recency=recency, init_sd=0.4)
    module = WeightModule(config, len(VOCABULARY), 250, torch.Generator().manual_seed(1)).double()
    logits = module(batch)
    for row in range(20):
        state = plain_state(module.body, batch, row, with_response=True)
        torch.testing.assert_close(logits[row], state @ module.output + module.bias)


def test_the_dialog_model_cannot_see_the_response() -> None:
    batch = task().batch(torch.arange(12))
    blind = replace(batch, responses=torch.zeros_like(batch.responses))
    assert torch.equal(network()(batch), network()(blind))


@pytest.mark.parametrize("recency", [True, False])
def test_padding_changes_nothing(recency: bool) -> None:
    model, batch = network(recency=recency), task().batch(torch.arange(8))
    wider = replace(
        batch,
        memories=torch.nn.functional.pad(batch.memories, (0, 7), value=-1),
        table=batch.table.select(torch.cat([torch.arange(len(batch.table)), torch.zeros(3, dtype=torch.long)])),
        entries=None,
    )
    torch.testing.assert_close(model(batch), model(wider), rtol=1e-12, atol=1e-14)


def test_the_company_in_a_batch_changes_nothing() -> None:
    whole, model = task(), network()
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(5))
    together = model(whole.batch(order))
    for place in range(0, len(whole), 7):
        alone = model(whole.batch(order[place : place + 1]))[0]
        torch.testing.assert_close(together[place], alone, rtol=1e-12, atol=1e-14)


def test_candidate_order_changes_nothing_but_the_order() -> None:
    texts = HEADS["primary"].texts
    turned = {**HEADS, "primary": Candidates(tuple(reversed(texts)), VOCABULARY)}
    batch = task().batch(torch.arange(10))
    torch.testing.assert_close(network()(batch), network(turned)(batch).flip(1), rtol=1e-12, atol=1e-14)


def test_an_empty_dialog_has_one_empty_memory() -> None:
    batch = task("related-1").batch(torch.tensor([0]))
    assert batch.memories.shape == (1, 1)
    assert not bool(batch.table.embed(torch.ones(len(VOCABULARY), 1))[batch.memories[0, 0]].any())
    assert bool(torch.isfinite(network()(batch)).all())


def test_heads_share_the_body_and_if_so_configured_the_candidate_embedding() -> None:
    assert set(network(shared_candidates=True).candidate_embedding) == {"shared"}
    separate = network(shared_candidates=False)
    assert set(separate.candidate_embedding) == {"primary", "related-1"}
    separate(task().batch(torch.arange(3))).sum().backward()
    assert separate.candidate_embedding["related-1"].grad is None
    assert separate.body.embedding.grad is not None


def test_parameters_are_those_the_paper_lists() -> None:
    """Appendix B.2: |V|×20, 20×20 and |V|×20 for the model; |V|×20, 20×20, 20×1 and a bias for the module."""
    words = len(VOCABULARY)
    model = MemoryNetwork(ModelConfig(dim=20, recency=False), words, HEADS, torch.Generator())
    assert sorted(value.numel() for value in model.parameters()) == [400, 20 * words, 20 * words]
    module = WeightModule(WeightModuleConfig(recency=False), words, 250, torch.Generator())
    assert sorted(value.numel() for value in module.parameters()) == [1, 20, 400, 20 * words]


def test_second_derivatives_are_right() -> None:
    model, batch = network(dim=3, hops=2, recency=True), task("related-1").batch(torch.arange(3))

    def losses(transform: Tensor, recency: Tensor) -> Tensor:
        params = {"body.transform": transform, "body.recency": recency}
        scores = torch.func.functional_call(model, params, (batch,))
        return torch.nn.functional.cross_entropy(scores, batch.targets, reduction="none")

    small = model.body.recency[:6].detach()
    inputs = (model.body.transform.detach().requires_grad_(), torch.cat([small, small]).requires_grad_())
    assert torch.autograd.gradcheck(losses, inputs)
    assert torch.autograd.gradgradcheck(losses, inputs)


def test_losses_are_cross_entropy() -> None:
    model, batch = network(), task().batch(torch.arange(15))
    expected = torch.nn.functional.cross_entropy(model(batch), batch.targets, reduction="none")
    assert batch.options is not None
    embedding = model.candidate_embedding["shared"]
    expected = expected + entity_losses(model.body(batch, with_response=False), embedding, batch.options)
    torch.testing.assert_close(model.losses(batch), expected)
    torch.testing.assert_close(LossesOf(model)(batch), expected)


def draw(*shape: int, seed: int) -> Tensor:
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return values.requires_grad_()


LOG_COUNTS = torch.tensor([[0.0, -math.inf, 0.0, math.log(2)], [-math.inf, 0.0, -math.inf, -math.inf]]).double()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_hops_and_their_derivatives_are_those_of_the_composed_ones(count: int) -> None:
    inputs = draw(4, 3, seed=0), draw(3, 3, seed=1), draw(2, 3, seed=2)
    cotangent, directions = draw(2, 3, seed=3), [draw(*value.shape, seed=9) for value in inputs]

    def derivatives(function: Callable[..., Tensor]) -> list[Tensor]:
        state = function(*inputs, LOG_COUNTS, count)
        first = torch.autograd.grad(state, inputs, cotangent, create_graph=True, materialize_grads=True)
        inner = sum((value * way).sum() for value, way in zip(first, directions, strict=True))
        return [state, *first, *torch.autograd.grad(inner, (*inputs, cotangent), materialize_grads=True)]

    for found, truth in zip(derivatives(hops), derivatives(composed_hops), strict=True):
        torch.testing.assert_close(found, truth, rtol=1e-9, atol=1e-13)


def test_hops_pass_gradient_checks_of_both_orders() -> None:
    inputs = draw(4, 3, seed=0), draw(3, 3, seed=1), draw(2, 3, seed=2)
    assert torch.autograd.gradcheck(lambda *given: hops(*given, LOG_COUNTS, 2), inputs)
    assert torch.autograd.gradgradcheck(lambda *given: hops(*given, LOG_COUNTS, 2), inputs)


def test_candidate_losses_pass_gradient_checks_of_both_orders() -> None:
    inputs, targets = (draw(5, 3, seed=4), draw(7, 3, seed=5)), torch.tensor([0, 6, 2, 2, 1])
    assert torch.autograd.gradcheck(lambda *given: candidate_losses(*given, targets), inputs)
    assert torch.autograd.gradgradcheck(lambda *given: candidate_losses(*given, targets), inputs)
