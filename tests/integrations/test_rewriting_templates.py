"""Chat templates that write earlier turns otherwise: what is learned is what the model is to say."""

from __future__ import annotations

from typing import Any

import pytest

from tasksieve.errors import UserError
from tasksieve.integrations import ChatCollator
from tests.tiny_language_models import byte_tokenizer, chat

pytest.importorskip("transformers")

THINKING = """\
{%- set ns = namespace(last=0) -%}
{%- for m in messages if m.role == 'user' -%}{%- set ns.last = ns.last + 1 -%}{%- endfor -%}
{%- set at = namespace(user=0) -%}
{%- for m in messages -%}
{%- if m.role == 'user' -%}{%- set at.user = at.user + 1 -%}{%- endif -%}
<{{ m.role }}>
{%- if m.role == 'assistant' and at.user == ns.last and (loop.last or m.reasoning_content) -%}
<think>{{ m.reasoning_content or '' }}</think>
{%- endif -%}
{{- m.content -}}
{%- for c in m.tool_calls or [] -%}<call>{{ c.function.name }}</call>{%- endfor -%}
<end>{{ '\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}<assistant>{%- endif -%}
"""
"""As of models that think: thoughts stand in the last turn, if only empty ones, and not before the last question."""
MERGING = """\
{%- for m in messages -%}
{%- if loop.first or m.role != messages[loop.index0 - 1].role -%}<{{ m.role }}>{%- else -%}{{ '\n\n' }}{%- endif -%}
{{- m.content | trim -}}
{%- if loop.last or m.role != messages[loop.index0 + 1].role -%}<end>{{ '\n' }}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt and messages[-1].role != 'assistant' -%}<assistant>{%- endif -%}
"""
LAST_TOLD = (
    "{% for m in messages %}{% if m == (messages | selectattr('role', 'equalto', 'user') | list | last) %}(tools)"
    "{% endif %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


def rows(template: str, example: dict[str, Any], **how: Any) -> list[tuple[str, str]]:
    """Of each row its text, and what is learned of it, turn by turn with bars between."""
    collate = ChatCollator(tokenizer := byte_tokenizer(), unit="turn", **how)
    tokenizer.chat_template = template
    batch = collate([example])
    found = []
    for tokens, labels, units in zip(batch["input_ids"], batch["labels"], batch["units"], strict=True):
        there = tokens[: int((tokens != 0).sum())]
        said = [tokenizer.decode(labels[units == unit]) for unit in units.unique().tolist() if unit >= 0]
        found.append((tokenizer.decode(there), "|".join(said)))
    return found


def test_turns_without_thoughts_are_learned_from_the_whole_conversation() -> None:
    ((text, learned),) = rows(THINKING, chat("a", "one", "b", "two"))
    assert text == "<user>a<end>\n<assistant>one<end>\n<user>b<end>\n<assistant><think></think>two<end>\n"
    assert learned == "one<end>|<think></think>two<end>"


def test_thoughts_that_a_later_question_drops_are_learned_where_they_stand() -> None:
    example = chat("a", "one", "b", "two")
    example["messages"][1]["reasoning_content"] = "hm"
    found = rows(THINKING, example)
    assert [learned for _, learned in found] == ["<think></think>two<end>", "<think>hm</think>one<end>"]
    assert found[1][0] == "<user>a<end>\n<assistant><think>hm</think>one<end>\n"


def test_weights_are_those_of_the_turns_wherever_they_stand() -> None:
    example = chat("a", "one", "b", "two", weights=[0.25, 0.5], group=3)
    example["messages"][1]["reasoning_content"] = "hm"
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = THINKING
    for unit, units in (("example", [0, 0]), ("turn", [1, 0])):
        batch = ChatCollator(tokenizer, unit=unit)([example])  # type: ignore[arg-type]
        learned = batch["labels"] != -100
        assert [set(w[m].tolist()) for w, m in zip(batch["token_weights"], learned, strict=True)] == [{0.5}, {0.25}]
        assert [set(u[m].tolist()) for u, m in zip(batch["units"], learned, strict=True)] == [{n} for n in units]
        assert batch["groups"].tolist() == [3] * len(set(units))


def test_calls_are_learned_with_the_answers_after_them() -> None:
    example = chat("a", "two")
    call = {"type": "function", "function": {"name": "find", "arguments": "{}"}}
    between = [{"role": "assistant", "tool_calls": [call], "content": ""}, {"role": "tool", "content": "9"}]
    example["messages"][1:1] = between
    ((text, learned),) = rows(THINKING, example)
    assert learned == "<call>find</call><end>|<think></think>two<end>"
    assert text.count("<assistant>") == 2


def test_turns_that_become_one_are_each_learned() -> None:
    example = chat("a", " one ", "b", "one more")
    example["messages"].insert(2, {"role": "assistant", "content": "one"})
    ((text, learned),) = rows(MERGING, example)
    assert text == "<user>a<end>\n<assistant>one\n\none<end>\n<user>b<end>\n<assistant>one more<end>\n"
    assert learned == "one|\n\none<end>|one more<end>"


def test_turns_in_a_row_end_as_others_where_the_first_is_written_otherwise() -> None:
    example = chat("a", "one", "b", "two")
    example["messages"].insert(2, {"role": "assistant", "content": "one"})
    found = rows(THINKING, example)
    assert [learned for _, learned in found] == ["<think></think>two<end>", "one<end>|<think></think>one<end>"]
    example["messages"] = example["messages"][:3]
    ((text, learned),) = rows(THINKING, example)
    assert text == "<user>a<end>\n<assistant>one<end>\n<assistant><think></think>one<end>\n"
    assert learned == "one<end>|<think></think>one<end>"


def test_content_that_is_not_written_is_refused() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}<{{ m.role }}>{{ m.content.parts }}<end>{% endfor %}"
    with pytest.raises(UserError, match="message 2 of example 1 of a batch has content that the tokenizer's chat"):
        ChatCollator(tokenizer)([chat("a", "one")])


def test_a_turn_whose_context_moves_has_a_row_of_its_own() -> None:
    found = rows(LAST_TOLD, chat("a", "one", "b", "two"))
    assert found == [
        ("<user>a<end><assistant>one<end>(tools)<user>b<end><assistant>two<end>", "two<end>"),
        ("(tools)<user>a<end><assistant>one<end>", "one<end>"),
    ]


def test_every_turn_of_an_encoder_decoder_is_read_as_it_is_said() -> None:
    example = chat("a", "one", "b", "two")
    ((before, first), (_, second)) = rows(THINKING, example, encoder_decoder=True)
    assert (before, first.removesuffix("<s>")) == ("<user>a<end>\n<assistant>", "<think></think>one<end>")
    assert second.removesuffix("<s>") == "<think></think>two<end>"


def test_what_cannot_be_told_apart_is_refused() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = MERGING.replace("| trim", "| upper")
    example = chat("a", "one")
    example["messages"].append({"role": "assistant", "content": "two"})
    with pytest.raises(UserError, match="writes what precedes message 3 otherwise"):
        ChatCollator(tokenizer)([example])


def test_a_template_that_asks_with_what_answers_lack_is_named() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = (  # as DeepSeek's R1
        "{% for m in messages %}<{{ m.role }}>{{ m.content.split('</think>')[-1] }}<end>{% endfor %}"
        "{% if add_generation_prompt %}<assistant><think>\n{% endif %}"
    )
    for said in ("one", "<think>\nhm\n</think>\n\none"):
        with pytest.raises(
            UserError, match=r"asks for message 2 with '<assistant><think>\\n' and then writes it with"
        ):
            ChatCollator(tokenizer)([chat("a", said)])
    tokenizer.chat_template = tokenizer.chat_template.replace("<think>\n", "")
    (labels,) = ChatCollator(tokenizer)([chat("a", "one")])["labels"]
    assert tokenizer.decode(labels[labels >= 0]) == "one<end>"
