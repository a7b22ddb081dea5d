"""The commands of docs/fine-tuning.md that need no tool do what the page says, and name files that there are."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path

import polars
import pytest

from tasksieve.dialogs.finetuning import TOOLS
from tests.commands import Cli, small_options
from tests.old_policy import NEW, OLD, desk

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "fine-tuning.md").read_text()
QUICK = ("--seeds", "1", "--workers", "1", "--no-audit", *small_options())


def blocks(language: str) -> list[str]:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def test_the_page_names_every_tool() -> None:
    named = {
        name for line in re.findall(r"^### (.*)$", PAGE, re.MULTILINE) for name in re.findall(r"`([^`]+)`", line)
    }
    assert named == set(TOOLS)


def test_what_the_page_says_can_be_done(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("new", "older"):
        (tmp_path / folder).mkdir()
    desk(tmp_path / "new" / "train.jsonl", 4, 1, NEW)
    desk(tmp_path / "new" / "valid.jsonl", 6, 2, NEW)
    desk(tmp_path / "older" / "old.jsonl", 6, 3, OLD)
    first = shlex.split(blocks("sh")[0])
    assert first[:2] == ["tasksieve", "sieve"]
    ended = cli(*first[1:], *QUICK)
    assert ended.code == 0, ended.err
    ended = cli(*first[1:-1], ",".join(TOOLS), *QUICK)
    assert ended.code == 0, ended.err
    for name in set(re.findall(r"sieved/[\w./-]*\w", PAGE)):
        assert (tmp_path / name).exists(), name
    for code in blocks("python"):
        if "datasets." in code and importlib.util.find_spec("datasets") is None:
            continue
        exec(code, {"json": json, "polars": polars, "Path": Path})
    (converted,) = re.findall(r"`tasksieve (convert [^`]* --weights weights.parquet)`", PAGE)
    for name in ("llama-factory", "openai"):
        words = converted.replace("dialogs.jsonl FOLDER", f"older/old.jsonl {name}").replace("TOOL", name)
        ended = cli(*words.replace("weights.parquet", "sieved/weights.parquet").split())
        assert ended.code == 0, ended.err
        assert (tmp_path / name / "train.jsonl").is_file()
