"""What stands in examples/cluster and docs/clusters.md are commands and options that there are."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from tasksieve.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
SLURM, SKY = ROOT / "examples" / "cluster" / "slurm.sh", ROOT / "examples" / "cluster" / "skypilot.yaml"
SBATCH = {"job-name", "array", "cpus-per-task", "mem", "time", "requeue", "output"}
"""Options in the manual of sbatch."""
SKY_KEYS = {"name", "num_nodes", "resources", "envs", "volumes", "setup", "run"}
"""Of a SkyPilot task, as its schema has them."""


def command_in(script: str, values: dict[str, str]) -> list[str]:
    """The words of the one tasksieve command in a script, with variables filled in."""
    (found,) = re.findall(r"tasksieve compare(?:\\\n|.)*", script)
    text = found.replace("\\\n", " ")
    for name, value in values.items():
        text = text.replace(name, value)
    assert "$" not in text
    return shlex.split(text)


def check_options(words: list[str]) -> dict[str, str]:
    """Parse a command as the program would; returns what its options are."""
    group: Any = typer.main.get_command(app)
    command = group.commands[words[1]]
    return dict(command.make_context(words[1], words[2:], resilient_parsing=False).params)


def test_the_slurm_script_is_a_script_with_options_of_sbatch() -> None:
    script = SLURM.read_text()
    options = re.findall(r"^#SBATCH --([a-z-]+)", script, re.MULTILINE)
    assert set(options) == SBATCH
    assert script.index("#SBATCH") < script.index("set -euo")  # sbatch reads none after the first command
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    subprocess.run([bash, "-n", str(SLURM)], check=True)


def test_the_slurm_script_does_its_slice() -> None:
    [slices] = re.findall(r"^SLICES=(\d+)", SLURM.read_text(), re.MULTILINE)
    assert f"#SBATCH --array=1-{slices}\n" in SLURM.read_text()
    values = {
        "${SLURM_CPUS_PER_TASK:-1}": "4",
        "$SLURM_ARRAY_TASK_ID": "3",
        "$SLICES": str(slices),
        "$SHARED": "/s",
    }
    given = check_options(command_in(SLURM.read_text(), values))
    assert (given["part"], given["workers"], str(given["out"])) == ("3/8", 4, "/s/comparison")


def test_the_skypilot_task_does_its_slice() -> None:
    task = yaml.safe_load(SKY.read_text())
    assert set(task) == SKY_KEYS
    assert task["envs"]["SHARED"] in task["volumes"]
    values = {"$((SKYPILOT_NODE_RANK + 1))": "1", "$SKYPILOT_NUM_NODES": str(task["num_nodes"]), "$SHARED": "/s"}
    given = check_options(command_in(task["run"], values))
    assert (given["part"], given["workers"]) == ("1/4", 4)


def test_skypilot_reads_the_task() -> None:
    sky = pytest.importorskip("sky", reason="SkyPilot is not installed")
    task = sky.Task.from_yaml(str(SKY))
    assert (task.name, task.num_nodes) == ("tasksieve", 4)


def test_the_page_names_options_that_there_are() -> None:
    page = (ROOT / "docs" / "clusters.md").read_text()
    group: Any = typer.main.get_command(app)
    compare = {option for parameter in group.commands["compare"].params for option in parameter.opts}
    assert {"--ray", "--slice", "--workers"} <= compare
    for name in ("mnist", "restaurant", "archive", "verdict"):
        known = {
            option for parameter in group.commands["reproduce"].commands[name].params for option in parameter.opts
        }
        assert {"--ray", "--slice", "--workers"} <= known
    blocks = re.findall(r"```\n(.*?)```", page, re.DOTALL)
    for words in re.findall(r"tasksieve compare[^&\n]*", "\n".join(blocks)):
        assert {word for word in words.split() if word.startswith("--")} <= compare
