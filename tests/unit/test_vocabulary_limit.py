"""Which words a run knows where its archive has more than it is to know."""

from __future__ import annotations

import json
import logging
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs.act import Act
from tasksieve.dialogs.dialog import Dialog, Turn
from tasksieve.encoding import Reader
from tasksieve.encoding import kept_arrays as arrays
from tasksieve.encoding.vocabulary import WordCounts
from tasksieve.training.methods import method_named
from tasksieve.training.runs import archive_tasks, dialog_tasks
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.trained_model import TrainedModel
from tasksieve.training.runs.vocabularies import vocabulary_of
from tests.unit.test_archives import (  # noqa: F401  (fixtures)
    assert_alike,
    config_for,
    desks,
    digests,
)


def dialogs(*utterances: str) -> list[Dialog]:
    return [Dialog((Turn(said, "ok"),)) for said in utterances]


def counts(*utterances: str) -> WordCounts:
    return WordCounts.of(Reader().read(dialogs(*utterances)))


def test_words_of_the_most_dialogs_are_known_and_all_of_the_primary_task() -> None:
    own, related = Reader().read(dialogs("mine alone")), counts("often often", "often rare", "sometimes", "sometimes")
    least = len(vocabulary_of(own, WordCounts(), 1))
    words = vocabulary_of(own, related, least + 1).words
    assert {"mine", "alone", "ok"} <= set(words)
    assert "often" in words and not {"rare", "sometimes"} & set(words), "of as many dialogs the first in order"
    assert {"often", "sometimes"} <= set(vocabulary_of(own, related, least + 2).words)


def test_a_limit_that_is_not_reached_changes_nothing_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    own, related = Reader().read(dialogs("a b")), counts("c d", "e")
    with caplog.at_level(logging.INFO, "tasksieve"):
        whole = vocabulary_of(own, related, 1000)
    assert {"a", "b", "c", "d", "e"} <= set(whole.words) and not caplog.messages
    with caplog.at_level(logging.INFO, "tasksieve"):
        vocabulary_of(own, related, len(whole) - 1)
    assert "1 rarer ones of related dialogs are not" in caplog.messages[0]


def test_words_of_actions_are_known_whatever_their_number() -> None:
    said = [Dialog((Turn("one two", "three", acts=(Act("request", "city"),)),))]
    related = WordCounts.of(Reader(predict="actions").read(said))
    assert related.named and related.named <= related.most_said(1, set())
    assert WordCounts.read(json.loads(json.dumps(related.plain()))).plain() == related.plain()


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), max_size=12), st.sets(st.integers(0, 5)), st.integers(1, 9))
def test_unknown_words_leave_each_sentence(sentences: list[list[int]], unknown: set[int], piece: int) -> None:
    places = np.array([-1 if word in unknown else 10 * word for word in range(6)])
    words = np.array([word for sentence in sentences for word in sentence], dtype=np.int64)
    offsets = np.cumsum([0, *map(len, sentences)])
    before, arrays._WORDS = arrays._WORDS, piece
    try:
        found, begins = arrays.known_words(places, words, offsets)
    finally:
        arrays._WORDS = before
    expected = [[10 * word for word in sentence if word not in unknown] for sentence in sentences]
    assert [found[a:b].tolist() for a, b in pairwise(begins)] == expected
    assert begins[-1] == len(found)


def test_an_archive_on_the_disk_leaves_out_the_same_words(desks: Path, on_the_disk: Path) -> None:  # noqa: F811
    config, method = config_for(desks, max_words=300), method_named("learned")
    whole, stored = dialog_tasks.load_tasks(config, method), archive_tasks.load_tasks(config, method)
    every = dialog_tasks.load_tasks(config_for(desks), method).encoding.vocabulary
    assert len(whole.encoding.vocabulary) < len(every)
    assert stored.encoding.vocabulary.words == whole.encoding.vocabulary.words
    (there,), (here,) = stored.related, whole.related
    assert torch.equal(there.table.words, here.table.words) and torch.equal(there.table.offsets, here.table.offsets)
    assert_alike(there, here)


def test_a_run_with_few_words_is_the_same_from_disk_and_memory_and_can_be_used(
    desks: Path,  # noqa: F811
    on_the_disk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train(config_for(desks, max_words=300), tmp_path / "disk")
    monkeypatch.setenv("TASKSIEVE_LARGE_MB", "1000")
    train(config_for(desks, max_words=300), tmp_path / "memory")
    assert digests(tmp_path / "disk") == digests(tmp_path / "memory")
    words = json.loads((tmp_path / "disk" / "encoding.json").read_text())["words"]
    assert len(TrainedModel.load(tmp_path / "disk").encoding.vocabulary) == len(words)
