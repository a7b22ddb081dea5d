"""What an audit says of one matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["stop", "mend", "look", "good"]
LEVELS: tuple[Level, ...] = ("stop", "mend", "look", "good")
"""The gravest first: training is senseless; mend before it; worth a look; as it should be."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One matter: how grave, what about, and a sentence."""

    level: Level
    topic: str
    sentence: str
