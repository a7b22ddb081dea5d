"""Tables with the column sets that are common, and what is said of columns that are not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.dialogs import Note, Record, Turn
from tasksieve.dialogs.formats import format_of, read_dialogs
from tasksieve.dialogs.formats.validate import validate


@pytest.mark.parametrize(
    ("text", "events", "lost"),
    [
        (
            "instruction,input,output\nname it,,Rome\n",
            (Turn("name it", "Rome"),),
            {},
        ),
        (
            "output,input,instruction\nbuongiorno,good day,to Italian\n",
            (Turn("to Italian\ngood day", "buongiorno"),),
            {},
        ),
        (
            "question,answer,context\nwho,bob,a story about bob\n",
            (Note("a story about bob"), Turn("who", "bob")),
            {},
        ),
        (
            "system,instruction,output\nbe kind,hi,hello\n",
            (Note("be kind"), Turn("hi", "hello")),
            {},
        ),
        (
            "prompt,completion,knowledge\nhi,hello,inn R_price cheap\n",
            (Record("kb", (("name", "inn"), ("R_price", "cheap"))), Turn("hi", "hello")),
            {},
        ),
        (
            "conversation_id,role,content,Timestamp,score\n1,user,hi,1,\n1,assistant,hello,2,0,more\n",
            (Turn("hi", "hello"),),
            {"column 'Timestamp'": 2, "column 'score'": 1, "cell beyond the columns": 1},
        ),
        (
            "prompt,input,response,prompt\na,b,c,d\n",
            (Turn("a", "c"),),
            {"column 'input'": 1, "column 'prompt'": 1},
        ),
    ],
)
def test_common_columns_are_read_and_others_are_counted(
    tmp_path: Path, text: str, events: object, lost: dict[str, int]
) -> None:
    (tmp_path / "dialogs").write_text(text)
    assert format_of(tmp_path / "dialogs").name == "csv"
    assert read_dialogs(tmp_path / "dialogs")[0].events == events
    assert validate(tmp_path / "dialogs").lost == lost
