"""The longest text that a server takes is searched for values in no time: nobody can keep it busy with one."""

from __future__ import annotations

import time

import pytest

from tasksieve.encoding.spoken_names import names_in
from tasksieve.encoding.values import values_in
from tasksieve.serve.asked import LONGEST

SECONDS = 5.0
"""Far more than a linear search takes on a busy machine, which is tenths of one."""
PIECES = (
    "4711 2233 ",
    "4.3. ",
    "3 May ",
    "am 4.3. ",
    "Ann Lee, ",
    "my name is ",
    "a-1/",
    "1.1.",
    "+49 ",
    " ",
    "x@y.",
    "x",
)


@pytest.mark.parametrize("piece", PIECES)
def test_a_long_text_of_one_kind_takes_no_time(piece: str) -> None:
    text = (piece * LONGEST)[:LONGEST]
    started = time.perf_counter()
    values_in(text)
    names_in(text)
    assert time.perf_counter() - started < SECONDS
