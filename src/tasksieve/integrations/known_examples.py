"""What can be told of examples before any of them is made a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasksieve.errors import UserError
from tasksieve.integrations.chat_text import ASSISTANT


def assert_count(value: Any, name: str) -> None:
    """Raises: UserError: if a setting is no whole number of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UserError(f"{name} is {value!r}; give a whole number of 1 or more")


def assert_groups(examples: Any, groups: int) -> None:
    """Be sure that a table has a weight for each group, as far as groups are seen without making batches.

    Args:
        examples: a list of mappings, or a data set of Hugging Face's with a column ``group``.
        groups: how many the table has.
    Raises: UserError: if there is a group that it lacks.
    """
    for place, group in enumerate(_groups(examples)):
        if isinstance(group, int | float) and group >= groups:
            raise UserError(
                f"training example {place + 1} has the group {group!r} and groups is {groups}, so that the last one "
                f"is {groups - 1}; give more groups, or another group"
            )


def assert_weighed(primary: Sequence[Any]) -> None:
    """Raises: UserError: if all primary examples have weight 0."""
    if all(_weighs_nothing(one) for one in primary):
        raise UserError("all primary examples have weight 0, so that nothing can be judged by them; give some weight")


def _groups(examples: Any) -> Iterable[Any]:
    if isinstance(examples, list | tuple):
        return (one.get("group") if isinstance(one, Mapping) else None for one in examples)
    return examples["group"] if "group" in (getattr(examples, "column_names", None) or ()) else ()


def _weighs_nothing(example: Any) -> bool:
    if not isinstance(example, Mapping):
        return False
    messages = example.get("messages")
    turns = messages if isinstance(messages, list | tuple) else ()
    said = [one.get("weight") for one in turns if isinstance(one, Mapping) and one.get("role") == ASSISTANT]
    listed = example.get("weights")
    of_turns = [list(listed)] if isinstance(listed, list | tuple) else []
    return example.get("weight") == 0 or any(
        bool(some) and all(one == 0 for one in some) for some in (said, *of_turns)
    )
