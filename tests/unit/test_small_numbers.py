"""Small numbers in the wordings of actions: this conversation's are said, others only for want of any."""

from __future__ import annotations

import pytest

from tasksieve.dialogs import Record
from tasksieve.encoding.entities import KnownEntities
from tasksieve.encoding.held import Held
from tasksieve.encoding.names import Names
from tasksieve.encoding.slots import Slots
from tasksieve.encoding.wordings import Wording, Wordings


def heard(*utterances: str, records: int = 0) -> Held:
    held = Held()
    for utterance in utterances:
        held.hear(utterance)
    for number in range(records):
        held.tell(Record.of("Buses", {"fare": f"${20 + number}"}))
    return held


def worded(held: Held, *templates: str) -> str | None:
    """Of wordings that are equally near, the first that is said."""
    wordings = Wordings(Wording("confirm", "", "", template) for template in templates)
    return wordings.said("confirm", "", "", held, KnownEntities(Names()), Slots())


@pytest.mark.parametrize(
    ("held", "digit", "known"),
    [
        (heard("3 tickets please"), "3", True),
        (heard("three tickets please"), "3", True),
        (heard("two tickets please"), "3", False),
        (heard("it is just me"), "1", True),
        (heard("which buses", records=4), "4", True),
        (heard("which buses", records=4), "3", False),
        (heard("which buses", records=4), "10", False),
        (heard("which buses", records=10), "10", True),
        (heard("which buses"), "24", True),
        (Held(), "0", False),
    ],
)
def test_a_conversation_holds_a_small_number(held: Held, digit: str, known: bool) -> None:
    assert held.counts(digit) is known


def test_a_wording_with_somebody_elses_small_number_waits_for_others() -> None:
    with_three, without = "You need 3 tickets , right ?", "You need tickets , right ?"
    assert worded(heard("two of us"), with_three, without) == without
    assert worded(heard("three of us"), with_three, without) == with_three
    assert worded(heard("two of us"), with_three) == with_three


def test_parts_of_longer_values_are_no_small_numbers() -> None:
    for text in ("version 3.5", "the 3rd of them", "at 3:00", "room B-3"):
        assert worded(heard("3.5 at 3:00 in room B-3"), text, "something else") == text
