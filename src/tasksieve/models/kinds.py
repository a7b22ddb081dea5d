"""The kinds of dialog model and of weight module, by the names that a configuration gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tasksieve.models.group_weights import GroupWeights
from tasksieve.models.language_model.model import LanguageModel
from tasksieve.models.matching.model import Matching
from tasksieve.models.matching.ranking import Ranking
from tasksieve.models.matching.weight_module import MatchingWeights
from tasksieve.models.memory_network.network import MemoryNetwork, MemoryWeightModule
from tasksieve.models.model import DialogModel, DialogWeightModule
from tasksieve.records.model_config import (
    BUILT_IN,
    MODEL_KINDS,
    WEIGHT_MODULE_KINDS,
    ModelConfig,
    WeightModuleConfig,
)

OwnModel = TypeVar("OwnModel", bound=type[DialogModel])
OwnModule = TypeVar("OwnModule", bound=type[DialogWeightModule])

_MODELS: dict[str, type[DialogModel]] = {
    BUILT_IN: MemoryNetwork,
    "matching": Matching,
    "ranking": Ranking,
    "language-model": LanguageModel,
}
_WEIGHT_MODULES: dict[str, type[DialogWeightModule]] = {
    BUILT_IN: MemoryWeightModule,
    "matching": MatchingWeights,
    "groups": GroupWeights,
}


def register_model(kind: str, config: type[ModelConfig]) -> Callable[[OwnModel], OwnModel]:
    """Make a dialog model known as ``model.kind``; a decorator of its class.

    Args:
        kind: its name.
        config: the class of its section ``[model]``, with the settings it has beside those of every model.
    Raises: ValueError: if there is another model of this name.

    Example::

        @register_model("gru", GruConfig)
        class Gru(DialogModel): ...
    """
    MODEL_KINDS.add(kind, config)

    def register(model: OwnModel) -> OwnModel:
        _MODELS[kind] = model
        return model

    return register


def register_weight_module(kind: str, config: type[WeightModuleConfig]) -> Callable[[OwnModule], OwnModule]:
    """Make a weight module of dialogs known as ``weight_module.kind``; a decorator of its class.

    Args:
        kind: its name.
        config: the class of its section ``[weight_module]``.
    Raises: ValueError: if there is another weight module of this name.
    """
    WEIGHT_MODULE_KINDS.add(kind, config)

    def register(module: OwnModule) -> OwnModule:
        _WEIGHT_MODULES[kind] = module
        return module

    return register


def model_of(config: ModelConfig) -> type[DialogModel]:
    """The class of a configuration's model; the configuration has been checked, so that there is one."""
    return _MODELS[config.kind]


def weight_module_of(config: WeightModuleConfig) -> type[DialogWeightModule]:
    """The class of a configuration's weight module; the configuration has been checked, so that there is one."""
    return _WEIGHT_MODULES[config.kind]
