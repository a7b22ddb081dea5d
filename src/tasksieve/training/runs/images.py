"""Runs on images: the paper's illustration that the weights mean something (Section 4.1, Appendix A)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import polars as pl
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from tasksieve.encoding import derived_generator, in_order
from tasksieve.errors import UserError
from tasksieve.images import Digits, ImageTask, corrupt, embedded_digits, read_mnist
from tasksieve.images.read import mnist_files
from tasksieve.models import LabelScoreModule, LogisticRegression, Model, PerceptronWeightModule
from tasksieve.records.config import LoopConfig, MetaConfig, ScreeningConfig, TrainingConfig
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.setting import Parts, Setting
from tasksieve.training.loop.state import load_module
from tasksieve.training.loop.streams import LABELS_STREAM, MODEL_STREAM, WEIGHT_MODULE_STREAM
from tasksieve.training.loop.tensor_files import read_tensors
from tasksieve.training.methods import Method, Start, method_named

_CHUNK = 4096


class ImageData(BaseModel):
    """Which digits, and how the related task's labels are made wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    directory: str | None = Field(default=None, description="of the MNIST files; else scikit-learn's digits")
    share: float = Field(default=0.75, ge=0, le=1, description="of the related labels that are wrong")
    corruption: Literal["next", "uniform"] = Field(default="next", description="(y + 1) mod 10, or any other digit")
    indicator: bool = Field(default=True, description="tell the weight module which labels are right")


class ImageWeightModule(BaseModel):
    """What learns the weights: ``perceptron`` as in the paper, or ``label-scores``, which needs no indicator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["perceptron", "label-scores"] = Field(default="perceptron", description="over image and label")
    hidden: int = Field(default=64, ge=1, le=4096, description="units of the hidden layer of label-scores")
    centred: bool = Field(default=True, description="the perceptron looks at images less their mean")


class ImageConfig(LoopConfig):
    """A run on images.

    The defaults are the paper's: related updates only, K = 1, N_meta = 1, Adam 1e-3 also for the simulated step; but
    for the weight module's step size, which falls from 2e-2 to 0, and the mean that is taken off the images it sees.
    Validation prefers the one; without the other the weights' common scale, which a simulated Adam does not see, is
    tossed about, now and then to where no gradient is left.
    """

    data: ImageData = ImageData()
    weight_module: ImageWeightModule = ImageWeightModule()
    training: TrainingConfig = TrainingConfig(
        iterations=15_000,
        batch_size=256,
        related_lr=1e-3,
        primary_updates=False,
        evaluate_every=195,
        snapshot_every=195,
        patience=10_000,
    )
    meta: MetaConfig = MetaConfig(
        unroll_length=1,
        weight_lr=2e-2,
        weight_lr_schedule="cosine",
        inner_optimizer="adam",
        inner_lr=1e-3,
        warm_up=0,
    )


class ImageTasks:
    """The primary task, and the same images with wrong labels as the related one.

    Args:
        splits: ``train``, ``valid`` and ``test``.
        config: how labels are made wrong, the seed, and the device that all images go to.
    """

    def __init__(self, splits: dict[str, Digits], config: ImageConfig) -> None:
        device = torch.device(config.training.device)
        train = splits["train"]
        generator = derived_generator(config.training.seed, LABELS_STREAM)
        labels, right = corrupt(train.labels, config.data.share, config.data.corruption, generator)
        self.right = right
        there = train.to(device)  # once: both tasks look at the same images
        self.primary = ImageTask(there)
        self.valid = ImageTask(splits["valid"].to(device))
        told = right.to(device) if config.data.indicator else None
        self.related = (ImageTask(there.labelled(labels.to(device)), told),)


def read_digits(data: ImageData) -> dict[str, Digits]:
    """The splits that a configuration means; those read last are kept, as a worker does many runs on the same."""
    if data.directory is None:
        return embedded_digits()
    facts = [(path, path.stat()) for path in mnist_files(Path(data.directory))]
    return _read(Path(data.directory), tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in facts))


@lru_cache(maxsize=1)
def _read(directory: Path, facts: tuple[tuple[Path, int, int], ...]) -> dict[str, Digits]:
    """The files as they were with these times and sizes."""
    return read_mnist(directory)


def method_of(config: ImageConfig) -> Method:
    """The method that a configuration names.

    Raises: UserError: if there is none of this name, it does not weight batches of related images, or the meta-loss
        is one of dialogs.
    """
    method = method_named(config.training.method)
    if not method.weights_batches:
        raise UserError(f"method '{method.name}' has no meaning on images; try ones, learned or oracle")
    if "weights" in method.updates and config.meta.loss == "calibrated":
        raise UserError("meta.loss: 'calibrated' is for what dialogs choose among; on images set meta.loss=nll")
    return method


def build_image_parts(config: ImageConfig, method: Method) -> Parts:
    """Read the images and make everything a run starts from."""
    tasks = ImageTasks(read_digits(config.data), config)
    pixels = tasks.primary.digits.pixels.shape[1]

    def fresh_model() -> LogisticRegression:
        model = LogisticRegression(pixels, derived_generator(config.training.seed, MODEL_STREAM))
        return model.to(config.training.device)

    def measure(model: Model) -> float:
        assert isinstance(model, LogisticRegression)
        return accuracy_on(model, tasks.valid) / 100

    model = fresh_model()
    numbers = pl.Series("example", range(len(tasks.right)), dtype=pl.Int32)
    start = Start(
        config=config,
        tasks=tasks,
        model=model,
        fresh_model=fresh_model,
        fresh_weight_module=lambda: build_weight_module(config, tasks.primary.digits.pixels),
        measure=measure,
        examples=pl.DataFrame(
            {"example": numbers, "dialog": numbers, "turn": 0, "kind": "image", "label": tasks.right.tolist()}
        ),
        screening=ScreeningConfig(trials=0),
    )
    return Parts.of(
        method,
        start,
        validate=lambda: accuracy_on(model, tasks.valid),
        facts={"size": len(tasks.primary)},
        write=lambda folder: None,
    )


def build_weight_module(
    config: ImageConfig, images: Float[Tensor, "images pixels"]
) -> PerceptronWeightModule | LabelScoreModule:
    """The weight module that a configuration means, with its initial parameters, on the device of the images.

    Args:
        config: of the run.
        images: to learn from.
    Raises: UserError: if it lacks the indicator that it needs.
    """
    generator = derived_generator(config.training.seed, WEIGHT_MODULE_STREAM)
    if config.weight_module.kind == "label-scores":
        return LabelScoreModule(images.shape[1], config.weight_module.hidden, generator).to(images.device)
    if not config.data.indicator:
        raise UserError(
            "weight_module.kind: a perceptron cannot do without the indicator, as it adds up what it sees in image "
            "and label; set weight_module.kind=label-scores, or data.indicator=true"
        )
    centre = images.mean(dim=0) if config.weight_module.centred else None
    return PerceptronWeightModule(images.shape[1], generator, centre).to(images.device)


@torch.no_grad()
def accuracy_on(model: LogisticRegression, task: ImageTask) -> float:
    """Share of images whose label has the highest score, in per cent."""
    right = 0
    for batch in in_order(task, _CHUNK):
        right += int((model.scores(batch).argmax(dim=1) == batch.targets).sum())
    return 100.0 * right / len(task)


def measure_image_run(path: Path) -> dict[str, Any]:
    """Measure a run's best model on the test images: the record ``test.json``."""
    folder = RunFolder(path)
    config = folder.read_config_of(ImageConfig)
    test = ImageTask(read_digits(config.data)["test"])
    model = LogisticRegression(test.digits.pixels.shape[1], torch.Generator())
    load_module(model, read_tensors(folder.best_checkpoint)[0], "model.", folder.best_checkpoint)
    return {"accuracy": accuracy_on(model, test), "images": len(test)}


def _files(config: ImageConfig) -> tuple[Path, ...]:
    return () if config.data.directory is None else mnist_files(Path(config.data.directory))


IMAGES = Setting(ImageConfig, method_of, _files, build_image_parts)
"""Runs on images."""
