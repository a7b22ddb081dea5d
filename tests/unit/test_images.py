"""Images: the files, the wrong labels, and Table 1 on a small scale."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.errors import UserError
from tasksieve.experiments.published.mnist import METHODS, PAPER, Table1Plan, reproduce_table1, table1_config
from tasksieve.experiments.published.table1_rows import auroc
from tasksieve.images import Digits, ImageTask, corrupt, embedded_digits, read_mnist
from tasksieve.images.read import FILES, read_idx
from tasksieve.models import LogisticRegression, PerceptronWeightModule
from tasksieve.records.config import config_of
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.run import run
from tasksieve.training.runs.images import IMAGES, ImageConfig


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_files(folder: Path, train: int = 12, test: int = 4) -> Path:
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    for name, count in zip(FILES, (train, train, test, test), strict=True):
        shape = (count, 28, 28) if "images" in name else (count,)
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx(random.integers(0, 10, shape, dtype=np.uint8))))
    return folder


def test_files_are_read_gzipped_or_not(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "mnist")
    splits = read_mnist(folder)
    assert {name: len(part) for name, part in splits.items()} == {"train": 10, "valid": 2, "test": 4}
    assert splits["train"].pixels.shape == (10, 784)
    assert float(splits["train"].pixels.max()) == pytest.approx(9 / 255)
    for path in folder.iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    plain = read_mnist(folder)
    assert all(torch.equal(plain[name].pixels, splits[name].pixels) for name in splits)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "mnist")
    first = folder / f"{FILES[0]}.gz"
    whole = first.read_bytes()
    for content, message in (
        (whole[:40], "cannot be unpacked"),
        (b"no gzip at all", "cannot be unpacked"),
        (gzip.compress(b"\0\0\x0d\1"), "expected an IDX file of unsigned bytes"),
        (gzip.compress(gzip.decompress(whole)[:-1]), "its header says"),
        (gzip.compress(idx(np.zeros(3, np.uint8))), "holds an array of shape"),
    ):
        first.write_bytes(content)
        with pytest.raises(UserError, match=message):
            read_mnist(folder)
    first.unlink()
    with pytest.raises(UserError, match="get the files with `tasksieve data fetch mnist"):
        read_mnist(folder)


@given(st.binary(max_size=60))
@settings(deadline=None, max_examples=100)
def test_any_bytes_are_an_array_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(data)
    try:
        assert read_idx(path).dtype == np.uint8
    except UserError as error:
        assert str(path) in str(error)


@given(st.integers(1, 60), st.floats(0, 1), st.sampled_from(["next", "uniform"]), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_exactly_the_share_of_labels_is_wrong(count: int, share: float, kind: Any, seed: int) -> None:
    truth = torch.randint(10, (count,), generator=torch.Generator().manual_seed(seed))
    labels, right = corrupt(truth, share, kind, torch.Generator().manual_seed(seed))
    assert int((~right).sum()) == round(share * count)
    assert torch.equal(labels == truth, right)
    if kind == "next":
        assert torch.equal(labels[~right], (truth[~right] + 1) % 10)


def test_parameters_are_as_many_as_the_papers() -> None:
    """Appendix A.1: 7,850 and 797."""
    generator = torch.Generator()
    assert sum(p.numel() for p in LogisticRegression(784, generator).parameters()) == 7850
    assert sum(p.numel() for p in PerceptronWeightModule(784, generator).parameters()) == 797


def test_the_weight_module_reads_image_label_and_indicator() -> None:
    digits = Digits(torch.rand(6, 4), torch.tensor([0, 1, 2, 3, 4, 5]))
    module = PerceptronWeightModule(4, torch.Generator().manual_seed(0))
    right = torch.tensor([True, False] * 3)
    batch = ImageTask(digits, right).batch(torch.tensor([5, 0]))
    inputs = torch.cat([digits.pixels[[5, 0]], torch.eye(10)[[5, 0]], torch.tensor([[1.0, 0.0], [0.0, 1.0]])], dim=1)
    torch.testing.assert_close(module(batch), inputs @ module.weight + module.bias)
    with pytest.raises(ValueError, match="needs the indicator"):
        module(ImageTask(digits).batch(torch.tensor([0])))


def test_auroc_is_the_chance_that_a_right_weight_is_higher() -> None:
    frame = pl.DataFrame({"weight": [0.9, 0.8, 0.3, 0.8], "label": [True, True, False, False]})
    assert auroc(frame) == pytest.approx(3.5 / 4)
    assert np.isnan(auroc(frame.filter(pl.col("label"))))


QUICK = [
    "training.iterations=30",
    "training.batch_size=64",
    "training.evaluate_every=10",
    "training.snapshot_every=15",
]


def test_table_1_has_the_papers_rows_beside_ours(tmp_path: Path) -> None:
    config = table1_config(None, "next", 0.75, QUICK)
    table = reproduce_table1(Table1Plan(config, 2, tmp_path))
    assert [row["method"] for row in table["rows"]] == list(METHODS)
    for row in table["rows"]:
        assert (row["paper_mean"], row["paper_sd"]) == PAPER[row["method"]]
        assert [seed["seed"] for seed in row["seeds"]] == [0, 1]
        assert row["mean"] == pytest.approx(sum(seed["test_accuracy"] for seed in row["seeds"]) / 2)
    assert set(table["weights"]) == {
        "last_epoch_right", "last_epoch_wrong", "all_epochs_right", "all_epochs_wrong", "auroc",
    }  # fmt: skip
    assert (tmp_path / "table1.json").exists()
    again = reproduce_table1(Table1Plan(config, 2, tmp_path))
    assert again == table


@pytest.mark.parametrize(("share", "absent"), [(0.0, "wrong"), (1.0, "right")])
def test_a_kind_of_label_that_does_not_occur_has_no_mean_weight(tmp_path: Path, share: float, absent: str) -> None:
    table = reproduce_table1(Table1Plan(table1_config(None, "next", share, QUICK), 1, tmp_path))
    nothing = {"mean": None, "sd": None}
    assert table["weights"]["auroc"] == table["weights"][f"last_epoch_{absent}"] == nothing
    assert sum(value == nothing for value in table["weights"].values()) == 3
    assert json.loads((tmp_path / "table1.json").read_text()) == table


def test_with_an_oracle_the_digits_are_learned_and_with_all_labels_they_are_not(tmp_path: Path) -> None:
    longer = [
        "training.iterations=300",
        "training.batch_size=64",
        "training.primary_lr=0.01",
        "training.related_lr=0.01",
    ]
    reached = {}
    for method in ("oracle", "ones"):
        config = table1_config(None, "next", 0.75, [*longer, f"training.method={method}"])
        reached[method] = run(config, tmp_path / method, IMAGES)["valid_accuracy"]
    assert reached["oracle"] > 85
    assert reached["ones"] < 40


def test_learned_weights_tell_right_from_wrong(tmp_path: Path) -> None:
    quick = ["training.iterations=400", "training.batch_size=64", "meta.weight_lr=0.02", "training.related_lr=0.01"]
    config = table1_config(None, "next", 0.5, [*quick, "training.method=learned"])
    run(config, tmp_path / "run", IMAGES)
    folder = RunFolder(tmp_path / "run")
    last = folder.read_weights(folder.weight_steps()[-1]).join(folder.read_examples(), on="example")
    assert auroc(last) > 0.95


def test_methods_and_settings_without_meaning_are_refused(tmp_path: Path) -> None:
    for method in ("joint", "pretrain", "primary"):
        with pytest.raises(UserError, match=f"method '{method}' has no meaning on images"):
            run(table1_config(None, "next", 0.75, [f"training.method={method}"]), tmp_path / method, IMAGES)
    with pytest.raises(UserError, match=r"data\.corruption: found 'often'"):
        table1_config(None, "often", 0.75, [])
    with pytest.raises(UserError, match=r"unknown key 'data\.shape'"):
        table1_config(None, "next", 0.75, ["data.shape=3"])


def test_the_embedded_digits_are_split_without_overlap() -> None:
    splits = embedded_digits()
    assert {name: len(part) for name, part in splits.items()} == {"train": 1197, "valid": 300, "test": 300}
    rows = torch.cat([part.pixels for part in splits.values()])
    assert len(torch.unique(rows, dim=0)) > 1790
    assert float(rows.max()) == 1.0


def test_the_published_files_hold_what_they_should(data_dir: Path) -> None:
    splits = read_mnist(data_dir / "mnist")
    assert {name: len(part) for name, part in splits.items()} == {"train": 50_000, "valid": 10_000, "test": 10_000}


@pytest.mark.parametrize("kind", ["perceptron", "label-scores"])
def test_a_run_on_images_holds_its_meta_gradients_against_float64(tmp_path: Path, kind: str) -> None:
    values = {
        "training": {"method": "learned", "iterations": 4, "evaluate_every": 2, "batch_size": 16},
        "meta": {"warm_up": 0, "certify_every": 1, "unroll_length": 2, "joint": True},
        "weight_module": {"kind": kind, "hidden": 4},
    }
    run(config_of(ImageConfig, values), tmp_path / "run", IMAGES)
    for line in RunFolder(tmp_path / "run").read_metrics():
        assert line["certificate_cosine"] == pytest.approx(1, abs=1e-4)
        assert line["certificate_relative_error"] < 1e-2


def test_a_meta_loss_of_dialogs_is_refused_on_images(tmp_path: Path) -> None:
    values = {"training": {"method": "learned"}, "meta": {"loss": "calibrated"}}
    with pytest.raises(UserError, match=r"meta\.loss: 'calibrated' .* set meta\.loss=nll"):
        run(config_of(ImageConfig, values), tmp_path / "run", IMAGES)
    assert not (tmp_path / "run").exists()
