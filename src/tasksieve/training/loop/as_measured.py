"""A model as it is when it is measured, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tasksieve.models import Model


@contextmanager
def as_measured(model: Model) -> Iterator[None]:
    """Have a model without dropout and the like, and leave it in the mode it had."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
