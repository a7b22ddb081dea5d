"""Conversations that branch, as the data that ChatGPT exports (``conversations.json``) hold them.

``{"title": "…", "mapping": {ID: {"message": {"author": {"role": "user"}, "content": {"parts": ["…"]}}, "parent": ID,
"children": […]}}, "current_node": ID}``. Read is the way from the root to the current node, or, without one, to the
last that nothing follows; messages beside it are other answers to the same, or were edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TREE, CURRENT = "mapping", "current_node"
READ = (TREE, CURRENT)
ELSEWHERE = "message of another branch of a conversation"
"""A loss."""
_TO_ALL = "all"


def is_tree(value: Mapping[str, Any]) -> bool:
    """Whether an object is a conversation that branches."""
    nodes = value.get(TREE)
    return isinstance(nodes, Mapping) and bool(nodes) and all(isinstance(node, Mapping) for node in nodes.values())


def messages_of_tree(value: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """The messages of such a conversation on its current way, as chat messages; and how many there are beside it."""
    nodes = value[TREE]
    ends = [name for name, node in nodes.items() if not node.get("children")]
    current = value.get(CURRENT)
    at = current if isinstance(current, str) and current in nodes else next(reversed(ends), None)
    way: dict[str, None] = {}
    while isinstance(at, str) and at in nodes and at not in way:
        way[at] = None
        at = nodes[at].get("parent")
    said = [message for name in reversed(way) if (message := _message(nodes[name])) is not None]
    return said, sum(_message(node) is not None for name, node in nodes.items() if name not in way)


def _message(node: Mapping[str, Any]) -> dict[str, Any] | None:
    """The message of a node; None if there is none, or nothing in it."""
    held = node.get("message")
    content = held.get("content") if isinstance(held, Mapping) else None
    if not isinstance(held, Mapping) or not isinstance(content, Mapping):
        return None
    text = content.get("text", content.get("result"))
    parts = content.get("parts", [] if text is None else [text])
    if not isinstance(parts, list) or not any(parts):
        return None
    author = held.get("author")
    who = author if isinstance(author, Mapping) else {}
    message = {"role": who.get("role"), "content": [part for part in parts if part]}
    if who.get("name"):
        message["name"] = who["name"]
    if held.get("recipient", _TO_ALL) != _TO_ALL:
        message["recipient"] = held["recipient"]
    return message
