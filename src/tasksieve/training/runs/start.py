"""The start of a run, alike for dialogs and images: optimisers and weights."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding import derived_generator
from tasksieve.models import Model, WeightModule
from tasksieve.models.loss_weight_module import LossWeightModule
from tasksieve.records.config import LoopConfig
from tasksieve.training.loop.optimizers import adam_of
from tasksieve.training.loop.parts import Tasks
from tasksieve.training.loop.samplers import sampler
from tasksieve.training.loop.state import TrainState
from tasksieve.training.loop.streams import LOOK_STREAM, WEIGHT_MODULE_STREAM, WEIGHTS_STREAM
from tasksieve.training.methods import Method
from tasksieve.training.rivals import GradientCosine, Gradients, LookAhead
from tasksieve.weighting import Constant, Learned, PerExample, RandomChanging, Weighter


def start_state(config: LoopConfig, model: Model, weight_module: WeightModule | None) -> TrainState:
    """Model and weight module with fresh optimisers; no weight module if the weights are not learned."""
    training = config.training
    primary = adam_of(model, training.primary_lr)
    shared = training.optimizer_state == "shared"
    optimizers = {"primary": primary, "related": primary if shared else adam_of(model, training.related_lr)}
    if weight_module is not None:
        optimizers["weights"] = adam_of(weight_module, config.meta.weight_lr, config.meta.weight_decay)
    return TrainState(model, weight_module, optimizers)


def loss_module(config: LoopConfig, model: Model) -> LossWeightModule:
    """A weight module that sees a model's losses, with its initial parameters, where the model is."""
    generator = derived_generator(config.training.seed, WEIGHT_MODULE_STREAM)
    return LossWeightModule(model, generator).to(next(model.parameters()).device)


def start_weighter(
    config: LoopConfig, method: Method, tasks: Tasks, state: TrainState, labels: Float[Tensor, " examples"] | None
) -> Weighter:
    """Where the related examples' weights come from.

    Args:
        config, method, tasks, state: of the run.
        labels: 1 for right and 0 for wrong, of all related tasks' examples one after the other, if known; the method
            has been asked what it requires.
    """
    seed = config.training.seed
    if method.learns_weights:
        assert state.weight_module is not None
        return Learned(state.weight_module, normalize=config.meta.normalize_weights, warm_up=config.meta.warm_up)
    if method.weighting == "random-fixed":
        return PerExample.random(tasks.related, derived_generator(seed, WEIGHTS_STREAM))
    if method.weighting == "random-changing":
        return RandomChanging(seed, WEIGHTS_STREAM)
    if method.weighting in ("look-ahead", "cosine"):
        drawn = sampler(config.training, tasks.primary.answerable(), LOOK_STREAM)
        gradients = Gradients(state.model, lambda step: tasks.primary.batch(drawn.batch(step)))
        return LookAhead(gradients) if method.weighting == "look-ahead" else GradientCosine(gradients)
    if method.weighting == "labels":
        assert labels is not None
        return PerExample(torch.split(labels.to(config.training.device), [len(task) for task in tasks.related]))
    return Constant()
