"""`tasksieve chat`: what is said and what is not, in words and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tasksieve.dialogs import Record
from tasksieve.training.runs.answers import NOTHING_TO_SAY, Answer, NothingToSay
from tasksieve.training.runs.fallback import Fallback
from tasksieve.training.runs.trained_model import TrainedModel
from tests.commands import Cli
from tests.unit.test_wordings import TEST, TRAINING, trained

CUSTOMER = next(event for event in TEST[0].events if isinstance(event, Record))
TALK = f"""Hi, I want to cancel my contract
/fact {CUSTOMER.text}

/fact opening hours are 9 to 5
/profile young
/help
/dance
/reset
hello
/quit
never"""
FALLBACK = "One moment, please."


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> TrainedModel:
    """A support desk's model that is never certain, in place of any run."""
    model = trained(TRAINING, "actions", 1.0)
    monkeypatch.setattr(TrainedModel, "load", lambda path, device="cpu": model)
    return model


@pytest.mark.parametrize("fallback", [(), ("--fallback", FALLBACK)])
def test_every_line_is_answered_by_one_line_of_json(cli: Cli, desk: TrainedModel, fallback: tuple[str, ...]) -> None:
    ended = cli("chat", "run", "--json", "--top", 2, *fallback, stdin=TALK)
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert len(found) == len(TALK.splitlines()) - 2
    said = [one for one in found if "user" in one]
    assert [one["user"] for one in said] == ["Hi, I want to cancel my contract", "", "hello"]
    told = {one["command"].split()[0]: one["message"] for one in found if "command" in one}
    assert list(told) == ["/fact", "/profile", "/help", "/dance", "/reset"]
    assert told["/fact"] == "taken as words; 2 facts and 2 turns so far"
    for first, *others in (one["answers"] for one in said):
        assert (first.get("fallback"), first["text"] == FALLBACK) == ((True, True) if fallback else (None, False))
        assert all(0 < other["certainty"] <= other["probability"] for other in others)
        assert all(other.get("withheld") == (True if fallback else None) for other in others)


def test_calls_are_objects_and_say_that_a_tool_is_next(
    cli: Cli, desk: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter(['api_call find {"city":"Rome"}', "Which city?"])
    monkeypatch.setattr(TrainedModel, "answer", lambda *given, **more: [Answer(next(said), 0.0, 1.0)])
    call, words = map(json.loads, cli("chat", "run", "--json", stdin="hello\nhm\n").out.splitlines())
    function = {"name": "find", "arguments": {"city": "Rome"}}
    assert call["answers"][0]["tool_calls"] == [{"id": "call_0_0", "type": "function", "function": function}]
    assert (call["waits_for"], words["waits_for"]) == ("tool", "user")
    assert "tool_calls" not in words["answers"][0]


@pytest.mark.parametrize("top", [1, 3])
def test_what_a_fallback_stands_for_does_not_read_as_said(cli: Cli, desk: TrainedModel, top: int) -> None:
    ended = cli("chat", "run", "--top", top, "--fallback", FALLBACK, stdin="Hi, I want to cancel my contract\n")
    fallback, why, *others = ended.out.splitlines()[3:]  # after the help
    assert fallback == f"     –  {FALLBACK}"
    assert why == "        not said, as 100.0% are needed:"
    assert 1 <= len(others) <= top


def test_when_the_fallback_is_said_can_be_set(cli: Cli, desk: TrainedModel) -> None:
    talk = ("chat", "run", "--json", "--fallback", FALLBACK)
    said = [
        json.loads(cli(*talk, "--fallback-below", below, stdin="hello\n").out)["answers"][0]["text"]
        for below in (0, 1)
    ]
    assert said[0] != FALLBACK and said[1] == FALLBACK
    alone = cli("chat", "run", "--fallback-below", 0.5, stdin="hello\n")
    assert alone.code == 2 and "give what is to be said with --fallback TEXT" in alone.err
    assert cli(*talk, "--fallback-below", 1.5, stdin="hello\n").code == 2


def test_a_fallback_that_would_never_be_said_is_told(
    cli: Cli, desk: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = replace(desk, threshold=0.0, fallback_note=Fallback(0.0, 0, 181).note)
    monkeypatch.setattr(TrainedModel, "load", lambda path, device="cpu": told)
    talk = ("chat", "run", "--json", "--fallback", FALLBACK)
    assert cli(*talk, stdin="hello\n").err.startswith("note: the fallback is said below a certainty of ")
    assert cli(*talk, "--fallback-below", 0.5, stdin="hello\n").err == ""
    assert cli(*talk[:-2], stdin="hello\n").err == ""


def test_help_tells_facts_as_the_run_has_them(cli: Cli, desk: TrainedModel) -> None:
    ended = cli("chat", "run", stdin="/help\n/fact\n")
    assert ended.out.count('/fact find_customer {"') == 3
    assert not any(word in ended.out for word in ("R_price", "resto", "pizza"))


def test_where_nothing_can_be_said_the_talk_goes_on(
    cli: Cli, desk: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = TrainedModel.answer

    def silent_once(self: TrainedModel, events: Any, user: str, **more: Any) -> Any:
        if user == "hm":
            raise NothingToSay(NOTHING_TO_SAY)
        return answer(self, events, user, **more)

    monkeypatch.setattr(TrainedModel, "answer", silent_once)
    ended = cli("chat", "run", stdin="hm\n/fact x y\nhello\n")
    assert ended.code == 0
    assert f"nothing is said: {NOTHING_TO_SAY}" in ended.out
    assert "taken as words; 1 fact so far" in ended.out
    first, _, third = map(json.loads, cli("chat", "run", "--json", stdin="hm\n/fact x y\nhello\n").out.splitlines())
    assert first == {"user": "hm", "answers": [], "message": NOTHING_TO_SAY}
    assert third["answers"]


def test_an_answer_keeps_its_line_where_no_terminal_breaks_it(cli: Cli, desk: TrainedModel) -> None:
    ended = cli("chat", "run", "--top", 50, stdin=f"/fact {CUSTOMER.text}\nyes please\n")
    shares = [line for line in ended.out.splitlines() if line[5:6] == "%"]
    assert max(map(len, shares)) > 80
    assert len(ended.out.splitlines()) == len(shares) + 4  # help and what came of the fact
