"""The bAbI format: what is read, and what is refused with file, line, found and expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import SILENCE, Dialog, Note, Record, Turn
from tasksieve.dialogs.formats import dialog_file, find_splits, read_babi, read_dialogs, read_sentences, write_babi
from tasksieve.dialogs.record import collected
from tasksieve.errors import UserError

GOOD = """1 male young veg pizza
2 resto_rome_1 R_rating 8
3 resto_rome_1 R_phone resto_rome_1_phone
4 resto_rome_2 R_rating 7
5 hello\thello what can i help you with
6 <SILENCE>\tapi_call italian rome
7 resto_rome_1 R_price cheap

1 hi\thello
2 api_call no result
3 \tsorry
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "dialogs.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def kb(entity: str, **relations: str) -> Record:
    return Record("kb", (("name", entity), *relations.items()))


def test_reads_profile_records_notes_and_turns(tmp_path: Path) -> None:
    first, second = read_babi(written(tmp_path, GOOD))
    assert first.profile == ("male", "young", "veg", "pizza")
    assert first.events == (
        kb("resto_rome_1", R_rating="8", R_phone="resto_rome_1_phone"),
        kb("resto_rome_2", R_rating="7"),
        Turn("hello", "hello what can i help you with"),
        Turn(SILENCE, "api_call italian rome"),
        kb("resto_rome_1", R_price="cheap"),
    )
    assert second.events == (Turn("hi", "hello"), Note("api_call no result"), Turn("", "sorry"))
    assert (first.line, second.line) == (1, 9)


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n"])
def test_line_ends_and_byte_order_mark_do_not_matter(tmp_path: Path, end: str) -> None:
    plain = read_babi(written(tmp_path, GOOD))
    text = "\ufeff" + GOOD.rstrip("\n").replace("\n", "\r\n") + end
    assert read_babi(written(tmp_path, text)) == plain


BAD = {
    "no number": ("1 a\tb\nhello\tc\n", 2, "line number, a space and text"),
    "no space": ("1\n", 1, "line number, a space and text"),
    "gap in numbers": ("1 a\tb\n3 c\td\n", 2, "found line number 3; expected 2"),
    "no blank line between dialogs": ("1 a\tb\n1 c\td\n", 2, "a blank line ends a dialog"),
    "second half of a dialog": ("2 a\tb\n", 1, "found line number 2; expected 1"),
    "two tabs": ("1 a\tb\tc\n", 1, "found 2 tabs; expected one"),
    "no tab": ("1 a\tb\n2 this is a turn without tab\n", 2, "expected a turn"),
    "profile later on": ("1 a\tb\n2 male young\n", 2, "expected a turn"),
    "half a triple": ("1 a\tb\n2 resto R_price\n", 2, "a triple ('entity R_relation value')"),
    "unknown profile": ("1 male ancient\n2 a\tb\n", 1, "a profile"),
    "not UTF-8": (b"1 caf\xe9\tb\n", 1, "0xe9 at column 6 is not UTF-8"),
    "NUL": (b"1 a\0\tb\n", 1, "NUL byte"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_lines_are_refused_with_their_place(tmp_path: Path, name: str) -> None:
    text, line, message = BAD[name]
    path = written(tmp_path, text)
    with pytest.raises(UserError) as caught:
        read_babi(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)
    assert (caught.value.path, caught.value.line) == (path, line)


def test_missing_empty_and_misplaced_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_babi(tmp_path / "absent.txt")
    with pytest.raises(UserError, match="holds no dialog"):
        read_babi(written(tmp_path, "\n\n"))
    with pytest.raises(UserError, match="is a directory"):
        read_babi(tmp_path)


words = st.text("abcdefghij_':", min_size=1, max_size=8)
sentences = st.lists(words, min_size=1, max_size=5).map(" ".join)
turns = st.builds(Turn, st.one_of(st.just(SILENCE), st.just(""), sentences), sentences)
records = st.builds(
    lambda entity, values: Record("kb", (("name", entity), *((f"R_{name}", value) for name, value in values))),
    words,
    st.lists(st.tuples(words, words), min_size=1, max_size=3),
)
profiles = st.sampled_from([(), ("male", "young"), ("female", "elderly", "non-veg", "tapas")])
dialogs = st.builds(
    lambda before, turn, after, profile: Dialog(tuple(collected((*before, turn, *after))), profile),
    st.lists(records, max_size=3),
    turns,
    st.lists(st.one_of(turns, records, st.just(Note("api_call no result"))), max_size=4),
    profiles,
)


@given(st.lists(dialogs, min_size=1, max_size=4))
@settings(deadline=None, max_examples=60)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, given_dialogs: list[Dialog]) -> None:
    path = tmp_path_factory.mktemp("round") / "dialogs.txt"
    write_babi(given_dialogs, path)
    assert [(d.events, d.profile) for d in read_babi(path)] == [(d.events, d.profile) for d in given_dialogs]
    before = path.read_bytes()
    write_babi(read_babi(path), path)
    assert path.read_bytes() == before


def test_what_has_no_place_is_left_out(tmp_path: Path) -> None:
    inn = kb("inn", R_city="rome", R_motto="we are open", R_price="cheap")
    events = (inn, Record("Hotels_1", (("name", "Inn"),)), Note("be kind"), kb("old inn", R_city="rome"))
    write_babi([Dialog((*events, Turn("a\tb", "c\nd")), ("tall",))], tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == "1 inn R_city rome\n2 inn R_price cheap\n3 a b\tc d\n\n"


@given(st.binary(max_size=80))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = written(tmp_path_factory.mktemp("any"), data)
    try:
        assert read_babi(path)
    except UserError as error:
        assert str(path) in str(error)


def test_sentences_of_candidates_and_knowledge_bases(tmp_path: Path) -> None:
    path = written(tmp_path, "1 resto R_price\tcheap\r\n1 hello there\n\n")
    assert read_sentences(path) == ["resto R_price cheap", "hello there"]
    with pytest.raises(UserError, match=r":2: found 'hello'; expected a number"):
        read_sentences(written(tmp_path, "1 a\nhello\n"))
    with pytest.raises(UserError, match="holds no sentence"):
        read_sentences(written(tmp_path, "\n"))


def test_a_directory_is_known_by_its_file_names(tmp_path: Path) -> None:
    names = ("dialog-babi-task1-API-calls-trn.txt", "dialog-babi-task5-full-dialogs-tst-OOV.txt")
    for name in names:
        (tmp_path / name).write_text(GOOD)
    assert find_splits(tmp_path) == {1: {"train": tmp_path / names[0]}, 5: {"test-oov": tmp_path / names[1]}}
    assert len(read_dialogs(tmp_path, "test-oov", task=5)) == 2
    with pytest.raises(UserError, match="holds tasks 1, 5; name one of its files"):
        read_dialogs(tmp_path)
    with pytest.raises(UserError, match="holds no valid file of task 1"):
        dialog_file(tmp_path, "valid", task=1)
    own = tmp_path / "own"
    own.mkdir()
    with pytest.raises(UserError, match=r"holds no dialog file; expected a file for each split, such as"):
        dialog_file(own, "train")
    (own / "train.txt").write_text(GOOD)
    assert dialog_file(own, "train") == own / "train.txt"


def test_the_published_files_are_read_whole(data_dir: Path, tmp_path: Path) -> None:
    """Every task, every split; turns as counted from the lines with a tab."""
    folder = data_dir / "dialog-bAbI-tasks"
    tasks = find_splits(folder)
    assert sorted(tasks) == [1, 2, 3, 4, 5, 6]
    for splits in tasks.values():
        for path in splits.values():
            text = path.read_text()
            read = read_babi(path)
            assert len(read) == text.count("\n1 ") + 1
            assert sum(len(dialog.turns) for dialog in read) == text.count("\t")
            write_babi(read, tmp_path / "again.txt")
            assert (tmp_path / "again.txt").read_text().split() == text.split()
    assert len(read_sentences(folder / "dialog-babi-kb-all.txt")) == 8400
    personalized = read_dialogs(data_dir / "personalized-dialog-dataset" / "small")
    assert len(personalized) == 1000
    assert all(len(dialog.profile) == 4 for dialog in personalized)
