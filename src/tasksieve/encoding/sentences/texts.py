"""What a pretrained encoder reads of sentences: words as people write them, without marks of our own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

Embed = Callable[[Sequence[str]], Tensor]
"""Gives a vector for each text, as one float32 tensor, texts × dim."""

_MARK = re.compile(r"<(?:r_)?([^\W\d_][\w.:-]*)>", re.IGNORECASE)
_BETWEEN = re.compile(r"(?<=[^\W_])_+(?=[^\W_])")
_JOINS = re.compile(r"[_:=]+")


def plain(text: str) -> str:
    """A text with plain words for what stands in angle brackets, such as the gaps of a template, or is joined by "_".

    >>> plain("here it is <r_phone>, at <hotel_address>")
    'here it is phone, at hotel address'
    >>> plain("inform request_city")
    'inform request city'
    """
    if "<" in text:
        text = _MARK.sub(lambda mark: _JOINS.sub(" ", mark[1]), text)
    return _BETWEEN.sub(" ", text) if "_" in text else text


def text_of_line(original: str) -> str:
    """What is read of a memory: its words after the word that tells who speaks.

    >>> text_of_line("<user> may i have a table")
    'may i have a table'
    """
    return plain(original.partition(" ")[2])


def text_of_entity(description: Sequence[str]) -> str:
    """What is read of an entity: the words of its description, without what joins them.

    >>> text_of_entity(["cuisine=spanish", "city=san_sebastian", "city:heard", ":named"])
    'cuisine spanish, city san sebastian, city heard, named'
    """
    return ", ".join(_JOINS.sub(" ", word).strip() for word in description)


def dense(texts: Sequence[str], embed: Embed, device: torch.device | str = "cpu") -> Float[Tensor, "texts dim"]:
    """A constant vector for each text; zeros for a text without words.

    Args:
        texts: that may be alike; each distinct one is embedded once.
        embed: is asked even if no text has words, to learn how long vectors are.
        device: where the vectors live.
    """
    places = {text: place for place, text in enumerate(dict.fromkeys(text for text in texts if text.strip()))}
    vectors = embed(list(places)).detach()
    filled = torch.cat([vectors, vectors.new_zeros(1, vectors.shape[1])])
    return filled[[places.get(text, -1) for text in texts]].to(device)
