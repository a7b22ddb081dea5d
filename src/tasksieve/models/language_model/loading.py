"""A language model and its tokenizer: from a folder, by a name on the hub, or from a GGUF file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from tasksieve.encoding.sentences.quiet import in_silence, reason_of
from tasksieve.encoding.sentences.token_rows import place_of
from tasksieve.errors import UserError


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A causal language model, frozen, and what makes tokens of text.

    Attributes:
        model: of transformers, in evaluation mode; no parameter of it is learned.
        tokenizer: its own.
        name: as it was asked for.
    """

    model: Any
    tokenizer: Any
    name: str

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return torch.device(next(iter(self.model.parameters())).device)


def load_pretrained(name: str, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Pretrained:
    """Read a causal language model.

    Args:
        name: a folder in Hugging Face's layout with safetensors, a file that ends in ``.gguf``, or a name on the hub.
            A file is made whole: its weights become numbers of ``dtype``.
        device: where it is to work.
        dtype: of its parameters.
    Raises: UserError: if there is no such model, it is of no known kind, or a package that reads it is missing.
    """
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise UserError("a language model needs transformers: pip install 'tasksieve[pretrained]'") from None
    where, options = place_of(name)
    with in_silence(partial(_refused, name)):
        tokenizer = AutoTokenizer.from_pretrained(where, trust_remote_code=False, **options)
        more = options if "gguf_file" in options else {**options, "use_safetensors": True}
        model = AutoModelForCausalLM.from_pretrained(where, dtype=dtype, trust_remote_code=False, **more)
    return Pretrained(model.eval().requires_grad_(False).to(device), tokenizer, name)


def _refused(name: str, error: Exception) -> UserError:
    what = "" if isinstance(error, ImportError) else " cannot be read"
    return UserError(f"model '{name}'{what}: {reason_of(error)}")
