r"""An adapter in the last layer of the sentence encoder: how the last utterance is read is learned with the model.

The layer's feed-forward part has a second one beside it, narrow and learned. With :math:`x_t` what both see of a
token,

.. math:: y_t = \mathrm{norm}(x_t + \mathrm{FFN}(x_t) + B \, \mathrm{relu}(A x_t + a)),

and the utterance's vector is pooled from all :math:`y_t` as ever. :math:`B` is 0 at first, so that learning starts
from the frozen encoder. The vectors of what was said before, of actions and of responses stay as they are.

Reference: He et al., 2022: Towards a unified view of parameter-efficient transfer learning (the parallel adapter).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tasksieve.encoding import Batch
from tasksieve.encoding.sentences.last_layer import LastLayer, last_layer_of
from tasksieve.models.model import normal
from tasksieve.records.model_config import TunedConfig


class Adapter(nn.Module):
    """Gives the vectors of last utterances.

    Args:
        layer: of the encoder; no part of the module, so that a checkpoint holds the adapter alone.
        width: numbers between A and B.
        generator: draws A.
    """

    def __init__(self, layer: LastLayer, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self._layer = layer
        self.inward = normal(generator, 1 / math.sqrt(layer.hidden), layer.hidden, width)
        self.bias = nn.Parameter(torch.zeros(width))
        self.outward = nn.Parameter(torch.zeros(width, layer.hidden))

    @classmethod
    def build(cls, config: TunedConfig, generator: torch.Generator) -> Adapter | None:
        """The adapter that a configuration asks for; None for none.

        Raises: UserError: if the encoder's last layer is of no kind that can be tuned.
        """
        if config.tune == "none":
            return None
        return cls(last_layer_of(config.encoder), config.tune_width, generator)

    def forward(self, batch: Batch) -> Float[Tensor, "batch dim"]:
        """The vector of each last utterance; that of the frozen encoder for one without words, or a very long one."""
        dtype, table = self.inward.dtype, batch.table
        assert table.vectors is not None
        assert table.pieces is not None
        pieces = table.pieces[batch.utterances]
        inside = batch.once((self._layer, dtype), lambda: self._layer.read(pieces, dtype))
        added = torch.relu(inside.seen @ self.inward + self.bias) @ self.outward
        frozen = table.vectors[batch.utterances].to(dtype)
        return frozen.index_put((inside.texts,), self._layer.vectors(inside, added))
