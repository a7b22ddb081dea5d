"""Two processes, each with its share of every batch, find the meta-gradient of the union."""

from __future__ import annotations

import runpy
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

from tasksieve.metagrad import Distributed, Evolution
from tests.gradients.ranks import EXAMPLE, RANKS, result, runs, work
from tests.processes import in_ranks

pytestmark = [
    pytest.mark.skipif(
        not (dist.is_available() and dist.is_gloo_available()),
        reason="this torch has no gloo to connect processes with",
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Path:
    """What two processes left behind, which are started once for all tests."""
    found: Path = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    in_ranks(work, str(found), port, count=RANKS)
    return found


@pytest.fixture(scope="module")
def by_rank(folder: Path) -> list[dict[Any, Any]]:
    """What each of the two found."""
    return [torch.load(folder / f"rank-{rank}.pt", weights_only=True) for rank in range(RANKS)]


@pytest.mark.parametrize("run", runs(), ids="-".join)
def test_the_meta_gradient_is_that_of_the_union(by_rank: list[dict[Any, Any]], run: Any) -> None:
    union = result(run, None)
    rtol, atol = (1e-4, 1e-6) if "finite-difference" in run else (1e-9, 1e-13)
    assert any(bool(value.any()) for value in union.gradients.values())
    for found in by_rank:
        torch.testing.assert_close(found[run]["gradients"], union.gradients, rtol=rtol, atol=atol)
        torch.testing.assert_close(found[run]["meta_loss"], union.meta_loss, rtol=1e-9, atol=0)
    joined = [torch.cat(parts) for parts in zip(*(found[run]["slopes"] for found in by_rank), strict=True)]
    torch.testing.assert_close(joined, list(union.slopes or ()), rtol=rtol, atol=atol)


def test_ranks_hold_the_same_bits(by_rank: list[dict[Any, Any]]) -> None:
    for run in runs():
        first, second = (found[run]["gradients"] for found in by_rank)
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_different_parameters_and_empty_shares_are_refused_by_all(by_rank: list[dict[Any, Any]]) -> None:
    for found in by_rank:
        differing, empty = found["refused"]
        assert "'a' differs between ranks" in differing
        assert "a rank has no example" in empty


def test_evolution_strategies_are_refused() -> None:
    with pytest.raises(TypeError, match="its share"):
        Distributed(Evolution())


def test_the_example_prints_the_same_with_two_processes(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which are told of each other by the variables that torchrun sets."""
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    runpy.run_path(str(EXAMPLE))["main"]()
    alone = capsys.readouterr().out
    assert [(folder / f"example-{rank}.txt").read_text() for rank in range(RANKS)] == [alone, ""]
    right, *wrong = map(float, alone.split()[3:])
    assert right > 2 * max(wrong)
