r"""Whole dialogs in one text, with marks of who speaks, as data sets for training language models hold them.

The marks are those of chat templates, ``<|im_start|>user`` (ChatML), ``<|start_header_id|>user<|end_header_id|>``
(Llama 3), ``<|user|>`` (Zephyr, Phi), ``<start_of_turn>user`` (Gemma), ``[INST] … [/INST]`` (Llama 2, Mistral), and
words: ``### Human:``, ``### Instruction:`` with ``### Input:`` and ``### Response:``, ``USER: … ASSISTANT: …``, and
``Human:``, ``User:`` or ``Customer:`` with ``Assistant:``, ``AI:`` or ``Agent:``, each at the start of a line. What
stands before the first mark is a system prompt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

Message = dict[str, str]

_USER, _ASSISTANT, _SYSTEM, _TOOL = "user", "assistant", "system", "tool"
_ROLES = {
    _USER: ("user", "human", "customer", "client", "prompter", "instruction", "input", "[inst]"),
    _ASSISTANT: ("assistant", "model", "ai", "bot", "agent", "gpt", "response", "output", "[/inst]"),
    _SYSTEM: ("system", "developer"),
    _TOOL: ("tool", "observation", "ipython", "function", "tool_response"),
}
_ROLE_OF = {name: role for role, names in _ROLES.items() for name in names}
_GOES_ON = "input"
"""What is so marked goes on with the instruction before it."""
_SYSTEM_INSIDE = re.compile(r"\s*<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_WORDS = "user|human|customer|client|assistant|ai|bot|agent|gpt"


@dataclass(frozen=True, slots=True)
class Marks:
    """A way to mark who speaks.

    Attributes:
        opens: what begins a message, with its speaker as the group.
        closes: what ends one, or the whole; it is no part of what is said.
    """

    opens: re.Pattern[str]
    closes: re.Pattern[str]


_ENDS = r"<s>|</s>|<\|endoftext\|>|<\|end_of_text\|>|<\|begin_of_text\|>|<bos>|<eos>"
_MARKS = (
    Marks(re.compile(r"<\|im_start\|>[ \t]*(\w+)"), re.compile(rf"<\|im_end\|>|{_ENDS}")),
    Marks(
        re.compile(r"<\|start_header_id\|>[ \t]*(\w+)[ \t]*<\|end_header_id\|>"),
        re.compile(rf"<\|eot_id\|>|<\|eom_id\|>|{_ENDS}"),
    ),
    Marks(re.compile(r"<\|(user|assistant|system|tool|observation)\|>"), re.compile(rf"<\|end\|>|{_ENDS}")),
    Marks(re.compile(r"<start_of_turn>[ \t]*(\w+)"), re.compile(rf"<end_of_turn>|{_ENDS}")),
    Marks(re.compile(r"(\[/?INST\])"), re.compile(_ENDS)),
    Marks(
        re.compile(r"###[ \t]*(human|user|assistant|system|instruction|input|response|output)[ \t]*:", re.I),
        re.compile(_ENDS),
    ),
    Marks(re.compile(rf"^[ \t]*({_WORDS})[ \t]*:", re.I | re.M), re.compile(_ENDS)),
    Marks(re.compile(r"(?:(?<=\s)|(?<=</s>)|^)(USER|ASSISTANT):"), re.compile(_ENDS)),
)


@dataclass(frozen=True, slots=True)
class Marked:
    """What a text with marks holds.

    Attributes:
        marks: that are in it.
        messages: as chat messages.
        open: whether the text ends with the mark of an assistant who has said nothing yet.
    """

    marks: Marks
    messages: tuple[Message, ...]
    open: bool

    def has(self, role: str) -> bool:
        """Whether one of this role says something."""
        return any(message["role"] == role for message in self.messages)


def dialog_in(text: str) -> list[Message] | None:
    """The messages of a text in which user and assistant are marked; None if they are not."""
    for marks in _MARKS:
        found = _marked(text, marks)
        if found is not None and found.has(_USER) and found.has(_ASSISTANT):
            return list(found.messages)
    return None


def dialog_going_on(prompt: str, completion: str) -> list[Message] | None:
    """The messages of a prompt with marks and of the response to it; None if the prompt has none.

    The prompt ends with the mark of the assistant, or the response begins with it. The last message is an
    assistant's.
    """
    for marks in _MARKS:
        asked = _marked(prompt, marks)
        if asked is None or not asked.has(_USER):
            continue
        if asked.open:
            return [*asked.messages, {"role": _ASSISTANT, "content": marks.closes.sub("", completion).strip()}]
        answered = _marked(completion, marks)
        said = answered.messages if answered is not None else ()
        if said and said[0]["role"] == said[-1]["role"] == _ASSISTANT:
            return [*asked.messages, *said]
    return None


def _marked(text: str, marks: Marks) -> Marked | None:
    """The text by these marks; None if it has none of them, or one of a speaker who is not known."""
    found = list(marks.opens.finditer(text))
    if not found or any(mark[1].lower() not in _ROLE_OF for mark in found):
        return None
    before = marks.closes.sub("", text[: found[0].start()]).strip()
    messages: list[Message] = [{"role": _SYSTEM, "content": before}] if before else []
    for mark, end in zip(found, [*(mark.start() for mark in found[1:]), len(text)], strict=True):
        said = marks.closes.sub("", text[mark.end() : end]).strip()
        if mark[1].lower() == _GOES_ON and messages and messages[-1]["role"] == _USER:
            messages[-1]["content"] = f"{messages[-1]['content']}\n{said}".strip()
        else:
            messages += _said(_ROLE_OF[mark[1].lower()], said)
    last = messages[-1] if messages else {"role": "", "content": ""}
    is_open = last["role"] == _ASSISTANT and not last["content"]
    return Marked(marks, tuple(messages[:-1] if is_open else messages), is_open)


def _said(role: str, said: str) -> Iterator[Message]:
    inside = _SYSTEM_INSIDE.match(said) if role == _USER else None
    if inside is not None:
        yield {"role": _SYSTEM, "content": inside[1].strip()}
        said = said[inside.end() :].strip()
    yield {"role": role, "content": said}
