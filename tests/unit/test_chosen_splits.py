"""Which dialogs a path means: a file, a folder, several files that are one, or one split of these."""

from __future__ import annotations

import json
import logging
import zipfile
from pathlib import Path

import pytest

from tasksieve.audit import audit
from tasksieve.dialogs.formats import FORMATS, archive_files, dialog_file, find_splits, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.split_names import split_meant
from tasksieve.dialogs.formats.validate import dialog_files, validate
from tasksieve.errors import UserError
from tasksieve.records.parted_paths import data_sha256, parted, with_part
from tasksieve.training.runs.read_files import service_names


def convlab(path: Path, *splits: str | None) -> Path:
    """A file with a dialog of each of these splits; its one response is the split's number."""
    dialogs = [
        {
            "domains": [],
            **({} if split is None else {"data_split": split}),
            "turns": [{"speaker": "user", "utterance": "hi"}, {"speaker": "system", "utterance": str(number)}],
        }
        for number, split in enumerate(splits)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dialogs))
    return path


def schema_guided(path: Path, *responses: str) -> Path:
    turns = [{"speaker": "SYSTEM", "utterance": response, "frames": []} for response in responses]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([{"dialogue_id": "1", "services": [], "turns": [turn]} for turn in turns]))
    return path


def responses(path: Path | str, split: str = "train") -> list[str]:
    return [turn.system for dialog in read_dialogs(path, split) for turn in dialog.turns]


@pytest.mark.parametrize("name", ["validation", "valid", "dev", "VAL"])
def test_a_split_is_chosen_by_any_of_its_names(tmp_path: Path, name: str) -> None:
    file = convlab(tmp_path / "dialogues.json", "train", "validation", "test", "validation")
    assert responses(f"{file}#{name}") == ["1", "3"]
    assert split_meant(name) == "valid"


def test_a_split_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    file = convlab(tmp_path / "dialogues.json", "test", "train", "train")
    with pytest.raises(UserError, match=r"holds no dialog of a split 'fold_3'; it has train \(2\) and test \(1\)"):
        read_dialogs(f"{file}#fold_3")
    assert [problem.message for problem in validate(Path(f"{file}#fold_3")).problems] == [
        "holds no dialog of a split 'fold_3'; it has train (2) and test (1)"
    ]
    plain = schema_guided(tmp_path / "plain.json", "a")
    with pytest.raises(UserError, match="says of no dialog which split it is of; leave '#train' out"):
        read_dialogs(f"{plain}#train")
    (tmp_path / "in.txt").write_text("1 hi\thello\n")
    with pytest.raises(UserError, match="says of no dialog which split"):
        read_dialogs(tmp_path / "in.txt#train")


def test_a_file_that_really_has_the_mark_in_its_name_is_read(tmp_path: Path) -> None:
    file = convlab(tmp_path / "my#train", "train", "test")
    assert responses(file) == ["0", "1"]
    assert responses(f"{file}#test") == ["1"]
    assert parted(tmp_path / "none#train") == (tmp_path / "none#train", None)
    with pytest.raises(UserError, match="none#train: no such file"):
        read_dialogs(tmp_path / "none#train")
    assert with_part(Path(f"{file}#test"), "train") == Path(f"{file}#test")


def test_several_splits_read_as_one_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = convlab(tmp_path / "dialogues.json", "test", *["train"] * 3, "validation")
    sentence = "read train, validation and test as one: 5 dialogs; choose with dialogues.json#train"
    with caplog.at_level(logging.INFO, "tasksieve"):
        assert len(read_dialogs(file)) == 5
        assert len(read_dialogs(f"{file}#train")) == 3
    assert [record.getMessage() for record in caplog.records] == [f"{file}: {sentence}"]
    assert validate(file).as_one == convert(file, tmp_path / "out.jsonl").as_one == sentence
    assert convert(Path(f"{file}#dev"), tmp_path / "out.jsonl").dialogs == 1
    found = audit(f"{file}#train", valid=f"{file}#validation", test=file)
    assert found.as_one == {str(file): sentence}
    assert [size.dialogs for size in found.sizes] == [3, 1, 5]


ROWS = {
    "in.csv": "split,dialog,speaker,text\ntrain,1,user,a\ntrain,1,system,b\ndev,2,user,c\ndev,2,system,d\n",
    "pairs.csv": "question,answer,data_split\na,b,train\nc,d,validation\n",
    "in.jsonl": "".join(
        json.dumps(
            {"split": split, "messages": [{"role": "user", "content": u}, {"role": "assistant", "content": r}]}
        )
        + "\n"
        for split, u, r in (("train", "a", "b"), ("val", "c", "d"))
    ),
}


@pytest.mark.parametrize("name", list(ROWS))
def test_rows_may_have_a_column_of_splits(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(ROWS[name])
    assert responses(f"{tmp_path / name}#valid") == ["d"]
    assert responses(tmp_path / name) == ["b", "d"]
    found = validate(tmp_path / name)
    assert (found.lost, len(found.splits)) == ({}, 2)
    assert found.as_one is not None


def test_numbered_files_of_a_folder_are_one_split(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        for number in (2, 1):
            schema_guided(tmp_path / split / f"dialogues_00{number}.json", f"{split}{number}")
        (tmp_path / split / "schema.json").write_text("[]")
    (tmp_path / "dialog_acts.json").write_text("{}")
    assert find_splits(tmp_path) == {
        0: {"train": tmp_path / "train", "valid": tmp_path / "dev", "test": tmp_path / "test"}
    }
    assert responses(tmp_path) == responses(tmp_path / "train", "test") == ["train1", "train2"]
    assert responses(tmp_path, "valid") == responses(f"{tmp_path}#validation") == ["dev1", "dev2"]
    assert archive_files(tmp_path) == (tmp_path / "train",)
    assert service_names(archive_files(tmp_path)) == [tmp_path.name]
    assert [validate(path).dialogs for path in dialog_files(tmp_path)] == [2, 2, 2]
    done = convert(tmp_path, tmp_path.parent / "all.jsonl")
    assert done.dialogs == 6
    assert done.as_one == f"read train, valid and test as one: 6 dialogs; choose with {tmp_path.name}#train"
    assert convert(tmp_path / "train", tmp_path.parent / "train.jsonl").as_one is None


def test_shards_of_splits_may_lie_beside_each_other(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"train-0000{number}-of-00002.csv").write_text(f"question,answer\na,b{number}\n")
    (tmp_path / "validation-00000-of-00001.csv").write_text("question,answer\na,c\n")
    assert responses(tmp_path) == responses(f"{tmp_path}#train") == ["b0", "b1"]
    assert responses(tmp_path, "valid") == ["c"]
    assert find_splits(tmp_path)[0]["train"] == Path(f"{tmp_path}#train")
    digest = data_sha256(Path(f"{tmp_path}#train"))
    (tmp_path / "train-00000-of-00002.csv").write_text("question,answer\na,other\n")
    assert data_sha256(Path(f"{tmp_path}#train")) != digest


def test_a_word_of_a_name_tells_the_split_if_all_else_is_the_same(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        schema_guided(tmp_path / f"kvret_{split}_public.json", split)
    (tmp_path / "kvret_entities.json").write_text("{}")
    assert [responses(tmp_path, split) for split in ("train", "valid", "test")] == [["train"], ["dev"], ["test"]]
    other = tmp_path / "other"
    for number, names in enumerate((("hotel_train", "taxi_train"), ("hotel_test", "hotel_train", "taxi"))):
        for name in names:
            schema_guided(other / str(number) / f"{name}.json", name)
        assert tuple(path.stem for path in archive_files(other / str(number))) == names


def test_a_folder_of_one_file_is_that_file_or_its_split(tmp_path: Path) -> None:
    file = convlab(tmp_path / "camrest" / "data" / "dialogues.json", "train", "validation", "validation")
    for name in ("ontology", "CamRestDB"):
        (file.parent / f"{name}.json").write_text("[]")
    for folder in (file.parent, tmp_path / "camrest"):
        assert dialog_file(folder, "valid") == Path(f"{file}#valid")
        assert (len(read_dialogs(folder)), len(read_dialogs(folder, "valid"))) == (1, 2)
        assert archive_files(folder) == (Path(f"{file}#train"),)
        assert [validate(path).dialogs for path in dialog_files(folder)] == [3]
    plain = schema_guided(tmp_path / "plain" / "mine.json", "a")
    assert dialog_file(plain.parent, "valid") == plain
    with pytest.raises(UserError, match="says of no dialog which split it is of"):
        read_dialogs(f"{plain.parent}#train")


def test_a_folder_may_have_its_splits_in_a_folder_called_data(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for number in range(2):
            schema_guided(tmp_path / "set" / "data" / f"{split}-0000{number}-of-00002.json", f"{split}{number}")
    folder = tmp_path / "set"
    assert responses(folder) == responses(f"{folder}#train") == ["train0", "train1"]
    assert [validate(path).dialogs for path in dialog_files(folder)] == [2, 2]
    done = convert(folder, tmp_path / "all.jsonl")
    assert done.dialogs == 4
    assert done.as_one == "read train and test as one: 4 dialogs; choose with set#train"


def test_what_is_left_aside_in_an_archive_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("hotel", "ontology", "taxi"):
        schema_guided(tmp_path / f"{name}.json", name)
    with caplog.at_level(logging.INFO, "tasksieve"):
        assert len(archive_files(tmp_path)) == 2
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: not dialogs by their names, and not read: ontology.json"
    ]


def test_an_archive_of_services_is_no_split(tmp_path: Path) -> None:
    for name in ("Services_1", "Services_2", "Services_10"):
        schema_guided(tmp_path / f"{name}.json", name)
    assert len(archive_files(tmp_path)) == len(dialog_files(tmp_path)) == 3
    with pytest.raises(UserError, match=r"a split by its name, but Services_1\.json, Services_10"):
        read_dialogs(tmp_path)


def test_a_zip_archive_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("data/dialogues.json", "[]")
    (tmp_path / "dummy_data.json").write_text("[]")
    with pytest.raises(UserError, match="is a zip archive, or a document made of one; unpack it"):
        read_dialogs(tmp_path / "data.zip")
    for read in (read_dialogs, archive_files, dialog_files):
        with pytest.raises(UserError, match=r"no dialog file but data\.zip, a zip archive; unpack it"):
            read(tmp_path)


def test_problems_of_several_files_name_their_own(tmp_path: Path) -> None:
    schema_guided(tmp_path / "train" / "dialogues_001.json", "a")
    (tmp_path / "train" / "dialogues_002.json").write_text('[{"turns": [5]}]')
    found = validate(tmp_path / "train")
    assert [str(problem.path) for problem in found.problems] == [str(tmp_path / "train" / "dialogues_002.json")]
    assert found.dialogs == 1


def test_what_is_not_read_is_named_beside_a_problem(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "bad.csv").write_text("question,answer,n\na,b,1\nc,d,2\ne\n")
    for read in (read_dialogs, audit):
        caplog.clear()
        with caplog.at_level(logging.INFO, "tasksieve"), pytest.raises(UserError, match=r"bad\.csv:4: found 1 cell"):
            read(tmp_path / "bad.csv")
        (record,) = caplog.records
        assert record.getMessage() == f"{tmp_path / 'bad.csv'}: 1 dialog. Not read: column 'n' (1)"


def test_only_what_is_asked_for_is_written_back(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(ROWS["in.jsonl"])
    weights = {(0, 0): 0.25}
    done = convert(Path(f"{tmp_path}/in.jsonl#val"), tmp_path / "out.jsonl", weights=weights)
    assert done.dialogs == 1
    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(line)["split"] == "val"
    assert FORMATS["chat"].write is not None


def test_a_split_that_a_folder_lacks_is_refused_with_those_that_it_has(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.jsonl").write_text('{"prompt": "hi", "completion": "hello"}\n')
    with pytest.raises(UserError) as caught:
        read_dialogs(tmp_path, "valid")
    choose = f"choose one with {tmp_path.name}#train, or name a file, or have dialogs drawn with --split "
    assert f"holds no split 'valid'; it has train, test; {choose}" in str(caught.value)
