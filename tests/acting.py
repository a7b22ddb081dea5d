"""Small dialogs of several services, with what the system does in each turn, and vectors for their sentences."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import Tensor

from tasksieve.dialogs import Act, Dialog, Record, Turn
from tasksieve.dialogs.act import acts_text

DIM = 5
_ASKED = {
    "buses": ("city", "date", "seats"),
    "trains": ("city", "date", "class"),
    "hotels": ("city", "nights", "stars"),
}
_VALUES = ("Rome", "Lima", "March 3rd", "two", "10:30 am", "4", "the cheap one")


def service(name: str, count: int = 4, seed: int = 0) -> list[Dialog]:
    """Dialogs in which a service asks for some of its slots, finds something or nothing, and says goodbye."""
    draw = random.Random(f"{name} {seed}")
    return [_dialog(name, draw) for _ in range(count)]


def _dialog(name: str, draw: random.Random) -> Dialog:
    user = f"I need some {name}"
    events: list[Turn | Record] = []
    for slot in draw.sample(_ASKED[name], draw.randint(1, 3)):
        acts = (Act("request", slot), *((Act("inform", "price"),) if draw.random() < 0.3 else ()))
        events.append(Turn(user, f"{draw.choice(('what', 'which'))} {slot} of {name} is it", acts=acts))
        user = f"{draw.choice(_VALUES)} for me, and {draw.choice(_VALUES)}"
    for number in range(draw.randint(0, 2)):
        events.append(Record.of(name, {"name": f"{name}{number}", "price": str(draw.randint(1, 9))}))
    offer = (Act("offer", "name"),) if draw.random() < 0.7 else (Act("nothing"), Act("request", _ASKED[name][0]))
    events.append(Turn(user, f"this is what {name} have", acts=offer))
    events.append(Turn("thanks, no more", "goodbye", acts=(Act("goodbye"),)))
    return Dialog(tuple(events))


def embed(texts: Sequence[str]) -> Tensor:
    """A vector for each text, in float64: numbers that no other text has."""
    return torch.tensor([_vector(text) for text in texts], dtype=torch.float64).reshape(-1, DIM)


def _vector(text: str) -> list[float]:
    return [byte / 128 - 1 for byte in hashlib.sha256(text.encode()).digest()[:DIM]]


def write_service(path: Path, dialogs: Sequence[Dialog]) -> str:
    """Write dialogs with their actions as CSV, without what was found; returns the path."""
    rows = [
        {"dialog": number, "user": turn.user, "system": turn.system, "action": acts_text(turn.acts)}
        for number, dialog in enumerate(dialogs)
        for turn in dialog.turns
    ]
    pl.DataFrame(rows).write_csv(path)
    return str(path)


def write_services(folder: Path) -> dict[str, Any]:
    """Write buses in three splits, and trains and hotels to borrow from; returns the section ``data``."""
    for seed, split in enumerate(("train", "valid", "test")):
        write_service(folder / f"{split}.csv", _distinct(service("buses", 5, seed), split))
    related = [write_service(folder / f"{name}.csv", service(name, 5)) for name in ("trains", "hotels")]
    return {"primary": str(folder / "train.csv"), "valid": str(folder / "valid.csv"), "related": related}


def _distinct(dialogs: Sequence[Dialog], mark: str) -> list[Dialog]:
    """The same, of which no response is said twice."""
    numbers = itertools.count()
    return [
        Dialog(tuple(replace(turn, system=f"{turn.system} {mark} {next(numbers)}") for turn in dialog.turns))
        for dialog in dialogs
    ]
