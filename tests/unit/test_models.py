"""The memory network against a plain loop, and what must not matter to it."""

from __future__ import annotations

from abc import ABC
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import Tensor

from tasksieve.dialogs.simulate import simulate
from tasksieve.encoding import Batch, EncodedTask
from tasksieve.models import DialogModel, MemoryNetwork, MemoryWeightModule, WeightModule
from tasksieve.models.memory_network.choice_losses import candidate_losses
from tasksieve.records.model_config import MemoryNetworkConfig, MemoryWeightConfig
from tests.reading import World

pytestmark = pytest.mark.usefixtures("both_paths")

PRIMARY = simulate("personalized-restaurant", dialogs=4, seed=1, task=3)["train"]
RELATED = simulate("restaurant", dialogs=4, seed=2, task=1)["train"]
WORLD = World({"primary": PRIMARY, "related-1": RELATED})
VOCABULARY, HEADS = WORLD.vocabulary, WORLD.heads


def network(**settings: object) -> MemoryNetwork:
    config = MemoryNetworkConfig.model_validate({"dim": 5, "init_sd": 0.4, **settings})
    return MemoryNetwork.build(config, len(VOCABULARY), HEADS, torch.Generator().manual_seed(0)).double()


def task(head: str = "primary") -> EncodedTask:
    return WORLD.task(head)


def scores_of(model: MemoryNetwork, batch: Batch) -> Tensor:
    (found,) = model.scores(batch, batch.choices)
    return found


def plain_state(body: torch.nn.Module, batch: Batch, row: int, with_response: bool) -> Tensor:
    """One example, sentence by sentence, as the equations read."""
    embedded = batch.table.embed(body.embedding)
    state = embedded[batch.utterances[row]] + (embedded[batch.responses[row]] if with_response else 0)
    memories = [embedded[number] for number in batch.memories[row].tolist() if number >= 0]
    for _ in range(body.hops):
        attention = torch.softmax(torch.stack([memory @ state for memory in memories]), 0)
        attended = sum(p * memory for p, memory in zip(attention, memories, strict=True))
        h = body.transform
        state = state @ h + attended if body.transforms_state else state + attended @ h
    return state


@pytest.mark.parametrize("transform", ["state", "attended"])
def test_the_network_is_what_its_equations_say(transform: Literal["state", "attended"]) -> None:
    model, batch = network(transform=transform, hops=2), task().batch(torch.arange(20))
    scores = scores_of(model, batch)
    candidates = HEADS["primary"].table.embed(model.candidate_embedding["shared"])
    for row in range(20):
        torch.testing.assert_close(scores[row], candidates @ plain_state(model.body, batch, row, with_response=False))
    config = MemoryWeightConfig(dim=5, transform=transform, init_sd=0.4)
    module = MemoryWeightModule(config, len(VOCABULARY), torch.Generator().manual_seed(1)).double()
    logits = module(batch)
    for row in range(20):
        state = plain_state(module.body, batch, row, with_response=True)
        torch.testing.assert_close(logits[row], state @ module.output + module.bias)


def test_the_dialog_model_cannot_see_the_response() -> None:
    batch = task().batch(torch.arange(12))
    blind = replace(batch, responses=torch.zeros_like(batch.responses))
    assert torch.equal(network().losses(batch), network().losses(blind))


def test_padding_changes_nothing() -> None:
    model, batch = network(), task().batch(torch.arange(8))
    wider = replace(
        batch,
        memories=torch.nn.functional.pad(batch.memories, (0, 7), value=-1),
        table=batch.table.select(torch.cat([torch.arange(len(batch.table)), torch.zeros(3, dtype=torch.long)])),
        entries=None,
    )
    torch.testing.assert_close(scores_of(model, batch), scores_of(model, wider), rtol=1e-12, atol=1e-14)


def test_the_company_in_a_batch_changes_nothing() -> None:
    whole, model = task(), network()
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(5))
    together = scores_of(model, whole.batch(order))
    for place in range(0, len(whole), 7):
        alone = scores_of(model, whole.batch(order[place : place + 1]))[0]
        torch.testing.assert_close(together[place], alone, rtol=1e-12, atol=1e-14)


def test_an_empty_dialog_has_one_empty_memory() -> None:
    batch = task("related-1").batch(torch.tensor([0]))
    assert batch.memories.shape == (1, 1)
    assert not bool(batch.table.embed(torch.ones(len(VOCABULARY), 1))[batch.memories[0, 0]].any())
    assert bool(torch.isfinite(network().losses(batch)).all())


def test_heads_share_the_body_and_if_so_configured_the_candidate_embedding() -> None:
    assert set(network(shared_candidates=True).candidate_embedding) == {"shared"}
    separate = network(shared_candidates=False)
    assert set(separate.candidate_embedding) == {"primary", "related-1"}
    separate.losses(task().batch(torch.arange(3))).sum().backward()
    assert separate.candidate_embedding["related-1"].grad is None
    assert separate.body.embedding.grad is not None


def test_parameters_are_those_the_paper_lists() -> None:
    """Appendix B.2: |V|×20, 20×20 and |V|×20 for the model; |V|×20, 20×20, 20×1 and a bias for the module."""
    words = len(VOCABULARY)
    model = MemoryNetwork(MemoryNetworkConfig(dim=20), words, list(HEADS), torch.Generator())
    assert sorted(value.numel() for value in model.parameters()) == [400, 20 * words, 20 * words]
    module = MemoryWeightModule(MemoryWeightConfig(), words, torch.Generator())
    assert sorted(value.numel() for value in module.parameters()) == [1, 20, 400, 20 * words]


@pytest.mark.parametrize("transform", ["state", "attended"])
def test_second_derivatives_are_right(transform: str) -> None:
    model, batch = network(dim=3, hops=2, transform=transform), task("related-1").batch(torch.arange(3))

    def losses(matrix: Tensor) -> Tensor:
        return model.losses_at({"body.transform": matrix}, batch)

    inputs = model.body.transform.detach().requires_grad_()
    assert torch.autograd.gradcheck(losses, inputs)
    assert torch.autograd.gradgradcheck(losses, inputs)


def test_losses_and_responses_are_those_that_follow_from_the_scores() -> None:
    """The contract's own, which a model may replace by quicker ones."""
    model, batch = network(), task().batch(torch.arange(15))
    assert batch.entities is not None and bool((batch.entities.right >= 0).any())
    torch.testing.assert_close(model.losses(batch), DialogModel.losses(model, batch))
    torch.testing.assert_close(model(batch), model.losses(batch))
    factors = torch.rand(15, generator=torch.Generator().manual_seed(1)).double()
    gradients = []
    for kind in (MemoryNetwork, DialogModel):
        torch.testing.assert_close(kind.backward(model, [batch], factors), model.losses(batch).detach())
        gradients.append({name: value.grad for name, value in model.named_parameters()})
    assert gradients[0].keys() == gradients[1].keys()
    for name, value in gradients[1].items():
        if value is None:
            assert gradients[0][name] is None
        else:
            torch.testing.assert_close(gradients[0][name], value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("transform", ["state", "attended"])
def test_the_attention_that_is_shown_leads_to_the_state(transform: Literal["state", "attended"]) -> None:
    model, batch = network(transform=transform, hops=3), task().batch(torch.arange(20))
    attention = model.attention(batch)
    assert attention.shape == (3, *batch.memories.shape)
    embedded = batch.table.embed(model.body.embedding)
    state, memories = embedded[batch.utterances], embedded[batch.memories.clamp(min=0)]
    for shares in attention:
        torch.testing.assert_close(shares.sum(1), torch.ones(20).double())
        attended, matrix = torch.einsum("bs,bsd->bd", shares, memories), model.body.transform
        state = attended + state @ matrix if transform == "state" else state + attended @ matrix
    (expected,) = model.body.states(model.body.tensors(), [batch], with_response=False)
    torch.testing.assert_close(state, expected)
    assert bool((attention.transpose(0, 1)[(batch.memories < 0)[:, None].expand(-1, 3, -1)] == 0).all())


def test_a_sentence_that_comes_twice_gets_two_equal_shares() -> None:
    batch = task().batch(torch.arange(len(task())))
    row, number = next(
        (row, number)
        for row, memories in enumerate(batch.memories.tolist())
        for number in memories
        if number >= 0 and memories.count(number) > 1
    )
    shares = network().attention(batch)[:, row, batch.memories[row] == number]
    assert bool((shares == shares[:, :1]).all())


def draw(*shape: int, seed: int) -> Tensor:
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return values.requires_grad_()


def test_candidate_losses_pass_gradient_checks_of_both_orders() -> None:
    inputs, targets = (draw(5, 3, seed=4), draw(7, 3, seed=5)), torch.tensor([0, 6, 2, 2, 1])
    assert torch.autograd.gradcheck(lambda *given: candidate_losses(*given, targets), inputs)
    assert torch.autograd.gradgradcheck(lambda *given: candidate_losses(*given, targets), inputs)


def test_libraries_that_patch_modules_can_derive_from_a_model() -> None:
    """``higher`` makes a class of the model's and one of (ABC, Module): the order of a model's bases has to fit."""

    class Patch(ABC, torch.nn.Module):
        pass

    for patched in (type("Patched", (kind, Patch), {}) for kind in (MemoryNetwork, MemoryWeightModule)):
        assert issubclass(patched, DialogModel | WeightModule)
