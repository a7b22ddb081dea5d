"""The kinds of dialog model and of weight module, by the names that a configuration gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from tasksieve.models.group_weights import GroupWeights
from tasksieve.models.language_model.model import LanguageModel
from tasksieve.models.matching.model import Matching
from tasksieve.models.matching.ranking import Ranking
from tasksieve.models.matching.weight_module import MatchingWeights
from tasksieve.models.memory_network.network import MemoryNetwork, MemoryWeightModule
from tasksieve.models.model import DialogModel, DialogWeightModule
from tasksieve.plugins import same_source
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
    Raises: ValueError: if there is another model of this name. The same class may be registered again, as when a
        plug-in imports another one.

    Example::

        @register_model("gru", GruConfig)
        class Gru(DialogModel): ...
    """
    MODEL_KINDS.add(kind, config)

    def register(model: OwnModel) -> OwnModel:
        _require_new(_MODELS, "model", kind, model)
        _MODELS[kind] = model
        return model

    return register


def register_weight_module(kind: str, config: type[WeightModuleConfig]) -> Callable[[OwnModule], OwnModule]:
    """Make a weight module of dialogs known as ``weight_module.kind``; a decorator of its class.

    Args:
        kind: its name.
        config: the class of its section ``[weight_module]``.
    Raises: ValueError: if there is another weight module of this name. The same class may be registered again.
    """
    WEIGHT_MODULE_KINDS.add(kind, config)

    def register(module: OwnModule) -> OwnModule:
        _require_new(_WEIGHT_MODULES, "weight module", kind, module)
        _WEIGHT_MODULES[kind] = module
        return module

    return register


def kind_of(module: object) -> str | None:
    """The kind that a model or a weight module is registered as; None for another one."""
    known: list[tuple[str, type]] = [*_MODELS.items(), *_WEIGHT_MODULES.items()]
    return next((kind for kind, own in known if own is type(module)), None)


def model_of(config: ModelConfig) -> type[DialogModel]:
    """The class of a configuration's model; the configuration has been checked, so that there is one."""
    return _MODELS[config.kind]


def weight_module_of(config: WeightModuleConfig) -> type[DialogWeightModule]:
    """The class of a configuration's weight module; the configuration has been checked, so that there is one."""
    return _WEIGHT_MODULES[config.kind]


def _require_new(known: Mapping[str, type], what: str, kind: str, own: type) -> None:
    """Refuse a class under the name of another one."""
    if kind in known and not same_source(known[kind], own):
        raise ValueError(f"there is a {what} of kind '{kind}' already")
