"""What tools are called with, as objects: dialogs have it as a string of JSON, and chat templates print objects."""

from __future__ import annotations

import json
from typing import Any


def decoded(arguments: str) -> Any:
    """The object that the string says; the string itself if it is no JSON."""
    try:
        return json.loads(arguments, parse_constant=_refused)
    except (ValueError, RecursionError):
        return arguments


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
