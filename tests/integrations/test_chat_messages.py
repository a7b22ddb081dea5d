"""Tools, calls and parts of messages reach the chat template as it expects them, or are refused in a sentence."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from tasksieve.errors import UserError
from tasksieve.integrations import ChatCollator
from tests.tiny_language_models import TEMPLATE, byte_tokenizer, chat

pytest.importorskip("transformers")

OF_TOOLS = (
    "{% if tools %}tools {{ tools | tojson }}\n{% endif %}"
    "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] or '' }}"
    "{% for c in m['tool_calls'] or [] %}<call>{{ c['function'] | tojson }}</call>{% endfor %}<s>\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)
TOOL = {"type": "function", "function": {"name": "find_table", "description": "d", "parameters": {"type": "object"}}}


def collator(template: str | None = OF_TOOLS, **how: Any) -> ChatCollator:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = template
    return ChatCollator(tokenizer, **how)


def calling(arguments: Any, content: Any = None) -> dict[str, Any]:
    call = {"type": "function", "function": {"name": "find_table", "arguments": arguments}}
    return {
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": content, "tool_calls": [call]},
        ]
    }


def read(collate: ChatCollator, example: dict[str, Any]) -> tuple[str, str]:
    """The text of an example, and what is learned of it."""
    batch = collate([example])
    labels = [token for token in batch["labels"][0].tolist() if token >= 0]
    return collate.tokenizer.decode(batch["input_ids"][0]), collate.tokenizer.decode(labels)


@pytest.mark.parametrize("tools", [[TOOL], json.dumps([TOOL])])
def test_tools_reach_the_template(tools: Any) -> None:
    text, learned = read(collator(), chat("a", "b", tools=tools))
    assert text.startswith("tools [") and '"find_table"' in text
    assert learned == "b<s>"


@pytest.mark.parametrize("arguments", ['{"for": 2}', {"for": 2}])
def test_arguments_are_encoded_once(arguments: Any) -> None:
    assert '"arguments": {"for": 2}' in read(collator(), calling(arguments))[1]


def test_arguments_that_are_no_object_stay_as_they_are() -> None:
    assert r'"arguments": "for two"' in read(collator(), calling("for two"))[1]


def test_parts_of_text_are_one_text() -> None:
    example = chat([{"type": "text", "text": "go"}], [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}])  # type: ignore[arg-type]
    assert read(collator(), example) == ("[user] go<s>\n[assistant] bc<s>\n", "bc<s>")


def test_columns_that_are_none_count_as_missing() -> None:
    example = chat("a", "b", tools=None)
    example["messages"] = [{**one, "tool_calls": None, "name": None} for one in example["messages"]]
    assert read(collator(), example)[1] == "b<s>"


def test_a_template_without_tools_is_told_once() -> None:
    collate = collator(TEMPLATE)
    with pytest.warns(UserWarning, match="writes nothing of the tools"):
        collate([chat("a", "b", tools=[TOOL])])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        collate([chat("a", "b", tools=[TOOL])])


@pytest.mark.parametrize("template", [TEMPLATE, None])
def test_a_call_that_is_not_written_is_refused(template: str | None) -> None:
    with pytest.raises(UserError, match="message 2 of example 1 of a batch calls 'find_table'"):
        collator(template)([calling("{}", "b")])


WRONG: list[tuple[Any, str]] = [
    ({"messages": "abc"}, "has no messages"),
    ({"messages": [{"content": "a"}]}, "message 1 of example 1 of a batch has no role"),
    ({"messages": ["a"]}, "message 1 of example 1 of a batch is of type str"),
    ({"messages": [{"role": "user", "content": "a"}]}, "no message of the assistant"),
    (chat("a", None), "message 2 of example 1 of a batch has no content"),  # type: ignore[arg-type]
    (chat([{"type": "image", "url": "b"}], "b"), "message 1 of example 1 of a batch has a part of type 'image'"),  # type: ignore[arg-type]
    (chat(3, "b"), "message 1 of example 1 of a batch has content that is of type int"),  # type: ignore[arg-type]
    (chat("a", "b", tools="{"), "no JSON list"),
    (chat("a", "b", tools={"name": "c"}), "the tools of example 1 of a batch are of type dict"),
    ("abc", "is of type str"),
    *((chat("a", "b", group=group), "has the group") for group in ("old", "1", -2, 0.7, True, float("nan"), [1])),
]


@pytest.mark.parametrize(("example", "told"), WRONG)
@pytest.mark.parametrize("encoder_decoder", [False, True])
def test_what_is_wrong_is_told_in_a_sentence(example: Any, told: str, encoder_decoder: bool) -> None:
    with pytest.raises(UserError, match=told):
        collator(encoder_decoder=encoder_decoder)([example])


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(UserError, match="no examples"):
        collator()([])


def test_a_group_that_a_table_made_a_float_is_a_group() -> None:
    assert collator()([chat("a", "b", group=2.0), chat("a", "b")])["groups"].tolist() == [2, -1]


def test_a_missing_content_is_not_written_as_none() -> None:
    assert read(collator(OF_TOOLS.replace(" or ''", "")), calling("{}"))[1].startswith("<call>")


@pytest.mark.parametrize("template", ["{{ raise_exception('no system') }}", "{{ messages[0].a.b }}", "{{ 1 + 'a' }}"])
def test_a_template_that_fails_is_told_in_a_sentence(template: str) -> None:
    with pytest.raises(UserError, match="chat template cannot write the first 1 messages"):
        collator(template)([chat("a", "b")])
