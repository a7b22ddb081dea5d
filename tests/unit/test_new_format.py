"""A format is one file: registered, it is told from content, read, written, converted and named like the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tasksieve.dialogs import Dialog, Note, Turn
from tasksieve.dialogs.formats import FORMATS, Format, Start, format_named, format_of, read_dialogs, register
from tasksieve.dialogs.formats.assembly import Assembly
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.lines import numbered_lines
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError

FILE = "# a play\n> hi\n< hello\n! it rains\n> bye\n< good bye\n"
PLUGIN = """
from tasksieve.dialogs.formats import Format, register

def recognises(start):
    return "ONE" in start.line

register(Format("one", "One", (".one",), lambda path, journal: iter(()), print, recognises, "ONE"))
"""


@pytest.fixture(autouse=True)
def _formats_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = dict(FORMATS)
    yield
    FORMATS.clear()
    FORMATS.update(before)


def read(path: Path, journal: Journal) -> Iterator[Dialog]:
    assembly = Assembly(journal, 1)
    says = {"> ": assembly.user, "< ": assembly.system, "! ": assembly.told}
    for number, line in numbered_lines(path, journal):
        if line[:2] in says:
            says[line[:2]](line[2:], "line", number)
        else:
            journal.lose("comment")
    yield from assembly.dialog()


def write(dialogs: Iterable[Dialog], path: Path) -> None:
    turns = (turn for dialog in dialogs for turn in dialog.turns)
    path.write_text("".join(f"> {turn.user}\n< {turn.system}\n" for turn in turns))


def recognises(start: Start) -> bool:
    return start.line.startswith(("> ", "# a play"))


def test_a_registered_format_is_read_written_and_named(tmp_path: Path) -> None:
    play = register(Format("play", "a play", (".play",), read, write, recognises, "> hi"))
    (tmp_path / "in").write_text(FILE)
    assert format_of(tmp_path / "in") is format_named("play") is play
    turns = (Turn("hi", "hello"), Turn("bye", "good bye"))
    assert read_dialogs(tmp_path / "in") == [Dialog((turns[0], Note("it rains"), turns[1]), line=1)]
    assert validate(tmp_path / "in").lost == {"comment": 1}
    assert convert(tmp_path / "in", tmp_path / "out.txt").lost == {"comment": 1, "note": 1}
    assert convert(tmp_path / "out.txt", tmp_path / "out.play").target == "play"
    assert (tmp_path / "out.play").read_text() == "> hi\n< hello\n> bye\n< good bye\n"
    with pytest.raises(UserError, match=r"known: babi, .*, play"):
        format_named("none")


def test_a_plug_in_is_asked_before_formats_that_take_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one_format.py").write_text(PLUGIN)
    (tmp_path / "in").write_text('{"ONE": 1}')
    assert format_of(tmp_path / "in").name == "chat"
    monkeypatch.setenv("TASKSIEVE_PLUGINS", str(tmp_path / "one_format.py"))
    assert format_of(tmp_path / "in").name == "one"
    with pytest.raises(UserError, match="holds no dialog; expected lines like 'ONE'"):
        read_dialogs(tmp_path / "in")
