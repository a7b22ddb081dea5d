"""What has changed between two records of files is told: which, what was there before, and what is there now."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasksieve.records.changed_files import changed_files

RECORDS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["1" * 64, "2" * 64]))


def test_changed_new_and_missing_files_are_told_apart() -> None:
    before = {"a": "1" * 64, "b": "2" * 64, "c": "3" * 64}
    now = {"a": "4" * 64, "b": "2" * 64, "d": "5" * 64}
    told = "a has changed (SHA-256 111111111111… then and 444444444444… now), d is new, c is gone"
    assert changed_files(before, now) == told
    assert changed_files({}, dict.fromkeys("abcde", "6" * 64)) == "a is new, b is new, c is new, and 2 more"
    assert changed_files({"a": None}, {"a": "6" * 64}).startswith("a has changed (SHA-256 None… then")


@given(RECORDS, RECORDS)
def test_nothing_is_told_of_equal_records_alone(before: dict[str, str], now: dict[str, str]) -> None:
    assert (changed_files(before, now) == "") == (before == now)
