"""Tables with the column sets that are common, and what is said of columns that are not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.dialogs import SILENCE, Note, Record, Turn
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


def table(folder: Path, text: str) -> Path:
    (folder / "dialogs.csv").write_text(text)
    return folder / "dialogs.csv"


HEADER = "Dialogue ID,Turn ID,Speaker,Utterance\n"


@pytest.mark.parametrize(
    "header",
    ["conversationId,Role,Message Text,Text", '"dialog-id" ; "From";"VALUE"', 'id,"a,b",dialog,speaker,text'],
)
def test_names_of_columns_may_be_spelled_in_many_ways(tmp_path: Path, header: str) -> None:
    separator = ";" if ";" in header else ","
    places = {"conversationId": (0, 1, 3), '"dialog-id" ': (0, 1, 2)}.get(header.split(separator)[0], (2, 3, 4))
    rows = [["" for _ in range(5)] for _ in "ab"]
    for row, cells in zip(rows, (("1", "user", "hi"), ("1", "bot", "hello")), strict=True):
        for place, cell in zip(places, cells, strict=True):
            row[place] = cell
    path = table(tmp_path, header + "\n" + "".join(separator.join(row) + "\n" for row in rows))
    assert format_of(path).name == "csv"
    assert read_dialogs(path)[0].events == (Turn("hi", "hello"),)


def test_rows_of_dialogs_that_alternate_are_put_together_by_their_numbers(tmp_path: Path) -> None:
    rows = (
        "a,1,user,hi\nb,1,user,good day\nb,1,system,you too\na,2,system,hello\nc,1,user,x\nc,2,bot,y\na,3,system,?\n"
    )
    path = table(tmp_path, HEADER + rows)
    one, two, three = read_dialogs(path)
    assert (one.events, one.line) == ((Turn("hi", "hello"), Turn(SILENCE, "?")), 2)
    assert (two.events, two.line) == ((Turn("good day", "you too"),), 3)
    assert three.events == (Turn("x", "y"),)
    found = validate(path)
    assert found.problems == ()
    assert found.lost == {"row apart from the others of its dialog, put together with them": 2, "column 'Turn ID'": 7}


@pytest.mark.parametrize(
    "times", [("2.5", "10", "3e1"), ("2024-01-01 09:00:00", "2024-01-01T10:00:00Z", "2024-01-01T13:00:00+02:00")]
)
def test_rows_out_of_order_follow_their_times(tmp_path: Path, times: tuple[str, str, str]) -> None:
    first, second, third = times
    rows = f"a,{third},bot,c\na,{first},user,a\na,{second},bot,b\n"
    path = table(tmp_path, "dialog,timestamp,speaker,text\n" + rows)
    assert read_dialogs(path)[0].events == (Turn("a", "b"), Turn(SILENCE, "c"))
    assert validate(path).lost["dialog whose rows were not in the order of its turns, put in order"] == 1


@pytest.mark.parametrize(
    "rows",
    [
        "a,1,user,hi\na,2,bot,hello\nb,1,user,x\nb,2,bot,y\na,1,user,other\na,2,bot,dialog\n",
        "a,1,user,hi\nb,1,user,x\na,second,bot,hello\nb,2,bot,y\n",
    ],
)
def test_dialogs_that_cannot_be_told_apart_are_named(tmp_path: Path, rows: str) -> None:
    problems = validate(table(tmp_path, HEADER + rows)).problems
    (found,) = (str(problem) for problem in problems if "dialog 'a' goes on after another one began" in str(problem))
    assert "expected its rows together, or a column of turn numbers or times" in found


def test_rows_with_numbers_that_say_nothing_stay_where_they_are(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER + "a,2,user,hi\na,,bot,hello\na,1,user,bye\na,nan,bot,bye bye\n")
    assert read_dialogs(path)[0].events == (Turn("hi", "hello"), Turn("bye", "bye bye"))


def test_a_table_with_problems_beside_dialogs_that_alternate_names_each_once(tmp_path: Path) -> None:
    found = validate(table(tmp_path, HEADER + "a,1,user,hi\nb,1\na,2,robot,hello\nb,2,bot,y\na,3,bot,z\n"))
    assert [problem.line for problem in found.problems] == [3, 4]
