"""A model in its mode for use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tasksieve.models import DialogModel


@contextmanager
def in_use(model: DialogModel) -> Iterator[None]:
    """Have a model in its mode for use, without dropout and the like, and leave it in the one it had."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
