"""The conditions of Table 1 beyond the paper, from the record ``table1.json``."""

from __future__ import annotations

from typing import Any

METHODS = ("ones", "learned", "oracle")
_SHARE, _CORRUPTION = "share-", "corruption-"


def shares_of(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The conditions that differ in nothing but the share of wrong labels, by share.

    Args:
        table: the record ``table1.json``.
    """
    found = [condition for condition in table.get("conditions", []) if condition["name"].startswith(_SHARE)]
    return sorted(found, key=lambda condition: float(condition["share"]))


def describe(condition: dict[str, Any]) -> str:
    """A condition in a few words: ``75 % next, no indicator``."""
    text = f"{100 * condition['share']:g} % {condition['corruption']}"
    if condition["name"].startswith((_SHARE, _CORRUPTION)):
        return text
    return f"{text}, {condition['name'].replace('-', ' ')}"
