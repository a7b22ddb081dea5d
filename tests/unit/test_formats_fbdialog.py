"""FbDialog as ParlAI reads it, and how it is told from bAbI's format."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.dialogs import SILENCE, Dialog, Note, Record, Turn
from tasksieve.dialogs.formats import FORMATS, format_of, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate

PERSONA = """1 your persona: i like cats.
2 your persona: i have a bike.
3 hello\thi , do you like cats ?\t\thi|hello|hi , do you like cats ?
4 yes\tme too\t\tno|me too
1 your persona: i sing.
2 __SILENCE__\tgood day\t0
"""


def written(folder: Path, text: str) -> Path:
    (folder / "dialogs.txt").write_text(text)
    return folder / "dialogs.txt"


def test_persona_candidates_and_a_number_that_restarts(tmp_path: Path) -> None:
    path = written(tmp_path, PERSONA)
    assert format_of(path).name == "fbdialog"
    assert validate(path).lost == {}
    assert read_dialogs(path) == [
        Dialog(
            (
                Note("your persona: i like cats."),
                Note("your persona: i have a bike."),
                Turn("hello", "hi , do you like cats ?", candidates=("hi", "hello", "hi , do you like cats ?")),
                Turn("yes", "me too", candidates=("no", "me too")),
            ),
            line=1,
        ),
        Dialog((Note("your persona: i sing."), Turn(SILENCE, "good day")), line=5),
    ]


@pytest.mark.parametrize(
    ("text", "events", "lost"),
    [
        ("1 hi\thello\n1 bye\tbye\n", (Turn("hi", "hello"),), {}),
        ("3 hi\thello\n\n7 bye\tbye\t1\n", (Turn("hi", "hello"), Turn("bye", "bye")), {"reward of a turn": 1}),
        (
            "1 inn R_price cheap\n2 a note\\nhi\tgood day|hello\t0.0\n",
            (Record("kb", (("name", "inn"), ("R_price", "cheap"))), Note("a note"), Turn("hi", "good day")),
            {"label after the first": 1},
        ),
        (
            "1 ...\thello\t\n2 \tbye\\nbye\t\t\tx\n",
            (Turn(SILENCE, "hello"), Turn("", "bye\nbye")),
            {"field after the candidates": 1},
        ),
    ],
)
def test_lines_are_read_as_the_reference_reads_them(
    tmp_path: Path, text: str, events: tuple[object, ...], lost: object
) -> None:
    path = written(tmp_path, text)
    found = validate(path, FORMATS["fbdialog"])
    assert (found.problems, found.lost) == ((), lost)
    assert format_of(path).name == "fbdialog"
    assert read_dialogs(path)[0].events == events


@pytest.mark.parametrize(
    "text",
    [
        "1 hi\thello\n2 bye\tbye\n\n1 a\tb\n",
        "1 male young\n2 inn R_price cheap\n3 hi\thello\n",
        "1 a\tb\n3 c\td\te\n",
    ],
)
def test_babi_stays_babi(tmp_path: Path, text: str) -> None:
    assert format_of(written(tmp_path, text)).name == "babi"


@pytest.mark.parametrize("name", ["babi", "fbdialog"])
def test_spaces_in_place_of_a_tab_are_named(tmp_path: Path, name: str) -> None:
    found = validate(written(tmp_path, "1 hello there    hi\n2 bye\tbye\n"), FORMATS[name])
    assert [problem.line for problem in found.problems] == [1]
    assert "expected a tab between user and system, not spaces" in str(found.problems[0])


def test_what_is_written_is_known_again_and_its_losses_are_named(tmp_path: Path) -> None:
    dialogs = [
        Dialog(
            (Record("a", (("b\\n", "c|d"),)), Turn("a\\nb", "c\nd\te"), Turn(SILENCE, "f", candidates=("f", "g")))
        ),
        Dialog((Turn("...", "a|b"),), profile=("male", "young")),
    ]
    FORMATS["chat"].write(dialogs, tmp_path / "in.jsonl")
    path = tmp_path / "out.fbdialog"
    lost = convert(tmp_path / "in.jsonl", path).lost
    assert format_of(path).name == "fbdialog"
    one, two = read_dialogs(path)
    assert one.events == (dialogs[0].events[0], Turn("a\\ nb", "c\nd e"), Turn(SILENCE, "f"))
    assert two.events == (Turn(SILENCE, "a/b"),)
    assert two.profile == ("male", "young")
    assert lost == {"wording of a turn": 2}
    FORMATS["fbdialog"].write(dialogs[:1], path)
    assert read_dialogs(path)[0].turns[1].candidates == ("f", "g")
