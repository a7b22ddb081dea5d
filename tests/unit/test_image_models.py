"""The models of the image experiment: closed forms against automatic differentiation, and both weight modules."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.func import functional_call

from tasksieve.contracts import InPlace
from tasksieve.encoding import in_order
from tasksieve.errors import UserError
from tasksieve.experiments.published.mnist import table1_config
from tasksieve.experiments.published.table1_rows import auroc
from tasksieve.images import Digits, ImageTask, embedded_digits
from tasksieve.metagrad import AutogradLinearization
from tasksieve.models import LabelScoreModule, LogisticRegression, Model, PerceptronWeightModule
from tasksieve.models.linear.linearization import LogisticLinearization
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.run import run
from tasksieve.training.runs.images import IMAGES

NAMES = ("weight", "bias")


def digits_in_double() -> Digits:
    """Digits in float64; one of them has no ink."""
    train = embedded_digits()["train"]
    pixels = train.pixels.double()
    pixels[3] = 0
    return Digits(pixels, train.labels)


def problem() -> tuple[LogisticRegression, dict[str, torch.Tensor], ImageTask]:
    """Logistic regression in float64, parameters that are not its own, and images."""
    model = LogisticRegression(64, torch.Generator().manual_seed(0)).double()
    generator = torch.Generator().manual_seed(1)
    params = {
        name: torch.randn(value.shape, generator=generator, dtype=torch.float64)
        for name, value in model.named_parameters()
    }
    return model, params, ImageTask(digits_in_double())


def assert_equal(found: torch.Tensor | None, expected: torch.Tensor | None) -> None:
    assert found is not None and expected is not None
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("along", [NAMES, NAMES[:1], NAMES[1:], ()])
@pytest.mark.parametrize("moved", [NAMES, NAMES[:1]])
def test_closed_forms_are_those_of_automatic_differentiation(along: tuple[str, ...], moved: tuple[str, ...]) -> None:
    model, everywhere, task = problem()
    batches = [task.batch(torch.arange(20)), task.batch(torch.arange(20, 33))]
    params = {name: everywhere[name] for name in moved}

    def losses(at: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.cat([functional_call(model, at, (batch,)) for batch in batches])

    generator = torch.Generator().manual_seed(2)
    factors = torch.rand(33, generator=generator, dtype=torch.float64)
    direction = {
        name: torch.randn(everywhere[name].shape, generator=generator, dtype=torch.float64)
        for name in along
        if name in moved
    }
    closed, plain = model.linearize(params, batches), AutogradLinearization(losses, params)
    assert isinstance(closed, InPlace)
    assert isinstance(model.linearize(params, batches[:1]), LogisticLinearization)
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
    model, params, task = problem()
    batch = task.batch(torch.arange(9))
    assert_equal(model.losses_at(params, batch), functional_call(model, params, (batch,)))
    assert_equal(model.losses_at({}, batch), model.losses(batch))
    factors = torch.rand(9, generator=torch.Generator().manual_seed(1)).double()
    assert_equal(model.backward([batch], factors), model.losses(batch).detach())
    quick = [value.grad for value in model.parameters()]
    Model.backward(model, [batch], factors)
    for found, value in zip(quick, model.parameters(), strict=True):
        assert_equal(found, value.grad)


def test_a_centre_is_taken_off_the_images_and_is_no_parameter() -> None:
    digits = digits_in_double()
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
