"""What an utterance mentions, and the state of a dialog in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Act, Dialog, Record, Turn
from tasksieve.encoding import Reader
from tasksieve.encoding.mentions import mentions_in
from tasksieve.encoding.state import DialogState
from tasksieve.encoding.vocabulary import ACTION_NUMBER, STATE_NUMBER, SYSTEM_NUMBER, USER_NUMBER, Vocabulary

KINDS = {
    "on March 7th": {"date": 2},
    "the day after tomorrow": {"date": 2},
    "2024-05-01 or 1/2/2024": {"date": 2},
    "at 10:30 am": {"time": 1},
    "half past two": {"time": 1, "number": 1},
    "in the evening": {"time": 1},
    "about $30 or 40 euros": {"amount": 2},
    "£1,299.50 in all": {"amount": 1},
    "two of us, 3 rooms": {"number": 2},
    "mail jo@example.org": {"address": 1},
    "see https://example.org/x": {"address": 1},
    "the Grand Hotel in Rome": {"name": 2, "place-to": 1},
    "leaving from Fresno": {"name": 1, "place-from": 1},
    "is it cheap?": {"question": 1},
    "Yes, that is great": {"yes": 1},
    "no, I don't": {"no": 1},
    "thanks a lot": {"thanks": 1},
    "": {},
}
KNOWN = {kind for kinds in KINDS.values() for kind in kinds}


@pytest.mark.parametrize("utterance", KINDS)
def test_the_kinds_of_value_are_told_by_their_form(utterance: str) -> None:
    assert mentions_in(utterance) == KINDS[utterance]


def test_a_date_a_time_or_an_amount_is_no_number_besides() -> None:
    assert mentions_in("March 7th at 10:30 for $5")["number"] == 0
    assert mentions_in("March 7th at 10:30 for 5")["number"] == 1


def test_what_starts_a_sentence_is_no_name() -> None:
    assert "name" not in mentions_in("Please. Hurry! I'm late")
    assert mentions_in("i want Pizza Hut")["name"] == 1


@given(st.text(max_size=80))
def test_any_text_has_known_kinds_alone_and_all_of_them_count(text: str) -> None:
    found = mentions_in(text)
    assert found.keys() <= KNOWN
    assert all(count > 0 for count in found.values())


def test_a_dialog_starts_with_nothing() -> None:
    assert DialogState().words({}) == "last:nothing result:none"


def test_the_state_tells_last_and_earlier_actions_and_what_was_heard_now_and_ever() -> None:
    state = DialogState()
    state.hear("to Rome on Monday")
    state.act("request_time")
    state.hear("for two people")
    state.act("confirm offer")
    state.hear("no, thanks")
    words = state.words({})
    assert words.split() == [
        *("last:confirm", "last:offer"),
        *("done:request_time", "done:confirm", "done:offer"),
        *("now:no", "now:thanks"),
        *("heard:place-to", "heard:date", "heard:name", "heard:number", "heard:no", "heard:thanks"),
        "result:none",
    ]
    assert words == state.words({}), "to look is to change nothing"


def test_counts_end_at_three() -> None:
    state = DialogState()
    for _ in range(5):
        state.hear("one two")
    assert [word for word in state.words({}).split() if word.startswith("heard")] == [
        "heard:number",
        "heard:number:2",
        "heard:number:3",
    ]


@pytest.mark.parametrize(
    ("came", "word"),
    [({}, "none"), ({"Buses": 0}, "0"), ({"Buses": 1, "Trains": 1}, "2"), ({"Buses": 40}, "3")],
)
def test_results_of_tools_are_counted(came: dict[str, int], word: str) -> None:
    assert DialogState().words(came).split()[-1] == f"result:{word}"


def test_the_state_is_remembered_for_its_turn_alone() -> None:
    dialog = Dialog(
        (
            Turn("to Rome", "when", acts=(Act("request", "date"),)),
            Record.of("Buses", {"fare": "3"}),
            Turn("on Monday", "here it is", acts=(Act("offer"),)),
        )
    )
    reading = Reader(predict="actions").read_one(dialog)
    states = [
        [line.seen for line in reading.memory(turn) if line.seen.startswith("<state>")] for turn in reading.turns
    ]
    assert [len(lines) for lines in states] == [1, 1]
    assert "result:none" in states[0][0]
    assert "result:1" in states[1][0]
    assert not any(line.seen.startswith("<state>") for line in reading.lines)
    plain = Reader().read_one(dialog)
    assert not any("<state>" in line.seen for turn in plain.turns for line in plain.memory(turn))


def test_words_that_lead_memories_have_fixed_numbers() -> None:
    dialog = Dialog((Turn("aaa", "when", acts=(Act("request", "date"),)), Turn("zzz", "ok", acts=(Act("bye"),))))
    words = Vocabulary.of(Reader(predict="actions").read([dialog])).words
    assert (words[USER_NUMBER], words[SYSTEM_NUMBER]) == ("<user>", "<system>")
    assert (words[STATE_NUMBER], words[ACTION_NUMBER]) == ("<state>", "<action>")
    assert list(words[6:]) == sorted(words[6:])
    assert {"request_date", "request", "date"} <= set(words), "an action is spelled in parts"
    plain = Vocabulary.of(Reader().read([dialog])).words
    assert plain[:4] == words[:4]
    assert list(plain[4:]) == sorted(plain[4:]), "without actions no number is kept for them"
    assert "request_date" not in plain
