"""What a run's configuration says of its dialogs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from tasksieve.records.model_config import REFUSED, SLOT_ACTS, Section
from tasksieve.records.shares import SHARES_EXAMPLE, shares_of

LARGEST_SEED = (1 << 32) - 1


class DataConfig(Section):
    """Where the dialogs come from: files, directories with one task's splits, or one split of either, FILE#train."""

    primary: str = Field(description="training dialogs of the primary task")
    valid: str | None = Field(default=None, description="validation dialogs of the primary task")
    related: tuple[str, ...] = Field(default=(), description="training dialogs of each related task")
    labels: str | None = Field(default=None, description="which related examples are right, for the oracle")
    size: int | None = Field(
        default=None, ge=1, description="use the first SIZE primary dialogs, and at most so many validation dialogs"
    )
    predict: Literal["auto", "responses", "actions"] = Field(
        default="auto", description="what is predicted of a turn; auto: what the primary task's dialogs suit"
    )
    slot_acts: tuple[str, ...] = Field(default=SLOT_ACTS, description="acts whose slot is part of an action")
    strict: bool = Field(default=False, description="refuse turns without a response instead of leaving them out")
    split: str | None = Field(
        default=None,
        description="training, validation and test dialogs are drawn from primary, e.g. 60/20/20",
    )
    split_seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="of that draw")

    @field_validator("split")
    @classmethod
    def _adds_up(cls, split: str | None) -> str | None:
        try:
            if split is not None:
                shares_of(split)
        except ValueError as error:
            raise PydanticCustomError(REFUSED, "{message}", {"message": str(error)}) from None
        return split

    @model_validator(mode="after")
    def _has_validation_dialogs(self) -> DataConfig:
        if (self.valid is None) == (self.split is None):
            given = "neither" if self.valid is None else "both"
            expected = (
                f"expected valid (--valid), or a split (--split) such as {SHARES_EXAMPLE} of primary; found {given}"
            )
            raise PydanticCustomError(REFUSED, "{message}", {"message": expected})
        return self
