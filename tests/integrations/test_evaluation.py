"""The loss in evaluation is that of all examples together, however they are cut into batches."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.integrations.ranks import free_port, trainer
from tests.processes import forked
from tests.tiny_language_models import chats

pytest.importorskip("accelerate")


def some() -> list[dict[str, Any]]:
    """Seven examples; a batch of the first two has no weight."""
    return [{**one, "weight": place // 2 * 0.75} for place, one in enumerate(chats(7, seed=5))]


def loss(folder: Path, size: int, data: list[dict[str, Any]]) -> float:
    made = trainer(folder, chats(2), per_device_eval_batch_size=size)
    found: float = made.evaluate(data)["eval_loss"]
    return found


def test_batches_without_a_weight_and_of_any_size_change_nothing(tmp_path: Path) -> None:
    whole = loss(tmp_path, 7, some())
    assert [loss(tmp_path, size, some()) for size in (1, 2, 3)] == pytest.approx([whole] * 3, rel=1e-5)
    assert loss(tmp_path, 2, some()[2:]) == pytest.approx(whole, rel=1e-5)


def test_a_loss_of_no_weight_is_no_number_and_is_told(tmp_path: Path) -> None:
    with pytest.warns(RuntimeWarning, match="no token with a weight above 0"):
        assert math.isnan(loss(tmp_path, 2, some()[:2]))


def work(rank: int, folder: str, port: int) -> None:
    torch.set_num_threads(1)
    of_rank = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ |= {"MASTER_ADDR": "localhost", **{name: str(value) for name, value in of_rank.items()}}
    found = torch.tensor(loss(Path(folder) / "several", 2, some()))
    torch.save(found, Path(folder) / f"rank-{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_tell_the_loss_of_one(tmp_path: Path) -> None:
    """Seven examples fill two batches of two on each process only with one that comes twice."""
    context = forked()
    port = free_port()
    started = [context.Process(target=work, args=(rank, str(tmp_path), port)) for rank in range(2)]
    for one in started:
        one.start()
    for one in started:
        one.join(120)
    assert [one.exitcode for one in started] == [0, 0]
    whole = loss(tmp_path, 7, some())
    for rank in range(2):
        assert float(torch.load(tmp_path / f"rank-{rank}.pt")) == pytest.approx(whole, rel=1e-5)
