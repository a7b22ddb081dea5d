"""The parts of a message's content, in the shapes that services have for them."""

from __future__ import annotations

from typing import Any

_OTHERS = {"image", "document", "audio", "video"}


def are_parts(content: Any) -> bool:
    """Whether it is a list of parts, and no list of results: texts, or objects that say what type they are of."""
    return isinstance(content, list) and all(map(_is_part, content))


def text_of(parts: list[Any]) -> tuple[str, int]:
    """The texts of parts, a line or more each, and how many parts are no text.

    A text is plain, ``{"type": "text", "text": …}`` (also ``input_text`` and ``output_text``, and with the text as
    ``{"value": …}``), ``{"text": …}`` or ``{"type": "refusal", "refusal": …}``.
    """
    texts = [_text(part) for part in parts]
    found = [text for text in texts if text is not None]
    return "\n".join(found), len(texts) - len(found)


def _text(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return None
    kind = part.get("type", "text")
    text = part.get("refusal") if kind == "refusal" else part.get("text")
    if isinstance(text, dict):
        text = text.get("value")
    known = isinstance(kind, str) and (kind == "refusal" or kind.endswith("text"))
    return text if known and isinstance(text, str) else None


def _is_part(part: Any) -> bool:
    if isinstance(part, dict) and isinstance(kind := part.get("type"), str):
        return kind.endswith("text") or kind in part or kind in _OTHERS
    return isinstance(part, str) or (isinstance(part, dict) and part.keys() == {"text"})
