"""Table 1 beyond the paper: other shares of wrong labels, another corruption, no indicator, the paper's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasksieve.experiments.published.table1_rows import row, weights
from tasksieve.experiments.workers import Job
from tasksieve.records.config import changed
from tasksieve.training.runs.images import ImageConfig

METHODS = ("ones", "learned", "oracle")
SHARES = (0.0, 0.25, 0.5, 0.75, 0.9)
NO_INDICATOR = {
    "data.indicator": False,
    "weight_module.kind": "label-scores",
    "weight_module.hidden": 64,
    "meta.inner_optimizer": "sgd",
    "meta.inner_lr": 1.0,
    "meta.weight_lr": 1e-3,
    "meta.weight_lr_schedule": "constant",
}
"""Found on the validation images; what else was tried is said in docs/experiments.md."""
PAPER_SETTINGS = {
    "meta.inner_optimizer": "adam",
    "meta.inner_lr": 1e-3,
    "meta.weight_lr": 1e-3,
    "meta.weight_lr_schedule": "constant",
    "weight_module.centred": False,
}
"""Appendix A.1: Adam with 1e-3 throughout, and the images as they are.

What the defaults are instead, and why, is said in docs/deviations.md.
"""


@dataclass(frozen=True, slots=True)
class Condition:
    """The table's runs with some settings changed.

    Attributes:
        name: for folders and records.
        settings: ``section.key`` to value.
        learned_only: settings that say how weights are learned, and change nothing for the other methods.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    learned_only: Mapping[str, Any] = field(default_factory=dict)

    def config(self, base: ImageConfig, method: str) -> ImageConfig:
        """The configuration of this condition's runs by a method, but for the seed."""
        own = self.learned_only if method == "learned" else {}
        return changed(base, {**self.settings, **own, "training.method": method})


def conditions_of(base: ImageConfig) -> list[Condition]:
    """All conditions around a table's configuration, its own share of wrong labels included."""
    other = "uniform" if base.data.corruption == "next" else "next"
    shares = sorted({*SHARES, base.data.share})
    return [
        *(Condition(f"share-{100 * share:g}", {"data.share": share}) for share in shares),
        Condition(f"corruption-{other}", {"data.corruption": other}),
        Condition("no-indicator", learned_only=NO_INDICATOR),
        Condition("paper-settings", learned_only=PAPER_SETTINGS),
    ]


def condition_record(condition: Condition, base: ImageConfig, jobs: Mapping[str, Sequence[Job]]) -> dict[str, Any]:
    """What a condition's runs found.

    Args:
        condition: whose runs they are.
        base: the table's configuration.
        jobs: done, by method.
    Returns: ``name``, ``corruption``, ``share``, ``indicator``, ``module``, ``settings`` (those changed), ``rows``
        and ``weights`` (right, wrong, auroc; of the learned runs' last epoch).
    """
    config = condition.config(base, "learned")
    found = weights(jobs["learned"])
    return {
        "name": condition.name,
        "corruption": config.data.corruption,
        "share": config.data.share,
        "indicator": config.data.indicator,
        "module": config.weight_module.kind,
        "settings": {**condition.settings, **condition.learned_only},
        "rows": [row(method, done) for method, done in jobs.items()],
        "weights": {
            "right": found["last_epoch_right"],
            "wrong": found["last_epoch_wrong"],
            "auroc": found["auroc"],
        },
    }
