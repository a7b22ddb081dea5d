"""For people who fine-tune a language model with their own tools: weighted losses, and weights learned on the way.

The loss, the collator and the weights by meta-gradients need nothing but torch; what is made of transformers'
classes, ``WeightedTrainer`` and ``LearnWeights``, is loaded when it is asked for, with the extra ``lm``.
"""

from typing import TYPE_CHECKING, Any

from tasksieve.integrations.adapter_weights import AdapterUpdate, AdapterWeights
from tasksieve.integrations.chat_collator import ChatCollator
from tasksieve.integrations.weight_modules import GroupTable
from tasksieve.integrations.weighted_loss import (
    Targets,
    reweighted,
    targets_of,
    token_losses,
    unit_losses,
    unit_totals,
    weighted_nll,
)

if TYPE_CHECKING:
    from tasksieve.integrations.learn_weights import LearnWeights
    from tasksieve.integrations.weighted_trainer import WeightedTrainer

__all__ = [
    "AdapterUpdate",
    "AdapterWeights",
    "ChatCollator",
    "GroupTable",
    "LearnWeights",
    "Targets",
    "WeightedTrainer",
    "reweighted",
    "targets_of",
    "token_losses",
    "unit_losses",
    "unit_totals",
    "weighted_nll",
]


def __getattr__(name: str) -> Any:
    """What needs transformers, on first use. Raises: UserError: if transformers is missing."""
    if name == "LearnWeights":
        from tasksieve.integrations.learn_weights import LearnWeights

        return LearnWeights
    if name == "WeightedTrainer":
        from tasksieve.integrations.weighted_trainer import WeightedTrainer

        return WeightedTrainer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
