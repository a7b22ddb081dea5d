"""Disks that are full or closed, and checkpoints that are damaged: one sentence, and nothing lost."""

from __future__ import annotations

import ctypes
import logging
import random
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tasksieve.errors import UserError
from tasksieve.records.files import write_json
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.state import StateCopy
from tasksieve.training.loop.tensor_files import read_tensors, write_tensors
from tests.reliability.victims import SHORT, command, disk_full, learn, left, run, strike_at, unstruck

CHECKPOINTS = "checkpoints"


@pytest.fixture(scope="module")
def undisturbed(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an undisturbed run; not to be written to."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    learn(tasks_dir, folder, SHORT)
    return folder


@pytest.fixture(scope="module")
def whole(undisturbed: Path) -> dict[str, bytes]:
    """What an undisturbed run leaves."""
    return left(undisturbed)


@pytest.fixture
def strike() -> Iterator[Callable[..., Callable[[], int]]]:
    yield strike_at
    unstruck()


def test_a_full_disk_is_one_sentence_wherever_it_strikes(
    tasks_dir: Path, tmp_path: Path, whole: dict[str, bytes], strike: Callable[..., Callable[[], int]]
) -> None:
    for operation in range(1, 70, 15):
        strike(operation, disk_full)
        try:
            with pytest.raises(UserError, match=r"cannot be written: No space left on device"):
                learn(tasks_dir, tmp_path / "run", SHORT)
        finally:
            unstruck()
        assert not list((tmp_path / "run").rglob("*.part"))
        learn(tasks_dir, tmp_path / "run", SHORT)
        assert left(tmp_path / "run") == whole
        (tmp_path / "run").rename(tmp_path / f"run-{operation}")


def test_a_limit_on_file_sizes_ends_the_command_in_one_sentence(
    tasks_dir: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    limit = len(whole["checkpoints/best.safetensors"]) + 100
    ended = run(
        command(tasks_dir, tmp_path / "run", SHORT), lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    assert ended.stderr.splitlines()[-1].endswith("last.safetensors: cannot be written: File too large")
    assert "Traceback" not in ended.stderr
    learn(tasks_dir, tmp_path / "run", SHORT)
    assert left(tmp_path / "run") == whole


def without_privilege() -> None:
    """Let permissions count for root too: drop CAP_DAC_OVERRIDE from what the next program may have."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


def test_a_read_only_folder_is_refused_in_one_sentence(tasks_dir: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    ended = run(command(tasks_dir, closed / "run", SHORT), without_privilege)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    *told, error = ended.stderr.splitlines()
    assert error == f"error: {closed / 'run'}: cannot be written: Permission denied"
    before = ("look: ", "predicting ", "primary: ", "restaurant: ", "cost: ")
    assert all(line.startswith(before) for line in told), ended.stderr
    assert not list(closed.iterdir())


def truncated(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def flipped(data: bytes) -> bytes:
    place = random.Random(1).randrange(len(data))
    return data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "header only": lambda data: data[:8],
    "truncated": truncated,
    "bit-flipped": flipped,
    "appended to": lambda data: data + b"\0",
    "header length": lambda data: b"\xff" * 8 + data[8:],
}


@pytest.fixture
def unfinished(undisturbed: Path, tmp_path: Path) -> RunFolder:
    """A run that was stopped before its end, with two checkpoints."""
    shutil.copytree(undisturbed, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    return RunFolder(tmp_path / "run")


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    tasks_dir: Path, unfinished: RunFolder, whole: dict[str, bytes], caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    last = unfinished.last_checkpoint
    last.write_bytes(DAMAGES[damage](last.read_bytes()))
    damaged = last.read_bytes()
    with caplog.at_level(logging.WARNING, "tasksieve"):
        learn(tasks_dir, unfinished.path, SHORT)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{last}: is ")
    assert record.getMessage().endswith("; going on from the checkpoint before, of iteration 4")
    assert "\n" not in record.getMessage()
    assert left(unfinished.path) == whole
    assert (unfinished.path / CHECKPOINTS / "refused.safetensors").read_bytes() == damaged


def test_every_single_flipped_bit_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "small.safetensors"
    write_tensors(file, {"a": torch.arange(3.0)}, {"step": "1"}, "model")
    data = file.read_bytes()
    assert read_tensors(file)[1] == {"step": "1"}
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        with pytest.raises(UserError):
            read_tensors(file)


def test_other_peoples_tensors_are_refused_in_one_sentence(tasks_dir: Path, unfinished: RunFolder) -> None:
    for file in (unfinished.last_checkpoint, unfinished.previous_checkpoint):
        save_file({"weight": torch.zeros(2)}, file, {"format": "pt"})
    with pytest.raises(UserError) as refused:
        learn(tasks_dir, unfinished.path, SHORT)
    assert str(refused.value).startswith(f"{unfinished.last_checkpoint}: holds tensors, but is no checkpoint of")
    assert unfinished.last_checkpoint.exists()
    save_file({"weight": torch.zeros(2)}, unfinished.last_checkpoint, {"format": "tasksieve", "step": "4"})
    unfinished.previous_checkpoint.unlink()
    with pytest.raises(UserError, match=r"is of checkpoint format 1, .*; this one reads 2"):
        learn(tasks_dir, unfinished.path, SHORT)
    unfinished.best_checkpoint.replace(unfinished.last_checkpoint)
    with pytest.raises(UserError, match=r"is a checkpoint of kind 'model'; expected 'state'"):
        learn(tasks_dir, unfinished.path, SHORT)


def test_a_run_killed_before_its_best_model_was_written_has_it_in_the_checkpoint(
    tasks_dir: Path, tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(copy: StateCopy, path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StateCopy, "write_model", killed)
        with pytest.raises(KeyboardInterrupt):
            learn(tasks_dir, tmp_path / "run", SHORT)
    folder = RunFolder(tmp_path / "run")
    assert folder.last_checkpoint.exists() and not folder.best_checkpoint.exists()
    learn(tasks_dir, folder.path, SHORT)
    assert left(folder.path) == whole


def test_a_best_model_that_is_lost_is_one_sentence(tasks_dir: Path, unfinished: RunFolder) -> None:
    best, (_, facts) = unfinished.best_checkpoint, read_tensors(unfinished.last_checkpoint, "state")
    assert 0 < int(facts["best_step"]) < int(facts["step"])
    write_tensors(best, {"model.a": torch.zeros(1)}, {"step": str(int(facts["best_step"]) - 1)}, "model")
    with pytest.raises(UserError, match=r"best\.safetensors: is not of iteration \d; the best model so far is lost"):
        learn(tasks_dir, unfinished.path, SHORT)
    best.unlink()
    with pytest.raises(
        UserError, match=r"best\.safetensors: no such checkpoint; the best model so far is lost; remove"
    ):
        learn(tasks_dir, unfinished.path, SHORT)


def test_a_run_that_died_before_its_first_record_is_begun_anew(
    tasks_dir: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".lock").touch()
    (folder / ".config.toml.77.part").write_text("[data")
    learn(tasks_dir, folder, SHORT)
    assert left(folder) == whole


def test_damaged_records_are_one_sentence(tasks_dir: Path, unfinished: RunFolder) -> None:
    write_json(unfinished.path / "environment.json", [1])
    with pytest.raises(UserError, match=r"environment\.json: is not a record: found a list"):
        learn(tasks_dir, unfinished.path, SHORT)
    write_json(unfinished.path / "environment.json", {})
    with pytest.raises(UserError, match=r"environment\.json: is not a whole record: 'data' is missing"):
        learn(tasks_dir, unfinished.path, SHORT)
    (unfinished.path / "environment.json").unlink()
    (unfinished.path / "metrics.jsonl").write_text('{"step": 2}\nnonsense\n')
    with pytest.raises(UserError, match=r"metrics\.jsonl:1: lacks a number 'valid_accuracy'"):
        learn(tasks_dir, unfinished.path, SHORT)
