"""What the pages name is there: linked pages and their headings, commands and their options, settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from click import Command

from tasksieve.cli import app
from tasksieve.records.config import RunConfig
from tasksieve.records.model_config import BUILT_IN, MODEL_KINDS, WEIGHT_MODULE_KINDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_COMMAND = typer.main.get_command(app)
_SECTIONS = ("data", "model", "weight_module", "training", "meta", "screening", "rivals")
_ENDINGS = ("toml", "json", "md", "py", "jsonl", "yaml", "yml", "csv", "parquet", "safetensors")
_MODELS = ("matching", "ranking", "language-model")
_FORMER = {"weight_module.centred"}
"""Settings that a page tells of as they were."""


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```|^    .*?$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub names them."""
    lines = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    headings = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line) for line in lines)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command of the program that a page shows, behind its name."""
    whole = text.replace("\\\n", " ")
    for words in (
        *re.findall(r"^ *(?:\$ )?tasksieve ([a-z][^\n]*)", whole, re.MULTILINE),
        *re.findall(r"`tasksieve ([^`]*)`", whole),
    ):
        yield re.split(r" #|  +", words)[0].split()


def options_of(words: list[str]) -> tuple[set[str], set[str]]:
    """The options among the words, and those that the command has."""
    command: Command = _COMMAND
    known = {"--help"}
    for word in ["", *words]:
        command = getattr(command, "commands", {}).get(word, command)
        known |= {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    return {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)}, known


def settings() -> set[str]:
    """Every setting of a run on dialogs, of any kind of model and weight module."""
    sections = {name: [field.annotation] for name, field in RunConfig.model_fields.items()}
    sections["model"] = [MODEL_KINDS.named(kind) for kind in ("auto", BUILT_IN, *_MODELS)]
    sections["weight_module"] = [WEIGHT_MODULE_KINDS.named(kind) for kind in (BUILT_IN, "matching", "groups")]
    return {f"{name}.{key}" for name, found in sections.items() for one in found for key in one.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", prose(page))):
        if link.startswith(("http", "mailto")):
            continue
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not heading or heading in slugs(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_have_the_options_that_are_shown(page: Path) -> None:
    for words in commands(page.read_text(encoding="utf-8")):
        given, known = options_of(words)
        assert given <= known, (words, given - known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_that_are_named_are_there(page: Path) -> None:
    pattern = rf"(?<![\w./])((?:{'|'.join(_SECTIONS)})\.([a-z_]+))\b(?! ?\()"
    named = {
        name for name, key in re.findall(pattern, page.read_text(encoding="utf-8")) if key not in _ENDINGS
    } - _FORMER
    assert named <= settings(), named - settings()
