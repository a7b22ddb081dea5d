"""One trained run, one server and one browser for all tests of the server and of pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.browsers import started
from tests.web.folders import trained_run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests with a browser come last: an event loop runs in their thread as long as it is there."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def run(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder; not to be written to."""
    return trained_run(tasks_dir, tmp_path_factory.mktemp("web") / "run")


@pytest.fixture(scope="session")
def served(run: Path) -> Iterator[str]:
    """The address of a server of that run, in a thread of this process."""
    import uvicorn

    from tasksieve.serve.app import create_app
    from tasksieve.serve.server import address_of, listen

    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(run), log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield address_of(listening)
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's own browser, without a window."""
    with started() as browser:
        yield browser
