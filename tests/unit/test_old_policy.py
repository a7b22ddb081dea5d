"""Weights for one head: an old policy has a low one with every model, whatever it has with heads of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.old_policy import OLD, learned_run, weight_of
from tests.tiny_encoder import write_tiny

WORDS: dict[str, Any] = {"sentences": "bag-of-words"}
SAME = "goodbye"
"""What the old desk says as the new one does."""


def test_matching_tells_an_old_policy_with_a_shared_head_alone(tmp_path: Path) -> None:
    found = {}
    for heads in ("own", "shared"):
        run = learned_run(tmp_path, heads, model={"kind": "matching", **WORDS})
        found[heads] = weight_of(run, OLD), weight_of(run, SAME)
    print(found)


def test_ranking_tells_an_old_policy_with_a_shared_head_alone(tmp_path: Path) -> None:
    encoder = str(write_tiny(tmp_path / "encoder"))
    found = {}
    for heads in ("own", "shared"):
        run = learned_run(tmp_path, heads, wordy=True, model={"kind": "ranking", "encoder": encoder})
        found[heads] = weight_of(run, OLD), weight_of(run, SAME)
    print(found)
