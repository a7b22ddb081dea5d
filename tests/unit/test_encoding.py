"""Vocabulary, sentence table, candidates and batches."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.simulate import simulate
from tasksieve.encoding import (
    BatchSampler,
    Candidates,
    EncodedTask,
    Reader,
    SentenceTable,
    Vocabulary,
    derived_generator,
    names_of,
    responses_of,
)
from tasksieve.errors import UserError
from tests.reading import facts

pytestmark = pytest.mark.usefixtures("both_paths")

DIALOGS = [
    Dialog((*facts("r1 R_price cheap"), Turn("Hi", "hello"), Turn("a table", "for two two")), ("male", "young")),
    Dialog((Turn("hi", "hello"),)),
]


def encoded(dialogs: list[Dialog] = DIALOGS, **options: int) -> EncodedTask:
    reader = Reader("all")
    readings = reader.read(DIALOGS)
    vocabulary = Vocabulary.of(readings)
    candidates = Candidates(responses_of(readings), vocabulary)
    return EncodedTask(reader.read(dialogs), vocabulary, candidates, **options)


def test_vocabulary_is_lower_case_sorted_and_led_by_the_speakers() -> None:
    words = Vocabulary.of(Reader("all").read(DIALOGS)).words
    assert words[:4] == ("<user>", "<system>", "<fact>", "<profile>")
    assert list(words[4:]) == sorted(
        {"r1", "r_price", "cheap", "hi", "hello", "a", "table", "for", "two", "male", "young"}
    )


def test_unknown_words_are_left_out_and_counted() -> None:
    vocabulary = Vocabulary(["hi", "there"])
    assert vocabulary.numbers("hi you there Hi") == ([0, 1, 0], 1)


def test_sentences_are_sums_of_their_words() -> None:
    table = SentenceTable.of([[0, 2, 2], [], [1]], 3)
    embedding = torch.tensor([[1.0, 0.0], [0.0, 1.0], [10.0, 20.0]])
    assert table.embed(embedding).tolist() == [[21.0, 40.0], [0.0, 0.0], [0.0, 1.0]]
    with pytest.raises(ValueError, match="2 rows; the vocabulary has 3"):
        table.embed(embedding[:2])


@given(st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=5))
@settings(deadline=None, max_examples=30)
def test_embedding_sentences_has_exact_derivatives_of_any_order(sentences: list[list[int]]) -> None:
    table = SentenceTable.of(sentences, 5)
    embedding = torch.randn(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(table.embed, embedding, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(table.embed, embedding)
    dense = torch.zeros(len(sentences), 5, dtype=torch.float64)
    for row, words in enumerate(sentences):
        for word in words:
            dense[row, word] += 1
    torch.testing.assert_close(table.embed(embedding), dense @ embedding)


def test_candidates_have_numbers_and_unseen_ones_have_none() -> None:
    candidates = Candidates(["a b", "c"], Vocabulary(["a", "b", "c"]))
    assert (len(candidates), candidates.number("c"), candidates.number("d")) == (2, 1, -1)


def test_responses_that_differ_in_case_punctuation_or_order_of_words_are_one_candidate() -> None:
    twins = ["Goodbye, and thanks!", "thanks and goodbye", "goodbye and thanks", "goodbye and thanks", "thanks"]
    readings = Reader().read([Dialog(tuple(Turn("bye", text) for text in twins))])
    texts = responses_of(readings)
    assert texts == ["goodbye and thanks", "thanks"], "the wording of twins is the most frequent one"
    candidates = Candidates([*texts, "Thanks."], Vocabulary.of(readings))
    assert candidates.texts == tuple(texts)
    assert [candidates.number(text) for text in twins] == [0, 0, 0, 0, 1]
    assert candidates.number("AND (thanks) , goodbye") == 0
    assert candidates.number("thanks thanks and goodbye") == -1
    task = EncodedTask(readings, Vocabulary.of(readings), candidates)
    assert (task.targets.tolist(), task.coverage.ceiling) == ([0, 0, 0, 0, 1], 100.0)


def test_punctuation_by_itself_is_no_word_unless_there_is_nothing_else() -> None:
    assert Candidates(["?", "!", "? !", "really ?", "Really"], Vocabulary([])).texts == ("?", "!", "? !", "really ?")


@pytest.mark.parametrize("kind", ["restaurant", "personalized-restaurant", "hotel"])
def test_simulated_dialogs_have_no_twins(kind: str) -> None:
    dialogs = simulate(kind, dialogs=60, seed=0)["train"]
    readings = Reader(names=names_of(dialogs)[0]).read(dialogs)
    assert responses_of(readings) == sorted({turn.response for reading in readings for turn in reading.turns})


def test_a_response_that_is_not_learned_from_is_context_and_nothing_else() -> None:
    whole = Dialog((Turn("hi", "go away", learned=0.0), Turn("a table", "for two")))
    readings = Reader().read([whole])
    vocabulary = Vocabulary.of(readings)
    candidates = Candidates(responses_of(readings), vocabulary)
    task = EncodedTask(readings, vocabulary, candidates)
    assert candidates.texts == ("for two",)
    assert [(example.turn, example.system) for example in task.examples] == [(1, "for two")]
    memories = task.batch(torch.tensor([0])).memories
    assert int((memories >= 0).sum()) == 2
    nothing = Reader().read([Dialog((Turn("hi", "go away", learned=0.0),))])
    with pytest.raises(UserError, match="no dialog has a response to learn from"):
        EncodedTask(nothing, vocabulary, candidates)


def test_every_turn_is_an_example_with_all_before_it_as_memories() -> None:
    task = encoded()
    words = Vocabulary.of(Reader("all").read(DIALOGS)).words
    assert [(e.dialog, e.turn, e.user, e.system) for e in task.examples] == [
        (0, 0, "Hi", "hello"),
        (0, 1, "a table", "for two two"),
        (1, 0, "hi", "hello"),
    ]
    batch = task.batch(torch.tensor([1, 0, 2]))
    one_hot = batch.table.embed(torch.eye(len(words)))

    def text(number: int) -> set[str]:
        return {word for word, count in zip(words, one_hot[number], strict=True) if count}

    memories = [[text(int(n)) for n in row if n >= 0] for row in batch.memories]
    assert memories == [
        [
            {"<system>", "hello"},
            {"<user>", "hi"},
            {"<fact>", "r1", "r_price", "cheap"},
            {"<profile>", "male", "young"},
        ],
        memories[0][2:],
        [set()],
    ]
    assert batch.memories.tolist()[1][2:] == [-1, -1]
    assert text(int(batch.utterances[0])) == {"a", "table"}
    assert one_hot[batch.responses[0]][words.index("two")] == 2
    assert batch.targets.tolist() == [0, 1, 1]


def test_log_counts_say_how_often_a_sentence_is_a_memory() -> None:
    twice = [Dialog((Turn("hi", "hello"), Turn("hi", "hello"), Turn("a", "hello")))]
    batch = encoded(twice).batch(torch.tensor([2, 0]))
    for row, memories in enumerate(batch.memories.tolist()):
        for sentence, count in enumerate(batch.counts[row].int().tolist()):
            assert count == memories.count(sentence)
    assert float(batch.log_counts(torch.float64)[0].max().exp()) == pytest.approx(2.0, rel=1e-15)


def test_a_selected_table_is_that_of_its_sentences() -> None:
    table = SentenceTable.of([[0, 2, 2], [], [1], [3, 0]], 4)
    embedding = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    rows = torch.tensor([3, 1, 0, 3])
    torch.testing.assert_close(table.select(rows).embed(embedding), table.embed(embedding)[rows])


def test_old_memories_are_left_out() -> None:
    short = encoded(max_memories=2).batch(torch.tensor([1]))
    long = encoded().batch(torch.tensor([1]))
    assert short.memories.shape == (1, 2)
    rows = [
        batch.table.embed(torch.eye(batch.table.vocabulary_size))[batch.memories[0, :2]] for batch in (short, long)
    ]
    assert torch.equal(*rows)


def test_coverage_counts_what_is_unseen() -> None:
    fresh = [Dialog((Turn("hi zebra", "hello"), Turn("yes", "no such answer")))]
    task = encoded(fresh)
    assert task.coverage.unseen_responses == 1
    assert task.coverage.ceiling == 50.0
    # zebra, yes, no, such, answer are unknown as utterance or response, and once more as memories
    assert task.coverage.unknown_words == 10
    assert task.answerable().tolist() == [0]


def test_no_turn_is_no_task() -> None:
    with pytest.raises(ValueError, match="no turn"):
        encoded([Dialog(facts("a R_b c"))])


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 5))
@settings(deadline=None, max_examples=40)
def test_an_epoch_holds_every_example_at_most_once(count: int, size: int, seed: int) -> None:
    sampler = BatchSampler(torch.arange(100, 100 + count), size, seed=seed, stream=1)
    in_epoch = count // min(size, count)
    epoch = torch.cat([sampler.batch(number) for number in range(in_epoch)]).tolist()
    assert len(set(epoch)) == len(epoch) == in_epoch * min(size, count)
    assert set(epoch) <= set(range(100, 100 + count))


def test_a_batch_depends_on_its_number_alone() -> None:
    examples = torch.arange(50)
    straight = BatchSampler(examples, 8, seed=4, stream=2)
    batches = [straight.batch(number) for number in range(30)]
    resumed = BatchSampler(examples, 8, seed=4, stream=2)
    assert torch.equal(resumed.batch(17), batches[17])
    assert torch.equal(resumed.batch(3), batches[3])
    other = BatchSampler(examples, 8, seed=4, stream=3)
    assert not torch.equal(other.batch(0), batches[0])
    with pytest.raises(ValueError, match="no examples"):
        BatchSampler(examples[:0], 8, seed=0, stream=0)


def test_derived_generators_are_apart() -> None:
    draws = {
        float(torch.rand((), generator=derived_generator(*path))) for path in [(0, 1), (0, 2), (1, 1), (0, 1, 0)]
    }
    assert len(draws) == 4
