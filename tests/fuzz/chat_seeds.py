"""Chat files in the shapes that services and public data sets have, to be damaged."""

from __future__ import annotations

import json
from typing import Any

_CALL = {"name": "book", "arguments": {"people": 2, "at": {"city": "Rome"}}}
_ROWS: tuple[Any, ...] = (
    {
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "profile: young"}]},
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "hi"}, {"type": "image_url", "image_url": {}}],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": _CALL}],
            },
            {"role": "tool", "tool_call_id": "c", "content": '{"n": 1, "inns": [{"name": "A"}, {"name": "B"}]}'},
            {"role": "assistant", "content": "", "refusal": "no", "weight": 0.5, "action": "deny", "name": "x"},
            {"type": "function_call", "call_id": "d", "name": "go", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "d", "output": {"data": {"rows": [{"a": [1, None]}]}}},
        ],
        "system": "be kind",
        "tools": [],
    },
    {"conversations": [{"from": "human", "value": "hi"}, {"from": "function_call", "value": json.dumps(_CALL)}]},
    {"conversation": [{"system": "a", "input": "hi", "output": "hello"}, {"human": "b", "assistant": "c"}]},
    {"data": ["hi", "hello", "bye", "see you"]},
    {"turns": [{"speaker": "user", "text": "hi"}, {"speaker": "system", "text": "hello", "private": True}]},
    {"dialogue": [{"author": "a", "message": "hi"}], "weight": 0.5},
    {"text": "USER: hi ASSISTANT: hello</s>", "weight": 0.5},
    {"messages": None},
    {"prompt": "hi", "completion": "hello", "weight": 2, "label": False},
    {"instruction": "add", "input": "1", "output": "2", "history": [["a", "b"]], "system": "c"},
    {
        "prompt": [{"role": "user", "content": "hi"}],
        "chosen": [{"role": "assistant", "content": "a"}],
        "rejected": [],
    },
    {"question": "hi", "context": "in Rome", "answer": "hello"},
    {
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "book", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"text": "ok"}]}]},
            {"role": "assistant", "content": [{"type": "text", "text": "done"}]},
        ]
    },
    {
        "system": [{"text": "be kind"}],
        "messages": [
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "book", "input": {}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"json": {"ok": True}}]}}]},
            {"role": "assistant", "content": [{"text": "done"}]},
        ],
    },
    {
        "systemInstruction": {"parts": [{"text": "be kind"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}, {"inlineData": {}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "book", "args": {"a": 1}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "book", "response": {"ok": [1]}}}]},
            {"role": "model", "parts": [{"text": "a", "thought": True}, {"text": "done"}], "weight": 0},
        ],
    },
    {
        "conversations": [
            {"from": "system", "value": "You may call <tools>[{}]</tools>."},
            {"from": "human", "value": "hi"},
            {"from": "gpt", "value": f"<tool_call>{json.dumps(_CALL)}</tool_call><tool_call>{_CALL}</tool_call>"},
            {"from": "tool", "value": '<tool_response>{"name": "book", "content": {"ok": 1}}</tool_response>'},
            {
                "from": "gpt",
                "value": "<function=a><parameter=b>1</parameter></function><function=c>{}</function>",
            },
            {"from": "human", "value": "<tool_response>[{}]</tool_response> bye"},
            {"from": "gpt", "value": '<functioncall> {"name": "a", "arguments": \'{"b": 1}\'} <|endoftext|>'},
        ]
    },
    {"messages": json.dumps([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}])},
    {"text": "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>"},
    {"text": "<s>[INST] <<SYS>>\na\n<</SYS>>\n\nhi [/INST] yes </s><s>[INST] so [/INST] no </s>", "weight": 1},
    {"text": "a\n### Instruction:\nb\n### Input: c\n### Response: d", "split": "test"},
    {"prompt": "User: hi\nAI: yes\nUser: so\nAI:", "completion": " no", "weight": 0},
    {"prompt": "\n\nHuman: hi\n\nAssistant:", "chosen": "\n\nHuman: hi\n\nAssistant: yes", "rejected": "x"},
    {"dialog": ["hi", "yes", "so", "no"]},
    {
        "title": "t",
        "current_node": "c",
        "mapping": {
            "a": {"message": None, "parent": None, "children": ["b"]},
            "b": {
                "message": {
                    "author": {"role": "user"},
                    "content": {"content_type": "text", "parts": ["hi", {"x": 1}]},
                },
                "parent": "a",
                "children": ["c", "d"],
            },
            "c": {
                "message": {
                    "author": {"role": "assistant", "name": "x"},
                    "content": {"text": "yes"},
                    "recipient": "y",
                },
                "parent": "b",
                "children": [],
            },
            "d": {"message": {"author": {"role": "tool"}, "content": {"result": "1"}}, "parent": "b", "children": []},
        },
    },
)
CHAT_SEEDS = (
    "".join(f"{json.dumps(row)}\n" for row in _ROWS).encode(),
    json.dumps(_ROWS, indent=1).encode(),
    json.dumps(_ROWS[0]["messages"]).encode(),
    json.dumps({"version": 1, "train": _ROWS[:3], "dev": _ROWS[4:6]}).encode(),
    json.dumps({"conversations": _ROWS[:2]}, indent=1).encode(),
    *(json.dumps(row).encode() for row in _ROWS),
)
