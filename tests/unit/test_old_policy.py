"""Weights for one head: what an older desk does otherwise has a low one, with the models of people's dialogs too.

Weights of groups say how often an example is drawn beside others, so that they are looked at beside the highest.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.old_policy import OLD, learned_run, weight_of
from tests.tiny_encoder import write_tiny

SAME = ("now", "goodbye")
"""How responses end that the older desk gives as the new one does."""


def shares(run: Path) -> tuple[float, float]:
    """The weights of what the older desk asks for and of the farewell, as shares of the highest."""
    asked, *same = (weight_of(run, text) for text in (OLD, *SAME))
    highest = max(asked, *same)
    return asked / highest, same[-1] / highest


@pytest.mark.parametrize("seed", [0, 1])
def test_matching_tells_an_old_policy_from_a_farewell_with_a_shared_head_alone(tmp_path: Path, seed: int) -> None:
    found = {}
    for heads in ("own", "shared"):
        run = learned_run(
            tmp_path,
            heads,
            model={"kind": "matching", "sentences": "bag-of-words"},
            training={"iterations": 100, "seed": seed},
        )
        found[heads] = shares(run)
    assert found["shared"][0] < 0.3
    assert found["shared"][1] > 0.8
    assert found["own"][0] > 0.8 * found["own"][1]  # as if it were one


@pytest.mark.parametrize("seed", [0, 1])
def test_ranking_gives_an_old_policy_a_low_weight_with_a_shared_head(tmp_path: Path, seed: int) -> None:
    encoder = str(write_tiny(tmp_path / "encoder"))
    run = learned_run(
        tmp_path,
        "shared",
        wordy=True,
        model={"kind": "ranking", "encoder": encoder},
        training={"iterations": 60, "seed": seed},
    )
    asked, farewell = shares(run)
    assert asked < 0.2
    assert farewell > 0.8
