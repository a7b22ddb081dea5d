"""A call that the user has just refused is not made."""

from __future__ import annotations

import pytest

from tasksieve.dialogs import Act, Dialog, Turn
from tasksieve.encoding import Held, KnownEntities, Names, Reader, slots_of
from tasksieve.encoding.refusals import is_refusal
from tasksieve.encoding.wordings import wordings_of
from tests.unit.test_german import held_after, said

QUESTION = "Ich merke das für Eva Lang zur Abholung am 27.03.2026 vor. Ist das richtig?"


@pytest.mark.parametrize(
    ("answer", "made"),
    [
        ("ja", True),
        ("nein", False),
        ("Nein danke", False),
        ("nee, ich möchte das doch nicht", False),
        ("no", False),
        ("nein, Hausnummer 153", False),
        ("nein, am 2.4.", True),
        ("kein Problem, ja", True),
    ],
)
def test_a_call_that_was_just_asked_for_is_not_made_after_a_no(answer: str, made: bool) -> None:
    asked = ("Auf welchen Namen?", "Und Ihre Anschrift?", "An welchem Tag?", QUESTION)
    held = held_after("Eva Lang", "Schloßstraße 12", "hm", "morgen", answer, answers=asked)
    assert (said("reserve", held, answer) is not None) == made


def test_a_call_after_a_no_is_made_where_training_has_one() -> None:
    anything = "Ich sende es an Eva Lang. Noch etwas?"
    call = 'api_call send {"name": "Eva Lang"}'
    dialogs = [
        Dialog((Turn("Eva Lang", anything, acts=(Act("ask"),)), Turn("nein danke", call, acts=(Act("send"),))))
    ] * 2
    slots = slots_of(dialogs)
    wordings = wordings_of(Reader(predict="actions", slots=slots).read(dialogs))
    held = Held()
    held.hear("Eva Lang")
    held.answer(anything)
    held.hear("nein")
    assert wordings.said("send", "nein", anything, held, KnownEntities(Names()), slots) == call


@pytest.mark.parametrize("text", ["no", "Nein danke!", "no, I don't want that", "nee lass mal", "stop"])
def test_a_no_is_told(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text", ["yes", "no, the 14th", "nein, am 13.", "no problem", "no, that is right", "", "<SILENCE>"]
)
def test_more_than_a_no_is_none(text: str) -> None:
    assert not is_refusal(text)
