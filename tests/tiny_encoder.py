"""A sentence encoder of two thin layers with weights at random, in Hugging Face's layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

WORDS = [
    *("a", "the", "hello", "table", "for", "two", "rome", "cheap", "phone", "good", "book", "need"),
    *("##s", "##ing", ",", ".", "?"),
]
HIDDEN, LONGEST = 12, 20


def write_tiny(folder: Path, *, seed: int = 0, **files: dict[str, Any] | list[Any]) -> Path:
    """Write an encoder; keyword arguments are further JSON files, ``__`` for ``/``, without their ending."""
    transformers = pytest.importorskip("transformers")
    folder.mkdir(parents=True, exist_ok=True)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [mark + letter for letter in "abcdefghijklmnopqrstuvwxyz" for mark in ("", "##")]
    vocabulary = dict.fromkeys([*special, *letters, *WORDS])
    _write_tokenizer(folder, list(vocabulary))
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=LONGEST,
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    for name, value in files.items():
        write_settings(folder / f"{name.replace('__', '/')}.json", value)
    return folder


def write_settings(path: Path, value: dict[str, Any] | list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def steps(*kinds: str) -> list[dict[str, str]]:
    """What modules.json says: the transformer, then these, each in a folder of its own."""
    names = ["", *(f"{number}_{kind}" for number, kind in enumerate(kinds, 1))]
    return [
        {"name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (path, kind) in enumerate(zip(names, ("Transformer", *kinds), strict=True))
    ]


def write_dense(folder: Path, sizes: tuple[int, int], activation: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Write a Dense step; returns its weight and its bias."""
    generator = torch.Generator().manual_seed(1)
    weight, bias = torch.randn(sizes[::-1], generator=generator), torch.randn(sizes[1], generator=generator)
    settings = {"in_features": sizes[0], "out_features": sizes[1], "bias": True, "activation_function": activation}
    write_settings(folder / "config.json", settings)
    save_file({"linear.weight": weight, "linear.bias": bias}, folder / "model.safetensors")
    return weight, bias


def _write_tokenizer(folder: Path, vocabulary: list[str]) -> None:
    numbers = {word: number for number, word in enumerate(vocabulary)}
    marks = {"[CLS]": numbers["[CLS]"], "[SEP]": numbers["[SEP]"]}
    settings = {
        "version": "1.0",
        "truncation": None,
        "padding": {
            "strategy": {"Fixed": 16},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": False,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {
                mark: {"id": mark, "ids": [number], "tokens": [mark]} for mark, number in marks.items()
            },
        },
        "decoder": None,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": numbers,
        },
    }
    write_settings(folder / "tokenizer.json", settings)
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    write_settings(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **special},
    )
