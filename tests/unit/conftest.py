"""What several files of tests have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.report_folders import write_comparison


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison folder with two sizes; not to be written to."""
    folder = tmp_path_factory.mktemp("comparison")
    write_comparison(folder, {"primary": 0.0, "multitask": -2.0, "learned": 4.0}, sizes=(50, 100))
    return folder


@pytest.fixture
def on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every archive is kept on the disk, however small; where."""
    from tasksieve.variables import LARGE_FILES  # nothing of the package is imported before types are checked

    monkeypatch.setenv(LARGE_FILES, "0")
    monkeypatch.setenv("TASKSIEVE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "archives"
