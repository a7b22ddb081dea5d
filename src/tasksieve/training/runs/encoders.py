"""The pretrained encoder of a run's sentences."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from tasksieve.encoding.sentences import CachedEncoder, Embed, Encoder
from tasksieve.encoding.sentences.token_rows import PREFIX, TokenRows
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig
from tasksieve.records.model_config import LanguageModelConfig, TunedConfig


def encoder_of(config: RunConfig) -> CachedEncoder | TokenRows | None:
    """The encoder that a settled configuration asks for; None if its model takes bags of words alone.

    Raises: UserError: if there is no such encoder here.
    """
    if isinstance(config.model, LanguageModelConfig):
        return TokenRows(config.model.pretrained)
    return encoder_named(config.model.encoder) if config.model.sentences in ("pretrained", "both") else None


def tuned_in(config: RunConfig) -> bool:
    """Whether a settled run's model tunes how its encoder reads, and so needs the word pieces of sentences."""
    return isinstance(config.model, TunedConfig) and config.model.tune != "none"


def encoder_kept(kept: Mapping[str, Any] | None, path: Path) -> CachedEncoder | TokenRows | None:
    """The encoder that a run was trained with.

    Args:
        kept: what the run says of it; None for none.
        path: the file that says so.
    Raises: UserError: if there is no such encoder here, or it is another one.
    """
    if kept is None:
        return None
    name = str(kept["name"])
    encoder = TokenRows(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else encoder_named(name)
    if encoder.digest != kept["digest"]:
        raise UserError(
            f"needs the encoder '{kept['name']}' as it was; the one here is another, so train again", path
        )
    return encoder


def missing_encoder(name: str) -> str:
    """Why an encoder cannot be had here; empty if it can."""
    try:
        encoder_named(name)
    except UserError as error:
        return str(error)
    return ""


@lru_cache(maxsize=4)
def encoder_named(name: str) -> CachedEncoder:
    """The encoder of that name, loaded once in a process. Raises: UserError: if there is none here."""
    return CachedEncoder(_loaded(name))


def pieces_of(name: str) -> Embed:
    """What gives the word pieces of texts, by the encoder of that name. Raises: UserError: if there is none here."""
    return _loaded(name).pieces


@lru_cache(maxsize=4)
def _loaded(name: str) -> Encoder:
    return Encoder.load(name)


def forget_encoders() -> None:
    """Load encoders anew when they are asked for again."""
    encoder_named.cache_clear()
    _loaded.cache_clear()
