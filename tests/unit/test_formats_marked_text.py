"""Dialogs that stand in one text, with marks of who speaks, as data sets for training language models have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Note, Record, Turn
from tasksieve.dialogs.formats import format_of, read_dialogs
from tasksieve.dialogs.formats.convert import convert
from tasksieve.dialogs.formats.marked_text import dialog_going_on, dialog_in
from tasksieve.dialogs.formats.validate import validate

KIND = (Note("Be kind."), Turn("hi", "hello"), Turn("bye", "bye bye"))
MARKED = {
    "ChatML": "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nhello"
    "<|im_end|>\n<|im_start|>user\nbye<|im_end|>\n<|im_start|>assistant\nbye bye<|im_end|>\n<|endoftext|>",
    "Llama 3": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nhello"
    "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nbye<|eot_id|><|start_header_id|>assistant"
    "<|end_header_id|>\n\nbye bye<|eot_id|>",
    "Llama 2": "<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nhi [/INST] hello </s><s>[INST] bye [/INST] bye bye </s>",
    "Zephyr": "<|system|>\nBe kind.</s>\n<|user|>\nhi</s>\n<|assistant|>\nhello</s>\n<|user|>\nbye</s>\n<|assistant|>"
    "\nbye bye</s>\n",
    "Phi": "<|system|>\nBe kind.<|end|>\n<|user|>\nhi<|end|>\n<|assistant|>\nhello<|end|>\n<|user|>\nbye<|end|>\n"
    "<|assistant|>\nbye bye<|end|>\n<|endoftext|>",
    "Gemma": "<bos><start_of_turn>system\nBe kind.<end_of_turn>\n<start_of_turn>user\nhi<end_of_turn>\n"
    "<start_of_turn>model\nhello<end_of_turn>\n<start_of_turn>user\nbye<end_of_turn>\n<start_of_turn>model\nbye bye"
    "<end_of_turn>\n",
    "hashes": "Be kind.\n### Human: hi### Assistant: hello### Human: bye### Assistant: bye bye",
    "instructions": "Be kind.\n\n### Instruction:\nhi\n\n### Response:\nhello\n\n### Instruction:\nbye\n\n"
    "### Response:\nbye bye</s>",
    "Vicuna": "Be kind. USER: hi ASSISTANT: hello</s>USER: bye ASSISTANT: bye bye</s>",
    "words": "Be kind.\n\nHuman: hi\n\nAssistant: hello\n\nHuman: bye\n\nAssistant: bye bye",
    "other words": "Be kind.\nCustomer: hi\nAgent: hello\nCustomer: bye\nAgent: bye bye",
}


def written(folder: Path, *values: Any) -> Path:
    """A file with an object a line."""
    path = folder / "dialogs.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path


@pytest.mark.parametrize("marks", MARKED)
def test_a_text_with_marks_is_a_dialog(tmp_path: Path, marks: str) -> None:
    path = written(tmp_path, {"text": MARKED[marks]})
    (dialog,) = read_dialogs(path)
    assert dialog.events == KIND
    checked = validate(path)
    assert (checked.problems, checked.lost) == ((), {})


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv"])
def test_so_is_a_column_of_a_table(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"dialogs.{ending}"
    table = pl.DataFrame({"text": list(MARKED.values())})
    getattr(table, {"parquet": "write_parquet", "arrow": "write_ipc", "csv": "write_csv"}[ending])(path)
    assert {dialog.events for dialog in read_dialogs(path)} == {KIND}
    assert validate(path).lost == {}


def test_a_column_of_text_without_marks_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("text,label\ngreat,1\nbad,0\n")
    (problem,) = validate(path).problems
    assert str(problem).endswith(
        ":1: found columns 'text,label'; expected dialog, speaker, text or context, response"
    )


def test_a_line_without_marks_is_refused_by_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, {"text": MARKED["words"]}, {"text": "only prose"})
    (problem,) = validate(path).problems
    assert f"{path}:2: found 'text' in which no marks say who speaks; expected 'messages'" in str(problem)


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [
        ("\n\nHuman: hi\n\nAssistant: hello\n\nHuman: bye\n\nAssistant:", " bye bye"),
        ("User: hi\nAssistant: hello\nUser: bye\nAssistant:", " bye bye\n"),
        (
            "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nhello<|im_end|>\n<|im_start|>user\nbye<|im_end|>\n",
            "<|im_start|>assistant\nbye bye<|im_end|>\n",
        ),
        ("<s>[INST] hi [/INST] hello </s><s>[INST] bye [/INST]", "bye bye</s>"),
    ],
)
def test_a_prompt_with_marks_goes_on_with_the_response(tmp_path: Path, prompt: str, completion: str) -> None:
    path = written(tmp_path, {"prompt": prompt, "completion": completion, "weight": 0})
    (dialog,) = read_dialogs(path)
    assert dialog.events == (Turn("hi", "hello"), Turn("bye", "bye bye"))
    assert [turn.learned for turn in dialog.turns] == [1, 0]
    table = tmp_path / "dialogs.csv"
    pl.DataFrame({"prompt": [prompt], "completion": [completion]}).write_csv(table)
    assert read_dialogs(table)[0].events == (Turn("hi", "hello"), Turn("bye", "bye bye"))


def test_a_prompt_that_only_speaks_of_someone_stays_as_it_is(tmp_path: Path) -> None:
    prompt = "Write what comes next.\nHuman: hi"
    path = written(tmp_path, {"prompt": prompt, "completion": "AI says hello"})
    assert read_dialogs(path)[0].events == (Turn(prompt, "AI says hello"),)


def test_preferences_may_be_texts_with_marks(tmp_path: Path) -> None:
    chosen = "\n\nHuman: hi\n\nAssistant: hello"
    rejected = "\n\nHuman: hi\n\nAssistant: what"
    prompt = "\n\nHuman: hi\n\nAssistant:"
    path = written(
        tmp_path,
        {"chosen": chosen, "rejected": rejected},
        {"prompt": prompt, "chosen": " hello", "rejected": " what"},
        {"prompt": prompt, "chosen": chosen, "rejected": rejected},
    )
    assert [dialog.events for dialog in read_dialogs(path)] == [(Turn("hi", "hello"),)] * 3
    assert validate(path).lost == {"'rejected' of a dialog": 3}


def test_calls_of_tools_in_such_a_text_are_read(tmp_path: Path) -> None:
    call = '<tool_call>\n{"name": "book", "arguments": {"people": 2}}\n</tool_call>'
    text = (
        f"<|im_start|>user\na table<|im_end|>\n<|im_start|>assistant\n{call}<|im_end|>\n<|im_start|>user\n"
        '<tool_response>\n{"table": 7}\n</tool_response><|im_end|>\n<|im_start|>assistant\ntable 7<|im_end|>\n'
    )
    (dialog,) = read_dialogs(written(tmp_path, {"text": text}))
    assert [turn.system for turn in dialog.turns] == ['api_call book {"people":2}', "table 7"]
    assert [(event.kind, event.plain()) for event in dialog.events if isinstance(event, Record)] == [
        ("book", {"table": "7"})
    ]


def test_from_chat_to_chat_such_a_text_stays_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, {"text": MARKED["words"], "id": 7})
    assert format_of(path).name == "chat"
    done = convert(path, tmp_path / "same.jsonl")
    assert (tmp_path / "same.jsonl").read_text() == path.read_text()
    assert done.lost == {}


@given(st.text(alphabet="<|>im_startuser/[INST] ### Human:Assistant\n", max_size=200))
def test_any_text_is_read_or_not(text: str) -> None:
    for messages in (dialog_in(text), dialog_going_on(text, text)):
        for message in messages or ():
            assert message["role"] in ("user", "assistant", "system", "tool")
