r"""The last layer of a frozen encoder, taken apart: what its feed-forward part sees, and what comes of it in the end.

With :math:`x_t` a token's vector after the last layer's attention, the layer gives
:math:`y_t = \mathrm{norm}(x_t + \mathrm{FFN}(x_t))`, and pooling makes the sentence's vector of all :math:`y_t`.
Nothing before the normalisation depends on what is learned beside it, so :math:`x_t` and :math:`x_t +
\mathrm{FFN}(x_t)` are computed once for a text and kept in memory as long as there is room; what is added to the
latter goes through normalisation and pooling alone.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from tasksieve.encoding.sentences.pretrained import Encoder
from tasksieve.errors import UserError

ROOM = 1 << 30
"""Bytes of what is kept of texts, for each encoder."""
_TOGETHER = 8
"""Texts of one length that go through the encoder together."""
_STACKS = ("encoder.layer", "transformer.layer")
"""Where encoders of Hugging Face's have their layers."""
_PARTS = (("intermediate", "output.LayerNorm"), ("ffn", "output_layer_norm"))
"""In a layer, what its feed-forward part begins with, and what normalises the sum in the end."""
_PROBE = 3
"""Tokens of a text that shows whether a layer is of the known kind."""


@dataclass(frozen=True, slots=True)
class Inside:
    """The tokens of some texts inside the last layer, one text after the other.

    Attributes:
        texts: the number of each text that has tokens, those of one length together.
        lengths: of each of these the number of its tokens.
        seen: what the feed-forward part sees, :math:`x_t`.
        before: what the normalisation sees, :math:`x_t + \\mathrm{FFN}(x_t)`.
    """

    texts: Int[Tensor, " texts"]
    lengths: tuple[int, ...]
    seen: Float[Tensor, "tokens hidden"]
    before: Float[Tensor, "tokens hidden"]


class LastLayer:
    """The last layer of an encoder; threads may share it.

    Args:
        encoder: that nobody else uses meanwhile; nothing of it is changed.
        room: bytes of what is kept of texts.
    Raises: UserError: if its last layer is of no kind that can be taken apart.

    Attributes:
        hidden: length of a token's vector.
    """

    def __init__(self, encoder: Encoder, room: int = ROOM) -> None:
        self._encoder, self._room, self._held = encoder, room, 0
        self._kept: OrderedDict[tuple[bytes, str], tuple[Tensor, Tensor]] = OrderedDict()
        self._copies: dict[tuple[torch.device, torch.dtype], _Layer] = {}
        self._lock = threading.RLock()
        layer = self._in(torch.device("cpu"), torch.float32)
        self.hidden = int(layer.norm.normalized_shape[0])
        ids = torch.zeros(1, _PROBE, dtype=torch.long)
        _, before, last = layer.inside(ids)
        if not torch.allclose(layer.normalised(before), last, atol=1e-5):
            raise _unknown(encoder)

    def read(self, pieces: Float[Tensor, "texts width"], dtype: torch.dtype) -> Inside:
        """What the last layer sees of texts.

        Args:
            pieces: of each text, as :meth:`Encoder.pieces` gives them; a text without any is left out.
            dtype: in which it is computed.
        """
        lengths = (pieces > 0).sum(dim=1).tolist()
        order = sorted((number for number, length in enumerate(lengths) if length), key=lambda n: (lengths[n], n))
        rows = pieces.long().cpu()
        keys = [(rows[number, : lengths[number]] - 1).numpy().tobytes() for number in order]
        with self._lock:
            parts = self._found(keys, pieces.device, dtype)
        empty = torch.zeros(0, self.hidden, device=pieces.device, dtype=dtype)
        seen, before = (torch.cat([empty, *(part[which] for part in parts)]) for which in (0, 1))
        texts = torch.tensor(order, dtype=torch.long, device=pieces.device)
        return Inside(texts, tuple(lengths[number] for number in order), seen, before)

    def vectors(self, inside: Inside, added: Float[Tensor, "tokens hidden"]) -> Float[Tensor, "texts dim"]:
        """The vectors of texts, of whose tokens something is added before the normalisation; differentiable in that.

        Args:
            inside: of the texts.
            added: to :attr:`Inside.before`.
        Returns: a row for each of :attr:`Inside.texts`.
        """
        layer = self._in(added.device, added.dtype)
        tokens, rows, first = layer.normalised(inside.before + added), [], 0
        for length, count in _runs(inside.lengths):
            last = first + length * count
            rows.append(self._encoder.pool(tokens[first:last].view(count, length, -1)))
            first = last
        return torch.cat(rows) if rows else added.new_zeros(0, self._encoder.dim)

    def _found(self, keys: Sequence[bytes], device: torch.device, dtype: torch.dtype) -> list[tuple[Tensor, Tensor]]:
        """What is seen of texts, computed where it is not kept."""
        kind = f"{device} {dtype}"
        found = {key: self._kept[key, kind] for key in keys if (key, kind) in self._kept}
        new = sorted(set(keys) - found.keys(), key=lambda key: (len(key), key))
        for key, parts in self._computed(new, device, dtype):
            found[key] = self._kept[key, kind] = parts
            self._held += _size(parts)
        for key in keys:
            self._kept.move_to_end((key, kind))
        while self._held > self._room:
            self._held -= _size(self._kept.popitem(last=False)[1])
        return [found[key] for key in keys]

    def _computed(
        self, keys: Sequence[bytes], device: torch.device, dtype: torch.dtype
    ) -> Iterator[tuple[bytes, tuple[Tensor, Tensor]]]:
        """What is seen of texts, always as many of one length together, so that company changes nothing."""
        layer = self._in(device, dtype)
        lengths: dict[int, list[bytes]] = {}
        for key in keys:
            lengths.setdefault(len(key), []).append(key)
        for same in lengths.values():
            for start in range(0, len(same), _TOGETHER):
                some = same[start : start + _TOGETHER]
                full = [*some, *some[:1] * (_TOGETHER - len(some))]
                ids = torch.stack([torch.frombuffer(bytearray(key), dtype=torch.int64) for key in full])
                seen, before, _ = layer.inside(ids.to(device))
                for key, one, other in zip(some, seen, before, strict=False):
                    yield key, (one.clone(), other.clone())

    def _in(self, device: torch.device, dtype: torch.dtype) -> _Layer:
        with self._lock:
            if (device, dtype) not in self._copies:
                self._copies[device, dtype] = _Layer.of(self._encoder, device, dtype)
            return self._copies[device, dtype]


@dataclass(frozen=True, slots=True)
class _Layer:
    """A transformer on a device in some precision, and two parts of its last layer."""

    transformer: Any
    feed: nn.Module
    norm: nn.LayerNorm

    @classmethod
    def of(cls, encoder: Encoder, device: torch.device, dtype: torch.dtype) -> _Layer:
        """A copy of an encoder's. Raises: UserError: if its last layer is of another kind."""
        transformer = encoder.transformer
        if device != encoder.device or dtype != torch.float32:
            transformer = copy.deepcopy(transformer).to(device=device, dtype=dtype)
        modules: Mapping[str, Any] = dict(transformer.named_modules())
        for stack in _STACKS:
            layers = modules.get(stack)
            place = f"{stack}.{len(layers) - 1}" if layers is not None else ""
            for feed, norm in _PARTS:
                found = modules.get(f"{place}.{feed}"), modules.get(f"{place}.{norm}")
                if found[0] is not None and isinstance(found[1], nn.LayerNorm):
                    return cls(transformer, found[0], found[1])
        raise _unknown(encoder)

    @torch.inference_mode(mode=False)
    @torch.no_grad()
    def inside(self, ids: Int[Tensor, "texts tokens"]) -> tuple[Tensor, Tensor, Tensor]:
        """What the feed-forward part sees, what the normalisation sees, and what comes out in the end."""
        caught: dict[str, Tensor] = {}
        hooks = [
            part.register_forward_pre_hook(lambda _, given, name=name: caught.__setitem__(name, given[0]))
            for name, part in (("feed", self.feed), ("norm", self.norm))
        ]
        try:
            last = self.transformer(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        finally:
            for hook in hooks:
                hook.remove()
        return caught["feed"], caught["norm"], last

    def normalised(self, tokens: Float[Tensor, "*some hidden"]) -> Float[Tensor, "*some hidden"]:
        """The last step of the layer."""
        norm = self.norm
        return functional.layer_norm(tokens, tuple(norm.normalized_shape), norm.weight, norm.bias, norm.eps)


def _runs(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Lengths that follow one another, and how many texts have each."""
    first = 0
    for place in range(1, len(lengths) + 1):
        if place == len(lengths) or lengths[place] != lengths[first]:
            yield lengths[first], place - first
            first = place


def _size(parts: tuple[Tensor, Tensor]) -> int:
    return sum(part.numel() * part.element_size() for part in parts)


def _unknown(encoder: Encoder) -> UserError:
    return UserError(
        f"the last layer of the encoder '{encoder.name}' is of no kind that can be tuned (BERT's and its kin are); "
        "leave model.tune out"
    )


@lru_cache(maxsize=2)
def last_layer_of(name: str) -> LastLayer:
    """The last layer of the encoder of a name, read once in a process.

    Raises: UserError: if there is none, or it cannot be taken apart.
    """
    return LastLayer(Encoder.load(name))
