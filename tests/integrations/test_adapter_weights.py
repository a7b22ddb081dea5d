"""Meta-gradients over adapters: the exact ones are exact, the approximate ones' error is what they say."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import nn

from tasksieve.errors import UserError
from tasksieve.integrations import AdapterWeights, ChatCollator, GroupTable
from tasksieve.integrations.passes import FunctionalPass, PlacedPass, learned_params, losses_of
from tasksieve.metagrad import certify
from tests.integrations.naive_language_models import naive_meta_gradient
from tests.tiny_language_models import TEMPLATE, chats, llama, t5, with_adapters, word_tokenizer

pytest.importorskip("peft")
LR = 0.05


def model_and_batches(
    kind: str = "llama", steps: int = 1, *, double: bool = True, packing: bool = False, **how: Any
) -> tuple[Any, list[Any], Any]:
    attention = how.pop("attention", "eager")
    plain = t5(attention=attention) if kind == "t5" else llama(attention=attention)
    model = with_adapters(plain, **how)
    model = model.double() if double else model
    collate = ChatCollator(
        word_tokenizer(TEMPLATE), max_length=48, encoder_decoder=kind == "t5", packing=packing, unit="example"
    )
    related = [
        collate([*chats(3, groups=3, seed=n), {**chats(1, seed=50 + n)[0], "group": -1}]) for n in range(steps)
    ]
    return model, related, collate(chats(3, seed=99))


@pytest.fixture
def in_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transformers takes norms and softmax in single precision, whatever the model's; here they are double too."""
    monkeypatch.setattr(torch, "float32", torch.float64)
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)


def table(double: bool = True) -> GroupTable:
    module = GroupTable(3)
    module.logits.data = torch.tensor([0.3, -0.7, 0.1])
    return module.double() if double else module


def optimizer_of(model: Any, kind: str) -> Any:
    """Adam's moments are of some real steps."""
    params = list(learned_params(model).values())
    if kind == "sgd":
        return torch.optim.SGD(params, lr=LR)
    optimizer = torch.optim.AdamW(params, lr=LR, weight_decay=0)
    generator = torch.Generator().manual_seed(3)
    for _ in range(3):
        for value in params:
            value.grad = torch.randn(value.shape, generator=generator).to(value)
        optimizer.step()
    optimizer.zero_grad()
    return optimizer


def moments(model: Any, optimizer: Any) -> dict[str, Any]:
    return {
        name: (
            optimizer.state[value]["exp_avg"],
            optimizer.state[value]["exp_avg_sq"],
            int(optimizer.state[value]["step"]),
        )
        for name, value in learned_params(model).items()
    }


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(
    ("kind", "steps", "packing"), [("llama", 1, False), ("llama", 3, True), ("t5", 1, False), ("t5", 2, False)]
)
def test_the_exact_meta_gradient_is_that_of_a_naive_unroll(
    kind: str, steps: int, packing: bool, optimizer: str
) -> None:
    model, related, primary = model_and_batches(kind, steps, packing=packing)
    module, real = table(), optimizer_of(model, optimizer)
    sieve = AdapterWeights(
        model, module, optimizer=real, held=False, estimator="exact", unroll_length=steps, weight_lr=0.0
    )
    found = sieve.update(related, primary)
    adam = moments(model, real) if optimizer == "adam" else None
    truth, meta_loss = naive_meta_gradient(model, module, related, primary, lr=LR, adam=adam)
    torch.testing.assert_close(found.gradients, truth, rtol=1e-9, atol=0)
    assert found.meta_loss == pytest.approx(meta_loss.item(), rel=1e-12)
    assert found.gradients["logits"].abs().min() > 1e-9


@pytest.mark.parametrize("estimator", ["adjoint", "recompute", "unrolled"])
@pytest.mark.usefixtures("in_double")
def test_other_exact_estimators_agree(estimator: str) -> None:
    model, related, primary = model_and_batches(steps=2)
    how: dict[str, Any] = {"lr": LR, "held": False, "unroll_length": 2, "weight_lr": 0.0}
    one = AdapterWeights(model, table(), estimator="exact", **how).update(related, primary)
    other = AdapterWeights(model, table(), estimator=estimator, **how).update(related, primary)
    torch.testing.assert_close(one.gradients, other.gradients, rtol=1e-9, atol=0)


@pytest.mark.usefixtures("in_double")
def test_fused_attention_has_the_same_exact_meta_gradient() -> None:
    found = []
    for attention in ("eager", "sdpa"):
        model, related, primary = model_and_batches(attention=attention)
        sieve = AdapterWeights(model, table(), lr=LR, held=False, estimator="exact")
        found.append(sieve.update(related, primary).gradients)
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=0)


@pytest.mark.usefixtures("in_double")
def test_adams_held_moments_are_gradient_descent_with_their_sizes() -> None:
    model, related, primary = model_and_batches()
    module, real = table(), optimizer_of(model, "adam")
    held = AdapterWeights(model, module, optimizer=real, estimator="exact", weight_lr=0.0).update(related, primary)
    for name, value in learned_params(model).items():  # the same step, in coordinates in which its size is one
        _, square, steps = moments(model, real)[name]
        scale = 1 / (torch.sqrt(square / (1 - 0.999**steps) + 1e-12) + 1e-8)
        real.state[value]["scale"] = scale
    losses = FunctionalPass(model)
    theta = {name: value.detach().requires_grad_() for name, value in learned_params(model).items()}
    eta = module.logits.detach().clone().requires_grad_()
    (batch,) = related
    weights = torch.where(batch["groups"] < 0, 1.0, torch.sigmoid(eta[batch["groups"].clamp(min=0)]))
    tokens = losses_count(batch)
    loss = (weights * losses(theta, batch)).sum() / (weights * tokens).sum()
    gradients = torch.autograd.grad(loss, list(theta.values()), create_graph=True)
    ahead = {
        name: value - LR * real.state[own]["scale"] * gradient
        for (name, value), own, gradient in zip(theta.items(), learned_params(model).values(), gradients, strict=True)
    }
    meta = losses(ahead, primary).sum() / losses_count(primary).sum()
    torch.testing.assert_close(held.gradients["logits"], torch.autograd.grad(meta, eta)[0], rtol=1e-9, atol=0)


def losses_count(batch: Any) -> torch.Tensor:
    places = batch["units"] * (batch["labels"] != -100)
    return torch.stack(
        [((places == unit) & (batch["labels"] != -100)).sum() for unit in range(len(batch["groups"]))]
    ).double()


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_approximate_meta_gradient_is_near_in_single_precision(steps: int, checkpointing: bool) -> None:
    truth = exact_with(steps)
    model, related, primary = model_and_batches(steps=steps, double=False, attention="sdpa")
    if checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    model.train()
    with pytest.warns(UserWarning, match="errors of central differences add up") if steps > 1 else nullcontext():
        sieve = AdapterWeights(model, table(double=False), lr=LR, held=False, unroll_length=steps, weight_lr=0.0)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    found = sieve.update(related, primary)
    away = (found.gradients["logits"].double() - truth).norm() / truth.norm()
    assert found.error is not None
    assert found.error.relative < 0.003
    assert away < 0.01
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())
    assert all(value.grad is None for value in model.parameters())


def exact_with(steps: int) -> torch.Tensor:
    model, related, primary = model_and_batches(steps=steps)
    sieve = AdapterWeights(model, table(), lr=LR, held=False, estimator="exact", unroll_length=steps, weight_lr=0.0)
    return sieve.update(related, primary).gradients["logits"]


def test_the_error_that_is_told_is_that_of_the_slopes() -> None:
    model, related, primary = model_and_batches(double=False)
    sieve = AdapterWeights(model, table(double=False), lr=LR, held=False, weight_lr=0.0)
    told = sieve.update(related, primary).error
    exact = AdapterWeights(model, table(double=False), lr=LR, held=False, estimator="exact")
    slopes = [one._estimate(one.meta_update(related, primary)).slopes[0].double() for one in (sieve, exact)]
    assert told is not None
    away = (slopes[0] - slopes[1]).norm() / slopes[1].norm()
    assert told.relative == pytest.approx(away.item(), rel=0.2, abs=2e-5)
    assert told.cosine > 0.999


def test_a_body_in_bfloat16_with_adapters_in_single_precision_is_told_its_error() -> None:
    model, related, primary = model_and_batches(double=False, attention="sdpa")
    for name, value in model.named_parameters():
        if not value.requires_grad:
            value.data = value.data.bfloat16()
        assert value.dtype == (torch.float32 if "lora" in name else torch.bfloat16)
    sieve = AdapterWeights(model, table(double=False), lr=LR, held=False, weight_lr=0.0)
    found, truth = sieve.update(related, primary), exact_with(1)
    assert found.error is not None
    assert 1e-4 < found.error.relative < 0.3
    assert found.error.radius >= 0.01
    cosine = torch.cosine_similarity(found.gradients["logits"].double(), truth, dim=0)
    assert cosine > 0.9


@pytest.mark.usefixtures("in_double")
def test_dropout_is_the_same_in_all_passes_and_leaves_the_generators_alone() -> None:
    model, related, primary = model_and_batches(dropout=0.4)
    model.train()
    found = []
    for estimator in ("exact", "approximate"):
        torch.manual_seed(7)
        before = torch.random.get_rng_state()
        sieve = AdapterWeights(model, table(), lr=LR, held=False, estimator=estimator, weight_lr=0.0)
        found.append(sieve.update(related, primary).gradients["logits"])
        assert torch.equal(torch.random.get_rng_state(), before)
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=0)
    torch.manual_seed(8)
    other = AdapterWeights(model, table(), lr=LR, held=False, estimator="exact").update(related, primary)
    assert not torch.allclose(other.gradients["logits"], found[0], rtol=0.01)


def test_placed_passes_are_functional_ones_with_other_parameters() -> None:
    model, related, _ = model_and_batches(dropout=0.0)
    theta = {name: (value.detach() + 0.1).requires_grad_() for name, value in learned_params(model).items()}
    found = []
    for losses in (FunctionalPass(model), PlacedPass(model)):
        values = losses(theta, related[0])
        found.append([values.detach(), *torch.autograd.grad(values.sum(), list(theta.values()))])
    torch.testing.assert_close(found[0], found[1], rtol=1e-10, atol=1e-12)
    assert not torch.allclose(losses_of(model, related[0]), found[0][0])


def test_the_weights_of_units_may_come_from_a_module_that_reads_features() -> None:
    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(2, 1)

        def forward(self, batch: Any) -> torch.Tensor:
            found: torch.Tensor = self.inner(batch["features"])[:, 0]
            return found

    model, _, _ = model_and_batches(double=False)
    collate = ChatCollator(word_tokenizer(TEMPLATE))
    some = [{**one, "features": [n / 3, 1.0]} for n, one in enumerate(chats(4))]
    batch, primary = collate(some), collate(chats(2, seed=4))
    module = Linear()
    sieve = AdapterWeights(model, module, lr=LR, held=False)
    before = module.inner.weight.detach().clone()
    assert sieve.update([batch], primary).applied
    assert not torch.equal(module.inner.weight, before)
    assert sieve.weights(batch).shape == (4,)


def test_examples_without_a_group_keep_weight_one() -> None:
    model, related, _ = model_and_batches()
    assert AdapterWeights(model, table(), lr=LR).weights(related[0])[-1] == 1


@pytest.mark.usefixtures("in_double")
def test_the_certificate_of_the_engine_takes_the_same_update() -> None:
    model, related, primary = model_and_batches()
    sieve = AdapterWeights(model, table(), lr=LR, held=False, estimator="exact")
    found = certify(sieve._estimate, sieve.meta_update(related, primary))
    assert found.relative_error < 1e-10


def test_weights_learn_which_group_is_wrong() -> None:
    """Group 1 says what the primary examples say, group 0 something else."""
    model = with_adapters(llama())
    collate = ChatCollator(word_tokenizer(TEMPLATE))
    right, wrong = "here you are .", "phone is good two"

    def said(answer: str, group: int) -> dict[str, Any]:
        return {
            "messages": [{"role": "user", "content": "a table please"}, {"role": "assistant", "content": answer}],
            "group": group,
        }

    sieve = AdapterWeights(model, GroupTable(2), lr=0.001, held=False, weight_lr=0.3)
    batch, primary = collate([said(wrong, 0), said(right, 1)] * 2), collate([said(right, -1)])
    for _ in range(12):
        sieve.update([batch], primary)
    low, high = torch.sigmoid(sieve.module.logits).tolist()  # type: ignore[union-attr]
    assert low < 0.2
    assert high > 0.8


def test_what_cannot_be_done_is_told() -> None:
    model, related, primary = model_and_batches()
    with pytest.raises(UserError, match="unknown estimator 'magic'; known: approximate, exact, "):
        AdapterWeights(model, table(), lr=LR, estimator="magic")
    with pytest.raises(UserError, match="without an optimizer, give lr"):
        AdapterWeights(model, table())
    with pytest.raises(UserError, match="1 related batches for unroll_length = 2"):
        AdapterWeights(model, table(), lr=LR, estimator="exact", unroll_length=2).update(related, primary)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    with pytest.raises(UserError, match="gradient checkpointing recomputes"):
        AdapterWeights(model, table(), lr=LR, estimator="exact")
    model.requires_grad_(False)
    with pytest.raises(UserError, match="no parameter of the model requires a gradient"):
        AdapterWeights(model, table(), lr=LR)
