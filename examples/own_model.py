"""A dialog model of your own, a small GRU, which goes everywhere the built-in one goes.

tasksieve --plugin examples/own_model.py train --set model.kind=gru --primary … --valid … --related … --out run
tasksieve --plugin examples/own_model.py evaluate run --data …      (likewise chat, serve, compare)
"""

import torch
from torch import nn

from tasksieve.models import DialogModel, register_model
from tasksieve.records.model_config import ModelConfig


class GruConfig(ModelConfig):
    """The section [model]: what every model has (max_memories, facts, entities), and these."""

    width: int = 32
    turns: int = 4


@register_model("gru", GruConfig)
class Gru(DialogModel):
    """Reads each sentence word by word, then the last sentences of the dialog one by one."""

    def __init__(self, words, width, turns):
        super().__init__()
        self.turns = turns
        self.embedding = nn.Embedding(words, width)
        self.sentence = nn.GRU(width, width, batch_first=True)
        self.dialog = nn.GRU(width, width, batch_first=True)

    @classmethod
    def build(cls, config, words, heads, generator):
        """All tasks share the model, whatever their heads."""
        return cls(words, config.width, config.turns)

    def read(self, table):
        """A vector a sentence: the state after its last word; zeros for one without words."""
        words = table.padded()
        if words.shape[1] == 0:
            return self.embedding.weight.new_zeros(len(words), self.embedding.embedding_dim)
        states, _ = self.sentence(self.embedding(words.clamp(min=0)))
        last = states[torch.arange(len(words)), (table.lengths - 1).clamp(min=0)]
        return last * (table.lengths > 0)[:, None]

    def scores(self, batch, *choices):
        """The last state of the dialog times the vector of each choice."""
        sentences = self.read(batch.table)
        latest = batch.memories[:, : self.turns].flip(1)
        heard = sentences[latest.clamp(min=0)] * (latest >= 0)[:, :, None]
        states, _ = self.dialog(torch.cat([heard, sentences[batch.utterances][:, None]], dim=1))
        return tuple(one.scores(states[:, -1], self.read(one.table)) for one in choices)
