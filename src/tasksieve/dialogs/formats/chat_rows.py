"""What an object of a chat file holds: a list of messages, or questions and answers under names of their own.

The shapes, each known by its keys; a key that is null is not there:

* ``messages``, ``conversations``, ``conversation`` or Gemini's ``contents``: a list of messages, of texts that
  alternate between user and assistant, or of pairs; ``turns``, ``dialogue`` and the like, where each says who speaks;
* ``prompt`` and ``completion``, ``instruction`` (and ``input``) and ``output``, ``question`` and ``answer``,
  ``query`` and ``response`` and the like: texts, or lists of messages; before them maybe a ``history`` of pairs;
* ``prompt`` and ``chosen`` of preference data, or ``chosen`` as a whole list of messages;
* ``text``, or a prompt, or ``chosen``, in which marks say who speaks (:mod:`tasksieve.dialogs.formats.marked_text`);
* ``mapping``, a tree of messages (:mod:`tasksieve.dialogs.formats.chat_trees`).

A system prompt may stand beside any of them, and beside a pair a ``context``, ``facts`` or ``knowledge``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasksieve.dialogs.formats.annotations import ACTION, SLOTS, WEIGHT
from tasksieve.dialogs.formats.chat_trees import ELSEWHERE, READ, is_tree, messages_of_tree
from tasksieve.dialogs.formats.journal import shown
from tasksieve.dialogs.formats.marked_text import dialog_going_on, dialog_in
from tasksieve.dialogs.formats.message_shapes import has_words, speakers_in, stands_alone
from tasksieve.dialogs.formats.speakers import has_prompts
from tasksieve.dialogs.formats.tags import decoded

LISTS = ("messages", "conversations", "conversation", "contents")
_TEXTS = ("data", "dialog", "dialogue")
"""As a list of texts alone, or of :data:`TURNS`; else they are not known."""
TURNS = ("turns", "dialog", "dialogue", "chat", "utterances", "transcript", "items")
"""As a list of objects that say who speaks; else they are not known."""
_TEXT = "text"
"""As a whole dialog with marks of who speaks."""
_USERS = ("instruction", "prompt", "question", "query", "user", "human", "input", "context")
_RESPONSES = ("response", "completion", "output", "answer", "assistant", "chosen", "preferred_output")
_SYSTEMS = ("system", "system_prompt", "systemInstruction", "system_instruction", "instructions")
_TOLD = ("context", "facts", "knowledge")
_BESIDE = ("input", "query")
"""What goes on with what the user says in ``instruction`` or ``prompt``."""
_HISTORY, _LABEL, _CHOSEN = "history", "label", "chosen"
_SAID = (ACTION, SLOTS, WEIGHT)
KNOWN = (
    "'messages', 'conversations' or 'contents', or two keys such as 'prompt' and 'completion', 'instruction' and "
    "'output', 'question' and 'answer', or 'text' with marks of who speaks"
)


Placed = tuple[tuple[str, Any], ...]
"""Messages, each with its place in the file, e.g. ``message 3`` or ``'system'``."""


@dataclass(frozen=True, slots=True)
class Row:
    """What an object of a file holds.

    Attributes:
        told: what comes before the messages.
        messages: in their order.
        read: the keys of the object that are read.
        key: of the list in which the messages stand as they are; empty if they stand elsewhere.
        alone: whether the last message is the answer of a pair, of which keys of the object say what is beside it.
        lost: names of what is lost besides keys of the object.
        moved: the keys of the object whose weights the messages have now.
        system_responds: whether a speaker ``system`` responds, as nobody else does, and gives no prompts.
    """

    told: Placed
    messages: Placed
    read: frozenset[str]
    key: str = ""
    alone: bool = False
    lost: tuple[str, ...] = ()
    moved: frozenset[str] = frozenset()
    system_responds: bool = False


def is_message(value: object) -> bool:
    """Whether an object is a message by itself, and no row of messages."""
    return isinstance(value, Mapping) and stands_alone(value) and shape_of(value) is None


def is_row(value: object) -> bool:
    """Whether it is an object of a known shape, or a list of messages."""
    if isinstance(value, list):
        return bool(value) and is_message(value[0])
    if not isinstance(value, Mapping):
        return False
    known = shape_of(value) is not None or _pair(value) is not None or is_tree(value)
    return known or _marked(value.get(_TEXT)) is not None


def row_of(value: object) -> Row:
    """The messages that an object holds; a list is one of messages, and where null stands for it there is none.

    Raises: ValueError: if its shape is not known; the message says which keys were found, and which are known.
    """
    if isinstance(value, list):
        return Row((), _numbered(value), frozenset())
    if not isinstance(value, Mapping):
        raise ValueError(f"found {shown(value)}; expected an object with {KNOWN}")
    held = {key: inner for key, inner in value.items() if inner is not None}
    key = shape_of(held)
    if key is not None:
        return _of_list(held, key)
    if is_tree(held):
        messages, elsewhere = messages_of_tree(held)
        return Row((), _numbered(messages), frozenset(READ), lost=(ELSEWHERE,) * elsewhere)
    pair = _pair(value)
    if pair is not None:
        return _of_pair(held, *pair)
    if (whole := _marked(held.get(_TEXT))) is not None:
        read = {_TEXT}
        return Row(_told(held, read), _numbered(whole), frozenset(read))
    if (empty := next((key for key in (*LISTS, _TEXT) if key in value and key not in held), None)) is not None:
        return Row((), (), frozenset((empty,)))
    if isinstance(held.get(_TEXT), str):
        raise ValueError(f"found '{_TEXT}' in which no marks say who speaks; expected {KNOWN}")
    raise ValueError(f"found keys {shown(sorted(value))}; expected {KNOWN}")


def are_texts(value: object) -> bool:
    """Whether it is a list of texts, at least one."""
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def _are_messages(value: object, key: str) -> bool:
    """Whether it is a list of messages by its first; turns with an ``utterance`` are those of Schema-Guided."""
    first = value[0] if isinstance(value, list) and value else None
    return has_words(first) and not (key == "turns" and "utterance" in first)


def _marked(value: object) -> list[Any] | None:
    return dialog_in(value) if isinstance(value, str) else None


def shape_of(value: Mapping[str, Any]) -> str | None:
    """The key of a list of messages, one that is not empty if there is one; None if there is none."""
    found = [key for key in LISTS if value.get(key) is not None]
    found += [key for key in _TEXTS if are_texts(value.get(key))]
    found += [key for key in TURNS if _are_messages(value.get(key), key)]
    return next((key for key in found if value[key]), found[0] if found else None)


def _pair(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """The keys of what the user says, empty if a whole list is chosen, and of the response."""
    response = _first(value, _RESPONSES)
    user = _first({key: inner for key, inner in value.items() if key != response}, _USERS)
    if response is None:
        return None
    if user is None:
        return ("", response) if response == _CHOSEN else None
    return user, response


def _first(value: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """The first of these keys that is there, and not null if one is not."""
    found = [name for name in names if name in value]
    return next((name for name in found if value[name] is not None), found[0] if found else None)


def _of_list(held: dict[str, Any], key: str) -> Row:
    messages = _decoded(held[key])
    if not isinstance(messages, list):
        raise ValueError(f"found {shown(messages)} as '{key}'; expected a list of messages")
    read = {key}
    told = _told(held, read)
    if messages and all(isinstance(text, str) for text in messages):
        return Row(told, _numbered(_alternating(messages)), frozenset(read))
    if messages and all(isinstance(item, Mapping) and _is_pair(item) for item in messages):
        return Row(told, _numbered([message for pair in messages for message in _paired(pair)]), frozenset(read))
    responds = key in TURNS and not has_prompts(speakers_in(messages))
    return Row(told, _numbered(messages), frozenset(read), key, system_responds=responds)


def _of_pair(held: dict[str, Any], user: str, response: str) -> Row:
    asked, answered = _decoded(held.get(user, "")), _decoded(held.get(response, ""))
    read, lost = {user, response}, list[str]()
    if isinstance(asked, Mapping) and isinstance(asked.get("messages"), list):
        lost = [f"'{key}' of a dialog" for key in asked if key != "messages"]
        asked = asked["messages"]
    whole = _marked(answered) if response == _CHOSEN else None
    if whole is not None or _is_whole(answered):
        if user and not _holds(answered, asked):
            read.discard(user)
        return Row(_told(held, read), _numbered(whole or answered), frozenset(read), lost=tuple(lost))
    if not user:
        raise ValueError(
            f"found '{response}' without 'prompt'; expected a list of messages that begins with the user's"
        )
    beside = next((name for name in _BESIDE if name != user and isinstance(held.get(name), str)), None)
    if user in ("instruction", "prompt") and beside is not None and isinstance(asked, str):
        read.add(beside)
        asked = f"{asked}\n{held[beside]}".strip()
    told, before = _told(held, read), _before(held, read)
    said = _said(held, read)
    if isinstance(asked, str) and isinstance(answered, str) and (going := dialog_going_on(asked, answered)):
        messages = *before, *_numbered([*going[:-1], _beside(going[-1], said)])
        return Row(told, messages, frozenset(read), lost=tuple(lost))
    questions = ((f"'{user}'", one) for one in _as(asked, "user"))
    answers = [(f"'{response}'", _beside(one, said)) for one in _as(answered, "assistant")]
    messages = *before, *questions, *answers
    return Row(told, messages, frozenset(read), alone=len(answers) == 1, lost=tuple(lost))


def _decoded(value: Any) -> Any:
    """A list of messages that stands there as JSON, or as Python prints it; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    found = decoded(value)
    return found if isinstance(found, list) and found and all(map(stands_alone, found)) else value


def _said(held: dict[str, Any], read: set[str]) -> dict[str, Any]:
    """What is said beside a response, as keys of a message; a ``label`` that is false is a weight of 0."""
    said = {key: held[key] for key in _SAID if key in held}
    label = held.get(_LABEL)
    if isinstance(label, bool):
        read.add(_LABEL)
        said |= {} if label else {WEIGHT: 0}
    read.update(said)
    return said


def _beside(message: Any, said: dict[str, Any]) -> Any:
    """A message with what is said beside it, if it is a response."""
    responds = isinstance(message, Mapping) and message.get("role", "assistant") in ("assistant", "model")
    return {**message, **said} if responds else message


def _told(held: dict[str, Any], read: set[str]) -> Placed:
    """What stands before messages: a system prompt, and contexts in prose; their keys go to ``read``."""
    found = [name for name in _SYSTEMS if name in held]
    found += [name for name in _TOLD if name not in read and isinstance(held.get(name), str)]
    read.update(found)
    return tuple((f"'{name}'", {"role": "system", "content": held[name]}) for name in found)


def _before(held: dict[str, Any], read: set[str]) -> Placed:
    """The messages of a history, whose key goes to ``read``."""
    history = held.get(_HISTORY)
    if not isinstance(history, list):
        return ()
    read.add(_HISTORY)
    messages = [message for item in history for message in (_paired(item) if _is_pair(item) else [item])]
    return tuple((f"'{_HISTORY}', {place}", message) for place, message in _numbered(messages))


def _as(value: Any, role: str) -> list[Any]:
    """Messages from a text, a message or a list of messages."""
    if stands_alone(value):
        return [value]
    if isinstance(value, list) and any(map(stands_alone, value)):
        return value
    if isinstance(value, list) and any(isinstance(text, str) for text in value):
        raise ValueError(f"found {shown(value)}; expected one text, or a list of messages")
    return [{"role": role, "content": value}]


def _is_whole(answered: Any) -> bool:
    """Whether a response is a list of messages that has what the user says too."""
    if not isinstance(answered, list):
        return False
    roles = [one.get("role", one.get("from")) for one in answered if isinstance(one, Mapping)]
    return any(role in ("user", "human") for role in roles)


def _holds(messages: list[Any] | str, asked: Any) -> bool:
    """Whether a prompt stands among messages, or in a text of them, as a text or as messages."""
    if isinstance(messages, str):
        return isinstance(asked, str) and asked in messages
    if isinstance(asked, list):
        return all(message in messages for message in asked)
    return any(isinstance(message, Mapping) and message.get("content") == asked for message in messages)


def _is_pair(item: Any) -> bool:
    if isinstance(item, list):
        return len(item) == 2 and all(text is None or isinstance(text, str) for text in item)
    return isinstance(item, Mapping) and not stands_alone(item) and _pair(item) is not None


def _paired(item: Any) -> Iterator[Any]:
    """The messages of a pair: two texts, or an object with a key for each."""
    if isinstance(item, list):
        yield from ({"role": role, "content": text} for role, text in zip(("user", "assistant"), item, strict=True))
        return
    row = row_of(item)
    yield from (message for _, message in (*row.told, *row.messages))


def _alternating(texts: list[str]) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[number % 2], "content": text} for number, text in enumerate(texts)]


def _numbered(messages: list[Any]) -> Placed:
    return tuple((f"message {number}", message) for number, message in enumerate(messages, start=1))
