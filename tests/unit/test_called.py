"""Whether tools are called with the right values."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tasksieve.encoding.written import Written
from tasksieve.report.terminal import calls_sentence
from tasksieve.training.runs.called import Called, called
from tasksieve.training.runs.tool_calls import tool_calls

FIND = 'api_call find {"city":"Rome","day":"March 14th"}'


def test_calls_are_held_against_those_that_were_due() -> None:
    found = called(
        [
            ("Hello.", 'api_call find {"city":"Rome"}'),
            (FIND, 'api_call find {"day": "2019-03-14", "city": "rome"}'),
            (FIND, 'api_call find {"city":"Oslo","nights":2}'),
            (FIND, 'api_call book {"city":"Rome","day":"March 14th"}'),
            (FIND, "Which city?"),
            (FIND, None),
        ]
    )
    assert found == Called(5, 2, 1, {"city": 1, "day": 1, "nights": 1})
    assert called([("Hello.", None)]) == Called()


def test_values_of_one_name_and_without_names_are_told_apart_by_number() -> None:
    listed = 'api_call move {"ids":[12,14]}'
    assert called([(listed, 'api_call move {"ids":[12,15]}')]).wrong == {"ids 2": 1}
    assert called([("api_call italian rome six", "api_call italian paris six")]).wrong == {"2": 1}


def test_calls_are_told_in_a_sentence() -> None:
    def told(found: Called) -> str:
        return calls_sentence(
            {"due": found.due, "right_tool": found.right_tool, "right": found.right, "wrong": found.wrong}
        )

    assert told(Called()) == ""
    assert told(Called(1, 1, 1)) == (
        "Tools are to be called at 1 turn. The right ones are called at 1, with all arguments right at 1."
    )
    assert told(Called(9, 7, 5, {"card": 2})) == (
        "Tools are to be called at 9 turns. "
        "The right ones are called at 7, with all arguments right at 5; wrong: card (2)."
    )


BOTH = f'{FIND}\napi_call weather {{"city":"Rome"}}'


def test_a_call_too_few_or_too_many_is_no_wrong_argument() -> None:
    assert called([(BOTH, FIND)]) == Called(1, missing=1)
    assert called([(FIND, BOTH)]) == Called(1, extra=1)
    assert called([(FIND, f"{FIND}\n{FIND}")]) == Called(1, extra=1)
    assert called([(BOTH, 'api_call book {"city":"Rome"}')]) == Called(1)
    record = {"due": 4, "right_tool": 1, "right": 1, "wrong": {}, "missing": 1, "extra": 2}
    assert calls_sentence(record).endswith("; beside a right one 1 call missing and 2 too many.")


@given(st.permutations([("Rome", 2), ("Oslo", 3), ("Paris", 4)]))
def test_the_calls_of_a_turn_are_a_set(order: list[tuple[str, int]]) -> None:
    def answer(of: list[tuple[str, int]], *more: str) -> str:
        return "\n".join([*(f'api_call find {{"city":"{city}","nights":{n}}}' for city, n in of), *more])

    other = 'api_call weather {"city":"Rome"}'
    due = answer(sorted(order), other)
    assert called([(due, f"{other}\n{answer(order)}")]) == Called(1, 1, 1)
    off = [(city, 9 if city == "Oslo" else n) for city, n in order]
    assert called([(due, answer(off, other))]) == Called(1, 1, 0, {"nights": 1})


def test_calls_are_objects_for_programs() -> None:
    (first, second) = tool_calls(BOTH, 3)
    assert first == {
        "id": "call_3_0",
        "type": "function",
        "function": {"name": "find", "arguments": {"city": "Rome", "day": "March 14th"}},
    }
    assert (second["id"], second["function"]["name"]) == ("call_3_1", "weather")
    assert tool_calls("Which city?") == tool_calls("api_call italian rome six") == []
    assert tool_calls("api_call hours")[0]["function"] == {"name": "hours", "arguments": {}}
    damaged = tool_calls('api_call find {"city":"Rome","nights":2')[0]["function"]
    assert damaged == {"name": "find", "arguments": {"city": "Rome", "nights": "2"}}


@given(
    st.text() | st.sampled_from(['{"a":"\\\\ud83d"}', '{"a":1e999}', '{"a":NaN}', '{"a":' * 200, '{"a":"\\\\ud83d"'])
)
def test_whatever_a_call_holds_programs_can_read_it(arguments: str) -> None:
    for call in tool_calls(f"api_call find {arguments}"):
        assert isinstance(call["function"]["arguments"], dict)
        json.dumps(call, ensure_ascii=False, allow_nan=False).encode()


def test_dates_are_held_against_the_way_in_which_calls_have_them() -> None:
    said = 'api_call book {"date":"2026-12-15"}'
    answers = [(said, said), (said, 'api_call book {"date":"15.12."}')]
    assert called(answers).right == 2, "however they are written"
    assert called(answers, Written(dates={"date": "iso"})) == Called(2, 2, 1, {"date": 1})
