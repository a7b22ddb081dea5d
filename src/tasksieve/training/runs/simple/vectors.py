"""The pretrained encoder of simple methods, if there is one here."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from tasksieve.encoding.sentences import CachedEncoder, Encoder, plain
from tasksieve.encoding.sentences.folders import PACKAGED
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig
from tasksieve.training.runs.simple.texts import Vectors


def sentence_vectors(config: RunConfig) -> Vectors:
    """The vectors of the encoder that a configuration names, or of the packaged one, kept on the disk.

    Raises: UserError: if it is not installed.
    """
    encoder = CachedEncoder(Encoder.load(_name(config)))

    def vectors(texts: Sequence[str]) -> Tensor:
        return encoder.embed([plain(text) for text in texts])

    return vectors


def has_vectors(config: RunConfig) -> bool:
    """Whether :func:`sentence_vectors` has some."""
    try:
        Encoder.load(_name(config))
    except UserError:
        return False
    return True


def _name(config: RunConfig) -> str:
    return getattr(config.model, "encoder", None) or PACKAGED
