from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasksieve.dialogs.formats.babi import read_babi, read_sentences
from tasksieve.dialogs.simulate import KINDS, simulate
from tasksieve.dialogs.turn_kinds import TURN_KINDS, turn_kind

EXPECTED = {
    "api call": ["api_call italian paris six cheap"],
    "give information": [
        "here it is resto_rome_cheap_indian_6stars_phone",
        "here you go resto_rome_cheap_indian_6stars_1_address resto_rome_cheap_indian_6stars_1_parking",
        "here is the information you asked for resto_rome_cheap_indian_6stars_1_social_media",
    ],
    "propose option": [
        "what do you think of this option: resto_rome_cheap_indian_6stars",
        "is this one cool: resto_rome_cheap_indian_6stars_1",
        "may i suggest this option: resto_rome_cheap_indian_6stars_1",
    ],
    "answer facility": ["yes the hotel has a pool", "sorry the hotel serves no breakfast"],
    "ask for updates": ["sure is there anything else to update", "cool anything else you want to update"],
    "find another option": [
        "sure let me find an other option for you",
        "ok looking for something else",
        "sure finding something else",
        "yes sir i will look for another suitable option",
        "ok i'll look for a better option",
    ],
    "look for options": [
        "ok let me look into some options for you",
        "ok looking for options",
        "sure finding some options",
        "thank you madam i shall provide you with options shortly",
        "excellent sir please give me a moment to provide you with options",
    ],
    "ask cuisine": [
        "any preference on a type of cuisine",
        "what food are you looking for",
        "may i know your preference on the type of cuisine",
    ],
    "ask place": ["where should it be", "could you tell me where the restaurant should be located"],
    "ask party size": [
        "how many people would be in your party",
        "how many are you",
        "would you mind telling me how many guests shall be at your table",
    ],
    "ask price": [
        "which price range are looking for",
        "what should the price be",
        "would you mind telling me your price range",
    ],
    "ask nights": ["how long will you stay"],
    "ask arrival day": ["which day do you arrive"],
    "ask room": ["which room would you like"],
    "make reservation": [
        "great let me do the reservation",
        "awesome you are done",
        "cool its done",
        "excellent i will finalise your request",
        "great i'll finalise the request",
        "thank you i shall finish your reservation",
    ],
    "acknowledge request": [
        "i'm on it",
        "i'm on your request",
        "i'm processing the request",
        "be right back with your reservation",
        "give me a second for processing the reservation",
        "excellent sir i will start the request now",
        "thank you madam i shall start the reservation now",
    ],
    "anything else": ["is there anything i can help you with", "want anything else"],
    "greeting": ["hello what can i help you with today", "hey dude what is up"],
    "goodbye": ["you're welcome", "no problem", "happy to help"],
    "other": ["", "once upon a time", "api_call", "let me look", "sorry i did not get that"],
}

QUESTIONS = {
    "restaurant": ["ask cuisine", "ask place", "ask party size", "ask price"],
    "personalized-restaurant": ["ask cuisine", "ask place", "ask party size", "ask price"],
    "hotel": ["ask place", "ask nights", "ask arrival day", "ask room", "ask price"],
}
REQUEST = "greeting / acknowledge request( / ask [a-z ]+)* / look for options"
UPDATES = "( / ask for updates){1,3} / look for options / api call"
PROPOSALS = "( / propose option / find another option)* / propose option / make reservation"
ANSWERS = "( / give information| / answer facility){1,4}"
STAGES = {
    1: f"{REQUEST} / api call",
    2: f"{REQUEST} / api call{UPDATES} / goodbye",
    3: f"{REQUEST}{PROPOSALS}",
    4: f"greeting / make reservation{ANSWERS}",
    5: f"{REQUEST} / api call{UPDATES}{PROPOSALS}{ANSWERS} / anything else / goodbye",
}


@pytest.mark.parametrize(("kind", "response"), [(kind, each) for kind in EXPECTED for each in EXPECTED[kind]])
def test_kind_of_a_response(kind: str, response: str) -> None:
    assert turn_kind(response) == kind


def test_every_kind_is_documented_once() -> None:
    assert set(TURN_KINDS) == set(EXPECTED)
    assert len(TURN_KINDS) == len(set(TURN_KINDS))


@pytest.mark.parametrize("task", range(1, 6))
def test_every_response_of_dialog_babi_has_a_kind(data_dir: Path, task: int) -> None:
    (path,) = (data_dir / "dialog-bAbI-tasks").glob(f"*task{task}*-trn.txt")
    assert _unrecognised(path) == set()


@pytest.mark.parametrize("split", ["trn", "dev", "tst", "tst-OOV"])
def test_every_response_of_personalized_babi_has_a_kind(data_dir: Path, split: str) -> None:
    path = data_dir / "personalized-dialog-dataset" / "small" / f"personalized-dialog-task3-options-{split}.txt"
    assert _unrecognised(path) == set()


@pytest.mark.parametrize(
    "path",
    [
        "dialog-bAbI-tasks/dialog-babi-candidates.txt",
        "personalized-dialog-dataset/personalized-dialog-candidates.txt",
    ],
)
def test_every_published_candidate_has_a_kind(data_dir: Path, path: str) -> None:
    assert [text for text in read_sentences(data_dir / path) if turn_kind(text) == "other"] == []


def test_questions_follow_the_request_in_the_order_of_their_slots(data_dir: Path) -> None:
    for path in (data_dir / "personalized-dialog-dataset" / "small").glob("*-trn.txt"):
        for dialog in read_babi(path):
            kinds = [turn_kind(turn.system) for turn in dialog.turns]
            assert kinds[:2] == ["greeting", "acknowledge request"]
            search = kinds.index("look for options")
            assert kinds[2:search] == [kind for kind in QUESTIONS["restaurant"] if kind in kinds]
            assert re.fullmatch(PROPOSALS, "".join(f" / {kind}" for kind in kinds[search + 1 :]))


@pytest.mark.parametrize("task", range(1, 6))
@pytest.mark.parametrize("kind", KINDS)
def test_simulated_dialogs_go_through_the_stages_of_their_task(kind: str, task: int) -> None:
    asked = set()
    splits = simulate(kind, dialogs=40, seed=11, task=task)
    for dialog in [dialog for split in splits.values() for dialog in split]:
        kinds = [turn_kind(turn.system) for turn in dialog.turns]
        assert re.fullmatch(STAGES[task], " / ".join(kinds))
        questions = [each for each in kinds if each in QUESTIONS[kind]]
        assert questions == [each for each in QUESTIONS[kind] if each in questions]
        asked.add(len(questions))
    slots = len(QUESTIONS[kind])
    assert asked == {1: {*range(slots + 1)}, 2: {0}, 3: {*range(slots + 1)}, 4: {0}, 5: {*range(1, slots)}}[task]


def _unrecognised(path: Path) -> set[str]:
    return {turn.system for dialog in read_babi(path) for turn in dialog.turns if turn_kind(turn.system) == "other"}
