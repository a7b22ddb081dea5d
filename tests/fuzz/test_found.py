"""Files that fuzzing found to break a reader once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksieve.errors import UserError
from tasksieve.records.config import config_from, read_values
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.tensor_files import read_tensors
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.labels import read_labels
from tests.fuzz.targets import EXAMPLES

FOUND = Path(__file__).with_name("found")


def test_a_parquet_file_that_aborts_its_reader_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"aborts-polars\.parquet: cannot be read as Parquet; is it damaged\?"):
        read_labels(FOUND / "aborts-polars.parquet", EXAMPLES)


def test_a_checksum_that_is_no_text() -> None:
    with pytest.raises(UserError, match="its checksum does not match"):
        read_tensors(FOUND / "surrogate-in-checksum.safetensors")


@pytest.mark.parametrize("result", ["9" * 400, "-" + "9" * 400, "1e999", "NaN", "true"])
def test_results_of_trials_that_are_no_numbers(tmp_path: Path, result: str) -> None:
    (tmp_path / "trials.jsonl").write_text(f'{{"groups": [true], "result": {result}}}\n')
    with pytest.raises(UserError, match="lacks a number 'result'"):
        RunFolder(tmp_path).read_trials([[True]])


@pytest.mark.parametrize("memories", ["1e9995", "1e30", "0", "-3", "true1", "null", "2.5"])
def test_numbers_of_memories_that_are_none(tmp_path: Path, memories: str) -> None:
    file = tmp_path / "encoding.json"
    file.write_text(f'{{"max_memories": {memories}, "words": ["a"], "candidates": {{"primary": ["a"]}}}}')
    with pytest.raises(UserError, match=r"max_memories: found .* expected 1 to 65536|not readable JSON"):
        Encoding.read(file, "cpu")


def test_keys_of_very_many_parts_are_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("a." * 30_000 + "b = 1")
    with pytest.raises(UserError, match="is not TOML: it is nested too deeply"):
        read_values(file)
    file.write_text("a." * 150 + "b = 1")
    with pytest.raises(UserError, match="unknown key 'a'"):
        config_from(read_values(file), file)
