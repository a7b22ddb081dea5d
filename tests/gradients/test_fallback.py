"""What is done when the pre-flight finds that the model has no second derivatives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tasksieve.metagrad import (
    ESTIMATORS,
    BilevelProblem,
    FiniteDifference,
    MetaUpdate,
    Params,
    Sgd,
    Simulation,
    Unrolled,
)
from tasksieve.metagrad.preflight import (
    NoSecondDerivative,
    Preflight,
    chosen_estimator,
    preflight,
)

BATCH, WIDTH = 6, 8


def test_the_estimator_is_chosen_as_configured() -> None:
    fine, failed = Preflight(), Preflight(ok=False, message="no", advice="Do")
    assert chosen_estimator(fine, "adjoint", "stop") == "adjoint"
    assert chosen_estimator(failed, "adjoint") == "finite-difference"
    without = [name for name, kind in ESTIMATORS.items() if not kind.second_derivatives]
    assert without == ["evolution", "finite-difference", "persistent-evolution"]
    assert all(chosen_estimator(failed, name, "stop") == name for name in without)
    with pytest.raises(NoSecondDerivative, match=r"'adjoint' cannot work: no\. Do"):
        chosen_estimator(failed, "adjoint", "stop")
    with pytest.raises(ValueError, match="'fallback' or 'stop'"):
        chosen_estimator(fine, "adjoint", "ignore")


def test_the_fallback_gives_the_meta_gradient_that_the_operation_denied() -> None:
    """Fused attention by differences against the same attention written out."""
    generator = torch.Generator().manual_seed(4)
    params = {"q": torch.randn(WIDTH, WIDTH, generator=generator, dtype=torch.float64)}
    inputs = torch.randn(BATCH, 1, 5, WIDTH, generator=generator, dtype=torch.float64)

    def losses(fused: bool) -> Any:
        def of_params(p: Params, batch: Tensor) -> Tensor:
            q = batch @ p["q"]
            if fused:
                out = F.scaled_dot_product_attention(q, batch, batch)
            else:
                out = torch.softmax(q @ batch.transpose(-1, -2) / WIDTH**0.5, -1) @ batch
            return out.square().mean((1, 2, 3))

        return of_params

    def weights(p: Params, batches: Any) -> list[Tensor]:
        return [torch.sigmoid(p["logits"]) for _ in batches]

    eta = {"logits": torch.linspace(-1, 1, BATCH, dtype=torch.float64)}
    simulation = Simulation(params, [inputs, inputs.flip(0)], inputs)
    fused, plainly = (
        MetaUpdate(BilevelProblem(losses(kind), losses(kind), weights), Sgd(0.5), simulation, eta)
        for kind in (True, False)
    )
    assert not preflight(fused).ok
    found, truth = FiniteDifference()(fused).gradients["logits"], Unrolled()(plainly).gradients["logits"]
    torch.testing.assert_close(found, truth, rtol=1e-5, atol=1e-12)
