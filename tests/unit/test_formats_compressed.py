"""Files compressed by gzip, zstd, xz and bzip2, read as a stream and written."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.formats import FORMATS, archive_files, iterate_dialogs, read_dialogs
from tasksieve.dialogs.formats.compressed import COMPRESSIONS, compression_named, open_plain, pack, zstd
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.validate import validate
from tasksieve.errors import UserError
from tests.public_sets import PUBLIC
from tests.reading import WRITTEN

PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
}
"""As other programs do it."""
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".zst": zstd.decompress,
    ".xz": lzma.decompress,
    ".bz2": bz2.decompress,
}
TEXTS = [name for name in WRITTEN if name not in ("parquet", "arrow")]
DIALOGS = [Dialog((Turn("hello", "hi"), Turn("food", "sure"))), Dialog((Turn("bye", "good bye"),))]
GOOD = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("ending", list(PACK))
@pytest.mark.parametrize("name", TEXTS)
def test_every_format_is_read_in_every_compression_whatever_the_name(tmp_path: Path, name: str, ending: str) -> None:
    FORMATS[name].write(DIALOGS, tmp_path / "plain")
    path = written(tmp_path / "dialogs", PACK[ending]((tmp_path / "plain").read_bytes()))
    for known in (None, FORMATS[name]):
        assert [dialog.events for dialog in iterate_dialogs(path, known=known)] == [one.events for one in DIALOGS]


@pytest.mark.parametrize("ending", list(PACK))
@pytest.mark.parametrize("name", list(PUBLIC))
def test_public_sets_are_read_in_every_compression(tmp_path: Path, name: str, ending: str) -> None:
    plain = written(tmp_path / "plain", PUBLIC[name][0])
    path = written(tmp_path / "dialogs", PACK[ending](PUBLIC[name][0]))
    dialogs = [dialog.events for dialog in iterate_dialogs(path)]
    assert dialogs
    assert dialogs == [dialog.events for dialog in iterate_dialogs(plain)]


@pytest.mark.parametrize("ending", list(PACK))
def test_a_name_says_how_a_file_is_written(tmp_path: Path, ending: str) -> None:
    source = written(tmp_path / "in.jsonl", GOOD)
    target = tmp_path / f"out.csv{ending}"
    found = convert(source, target)
    assert (found.target, found.lost) == ("csv", {})
    assert UNPACK[ending](target.read_bytes()).startswith(b"dialog,speaker,text")
    assert read_dialogs(target)[0].turns == (Turn("a", "b"),)
    before = target.read_bytes()
    convert(source, target)
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", target.name]


def test_an_unknown_ending_below_a_compression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ends in '\.doc'; expected one of"):
        convert(written(tmp_path / "in.jsonl", GOOD), tmp_path / "out.doc.gz")
    assert compression_named(Path("a.JSONL.GZ"))[1] == Path("a.JSONL")


@pytest.mark.parametrize("ending", list(PACK))
def test_problems_have_the_lines_of_what_is_inside(tmp_path: Path, ending: str) -> None:
    found = validate(written(tmp_path / "a", PACK[ending](GOOD + b"{]\n" + GOOD + b"\xe9\n")))
    assert [problem.line for problem in found.problems] == [2, 4]
    assert found.dialogs == 2


@pytest.mark.parametrize("ending", list(PACK))
def test_several_streams_one_after_the_other_are_one_file(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path / "a", PACK[ending](GOOD * 2000) + PACK[ending](GOOD) + bytes(512) + PACK[ending](GOOD))
    assert validate(path).dialogs == 2002
    assert not validate(path).problems


@pytest.mark.parametrize("ending", list(PACK))
def test_a_cut_file_and_a_damaged_one_are_refused_in_one_sentence(tmp_path: Path, ending: str) -> None:
    lines = b"".join(GOOD.replace(b'"a"', b'"%x"' % (n**7)) for n in range(3000))
    data = PACK[ending](lines)
    assert validate(written(tmp_path / "a", data)).dialogs == 3000
    name = next(known.name for known in COMPRESSIONS if known.ending == ending)
    with pytest.raises(UserError, match=f"a: ends in the middle of its {name} data; is it whole"):
        validate(written(tmp_path / "a", data[:-100]))
    middle = len(data) // 2
    broken = data[:middle] + bytes(byte ^ 255 for byte in data[middle : middle + 50]) + data[middle + 50 :]
    with pytest.raises(UserError):
        list(iterate_dialogs(written(tmp_path / "a", broken), known=FORMATS["chat"]))
    with pytest.raises(UserError, match=f"a: cannot be unpacked as {name} .*; is it damaged"):
        validate(written(tmp_path / "a", data + b"more" * 9))


@pytest.mark.parametrize("ending", list(PACK))
def test_a_small_file_with_much_in_it_fills_no_memory(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path / "a", PACK[ending](b"[" + b" " * (16 << 20)))
    assert path.stat().st_size < 1 << 18
    tracemalloc.start()
    try:
        found = validate(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.problems
    assert peak < 12 << 20


def test_windows_that_take_too_much_memory_are_refused(tmp_path: Path) -> None:
    large = {zstd.CompressionParameter.window_log: 28}
    compressor = zstd.ZstdCompressor(options=large)
    packed = compressor.compress(GOOD) + compressor.flush()
    with pytest.raises(UserError, match=r"cannot be unpacked as zstd .*memory"):
        read_dialogs(written(tmp_path / "a", packed))
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]
    declared = lzma.compress(GOOD, filters=filters)
    with pytest.raises(UserError, match=r"cannot be unpacked as xz .*emory"):
        read_dialogs(written(tmp_path / "a", declared))


def test_rasa_files_are_limited_by_what_is_inside(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yml.gz", gzip.compress(b"stories:\n" + (b"# " + b"a" * 1021 + b"\n") * (65 << 10)))
    with pytest.raises(UserError, match="is larger than 64 MiB; split it"):
        list(iterate_dialogs(path, known=FORMATS["rasa"]))


@pytest.mark.parametrize("ending", list(PACK))
@settings(deadline=None, max_examples=25)
@given(
    data=st.binary(min_size=1, max_size=300),
    repeats=st.integers(1, 2000),
    sizes=st.lists(st.integers(1, 5000), min_size=1),
)
def test_what_is_packed_is_unpacked_in_any_pieces(
    tmp_path_factory: pytest.TempPathFactory, ending: str, data: bytes, repeats: int, sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("packed")
    whole = data * repeats
    compression = next(known for known in COMPRESSIONS if known.ending == ending)
    pack(written(folder / "plain", whole), folder / "packed", compression)
    assert UNPACK[ending]((folder / "packed").read_bytes()) == whole
    found = []
    with open_plain(folder / "packed") as file:
        while piece := file.read(sizes[len(found) % len(sizes)]):
            found.append(piece)
    assert b"".join(found) == whole
    shutil.rmtree(folder)


def test_an_archive_of_compressed_files_is_a_task_for_each(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.csv.zst"):
        convert(written(tmp_path.parent / "in.jsonl", GOOD), tmp_path / name)
    assert [path.name for path in archive_files(tmp_path)] == ["a.jsonl.gz", "b.csv.zst"]
