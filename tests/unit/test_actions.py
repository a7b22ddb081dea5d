"""Actions as candidates: their parts, what a primary task may borrow, and several tasks as one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.encoding import Candidates, EncodedTask, Vocabulary, responses_of
from tasksieve.encoding.actions import borrowed_actions, spelled
from tasksieve.models import DialogModel, MemoryNetwork
from tasksieve.records.model_config import MemoryNetworkConfig
from tests.gradients.matching_cases import QUIET, acting_world, matching
from tests.reading import World

pytestmark = pytest.mark.usefixtures("both_paths")

ACTS = ("request",)


def test_an_action_is_itself_its_acts_and_their_parts() -> None:
    assert spelled("goodbye") == "goodbye"
    assert spelled("request_city") == "request_city request city"
    assert spelled("request_a request_b") == "request_a&request_b request_a request_b request a b"
    assert spelled("request_party_size").split() == ["request_party_size", "request", "party", "size"]
    assert spelled("call__x") == "call__x call x"


@given(st.lists(st.text("abc_", min_size=1, max_size=6), min_size=1, max_size=3, unique=True))
def test_actions_of_which_one_is_a_part_of_the_other_are_spelled_apart(acts: list[str]) -> None:
    action = " ".join(sorted(acts))
    words = spelled(action).split()
    assert len(words) == len(set(words))
    assert set(acts) <= set(words)
    if len(acts) > 1:
        assert all(set(words) != set(spelled(act).split()) for act in acts)


def test_a_primary_task_borrows_actions_whose_slots_it_has() -> None:
    own = ["request_city", "confirm", "offer request_date"]
    related = [["request_city request_date", "request_stars", "confirm request_city"], ["offer", "request_city"]]
    assert borrowed_actions(own, related, ACTS) == ["confirm request_city", "request_city request_date"]


def test_an_action_without_a_slot_must_occur_in_several_related_tasks_unless_there_is_one() -> None:
    twice = [["offer", "offer", "nothing"], ["nothing"], ["inform"]]
    assert borrowed_actions(["goodbye"], twice, ACTS) == ["nothing"]
    assert borrowed_actions(["goodbye"], twice[:1], ACTS) == ["nothing", "offer"]
    assert borrowed_actions(["nothing"], [], ACTS) == []


def test_slots_count_for_the_acts_that_take_theirs_along() -> None:
    related = [["offer_city"], ["offer_city"], ["call_Find"]]
    assert borrowed_actions(["request_city"], related, ["request", "call"]) == ["offer_city"]
    assert borrowed_actions(["request_city"], related, ["request", "offer"]) == []
    assert borrowed_actions(["call_Find"], related, ["call"]) == ["offer_city"]


def test_candidates_are_found_by_their_texts_however_these_are_spelled() -> None:
    vocabulary = Vocabulary(["request_city", "request", "city", "goodbye"])
    candidates = Candidates(["request_city", "goodbye", "request"], vocabulary, spell=spelled)
    assert candidates.texts == ("request_city", "goodbye", "request")
    assert [candidates.number(text) for text in ("goodbye", "request_city", "city")] == [1, 0, -1]
    assert candidates.table.lengths.tolist() == [3, 1, 1]
    assert Candidates(["request_city"], vocabulary).table.lengths.tolist() == [1]


def parts(world: World) -> list[EncodedTask]:
    """The related tasks apart, each with its own responses as candidates."""
    found = []
    for head in list(world.readings)[1:]:
        own = world.candidates(responses_of(world.readings[head]))
        found.append(EncodedTask(world.readings[head], world.vocabulary, own, head="related", vectors=world.vectors))
    return found


def test_several_tasks_as_one_offer_each_example_its_own_tasks_responses() -> None:
    world = acting_world()
    pooled, apart = world.pooled(), parts(world)
    assert len(pooled) == sum(map(len, apart))
    assert [(e.task, e.dialog, e.turn) for e in pooled.examples] == [
        (number, e.dialog, e.turn) for number, task in enumerate(apart) for e in task.examples
    ]
    offered = pooled.batch(torch.arange(len(pooled))).choices.offered
    assert offered is not None
    for number, example in enumerate(pooled.examples):
        own = offered.words[offered.offsets[number] : offered.offsets[number + 1]].tolist()
        assert {pooled.candidates.texts[choice] for choice in own} == set(apart[example.task].candidates.texts)
        right = pooled.candidates.texts[own[int(pooled.targets[number])]]
        assert right == world.readings[f"related-{example.task + 1}"][example.dialog].turns[example.turn].response
    assert len(pooled.answerable()) == len(pooled)
    assert pooled.coverage.unseen_responses == 0


@pytest.mark.parametrize("kind", ["matching", "memory-network"])
def test_several_tasks_as_one_have_the_losses_of_the_tasks_apart(kind: str) -> None:
    world = acting_world()
    pooled, apart = world.pooled(), parts(world)
    model: DialogModel = matching(world, **QUIET)
    if kind == "memory-network":
        config = MemoryNetworkConfig(dim=5, init_sd=0.4)
        heads = {"related": pooled.candidates}
        model = MemoryNetwork.build(config, len(world.vocabulary), heads, torch.Generator().manual_seed(0)).double()
    found = model.losses(pooled.batch(torch.arange(len(pooled))))
    expected = torch.cat([model.losses(task.batch(torch.arange(len(task)))) for task in apart])
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-12)
    mixed = torch.randperm(len(pooled), generator=torch.Generator().manual_seed(1))[:9]
    torch.testing.assert_close(model.losses(pooled.batch(mixed)), expected[mixed], rtol=1e-11, atol=1e-12)


def test_one_task_by_its_number_is_that_task() -> None:
    world = acting_world()
    readings = world.readings["primary"]
    numbered = EncodedTask(readings, world.vocabulary, world.heads["primary"], tasks=[3] * len(readings))
    assert numbered.choices.offered is None
    assert {example.task for example in numbered.examples} == {3}
    assert [example.dialog for example in numbered.examples] == [e.dialog for e in world.task().examples]


def test_a_response_that_is_no_candidate_has_no_place_in_a_task_of_several() -> None:
    world = acting_world()
    few = world.candidates(["request_city"])
    readings = [*world.readings["related-1"], *world.readings["related-2"]]
    numbers = [0] * len(world.readings["related-1"]) + [1] * len(world.readings["related-2"])
    task = EncodedTask(readings, world.vocabulary, few, tasks=numbers)
    right = [readings[_place(task, n)].turns[e.turn].response == "request_city" for n, e in enumerate(task.examples)]
    assert task.targets.tolist() == [0 if one else -1 for one in right]


def _place(task: EncodedTask, number: int) -> int:
    example = task.examples[number]
    return example.dialog + example.task * (1 + max(e.dialog for e in task.examples if e.task == 0))
