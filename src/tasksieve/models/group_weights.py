r"""A weight module with a parameter for each group of related examples, and what it is told of the model meanwhile.

.. math:: P_η(c_i, a_i) = b - s \, q_{v(i)} + u_{g(i)},

with b given, as shares do not tell it, :math:`g(i)` the example's group, :math:`v(i)` its service, and :math:`q_v`
how far the model is from explaining the service's responses at present. It explains 1 less its mean loss as a share
of what guessing by frequency alone would lose; :math:`q` is what that lacks of :data:`ENOUGH`, in steps of
:data:`STEP`, and 0 if it is more. Where responses do not follow from their contexts nothing explains them, however
long a model learns; so a few dialogs of the primary task, which cannot tell each such service for itself, can tell
them all together, by one number :math:`s`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tasksieve.encoding import Batch, Choices
from tasksieve.models.model import DialogWeightModule
from tasksieve.records.model_config import GroupWeightConfig

STEP = 1 / 6
"""So much less explained lowers the logit by s."""
ENOUGH = 0.3
"""A service that is explained to this share is like one that is explained to all."""
_MOST = 0.5
"""What lacks more than this counts as lacking this."""
_KEPT = 0.97
"""What a further example leaves of a service's mean loss so far."""


@dataclass(frozen=True, slots=True)
class Groups:
    """How the related examples are divided.

    Attributes:
        of_example: the group of each example, from 0; no group is empty.
        services: the service of each group, from 0.
        guessed: for each service the loss of who guesses responses by their frequency, in nats.
    """

    of_example: Int[Tensor, " examples"]
    services: Int[Tensor, " groups"]
    guessed: Float[Tensor, " services"]

    def __len__(self) -> int:
        return len(self.services)


class GroupWeights(DialogWeightModule):
    """The weight module; it has no groups, and all weights are alike, until :meth:`divide`.

    Args:
        config: settings.
    """

    bias: Tensor
    of_example: Tensor
    services: Tensor
    guessed: Tensor
    losses: Tensor
    counts: Tensor

    def __init__(self, config: GroupWeightConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("bias", torch.tensor(float(config.start)))
        self.slope = nn.Parameter(torch.tensor(float(config.explained)))
        self.divide(Groups(torch.zeros(0, dtype=torch.long), torch.zeros(1, dtype=torch.long), torch.ones(1)))

    @classmethod
    def build(cls, config: Any, words: int, generator: torch.Generator) -> GroupWeights:
        """A fresh module: all weights are alike at first."""
        return cls(config)

    def divide(self, groups: Groups) -> None:
        """Take groups, before anything is learned; what was learned of others is forgotten."""
        device = self.bias.device
        self.own = nn.Parameter(torch.zeros(len(groups), device=device))
        self.register_buffer("of_example", groups.of_example.to(device), persistent=False)
        self.register_buffer("services", groups.services.to(device), persistent=False)
        self.register_buffer("guessed", groups.guessed.float().clamp(min=0.1).to(device), persistent=False)
        self.register_buffer("losses", self.guessed.clone())
        self.register_buffer("counts", torch.zeros_like(self.guessed))

    def forward(self, batch: Batch) -> Float[Tensor, " batch"]:
        """One logit an example."""
        return self.by_group()[self.of_example[batch.examples]]

    def by_group(self) -> Float[Tensor, " groups"]:
        """The logit of each group."""
        return self.common() + self.own

    def common(self) -> Float[Tensor, " groups"]:
        """The logit of each group without what is its own."""
        return self.bias - self.slope * self._lacking()[self.services]

    @property
    def explained(self) -> Float[Tensor, " services"]:
        """How much of each service's responses the model explains at present; below 0 if guessing is better."""
        return 1 - self.losses / self.guessed

    @torch.no_grad()
    def observe(self, examples: Int[Tensor, " some"], losses: Float[Tensor, " some"]) -> None:
        """Be told the model's present losses of some examples."""
        services = self.services[self.of_example[examples]]
        added = torch.zeros_like(self.counts).index_add_(0, services, torch.ones_like(losses))
        total = torch.zeros_like(self.losses).index_add_(0, services, losses.to(self.losses.dtype))
        self.counts += added
        kept = torch.maximum(1 - added / self.counts.clamp(min=1), torch.pow(_KEPT, added))
        means = total / added.clamp(min=1)
        self.losses.copy_(torch.where(added > 0, kept * self.losses + (1 - kept) * means, self.losses))

    def _lacking(self) -> Float[Tensor, " services"]:
        return (ENOUGH - self.explained).clamp(0, _MOST) / STEP


def guessing_loss(choices: Choices, examples: Int[Tensor, " some"]) -> float:
    """The mean loss of some examples, in nats, to who knows how frequent each right choice is and nothing else.

    That is the entropy of the right choices among them; or, where every example has few choices of its own, the
    logarithm of how many these are, if it is less.
    """
    _, counts = torch.unique(choices.chosen(examples), return_counts=True)
    shares = counts.double() / counts.sum()
    entropy = float(-(shares * shares.log()).sum())
    return min(entropy, float(choices.lengths[examples].double().clamp(min=1).log().mean()))
