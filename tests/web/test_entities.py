"""Talking of what the facts are about: responses name the entities of the dialog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tasksieve.dialogs import Turn
from tasksieve.dialogs.record import told
from tasksieve.serve.app import create_app
from tasksieve.training.runs.conversation import Conversation
from tasksieve.training.runs.trained_model import TrainedModel

NAMES = ("grand_alma", "petit_bois")
SAID = [f"{name} R_{relation}" for name in NAMES for relation in ("rating 3", "price cheap", f"phone {name}_p")]
FACTS = [told(line) for line in SAID]


@pytest.fixture(scope="module")
def client(run: Path) -> Iterator[TestClient]:
    with TestClient(create_app(run), base_url="http://127.0.0.1:8000") as client:
        yield client


def asked(user: str, **more: object) -> dict[str, object]:
    return {"events": [{"fact": line} for line in SAID], "user": user, "top": 100, **more}


def test_entities_of_the_dialog_are_named(run: Path, client: TestClient) -> None:
    without = client.post("/api/respond", json={"user": "any idea", "top": 100}).json()["candidates"]
    assert not any(name in one["text"] or "<" in one["text"] for one in without for name in NAMES)
    found = client.post("/api/respond", json=asked("any idea")).json()["candidates"]
    expected = TrainedModel.load(run).answer(FACTS, "any idea", top=100)
    assert [one["text"] for one in found] == [one.text for one in expected]
    assert [one["score"] for one in found] == pytest.approx([one.score for one in expected], rel=1e-4)
    named = {name for one in found for name in NAMES if one["text"].endswith(name)}
    assert named == set(NAMES)
    assert not any("<" in one["text"] for one in found)
    assert sum(one["probability"] for one in found) <= 1 + 1e-6


def test_the_overview_says_so(client: TestClient) -> None:
    found = client.get("/api/run").json()
    assert (found["facts"], found["entities"]) == ("needed", "facts")


def test_responses_given_are_read_as_templates(client: TestClient) -> None:
    every = {one["text"]: one for one in client.post("/api/rank", json=asked("any idea")).json()["candidates"]}
    proposal = next(text for text in every if text.endswith(NAMES[0]))
    other, plain = proposal.replace(*NAMES), next(text for text in every if not text.endswith(NAMES))
    given = [plain, other, proposal]
    found = client.post("/api/rank", json=asked("any idea", candidates=given)).json()["candidates"]
    assert {one["text"] for one in found} == set(given)
    for one in found:
        assert one["score"] == pytest.approx(every[one["text"]]["score"], rel=1e-3, abs=1e-4)


def test_what_was_named_matters(run: Path) -> None:
    trained = TrainedModel.load(run)
    before = {one.text: one.score for one in trained.answer(FACTS, "any idea", top=100)}
    proposal = next(text for text in before if text.endswith(NAMES[0]))
    after = {one.text: one.score for one in trained.answer([*FACTS, Turn("hi", proposal)], "any idea", top=100)}
    same = [before[text] == pytest.approx(before[text.replace(*NAMES)], abs=1e-5) for text in (proposal,)]
    assert all(same)  # told apart by nothing yet
    assert after[proposal] != pytest.approx(after[proposal.replace(*NAMES)], abs=1e-4)


def test_a_conversation_learns_facts(run: Path) -> None:
    conversation = Conversation(TrainedModel.load(run))
    for fact in FACTS:
        conversation.command(f"/fact {fact.text}")
    assert any(one.text.endswith(NAMES) for one in conversation.say("any idea", top=100))
