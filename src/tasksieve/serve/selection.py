"""Which related examples are asked for, and in which order."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Order = Literal["highest", "lowest", "risen", "fallen", "dialog"]


class Selection(BaseModel):
    """What a reader asks for; everything unset selects all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int | None = Field(None, ge=0, le=2**31 - 1, description="a recorded iteration; by default the last")
    kind: list[str] = Field([], max_length=100, description="kinds of turn; may be repeated")
    task: int | None = Field(None, ge=0, le=2**15 - 1, description="number of the related task, from 0")
    dialog: int | None = Field(None, ge=0, le=2**31 - 1, description="number of the dialog in its task, from 0")
    text: str = Field("", max_length=200, description="words that all must stand in the turn, in any case")
    low: float | None = Field(None, ge=0, le=1, description="the lowest weight wanted")
    high: float | None = Field(None, ge=0, le=1, description="the highest weight wanted")
    order: Order = Field(
        "highest", description="by weight, by how far it has risen or fallen since the first record, or as read"
    )


class Page(Selection):
    """One page of what is asked for."""

    offset: int = Field(0, ge=0, le=2**31 - 1, description="how many to leave out at the start")
    limit: int = Field(50, ge=1, le=200, description="how many at most")
