"""The help of every command at 80 columns: paragraphs fill their lines, and nothing is cut off."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
import typer
from click import Command

from tasksieve.cli import app
from tests.commands import Cli


def commands() -> list[tuple[str, ...]]:
    """The words of every command, those of groups among them."""

    def below(command: Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield words
        for name, one in getattr(command, "commands", {}).items():
            yield from below(one, (*words, name))

    return list(below(typer.main.get_command(app), ()))


@pytest.mark.parametrize("words", commands(), ids=lambda words: " ".join(words) or "tasksieve")
def test_help_fills_its_lines_and_cuts_nothing_off(cli: Cli, words: tuple[str, ...]) -> None:
    ended = cli(*words, "--help")
    assert ended.code == 0
    assert set(re.findall(r"…(.)", ended.out)) <= {";"}, "something is cut off"
    told = ended.out.partition("╭")[0].splitlines()
    for line, following in itertools.pairwise(told):
        if line.strip() and following.strip():
            assert len(line.rstrip()) + len(following.split()[0]) >= 78, line
