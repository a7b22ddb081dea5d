"""The configuration of a run: frozen, complete, and written to the run folder as TOML."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tomli_w
from pydantic import BaseModel, BeforeValidator, Field, SerializeAsAny, ValidationError, model_validator

from tasksieve.errors import UserError
from tasksieve.records.data_config import LARGEST_SEED
from tasksieve.records.data_config import DataConfig as DataConfig
from tasksieve.records.files import read_bytes
from tasksieve.records.model_config import (
    MODEL_KINDS,
    REFUSED,
    WEIGHT_MODULE_KINDS,
    AutoModelConfig,
    AutoWeightConfig,
    ModelConfig,
    Section,
    WeightModuleConfig,
)
from tasksieve.records.rivals_config import RivalsConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


Heads = Literal["own", "shared"]
"""By which a run judges related examples, and what its weights mean then."""
LARGEST = 1 << 16
"""Bytes of a TOML file: far more than all settings take."""
MOST_DOTS = 200
"""In a line of it."""
MOST_TRIALS = 1024
"""Of a screening."""


class MetaConfig(Section):
    """How the weight module learns (step 3 of an iteration, Eqs. 6-14)."""

    unroll_length: int = Field(default=5, ge=0, le=1000, description="K, related updates simulated in a meta-update")
    updates: int = Field(default=1, ge=0, description="N_meta, meta-updates in an iteration")
    every: int = Field(default=1, ge=1, description="iterations from one that has meta-updates to the next")
    weight_lr: float = Field(default=1e-4, gt=0, description="γ, step size of the weight module")
    weight_optimizer: Literal["adam", "adagrad"] = Field(
        default="adam", description="adagrad: what is mostly noise moves little, however long the run"
    )
    weight_lr_schedule: Literal["constant", "cosine"] = Field(
        default="constant", description="cosine: γ falls to 0 along half a cosine over the run's iterations"
    )
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled decay of the weight module's params")
    inner_optimizer: Literal["sgd", "adam", "held-adam"] = Field(
        default="sgd", description="rule of the simulated step; held-adam: Adam with the real one's moments held"
    )
    inner_lr: float = Field(default=0.032, gt=0, description="β of the simulated step")
    inner_momentum: float = Field(default=0.0, ge=0, lt=1, description="of the simulated step, if it is SGD")
    inner_eps_root: float = Field(default=1e-12, ge=0, description="term under Adam's root when simulated")
    carry_state: bool = Field(default=True, description="simulated Adam starts from the real one's moments")
    on_failure: Literal["fallback", "stop"] = Field(
        default="fallback", description="what to do where the model has no second derivative"
    )
    certify_every: int = Field(
        default=0,
        ge=0,
        description="hold the meta-gradient of every so many-th iteration that has one against float64; 0 for none",
    )
    estimator: str = Field(default="adjoint", description="how the meta-gradient is computed")
    loss: Literal["nll", "calibrated"] = Field(
        default="nll", description="the meta-loss; calibrated: at the scale of scores that fits the batch best"
    )
    dialogs: Literal["training", "validation"] = Field(
        default="training", description="the primary dialogs that the meta-loss is taken on"
    )
    batch_size: int | None = Field(default=None, ge=1, description="of the meta-loss; by default training.batch_size")
    joint: bool = Field(default=False, description="simulate a primary update before each related one")
    normalize_weights: bool = Field(default=False, description="divide weights by their mean in the batch")
    warm_up: int = Field(
        default=300,
        ge=0,
        description="iterations with all weights 1 before the module learns; none after a screening",
    )
    max_grad_norm: float | None = Field(default=None, gt=0, description="clip the meta-gradient's norm")


class ScreeningConfig(Section):
    """Short trainings before a learned run, which show what groups of related examples help over many updates."""

    trials: int = Field(default=32, ge=0, le=MOST_TRIALS, description="a power of two from 8; 0 for no screening")
    iterations: int = Field(default=1200, ge=1, description="of each trial")
    groups: int = Field(default=16, ge=1, le=512, description="at most so many; half the trials at most")
    distill_iterations: int = Field(default=400, ge=1, description="that teach the weight module what was found")
    together: bool = Field(default=False, description="trials of the matching model on bags of words as one model")

    @model_validator(mode="after")
    def _fits(self) -> ScreeningConfig:
        if self.trials and (self.trials < 8 or self.trials & (self.trials - 1)):
            raise ValueError("trials must be a power of two from 8, or 0")
        return self


class TrainingConfig(Section):
    """The loop: steps 1 and 2 of an iteration (Eqs. 1-5), model selection and stopping."""

    method: str = Field(default="learned", description="how related data is used")
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    iterations: int = Field(default=6000, ge=1, description="at most so many")
    pretrain_iterations: int = Field(default=2000, ge=0, description="related-only ones, for `pretrain`")
    batch_size: int = Field(default=32, ge=1)
    primary_lr: float = Field(default=2e-3, gt=0, description="α")
    related_lr: float = Field(default=2e-3, gt=0, description="β")
    lr_schedule: Literal["constant", "linear"] = Field(
        default="constant", description="linear: α and β fall to 0 over the run's iterations"
    )
    decay: float = Field(default=0.0, ge=0, description="decoupled decay of the model's params, times each step size")
    related_batch_size: int | None = Field(
        default=None, ge=1, description="draw so many of all related tasks together; by default a batch of each task"
    )
    heads: Heads = Field(
        default="own",
        description="own: a related task chooses among its own responses, with a head of its own; shared: all choose "
        "among all responses, as a fine-tuned language model does",
    )
    reduction: Literal["mean", "sum"] = Field(default="mean", description="of the losses in a batch")
    primary_updates: bool = Field(default=True, description="whether step 1 is done")
    optimizer_state: Literal["shared", "separate"] = Field(
        default="shared", description="whether primary and related updates share Adam's moments"
    )
    max_grad_norm: float | None = Field(default=None, gt=0, description="clip the norm of both updates")
    evaluate_every: int = Field(default=100, ge=1, description="iterations between validations")
    keep: Literal["best", "last"] = Field(
        default="best", description="the model that is kept: that of the best validation, or the last one"
    )
    patience: int = Field(default=25, ge=1, description="validations without a better one before stopping")
    snapshot_every: int = Field(default=200, ge=1, description="iterations between records of the weights")
    snapshot_examples: int = Field(
        default=100_000, ge=1, description="so many examples in a record, a fixed sample of more; at the end all"
    )
    device: str = Field(default="cpu", description="a torch device, or auto: a GPU if there is one")
    threads: int = Field(default=1, ge=1, le=1024, description="CPU threads; the tensors are too small for more")


class LoopConfig(Section):
    """What every run has, whatever it learns from. ``config.toml`` in the run folder holds it resolved."""

    training: TrainingConfig = TrainingConfig()
    meta: MetaConfig = MetaConfig()
    rivals: RivalsConfig = RivalsConfig()

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross to another process as values: a class of a plug-in is there only once the plug-in is imported."""
        return _restored, (type(self), self.model_dump(exclude_unset=True))


def _restored(kind: type[LoopConfig], values: dict[str, Any]) -> LoopConfig:
    return kind.model_validate(values)


class RunConfig(LoopConfig):
    """A run on dialogs."""

    data: DataConfig
    model: Annotated[SerializeAsAny[ModelConfig], BeforeValidator(MODEL_KINDS.check)] = AutoModelConfig()
    weight_module: Annotated[SerializeAsAny[WeightModuleConfig], BeforeValidator(WEIGHT_MODULE_KINDS.check)] = (
        AutoWeightConfig()
    )
    screening: ScreeningConfig = ScreeningConfig()


Config = TypeVar("Config", bound=LoopConfig)


def config_from(values: dict[str, Any], source: Path | str | None = None) -> RunConfig:
    """Check nested values of a run on dialogs and fill in defaults.

    Raises: UserError: naming every unknown key and wrong value, and what was expected.
    """
    return config_of(RunConfig, values, source)


def config_of(kind: type[Config], values: dict[str, Any], source: Path | str | None = None) -> Config:
    """Check nested values of a run of any kind and fill in defaults.

    Raises: UserError: naming every unknown key and wrong value, and what was expected.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        items = error.errors()
        problems = [_problem(kind, values, item) for item in items[:_SHOWN]]
        problems += [f"and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
        raise UserError("; ".join(problems), source) from None


_SHOWN = 8


def _problem(kind: type[LoopConfig], values: Mapping[str, Any], item: Any) -> str:
    key = ".".join(str(part)[:80] for part in item["loc"])
    if item["type"] == "extra_forbidden":
        section = kind if len(item["loc"]) == 1 else _section_class(kind, str(item["loc"][0]), values)
        known = ", ".join(section.model_fields) if section is not None else ""
        return f"unknown key '{key}'; known here: {known}"
    if item["type"] == REFUSED and isinstance(item["input"], Mapping):  # of a whole section
        return f"{key}: {item['msg']}"
    message = item["msg"] if item["type"] == REFUSED else item["msg"].lower()
    return f"{key}: found {shown(item['input'])}; {message}"


def _section_class(kind: type[LoopConfig], name: str, values: Mapping[str, Any]) -> type[BaseModel] | None:
    """The class of a section, which may depend on the kind that the values name."""
    if kind is RunConfig and name == "model":
        return MODEL_KINDS.named(values[name].get("kind") or MODEL_KINDS.unnamed(values[name]))
    if kind is RunConfig and name == "weight_module":
        return WEIGHT_MODULE_KINDS.named(values[name].get("kind") or WEIGHT_MODULE_KINDS.unnamed(values[name]))
    field = kind.model_fields.get(name)
    found = None if field is None else field.annotation
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def shown(value: Any) -> str:
    """A value as a message shows it, cut where it is long."""
    if isinstance(value, int) and abs(value) >= 10**100:
        return "a number of over 100 digits"
    return repr(value)[:200] if isinstance(value, str | int | float) else reprlib.repr(value)


def read_values(path: Path) -> dict[str, Any]:
    """Read a TOML file as nested values, unchecked.

    Raises: UserError: if it is missing, too large or not TOML.
    """
    data = read_bytes(path, LARGEST, "no such file; check the path")
    try:
        return _toml(data.decode("utf-8"))
    except RecursionError:
        raise UserError("is not TOML: it is nested too deeply", path) from None
    except ValueError as error:
        raise UserError(f"is not TOML: {error}", path) from None


def set_value(values: dict[str, Any], assignment: str) -> None:
    """Put ``section.key=value`` (the value in TOML) into nested values.

    Raises: UserError: if the assignment has no such form.
    """
    key, equals, text = assignment.partition("=")
    parts = key.strip().split(".")
    if not equals or len(parts) != 2 or not all(parts):
        raise UserError(f"found '{assignment}'; expected section.key=value, e.g. training.iterations=2000")
    value: Any = text.strip()
    if len(text) <= LARGEST:
        with suppress(ValueError, RecursionError):
            value = _toml(f"value = {text}")["value"]
    section_of(values, parts[0])[parts[1]] = value


def _toml(text: str) -> dict[str, Any]:
    """Parse; keys of very many parts, on which the parser takes quadratic time, are refused first."""
    if any(line.count(".") > MOST_DOTS for line in text.splitlines()):
        raise RecursionError
    return dict(tomllib.loads(text))


def changed(config: Config, settings: Mapping[str, Any]) -> Config:
    """A configuration with other values, ``section.key`` to value; what was not set before stays so.

    Raises: UserError: as :func:`config_of`.
    """
    values = config.model_dump(exclude_unset=True)
    for name, value in settings.items():
        section, _, key = name.partition(".")
        section_of(values, section)[key] = value
    return config_of(type(config), values)


def section_of(values: dict[str, Any], name: str) -> dict[str, Any]:
    """A section of nested values, made if it is not there.

    Raises: UserError: if something else has its name.
    """
    section = values.setdefault(name, {})
    if not isinstance(section, dict):
        raise UserError(f"{name}: found {shown(section)}; expected a section, [{name}]")
    return section


def to_toml(config: LoopConfig) -> str:
    """The whole configuration as TOML (unset optional keys are left out, as TOML has no null)."""
    return tomli_w.dumps(config.model_dump(mode="json", exclude_none=True))
