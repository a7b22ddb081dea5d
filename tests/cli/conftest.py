"""The program, called in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import Cli, call


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Call the program in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return call
