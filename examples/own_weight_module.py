"""A weight module of your own: it judges related examples by four numbers and learns what these say.

tasksieve --plugin examples/own_weight_module.py train --method learned --set weight_module.kind=overlap --primary … \
    --valid … --related … --out run                                                  (likewise compare, sieve)
"""

import torch
from torch import nn

from tasksieve.models import DialogWeightModule, register_weight_module
from tasksieve.records.model_config import WeightModuleConfig


class OverlapConfig(WeightModuleConfig):
    """The section [weight_module]: what every one has, and these."""

    width: int = 8
    hidden: int = 8


@register_weight_module("overlap", OverlapConfig)
class Overlap(DialogWeightModule):
    """How alike utterance and response are, how long each is, and how far the dialog is, through a hidden layer."""

    def __init__(self, words, width, hidden):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.layers = nn.Sequential(nn.Linear(4, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    @classmethod
    def build(cls, config, words, generator):
        """On the CPU; torch's own random state follows from the run's seed as well."""
        return cls(words, config.width, config.hidden)

    def forward(self, batch):
        """One logit an example, shape (batch,); its weight is σ of it."""
        sentences = batch.table.embed(self.embedding.weight)
        said, answer = sentences[batch.utterances], sentences[batch.responses]
        alike = nn.functional.cosine_similarity(said, answer)
        lengths = batch.table.lengths[torch.stack([batch.utterances, batch.responses])] / 10
        turns = (batch.memories >= 0).sum(1) / 10
        return self.layers(torch.stack([alike, *lengths, turns], dim=1)).squeeze(1)
