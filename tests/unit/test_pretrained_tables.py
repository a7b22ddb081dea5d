"""Dense vectors beside bags of words: in tables, tasks, batches, candidates and entities."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from tasksieve.dialogs import Act, Dialog, Turn
from tasksieve.encoding import Candidates, ChoiceRows, EncodedTask, Reader, SentenceTable, Vocabulary, responses_of
from tasksieve.encoding.sentences import dense, plain, text_of_entity, text_of_line
from tests.reading import KB, facts

pytestmark = pytest.mark.usefixtures("both_paths")

DIALOGS = [
    Dialog(
        (
            *facts("r1 R_phone p1", "r1 R_price cheap", "r2 R_phone p2"),
            Turn("a cheap table", "try r1"),
            Turn("its phone please", "it is p1"),
            Turn("is r1 good", "yes"),
        ),
        ("male", "young"),
    ),
    Dialog((*facts("r3 R_phone p3"), Turn("a cheap table", "try r3"), Turn("<SILENCE>", "it is p3"))),
]


def vector(text: str) -> list[float]:
    """Five numbers that no other text has."""
    return [byte / 256 for byte in hashlib.sha256(text.encode()).digest()[:5]]


def embed(texts: Sequence[str]) -> Tensor:
    return torch.tensor([vector(text) for text in texts]).reshape(-1, 5)


def encoded(vectors: bool = True) -> EncodedTask:
    readings = Reader("all", KB).read(DIALOGS)
    vocabulary = Vocabulary.of(readings)
    own = embed if vectors else None
    candidates = Candidates(responses_of(readings), vocabulary, placeholders=KB.gaps(), vectors=own)
    return EncodedTask(readings, vocabulary, candidates, vectors=own)


def test_marks_are_read_as_plain_words() -> None:
    assert plain("here: <entity>, <r_phone> or <hotel_street_name>") == "here: entity, phone or hotel street name"
    assert plain("1 < 2 and 3 > 2, <3") == "1 < 2 and 3 > 2, <3"
    assert plain("<SILENCE>") == "SILENCE"
    assert plain("inform request_city of resto_1__phone, _so_") == "inform request city of resto 1 phone, _so_"
    assert text_of_line("<user> Is R1 good <3") == "Is R1 good <3"
    assert text_of_entity(["r_price=cheap", "r_price:heard", ":named"]) == "r price cheap, r price heard, named"


def test_each_distinct_text_is_embedded_once_and_no_words_are_zeros() -> None:
    asked: list[list[str]] = []

    def listening(texts: Sequence[str]) -> Tensor:
        asked.append(list(texts))
        return embed(texts).requires_grad_()

    rows = dense(["b", "", "a", "b", "  "], listening)
    assert asked == [["b", "a"]]
    assert torch.equal(
        rows, torch.stack([torch.tensor(row) for row in [vector("b"), [0.0] * 5, vector("a")]])[[0, 1, 2, 0, 1]]
    )
    assert not rows.requires_grad
    assert dense(["", " "], embed).tolist() == [[0.0] * 5] * 2


def test_selected_sentences_bring_their_vectors() -> None:
    table = SentenceTable.of([[0, 2, 2], [], [1]], 3, vectors=embed(["x", "", "y"]))
    chosen = torch.tensor([2, 0, 2])
    selected = table.select(chosen)
    assert selected.vectors is not None
    assert torch.equal(selected.vectors, embed(["y", "x", "y"]))
    assert selected.words.tolist() == [1, 0, 2, 2, 1]
    with pytest.raises(ValueError, match="2 vectors for 3 sentences"):
        SentenceTable.of([[0], [], [1]], 3, vectors=embed(["x", "y"]))


def test_a_batch_has_the_vectors_of_what_was_said() -> None:
    task = encoded()
    numbers = torch.tensor([4, 0, 2, 1, 3, 0])
    batch = task.batch(numbers)
    rows = batch.table.vectors
    assert rows is not None
    readings = Reader("all", KB).read(DIALOGS)
    for place, number in enumerate(numbers.tolist()):
        said = task.examples[number]
        reading = readings[said.dialog]
        lines = reading.memory(reading.turns[said.turn])
        memories = [row for row in batch.memories[place].tolist() if row >= 0]
        assert torch.equal(rows[batch.utterances[place]], embed([plain(said.user)])[0])
        assert torch.equal(rows[batch.responses[place]], embed([said.system])[0])
        for row, line in zip(memories, reversed(lines), strict=True):
            told = not line.original.startswith(("<user>", "<system>"))
            expected = torch.zeros(5) if told else embed([text_of_line(line.original)])[0]
            assert torch.equal(rows[row], expected), "facts and profiles have none"
    assert batch.choices.table is task.candidates.table


def test_an_action_is_read_as_its_words() -> None:
    asked = Turn("a table", "Where shall it be?", acts=(Act("request", "city"), Act("greet")))
    readings = Reader("none", predict="actions").read([Dialog((asked, Turn("rome", "Done.", acts=(Act("bye"),))))])
    vocabulary = Vocabulary.of(readings)
    candidates = Candidates(responses_of(readings), vocabulary, vectors=embed)
    batch = EncodedTask(readings, vocabulary, candidates, vectors=embed).batch(torch.tensor([1, 0]))
    rows = batch.table.vectors
    assert rows is not None
    assert torch.equal(rows[batch.responses], embed(["bye", "greet request city"]))
    assert torch.equal(rows[batch.memories[0, 1:3]], embed(["Where shall it be?", "a table"]))
    for place in (0, 3):
        assert not bool(rows[batch.memories[0, place]].any()), "a memory of an action or a state is its words alone"
    assert int((batch.memories[0] >= 0).sum()) == 4


def test_a_dialog_without_memories_has_one_of_zeros() -> None:
    dialogs = [Dialog((Turn("hi", "hello"), Turn("bye", "bye")))]
    readings = Reader("none").read(dialogs)
    vocabulary = Vocabulary.of(readings)
    task = EncodedTask(readings, vocabulary, Candidates(["hello"], vocabulary), vectors=embed)
    batch = task.batch(torch.tensor([0]))
    assert batch.table.vectors is not None
    assert batch.table.vectors[batch.memories[0]].tolist() == [[0.0] * 5]


def test_sentences_that_share_their_placeholders_differ_by_their_texts() -> None:
    """``try r1`` and ``try r3`` are one bag of words and two vectors."""
    with_words, with_vectors = encoded(vectors=False), encoded()
    assert with_words.spoken[0, 1] == with_words.spoken[3, 1]
    assert with_vectors.spoken[0, 1] != with_vectors.spoken[3, 1]
    assert with_vectors.spoken[0, 0] == with_vectors.spoken[3, 0]
    assert with_vectors.coverage == with_words.coverage


def test_the_words_are_the_same_with_and_without_vectors() -> None:
    numbers = torch.arange(5)
    plain_batch, dense_batch = encoded(vectors=False).batch(numbers), encoded().batch(numbers)
    assert plain_batch.table.vectors is None
    assert plain_batch.choices.table.vectors is None
    embedding = torch.randn(plain_batch.table.vocabulary_size, 7, dtype=torch.float64)
    for batch in (plain_batch, dense_batch):
        assert batch.entities is not None
    words, both = plain_batch.table.embed(embedding), dense_batch.table.embed(embedding)
    for column in ("utterances", "responses"):
        torch.testing.assert_close(words[getattr(plain_batch, column)], both[getattr(dense_batch, column)])
    torch.testing.assert_close(plain_batch.counts @ words.float(), dense_batch.counts @ both.float())


def test_candidates_and_entities_have_vectors_of_their_texts() -> None:
    task = encoded()
    texts = [plain(text) for text in task.candidates.texts]
    assert "it is phone" in texts
    assert torch.equal(task.choices.table.vectors, embed(texts))
    rows = ChoiceRows(Vocabulary(["a=b"]), embed)
    rows.add((("a=b", "a:heard"), ("c=d_e",)), 0)
    choices = rows.choices()
    assert choices is not None
    assert torch.equal(choices.table.vectors, embed(["a b, a heard", "c d e"]))
    assert choices.offered is not None
    assert choices.offered.vectors is None
    assert task.batch(torch.tensor([2, 1])).entities.table.vectors is not None
