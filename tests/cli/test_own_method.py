"""A method of one's own is one file, and does what the built-in ones do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tasksieve.cli import app
from tasksieve.plugins import VARIABLE
from tasksieve.records.run_folder import RunFolder
from tests.reliability.victims import environment
from tests.small import OPTIONS

OWN = Path(__file__).with_name("by_turn.py")


def tasksieve(*words: str) -> str:
    """What a command prints that knows the method."""
    ended = subprocess.run(
        [sys.executable, "-m", "tasksieve", *words],
        env={**environment(), VARIABLE: str(OWN)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_method_in_a_file_of_its_own_trains_and_is_in_the_help(tasks_dir: Path, tmp_path: Path) -> None:
    settings = [f"--set={s}.{k}={v}" for s, values in OPTIONS.items() for k, v in values.items()]
    primary = str(tasks_dir / "primary")
    words = ["--primary", primary, "--valid", primary, "--related", str(tasks_dir / "restaurant"), *settings]
    said = tasksieve("train", *words, "--method=by-turn", "--out", str(tmp_path / "run"))
    assert "by-turn: validation accuracy" in said
    weights = RunFolder(tmp_path / "run").read_weights(0)
    assert weights["weight"].to_list() == pytest.approx([1 / (1 + turn) for turn in weights["turn"]])
    shown = " ".join(tasksieve("train", "--help").split())
    assert "by-turn As multitask, with weight 1 / (1 + turn): the beginning of a dialog" in shown


@pytest.mark.parametrize("command", [["train"], ["compare"], ["reproduce", "restaurant"]])
def test_the_help_lists_every_method_with_its_summary(command: list[str]) -> None:
    from tasksieve.training.methods import all_methods

    shown = " ".join(CliRunner().invoke(app, [*command, "--help"]).output.split())
    assert all(f"{name} {method.summary[:30]}" in shown for name, method in all_methods().items())


def test_the_first_page_of_help_is_printed_without_torch() -> None:
    code = (
        "import sys\nfrom tasksieve.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
