"""One trained run for all tests of the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.folders import trained_run


@pytest.fixture(scope="session")
def run(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder; not to be written to."""
    return trained_run(tasks_dir, tmp_path_factory.mktemp("web") / "run")
