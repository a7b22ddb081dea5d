"""A plug-in file is part of a run's record: its name and SHA-256, and a run of the file as it was is refused."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tasksieve.errors import UserError
from tasksieve.plugins import VARIABLE
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.claiming import refuse_other
from tasksieve.training.loop.environment import environment
from tasksieve.training.runs.images import ImageConfig


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "own" / "mine.py"
    file.parent.mkdir()
    file.write_text("STRENGTH = 1\n")
    monkeypatch.setenv(VARIABLE, str(file))
    return file


def run_in(path: Path) -> RunFolder:
    """A run that was begun now."""
    folder = RunFolder(path)
    folder.write_config(ImageConfig())
    folder.write_record("environment", environment([]))
    return folder


def test_the_record_names_a_plug_in_file_without_its_folder(plugin: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256(plugin.read_bytes()).hexdigest()
    assert run_in(tmp_path / "run").read_record("environment")["plugins"] == {"mine.py": digest}


def test_two_plug_in_files_of_one_name_are_both_recorded(
    plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "mine.py"
    other.write_text("STRENGTH = 2\n")
    monkeypatch.setenv(VARIABLE, os.pathsep.join([str(plugin), str(other)]))
    assert list(environment([])["plugins"]) == ["mine.py", "mine.py (2)"]


def test_a_run_of_a_plug_in_that_has_changed_is_not_taken(plugin: Path, tmp_path: Path) -> None:
    folder = run_in(tmp_path / "run")
    refuse_other(folder, ImageConfig())
    plugin.write_text("STRENGTH = 2\n")
    with pytest.raises(UserError, match=r"another configuration: plug-in mine\.py has changed \(SHA-256 "):
        refuse_other(folder, ImageConfig())


def test_a_run_without_plug_ins_is_taken_as_it_is(
    plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    folder = run_in(tmp_path / "run")
    assert "plugins" not in folder.read_record("environment")
    monkeypatch.setenv(VARIABLE, str(plugin))
    refuse_other(folder, ImageConfig())
