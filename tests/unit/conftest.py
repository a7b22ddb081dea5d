"""A comparison that several files of tests read."""

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
