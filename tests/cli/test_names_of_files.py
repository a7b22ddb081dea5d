"""Names and numbers of files are printed as they are: never as markup, never as emoji."""

from __future__ import annotations

from pathlib import Path

import pytest
import rich.console

from tests.commands import Cli, small_options

NAME = "[bold]a:100:"
"""Of files and folders; every part of it would be gone if it were read as markup or emoji."""


def test_the_number_of_a_line_is_no_emoji(cli: Cli) -> None:
    Path("line100.jsonl").write_text('{"messages": [{"role": "assistant", "content": "hi"}]}\n' * 99 + "nothing\n")
    ended = cli("validate", "line100.jsonl")
    assert (ended.code, ended.out.splitlines()[-2]) == (
        2,
        "line100.jsonl:100: is not JSON: Expecting value at column 1",
    )
    assert cli("convert", "line100.jsonl", "x.txt").err.startswith("error: line100.jsonl:100: is not JSON")


def test_every_command_prints_names_as_they_are(cli: Cli, tasks_dir: Path) -> None:
    folder = Path(NAME)
    folder.mkdir()
    wrote = cli("simulate", "hotel", "--dialogs", 2, "--task", 1, "--out", folder / "s").out
    assert wrote.splitlines()[0] == f"Wrote {folder / 's' / 'train.txt'}"
    primary = ("--primary", tasks_dir / "primary", "--valid", tasks_dir / "primary")
    related = ("--related", tasks_dir / "restaurant", *small_options())
    trained = cli("train", *primary, *related, "--out", folder / "run")
    assert f"tasksieve weights {folder / 'run'}, tasksieve chat {folder / 'run'}\n" in trained.out, trained.err
    commands = {
        ("report", folder / "run"): f"Wrote {folder / 'run' / 'report.html'}",
        ("weights", folder / "run", "--export", folder / "w.csv"): f" rows to {folder / 'w.csv'}",
        ("convert", folder / "s" / "train.txt", folder / "c.jsonl"): f"Wrote {folder / 'c.jsonl'}: ",
        ("validate", folder / "c.jsonl"): f"{folder / 'c.jsonl'}: chat messages",
    }
    for command, said in commands.items():
        assert said in " ".join(cli(*command).out.split()), command


def test_there_is_one_place_that_makes_consoles() -> None:
    package = Path(__file__).parents[2] / "src" / "tasksieve"
    makers = [path.name for path in package.rglob("*.py") if "Console(" in path.read_text()]
    assert makers == ["messages.py"]


@pytest.mark.parametrize("stream", ["output", "errors"])
def test_both_consoles_print_texts_as_they_are(capsys: pytest.CaptureFixture[str], stream: str) -> None:
    from tasksieve.cli import messages

    console: rich.console.Console = getattr(messages, stream)()
    console.print(NAME)
    assert "".join(capsys.readouterr()) == f"{NAME}\n"
