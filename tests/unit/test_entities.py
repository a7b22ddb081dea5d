"""What records are about: reading responses as templates, choosing an entity by its facts."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Note, Record, Turn
from tasksieve.dialogs.simulate import simulate
from tasksieve.encoding import (
    Candidates,
    KnownEntities,
    Names,
    Vocabulary,
)
from tasksieve.errors import UserError
from tasksieve.models.responses import whole_responses
from tasksieve.training.runs.answers import best_answers
from tasksieve.training.runs.evaluation import UNANSWERABLE, task_ranks
from tests.reading import KB, World, facts, lines, records
from tests.unit.test_models import HEADS, VOCABULARY, WORLD, network, task

FACTS = facts(
    "Resto_1 R_price cheap",
    "Resto_1 R_phone Resto_1_phone",
    "resto_2 R_price dear",
    "resto_2 R_cuisine north indian",
    "resto_2 R_phone resto_2_phone",
)


def known(*told: Record | Note, names: Names = KB, profile: tuple[str, ...] = ()) -> KnownEntities:
    entities = KnownEntities(names, profile)
    for record in told:
        if isinstance(record, Record):
            entities.learn(record)
    return entities


def test_responses_that_name_an_entity_are_templates() -> None:
    entities = known(*FACTS)
    assert entities.template("how about resto_1, sir") == ("how about <entity>, sir", 0)
    assert entities.template("call RESTO_2_phone.") == ("call <r_phone>.", 1)
    assert entities.template("resto_2 is at resto_2_phone") == ("<entity> is at <r_phone>", 1)
    for text in ("resto_1 or resto_2", "how  about it", "resto_3"):
        assert entities.template(text) == (text, -1)
    assert entities.filled("how about <entity>, sir", 0) == "how about Resto_1, sir"
    assert entities.filled("call <r_phone>.", 1) == "call resto_2_phone."
    assert known(FACTS[0]).filled("call <r_phone>", 0) is None
    assert known().template("how about resto_1") == ("how about resto_1", -1)


def test_descriptions_say_what_was_asked_for_and_named() -> None:
    entities = known(*FACTS, profile=("Dear",))
    assert entities.descriptions() == (
        ("r_price=cheap",),
        ("r_price=dear", "r_price:heard", "r_cuisine=north_indian"),
    )
    before = entities.descriptions()
    entities.hear("north wind")
    entities.name("nothing")
    assert entities.descriptions() == before
    entities.hear("indian")
    assert "r_cuisine:heard" in entities.descriptions()[1]
    entities.name("how about resto_2?")
    assert entities.descriptions()[1][-2:] == (":named", ":latest")
    entities.hear("is Resto_1 better")
    assert entities.descriptions()[0][-1] == ":latest" and entities.descriptions()[1][-1] == ":named"
    (third,) = facts("resto_3 R_price cheap")
    assert isinstance(third, Record)
    entities.learn(third)
    assert len(entities) == len(entities.descriptions()) == 3


def test_a_record_without_a_name_is_of_no_entity() -> None:
    assert len(known(*facts("closed", "You are kind"), *records("Hotels", {"hotel_name": "Astoria"}))) == 0


def test_names_may_have_several_words() -> None:
    names = Names({"Hotels_1": ("hotel_name", "address.street")})
    inn = {"hotel_name": "The Old Inn", "address": {"street": "71 Saint Peter, rear", "town": "Rome"}}
    entities = known(*records("Hotels_1", inn, {"hotel_name": "Astoria"}), names=names)
    assert entities.template("try the old inn, at 71 Saint Peter, rear.") == ("try <entity>, at <address.street>.", 0)
    assert entities.filled("it's at <address.street>!", 0) == "it's at 71 Saint Peter, rear!"
    assert entities.filled("it's at <address.street>", 1) is None
    assert entities.descriptions()[0] == ("address.town=rome",)


STAFF = Names({"Staff": ("name", "phone")})


def test_a_record_is_of_the_entity_whose_name_it_has() -> None:
    rows = ({"name": "Lund", "phone": "1"}, {"phone": "1", "stars": 3}, {"name": "Ek", "phone": "1"})
    entities = known(*records("Staff", *rows), names=STAFF)
    assert entities.descriptions() == (("stars=3",), ())


def test_two_of_one_name_are_two_entities() -> None:
    rows = ({"name": "Pia Lund", "phone": "1"}, {"name": "Pia Lund", "phone": "2"}, {"name": "Pia Lund", "stars": 3})
    entities = known(*records("Staff", *rows), names=STAFF)
    assert len(entities) == 2
    assert entities.template("call 2")[1] == 1 and entities.filled("call <phone>", 1) == "call 2"
    assert entities.descriptions()[0] == ("stars=3",)


def test_an_empty_name_is_none() -> None:
    entities = known(*records("Staff", {"name": " ", "phone": "1"}, {"name": "", "phone": ""}), names=STAFF)
    assert len(entities) == 1 and entities.filled("ask <entity>", 0) is None


def test_punctuation_of_a_name_is_not_said_twice() -> None:
    entities = known(*records("Staff", {"name": "Anna Weiß (A12)"}, {"name": "Pia Lund"}), names=STAFF)
    for said, template in (
        ("I send Anna Weiß (A12), rated 5", "I send <entity>, rated 5"),
        ('api_call book {"name": "Pia Lund"}', 'api_call book {"name": "<entity>"}'),
    ):
        assert entities.template(said)[0] == template
        assert entities.filled(*entities.template(said)) == said


def test_who_was_asked_for_before_the_answer_came_is_known() -> None:
    entities = KnownEntities(STAFF)
    entities.hear("is Pia Lund free?")
    for record in records("Staff", {"name": "Bo Ek"}, {"name": "Pia Lund"}):
        entities.learn(record)
    assert entities.descriptions() == ((), (":latest",))


def test_memories_have_placeholders_for_what_is_known_by_then() -> None:
    dialog = Dialog((Turn("is resto_1 good", "yes"), *FACTS, Turn("resto_1 then", "resto_1_phone it is")))
    assert lines(dialog, "mentioned", KB) == [
        *("<user> is resto_1 good", "<system> yes"),
        *("<fact> <entity> R_price cheap", "<fact> <entity> R_phone <r_phone>"),
        *("<user> <entity> then", "<system> <r_phone> it is"),
    ]


WORDS = st.sampled_from(["resto_1", "resto_2,", "resto_1_phone", "how", "about", "Resto_2"])


@given(st.lists(WORDS, min_size=1).map(" ".join))
def test_a_template_filled_in_is_the_response(response: str) -> None:
    entities = known(*FACTS)
    template, entity = entities.template(response)
    if entity >= 0:
        filled = entities.filled(template, entity)
        assert filled is not None and filled.lower() == response.lower()
    else:
        assert template == response


def test_whole_responses_are_as_probable_as_template_and_entity_together() -> None:
    model, encoded = network(), task()
    batch = encoded.batch(torch.arange(len(encoded)))
    assert batch.entities is not None and batch.entities.offered is not None
    naming = batch.entities.right >= 0
    assert 0 < int(naming.sum()) < len(naming)
    scores, targets = model.responses(batch)
    losses = torch.nn.functional.cross_entropy(scores, targets, reduction="none")
    knows = batch.entities.offered.lengths > 0
    torch.testing.assert_close(losses[knows], model.losses(batch)[knows])
    # without an entity nothing can be named, and what is left is all that can be said
    gaps = HEADS["primary"].gaps
    assert len(gaps) and bool((scores[~knows][:, gaps] == -torch.inf).all())
    shares = torch.softmax(scores, 1)
    torch.testing.assert_close(shares.sum(1), torch.ones(len(shares)).double())


def test_without_entities_templates_cannot_be_said() -> None:
    head = Candidates(["hello", "call me", "try <entity>"], VOCABULARY, placeholders=KB.gaps())
    choices = head.choices(torch.tensor([1]))
    found, right = whole_responses(choices, torch.tensor([[1.0, 2.0, 3.0]]))
    assert found.tolist() == [[1.0, 2.0, -torch.inf]] and right.tolist() == [1]


def test_a_task_without_facts_has_no_templates_to_say() -> None:
    model, head = network(), HEADS["primary"]
    encoded = WORLD.task(dialogs=[Dialog((Turn("hi", "hello"),))])
    assert encoded.entities is None
    scores, targets = model.responses(encoded.batch(torch.tensor([0])))
    assert torch.nonzero(scores[0] == -torch.inf).flatten().tolist() == head.gaps.tolist() != []
    assert targets.tolist() == [head.number("hello")]


def test_an_entity_of_no_training_dialog_can_be_named() -> None:
    """The ceiling without it: word for word, no response that names it is a candidate."""
    splits = simulate("personalized-restaurant", dialogs=12, seed=5, task=3)
    train, test = splits["train"], splits["test"]
    covered = {}
    for kind in ("facts", "names"):
        world = World({"primary": train}, named=kind == "facts")
        covered[kind] = world.task(dialogs=test).coverage.ceiling
    assert covered["facts"] > covered["names"] + 15


def test_the_rank_is_of_template_and_entity_together() -> None:
    model, encoded = network(), task()
    found = task_ranks(model, encoded)
    batch = encoded.batch(torch.arange(len(encoded)))
    scores, targets = model.responses(batch)
    for row, target in enumerate(targets.tolist()):
        assert found[row] == int((scores[row] >= scores[row, target]).sum())
    encoded.targets[0] = -1
    assert task_ranks(model, encoded)[0] == UNANSWERABLE


def test_answers_are_texts_that_can_be_said() -> None:
    candidates = Candidates(
        ["hello", "call <r_phone>", "try <entity>"], Vocabulary(["hello"]), placeholders=KB.gaps()
    )
    entities = known(FACTS[0], *FACTS[2:])  # the first has no phone
    # hello, two templates, then each of them with each entity
    scores = torch.tensor([1.0, 9.0, 9.0, 8.0, 2.0, 4.0, 3.0])
    found = best_answers(scores, candidates, entities, 9)
    assert [answer.text for answer in found] == ["try Resto_1", "try resto_2", "call resto_2_phone", "hello"]
    assert sum(answer.probability for answer in found) == pytest.approx(1)
    assert [answer.score for answer in best_answers(scores, candidates, entities, 2)] == [4.0, 3.0]
    only = Candidates(["call <r_phone>"], Vocabulary(["hello"]), placeholders=KB.gaps())
    with pytest.raises(UserError, match="give it facts first"):
        best_answers(torch.tensor([-torch.inf]), only, known(), 3)


def test_the_world_of_these_tests_has_names() -> None:
    assert "<r_phone>" in WORLD.gaps
