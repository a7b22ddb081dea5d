"""A training that Prometheus can watch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tasksieve.cli.messages import errors

if TYPE_CHECKING:
    from tasksieve.records.progress import RunProgress, Watcher
    from tasksieve.training.tracking import Tracking


@contextmanager
def followed(tracking: Tracking, port: int | None) -> Iterator[tuple[Tracking, Watcher]]:
    """Tracking, and whom to tell how far the training is, with metrics at a port; as it was where port is None.

    Raises: UserError: if they cannot be served.
    """
    if port is None:
        yield tracking, _nobody
        return
    from tasksieve.training.tracking.prometheus import serving

    with serving(tracking.run, port) as (metrics, taken):
        errors().print(f"metrics at http://127.0.0.1:{taken}/metrics", soft_wrap=True)
        yield replace(tracking, more={**tracking.more, "prometheus": metrics}), metrics.watch


def _nobody(report: RunProgress) -> None:
    pass
