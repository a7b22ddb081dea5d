"""Files as programs save them and people send them: each is read, or refused in a sentence that says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasksieve.dialogs import Turn
from tasksieve.dialogs.formats import dialog_file, format_of, read_dialogs
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError

MESSAGES = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
LINE = json.dumps({"messages": MESSAGES})


def saved(folder: Path, data: str | bytes, name: str = "in") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize("first", ["sep=;\r\n", "SEP=;\r\n\r\n", "\ufeffsep=;\r\n"])
def test_excel_s_word_on_its_separator_is_no_header(tmp_path: Path, first: str) -> None:
    path = saved(tmp_path, f'{first}dialog;speaker;text\r\n1;user;"hi; there"\r\n1;bot;"hello\r\nyou"\r\n')
    assert format_of(path).name == "csv"
    assert read_dialogs(path)[0].events == (Turn("hi; there", "hello\nyou"),)


def test_what_programs_write_for_nothing_is_read_and_named(tmp_path: Path) -> None:
    path = saved(tmp_path, "context,response,mood\nhi,NaN,nan\nnan bread,hello,\n")
    assert [dialog.turns[0].system for dialog in read_dialogs(path)] == ["NaN", "hello"]
    assert validate(path).lost == {"cell 'NaN', which was taken for words": 1, "column 'mood'": 1}


def test_a_table_of_blank_lines_holds_no_dialog(tmp_path: Path) -> None:
    (problem,) = validate(saved(tmp_path, "\n \n", "in.csv")).problems
    assert "holds no dialog" in problem.message


def test_files_that_are_no_splits_by_their_names_are_named(tmp_path: Path) -> None:
    for name in ("hotel.csv", "taxi.csv"):
        saved(tmp_path, "prompt,response\nhi,hello\n", name)
    with pytest.raises(UserError, match=r"no dialog file that is a split by its name, but hotel\.csv, taxi\.csv; "):
        dialog_file(tmp_path, "train")


def test_a_message_without_a_role_is_refused_by_its_keys(tmp_path: Path) -> None:
    path = saved(tmp_path, json.dumps({"conversations": [{"id": 1, "said": MESSAGES}]}))
    with pytest.raises(UserError, match=r"message 1: found keys \['id', 'said'\]; expected an object with role"):
        read_dialogs(path)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (LINE.encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        ("prompt,response\nhi,hello\n".encode("utf-16-le"), "is no text: "),
        ("dialog;speaker;text\n1;user;café\n".encode("cp1252"), "byte 0xe9 at column 11 is not UTF-8"),
        (f"{LINE[:-1]},}}\n", ":1: is not JSON: "),
        (f"[{LINE},\n{LINE},\n]", ":3: is not JSON: "),
        (f"// mine\n{LINE}\n", ":1: is not JSON: "),
        (f"{LINE}{LINE}\n", ":1: is not JSON: Extra data"),
        (f"{MESSAGES}\n".replace("[", "{'messages': [", 1), "is not JSON"),
        ("dialog,speaker,text\r1,user,hi\r", "has line ends of old Macintosh programs"),
        (LINE.replace('"hello"', '"hello", "weight": NaN'), "found weight nan; expected a number"),
        (LINE.replace('"hi"', '"\\ud83d"'), "half a surrogate pair; expected text"),
        (json.dumps({"data": [{"said": MESSAGES}]}), "found keys ['data']; expected 'messages', "),
        (json.dumps({"chat": "USER: hi ASSISTANT: hello"}), "found keys ['chat']; expected 'messages', "),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path: Path, data: str | bytes, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        read_dialogs(saved(tmp_path, data, "in.jsonl"))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        f"\ufeff{LINE}\r\n{LINE}\r\n",
        f"{LINE}\n\n\n{LINE}",
        json.dumps([MESSAGES, MESSAGES]),
        f"{json.dumps(MESSAGES)}\n{json.dumps(MESSAGES)}\n",
        json.dumps({"messages": MESSAGES}, indent=2).replace("\n", "\r\n") * 2,
        LINE.replace("user", "User").replace("assistant", "AI") + "\n" + LINE,
    ],
)
def test_two_dialogs_are_two_however_the_file_is_laid_out(tmp_path: Path, data: str) -> None:
    assert [dialog.events for dialog in read_dialogs(saved(tmp_path, data))] == [(Turn("hi", "hello"),)] * 2


@pytest.mark.parametrize("said", ["C:\\Users\\new\\table.txt", "👩🏽‍🚀 :100: [bold]x[/bold]", "a\u2028b\u0085c"])
def test_what_is_said_stays_as_it_is(tmp_path: Path, said: str) -> None:
    value = {"messages": [{"role": "user", "content": said}, {"role": "assistant", "content": said}]}
    for ascii_only in (True, False):
        path = saved(tmp_path, json.dumps(value, ensure_ascii=ascii_only) + "\n")
        assert read_dialogs(path)[0].events == (Turn(said, said),)
