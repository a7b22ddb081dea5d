"""A new desk and an older one, which asks for another number first: what is old about it must not be learned."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import polars as pl

from tasksieve.experiments.weights import examples_at
from tasksieve.records.config import config_from
from tasksieve.training.runs.dialogs import train

OLD, NEW = "please tell me the phone number", "please tell me the customer number"
TOPICS = ("bill", "meter", "move", "outage", "tariff", "contract", "refund", "deposit")
OPENINGS = ("i have a question about my {}", "my {} please", "can you help me with the {}", "what about the {}")
SAID = ("sure", "fine", "well", "okay", "right", "so", "good", "then", "now", "great")


def desk(path: Path, count: int, seed: int, asks: str, *, wordy: bool = False) -> str:
    """Dialogs of a desk that asks for a number first, looks at what the customer is there for, and says goodbye.

    Args:
        path: to write them to.
        count: of dialogs.
        seed: of what is drawn.
        asks: for the number.
        wordy: whether each response begins with words of its own, so that few are said twice.
    """
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        topic = draw.choice(TOPICS)
        said = [
            draw.choice(OPENINGS).format(topic),
            asks,
            draw.choice(("it is 12", "here it is", "sure 12")),
            f"i look at the {topic} now",
            draw.choice(("thanks", "great")),
            "goodbye",
        ]
        if wordy:
            said[1::2] = [f"{' '.join(draw.sample(SAID, 4))} {text}" for text in said[1::2]]
        roles = ("user", "assistant") * 3
        rows.append({"messages": [{"role": r, "content": c} for r, c in zip(roles, said, strict=True)]})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def learned_run(folder: Path, heads: str, *, wordy: bool = False, **sections: dict[str, Any]) -> Path:
    """A learned run on four dialogs of the new desk and sixty of the older one; returns its folder.

    Args:
        folder: to write dialogs and the run to.
        heads: as ``training.heads``.
        wordy: as of :func:`desk`.
        sections: of the configuration.
    """
    data = {
        "primary": desk(folder / "new.jsonl", 4, 1, NEW, wordy=wordy),
        "valid": desk(folder / "valid.jsonl", 12, 2, NEW, wordy=wordy),
        "related": [desk(folder / "old.jsonl", 60, 3, OLD, wordy=wordy)],
        "predict": "responses",
    }
    training = {**sections.pop("training", {}), "heads": heads}
    train(config_from({"data": data, "training": training, **sections}), folder / heads)
    return folder / heads


def weight_of(run: Path, text: str) -> float:
    """The mean weight of the related responses that end with a text."""
    found = examples_at(run).filter(pl.col("system").str.ends_with(text))["weight"].mean()
    assert isinstance(found, float)
    return found
