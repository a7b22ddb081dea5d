"""The matching model and its weight module: against their formulas, and what must not matter to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tasksieve.dialogs import Dialog, Turn
from tasksieve.encoding import Batch, Choices, EncodedTask, SentenceTable
from tasksieve.models import DialogModel
from tasksieve.models.matching.model import Matching
from tasksieve.models.matching.weight_module import MatchingWeights
from tasksieve.records.model_config import MatchingWeightConfig
from tests.acting import DIM
from tests.gradients.matching_cases import (
    QUIET,
    acting_world,
    matching,
    matching_weights,
    responding_world,
)
from tests.gradients.plain_matching import PlainMatching, offered_to
from tests.gradients.problems import given_choices
from tests.gradients.settings import assert_same
from tests.reading import World, facts

pytestmark = pytest.mark.usefixtures("both_paths")

WORLDS = {
    "actions with vectors": acting_world(),
    "actions in words": acting_world(dense=False),
    "responses with entities": responding_world(),
}
SETTINGS: list[dict[str, Any]] = [
    {},
    {"members": 1},
    {"members": 3, "hidden": 0},
    {"width": 1, "hidden": 1},
    {"linear": False, "word_scale": 0.7},
]


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    return WORLDS[request.param]


def quiet(world: World, **settings: Any) -> Matching:
    return matching(world, **{**QUIET, **settings})


def whole(task: EncodedTask) -> Batch:
    return task.batch(torch.arange(len(task)))


def tasks(world: World) -> list[EncodedTask]:
    """All tasks, one of which gives each example choices of its own."""
    given = world.task()
    given.choices = given_choices(given.choices)
    return [*(world.task(head) for head in list(world.readings)), given]


def parameters(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().requires_grad_() for name, value in module.named_parameters()}


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_losses_scores_and_logits_are_what_their_formulas_say(world: World, settings: dict[str, Any]) -> None:
    model, module = quiet(world, **settings), matching_weights(world)
    plain = PlainMatching(model.config, model.place, module.config)
    p, eta = dict(model.named_parameters()), dict(module.named_parameters())
    for task in tasks(world):
        batch = task.batch(torch.arange(0, len(task), 3))
        torch.testing.assert_close(model.losses(batch), plain.losses(p, batch), rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(module(batch).sigmoid(), plain.weights(eta, batch), rtol=1e-10, atol=1e-12)
        asked = [batch.choices, *([] if batch.entities is None else [batch.entities])]
        for choices, scores in zip(asked, model.scores(batch, *asked), strict=True):
            for row in range(len(batch)):
                count = len(offered_to(choices, row))
                expected = plain.scores(p, batch, choices, row) if count else scores.new_zeros(0)
                torch.testing.assert_close(scores[row, :count], expected, rtol=1e-10, atol=1e-12)
                assert not bool((scores[row, count:] > -torch.inf).any())


def test_every_element_of_the_gradients_is_that_of_the_formulas(world: World) -> None:
    model = quiet(world)
    plain, p = PlainMatching(model.config, model.place, matching_weights(world).config), parameters(model)
    for task in tasks(world)[1:]:
        batch = task.batch(torch.arange(0, len(task), 2)[:6])
        factors = torch.linspace(0.2, 1.5, len(batch), dtype=torch.float64)
        truth = torch.autograd.grad(plain.losses(p, batch) @ factors, list(p.values()), allow_unused=True)
        model.backward([batch], factors)
        found_at, expected_at = {}, {}
        for (name, value), expected in zip(model.named_parameters(), truth, strict=True):
            if value.numel():
                found_at[name] = torch.zeros_like(value) if value.grad is None else value.grad
                expected_at[name] = torch.zeros_like(value) if expected is None else expected
        assert_same(found_at, expected_at)


def test_scores_are_logarithms_of_probabilities(world: World) -> None:
    model = quiet(world, members=3)
    for task in tasks(world):
        batch = whole(task)
        (scores,) = model.scores(batch, batch.choices)
        torch.testing.assert_close(scores.exp().sum(dim=1), torch.ones(len(batch)).double())
        whole_scores, right = model.responses(batch)
        assert not bool(whole_scores.isnan().any())
        assert bool((whole_scores[torch.arange(len(batch)), right] > -torch.inf)[right >= 0].all())


def test_one_member_has_the_losses_that_follow_from_its_scores(world: World) -> None:
    model = quiet(world, members=1)
    for task in tasks(world):
        batch = whole(task)
        torch.testing.assert_close(model.losses(batch), DialogModel.losses(model, batch))


def test_the_order_and_the_company_of_examples_change_nothing(world: World) -> None:
    model, module, task = quiet(world), matching_weights(world), world.task()
    order = torch.randperm(len(task), generator=torch.Generator().manual_seed(5))
    losses, logits = model.losses(whole(task)), module(whole(task))
    batch = task.batch(order)
    torch.testing.assert_close(model.losses(batch), losses[order], rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(module(batch), logits[order], rtol=1e-11, atol=1e-12)
    for number in order[:5].tolist():
        alone = task.batch(torch.tensor([number]))
        torch.testing.assert_close(model.losses(alone)[0], losses[number], rtol=1e-11, atol=1e-12)
        torch.testing.assert_close(module(alone)[0], logits[number], rtol=1e-11, atol=1e-12)


def test_the_order_of_candidates_changes_nothing_but_the_order_of_scores(world: World) -> None:
    model, task = quiet(world), world.task()
    heads = dict(world.heads)
    order = list(range(len(heads["primary"])))[::-1]
    other = world.candidates([heads["primary"].texts[number] for number in order])
    turned = EncodedTask(world.readings["primary"], world.vocabulary, other, vectors=world.vectors)
    batch, again = whole(task), whole(turned)
    torch.testing.assert_close(model.losses(again), model.losses(batch), rtol=1e-11, atol=1e-12)
    (scores,), (found,) = (model.scores(one, one.choices) for one in (batch, again))
    torch.testing.assert_close(found, scores[:, order], rtol=1e-11, atol=1e-12)
    config, generator = model.config, torch.Generator().manual_seed(3)
    built = Matching.build(config, len(world.vocabulary), {**heads, "primary": other}, generator)
    assert torch.equal(built.place, model.place)


def test_all_choices_given_to_each_example_are_one_list_for_all(world: World) -> None:
    model, batch = quiet(world), whole(world.task())
    (scores,) = model.scores(batch, batch.choices)
    count = len(batch.choices.table)
    orders = [torch.randperm(count, generator=torch.Generator().manual_seed(row)) for row in range(len(batch))]
    offered = SentenceTable.of([order.tolist() for order in orders], count)
    right = torch.stack([order.argsort()[place] for order, place in zip(orders, batch.targets, strict=True)])
    ragged = Choices(batch.choices.table, right, offered, batch.choices.gaps)
    (found,) = model.scores(batch, ragged)
    torch.testing.assert_close(found, scores.gather(1, torch.stack(orders)), rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(model.losses(replace(batch, choices=ragged)), model.losses(batch))


def test_fewer_choices_are_all_of_them_with_the_others_masked(world: World) -> None:
    """By each member; so with one."""
    model, batch = quiet(world, members=1), whole(world.task())
    (scores,) = model.scores(batch, batch.choices)
    fewer = given_choices(batch.choices)
    (found,) = model.scores(batch, fewer)
    assert fewer.offered is not None
    assert fewer.offered.lengths.min() < fewer.offered.lengths.max()
    for row in range(len(batch)):
        mine = offered_to(fewer, row)
        masked = torch.full_like(scores[row], -torch.inf)
        masked[mine] = scores[row, mine]
        torch.testing.assert_close(found[row, : len(mine)], torch.log_softmax(masked, 0)[mine])
        assert bool(found[row, len(mine) :].isneginf().all())


def test_a_model_is_what_its_state_says(world: World) -> None:
    model, module, batch = quiet(world), matching_weights(world), whole(world.task())
    other = Matching.build(model.config, len(world.vocabulary), world.heads, torch.Generator().manual_seed(9))
    assert not torch.equal(other.heard, model.heard)
    assert not any(name == "place" for name in model.state_dict())
    other.double().load_state_dict(model.state_dict())
    assert torch.equal(other.losses(batch), model.losses(batch))
    second = matching_weights(world, seed=9)
    second.load_state_dict(module.state_dict())
    assert torch.equal(second(batch), module(batch))


def test_the_same_generator_gives_the_same_model() -> None:
    world = WORLDS["actions with vectors"]
    first, second, third = (matching(world, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert not torch.equal(first["heard"], third["heard"])


def test_neither_the_response_nor_what_is_right_is_seen_by_the_model(world: World) -> None:
    model, batch = quiet(world), whole(world.task())
    blind = replace(batch, responses=torch.zeros_like(batch.responses))
    (scores,), (found,) = (model.scores(one, one.choices) for one in (batch, blind))
    assert torch.equal(scores, found)


def test_without_vectors_words_alone_are_learned() -> None:
    world = WORLDS["actions in words"]
    model, batch = quiet(world), whole(world.task())
    assert (model.of_context.numel(), model.of_choice.numel()) == (0, 0)
    assert quiet(WORLDS["actions with vectors"]).of_context.shape[0] == 2 * DIM
    assert bool(model.losses(batch).isfinite().all())
    assert not bool(matching_weights(world)(batch).isnan().any())


def test_a_fresh_weight_module_weighs_all_alike() -> None:
    world = WORLDS["actions with vectors"]
    module = MatchingWeights.build(MatchingWeightConfig(), len(world.vocabulary), torch.Generator())
    logits = module(whole(world.task("related-1")))
    assert torch.equal(logits, torch.ones(len(logits)))


def test_a_right_response_that_is_no_candidate_is_no_loss_at_all() -> None:
    world = WORLDS["actions in words"]
    known = world.candidates(world.heads["primary"].texts[:2])
    task = EncodedTask(world.readings["primary"], world.vocabulary, known)
    assert 0 < len(task.answerable()) < len(task)
    with pytest.raises(IndexError, match="the right response of some example is no candidate"):
        quiet(world).losses(whole(task))


def test_words_are_dropped_in_training_alone() -> None:
    world = WORLDS["actions with vectors"]
    model, batch = matching(world, dropout=0.4, word_dropout=0.4), whole(world.task())
    torch.manual_seed(1)
    first, second = model.losses(batch), model.losses(batch)
    assert not torch.equal(first, second)
    model.eval()
    state = torch.get_rng_state()
    assert torch.equal(model.losses(batch), model.losses(batch))
    assert torch.equal(torch.get_rng_state(), state)
    expected = quiet(world)
    torch.testing.assert_close(model.losses(batch), expected.losses(batch), rtol=1e-12, atol=0.0)


def test_losses_have_second_derivatives_where_some_example_knows_no_entity() -> None:
    knows = Dialog((*facts("r1 R_phone p1", "r2 R_phone p2"), Turn("a table", "try r1"), Turn("phone", "it is p1")))
    world = World({"primary": [knows, Dialog((Turn("hi", "hello"), Turn("a table", "for two")))]})
    model, task = quiet(world), world.task()
    assert task.entities is not None
    assert task.entities.offered is not None
    lengths = task.entities.offered.lengths
    none, some = torch.nonzero(lengths == 0).flatten(), torch.nonzero(task.entities.right >= 0).flatten()
    assert len(none)
    assert len(some)
    batch = task.batch(torch.cat([none[:2], some[:2]]))
    p = {name: value for name, value in parameters(model).items() if value.numel()}
    losses = model.losses_at(p, batch)
    first = torch.autograd.grad(losses.sum(), list(p.values()), create_graph=True)
    size = sum(value.square().sum() for value in first)
    second = torch.autograd.grad(size, list(p.values()), allow_unused=True)
    for value in (losses, *first, *(value for value in second if value is not None)):
        assert bool(value.isfinite().all())


def test_a_batch_that_knows_no_entity_yet_loses_by_its_responses_alone() -> None:
    world = WORLDS["responses with entities"]
    model, batch = quiet(world), world.task().batch(torch.arange(3))
    assert batch.entities is not None
    table, none = batch.entities.table, torch.full((3,), -1)
    nobody = Choices(table, none, SentenceTable.of([[], [], []], len(table)))
    losses = model.losses(replace(batch, entities=nobody))
    torch.testing.assert_close(losses, model.losses(replace(batch, entities=None)), rtol=0, atol=0)
