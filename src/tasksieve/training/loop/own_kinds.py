"""Models and weight modules of one's own, tried on a few examples before a run: do they keep to the contract?

It stands in ``src/tasksieve/models/model.py``. What comes with the package keeps to it and is not tried. Who breaks
it is told in a sentence; an error that their own code raises stays as it is, with its traceback.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tasksieve.errors import UserError
from tasksieve.metagrad.random_draws import cuda_devices, preserved
from tasksieve.models import DialogModel, Model, WeightModule, learned_params
from tasksieve.models.kinds import kind_of
from tasksieve.training.loop.optimizers import groups_of
from tasksieve.training.loop.samplers import Tasks

FEW = 8
"""Examples of each task."""


def called(module: nn.Module) -> str:
    """What messages call a model or a weight module."""
    what = "weight module" if isinstance(module, WeightModule) else "model"
    kind = kind_of(module)
    return f"the {what} {type(module).__name__}" if kind is None else f"the {what} of kind '{kind}'"


def check_model(model: Model, tasks: Tasks) -> None:
    """Try a model of one's own on examples of every task; it and torch's generators stay as they are.

    Raises: UserError: which kind it is, what was found and what the contract is.
    """
    if not _is_own(model):
        return
    like = _learned(model)
    with _untouched(model):
        for task in (tasks.primary, *tasks.related):
            numbers = task.answerable()[:FEW]
            if len(numbers):
                batch = task.batch(numbers)
                if isinstance(model, DialogModel):
                    _check_scores(model, batch, like)
                _check_losses(model, batch, like)


def check_weight_module(module: WeightModule, model: Model, tasks: Tasks) -> None:
    """Try a weight module of one's own on examples of every related task, as :func:`check_model` does.

    Args:
        module: the weight module.
        model: whose losses the weights multiply.
        tasks: with the related ones.
    Raises: UserError: which kind it is, what was found and what the contract is.
    """
    if not _is_own(module):
        return
    _learned(module)
    like = next(iter(learned_params(model).values()))
    with _untouched(module):
        for task in tasks.related:
            batch = task.batch(torch.arange(min(FEW, len(task))))
            if len(batch):
                with torch.no_grad():
                    logits = module(batch)
                _check(module, "logits", logits, (len(batch),), "one logit an example, shape (batch,)", like)
                _check_finite(module, "weights", torch.sigmoid(logits))
                params = {name: value.detach().requires_grad_() for name, value in learned_params(module).items()}
                _check_gradient(module, "logits", module.logits_at(params, [batch])[0], list(params.values()))


def _is_own(module: nn.Module) -> bool:
    return not type(module).__module__.startswith("tasksieve.")


def _learned(module: Any) -> Tensor:
    """The first parameter that is learned."""
    params = learned_params(module)
    if not params:
        raise _broken(module, "has no parameter that requires a gradient", "at least one, as only those are learned")
    try:
        groups_of(module)
    except ValueError as error:
        raise _broken(module, f"has groups that lack one: {error}", "a group for every learned parameter") from None
    return next(iter(params.values()))


def _check_scores(model: DialogModel, batch: Any, like: Tensor) -> None:
    asked = [batch.choices] if batch.entities is None else [batch.choices, batch.entities]
    with torch.no_grad():
        scores = model.scores(batch, *asked)
    contract = "a tuple of one tensor for each list of choices"
    if not isinstance(scores, Sequence):
        raise _broken(model, f"gave a {type(scores).__name__} as scores", contract)
    if len(scores) != len(asked):
        raise _broken(model, f"gave {len(scores)} tensors of scores for {len(asked)} lists of choices", contract)
    for one, choices in zip(scores, asked, strict=True):
        shape = (len(batch), choices.most)
        _check(model, "scores", one, shape, "a score for each choice of each example, shape (batch, choices)", like)
        if bool(one.isnan().any()):
            raise _broken(model, "gave scores that are nan", "numbers, or -inf where an example has fewer choices")


def _check_losses(model: Model, batch: Any, like: Tensor) -> None:
    with torch.no_grad():
        losses = model.losses(batch)
    _check(model, "losses", losses, (len(batch),), "one loss an example, shape (batch,)", like)
    _check_finite(model, "losses", losses)
    params = {name: value.detach().requires_grad_() for name, value in learned_params(model).items()}
    _check_gradient(model, "losses", model.losses_at(params, batch), list(params.values()))


def _check(module: nn.Module, what: str, found: Any, shape: tuple[int, ...], contract: str, like: Tensor) -> None:
    """Kind, shape, dtype and device of what a module gave."""
    if not isinstance(found, Tensor):
        raise _broken(module, f"gave a {type(found).__name__} as {what}", f"a tensor, {contract}")
    if tuple(found.shape) != shape:
        given = f"gave {what} of shape {tuple(found.shape)} for {shape[0]} examples"
        raise _broken(module, given, f"{contract}, here {shape}")
    if (found.dtype, found.device) != (like.dtype, like.device):
        given = f"gave {what} as {_name(found.dtype)} on {found.device}"
        raise _broken(module, given, f"those of the model's parameters, {_name(like.dtype)} on {like.device}")


def _check_finite(module: nn.Module, what: str, found: Tensor) -> None:
    if not bool(found.isfinite().all()):
        bad = found[~found.isfinite()][0]
        raise _broken(module, f"gave {what} that are not finite ({float(bad)})", "finite numbers for every example")


def _check_gradient(module: nn.Module, what: str, found: Tensor, params: list[Tensor]) -> None:
    reached = found.requires_grad and any(
        value is not None for value in torch.autograd.grad(found.sum(), params, allow_unused=True)
    )
    if not reached:
        raise _broken(
            module,
            f"gave {what} from which no gradient reaches a parameter of it",
            "differentiable operations on its own parameters, without argmax, detach() or no_grad",
        )


def _broken(module: nn.Module, found: str, contract: str) -> UserError:
    return UserError(f"{called(module)} {found}; the contract is {contract} (src/tasksieve/models/model.py)")


@contextmanager
def _untouched(module: nn.Module) -> Iterator[None]:
    """Let buffers and torch's generators be afterwards what they are now."""
    buffers = {name: value.clone() for name, value in module.named_buffers()}
    with preserved(cuda_devices(dict(module.named_parameters()))), torch.enable_grad():
        try:
            yield
        finally:
            with torch.no_grad():
                for name, value in module.named_buffers():
                    value.copy_(buffers[name])


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
