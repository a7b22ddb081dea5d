"""Actions in their best wording, and what is said when nothing suits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Act, Dialog, Turn
from tasksieve.encoding import Candidates, EncodedTask, Reader, Slots, Vocabulary, names_of, responses_of, slots_of
from tasksieve.encoding.wordings import Wording, Wordings, wordings_of
from tasksieve.errors import UserError
from tasksieve.records.config import config_from
from tasksieve.training.runs.answers import Answer, NothingToSay, or_fallback
from tasksieve.training.runs.conversation import Conversation
from tasksieve.training.runs.dialogs import build_model, train
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.fallback import Fallback, chosen, fallback_of, wrong_calls
from tasksieve.training.runs.foreign import count_foreign
from tasksieve.training.runs.trained_model import TrainedModel
from tests.desks import data_of_desks, write_desks
from tests.support_dialogs import support_dialogs, with_acts
from tests.unit.test_slots import strangers, told_by


def trained(training: list[Dialog], predict: str, threshold: float | None = None) -> TrainedModel:
    """A model that has learned nothing but what can be said."""
    names = names_of(training)[0]
    slots = slots_of(training, reserved=names.gaps())
    reader = Reader(names=names, predict=cast(Any, predict), slots=slots)
    readings = reader.read(training)
    vocabulary = Vocabulary.of(readings)
    candidates = {"primary": Candidates(responses_of(readings), vocabulary, placeholders=names.gaps())}
    wordings = wordings_of(readings) if predict == "actions" else Wordings()
    encoding = Encoding(vocabulary, candidates, 50, reader, wordings=wordings)
    config = config_from({"data": {"primary": "none", "valid": "none"}, "model": {"dim": 6}})
    return TrainedModel(build_model(config, len(vocabulary), candidates).eval(), encoding, threshold)


TRAINING = with_acts(support_dialogs(12, 1))
TEST = with_acts(support_dialogs(6, 2))


@pytest.mark.parametrize("predict", ["responses", "actions"])
def test_a_model_that_knows_nothing_still_gives_away_nothing(predict: str) -> None:
    model = trained(TRAINING, predict)
    answers = 0
    for dialog in TEST:
        for place, event in enumerate(dialog.events):
            if isinstance(event, Turn):
                for answer in model.answer(dialog.events[:place], event.user, top=50):
                    answers += 1
                    assert strangers(answer.text, Dialog(dialog.events[:place]), event.user) == []
                    assert bool(answer.action) == (predict == "actions")
                    assert "<" not in answer.text
    assert answers > 100
    found = count_foreign(model, TEST)
    assert (found.answers, found.foreign, found.unanswered) == (36, 0, 0)


def test_the_measure_finds_values_of_others_where_they_are_not_kept_back(monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained(TRAINING, "responses")
    monkeypatch.setattr(TrainedModel, "answer", lambda *_, **__: [Answer("Done, Anna, 48213", 0.0, 1.0)])
    found = count_foreign(model, TEST[:1])
    assert found.foreign == found.answers == 6 and "48213" in found.shown[0]


def test_the_right_action_is_worded_as_it_was_in_training() -> None:
    model = trained(TRAINING, "actions")
    events = TEST[0].events
    cancel = next(n for n, event in enumerate(events) if isinstance(event, Turn) and "cancel" in event.system[:20])
    right = events[cancel]
    assert isinstance(right, Turn)
    texts = {answer.action: answer.text for answer in model.answer(events[:cancel], right.user, top=50)}
    assert texts["call_cancel"] == right.system
    assert texts["request_customer"] == "What is your customer number?"


def test_the_nearest_wording_is_taken_and_the_next_one_where_it_cannot_be_filled() -> None:
    wordings = Wordings(
        [
            Wording("offer", "a cheap hotel", "", "The <name> is cheap."),
            Wording("offer", "something near the station", "", "One is near the station."),
        ]
    )
    slots = Slots({"name": ("name",)})
    reading = Reader(slots=slots).read_one(Dialog((Turn("a cheap hotel", "?"),)))
    near = wordings.nearest("offer", "which cheap hotel is there", "")
    assert [wording.template for wording in near] == ["The <name> is cheap.", "One is near the station."]
    said = wordings.said("offer", "a cheap hotel", "", reading.held, reading.entities, slots)
    assert said == "One is near the station."
    held = told_by(Turn("my name is Ann Lee", ""))
    assert wordings.said("offer", "a cheap hotel", "", held, reading.entities, slots) == "The Ann Lee is cheap."
    assert wordings.said("goodbye", "bye", "", held, reading.entities, slots) is None


def test_related_wordings_serve_only_where_the_task_has_none() -> None:
    def reading(*said: tuple[str, str]) -> Any:
        turns = (Turn("hi, 4711", text, acts=(Act(action),)) for action, text in said)
        return Reader(predict="actions", slots=Slots()).read_one(Dialog(tuple(turns)))

    found = wordings_of([reading(("greet", "Hello."))], [reading(("greet", "Yo."), ("goodbye", "See you, Jim Bo."))])
    assert [(wording.action, wording.template) for wording in found.wordings] == [
        ("goodbye", "See you, Jim Bo."),
        ("greet", "Hello."),
    ]
    assert found.wordings[1].user == "hi, <number>", "nobody's data are kept"


def test_wordings_are_kept_with_the_encoding(tmp_path: Path) -> None:
    model = trained(TRAINING, "actions")
    model.encoding.write(tmp_path / "encoding.json")
    read = Encoding.read(tmp_path / "encoding.json", "cpu")
    assert read.wordings == model.encoding.wordings and len(read.wordings)
    assert read.reader == model.encoding.reader
    value = json.loads((tmp_path / "encoding.json").read_text())
    for key, wrong in (("wordings", [{"action": "a"}]), ("wordings", 3), ("slots", {"kinds": 1})):
        (tmp_path / "wrong.json").write_text(json.dumps({**value, key: wrong}))
        with pytest.raises(UserError, match=f"{key}: found"):
            Encoding.read(tmp_path / "wrong.json", "cpu")


def test_a_conversation_remembers_the_actions_of_its_answers() -> None:
    conversation = Conversation(trained(TRAINING, "actions"))
    (first,) = conversation.say("Hi, I want to cancel my contract", top=1)
    turn = conversation._events[-1]
    assert isinstance(turn, Turn) and turn.system == first.text
    reading = conversation._trained.encoding.reader.read_one(Dialog((turn,)))
    assert reading.turns[0].response == first.action != ""


def test_a_fallback_is_said_where_the_best_answer_is_too_uncertain_or_there_is_none() -> None:
    def nothing() -> list[Answer]:
        raise NothingToSay("nothing")

    answers = [Answer("yes", 1.0, 0.6, certainty=0.4), Answer("no", 0.5, 0.4, certainty=0.3)]
    assert or_fallback(lambda: answers, "hm", 0.3) == answers == or_fallback(lambda: answers, None, 0.9)
    assert [answer.text for answer in or_fallback(lambda: answers, "hm", 0.5)] == ["hm", "yes", "no"]
    assert or_fallback(nothing, "hm", 0.5)[0].fallback
    with pytest.raises(NothingToSay):
        or_fallback(nothing, None, 0.5)
    with pytest.raises(UserError, match="leave --fallback out"):
        Conversation(trained(TRAINING, "actions"), "I do not know")
    conversation = Conversation(trained(TRAINING, "actions", 1.0), "I do not know")
    assert conversation.say("hello")[0].text == "I do not know"


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9]), st.booleans()), min_size=1, max_size=12))
def test_the_threshold_has_the_most_right_answers_minus_wrong_ones(turns: list[tuple[float, bool]]) -> None:
    probabilities = torch.tensor([probability for probability, _ in turns], dtype=torch.double)
    found = chosen(probabilities, torch.tensor([right for _, right in turns]))

    def gain(threshold: float) -> int:
        return sum(1 if right else -1 for share, right in turns if share >= threshold)

    best = max(gain(threshold) for threshold in (0.0, *probabilities.tolist(), 1.0))
    assert gain(found["threshold"]) == found["right"] - found["wrong"] == best
    assert found["right"] + found["wrong"] + found["unanswered"] == len(turns)
    assert found["threshold"] >= min(probabilities.tolist())  # nothing is known of answers that are less certain


def test_a_call_is_right_only_if_its_values_are() -> None:
    encoding = trained(TRAINING, "actions").encoding
    calls = [
        (number, turn)
        for number, dialog in enumerate(TEST)
        for turn, said in enumerate(dialog.turns)
        if said.system.startswith("api_call find_customer")
    ]
    words = [(0, next(turn for turn, said in enumerate(TEST[0].turns) if not said.system.startswith("api_call")))]
    readings = encoding.reader.read(TEST)
    assert wrong_calls(encoding, TEST, readings, [*words, *calls]) == set()
    other = [
        Dialog(
            tuple(
                replace(event, system='api_call find_customer {"customer":"C-000000"}')
                if isinstance(event, Turn) and event.system.startswith("api_call find_customer")
                else event
                for event in dialog.events
            )
        )
        for dialog in TEST
    ]
    assert wrong_calls(encoding, other, readings, [*words, *calls]) == set(range(1, len(calls) + 1))


def test_calls_with_wrong_values_count_as_wrong_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained(TRAINING, "actions")
    readings = model.encoding.reader.read(TEST)
    task = model.encoding.encode(readings)
    monkeypatch.setattr("tasksieve.training.runs.fallback.ranks", lambda scores, targets: torch.ones_like(targets))
    every, asked = fallback_of(model.model, task), list[tuple[int, int]]()

    def wrong(turns: list[tuple[int, int]]) -> set[int]:
        asked.extend(turns)
        return {0, 2}

    some = fallback_of(model.model, task, wrong)
    assert asked == [(example.dialog, example.turn) for example in task.examples]
    assert (every["right"], every["wrong"]) == (len(task), 0)
    assert some["right"] + some["unanswered"] >= len(task) - 2 and some["right"] < len(task)


def test_a_run_holds_the_calls_of_its_validation_dialogs_against_their_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desks, found = write_desks(tmp_path / "desks", 5, 1), dict[str, Any]()

    def every_call(model: Any, task: EncodedTask, wrong: Any) -> dict[str, Any]:
        calls = [(e.dialog, e.turn) for e in task.examples if e.system.startswith("api_call")]
        found.update(calls=len(calls), wrong=wrong(calls), words=wrong([(0, 0)]))
        return {"threshold": 0.5}

    monkeypatch.setattr("tasksieve.training.runs.dialogs.fallback_of", every_call)
    training = {"method": "primary", "iterations": 4, "evaluate_every": 4, "batch_size": 8}
    data = {**data_of_desks(desks), "related": []}
    train(config_from({"data": data, "training": training, "model": {"sentences": "bag-of-words"}}), tmp_path / "run")
    assert found["calls"] > 5 and len(found["wrong"]) < found["calls"] / 2
    assert found["words"] == set()


def test_a_threshold_that_withholds_nothing_is_said_with_how_to_set_it() -> None:
    old = Fallback.read({"threshold": 0.0, "right": 158, "wrong": 23, "unanswered": 0})
    assert old is not None and old.note == (
        "the fallback is said below a certainty of 0 %, where none of the 181 validation turns is, as even the least "
        "certain answers there are right more often than not; set when it is said with --fallback-below, between 0 "
        "and 1"
    )
    never = Fallback.read({"threshold": 1.0, "right": 0, "wrong": 0, "unanswered": 9})
    assert never is not None and "would be said at each of the 9 validation turns" in never.note
    usual = Fallback.read({"threshold": 0.7, "right": 5, "wrong": 1, "unanswered": 3})
    assert usual == Fallback(0.7, 3, 9) and usual.note == ""
    assert Fallback.read({"threshold": 0.5}) == Fallback(0.5) and Fallback(0.5).note == ""
    assert Fallback.read(None) is None and Fallback.read({}) is None
