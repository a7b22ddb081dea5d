"""What is asked of the server: turns and facts, chat messages, actions, and a fallback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tasksieve.dialogs import Dialog, Record, Turn
from tasksieve.encoding.sentences import CachedEncoder
from tasksieve.errors import UserError
from tasksieve.serve.app import create_app
from tasksieve.serve.asked import LONGEST
from tasksieve.serve.responder import Responder
from tasksieve.serve.talk import talk_routes
from tasksieve.training.runs.answers import NothingToSay
from tasksieve.training.runs.fallback import Fallback
from tasksieve.training.runs.trained_model import TrainedModel
from tests.unit.test_pretrained_cache import Counting
from tests.unit.test_slots import strangers
from tests.unit.test_wordings import TEST, TRAINING, trained

BASE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def client(run: Path) -> Iterator[TestClient]:
    with TestClient(create_app(run), base_url=BASE) as client:
        yield client


def ask(client: TestClient, **asked: Any) -> Any:
    answer = client.post("/api/respond", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, **asked: Any) -> str:
    answer = client.post("/api/respond", json=asked)
    assert answer.status_code == 422, answer.text
    return str(answer.json()["error"])


CALL = {"function": {"name": "find", "arguments": '{"city":"Rome"}'}, "id": "1", "type": "function"}
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "profile: male young\nYou are kind."},
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "1", "content": '{"name": "Inn", "price": 12}'},
]


def test_chat_messages_are_answered_as_the_same_turns_and_facts(client: TestClient) -> None:
    events = [
        {"fact": "You are kind."},
        {"user": "hello", "system": 'api_call find {"city":"Rome"}'},
        {"fact": {"name": "Inn", "price": 12}, "kind": "find"},
    ]
    assert ask(client, messages=MESSAGES) == ask(client, events=events, profile="male young")
    more = [*MESSAGES, {"role": "user", "content": [{"type": "text", "text": "which one"}]}]
    assert ask(client, messages=more) == ask(client, events=events, profile="male young", user="which one")
    assert ask(client, messages=more) != ask(client, messages=MESSAGES)


def test_what_cannot_be_read_is_refused_in_one_sentence(client: TestClient) -> None:
    assert "give one of them" in refused(client, messages=MESSAGES, user="hi")
    assert "message 1: found role 'pope'" in refused(client, messages=[{"role": "pope", "content": "x"}])
    long = refused(client, messages=[{"role": "user", "content": "x" * (LONGEST + 1)}])
    assert long == "messages: 'content' of message 1 has 20,001 characters; at most 20,000 are read"
    called = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "x" * LONGEST}}
    calls = refused(
        client, messages=[{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [called]}]
    )
    assert "'tool_calls' of message 2 has 20," in calls
    hostile = refused(client, messages=[{"role": "user", "content": "x", "\n<b>\x07": "x" * (LONGEST + 1)}])
    assert r"'\n<b>\x07' of message 1 has 20,001" in hostile
    tool = refused(client, messages=[*MESSAGES[:3], {"role": "tool", "content": "x" * (LONGEST + 1)}])
    assert "'content' of message 4 has 20,001 characters; at most 20,000" in tool
    assert "a fact has 20,001 characters" in refused(client, events=[{"fact": "x" * (LONGEST + 1)}])
    assert "a fact has" in refused(client, events=[{"fact": {"a": "x" * LONGEST}}])
    assert "a fact is empty" in refused(client, events=[{"fact": {}}])
    deep: Any = "x"
    for _ in range(30):
        deep = {"a": deep}
    assert "nested more than" in refused(client, events=[{"fact": deep}])
    assert ask(client, events=[{"fact": "x" * LONGEST}])["memories"]


def test_a_dialog_with_a_long_message_goes_on(client: TestClient) -> None:
    email = "Dear library, I have lost my card.\n" * (LONGEST // 36)
    assert len(email) > 19_000
    history = [{"role": "user", "content": email}, {"role": "assistant", "content": "I see."}]
    assert ask(client, messages=[*history, {"role": "user", "content": "so?"}])["response"]
    assert ask(client, events=[{"user": email, "system": "I see."}], user="so?")["response"]


def test_a_list_of_records_is_as_many_facts(client: TestClient) -> None:
    rooms = [{"room": "Aula", "seats": 44}, {"room": "2B", "seats": 9}]
    apart = [{"fact": room, "kind": "find_room"} for room in rooms]
    assert ask(client, events=[{"fact": f"find_room {json.dumps(rooms)}"}]) == ask(client, events=apart)


@pytest.fixture(scope="module")
def desk() -> TestClient:
    app = FastAPI()
    app.include_router(talk_routes(Responder(trained(TRAINING, "actions", 1.0), None, "I do not know.")))
    return TestClient(app)


def test_actions_are_answered_with_their_wordings_and_nobody_elses_data(desk: TestClient) -> None:
    said = 0
    for dialog in TEST:
        events: list[dict[str, Any]] = []
        for place, event in enumerate(dialog.events):
            if not isinstance(event, Turn):
                events.append({"fact": event.text})
                continue
            asked = {"events": events, "user": event.user, "top": 9}
            for path in ("/api/respond", "/api/rank"):
                for one in desk.post(path, json=asked).json()["candidates"]:
                    said += 1
                    assert strangers(one["text"], Dialog(dialog.events[:place]), event.user) == []
                    assert bool(one["action"]) != one["fallback"]
            events.append({"user": event.user, "system": event.system, "action": "confirm"})
    assert said > 200
    found = desk.post("/api/respond", json={"user": "hello"}).json()
    assert (found["response"], found["action"]) == ("I do not know.", "")


def test_the_number_of_candidates_changes_none_of_them(desk: TestClient) -> None:
    told = next(event for event in TEST[0].events if isinstance(event, Record))
    for user in ("hello", "yes please", "my number is 4711"):
        asked_for = {"events": [{"fact": told.text}], "user": user}
        asked = [desk.post("/api/respond", json={**asked_for, "top": top}).json() for top in (1, 2, 3, 9)]
        every = asked[-1]["candidates"]
        assert len({one["text"] for one in every}) == len(every) > 2
        assert all(0 < one["certainty"] <= one["probability"] for one in every[1:])  # after the fallback
        for found in asked:
            assert found["candidates"] == every[: len(found["candidates"])]


def test_calls_are_told_apart_from_words_and_can_be_sent_back(desk: TestClient) -> None:
    call = 'api_call find {"city":"Rome","nights":2}'
    candidates = [f'{call}\napi_call weather {{"city":"Rome"}}', "Which city?"]
    asked = {"messages": [{"role": "user", "content": "hello"}], "candidates": candidates}
    ranked = {one["text"]: one for one in desk.post("/api/rank", json=asked).json()["candidates"]}
    calls = ranked[candidates[0]]["tool_calls"]
    assert [one["function"] for one in calls] == [
        {"name": "find", "arguments": {"city": "Rome", "nights": 2}},
        {"name": "weather", "arguments": {"city": "Rome"}},
    ]
    assert ranked[candidates[1]]["tool_calls"] == []
    back = {"role": "assistant", "content": None, "tool_calls": calls}
    told = [{"role": "tool", "tool_call_id": one["id"], "content": '{"city": "Rome"}'} for one in calls]
    sent = [*asked["messages"], back, *told]
    events = [
        {"user": "hello", "system": candidates[0], "action": "call_find call_weather"},
        {"fact": {"city": "Rome"}, "kind": "find"},
        {"fact": {"city": "Rome"}, "kind": "weather"},
    ]
    assert ask(desk, messages=sent) == ask(desk, events=events)


@pytest.mark.parametrize(("text", "waits"), [("api_call find {}", "tool"), ("Which city?", "user")])
def test_an_answer_says_whom_it_waits_for(text: str, waits: str) -> None:
    app = FastAPI()
    app.include_router(talk_routes(Responder(trained(TRAINING, "actions", 0.0), [text])))
    found = TestClient(app).post("/api/respond", json={"user": "hello"}).json()
    assert (found["waits_for"], bool(found["tool_calls"])) == (waits, waits == "tool")


def test_values_and_names_are_not_called_unknown(desk: TestClient) -> None:
    said = "Card L777123 zzz, until 14:30 on 3 May 2027. My name is Zed Quux, zed@quux.org."
    assert desk.post("/api/respond", json={"user": said}).json()["unknown_words"] == ["card", "zzz,", "until"]
    known = {"fact": {"name": "Quax quux"}, "kind": "find_customer"}
    found = desk.post("/api/respond", json={"events": [known], "user": "zzz quax quux"}).json()
    assert found["unknown_words"] == ["zzz"]


def test_given_candidates_with_values_of_others_are_ranked_and_never_said() -> None:
    known, other = TEST[0], TEST[1]
    of_other = next(event for event in other.events if isinstance(event, Record))
    mine, theirs = (dict(of.events[2].flat())["name"] for of in (known, other))  # type: ignore[union-attr]
    assert of_other.kind == "find_customer" and mine != theirs
    texts = [f"Hello {theirs}, all is done.", f"Hello {mine}, all is done.", "What is your customer number?"]
    app = FastAPI()
    app.include_router(talk_routes(Responder(trained(TRAINING, "actions", 1.0), texts)))
    client = TestClient(app)
    asked = {"events": [{"fact": known.events[2].text}], "user": "hello"}  # type: ignore[union-attr]
    said = client.post("/api/respond", json=asked).json()["candidates"]
    assert {one["text"] for one in said} == set(texts[1:])
    assert sum(one["probability"] for one in said) == pytest.approx(1)
    for more in ({}, {"candidates": texts}):
        ranked = client.post("/api/rank", json={**asked, **more}).json()["candidates"]
        assert {one["text"]: one["foreign"] for one in ranked} == {texts[0]: True, texts[1]: False, texts[2]: False}


def test_where_every_given_candidate_has_values_of_others_the_fallback_is_said() -> None:
    texts = ["Hello Otto Quast, your meter is M-111222."]
    with pytest.raises(NothingToSay, match="every candidate holds a value"):
        Responder(trained(TRAINING, "actions", 1.0), texts).respond([], "hello", (), 5)
    (said,) = Responder(trained(TRAINING, "actions", 1.0), texts, "One moment.").respond([], "hi", (), 5).candidates
    assert (said.text, said.fallback) == ("One moment.", True)


def test_a_fallback_needs_a_run_that_says_when_to_use_it(run: Path) -> None:
    assert Responder.load(run, fallback="I do not know.")
    with pytest.raises(UserError, match="train again, give it with --fallback-below, or leave --fallback out"):
        Responder(trained(TRAINING, "actions"), None, "I do not know.")


def test_a_server_says_that_a_fallback_would_never_be_said_unless_it_is_set(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = Fallback(0.0, 0, 181).note
    never = replace(TrainedModel.load(run), threshold=0.0, fallback_note=note)
    monkeypatch.setattr(TrainedModel, "load", lambda path, device="cpu": never)
    with TestClient(create_app(run, fallback="One moment."), base_url=BASE) as client:
        found = client.get("/api/run").json()
        assert (found["threshold"], found["fallback_note"]) == (0.0, note)
        assert not ask(client, user="hello")["candidates"][0]["fallback"]
    with TestClient(create_app(run, fallback="One moment.", fallback_below=1.0), base_url=BASE) as client:
        found = client.get("/api/run").json()
        assert (found["threshold"], found["fallback_note"]) == (1.0, "")
        assert ask(client, user="hello")["candidates"][0]["fallback"]


def test_a_server_loads_the_sentence_encoder_before_the_first_question(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):  # what is in the cache does not load it
        counting, model = Counting(), trained(TRAINING, "actions", 1.0)
        cached = CachedEncoder(counting, tmp_path, 1 << 20)
        ready = replace(model, encoding=replace(model.encoding, encoder=cached))
        monkeypatch.setattr(TrainedModel, "load", lambda path, device="cpu", ready=ready: ready)
        Responder.load(run)
        assert len(counting.embedded) == 1
