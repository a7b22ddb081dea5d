"""What a worker on Ray sends of how far its run is."""

from __future__ import annotations

import pytest

from tasksieve.experiments import ray_workers
from tasksieve.experiments.ray_workers import _reporter
from tasksieve.records.progress import RunProgress


class Sent(list[tuple[str, RunProgress]]):
    """Stands in for Ray's queue."""

    def put(self, one: tuple[str, RunProgress]) -> None:
        self.append(one)


def test_of_many_reports_at_once_the_first_and_the_last_are_sent() -> None:
    sent = Sent()
    tell = _reporter(sent)
    for step in range(1000):
        tell("a run", RunProgress(step, 1000, 0.0))
    tell("a run", RunProgress(1000, 1000, 50.0, ended=True))
    assert [report.step for _, report in sent] == [0, 1000]
    assert sent[-1][1].ended


def test_reports_half_a_second_apart_are_all_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.0, 0.6, 0.7, 1.2])
    monkeypatch.setattr(ray_workers, "monotonic", lambda: next(seconds))
    sent = Sent()
    tell = _reporter(sent)
    for step in range(4):
        tell("a run", RunProgress(step, 1000, 0.0))
    assert [report.step for _, report in sent] == [0, 1, 3]
