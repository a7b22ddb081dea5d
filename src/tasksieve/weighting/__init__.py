"""Weights of related examples: pieces that methods share."""

from tasksieve.weighting.design import Effects, balanced_design, effects_of
from tasksieve.weighting.drawn import Drawn
from tasksieve.weighting.groups import groups_by_task, response_groups
from tasksieve.weighting.learned import Learned
from tasksieve.weighting.relative import Relative
from tasksieve.weighting.weighter import (
    NeedsAll,
    Numbers,
    Ones,
    PerExample,
    RelatedBatch,
    Weighter,
    batches_by_task,
    by_task,
)

__all__ = [
    "Drawn",
    "Effects",
    "Learned",
    "NeedsAll",
    "Numbers",
    "Ones",
    "PerExample",
    "RelatedBatch",
    "Relative",
    "Weighter",
    "balanced_design",
    "batches_by_task",
    "by_task",
    "effects_of",
    "groups_by_task",
    "response_groups",
]
