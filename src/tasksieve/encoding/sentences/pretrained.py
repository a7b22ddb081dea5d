"""A pretrained encoder of sentences, frozen: a text becomes the vector that its own configuration says.

Texts of equally many tokens go through it together, always the same number of them (the last ones filled up with
repetitions), so there is no padding and every text of a length takes the same path through the same code. On the CPU
one thread computes a batch, and as many batches are computed at a time as the caller has threads. So a text has the
same vector, bit for bit, whatever else is embedded with it, and it does not matter which were known before, or which
command embedded them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tasksieve.encoding.sentences.folders import digest_of, encoder_folder, modules_of, refuse_pickles, settings_of
from tasksieve.encoding.sentences.pooling import pooling_of
from tasksieve.encoding.sentences.quiet import in_silence, reason_of
from tasksieve.encoding.threads import computing_with
from tasksieve.errors import UserError

Progress = Callable[[int, int], object]
"""Told how many sentences are done, and how many there are."""
_ALONE = Lock()
"""Held while embedding: how many threads compute is a matter of the process, and a server answers in several."""

_WIDTHS = ("hidden_size", "d_model", "dim", "n_embd")
"""What configurations call the length of a token's vector."""
_BATCH, _BATCH_ELSEWHERE = 8, 64
"""Texts that go through together on the CPU, and on other devices."""
PIECES = 96
"""Word pieces that a text may have for its last layer to be tuned."""
_MANY = 512
"""Tokens that are read of a text where the encoder does not say how many it takes."""


class Encoder:
    """An encoder in a folder; it is read into memory when the first text is to be embedded.

    Args:
        folder: in Hugging Face's layout, with weights as safetensors.
        name: what the user calls it.
        device: where it works.

    Raises: UserError: if the folder holds no encoder of a known kind.

    Attributes:
        name: as given.
        dim: length of its vectors.
        digest: SHA-256 of weights, tokenizer and configuration, in hexadecimal.
    """

    def __init__(self, folder: Path, name: str, device: torch.device | str = "cpu") -> None:
        self.name, self.device = name, torch.device(device)
        self._modules = modules_of(folder)
        self._folder = self._modules[0][1]
        refuse_pickles(self._folder)
        settings = settings_of(self._folder / "config.json")
        widths = [settings[key] for key in _WIDTHS if isinstance(settings.get(key), int)]
        if not widths or settings.get("is_encoder_decoder"):
            raise UserError("is no encoder: its config.json has no hidden_size, or tells of a decoder", self._folder)
        self._pooling = pooling_of(folder, self._modules[1:], widths[0])
        self.dim = self._pooling.dim
        self.digest = digest_of(self._modules, folder)
        self._longest, self._lower = _limits(self._folder)
        self._prompt = _prompt(folder)

    @classmethod
    def load(cls, name: str, device: torch.device | str = "cpu") -> Encoder:
        """The encoder of a name.

        Args:
            name: ``minilm`` for the packaged one, a local folder, or a name on the Hugging Face hub.
            device: where it works.
        Raises: UserError: if there is none, it is of no known kind, or a package that it needs is not installed.
        """
        return cls(encoder_folder(name), name, device)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Float[Tensor, "texts dim"]:
        """A vector for each text, as float32 on the CPU.

        Args:
            texts: of any length; what is longer than the encoder reads is cut off.
            progress: told after each batch how many of the texts are done.
        Raises: UserError: if the folder's weights or its tokenizer cannot be read.
        """
        rows = torch.zeros(len(texts), self.dim)
        done = 0
        if texts:
            _ = self._model  # is read once, before several threads ask for it
        with _ALONE, ThreadPoolExecutor(self._together()) as pool, computing_with(1):
            for numbers, vectors in pool.map(self._of_batch, self._batches(texts)):
                rows[numbers] = vectors
                done += len(numbers)
                if progress is not None:
                    progress(done, len(texts))
        return rows

    def pieces(self, texts: Sequence[str]) -> Float[Tensor, "texts width"]:
        """The numbers of each text's word pieces plus 1, as they are read, and 0 where there are no more.

        A text of more than :data:`PIECES` has none. Numbers below 2^24 are whole in float32.

        Raises: UserError: if the folder's tokenizer cannot be read.
        """
        rows = torch.zeros(len(texts), PIECES)
        for number, tokens in enumerate(self._tokens(texts)["input_ids"] if texts else ()):
            if len(tokens) <= PIECES:
                rows[number, : len(tokens)] = torch.tensor(tokens, dtype=torch.float32) + 1
        return rows

    @property
    def transformer(self) -> Any:
        """The model of transformers, frozen. Raises: UserError: if its weights cannot be read."""
        return self._model

    def pool(self, tokens: Float[Tensor, "texts tokens hidden"]) -> Float[Tensor, "texts dim"]:
        """The vectors of texts of one length, from those of their tokens."""
        return self._pooling(tokens)

    def _tokens(self, texts: Sequence[str]) -> Any:
        whole = (text.encode("utf-8", "replace").decode() for text in texts)  # half a surrogate pair is no character
        read = [self._prompt + (text.lower() if self._lower else text) for text in whole]
        return self._tokenizer(read, truncation=True, max_length=self._limit, padding=False)

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], dict[str, Tensor]]]:
        """Numbers of texts of one length with their tokens, filled up; the longest first."""
        if not texts:
            return
        encoded = self._tokens(texts)
        lengths: dict[int, list[int]] = {}
        for number, tokens in enumerate(encoded["input_ids"]):
            lengths.setdefault(len(tokens), []).append(number)
        size = _BATCH if self.device.type == "cpu" else _BATCH_ELSEWHERE
        for _, numbers in sorted(lengths.items(), reverse=True):
            for start in range(0, len(numbers), size):
                batch = numbers[start : start + size]
                full = [*batch, *batch[:1] * (size - len(batch))]
                yield batch, {key: torch.tensor([rows[n] for n in full]) for key, rows in encoded.items()}

    def _together(self) -> int:
        """How many batches are computed at a time."""
        return torch.get_num_threads() if self.device.type == "cpu" else 1

    def _of_batch(self, batch: tuple[list[int], dict[str, Tensor]]) -> tuple[list[int], Tensor]:
        """The numbers of a batch's texts, and their vectors."""
        numbers, tokens = batch
        if not tokens["input_ids"].shape[1]:  # a tokenizer that marks no ends has none for an empty text
            return numbers, torch.zeros(len(numbers), self.dim)
        return numbers, self._embedded(tokens)[: len(numbers)]

    def _embedded(self, tokens: dict[str, Tensor]) -> Tensor:
        with torch.inference_mode():
            inputs = {key: value.to(self.device) for key, value in tokens.items()}
            return self._pooling(self._model(**inputs).last_hidden_state).float().cpu()

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        with _reading(self._folder):
            return AutoTokenizer.from_pretrained(str(self._folder), local_files_only=True, trust_remote_code=False)

    @cached_property
    def _model(self) -> Any:
        from transformers import AutoModel

        # a pooler that the folder lacks is drawn at random: of that, no run may depend on who reads the encoder first
        with _reading(self._folder), torch.random.fork_rng(devices=()):
            model, found = AutoModel.from_pretrained(
                str(self._folder),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
            missing = [key for key in found["missing_keys"] if "pooler" not in key]
            if missing:
                raise ValueError(f"there are no weights for {sorted(missing)[0]}")
        return model.float().eval().requires_grad_(False).to(self.device)

    @cached_property
    def _limit(self) -> int:
        """How many tokens of a text are read."""
        if self._longest is not None:
            return self._longest
        places = getattr(self._model.config, "max_position_embeddings", None)
        most: int = self._tokenizer.model_max_length
        return min(most, _MANY if places is None else places)


def _limits(folder: Path) -> tuple[int | None, bool]:
    """How many tokens are read, if that is said, and whether texts are put in lower case first."""
    paths = sorted(folder.glob("sentence_*_config.json"))
    settings = settings_of(paths[0]) if paths else {}
    longest = settings.get("max_seq_length")
    if longest is not None and (not isinstance(longest, int) or longest < 1):
        raise UserError(f"max_seq_length: found {str(longest)[:80]}; expected a positive number", paths[0])
    return longest, settings.get("do_lower_case") is True


def _prompt(folder: Path) -> str:
    """What the encoder wants before every text."""
    path = folder / "config_sentence_transformers.json"
    settings = settings_of(path) if path.exists() else {}
    prompts = settings.get("prompts")
    named = settings.get("default_prompt_name")
    return str(prompts.get(named) or "") if isinstance(prompts, dict) and named is not None else ""


def _reading(folder: Path) -> AbstractContextManager[None]:
    """Read files of an encoder in silence; what goes wrong is the folder's fault."""
    return in_silence(
        lambda error: UserError(f"is no encoder that transformers can read ({reason_of(error)})", folder)
    )
