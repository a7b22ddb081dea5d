r"""What a model must offer: the contract that training, evaluation, chat and server know, and nothing else of it.

Three base classes, each an ``nn.Module``. What the table names has to be written; all other methods have defaults,
to be replaced where a model knows a quicker way.

======================  ========================================================================================
:class:`Model`          ``losses(batch)``; the defaults call it with other parameters and differentiate it.
:class:`DialogModel`    ``build(config, words, heads, generator)`` and ``scores(batch, *choices)``; losses, whole
                        responses and ranks follow from the scores.
:class:`WeightModule`   ``forward(batch)``, one logit an example.
======================  ========================================================================================

**Parameters.** Those that require a gradient are learned, and only those are ever moved, in the real updates and in
simulated ones. Turn off the gradient of what is to stay as it is: of a frozen body under an adapter, for example.
Simulated updates call a model with parameters other than its own, given by name; so compute from ``self.…`` and keep
nothing between calls. Losses should be twice differentiable; if they are not, a run falls back to an estimator that
does without, and says so. Where a model is measured or used, it is in ``eval()`` mode.

**Batches.** A dialog model reads a :class:`tasksieve.encoding.Batch`. Its ``table`` has the distinct sentences of the
batch as numbers of words: ``table.padded()`` in their order, ``table.embed(embedding)`` as bags of words. Numbers of
sentences in it are ``utterances`` (batch,) and ``memories`` (batch, slots), latest first, -1 where there are no more.
``responses`` (batch,) are what a weight module may see and a dialog model may not.

**Choices.** What an example chooses among is a :class:`tasksieve.encoding.Choices`: distinct choices as sentences,
and which of them each example is offered. With a vector for each context and one for each choice,
``choices.scores(states, rows)`` does the rest. ``batch.choices`` are responses; ``batch.entities``, if there are any,
are what responses may name.

**Saving.** Checkpoints hold ``state_dict()``; a model is made by ``build`` from the run's configuration before it is
filled. The generator given to ``build`` draws the initial parameters; torch's own random state is set from the run's
seed as well, so that ``nn.Linear`` and the like start alike in every run of a seed.

**Kinds.** :func:`tasksieve.models.register_model` gives a model its name for ``model.kind``.
``examples/own_model.py`` and ``examples/own_weight_module.py`` are whole ones. Before a run those of plug-ins are
tried on a few examples: shape, dtype and device of what they give, numbers that are finite, a gradient that reaches a
parameter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from tasksieve.contracts import Linearization
from tasksieve.encoding import Batch, Candidates, Choices
from tasksieve.metagrad import AutogradLinearization
from tasksieve.models.responses import whole_responses


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters that learn at one rate.

    Attributes:
        parameters: all of them require a gradient.
        lr_factor: by what the run's step size is multiplied for them.
    """

    parameters: Sequence[nn.Parameter]
    lr_factor: float = 1.0


class Trained(nn.Module):
    """What dialog models, image models and weight modules have in common: parameters that an optimiser moves."""

    def parameter_groups(self) -> Sequence[ParameterGroup]:
        """All parameters that require a gradient, each in one group; by default one group of all.

        A simulated step keeps the ratios of the groups' step sizes. Groups and their order are the same each time.
        """
        return [ParameterGroup([value for value in self.parameters() if value.requires_grad])]


class Model(ABC, Trained):
    """What is trained: anything with a loss an example."""

    @abstractmethod
    def losses(self, batch: Any) -> Float[Tensor, " batch"]:
        """The loss of each example in nats, unreduced; every example has a right answer."""

    def forward(self, batch: Any) -> Float[Tensor, " batch"]:
        """The losses, so that ``torch.func.functional_call`` and wrappers of modules find them."""
        return self.losses(batch)

    @property
    def differentiable_twice(self) -> bool:
        """Whether losses can be taken back through a pass back; where not, nobody tries whether they can."""
        return True

    def losses_at(self, params: Mapping[str, Tensor], batch: Any) -> Float[Tensor, " batch"]:
        """The losses at other parameters, differentiable in these.

        Args:
            params: by name; those that are missing are the model's own. If these are in double precision, the model's
                own are taken in it too.
            batch: examples.
        """
        return call_at(self, params, batch)

    def linearize(self, params: Mapping[str, Tensor], batches: Sequence[Any]) -> Linearization:
        """The losses of several batches, one after the other, with first and second derivatives.

        Args:
            params: where, by name; derivatives are by these. Those that are missing are the model's own, held still.
            batches: at least one.
        """

        def losses(at: Mapping[str, Tensor]) -> Tensor:
            return _joined([self.losses_at(at, batch) for batch in batches])

        return AutogradLinearization(losses, dict(params))

    def backward(self, batches: Sequence[Any], factors: Float[Tensor, " examples"]) -> Float[Tensor, " examples"]:
        """Set the gradients of the losses times factors, as ``.grad`` of the parameters that require one.

        Args:
            batches: at least one.
            factors: of their losses, one batch after the other.
        Returns: the losses, detached.
        """
        self.zero_grad(set_to_none=True)
        losses = _joined([self.losses(batch) for batch in batches])
        torch.autograd.backward(losses @ factors)
        return losses.detach()

    def backward_by_linearization(
        self, batches: Sequence[Any], factors: Float[Tensor, " examples"]
    ) -> Float[Tensor, " examples"]:
        """Set the gradients as :meth:`backward` does, by :meth:`linearize` instead of a graph.

        A model whose linearization is quicker than a graph may have this as its ``backward``.
        """
        params = learned_params(self)
        linear = self.linearize(params, batches)
        gradients = linear.gradient(factors)
        for name, value in params.items():
            value.grad = gradients.get(name)
        return linear.losses


class DialogModel(Model):
    """A model of dialogs: scores what an example chooses among."""

    @classmethod
    @abstractmethod
    def build(
        cls, config: Any, words: int, heads: Mapping[str, Candidates], generator: torch.Generator
    ) -> DialogModel:
        """A fresh model, on the CPU.

        Args:
            config: the section ``[model]``, of the class that the kind is registered with.
            words: size of the vocabulary.
            heads: the candidates of each task by the name of its head, which ``batch.head`` has; a method decides
                whether all tasks have one head. A model may treat them alike.
            generator: draws the initial parameters.
        """

    @abstractmethod
    def scores(self, batch: Batch, *choices: Choices) -> tuple[Float[Tensor, "batch _"], ...]:
        """Scores (logits) of what each example chooses among, from its utterance and memories.

        Args:
            batch: the contexts; what they are asked about comes with the next argument.
            choices: one or several lists for the same examples; the contexts need be read only once.
        Returns: for each of them a score a place, -inf where an example has fewer choices.
        """

    def losses(self, batch: Batch) -> Float[Tensor, " batch"]:
        """Cross-entropy of the right response, and of the entity where it names one, in nats.

        Raises: IndexError: if the right response of an example is none of its choices.
        """
        asked = [batch.choices] if batch.entities is None else [batch.choices, batch.entities]
        scored = self.scores(batch, *asked)
        losses = cross_entropy(scored[0], batch.targets, reduction="none")
        for scores, choices in zip(scored[1:], asked[1:], strict=True):
            named = batch.naming()
            if len(named):
                losses = losses.index_add(
                    0, named, cross_entropy(scores[named], choices.right[named], reduction="none")
                )
        return losses

    def responses(self, batch: Batch) -> tuple[Float[Tensor, "batch responses"], Int[Tensor, " batch"]]:
        """Scores of whole responses, and the right one's place, -1 for none.

        The choices come first; then, where responses name entities, each template with each entity that the example
        knows, in the order in which it came to know them.
        """
        if batch.entities is None:
            (scores,) = self.scores(batch, batch.choices)
            return whole_responses(batch.choices, scores)
        scores, of_entities = self.scores(batch, batch.choices, batch.entities)
        return whole_responses(batch.choices, scores, batch.entities, of_entities)

    def attention(self, batch: Batch) -> Float[Tensor, "hops batch slots"] | None:
        """For each time that the memories are attended to, the share of each, over ``batch.memories``.

        Returns: shares that add up to 1 over an example's memories; None if the model attends to none.
        """
        return None

    def generated(self, batch: Batch) -> list[tuple[str, float]] | None:
        """A response to each example that the model words itself, and its score; None if it only chooses."""
        return None


class WeightModule(ABC, Trained):
    """What gives related examples their weights, as σ of a logit."""

    @abstractmethod
    def forward(self, batch: Any) -> Float[Tensor, " batch"]:
        """One logit an example."""

    def logits_at(self, weight_params: Mapping[str, Tensor], batches: Sequence[Any]) -> list[Float[Tensor, " _"]]:
        """The logits of several batches at other parameters, differentiable in these.

        Args:
            weight_params: by name; those that are missing are the module's own.
            batches: all that a meta-update simulates, so that they can be computed in one go.
        """
        return [call_at(self, weight_params, batch) for batch in batches]


class DialogWeightModule(WeightModule):
    """A weight module that reads dialogs: contexts and responses."""

    @classmethod
    @abstractmethod
    def build(cls, config: Any, words: int, generator: torch.Generator) -> DialogWeightModule:
        """A fresh module, on the CPU.

        Args:
            config: the section ``[weight_module]``, of the class that the kind is registered with.
            words: size of the vocabulary.
            generator: draws the initial parameters.
        """


def learned_params(module: nn.Module) -> dict[str, Tensor]:
    """The parameters that are learned, by name: those that require a gradient."""
    return {name: value for name, value in module.named_parameters() if value.requires_grad}


def normal(generator: torch.Generator, sd: float, *shape: int) -> nn.Parameter:
    """A parameter drawn from a normal distribution with mean 0."""
    return nn.Parameter(torch.randn(*shape, generator=generator) * sd)


def call_at(module: nn.Module, params: Mapping[str, Tensor], batch: Any) -> Tensor:
    """Call a module with other parameters and with copies of its buffers, which stay as they are."""
    others = {name: buffer.clone() for name, buffer in module.named_buffers()}
    if any(value.dtype == torch.float64 for value in params.values()):
        others |= {name: value for name, value in module.named_parameters() if name not in params}
        others = {name: value.double() if value.is_floating_point() else value for name, value in others.items()}
    result: Tensor = functional_call(module, {**params, **others}, (batch,))
    return result


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)
