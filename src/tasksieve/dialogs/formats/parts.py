"""The parts of a message's content, in the shapes that services have for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXTS = ("text", "input_text", "output_text")
_OTHERS = {"image", "document", "audio", "video", "file", "input_image", "input_file", "input_audio", "thinking"}
_NO_TEXT = "part of a message that is not text"


def parts_of(content: Any) -> list[Any] | None:
    """The parts of a content; None if it is no list of parts, nor an object that is a part or has ``parts``."""
    if isinstance(content, list):
        return content
    if not isinstance(content, Mapping):
        return None
    parts = content.get("parts")
    if isinstance(parts, list):
        return parts
    return [content] if "text" in content or isinstance(content.get("type"), str) else None


def are_parts(content: Any) -> bool:
    """Whether it is a list of parts, and no list of results: texts, or objects that say what type they are of."""
    return isinstance(content, list) and all(map(_is_part, content))


def text_of(parts: list[Any]) -> tuple[str, list[str]]:
    """The texts of parts, a line or more each, and the names of what is lost of them.

    A text is plain, ``{"type": "text", "text": …}`` (also ``input_text`` and ``output_text``, and with the text as
    ``{"value": …}``), ``{"type": "text", "value": …}``, ``{"text": …}`` or ``{"type": "refusal", "refusal": …}``.
    """
    texts, lost = [], []
    for part in parts:
        text = _text(part)
        if text is None:
            lost.append(_name(part))
        else:
            texts.append(text)
            lost += [f"'{key}' of a part" for key, inner in _others(part) if says(inner)]
    return "\n".join(texts), lost


def says(value: Any) -> bool:
    """Whether a value beside what is read says anything: it is neither null nor an empty text, list or object."""
    return value is not None and value != "" and value != [] and value != {}


def _text(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or part.get("thought") is True:
        return None
    kind = part.get("type", "text")
    text = part.get("refusal") if kind == "refusal" else part.get(_key(part))
    if isinstance(text, dict):
        text = text.get("value")
    known = isinstance(kind, str) and (kind == "refusal" or kind in _TEXTS)
    return text if known and isinstance(text, str) else None


def _others(part: Any) -> list[tuple[str, Any]]:
    if not isinstance(part, dict):
        return []
    read = ("type", "refusal", _key(part))
    return [(key, part[key]) for key in part if key not in read]


def _key(part: dict[str, Any]) -> str:
    """Where a part has its text: LLaMA-Factory's have it as ``value``."""
    return "value" if "type" in part and "text" not in part else "text"


def _name(part: Any) -> str:
    """What a part that is no text is called, by its type or, without one, by its first key."""
    if not isinstance(part, dict) or not part:
        return _NO_TEXT
    kind = "thought" if part.get("thought") is True else part.get("type", next(iter(part)))
    return f"part '{kind}' of a message" if isinstance(kind, str) and kind not in _TEXTS else _NO_TEXT


def _is_part(part: Any) -> bool:
    if isinstance(part, dict) and isinstance(kind := part.get("type"), str):
        return kind in _TEXTS or kind in part or kind in _OTHERS
    return isinstance(part, str) or (isinstance(part, dict) and part.keys() == {"text"})
