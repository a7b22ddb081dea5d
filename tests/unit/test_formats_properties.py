"""What holds for every format: round trips, any bytes, files larger than memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import SILENCE, Dialog, Note, Record, Turn
from tasksieve.dialogs.formats import FORMATS, format_of, iterate_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import Journal, JournalFull
from tasksieve.dialogs.formats.validate import validate
from tasksieve.dialogs.record import collected, told
from tasksieve.errors import UserError
from tests.reading import WRITTEN

NAMES = list(FORMATS)
KEEP_WEIGHTS = ("chat", "parlai", "parlai-jsonl", "csv", "parquet", "arrow")
LINES = ("babi", "parlai", "chat", "parlai-jsonl", "csv")
ARRAYS = ("sgd", "convlab")

words = st.text("abcxyz_':09é日", min_size=1, max_size=6)
sentences = st.lists(words, min_size=1, max_size=4).map(" ".join)
turns = st.builds(Turn, st.one_of(st.just(SILENCE), st.just(""), sentences), sentences)
triples = st.builds(
    lambda entity, values: Record("kb", (("name", entity), *((f"R_{name}", value) for name, value in values))),
    words,
    st.lists(st.tuples(words, words), min_size=1, max_size=3),
)
profiles = st.sampled_from([(), ("male", "young"), ("female", "elderly", "non-veg", "tapas")])


def dialogs_of(
    turns: st.SearchStrategy[Turn], *others: st.SearchStrategy[Record | Note]
) -> st.SearchStrategy[Dialog]:
    """Dialogs of turns and of other events, in the form in which they are read: triples of an entity together."""
    return st.builds(
        lambda events, last, profile: Dialog(tuple(collected((*events, last))), profile),
        st.lists(st.one_of(turns, *others), max_size=5),
        turns,
        profiles,
    )


anything = st.text(st.characters(exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=12).map(str.strip)
any_turns = st.builds(Turn, anything, anything.filter(bool))
any_notes = anything.filter(
    lambda text: text and all(isinstance(told(line.strip()), Note) for line in text.split("\n"))
)
any_values = st.recursive(
    anything,
    lambda inner: (
        st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(anything, inner, max_size=2).map(lambda fields: Record("", tuple(fields.items())))
    ),
    max_leaves=4,
)
fields = st.lists(st.tuples(anything, any_values), max_size=3).map(tuple)
kinds = st.sampled_from(["", "slots", "notes", "told", "Hotels_1", 'a kind: of "two" words\n', "profile:"]) | anything
any_records = triples | st.builds(Record, kinds | st.just("kb"), fields)
dialogs = dialogs_of(turns, triples)
any_dialogs = dialogs_of(any_turns, any_records, any_notes.map(Note))
short_notes = st.sampled_from(["You are kind.", "api_call no result", "it is {21} degrees", "a b c"]).map(Note)
told_dialogs = dialogs_of(turns, any_records, short_notes)


def plain(read: Iterable[Dialog]) -> list[Dialog]:
    return [replace(dialog, line=0) for dialog in read]


def read(known: Format, path: Path) -> list[Dialog]:
    return plain(iterate_dialogs(path, known=known))


@pytest.mark.parametrize("name", WRITTEN)
@given(given_dialogs=st.lists(dialogs, min_size=1, max_size=4))
@settings(deadline=None, max_examples=30)
def test_what_is_written_is_read_back_and_known_again(
    tmp_path_factory: pytest.TempPathFactory, name: str, given_dialogs: list[Dialog]
) -> None:
    path = tmp_path_factory.mktemp("round") / "dialogs"
    FORMATS[name].write(given_dialogs, path)
    assert format_of(path).name == name
    assert read(FORMATS[name], path) == given_dialogs


@pytest.mark.parametrize("name", ["chat", "parlai-jsonl", "sgd", "convlab", "csv"])
@given(given_dialogs=st.lists(any_dialogs, min_size=1, max_size=3))
@example([Dialog((Turn("a\nb\t\"',;|", 'x\n\n"'), Note("=1+1"), Note("c"), Turn("", "a\u2028\x85\x1cz")))])
@settings(deadline=None, max_examples=30)
def test_these_keep_any_text(
    tmp_path_factory: pytest.TempPathFactory, name: str, given_dialogs: list[Dialog]
) -> None:
    path = tmp_path_factory.mktemp("any") / "dialogs"
    FORMATS[name].write(given_dialogs, path)
    assert read(FORMATS[name], path) == given_dialogs


@pytest.mark.parametrize("name", ["parlai", "rasa"])
@given(given_dialogs=st.lists(told_dialogs, min_size=1, max_size=3))
@example([Dialog((Record("a", (("b\\n\t", ("|__PIPE__", "\\\\n")),)), Turn("a", "b")))])
@settings(deadline=None, max_examples=30)
def test_these_keep_any_record(
    tmp_path_factory: pytest.TempPathFactory, name: str, given_dialogs: list[Dialog]
) -> None:
    path = tmp_path_factory.mktemp("record") / "dialogs"
    FORMATS[name].write(given_dialogs, path)
    assert read(FORMATS[name], path) == given_dialogs


weights = st.sampled_from([1.0, 0.0, 2.0]) | st.floats(0, 1e6, allow_subnormal=False)
counted_dialogs = dialogs_of(st.builds(Turn, anything, sentences, weights), triples)


def weights_of(read_dialogs: list[Dialog]) -> list[float]:
    return [turn.learned for dialog in read_dialogs for turn in dialog.turns]


@pytest.mark.parametrize("name", WRITTEN)
@given(given_dialogs=st.lists(counted_dialogs, min_size=1, max_size=3))
@settings(deadline=None, max_examples=30)
def test_weights_are_kept_or_named_as_lost(
    tmp_path_factory: pytest.TempPathFactory, name: str, given_dialogs: list[Dialog]
) -> None:
    folder = tmp_path_factory.mktemp("weights")
    FORMATS["parlai-jsonl"].write(given_dialogs, folder / "in")
    lost = convert(folder / "in", folder / "out", to_format=FORMATS[name]).lost
    before, after = weights_of(given_dialogs), weights_of(read(FORMATS[name], folder / "out"))
    assert after == (before if name in KEEP_WEIGHTS else [1.0] * len(before))
    changed = [weight for weight, other in zip(before, after, strict=True) if weight != other]
    assert lost.get("weight 0 of a response", 0) == changed.count(0)
    assert lost.get("weight of a response", 0) == len(changed) - changed.count(0)


@pytest.mark.parametrize("name", WRITTEN)
@given(given_dialogs=st.lists(any_dialogs, min_size=1, max_size=3))
@settings(deadline=None, max_examples=30)
def test_the_list_of_losses_is_empty_only_if_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, name: str, given_dialogs: list[Dialog]
) -> None:
    folder = tmp_path_factory.mktemp("lost")
    FORMATS["chat"].write(given_dialogs, folder / "in.jsonl")
    done = convert(folder / "in.jsonl", folder / "out", to_format=FORMATS[name])
    assert (done.dialogs, done.turns) == (len(given_dialogs), sum(len(dialog.turns) for dialog in given_dialogs))
    assert bool(done.lost) == (read(FORMATS[name], folder / "out") != given_dialogs)


STARTS = [
    b"",
    b"\xef\xbb\xbf",
    b'{"messages": [',
    b'{"dialog": [[',
    b'[{"turns": [',
    b"stories:\n- story: a\n  steps:\n  - ",
]
STARTS += [b"text:", b"dialog,speaker,text\n", b"context;response\n", b"1 "]
PIECES = [
    b'{"role": "user", "content": "x"}',
    b'"speaker": "USER", "utterance": 1',
    b"intent: a\n",
    b"user: [a](b)\n",
]
PIECES += [
    b"&a *a",
    b"!!python/object:os.system x",
    b"\t",
    b"\n",
    b'"',
    b"}]}",
    b"[" * 2000,
    b'{"a":' * 2000,
    b"9" * 5000,
]
PIECES += [
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b'"\\ud800"',
    b"labels:x",
    b"1,user,hi\n",
    b"NaN",
    b"\r\n",
    b"?",
    b"- ",
    b": ",
]
bytes_of_files = st.builds(
    lambda start, middle, end: start + b"".join(middle) + end,
    st.sampled_from(STARTS),
    st.lists(st.sampled_from(PIECES)),
    st.binary(),
)


@pytest.mark.parametrize("name", [None, *NAMES])
@given(data=bytes_of_files)
@example(data=b"\xfe\xff")
@settings(deadline=None, max_examples=80)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str | None, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "dialogs"
    path.write_bytes(data)
    known = None if name is None else FORMATS[name]
    try:
        found = validate(path, known)
    except UserError as error:  # it is no text at all
        assert str(path) in str(error)
        with pytest.raises(UserError):
            list(iterate_dialogs(path, known=known))
        return
    try:
        assert len(list(iterate_dialogs(path, Journal(path, strict=True), known))) == found.dialogs > 0
        assert not found.problems
    except UserError as error:
        assert str(path) in str(error)
        assert found.problems
        assert all(problem.line is None or problem.line > 0 for problem in found.problems)


def many(count: int) -> Iterator[Dialog]:
    turn = Turn("hello " * 700, "good morning " * 700)
    return (Dialog((turn, turn)) for _ in range(count))


@pytest.mark.parametrize("name", [*LINES, *ARRAYS])
def test_a_file_is_never_whole_in_memory(tmp_path: Path, name: str) -> None:
    known = FORMATS[name]
    tracemalloc.start()
    known.write(many(400), tmp_path / "dialogs")
    count = sum(1 for _ in iterate_dialogs(tmp_path / "dialogs"))
    converted = convert(tmp_path / "dialogs", tmp_path / "out.jsonl", from_format=known)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, converted.dialogs) == (400, 400)
    assert (tmp_path / "dialogs").stat().st_size > 10 << 20
    assert peak < 5 << 20


@pytest.mark.parametrize("name", [*LINES, *ARRAYS, "rasa"])
def test_the_first_dialogs_come_before_the_rest_is_looked_at(tmp_path: Path, name: str) -> None:
    FORMATS[name].write(many(150), tmp_path / "dialogs")
    with (tmp_path / "dialogs").open("ab") as file:
        file.write(b"\n\xff\xff\xff\n")
    reading = FORMATS[name].read(tmp_path / "dialogs", Journal(tmp_path / "dialogs"))
    assert len(list(islice(reading, 50))) == 50
    with pytest.raises(UserError, match="not UTF-8"):
        list(reading)


def test_a_journal_that_is_full_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "dialogs.jsonl"
    path.write_text("nonsense\n" * 5000)
    found = validate(path)
    assert (len(found.problems), found.cut) == (1000, True)
    journal = Journal(path, collect=True)
    with pytest.raises(JournalFull):
        for _ in range(2000):
            journal.refuse("no")


def test_names_from_a_file_neither_fill_the_memory_nor_reach_the_terminal_raw(tmp_path: Path) -> None:
    path = tmp_path / "dialogs.jsonl"
    said = '"messages": [{"role": "assistant", "content": "a"}]'
    lines = [f'{{{said}, "\\u001b[31m{"x" * 999}{number}": 0, "k{number}": 0}}\n' for number in range(200)]
    path.write_text("".join(lines))
    found = validate(path)
    assert (found.problems, found.dialogs, sum(found.lost.values())) == ((), 200, 400)
    assert len(found.lost) <= 51
    assert all(name.isprintable() and len(name) <= 120 for name in found.lost)


def test_one_dialog_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    text = json.dumps("x" * (9 << 20))
    for content in (f'[{{"turns": [{text}]}}]', f'[{{"turns": [{text}', f'{{"messages": [{text}]}}', f"1 a\t{text}"):
        (tmp_path / "large").write_text(content)
        with pytest.raises(UserError, match="more than 8 Mi"):
            list(iterate_dialogs(tmp_path / "large"))
