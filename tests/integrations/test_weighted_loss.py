"""A weight of 1 is the plain loss, a weight of 0 leaves out, however rows are laid out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.errors import UserError
from tasksieve.integrations import ChatCollator, reweighted, targets_of, unit_losses, unit_totals, weighted_nll
from tasksieve.integrations.chat_text import rendered
from tasksieve.integrations.passes import logits_of, losses_of
from tests.tiny_language_models import TEMPLATE, chat, chats, llama, t5, word_tokenizer

pytest.importorskip("transformers")


def collator(**how: Any) -> ChatCollator:
    return ChatCollator(word_tokenizer(TEMPLATE), max_length=48, **how)


def loss(model: Any, batch: dict[str, torch.Tensor], shift: bool = True) -> torch.Tensor:
    with torch.no_grad():
        return weighted_nll(logits_of(model, batch), targets_of(batch, shift=shift))


def test_a_weight_of_one_is_the_models_own_loss() -> None:
    model, batch = llama(), collator()(chats(5))
    with torch.no_grad():
        plain = model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=batch["labels"]
        ).loss
    torch.testing.assert_close(loss(model, batch), plain, rtol=1e-6, atol=0)


def test_a_weight_of_one_is_the_own_loss_of_an_encoder_decoder() -> None:
    model, batch = t5().eval(), collator(encoder_decoder=True)(chats(5))
    with torch.no_grad():
        plain = model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=batch["labels"]
        ).loss
    torch.testing.assert_close(loss(model, batch, shift=False), plain, rtol=1e-6, atol=0)


@pytest.mark.parametrize("packing", [False, True])
def test_an_example_of_weight_zero_is_left_out(packing: bool) -> None:
    model, some = llama(), chats(4)
    with_it = loss(model, collator(packing=packing)([*some, {**chats(1, seed=9)[0], "weight": 0}]))
    torch.testing.assert_close(with_it, loss(model, collator(packing=packing)(some)), rtol=1e-6, atol=0)


def test_a_label_of_weight_zero_is_left_out_even_if_its_loss_is_not_finite() -> None:
    logits, labels = torch.zeros(1, 3, 4), torch.tensor([[0, 1, 2]])
    logits[0, 0] = torch.nan
    batch = {"labels": labels, "token_weights": torch.tensor([[1.0, 0.0, 1.0]])}
    assert weighted_nll(logits, targets_of(batch)).item() == pytest.approx(torch.tensor(4.0).log().item())


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(0, 3), min_size=2, max_size=5).filter(lambda weights: sum(weights) > 0.1),
    st.integers(0, 99),
)
def test_packed_rows_have_the_loss_of_padded_ones(weights: list[float], seed: int) -> None:
    some = [{**one, "weight": weight} for one, weight in zip(chats(len(weights), seed=seed), weights, strict=True)]
    model, one, other = llama(), collator()(some), collator(packing=True)(some)
    assert len(other["input_ids"]) < len(one["input_ids"])
    with torch.no_grad():
        torch.testing.assert_close(losses_of(model, other), losses_of(model, one), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(loss(model, other), loss(model, one), rtol=1e-5, atol=0)


def test_the_loss_is_the_weighted_mean_of_turns_taken_one_by_one() -> None:
    model, turns = llama(), ("hello", "a table .", "cheap please", "here you are . good bye .")
    whole = loss(model, collator()([chat(*turns, weights=[0.25, 2.0])]))
    batch = collator(unit="turn")([chat(*turns)])
    targets = targets_of(batch)
    with torch.no_grad():
        sums, tokens = unit_losses(logits_of(model, batch), targets, 2), unit_totals(targets, 2)
    assert tokens.tolist() == [4, 8]
    weights = torch.tensor([0.25, 2.0])
    torch.testing.assert_close(whole, (weights @ sums) / (weights @ tokens), rtol=1e-6, atol=0)


def test_weights_of_turn_and_example_are_multiplied() -> None:
    example = chat("hello", "a table .", "cheap", "bye .", weight=0.5)
    example["messages"][1]["weight"] = 3
    batch = collator()([example])
    assert sorted(set(batch["token_weights"][batch["labels"] != -100].tolist())) == [0.5, 1.5]


def test_learned_weights_multiply_and_zero_leaves_out() -> None:
    batch = collator()([chat("hello", "a table ."), chat("cheap", "bye .")])
    found = reweighted(targets_of(batch), torch.tensor([0.0, 0.25]))
    assert (found.labels[0] == -100).all()
    assert set(found.weights[1].tolist()) == {0.0, 0.25}


@pytest.mark.parametrize("template", [None, TEMPLATE])
def test_only_what_the_assistant_says_is_learned_with_what_ends_a_turn(template: str | None) -> None:
    words, example = word_tokenizer(template), chat("hello", "a table .", "cheap ?", "thanks bye .")
    (row,) = ChatCollator(words)([example])["labels"]
    said = words.decode([int(label) for label in row if label != -100])
    assert said == "a table . <eos> thanks bye . <eos>"


def test_spans_are_the_assistants_words() -> None:
    messages = chat("hello", "a table .", "cheap ?", "thanks bye .")["messages"]
    for template in (None, TEMPLATE):
        ((text, spans),) = rendered(word_tokenizer(template), messages)
        assert [span.message for span in spans] == [1, 3]
        assert [text[span.start : span.end].removesuffix("<eos>").strip() for span in spans] == [
            "a table .",
            "thanks bye .",
        ]


def test_a_template_that_rewrites_what_comes_first_is_refused() -> None:
    rewriting = "{{ messages | length }}{% for m in messages %} {{ m['content'] }}{% endfor %}"
    with pytest.raises(UserError, match="chat template writes what precedes message 2 otherwise"):
        ChatCollator(word_tokenizer(rewriting))([chat("hello", "bye")])


def test_of_a_long_conversation_the_last_tokens_are_kept_with_a_word() -> None:
    collate = ChatCollator(word_tokenizer(TEMPLATE), max_length=6)
    with pytest.warns(UserWarning, match="max_length = 6"):
        batch = collate([chat("hello " * 9, "a table .")])
    assert batch["input_ids"].shape == (1, 6)
    assert (batch["labels"] != -100).sum() == 4


@pytest.mark.parametrize("weight", [-1, float("nan"), "much"])
def test_a_weight_that_is_none_is_refused(weight: Any) -> None:
    with pytest.raises(UserError, match="must be a number of 0 or more"):
        collator()([chat("hello", "bye", weight=weight)])


def test_other_mistakes_in_examples_are_told() -> None:
    with pytest.raises(UserError, match="has no messages"):
        collator()([{"text": "hello"}])
    with pytest.raises(UserError, match="2 weights and 1 turns"):
        collator()([chat("hello", "bye", weights=[1, 2])])
    with pytest.raises(UserError, match="packing is for decoders"):
        collator(packing=True, encoder_decoder=True)
    with pytest.raises(UserError, match="features of different numbers"):
        collator()([chat("hello", "bye", features=[1]), chat("hello", "bye", features=[1, 2])])
