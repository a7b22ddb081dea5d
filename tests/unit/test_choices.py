"""What examples choose among: one list for all, entities, and responses given with an example, in one form."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tasksieve.encoding import Batch, ChoiceRows, Choices, EncodedTask, SentenceTable, Vocabulary
from tasksieve.models.memory_network.choice_losses import choice_losses
from tasksieve.models.responses import whole_responses
from tasksieve.training.runs.evaluation import ranks
from tests.gradients.problems import given_choices
from tests.unit.test_models import network, task

pytestmark = pytest.mark.usefixtures("both_paths")

KINDS = ("list", "entities", "given")


def encoded(kind: str) -> EncodedTask:
    """A task whose choices are of a kind."""
    whole = task()
    if kind == "given":
        whole.choices = given_choices(whole.choices)
    return whole


def some(kind: str, count: int = 20) -> tuple[Batch, Choices]:
    """The first examples, and what they choose among."""
    batch = encoded(kind).batch(torch.arange(count))
    choices = batch.entities if kind == "entities" else batch.choices
    assert choices is not None
    return batch, choices


def own_of(choices: Choices, row: int) -> list[int]:
    """The numbers of an example's choices."""
    if choices.offered is None:
        return list(range(len(choices.table)))
    first, last = choices.offered.offsets[row : row + 2].tolist()
    return choices.offered.words[first:last].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_scores_losses_and_ranks_are_those_of_a_loop(kind: str) -> None:
    model, (batch, choices) = network(), some(kind)
    embedding = model.candidate_embedding["shared"]
    (states,) = model.body.states(model.body.tensors(), [batch], with_response=False)
    (scores,) = model.scores(batch, choices)
    losses, found = choice_losses(states, embedding, choices), ranks(scores, choices.right)
    rows = choices.table.embed(embedding)
    assert scores.shape == (len(batch), choices.most) and len(choices) == len(batch)
    for row, right in enumerate(choices.right.tolist()):
        mine = rows[own_of(choices, row)] @ states[row]
        torch.testing.assert_close(scores[row, : len(mine)], mine)
        assert bool((scores[row, len(mine) :] == -torch.inf).all())
        expected = torch.logsumexp(mine, 0) - mine[right] if right >= 0 else torch.zeros(()).double()
        torch.testing.assert_close(losses[row], expected)
        if right >= 0:
            assert int(found[row]) == int((mine >= mine[right] - 1e-12).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_choices_changes_nothing_but_their_places(kind: str) -> None:
    """Neither that of the distinct ones, nor that in which each example is offered them."""
    model, (batch, choices) = network(), some(kind)
    last = len(choices.table) - 1
    table = choices.table.select(torch.arange(last, -1, -1))
    right, offered = last - choices.right, None
    if choices.offered is not None:
        lists = [own_of(choices, row) for row in range(len(choices))]
        offered = SentenceTable.of([[last - number for number in reversed(own)] for own in lists], last + 1)
        right = torch.where(choices.right >= 0, choices.offered.lengths - 1 - choices.right, -1)
    turned = Choices(table, right, offered)
    before, after = model.scores(batch, choices, turned)
    for row in range(len(batch)):
        count = len(own_of(choices, row))
        torch.testing.assert_close(after[row, :count].flip(0), before[row, :count], rtol=1e-12, atol=1e-14)
    changed = {"entities" if kind == "entities" else "choices": turned}
    torch.testing.assert_close(model.losses(replace(batch, **changed)), model.losses(batch), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_and_company_change_nothing(kind: str) -> None:
    """An example has the same scores and the same loss by itself as beside others with longer lists."""
    model, whole = network(), encoded(kind)
    together = whole.batch(torch.arange(len(whole)))

    def asked(batch: Batch) -> tuple[Tensor, Tensor]:
        choices = batch.entities if kind == "entities" else batch.choices
        assert choices is not None
        return model.scores(batch, choices)[0], model.losses(batch)

    scores, losses = asked(together)
    for row in range(0, len(whole), 5):
        alone, loss = asked(whole.batch(torch.tensor([row])))
        assert alone.shape[1] <= scores.shape[1]
        torch.testing.assert_close(scores[row, : alone.shape[1]], alone[0], rtol=1e-12, atol=1e-14)
        assert bool((scores[row, alone.shape[1] :] == -torch.inf).all())
        torch.testing.assert_close(losses[row], loss[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_has_the_choices_of_its_examples(kind: str) -> None:
    whole = encoded(kind)
    examples = torch.tensor([3, len(whole) - 1, 0, 3])
    batch = whole.batch(examples)
    found, every = (batch.entities, whole.entities) if kind == "entities" else (batch.choices, whole.choices)
    assert found is not None and every is not None
    assert found.right.tolist() == every.right[examples].tolist() and found.table is every.table
    for row, example in enumerate(examples.tolist()):
        assert own_of(found, row) == own_of(every, example)


def test_whole_responses_of_given_templates_are_as_probable_as_template_and_entity_together() -> None:
    """Whether there is a template at a place differs from example to example."""
    model, (batch, choices) = network(), some("given", 40)
    assert batch.entities is not None and choices.gaps is not None
    scores, of_entities = model.scores(batch, choices, batch.entities)
    found, right = whole_responses(choices, scores, batch.entities, of_entities)
    losses = torch.nn.functional.cross_entropy(found, right, reduction="none")
    templates, named = set(choices.gaps.tolist()), batch.entities.right >= 0
    # all choices can be said where an entity is known; elsewhere the templates are left out
    known = (of_entities > -torch.inf).any(1)
    assert bool((known & named).any()) and bool((known & ~named).any())
    torch.testing.assert_close(losses[known], model.losses(batch)[known])
    for row in range(len(batch)):
        mine = own_of(choices, row)
        for place, number in enumerate(mine):
            assert (found[row, place] == -torch.inf) == (number in templates)
        sayable = sum(number not in templates for number in mine)
        sayable += sum(number in templates for number in mine) * int((of_entities[row] > -torch.inf).sum())
        assert int((found[row] > -torch.inf).sum()) == sayable


def test_rows_are_collected_with_each_distinct_choice_once() -> None:
    rows = ChoiceRows(Vocabulary(["yes", "no", "or"]))
    assert rows.choices() is None
    first = (("yes",), ("no", "or", "unknown"))
    rows.add(first, 1)
    rows.add(first, -1)
    rows.add((), -1)
    rows.add((("no", "or", "unknown"), ("or",)), 0)
    found = rows.choices()
    assert found is not None and found.most == 2 and found.right.tolist() == [1, -1, -1, 0]
    assert [own_of(found, row) for row in range(4)] == [[0, 1], [0, 1], [], [1, 2]]
    assert found.table.padded().tolist() == [[0, -1], [1, 2], [2, -1]]
    none = found.select(torch.tensor([2]))
    assert none.most == 0 and none.scores(torch.ones(1, 2), torch.ones(3, 2)).shape == (1, 0)
