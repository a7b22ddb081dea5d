"""Whether tools are called with the right values."""

from __future__ import annotations

from tasksieve.encoding.written import Written
from tasksieve.report.terminal import calls_sentence
from tasksieve.training.runs.called import Called, called

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
    assert told(Called(1, 1, 1)) == "1 call of tools due: 1 of the right tool, 1 with all arguments right."
    assert told(Called(9, 7, 5, {"card": 2})) == (
        "9 calls of tools due: 7 of the right tool, 5 with all arguments right; wrong: card (2)."
    )


def test_dates_are_held_against_the_way_in_which_calls_have_them() -> None:
    said = 'api_call book {"date":"2026-12-15"}'
    answers = [(said, said), (said, 'api_call book {"date":"15.12."}')]
    assert called(answers).right == 2, "however they are written"
    assert called(answers, Written(dates={"date": "iso"})) == Called(2, 2, 1, {"date": 1})
