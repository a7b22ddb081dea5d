"""Settings of the ways that others have to choose or to weight related examples (docs/rivals.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasksieve.records.model_config import Section


class RivalsConfig(Section):
    """Settings of rivals; each says in docs/rivals.md which of them it has."""

    share: float = Field(default=0.5, gt=0, le=1, description="of the related examples that a selection keeps")
    iterations: int = Field(default=400, ge=1, description="of the training that comes before the run's own")
    strength: float = Field(default=1.0, gt=0, description="C, the inverse of the discriminator's penalty")
    primary_factor: float = Field(
        default=1.0, gt=0, description="by what related weights are divided, for `instance-weighting`"
    )
    clusters: int = Field(default=16, ge=2, le=512, description="of related examples, at most, for attention")
    floor: float = Field(
        default=0.1, ge=0, lt=1, description="part of `adapt`'s mixture that stays as examples are many"
    )
    checkpoints: int = Field(default=4, ge=1, le=100, description="at which `less` compares gradients")
    instance: Literal["dialog", "turn"] = Field(default="dialog", description="what has a gradient, for `less`")
    inner_steps: int = Field(default=5, ge=1, le=100, description="K, on a task, of `maml` and `reptile`")
    first_order: bool = Field(default=True, description="`maml` without second derivatives")
