"""What a run says of its dialog model and its weight module: the kinds there are, and the settings of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from tasksieve.plugins import load_plugins, same_source


class Section(BaseModel):
    """A section of a configuration: frozen, and without keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


MOST_MEMORIES = 65_536
Facts = Literal["all", "needed", "mentioned", "none"]
"""Which facts are memories: all, where they stand; those that something was said of, from then on (mentioned), and
those that have just come, for the turn at hand (needed); or none. A knowledge base may answer with hundreds of facts,
among which what was said is hard to find."""


Predicted = Literal["responses", "actions"]
"""What is predicted of a turn: what the system says, or what it does."""
SLOT_ACTS = ("request", "call")
"""The acts whose slot is part of an action, unless a configuration says otherwise."""

Entities = Literal["facts", "names"]
"""How responses name what facts are about: told by the facts, so that any known entity can be named; or as texts."""

BUILT_IN = "memory-network"
"""The kind of the model and the weight module where settings of theirs are given and no kind is named."""
AUTO = "auto"
"""Stands for the kind that suits what is predicted, until a run settles it."""

Sentences = Literal["auto", "bag-of-words", "pretrained", "both", "tokens"]
"""What sentences are to a model: bags of words, vectors of an encoder, both, or a language model's tokens."""


class ModelConfig(Section):
    """What every dialog model has; each kind adds its own settings."""

    kind: str = Field(description="which model; others than the built-in one are registered by plug-ins")
    max_memories: int = Field(default=250, ge=1, le=MOST_MEMORIES, description="older memories are left out")
    max_words: int = Field(
        default=25_000,
        ge=1,
        description="rarer words of related tasks are unknown; all of the primary task are known",
    )
    facts: Facts = Field(
        default="needed",
        description="which facts are memories: all; those mentioned; needed: also those that have just come; none",
    )
    entities: Entities = Field(
        default="facts",
        description="a response that names an entity: a template and a choice by the facts, or word by word (names)",
    )
    sentences: Sentences = Field(
        default="auto", description="what sentences are; auto: the best that the model takes and that is installed"
    )
    encoder: str = Field(
        default="minilm", description="the pretrained encoder: minilm, a folder, or a name on the hub"
    )


class WeightModuleConfig(Section):
    """What every weight module of dialogs has; each kind adds its own settings."""

    kind: str = Field(description="which weight module; others than the built-in one are registered by plug-ins")


class TunedConfig(ModelConfig):
    """A model of sentence vectors that can tune how the last utterance is read."""

    tune: Literal["none", "adapters"] = Field(
        default="none", description="of the encoder, what is learned too: nothing, or an adapter in its last layer"
    )
    tune_width: int = Field(default=16, ge=1, le=4096, description="of the adapter")

    @model_validator(mode="after")
    def _has_what_is_tuned(self) -> TunedConfig:
        if self.tune != "none" and self.sentences not in ("auto", "pretrained", "both"):
            without = f"there is no encoder to tune with sentences = '{self.sentences}'; take both, or pretrained"
            raise _refused("tune", self.tune, without)
        return self


class AutoModelConfig(TunedConfig):
    """The model that suits what is predicted: a memory network for templates, matching for people's dialogs."""

    kind: Literal["auto"] = "auto"


class AutoWeightConfig(WeightModuleConfig):
    """The weight module that goes with the model."""

    kind: Literal["auto"] = "auto"


class MatchingConfig(TunedConfig):
    """Scores actions and responses by what they have in common with the context, and by learned maps."""

    kind: Literal["matching"] = "matching"
    width: int = Field(default=64, ge=1, le=4096, description="of the state")
    hidden: int = Field(default=48, ge=0, le=4096, description="of the layer on the state; 0 for none")
    members: int = Field(
        default=2, ge=1, le=64, description="models trained side by side, whose answers are averaged"
    )
    vector_scale: float = Field(default=2.0, gt=0, description="by what sentence vectors are multiplied")
    word_scale: float | None = Field(
        default=None, ge=0, description="the same of the last utterance's words; by default 0.3, or 1 without vectors"
    )
    dropout: float = Field(default=0.2, ge=0, lt=1, description="of sentence vectors, in training")
    word_dropout: float = Field(default=0.3, ge=0, lt=1, description="of words and states, in training")
    init_sd: float = Field(default=0.1, gt=0, description="standard deviation of initial embeddings")
    choice_sd: float = Field(default=1.0, ge=0, description="the same of choices' words, times the root of the width")
    linear: bool = Field(default=True, description="whether choices also have a linear function of the vectors each")


class RankingConfig(TunedConfig):
    """Ranks responses as people wrote them, by their vectors and by the words they share with what is known."""

    kind: Literal["ranking"] = "ranking"
    facts: Facts = Field(
        default="all", description="which facts are memories; all, as a response may offer what nobody mentioned"
    )
    hidden: int = Field(default=64, ge=1, le=4096, description="of the layer on the context")
    overlap_hidden: int = Field(default=32, ge=1, le=4096, description="of the layer on what words are shared")
    vector_scale: float = Field(default=4.0, gt=0, description="by what sentence vectors are multiplied there")
    sharpness: float = Field(default=5.0, gt=0, description="by what cosines are multiplied at first")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="of sentence vectors, in training")
    map_lr: float = Field(default=0.5, gt=0, description="step sizes of maps of vectors, as a share of the others'")


class LanguageModelConfig(ModelConfig):
    """A pretrained causal language model with low-rank adapters, by whose likelihood responses are ranked."""

    kind: Literal["language-model"] = "language-model"
    pretrained: str = Field(min_length=1, description="a folder, a .gguf file, or a name on the hub")
    rank: int = Field(default=8, ge=1, le=1024, description="of the adapters of the attention's maps")
    alpha: float = Field(default=16.0, gt=0, description="by what adapters are multiplied, times 1 / rank")
    context: int = Field(default=384, ge=16, le=65_536, description="tokens before a response; older are left out")
    answers: Literal["generated", "ranked"] = Field(
        default="generated",
        description="in conversations, where responses are as people wrote them: generated ones first, or known ones",
    )
    longest_answer: int = Field(default=96, ge=1, le=4096, description="tokens that are generated at most")
    sharded: bool = Field(
        default=False,
        description="whether the frozen weights lie in parts over the processes that torchrun has started (FSDP2)",
    )
    sentences: Literal["auto", "tokens"] = Field(default="tokens", description="the language model's own tokens")


class MatchingWeightConfig(WeightModuleConfig):
    """The weight module that goes with matching: linear in the context's and the response's vectors and words."""

    kind: Literal["matching"] = "matching"
    vector_scale: float = Field(default=4.0, gt=0, description="by what sentence vectors are multiplied")


class GroupWeightConfig(WeightModuleConfig):
    """A logit for each group of related examples, and what their service's present loss adds to it."""

    kind: Literal["groups"] = "groups"
    groups: int = Field(default=32, ge=1, le=512, description="at most so many, but at least one a service")
    start: float = Field(default=-2.0, description="the logit of all at first")
    common: float = Field(
        default=0.5, ge=0, le=1, description="the share of examples that are drawn without what is a group's own"
    )
    explained: float = Field(
        default=0.5, ge=0, description="at first: what a service loses whose responses do not follow from contexts"
    )


class BodyConfig(Section):
    """What embeds and attends, in the memory network and in its weight module alike."""

    dim: int = Field(default=20, ge=1, le=4096, description="width d of embeddings and internal state")
    hops: int = Field(default=3, ge=1, le=64, description="how often the memories are attended to")
    transform: Literal["state", "attended"] = Field(
        default="attended", description="what the d × d matrix is applied to"
    )
    init_sd: float = Field(default=0.1, gt=0, description="standard deviation of initial parameters")

    @model_validator(mode="before")
    @classmethod
    def _without_recency(cls, values: Any) -> Any:
        """Read what runs from before have: they say that memories have no embedding of their distance."""
        if not isinstance(values, Mapping) or "recency" not in values:
            return values
        if values["recency"] is not False:
            raise _refused("recency", values["recency"], "there is no embedding of a memory's distance any more")
        return {name: value for name, value in values.items() if name != "recency"}


class MemoryNetworkConfig(BodyConfig, ModelConfig):
    """The built-in dialog model: an end-to-end memory network."""

    kind: Literal["memory-network"] = "memory-network"
    dim: int = Field(default=40, ge=1, le=4096, description="width d of embeddings and internal state")
    shared_candidates: bool = Field(default=True, description="one candidate embedding for all heads")
    sentences: Literal["auto", "bag-of-words"] = Field(default="bag-of-words", description="sums of words alone")


class MemoryWeightConfig(BodyConfig, WeightModuleConfig):
    """The built-in weight module: the same body as the memory network, then a logit."""

    kind: Literal["memory-network"] = "memory-network"


Kind = TypeVar("Kind", bound=Section)


class Kinds(Generic[Kind]):
    """The configuration classes of the known kinds of model, or of weight module.

    Args:
        section: of the configuration.
        known: the class of each kind that comes with the package.
    """

    def __init__(self, section: str, known: Mapping[str, type[Kind]]) -> None:
        self._section = section
        self._classes = dict(known)

    def add(self, kind: str, config: type[Kind]) -> None:
        """Make a kind known.

        Raises: ValueError: if there is another one of this name.
        """
        if not same_source(self._classes.setdefault(kind, config), config):
            raise ValueError(f"there is a {self._section} of kind '{kind}' already")
        self._classes[kind] = config

    def named(self, kind: Any) -> type[Kind] | None:
        """The class of a kind, after all plug-ins are imported if need be; None if there is none."""
        if not isinstance(kind, str):
            return None
        if kind not in self._classes:
            load_plugins()
        return self._classes.get(kind)

    def unnamed(self, values: Mapping[str, Any]) -> str:
        """The kind of a section that names none: the first that has its settings."""
        kinds = (kind for kind, section in self._classes.items() if values.keys() <= section.model_fields.keys())
        return next(kinds, BUILT_IN)

    def check(self, values: Any) -> Any:
        """Check a section's values by the class of their kind."""
        if not isinstance(values, Mapping):
            return values
        kind = values.get("kind") or self.unnamed(values)
        found = self.named(kind)
        if found is None:
            known = ", ".join(self._classes)
            raise _refused(
                "kind", kind, f"known: {known}; give a plug-in that has it with tasksieve --plugin FILE.py"
            )
        return found.model_validate({**values, "kind": kind})


MODEL_KINDS: Kinds[ModelConfig] = Kinds(
    "model",
    {
        AUTO: AutoModelConfig,
        BUILT_IN: MemoryNetworkConfig,
        "matching": MatchingConfig,
        "ranking": RankingConfig,
        "language-model": LanguageModelConfig,
    },
)
WEIGHT_MODULE_KINDS: Kinds[WeightModuleConfig] = Kinds(
    "weight module",
    {
        AUTO: AutoWeightConfig,
        BUILT_IN: MemoryWeightConfig,
        "matching": MatchingWeightConfig,
        "groups": GroupWeightConfig,
    },
)


REFUSED = "refused"
"""The type of an error whose message is a sentence of our own."""


def _refused(key: str, found: Any, message: str) -> ValidationError:
    """An error of one key with a message of our own."""
    error = PydanticCustomError(REFUSED, "{message}", {"message": message})
    return ValidationError.from_exception_data(key, [InitErrorDetails(type=error, loc=(key,), input=found)])
