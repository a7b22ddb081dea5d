"""What all tests share: the real data if it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import settings

from tasksieve.kernels import compiler, disabled
from tests.checked_types import check_types
from tests.small import write_tasks
from tests.web.browsers import NO_BROWSER, advice

settings.register_profile("untimed", settings(), deadline=None)  # a busy machine is no fault
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--check-types", action="store_true", help="check types and shapes at every call")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("check_types"):
        check_types()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say after everything else how many tests had no browser, and how to get one."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", ()) if reporter else ()
    if reporter and (left_out := sum(NO_BROWSER in str(report.longrepr) for report in skipped)):
        reporter.line(advice(left_out), yellow=True)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets: TASKSIEVE_DATA, or ../shared/data beside the checkout."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TASKSIEVE_DATA", default))
    if not (folder / "dialog-bAbI-tasks").is_dir():
        pytest.skip("the real data is not here; set TASKSIEVE_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def tasks_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small simulated tasks on disk; not to be written to."""
    return write_tasks(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module", params=["compiled", "torch"])
def both_paths(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test of a module twice: with compiled code, and as on a machine without a compiler."""
    if request.param == "compiled" and compiler() is None:
        pytest.skip("no C++ compiler on this machine")
    with disabled() if request.param == "torch" else nullcontext():
        yield
