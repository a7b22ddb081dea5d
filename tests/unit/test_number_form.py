"""What numbers of a gap look like: it is kept as JSON, and runs that kept it in three places are read as before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.encoding.gap_types import GapType
from tasksieve.encoding.newest import Newest
from tasksieve.encoding.number_form import NumberForm

NUMBERS = st.from_regex(r"\A(?:[A-Z]{1,3}-?)?[0-9]{2,8}(?:[-/.][0-9]{1,4})?\Z")


@given(st.lists(NUMBERS, min_size=1, max_size=6), st.lists(NUMBERS, max_size=2))
def test_a_form_may_be_what_it_is_of_and_is_kept(values: list[str], called: list[str]) -> None:
    form = NumberForm.of(values, called)
    assert all(map(form.may_be, values))
    assert all(form.may_be(value, date=True) for value in values)
    assert NumberForm.read(form.plain()) == form


@given(st.lists(NUMBERS, min_size=1, max_size=2))
def test_less_than_three_numbers_say_nothing_of_letters(values: list[str]) -> None:
    form = NumberForm.of(values, values)
    assert form.letters is None and not form.tells and not form.pattern


def test_digits_signs_and_shapes_of_older_runs_are_one_form_a_gap() -> None:
    older = {
        "prefers": {"order": True},
        "digits": {"order": [9, 9], "people": [1, 2], "date": [3, 4]},
        "signs": {"date": "/"},
        "written": {"shapes": {"order": ["rt", 9, "RT-9999-99999"]}, "dates": {"date": "iso"}},
    }
    newest = Newest.read(older)
    assert newest.prefers == {"order": True} and newest.written.dates == {"date": "iso"}
    assert newest.written.numbers == {
        "order": NumberForm(9, 9, letters="rt", pattern="RT-9999-99999"),
        "people": NumberForm(1, 2),
        "date": NumberForm(3, 4, signs="/", signed=True),
    }
    assert newest.written.numbers["order"].put("rt-2026-33333") == "RT-2026-33333"
    assert [newest.written.tells(base) for base in ("order", "people", "other")] == [True, False, False]
    assert newest.written.may_be("date", "6839") and not newest.written.may_be("date", "6839", date=True)
    assert Newest.read(newest.plain()) == newest
    assert Newest.read({"prefers": {}, "digits": {"card": [6, 8]}}).written.numbers == {"card": NumberForm(6, 8)}


@pytest.mark.parametrize(("signed", "taken"), [(True, True), (False, False)])
def test_types_of_older_runs_are_read(signed: bool, taken: bool) -> None:
    kind = GapType.read({"said": True, "form": [9, 9, "rt", signed]})
    assert kind.takes("RT-2026-33333", "number") and not kind.takes("XY-2026-33333", "number")
    assert kind.takes("RT-2026.33333", "number") is taken
    assert GapType.read(kind.plain()) == kind


@pytest.mark.parametrize("wrong", [[], {}, {"digits": [1]}, {"digits": [1, 2], "shape": ""}, {"digits": ["a", 2]}])
def test_what_is_no_form_is_refused(wrong: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        NumberForm.read(wrong)
