"""What facts are about: telling names, reading responses as templates, choosing an entity by its facts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Fact, Turn
from tasksieve.dialogs.simulate import simulate
from tasksieve.encoding import (
    Candidates,
    EncodedTask,
    KnownEntities,
    Vocabulary,
    naming_relations,
    responses_of,
)
from tasksieve.errors import UserError
from tasksieve.models.responses import whole_responses
from tasksieve.training.runs.answers import best_answers
from tasksieve.training.runs.dialog_tasks import Encoding
from tasksieve.training.runs.evaluation import UNANSWERABLE, task_ranks
from tests.unit.test_memories import memory_of
from tests.unit.test_models import HEADS, NAMING, VOCABULARY, network, task

PHONE = frozenset({"r_phone"})
FACTS = (
    Fact("Resto_1 R_price cheap"),
    Fact("Resto_1 R_phone Resto_1_phone"),
    Fact("resto_2 R_price dear"),
    Fact("resto_2 R_cuisine north indian"),
    Fact("resto_2 R_phone resto_2_phone"),
)


def known(*facts: Fact, naming: frozenset[str] = PHONE, profile: tuple[str, ...] = ()) -> KnownEntities:
    entities = KnownEntities(naming, profile)
    for fact in facts:
        entities.learn(fact)
    return entities


def test_a_relation_whose_values_are_each_of_one_entity_gives_names() -> None:
    facts = [
        Fact(f"r{n} {fact}") for n in range(10) for fact in (f"R_phone p{n}", f"R_rating {n % 3}", f"R_motto we {n}")
    ]
    assert naming_relations([Dialog(tuple(facts))]) == {"r_phone"}
    assert naming_relations([Dialog(tuple(facts[:-3]))]) == set()  # nine are too few to tell
    assert naming_relations([Dialog(tuple(facts))], [Dialog((Fact("other R_phone P3"),))]) == set()


def test_ordinary_words_are_no_names() -> None:
    told = (Fact("the hotel has a pool"), Fact("a pool is warm"), Turn("hi", "the pool is open"))
    assert naming_relations([Dialog((Turn("the hotel", "a hotel it is"), *told))]) is None
    assert naming_relations([Dialog(told)]) == set()
    ids = [Fact(f"r{n} R_id {n}") for n in range(10)]
    counted = Turn("a table for 3 or 4", "for 5 it is")
    assert naming_relations([Dialog((*ids, Turn("which", "r3 and r4")))]) == {"r_id"}
    assert naming_relations([Dialog((counted, *ids, Turn("which", "r3 and r4")))]) == set()
    named = [Turn("r1", "r1"), *ids, *(Turn("and", f"r{n}") for n in range(10))]
    assert naming_relations([Dialog(tuple(named))]) == {"r_id"}  # one of eleven came before its fact


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
    entities.learn(Fact("resto_3 R_price cheap"))
    assert len(entities) == len(entities.descriptions()) == 3


def test_facts_without_a_value_say_nothing() -> None:
    assert len(known(Fact("closed"), Fact("resto_1 open"))) == 0


def test_memories_have_placeholders_for_what_is_known_by_then() -> None:
    dialog = Dialog((Turn("is resto_1 good", "yes"), *FACTS, Turn("resto_1 then", "resto_1_phone it is")))
    assert memory_of(dialog, "mentioned", PHONE).lines == [
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
    head = Candidates(["hello", "call me", "try <entity>"], VOCABULARY, naming=PHONE)
    choices = head.choices(torch.tensor([1]))
    found, right = whole_responses(choices, torch.tensor([[1.0, 2.0, 3.0]]))
    assert found.tolist() == [[1.0, 2.0, -torch.inf]] and right.tolist() == [1]


def test_a_task_without_facts_has_no_templates_to_say() -> None:
    model, head = network(), HEADS["primary"]
    encoded = EncodedTask([Dialog((Turn("hi", "hello"),))], VOCABULARY, head, naming=NAMING)
    assert encoded.entities is None
    scores, targets = model.responses(encoded.batch(torch.tensor([0])))
    assert torch.nonzero(scores[0] == -torch.inf).flatten().tolist() == head.gaps.tolist() != []
    assert targets.tolist() == [head.number("hello")]


def test_an_entity_of_no_training_dialog_can_be_named() -> None:
    """The ceiling without it: word for word, no response that names it is a candidate."""
    splits = simulate("personalized-restaurant", dialogs=12, seed=5, task=3)
    train, test = splits["train"], splits["test"]
    naming = naming_relations(train)
    covered = {}
    for kind, relations in (("facts", naming), ("names", None)):
        vocabulary = Vocabulary.of(train, naming=relations)
        candidates = Candidates(responses_of(train, naming=relations), vocabulary, naming=relations)
        covered[kind] = EncodedTask(test, vocabulary, candidates, naming=relations).coverage.ceiling
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
    candidates = Candidates(["hello", "call <r_phone>", "try <entity>"], Vocabulary(["hello"]), naming=PHONE)
    entities = known(FACTS[0], *FACTS[2:])  # the first has no phone
    # hello, two templates, then each of them with each entity
    scores = torch.tensor([1.0, 9.0, 9.0, 8.0, 2.0, 4.0, 3.0])
    found = best_answers(scores, candidates, entities, 9)
    assert [answer.text for answer in found] == ["try Resto_1", "try resto_2", "call resto_2_phone", "hello"]
    assert sum(answer.probability for answer in found) == pytest.approx(1)
    assert [answer.score for answer in best_answers(scores, candidates, entities, 2)] == [4.0, 3.0]
    only = Candidates(["call <r_phone>"], Vocabulary(["hello"]), naming=PHONE)
    with pytest.raises(UserError, match="give it facts first"):
        best_answers(torch.tensor([-torch.inf]), only, known(), 3)


def test_an_encoding_keeps_what_names_are(tmp_path: Path) -> None:
    vocabulary = Vocabulary(["hello"])
    candidates = {"primary": Candidates(["hello", "try <entity>"], vocabulary, naming=PHONE)}
    Encoding(vocabulary, candidates, 5, "none", PHONE).write(tmp_path / "encoding.json")
    read = Encoding.read(tmp_path / "encoding.json", "cpu")
    assert read.naming == PHONE and read.candidates["primary"].gaps.tolist() == [1]
    value = json.loads((tmp_path / "encoding.json").read_text())
    del value["naming"]  # as runs from before have it
    (tmp_path / "encoding.json").write_text(json.dumps(value))
    read = Encoding.read(tmp_path / "encoding.json", "cpu")
    assert read.naming is None and read.candidates["primary"].gaps.tolist() == []
    (tmp_path / "encoding.json").write_text(json.dumps({**value, "naming": [1]}))
    with pytest.raises(UserError, match="naming: found"):
        Encoding.read(tmp_path / "encoding.json", "cpu")


def test_the_world_of_these_tests_has_names() -> None:
    assert "r_phone" in NAMING
