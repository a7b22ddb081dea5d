"""What is not the same in two configurations, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasksieve.records.config import shown

Settings = Mapping[str, Mapping[str, Any]]
"""A configuration as it is dumped: values by section and name."""


def differences(before: Settings, now: Settings) -> list[str]:
    """What is not the same in two configurations: ``training.seed is 0 there and 1 here`` for each such setting."""
    was, is_now = _settings(before), _settings(now)
    names = [name for name in {**was, **is_now} if was.get(name) != is_now.get(name)]
    return [f"{name} is {_told(was.get(name))} there and {_told(is_now.get(name))} here" for name in names]


def _settings(config: Settings) -> dict[str, Any]:
    return {f"{section}.{key}": value for section, keys in config.items() for key, value in keys.items()}


def _told(value: Any) -> str:
    """A value as it stands in TOML, or nearly."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(list(value))[:200] if isinstance(value, tuple) else shown(value)
