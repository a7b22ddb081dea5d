"""Folders as they are downloaded from the Hugging Face hub: names of shards, of splits, and the page beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasksieve.audit import audit
from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.formats import dialog_file, find_splits, read_dialogs
from tasksieve.dialogs.formats.chosen import chosen
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.table_writing import write_parquet
from tasksieve.dialogs.formats.validate import dialog_files, validate
from tasksieve.errors import UserError
from tasksieve.records.parted_paths import data_files_at, data_sha256

HASH = "5dfaee2e9ea1bd42"


def parquet(path: Path, *responses: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet([Dialog((Turn("hi", response),)) for response in responses], path)
    return path


def lines(path: Path, *responses: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"prompt": "hi", "completion": one}) + "\n" for one in responses))
    return path


def page(folder: Path, front: str) -> None:
    (folder / "README.md").write_text(f"---\nlicense: mit\n{front}---\n# A data set\n\n---\nnot: this\n")


def responses(path: Path | str, split: str = "train") -> list[str]:
    return [turn.system for dialog in read_dialogs(path, split) for turn in dialog.turns]


def test_shards_with_a_hash_in_their_names_are_splits(tmp_path: Path) -> None:
    for number in range(2):
        parquet(tmp_path / "data" / f"train-0000{number}-of-00002-{HASH}.parquet", f"{number}")
    parquet(tmp_path / "data" / f"test-00000-of-00001-{HASH}.parquet", "2")
    (tmp_path / "README.md").write_text("# no front matter\n")
    assert responses(tmp_path) == ["0", "1"]
    assert responses(tmp_path, "test") == responses(f"{tmp_path}#test") == ["2"]
    assert convert(tmp_path, tmp_path.parent / "all.jsonl").turns == 3
    assert [validate(file).turns for file in dialog_files(tmp_path)] == [2, 1]


def test_splits_with_a_word_more_are_those_of_their_first_word(tmp_path: Path) -> None:
    parquet(tmp_path / f"train_sft-00000-of-00001-{HASH}.parquet", "0")
    parquet(tmp_path / f"test_sft-00000-of-00001-{HASH}.parquet", "1")
    assert responses(tmp_path) == responses(f"{tmp_path}#train_sft") == responses(f"{tmp_path}#train") == ["0"]
    assert list(find_splits(tmp_path)[0]) == ["train", "test"]


def test_several_splits_of_one_first_word_are_chosen_by_their_whole_names(tmp_path: Path) -> None:
    for number, split in enumerate(("train_sft", "test_sft", "train_gen")):
        parquet(tmp_path / f"{split}-00000-of-00001.parquet", f"{number}")
    assert responses(f"{tmp_path}#train_gen") == responses(f"{tmp_path}#TRAIN_GEN") == ["2"]
    assert responses(tmp_path, "test") == responses(f"{tmp_path}#test_sft") == ["1"]
    with pytest.raises(UserError, match=r"no split 'train'; it has .*train_sft.*; choose one with .*#train_"):
        read_dialogs(tmp_path)
    done = convert(tmp_path, tmp_path.parent / "all.jsonl")
    assert done.turns == 3
    assert done.as_one is not None
    assert "train_gen" in done.as_one


def test_files_of_tasks_that_start_alike_stay_tasks(tmp_path: Path) -> None:
    for name in ("train_hotels", "train_trips"):
        lines(tmp_path / f"{name}.jsonl", name)
    with pytest.raises(UserError, match="holds no dialog file"):
        dialog_file(tmp_path, "train")


@pytest.mark.parametrize(
    "files",
    [
        '  data_files:\n  - split: train\n    path: some/a-*\n  - split: test\n    path: ["some/b.jsonl"]\n',
        "  data_files: {train: [./some/a-1.jsonl, some/a-2.jsonl], test: some/b.jsonl}\n",
        "  data_dir: some\n  data_files:\n  - split: train\n    path: a-*\n  - split: test\n    path: b.*\n",
    ],
)
def test_the_page_of_a_folder_says_which_files_are_splits(tmp_path: Path, files: str) -> None:
    for name, response in (("a-1", "0"), ("a-2", "1"), ("b", "2"), ("c", "3")):
        lines(tmp_path / "some" / f"{name}.jsonl", response)
    page(tmp_path, f"configs:\n- config_name: default\n{files}")
    assert responses(tmp_path) == responses(f"{tmp_path}#train") == ["0", "1"]
    assert responses(f"{tmp_path}#test") == ["2"]
    assert convert(tmp_path, tmp_path.parent / "all.jsonl").turns == 3
    record = audit(tmp_path, test=tmp_path).record()
    assert [size["turns"] for size in record["sizes"]] == [2, 1]


def test_files_without_a_split_are_training_dialogs(tmp_path: Path) -> None:
    lines(tmp_path / "talk.jsonl", "0")
    lines(tmp_path / "more.jsonl", "1")
    page(tmp_path, 'configs:\n- config_name: any\n  data_files: "*.jsonl"\n')
    assert responses(tmp_path) == ["1", "0"]


def test_of_several_data_sets_the_default_is_meant_and_each_can_be_chosen(tmp_path: Path) -> None:
    for name, response in (("main", "0"), ("other", "1")):
        lines(tmp_path / name / "a.jsonl", response)
    configs = [f"- config_name: {n}\n  data_files: [{{split: train, path: {n}/*}}]\n" for n in ("main", "other")]
    page(tmp_path, "configs:\n" + configs[0] + "  default: true\n" + configs[1])
    assert responses(tmp_path) == ["0"]
    assert responses(f"{tmp_path}#other:train") == ["1"]
    page(tmp_path, "configs:\n" + "".join(configs))
    with pytest.raises(UserError, match="holds no"):
        read_dialogs(tmp_path)
    assert [split for _, split in chosen(tmp_path).files] == ["main:train", "other:train"]
    assert responses(f"{tmp_path}#main:train") == ["0"]


@pytest.mark.parametrize("path", ["../out.jsonl", "/etc/*", "hf://x/*", "none-*", "**a", ""])
def test_files_elsewhere_are_not_those_of_the_folder(tmp_path: Path, path: str) -> None:
    lines(tmp_path / "out.jsonl", "9")
    lines(tmp_path / "in" / "train.jsonl", "0")
    page(tmp_path / "in", f'configs:\n- config_name: default\n  data_files: "{path}"\n')
    assert responses(tmp_path / "in") == ["0"]


@pytest.mark.parametrize(
    "front", ["configs: [\n", "configs: x\n", "configs: [a, {data_files: {b: c}}]\n", "a: &b c\n"]
)
def test_a_page_that_says_nothing_of_use_is_passed_over(tmp_path: Path, front: str) -> None:
    lines(tmp_path / "train.jsonl", "0")
    page(tmp_path, front)
    assert responses(tmp_path) == ["0"]


@pytest.mark.parametrize("name", ["a" * 5000, '"\\0"', "..", "/", "train.jsonl"])
def test_a_folder_that_cannot_be_is_passed_over(tmp_path: Path, name: str) -> None:
    lines(tmp_path / "train.jsonl", "0")
    page(tmp_path, f'configs:\n- data_dir: {name}\n  data_files: "*"\n')
    assert responses(tmp_path) == ["0"]


def test_the_digest_of_a_folder_is_that_of_its_data_not_of_its_page(tmp_path: Path) -> None:
    lines(tmp_path / "data" / "train.jsonl", "0")
    (tmp_path / "README.md").write_text("# A data set\n")
    (tmp_path / ".gitattributes").write_text("")
    before = data_sha256(tmp_path)
    assert tmp_path / "data" / "train.jsonl" in data_files_at(tmp_path)
    lines(tmp_path / "data" / "train.jsonl", "1")
    assert data_sha256(tmp_path) != before


def test_a_pointer_of_git_lfs_is_refused_by_its_name(tmp_path: Path) -> None:
    for name in ("train.parquet", "train.jsonl"):
        (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
        with pytest.raises(UserError, match="is a pointer of Git LFS"):
            read_dialogs(tmp_path / name)
