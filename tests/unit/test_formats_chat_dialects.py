"""One conversation, written as every service has it, is one dialog; and a chat file goes to chat as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.formats.convert import convert

words = st.text("abcxyz {}[]\":'é日\n", min_size=1, max_size=8).map(str.strip).filter(bool)
names = st.text("abc_", min_size=1, max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(names, values, max_size=3)


@dataclass(frozen=True)
class Said:
    """A turn: what the user says, the call and its result if there is one, and the answer."""

    user: str
    answer: str
    weight: float
    tool: str = ""
    arguments: Any = None
    result: Any = None


plain = st.builds(Said, words, words, st.sampled_from([1, 1, 0, 0.5, 2]))
called = st.builds(Said, words, words, st.just(1), names, objects, objects)
conversations = st.lists(plain | called, min_size=1, max_size=4)


def counted(message: dict[str, Any], said: Said) -> dict[str, Any]:
    return message if said.weight == 1 else {**message, "weight": said.weight}


def openai(turns: list[Said], *, decoded: bool = False) -> dict[str, Any]:
    def messages() -> Iterator[dict[str, Any]]:
        for number, said in enumerate(turns):
            yield {"role": "user", "content": said.user}
            if said.tool:
                arguments, result = said.arguments, said.result
                if not decoded:
                    arguments = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
                    result = json.dumps(result)
                function = {"name": said.tool, "arguments": arguments}
                call = {"id": f"c{number}", "type": "function", "function": function}
                yield {"role": "assistant", "content": None, "tool_calls": [call]}
                yield {"role": "tool", "tool_call_id": f"c{number}", "content": result}
            yield counted({"role": "assistant", "content": said.answer}, said)

    return {"messages": list(messages())}


def functions(turns: list[Said]) -> dict[str, Any]:
    messages = openai(turns)["messages"]
    name = ""
    for message in messages:
        if "tool_calls" in message:
            message["function_call"] = message.pop("tool_calls")[0]["function"]
            name = message["function_call"]["name"]
        elif message["role"] == "tool":
            message |= {"role": "function", "name": name}
            del message["tool_call_id"]
    return {"messages": messages}


def anthropic(turns: list[Said]) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    for number, said in enumerate(turns):
        messages.append({"role": "user", "content": said.user})
        if said.tool:
            call = {"type": "tool_use", "id": f"c{number}", "name": said.tool, "input": said.arguments}
            result = {"type": "tool_result", "tool_use_id": f"c{number}", "content": json.dumps(said.result)}
            messages += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
        messages.append(counted({"role": "assistant", "content": [{"type": "text", "text": said.answer}]}, said))
    return {"messages": messages}


def bedrock(turns: list[Said]) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    for number, said in enumerate(turns):
        messages.append({"role": "user", "content": [{"text": said.user}]})
        if said.tool:
            call = {"toolUse": {"toolUseId": f"c{number}", "name": said.tool, "input": said.arguments}}
            result = {"toolResult": {"toolUseId": f"c{number}", "content": [{"json": said.result}]}}
            messages += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
        messages.append(counted({"role": "assistant", "content": [{"text": said.answer}]}, said))
    return {"messages": messages}


def gemini(turns: list[Said]) -> dict[str, Any]:
    contents: list[dict[str, Any]] = []
    for said in turns:
        contents.append({"role": "user", "parts": [{"text": said.user}]})
        if said.tool:
            call = {"functionCall": {"name": said.tool, "args": said.arguments}}
            result = {"functionResponse": {"name": said.tool, "response": said.result}}
            contents += [{"role": "model", "parts": [call]}, {"role": "user", "parts": [result]}]
        contents.append(counted({"role": "model", "parts": [{"text": said.answer}]}, said))
    return {"contents": contents}


def shared(turns: list[Said]) -> dict[str, Any]:
    conversations: list[dict[str, Any]] = []
    for said in turns:
        conversations.append({"from": "human", "value": said.user})
        if said.tool:
            call = json.dumps({"name": said.tool, "arguments": said.arguments})
            conversations += [
                {"from": "function_call", "value": call},
                {"from": "observation", "value": json.dumps(said.result)},
            ]
        conversations.append(counted({"from": "gpt", "value": said.answer}, said))
    return {"conversations": conversations}


def history(turns: list[Said]) -> dict[str, Any]:
    *before, last = openai(turns, decoded=True)["messages"]
    return {"history": before[:-1], "prompt": [before[-1]], "completion": [last]}


DIALECTS: list[Callable[[list[Said]], dict[str, Any]]] = [
    lambda turns: openai(turns, decoded=True),
    functions,
    anthropic,
    bedrock,
    gemini,
    shared,
    history,
]


@pytest.mark.parametrize("dialect", DIALECTS)
@given(turns=conversations)
@settings(deadline=None, max_examples=15)
def test_a_conversation_is_the_same_dialog_in_every_dialect(
    tmp_path_factory: pytest.TempPathFactory, dialect: Callable[[list[Said]], dict[str, Any]], turns: list[Said]
) -> None:
    path = tmp_path_factory.mktemp("dialect") / "dialogs.jsonl"
    path.write_text(json.dumps(openai(turns)) + "\n" + json.dumps(dialect(turns)) + "\n")
    wanted, found = read_dialogs(path)
    assert found.events == wanted.events
    assert [turn.learned for turn in found.turns] == [turn.learned for turn in wanted.turns]
    assert sum(bool(turn.acts) for turn in found.turns) == sum(bool(said.tool) for said in turns)


extras = st.dictionaries(st.sampled_from(["id", "tools", "name", "n"]), values, max_size=2)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(conversations=st.lists(st.tuples(conversations, extras), min_size=1, max_size=3), array=st.booleans())
@settings(deadline=None, max_examples=8)
def test_chat_goes_to_chat_as_it_is(
    tmp_path_factory: pytest.TempPathFactory,
    dialect: Callable[[list[Said]], dict[str, Any]],
    conversations: list[tuple[list[Said], dict[str, Any]]],
    array: bool,
) -> None:
    rows = [{**dialect(turns), **more} for turns, more in conversations]
    source, target = (tmp_path_factory.mktemp("chat") / name for name in ("in.json", "out.jsonl"))
    source.write_text(json.dumps(rows, indent=1) if array else "".join(json.dumps(row) + "\n" for row in rows))
    assert convert(source, target).lost == {}
    assert [json.loads(line) for line in target.read_text().splitlines()] == rows
    learned = [
        (number, place)
        for number, dialog in enumerate(read_dialogs(source))
        for place, turn in enumerate(dialog.turns)
        if turn.learned
    ]
    weights = {place: 0.125 * (1 + n) for n, place in enumerate(learned)}
    assert convert(source, target, weights=weights).lost == {}
    after = read_dialogs(target)
    assert [dialog.events for dialog in after] == [dialog.events for dialog in read_dialogs(source)]
    assert {place: after[place[0]].turns[place[1]].learned for place in learned} == weights
