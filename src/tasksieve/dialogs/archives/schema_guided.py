"""The Schema-Guided dialogs as they are published, made into an archive: a file a service."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksieve.dialogs.formats.journal import Journal
from tasksieve.dialogs.formats.json_text import json_items
from tasksieve.errors import UserError
from tasksieve.records.files import write_text

_PUBLISHED = "dialogues_*.json"
_NAME = re.compile(r"\w{1,80}")
"""Of a service; also the name of its file."""


@dataclass(frozen=True, slots=True)
class Split:
    """What was written.

    Attributes:
        dialogs: how many, by service.
        left_out: how many dialogs are of several services.
    """

    dialogs: dict[str, int]
    left_out: int


def split_services(source: Path, out: Path) -> Split:
    """Write the dialogs of one service each, as published, to a file a service.

    Args:
        source: one split of the published data, such as its folder ``train``: files ``dialogues_001.json`` and on.
        out: the folder to write ``SERVICE.json`` to; files of that name are replaced.
    Raises: UserError: if the folder has no such file, or one is not of the published form.
    """
    files = sorted(source.glob(_PUBLISHED))
    if not files:
        raise UserError(
            f"has no {_PUBLISHED}; give the folder 'train' of a checkout of dstc8-schema-guided-dialogue", source
        )
    found: dict[str, list[str]] = {}
    left_out = 0
    for file in files:
        for _, value in json_items(file, Journal(file, strict=True)):
            services = _services(value, file)
            if len(services) == 1:
                found.setdefault(services[0], []).append(json.dumps(value, ensure_ascii=False))
            else:
                left_out += 1
    for service, values in sorted(found.items()):
        write_text(out / f"{service}.json", "[\n" + ",\n".join(values) + "\n]\n")
    return Split({service: len(values) for service, values in sorted(found.items())}, left_out)


def _services(value: Any, file: Path) -> tuple[str, ...]:
    services = value.get("services") if isinstance(value, dict) else None
    if not isinstance(services, list) or not all(
        isinstance(name, str) and _NAME.fullmatch(name) for name in services
    ):
        raise UserError(
            f"found {json.dumps(value)[:80]}; expected a dialog with 'services', names of letters and digits",
            file,
        )
    return tuple(sorted(set(services)))
