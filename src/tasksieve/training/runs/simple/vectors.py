"""The pretrained encoder of simple methods, if there is one here."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from tasksieve.encoding.sentences import plain
from tasksieve.records.config import RunConfig
from tasksieve.training.runs.encoders import encoder_named, missing_encoder
from tasksieve.training.runs.simple.texts import Vectors


def sentence_vectors(config: RunConfig) -> Vectors:
    """The vectors of the encoder that a configuration names, kept on the disk.

    Raises: UserError: if it is not installed.
    """
    encoder = encoder_named(config.model.encoder)

    def vectors(texts: Sequence[str]) -> Tensor:
        return encoder.embed([plain(text) for text in texts])

    return vectors


def has_vectors(config: RunConfig) -> bool:
    """Whether :func:`sentence_vectors` has some."""
    return not missing_encoder(config.model.encoder)
