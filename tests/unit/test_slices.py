"""Runs in slices: each is done once, whoever does it, and ends with the same bytes as in one process."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.errors import Unfinished, UserError
from tasksieve.experiments import slices
from tasksieve.experiments.compare import Plan, compare
from tasksieve.experiments.ray_workers import RayJobs
from tasksieve.experiments.runner import runner
from tasksieve.experiments.slices import SliceJobs, in_turn
from tasksieve.experiments.workers import Job, run_jobs
from tasksieve.records.lock import FolderLock, claimed
from tasksieve.records.progress import RunProgress, Watcher
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.divergence import Diverged
from tests.commands import call, small_options
from tests.reliability.victims import left, start
from tests.small import small_config

RUNS = ("primary-6-0", "primary-6-1", "learned-6-0", "learned-6-1")


def plan(tasks: Path, out: Path) -> Plan:
    config = small_config(tasks, "restaurant", training={"iterations": 8})
    return Plan(config, str(tasks / "primary"), ("primary", "learned"), (), 2, out)


def quiet(name: str, report: RunProgress) -> None:
    pass


@pytest.fixture(scope="module")
def alone(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The comparison by one process, undisturbed."""
    out = tmp_path_factory.mktemp("alone")
    compare(plan(tasks_dir, out), 1, quiet)
    return out


def assert_alike(out: Path, alone: Path) -> None:
    assert (out / "comparison.json").exists()
    for name in RUNS:
        one, other = left(out / "runs" / name), left(alone / "runs" / name)
        assert one.keys() == other.keys()
        assert [file for file in one if one[file] != other[file]] == [], name


def job_named(name: str) -> Job:
    return Job(name, Path(name), lambda watch: None, dict)


@given(st.integers(0, 30), st.integers(1, 8), st.data())
def test_every_slice_goes_through_all_jobs_and_through_its_own_first(total: int, count: int, data: Any) -> None:
    jobs = [job_named(str(number)) for number in range(total)]
    firsts = []
    for number in range(1, count + 1):
        ordered = in_turn(jobs, number, count)
        assert sorted(map(jobs.index, ordered)) == list(range(total))
        firsts += ordered[: len(jobs[number - 1 :: count])]
    assert sorted(map(jobs.index, firsts)) == list(range(total))
    if count == 2:
        one, two = in_turn(jobs, 1, 2), in_turn(jobs, 2, 2)
        assert [job.name for job in one[len(jobs[::2]) :]] == [job.name for job in two[: len(jobs[1::2])][::-1]]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "/2", "a/b", "-1/2", "1/2/3", "²/3"])
def test_what_is_no_slice_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--slice: found"):
        SliceJobs.of(text)


def test_options_choose_who_does_the_runs() -> None:
    assert runner() is run_jobs
    assert runner(part="2/8") == SliceJobs(2, 8)
    assert (runner("local"), runner("auto")) == (RayJobs(None), RayJobs("auto"))
    with pytest.raises(UserError, match=r"--ray shares the runs out by itself; leave --slice out"):
        runner("local", "1/2")


def work_slice(tasks: Path, out: Path, number: int, count: int, workers: int) -> None:
    """One slice, in a process of its own; a code of 7 if it leaves runs to others."""
    try:
        compare(plan(tasks, out), workers, quiet, SliceJobs(number, count))
    except Unfinished:
        os._exit(7)


def test_two_slices_at_once_leave_what_one_process_leaves(tasks_dir: Path, tmp_path: Path, alone: Path) -> None:
    both = [start(work_slice, tasks_dir, tmp_path, number, 2, 1) for number in (1, 2)]
    for one in both:
        one.join()
    assert {one.exitcode for one in both} in ({0}, {0, 7})
    assert_alike(tmp_path, alone)


def work_and_die(tasks: Path, out: Path, name: str) -> None:
    """The first slice, in a process that is killed in the middle of a run."""

    def watch(run: str, report: RunProgress) -> None:
        if run == name:
            os.kill(os.getpid(), signal.SIGKILL)

    compare(plan(tasks, out), 1, watch, SliceJobs(1, 2))


def test_the_run_of_a_killed_slice_is_taken_up_by_another(tasks_dir: Path, tmp_path: Path, alone: Path) -> None:
    victim = start(work_and_die, tasks_dir, tmp_path, "learned-6-0")
    victim.join()
    assert victim.exitcode == -signal.SIGKILL
    assert (tmp_path / "runs" / "learned-6-0" / "config.toml").exists()
    assert not (tmp_path / "comparison.json").exists()
    found = compare(plan(tasks_dir, tmp_path), 1, quiet, SliceJobs(2, 2))
    assert len(found.rows) == 2
    assert_alike(tmp_path, alone)


def test_a_slice_with_two_workers_leaves_the_same(tasks_dir: Path, tmp_path: Path, alone: Path) -> None:
    compare(plan(tasks_dir, tmp_path), 2, quiet, SliceJobs(2, 2))
    assert_alike(tmp_path, alone)


def test_a_run_that_is_held_is_left_to_its_holder(tasks_dir: Path, tmp_path: Path, alone: Path) -> None:
    seen: set[str] = set()
    with (
        claimed(tmp_path / "runs" / "learned-6-1") as mine,
        pytest.raises(Unfinished, match=r"3 of 4 runs are done .* whoever finds all of them done writes the table"),
    ):
        assert mine
        compare(plan(tasks_dir, tmp_path), 1, lambda name, _: seen.add(name), SliceJobs(2, 2))
    assert seen == set(RUNS) - {"learned-6-1"}
    assert not (tmp_path / "comparison.json").exists()
    compare(plan(tasks_dir, tmp_path), 1, quiet)  # the same command without --slice
    assert_alike(tmp_path, alone)


def diverge(watch: Watcher) -> object:
    raise Diverged(3, "primary", "the loss")


def finish(path: Path, watch: Watcher) -> None:
    RunFolder(path).write_record("result", {})


def test_a_run_that_diverges_stops_no_other(tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(3)]
    jobs = [Job(path.name, path, partial(finish, path), dict) for path in paths]
    for number in (1, 2):  # who comes later finds out too
        found = SliceJobs(number, 2)([replace(jobs[0], train=diverge), *jobs[1:]], 1, quiet)
        assert [(name, str(error)) for name, error in found.items()] == [
            ("0", str(Diverged(3, "primary", "the loss")))
        ]
    assert [job.done for job in jobs] == [False, True, True]


def test_slices_wait_for_who_prepares_and_not_for_a_command_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "PATIENCE", 0.1)
    part = SliceJobs(1, 2)
    with (
        FolderLock(tmp_path),
        pytest.raises(UserError, match=r"another tasksieve .* is at work"),
        slices.holding(tmp_path, part),
    ):
        pass
    with slices.holding(tmp_path, part):
        assert part([], 1, quiet) == {}
        with pytest.raises(UserError, match="another tasksieve"), FolderLock(tmp_path):
            pass


def test_the_commands_say_what_slices_leave(tasks_dir: Path, tmp_path: Path) -> None:
    data = [f"--{name}={tasks_dir / 'primary'}" for name in ("primary", "valid", "test")]
    command = [
        "compare",
        *data,
        "--out",
        tmp_path,
        "--methods",
        "primary",
        "--seeds",
        2,
        "--workers",
        1,
        "--no-audit",
    ]
    command += small_options(iterations=4)
    with claimed(tmp_path / "runs" / "primary-6-0"):
        ended = call(*command, "--slice", "1/2")
    assert (ended.code, ended.out) == (0, "")
    assert "1 of 2 runs are done and the others are at work in other slices" in ended.err
    ended = call(*command, "--slice", "1/2")
    assert ended.code == 0
    assert "report.html" in ended.out
    assert call(*command, "--slice", "1/2", "--budget", "2x").code == 2
    assert call(*command, "--slice", "1/2", "--ray", "local").code == 2


@pytest.mark.filterwarnings("ignore")
def test_ray_leaves_what_one_process_leaves(tasks_dir: Path, tmp_path: Path, alone: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")
    seen: set[str] = set()
    compare(plan(tasks_dir, tmp_path), 2, lambda name, _: seen.add(name), RayJobs())
    assert seen == set(RUNS)
    assert_alike(tmp_path, alone)
