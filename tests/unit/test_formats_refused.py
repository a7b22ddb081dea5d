"""What is refused, with file and line, and that all problems of a file are named at once."""

from __future__ import annotations

import gzip
import io
import os
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from tasksieve.dialogs.formats import FORMATS, Format, iterate_dialogs, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.validate import validate
from tasksieve.dialogs.formats.yaml_nodes import MAX_SIZE
from tasksieve.errors import UserError

GOOD_CHAT = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
SAID = '{"speaker": "SYSTEM", "utterance": "a"}'
SPOKEN = f'{{"turns": [{SAID}]}}'
SGD = '[\n{"dialogue_id": "7", "services": [], "turns": [\n%s]}]'

BAD = {
    "chat: not JSON": ("chat", GOOD_CHAT + "{]\n", 2, "is not JSON: "),
    "chat: no object": ("chat", GOOD_CHAT + "[1]\n", 2, "found [1]; expected a JSON object"),
    "chat: no messages": ("chat", '{"text": 1}', 1, "found keys ['text']; expected 'messages', "),
    "chat: no such role": (
        "chat",
        '{"messages": [{"role": "boss", "content": ""}]}',
        1,
        "message 1: found role 'boss'",
    ),
    "chat: no text": (
        "chat",
        '{"messages": [{"role": "user", "content": 5}]}',
        1,
        "message 1: found 5; expected text",
    ),
    "chat: empty response": (
        "chat",
        GOOD_CHAT[:-4] + '},{"role":"assistant","content":" "}]}',
        1,
        "message 3 of the assistant is empty; expected its response",
    ),
    "chat: empty response of another name": (
        "chat",
        '{"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": " "}]}',
        1,
        "message 2 of the gpt is empty; expected its response",
    ),
    "chat: no turn": ("chat", '{"messages": []}', 1, "this dialog has no turn"),
    "chat: weight": (
        "chat",
        '{"messages": [{"role": "assistant", "content": "a", "weight": true}]}',
        1,
        "found weight True; expected a number",
    ),
    "chat: negative weight": (
        "chat",
        GOOD_CHAT + '{"messages": [{"role": "assistant", "content": "a", "weight": -0.5}]}',
        2,
        "message 1: found weight -0.5; expected a number from 0 to 1,000,000",
    ),
    "chat: a weight without end": (
        "chat",
        '{"messages": [{"role": "assistant", "content": "a", "weight": Infinity}]}',
        1,
        "message 1: found weight inf; expected a number",
    ),
    "chat: deep": ("chat", '{"messages": ' + "[" * 100_000, 1, "is nested too deeply"),
    "chat: digits": ("chat", '{"messages": ' + "9" * 5000 + "}", 1, "a number with too many digits"),
    "chat: half a pair": (
        "chat",
        '{"messages": [{"role": "user", "content": "\\ud800"}]}',
        1,
        "half a surrogate pair",
    ),
    "chat: escaped NUL": ("chat", '{"messages": [{"role": "user", "content": "\\u0000"}]}', 1, "found a NUL"),
    "chat: a pair as a message": ("chat", '{"messages": [["user", "a"]]}', 1, "message 1: found ['user', 'a']"),
    "parlai: no labels": (
        "parlai",
        "text:a\tlabels:b\ntext:a\n",
        2,
        "found fields ['text']; expected text and labels",
    ),
    "parlai: no field": ("parlai", "text:a\tlabels:b\tc\n", 1, "found 'c'; expected field:value"),
    "parlai: no response": ("parlai", "text:a\tlabels:\n", 1, "labels of the system is empty"),
    "conversations: no lists": ("parlai-jsonl", '{"dialog": 1}', 1, "found 1 as 'dialog'"),
    "conversations: no act": ("parlai-jsonl", '{"dialog": [[{"text": "a"}]]}', 1, "expected an act with id and text"),
    "sgd: an object": ("sgd", '\n{"turns": 1}', 2, "expected an object with a list 'turns'"),
    "sgd: no array end": ("sgd", SGD[:-1] % SAID, 3, "found the end of the file; expected ',' or ']'"),
    "sgd: no comma": ("sgd", f"[{SPOKEN}\n{SPOKEN}]", 2, "found '{'; expected ',' or ']', after a dialog"),
    "sgd: more after": ("sgd", '[{"turns": [{"speaker": "SYSTEM", "utterance": "a"}]}]\n5', 2, "found '5' after"),
    "sgd: broken": ("sgd", SGD % '{"speaker": USER}', 3, "is not JSON: Expecting value"),
    "sgd: cut": ("sgd", '[{"turns": [\n', 2, "is not JSON"),
    "sgd: deep": ("sgd", "[" * 100_000, 1, "nested too deeply"),
    "sgd: digits": ("sgd", "[" + "9" * 5000 + "]", 1, "a number with too many digits"),
    "sgd: speaker": ("sgd", SGD % '{"speaker": "ME"}', 2, "dialog '7', turn 1: found speaker 'ME'"),
    "sgd: turn": ("sgd", SGD % "5", 2, "dialog '7', turn 1: found 5"),
    "sgd: frames": ("sgd", SGD % '{"speaker": "USER", "frames": [1]}', 2, "results are not lists of objects"),
    "sgd: no turns": ("sgd", '[{"services": []}]', 1, "expected an object with a list 'turns'"),
    "convlab: results": ("convlab", '[{"turns": [{"db_results": {"a": 1}}]}]', 1, "results are not lists of objects"),
    "rasa: no YAML": ("rasa", "stories:\n- a: [\n- b", 3, "is not YAML: "),
    "rasa: a list": ("rasa", "- stories", 1, "found no mapping; expected one with a key 'stories'"),
    "rasa: tag": ("rasa", "stories:\n- !!python/object:os.system {}", 2, "found the tag 'tag:yaml.org,2002:python"),
    "rasa: anchor": ("rasa", "stories:\n- &a {}", 2, "found an anchor or alias"),
    "rasa: alias": ("rasa", "stories:\n- story: *a", 2, "found an anchor or alias"),
    "rasa: deep": ("rasa", "stories: " + "[" * 5000, 1, "is nested more than 32 deep"),
    "rasa: two documents": ("rasa", "stories: []\n---\nstories: []", 3, "found a second document"),
    "rasa: list as key": ("rasa", "? [a]\n: b", 1, "found a list or mapping as a key"),
    "rasa: no steps": ("rasa", "stories:\n- story: a\n- story: b\n  steps: []", 2, "this story has no list of steps"),
    "rasa: empty step": ("rasa", "stories:\n- story: a\n  steps:\n  - b", 4, "found a step without a key"),
    "rasa: no text": ("rasa", "stories:\n- story: a\n  steps:\n  - user: [b]", 4, "user: found None; expected text"),
    "rasa: control code": ("rasa", "stories: \x07", None, "a character that YAML does not allow"),
    "csv: no such columns": ("csv", "a,b\n1,2\n", 1, "found columns 'a,b'; expected dialog, speaker, text or"),
    "csv: few cells": ("csv", "dialog,speaker,text\n1,user\n", 2, "found 2 cells; expected at least 3"),
    "csv: speaker": ("csv", "dialog,speaker,text\n1,boss,a\n", 2, "found speaker 'boss'; expected user, system"),
    "csv: apart": (
        "csv",
        "dialog,speaker,text\n1,system,a\n2,system,a\n1,system,a\n",
        4,
        "dialog '1' goes on after another one began",
    ),
    "csv: quotes": ("csv", 'context,response\na,"b"c\n', 2, "is not a row of a table"),
    "csv: open quote": ("csv", 'context,response\na,"b\nc\n', 2, "is not a row of a table"),
    "csv: no response": ("csv", "context,response\na,\n", 2, "response of the system is empty"),
}


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "dialogs"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


@pytest.mark.parametrize("name", list(BAD))
def test_bad_files_are_refused_with_their_place(tmp_path: Path, name: str) -> None:
    known, text, line, message = BAD[name]
    path = written(tmp_path, text)
    found = validate(path, FORMATS[known])
    with pytest.raises(UserError) as caught:
        convert(path, tmp_path / "out.jsonl", from_format=FORMATS[known], strict=True)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert str(caught.value) == str(found.problems[0])
    assert len(str(caught.value)) < 400
    assert sorted(tmp_path.iterdir()) == [path]


LOWER = '{"speaker": "system", "utterance": "a"}'
EMPTY = {
    "babi": "1 a\tb\n2 c\t \n3 d\te\n\n1 inn R_price cheap\n",
    "chat": '{"messages": [{"role": "assistant", "content": " "}, {"role": "assistant", "content": "a"}]}\n'
    '{"messages": []}',
    "parlai": "text:a\tlabels:\ntext:a\tlabels:b\tepisode_done:True\ntext:a\tlabels:\n",
    "convlab": f'[{{"domains": [], "turns": [{{"speaker": "system", "utterance": ""}}, {LOWER}]}}, {{"turns": []}}]',
    "csv": "dialog,speaker,text\n1,system,\n1,system,a\n2,user,b\n",
}


@pytest.mark.parametrize("name", list(EMPTY))
def test_turns_without_a_response_are_left_out_and_counted_unless_it_is_strict(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, EMPTY[name])
    journal = Journal(path)
    (dialog,) = iterate_dialogs(path, journal)
    assert all(turn.system for turn in dialog.turns)
    assert (journal.lost["turn without a response"], journal.lost["dialog without a turn"]) in ((1, 1), (2, 1))
    assert len(validate(path).problems) == 2
    with pytest.raises(UserError, match=r"expected its response|no system response"):
        list(iterate_dialogs(path, Journal(path, strict=True)))
    with pytest.raises(UserError, match="holds no dialog"):
        read_dialogs(written(tmp_path, "context,response\na,\n"))


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("parquet", "arrow")])
def test_every_format_of_text_wants_utf_8(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, b"\n\n\xe9 caf")
    problem = validate(path, FORMATS[name]).problems[0]
    assert (problem.line, "0xe9" in str(problem)) == (3, True)
    path = written(tmp_path, b"")
    empty = validate(path, FORMATS[name])
    assert len(empty.problems) == 1
    assert empty.dialogs == 0


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("babi", "1 a\tb\nx\n3 c\td\te\n4 e\n\n1 a\tb\n1 a\tb\n2 c\td\n\n2 a\tb\n\n1 a\tb\n", [2, 3, 4, 7, 10]),
        ("chat", GOOD_CHAT + "{\n" + GOOD_CHAT + '{"messages": [1, 2]}\n', [2, 4, 4]),
        ("parlai", "text:a\ntext:b\tlabels:c\tepisode_done:True\nlabels:a\n\xe9\n", [1, 3, 4, 4]),
        ("sgd", '[{"turns": 1},\n{"turns": [{}, {}]},\n5]', [1, 2, 2, 3]),
        ("rasa", "stories:\n- a\n- steps: []\n- steps: [{bot: ''}]", [2, 3, 4]),
        ("csv", "context,response\na\nb,c\nd,\n", [2, 4]),
    ],
)
def test_all_problems_are_named_at_once(tmp_path: Path, name: str, text: str, lines: list[int]) -> None:
    found = validate(written(tmp_path, text), FORMATS[name])
    assert [problem.line for problem in found.problems] == lines


def test_a_bomb_of_aliases_costs_nothing(tmp_path: Path) -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30))
    found = validate(written(tmp_path, f"stories: []\nl0: &l0 [a]\n{levels}\n"))
    assert found.format.name == "rasa"
    assert "anchor or alias" in str(found.problems[0])


def test_what_is_no_readable_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_dialogs(tmp_path / "absent.jsonl")
    with pytest.raises(UserError, match="holds no dialog file"):
        validate(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="is a pipe or device; expected a file"):
        read_dialogs(tmp_path / "pipe")
    with (tmp_path / "large.yml").open("wb") as file:
        file.write(b"#" * 10_000)
        file.truncate(MAX_SIZE + 1)
    with pytest.raises(UserError, match="is larger than 64 MiB; split it"):
        read_dialogs(tmp_path / "large.yml")


def zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.txt", "1 hi\thello\n" * 1000)
    return held.getvalue()


def tarred() -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("train.txt"))
    return held.getvalue()


BINARY = {
    "tar": (tarred(), "is a tar archive; unpack it"),
    "zip": (zipped(), "is a zip archive, or a document made of one; unpack it, or save it as text"),
    "gzip": (gzip.compress(gzip.compress(b"1 hi\thello\n")), "is compressed by gzip twice; unpack it"),
    "UTF-16": ("1 hi\thello\n".encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
    "noise": (random.Random(0).randbytes(100_000), "is no text: "),
}


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("kind", list(BINARY))
def test_what_is_no_text_is_refused_in_one_sentence(tmp_path: Path, kind: str, name: str) -> None:
    data, message = BINARY[kind]
    path = written(tmp_path, data)
    with pytest.raises(UserError) as caught:
        list(iterate_dialogs(path, known=FORMATS[name]))
    assert str(caught.value).startswith(f"{path}: {message}")
    assert all_problems(path, FORMATS[name]) == all_problems(path) == [str(caught.value)]


def all_problems(path: Path, known: Format | None = None) -> list[str]:
    try:
        return [str(problem) for problem in validate(path, known).problems]
    except UserError as error:
        return [str(error)]


def test_a_file_can_be_converted_onto_itself(tmp_path: Path) -> None:
    path = written(tmp_path, "1 hi\thello\n")
    convert(path, path, to_format=FORMATS["chat"])
    assert path.read_text().startswith('{"messages"')
    with pytest.raises(UserError, match="cannot be written"):
        convert(path, path / "below.txt")


def test_text_of_no_form_is_told_which_forms_there_are(tmp_path: Path) -> None:
    (tmp_path / "prose.txt").write_text("Customer: hi\nAgent: hello\n")
    found = validate(tmp_path / "prose.txt")
    assert 'give JSON lines such as {"messages": ' in found.problems[0].message
    assert "bAbI" not in found.problems[1].message
