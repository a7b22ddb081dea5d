"""The example of docs/metagrad.md, "The parts", runs, has the shapes that its table says, and is right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from tasksieve.metagrad import BilevelProblem, MetaUpdate, Sgd, Simulation, estimator_named

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "metagrad.md").read_text()


def ran() -> dict[str, Any]:
    (block,) = re.findall(
        r"```python\n(.*?)```", PAGE.partition("## The parts\n")[2].partition("\n## ")[0], re.DOTALL
    )
    names: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(compile(block, "docs/metagrad.md", "exec"), names)
    return names


def test_the_parts_have_the_shapes_of_the_table() -> None:
    names = ran()
    update, result = names["update"], names["result"]
    batches = update.simulation.related_batches
    assert [tuple(names["losses"](update.simulation.params, batch).shape) for batch in batches] == [(8,), (8,)]
    weights = names["example_weights"](update.weight_params, batches)
    assert [tuple(own.shape) for own in weights] == [(8,), (8,)]
    assert result.gradients.keys() == update.weight_params.keys() and result.gradients["v"].shape == (4,)
    assert result.meta_loss.shape == ()
    for found in (result.example_weights, result.slopes):
        assert [tuple(own.shape) for own in found] == [(8,), (8,)]


def test_a_step_is_on_the_mean_over_all_parts() -> None:
    """The same by a graph of the whole unroll, with both tasks' examples in one tensor."""
    names = ran()
    simulation = names["simulation"]
    w, v = simulation.params["w"].requires_grad_(), torch.zeros(4, requires_grad=True)

    def losses(at: Tensor, batch: Any) -> tuple[Tensor, Tensor]:
        x, y = (torch.cat(parts) for parts in zip(*batch, strict=True))
        return x, cross_entropy(linear(x, at), y, reduction="none")

    for batch in simulation.related_batches:
        x, each = losses(w, batch)
        (step,) = torch.autograd.grad((torch.sigmoid(x @ v) * each).sum() / 8, w, create_graph=True)
        w = w - 0.1 * step
    (truth,) = torch.autograd.grad(losses(w, simulation.meta_batch)[1].mean(), v)
    assert float(truth.abs().max()) > 1e-4
    torch.testing.assert_close(names["result"].gradients["v"], truth)


def test_weights_that_are_not_a_list_by_batch_are_refused() -> None:
    problem = BilevelProblem(lambda p, b: b @ p["w"], lambda p, b: b @ p["w"], lambda eta, batch: eta["v"].sigmoid())
    batch = torch.ones(3, 2)
    update = MetaUpdate(problem, Sgd(0.1), Simulation({"w": torch.ones(2)}, [batch], batch), {"v": torch.zeros(3)})
    with pytest.raises(ValueError, match="example_weights gave 3 tensors for 1 related batches; it is called with"):
        estimator_named("adjoint")(update)
