"""Signals end a command wherever they arrive."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tasksieve.cli.ending import Terminated, end_if_interrupted, obeying_signals
from tasksieve.cli.progress import RunBars
from tasksieve.records.progress import RunProgress


class Struck:
    """Is hit by a signal while it is deleted, where Python drops exceptions."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """As at a terminal; a shell has what it starts in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("number", "ending"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_in_a_finalizer_ends_the_work_at_its_next_report(number: int, ending: type[BaseException]) -> None:
    reached = []
    with pytest.raises(ending), RunBars() as bars, obeying_signals():
        Struck(number)
        reached.append("after")
        bars.watch("run", RunProgress(1, 2, 0.0))
        reached.append("reported")
    assert reached == ["after"]
    end_if_interrupted()


@pytest.mark.parametrize(("number", "ending"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_elsewhere_it_ends_at_once(number: int, ending: type[BaseException]) -> None:
    before = signal.getsignal(number)
    with pytest.raises(ending), obeying_signals():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_an_ignored_ctrl_c_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with obeying_signals():
            signal.raise_signal(signal.SIGINT)
            end_if_interrupted()
    finally:
        signal.signal(signal.SIGINT, before)
