"""The models of the image experiment: closed forms against automatic differentiation, and both weight modules."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.func import functional_call

from tasksieve.encoding import in_order
from tasksieve.errors import UserError
from tasksieve.experiments.mnist import table1_config
from tasksieve.experiments.table1_rows import auroc
from tasksieve.images import Digits, ImageBatch, ImageTask, embedded_digits
from tasksieve.images.sparse import SparsePixels
from tasksieve.kernels import compiler, disabled
from tasksieve.metagrad import AutogradLinearization
from tasksieve.models import LabelScoreModule, LogisticRegression, LossesOf, PerceptronWeightModule
from tasksieve.models.linear.linearization import LogisticLinearization
from tasksieve.models.linear.sparse import SparseLinearization, perceptron_logits
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.run import run
from tasksieve.training.runs.images import IMAGES

NAMES = ("model.weight", "model.bias")


needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C++ compiler on this machine")
HOW = [pytest.param(True, marks=needs_compiler, id="sparse"), pytest.param(False, id="dense")]


def inked(sparse: bool) -> Digits:
    """Digits in float64 with little ink, such as MNIST's; one of them has none."""
    train = embedded_digits()["train"]
    pixels = torch.where(train.pixels > 0.3, train.pixels.double(), 0.0)
    pixels[3] = 0
    digits = Digits(pixels, train.labels)
    return digits.sparsely() if sparse else digits


def problem(sparse: bool) -> tuple[LossesOf, dict[str, torch.Tensor], ImageTask]:
    """Logistic regression in float64, parameters that are not its own, and images."""
    losses_of = LossesOf(LogisticRegression(64, torch.Generator().manual_seed(0)).double())
    generator = torch.Generator().manual_seed(1)
    params = {
        name: torch.randn(value.shape, generator=generator, dtype=torch.float64)
        for name, value in losses_of.named_parameters()
    }
    return losses_of, params, ImageTask(inked(sparse))


def assert_equal(found: torch.Tensor | None, expected: torch.Tensor | None) -> None:
    assert found is not None and expected is not None
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("along", [NAMES, NAMES[:1], NAMES[1:], ()])
@pytest.mark.parametrize("moved", [NAMES, NAMES[:1]])
@pytest.mark.parametrize("sparse", HOW)
def test_closed_forms_are_those_of_automatic_differentiation(
    along: tuple[str, ...], moved: tuple[str, ...], sparse: bool
) -> None:
    losses_of, everywhere, task = problem(sparse)
    assert (task.batch(torch.arange(2)).sparse is not None) == sparse
    batches = [task.batch(torch.arange(20)), task.batch(torch.arange(20, 33))]
    params = {name: everywhere[name] for name in moved}

    def losses(at: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.cat([functional_call(losses_of, at, (batch,)) for batch in batches])

    generator = torch.Generator().manual_seed(2)
    factors = torch.rand(33, generator=generator, dtype=torch.float64)
    direction = {
        name: torch.randn(everywhere[name].shape, generator=generator, dtype=torch.float64)
        for name in along
        if name in moved
    }
    closed, plain = losses_of.linearize(params, batches), AutogradLinearization(losses, params)
    assert closed is not None
    kind = SparseLinearization if sparse else LogisticLinearization
    assert isinstance(losses_of.linearize(params, batches[:1]), kind)
    assert_equal(closed.losses, plain.losses)
    first, expected = closed.gradient(factors), plain.gradient(factors)
    assert first.keys() == expected.keys() == set(moved)
    for name in moved:
        assert_equal(first[name], expected[name])
    assert_equal(closed.slopes(direction), plain.slopes(direction))
    slopes, products = closed.second(direction)
    expected_slopes, expected_products = plain.second(direction)
    assert_equal(slopes, expected_slopes)
    for name in moved:
        assert_equal(products[name], expected_products[name])
    added = {name: value.clone() for name, value in params.items()}
    closed.add_gradient(factors, added)
    for name in moved:
        assert_equal(added[name], params[name] + expected[name])
    assert_equal(closed.add_second(direction, added), expected_slopes)
    for name in moved:
        assert_equal(added[name], params[name] + expected[name] + expected_products[name])


def test_losses_at_other_parameters_are_those_of_the_module_with_them() -> None:
    losses_of, params, task = problem(False)
    batch = task.batch(torch.arange(9))
    assert_equal(losses_of.at(params, batch), functional_call(losses_of, params, (batch,)))
    assert_equal(losses_of.at({}, batch), losses_of(batch))


@needs_compiler
@pytest.mark.parametrize("number", [torch.float32, torch.float64])
def test_large_scores_neither_overflow_nor_lose_the_loss(number: torch.dtype) -> None:
    digits = Digits(torch.eye(4, 8, dtype=number), torch.arange(4)).sparsely()
    batch = ImageTask(digits).batch(torch.arange(4))
    model = LogisticRegression(8, torch.Generator().manual_seed(0)).to(number)
    with torch.no_grad():
        model.weight[1] = 500.0
        model.weight[2] = -500.0
    linear = model.linearize(dict(model.named_parameters()), batch)
    assert isinstance(linear, SparseLinearization)
    torch.testing.assert_close(linear.losses, model.losses(batch).detach())
    with torch.no_grad():
        model.weight[0, 0] = torch.nan
    assert linear.losses.isfinite().all()
    again = model.linearize(dict(model.named_parameters()), batch)
    assert again.losses[0].isnan() and again.losses[1:].isfinite().all()


def test_a_centre_is_taken_off_the_images_and_is_no_parameter() -> None:
    digits = inked(False)
    centre = digits.pixels.float().mean(dim=0)
    plain = PerceptronWeightModule(64, torch.Generator().manual_seed(0)).double()
    centred = PerceptronWeightModule(64, torch.Generator().manual_seed(0), centre).double()
    moved = Digits(digits.pixels - centre.double(), digits.labels)
    batches = [ImageTask(each, torch.arange(len(each)) % 2 == 0).batch(torch.arange(9)) for each in (digits, moved)]
    for batch in batches:
        assert batch.indicator is not None
        batch.indicator = batch.indicator.double()
    assert_equal(centred(batches[0]), plain(batches[1]))
    assert [name for name, _ in centred.named_parameters()] == [name for name, _ in plain.named_parameters()]
    again = PerceptronWeightModule(64, torch.Generator().manual_seed(1), torch.zeros(64)).double()
    again.load_state_dict(centred.state_dict())
    assert_equal(again(batches[0]), centred(batches[0]))


@needs_compiler
@pytest.mark.parametrize("centred", [True, False])
def test_a_perceptrons_logits_are_differentiable_twice_and_forward(centred: bool) -> None:
    digits = inked(True)
    task = ImageTask(digits, torch.arange(len(digits)) % 3 == 0)
    batch, plain = task.batch(torch.tensor([5, 3, 900])), task.batch(torch.tensor([5, 3, 900]))
    centre = digits.pixels.float().mean(dim=0) if centred else None
    module = PerceptronWeightModule(64, torch.Generator().manual_seed(0), centre).double()
    indicator = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    assert batch.indicator is not None and torch.equal(batch.indicator.double(), indicator)
    batch.indicator = plain.indicator = indicator
    found = module(batch)
    assert "_Logits" in type(found.grad_fn).__name__
    with disabled():
        torch.testing.assert_close(found, module(plain), rtol=1e-12, atol=1e-12)

    def logits(weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return module.logits_at({"weight": weight, "bias": bias}, batch)

    inputs = module.weight.detach().requires_grad_(), module.bias.detach().requires_grad_()
    assert torch.autograd.gradcheck(logits, inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(lambda *given: logits(*given) ** 2, inputs)


WRONG = [(10, 3), (0, -1), (0, 4)]
"""Label and number of an image, of which one does not exist."""


@needs_compiler
def test_images_and_labels_that_do_not_exist_are_refused() -> None:
    digits = Digits(torch.eye(4, 8), torch.tensor([0, 1, 2, 3])).sparsely()
    model = LogisticRegression(8, torch.Generator().manual_seed(0))
    params = dict(model.named_parameters())
    module = PerceptronWeightModule(8, torch.Generator().manual_seed(0))
    told = torch.tensor([[1.0, 0.0]])
    label, below, beyond = (ImageBatch(digits, torch.tensor([y]), torch.tensor([i]), told) for y, i in WRONG)
    for batch in (label, below, beyond):
        with pytest.raises(IndexError, match="does not exist"):
            model.linearize(params, batch)
        with pytest.raises(IndexError, match="does not exist"):
            module(batch)


@needs_compiler
def test_what_does_not_fit_never_reaches_the_compiled_code() -> None:
    batch = ImageTask(inked(True)).batch(torch.arange(3))
    linear = LogisticRegression(64, torch.Generator().manual_seed(0)).double().linearize({}, batch)
    assert isinstance(linear, SparseLinearization)
    with pytest.raises(ValueError, match=r"factors have the shape \(2,\), losses \(3,\)"):
        linear.gradient(torch.ones(2).double())
    whole = torch.zeros(10, 128, dtype=torch.float64)
    for wrong in (whole[:, ::2], whole, whole[:, :64].float()):
        with pytest.raises(ValueError, match=r"'weight' is no \(10, 64\) of torch.float64 in one piece"):
            linear.add_gradient(torch.ones(3).double(), {"weight": wrong})
    narrow = LogisticRegression(32, torch.Generator().manual_seed(0)).double()
    assert SparseLinearization.of(dict(narrow.named_parameters()), {}, batch) is None
    indicator, bias = torch.ones(3, 2).double(), torch.zeros(()).double()
    fitting = torch.zeros(76).double()
    assert perceptron_logits(batch, indicator, torch.zeros(64).double(), fitting, bias) is not None
    assert perceptron_logits(batch, indicator, None, fitting[1:], bias) is None
    assert perceptron_logits(batch, indicator[1:], None, fitting, bias) is None
    assert perceptron_logits(batch, indicator, torch.zeros(63).double(), fitting, bias) is None
    assert perceptron_logits(batch, indicator.float(), None, fitting, bias) is None


def test_what_has_no_compiled_code_takes_the_dense_way() -> None:
    digits = inked(True)
    batch = ImageTask(digits).batch(torch.arange(3))
    model = LogisticRegression(64, torch.Generator().manual_seed(0))
    assert isinstance(model.double().linearize({}, batch), SparseLinearization) == (compiler() is not None)
    with disabled():
        assert isinstance(model.linearize({}, batch), LogisticLinearization)
    assert Digits(torch.ones(2, 3), torch.tensor([0, 1])).sparsely().sparse is None
    half = ImageTask(Digits(torch.eye(4, 64).half(), torch.arange(4)).sparsely()).batch(torch.arange(2))
    assert half.sparse is not None
    assert isinstance(model.half().linearize({}, half), LogisticLinearization)


@pytest.mark.parametrize("sample", [1 << 20, 3])
def test_sparse_pixels_are_the_images_whatever_their_values(sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasksieve.images.sparse._SAMPLE", sample)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(50, 64, generator=generator) * (torch.rand(50, 64, generator=generator) < 0.2)
    pixels[7] = 0
    sparse = SparsePixels.of(pixels)
    assert sparse is not None and len(sparse) == 50
    columns, levels = sparse.entries.long().unbind(dim=1)
    rows = torch.repeat_interleave(torch.arange(50), sparse.offsets.diff())
    assert torch.equal(torch.zeros(50, 64).index_put((rows, columns), sparse.levels[levels]), pixels)
    assert SparsePixels.of(torch.rand(1200, 64, generator=generator).repeat(1, 3)) is None
    blank = SparsePixels.of(torch.zeros(2, 3))
    assert blank is not None and len(blank.entries) == 0
    many = torch.zeros(1100, 200).index_fill(1, torch.arange(60), 1.0) * torch.rand(1100, 200, generator=generator)
    assert SparsePixels.of(many) is None


def test_all_images_in_order_are_those_by_their_numbers() -> None:
    digits = embedded_digits()["train"]
    task = ImageTask(digits, torch.arange(len(digits)) % 3 == 0)
    pieces, whole = list(in_order(task, 7)), task.batch(task.answerable())
    assert len(pieces) > 1
    for name in ("pixels", "targets", "examples", "indicator"):
        assert torch.equal(torch.cat([getattr(piece, name) for piece in pieces]), getattr(whole, name))


def test_label_scores_look_at_image_and_label_only() -> None:
    digits = Digits(torch.rand(6, 4), torch.tensor([0, 1, 2, 3, 4, 5]))
    module = LabelScoreModule(4, 3, torch.Generator().manual_seed(0))
    numbers = torch.tensor([5, 0, 2])
    batch = ImageTask(digits).batch(numbers)
    hidden = torch.relu(batch.pixels @ module.inner_weight.T + module.inner_bias)
    scores = hidden @ module.weight.T + module.bias
    torch.testing.assert_close(module(batch), scores[torch.arange(3), batch.targets])
    told = ImageTask(digits, torch.tensor([True, False] * 3)).batch(numbers)
    assert torch.equal(module(batch), module(told))


def test_a_perceptron_cannot_do_without_the_indicator(tmp_path: Path) -> None:
    config = table1_config(None, "next", 0.75, ["training.method=learned", "data.indicator=false"])
    with pytest.raises(UserError, match=r"set weight_module\.kind=label-scores"):
        run(config, tmp_path / "run", IMAGES)
    with pytest.raises(UserError, match=r"weight_module\.kind: found 'deep'"):
        table1_config(None, "next", 0.75, ["weight_module.kind=deep"])


def test_without_an_indicator_wrong_labels_are_found_all_the_same(tmp_path: Path) -> None:
    settings = [
        "training.method=learned",
        "training.iterations=400",
        "training.batch_size=64",
        "training.related_lr=0.003",
        "data.indicator=false",
        "weight_module.kind=label-scores",
        "weight_module.hidden=32",
        "meta.weight_lr=0.003",
        "meta.inner_optimizer=sgd",
        "meta.inner_lr=1.0",
    ]
    run(table1_config(None, "next", 0.75, settings), tmp_path / "run", IMAGES)
    folder = RunFolder(tmp_path / "run")
    last = folder.read_weights(folder.weight_steps()[-1]).join(folder.read_examples(), on="example")
    assert auroc(last) > 0.85
