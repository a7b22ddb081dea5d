"""A worker that was told to stop begins no run."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Queue

import pytest

from tasksieve.experiments import workers
from tasksieve.records.progress import RunProgress, Watch


def _done(job: workers.Job, watch: Watch) -> None:
    watch(job.name, RunProgress(1, 1, 0.0, ended=True))


def test_a_worker_that_was_told_to_stop_begins_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, reports = threading.Event(), Queue[object]()
    for name, value in {"stop": stop, "reports": reports}.items():
        monkeypatch.setitem(workers._shared, name, value)
    job = workers.Job("one", Path("one"), lambda watch: None, dict)
    workers._do_in_process(_done, job)
    assert reports.qsize() == 1
    stop.set()
    with pytest.raises(workers.Stopped):
        workers._do_in_process(lambda job, watch: pytest.fail("a run was begun"), job)
    assert reports.qsize() == 1
