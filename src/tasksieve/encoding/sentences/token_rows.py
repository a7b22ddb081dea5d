"""Texts as the tokens of a language model, carried where vectors of a sentence encoder are.

A text's row holds its tokens' numbers plus 1, in their order, and 0 where there are no more. Numbers below 2^24 are
whole in float32. So a model that reads words as they were written finds them wherever sentences go, in batches and
among choices, and texts with words that no vocabulary knows lose none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tasksieve.encoding.sentences.pretrained import Progress
from tasksieve.encoding.sentences.quiet import in_silence, reason_of
from tasksieve.errors import UserError

PREFIX = "tokens of "
"""Before the name of the language model, in a run's record of its encoder."""
WIDTH = 96
"""Tokens of a text that are kept; of a longer one the first."""
GGUF = ".gguf"


class TokenRows:
    """Gives every text the row of its tokens.

    Args:
        name: of the language model: a folder, a ``.gguf`` file, or a name on the hub.
    Raises: UserError: if there is no such tokenizer.

    Attributes:
        name: with :data:`PREFIX`.
        dim: the length of a row.
        digest: SHA-256 of the vocabulary, in hexadecimal.
    """

    def __init__(self, name: str) -> None:
        self.name, self.dim = PREFIX + name, WIDTH
        self._tokenizer = tokenizer_of(name)
        words = json.dumps(sorted(self._tokenizer.get_vocab().items()), ensure_ascii=True)
        self.digest = hashlib.sha256(words.encode()).hexdigest()

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Float[Tensor, "texts width"]:
        """A row for each text, which is read as if a space stood before it."""
        rows = torch.zeros(len(texts), WIDTH)
        for number, text in enumerate(texts):
            tokens = self._tokenizer(f" {text}", add_special_tokens=False)["input_ids"][:WIDTH]
            rows[number, : len(tokens)] = torch.tensor(tokens, dtype=torch.float32) + 1
        if progress is not None:
            progress(len(texts), len(texts))
        return rows


def tokens_in(rows: Float[Tensor, "texts width"]) -> list[list[int]]:
    """The tokens that rows hold."""
    numbers: Int[Tensor, "texts width"] = rows.long()
    return [[token - 1 for token in row if token] for row in numbers.tolist()]


@lru_cache(maxsize=4)
def tokenizer_of(name: str) -> Any:
    """The tokenizer of a language model, read once in a process. Raises: UserError: if there is none."""
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise UserError("a language model needs transformers: pip install 'tasksieve[pretrained]'") from None
    where, options = place_of(name)
    with in_silence(lambda error: UserError(f"model '{name}' has no tokenizer that can be read: {reason_of(error)}")):
        return AutoTokenizer.from_pretrained(where, trust_remote_code=False, **options)


def place_of(name: str) -> tuple[str, dict[str, Any]]:
    """What transformers is to be asked for, for a name.

    Raises: UserError: if it is a path, and there is no model.
    """
    path = Path(name)
    if path.suffix == GGUF:
        if not path.is_file():
            raise UserError("is not there; expected a GGUF file", path)
        return str(path.parent), {"gguf_file": path.name, "local_files_only": True}
    if path.is_dir():
        return str(path), {"local_files_only": True}
    if path.is_absolute() or path.exists():
        raise UserError("is no folder of a model; expected one with config.json, or a .gguf file", path)
    return name, {}
