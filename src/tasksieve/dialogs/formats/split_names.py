"""What splits are called in files, and which of the names mean the same."""

from __future__ import annotations

import re
from collections.abc import Iterable

TRAIN, VALID, TEST, TEST_OOV = "train", "valid", "test", "test-oov"
"""The splits that most data sets have, in the order in which they are read as one."""
ORDER = (TRAIN, VALID, TEST, TEST_OOV)

_SAME = {
    TRAIN: ("train", "training", "trn"),
    VALID: ("valid", "validation", "validate", "val", "dev", "devel", "development"),
    TEST: ("test", "testing", "tst"),
    TEST_OOV: ("test-oov", "tst-oov", "test_oov"),
}
_MEANT = {name: split for split, names in _SAME.items() for name in names}
_MEANT_ORDER = {split: place for place, split in enumerate(ORDER)}
_BETWEEN = re.compile(r"[-_. ]+")


def split_meant(name: str) -> str:
    """One name for all that mean the same split; any other name as it is, in lower case.

    >>> split_meant("Validation"), split_meant("dev"), split_meant("fold 3")
    ('valid', 'valid', 'fold 3')
    """
    lower = name.strip().lower()
    return _MEANT.get(lower, lower)


def is_split(name: str) -> bool:
    """Whether a name is that of a split which most data sets have."""
    return name.strip().lower() in _MEANT


def says_split(name: str) -> bool:
    """Whether the first word of a name is that of a split which most data sets have: ``train_sft``."""
    return _BETWEEN.split(name.strip().lower())[0] in _MEANT


def by_first_word(names: Iterable[str]) -> dict[str, str]:
    """The split that each name means, by its first word if no other name means the same; else the name as it is.

    >>> by_first_word(["train_sft", "test_sft", "test_gen"])
    {'train_sft': 'train', 'test_sft': 'test_sft', 'test_gen': 'test_gen'}
    """
    whole = {name: split_meant(name) for name in names}
    first = {name: split_meant(_BETWEEN.split(meant)[0]) for name, meant in whole.items()}
    means = list(first.values())
    return {
        name: first[name] if first[name] in ORDER and means.count(first[name]) == 1 else meant
        for name, meant in whole.items()
    }


def split_within(name: str) -> tuple[str, str] | None:
    """The split that one word of a file's name says, and the name without that word; None if not one says it.

    >>> split_within("kvret_dev_public")
    ('valid', 'kvret public')
    """
    words = _BETWEEN.split(name.lower())
    found = [number for number, word in enumerate(words) if word in _MEANT]
    if len(found) != 1:
        return None
    rest = " ".join(word for number, word in enumerate(words) if number != found[0])
    return _MEANT[words[found[0]]], rest


def in_order(names: Iterable[str]) -> list[str]:
    """Names of splits as these follow each other: training, validation and test dialogs, then others as they came.

    >>> in_order(["test", "fold 3", "dev", "train"])
    ['train', 'dev', 'test', 'fold 3']
    """
    return sorted(names, key=lambda name: _MEANT_ORDER.get(split_meant(name), len(ORDER)))
