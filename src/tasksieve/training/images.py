"""Runs on images: the paper's illustration that the weights mean something (Section 4.1, Appendix A)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import polars as pl
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from tasksieve.encoding import chunks, derived_generator
from tasksieve.errors import UserError
from tasksieve.images import Digits, ImageTask, corrupt, embedded_digits, read_mnist
from tasksieve.images.read import mnist_files
from tasksieve.models import LogisticRegression, PerceptronWeightModule
from tasksieve.records.config import LoopConfig, MetaConfig, TrainingConfig
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.methods import Method
from tasksieve.training.parts import Parts, Setting
from tasksieve.training.start import start_state, start_weighter
from tasksieve.training.state import load_module, read_tensors
from tasksieve.training.streams import LABELS_STREAM, MODEL_STREAM, WEIGHT_MODULE_STREAM

_CHUNK = 4096


class ImageData(BaseModel):
    """Which digits, and how the related task's labels are made wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    directory: str | None = Field(default=None, description="of the MNIST files; else scikit-learn's digits")
    share: float = Field(default=0.75, ge=0, le=1, description="of the related labels that are wrong")
    corruption: Literal["next", "uniform"] = Field(default="next", description="(y + 1) mod 10, or any other digit")


class ImageConfig(LoopConfig):
    """A run on images. The defaults are the paper's (related updates only, K = 1, N_meta = 1, Adam 1e-3 also for the
    simulated step), but for the weight module's step size, 3e-3, which validation prefers to 1e-3.
    """

    data: ImageData = ImageData()
    training: TrainingConfig = TrainingConfig(
        iterations=15_000,
        batch_size=256,
        primary_updates=False,
        evaluate_every=195,
        snapshot_every=195,
        patience=10_000,
    )
    meta: MetaConfig = MetaConfig(unroll_length=1, weight_lr=3e-3, inner_optimizer="adam", inner_lr=1e-3, warm_up=0)


class ImageTasks:
    """The primary task, and the same images with wrong labels as the related one.

    Args:
        splits: ``train``, ``valid`` and ``test``.
        config: how labels are made wrong, and the seed.
    """

    def __init__(self, splits: dict[str, Digits], config: ImageConfig) -> None:
        train = splits["train"]
        generator = derived_generator(config.training.seed, LABELS_STREAM)
        labels, right = corrupt(train.labels, config.data.share, config.data.corruption, generator)
        self.right = right
        self.primary = ImageTask(train)
        self.valid = ImageTask(splits["valid"])
        self.related = (ImageTask(Digits(train.pixels, labels), right),)


def read_digits(data: ImageData) -> dict[str, Digits]:
    """The splits that a configuration means."""
    return embedded_digits() if data.directory is None else read_mnist(Path(data.directory))


def build_image_parts(config: ImageConfig, method: Method) -> Parts:
    """Read the images and make everything a run starts from.

    Raises: UserError: if the method is none of the paper's Table 1.
    """
    if method.pretrain or "pooled" in method.updates or "related" not in method.updates:
        raise UserError(f"method '{method.name}' has no meaning on images; try ones, learned or oracle")
    tasks = ImageTasks(read_digits(config.data), config)
    pixels = tasks.primary.digits.pixels.shape[1]
    seed = config.training.seed
    model = LogisticRegression(pixels, derived_generator(seed, MODEL_STREAM))
    module = None
    if method.weighting == "learned":
        module = PerceptronWeightModule(pixels, derived_generator(seed, WEIGHT_MODULE_STREAM))
    state = start_state(config, model, module)
    numbers = pl.Series("example", range(len(tasks.right)), dtype=pl.Int32)
    examples = pl.DataFrame(
        {"example": numbers, "dialog": numbers, "turn": 0, "kind": "image", "label": tasks.right.tolist()}
    )
    return Parts(
        tasks=tasks,
        state=state,
        weighter=start_weighter(config, method, tasks, state, tasks.right.float()),
        examples=examples,
        validate=lambda: accuracy_on(model, tasks.valid),
        facts={"size": len(tasks.primary)},
        write=lambda folder: None,
    )


@torch.no_grad()
def accuracy_on(model: nn.Module, task: ImageTask) -> float:
    """Share of images whose label has the highest score, in per cent."""
    right = 0
    for numbers in chunks(task, _CHUNK):
        batch = task.batch(numbers)
        right += int((model(batch).argmax(dim=1) == batch.targets).sum())
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


IMAGES = Setting(ImageConfig, _files, build_image_parts)
"""Runs on images."""
