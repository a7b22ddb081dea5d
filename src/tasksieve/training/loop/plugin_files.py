"""The plug-in files of a run: written into its record, and compared when it is taken up again."""

from __future__ import annotations

import os
from pathlib import Path

from tasksieve.errors import UserError
from tasksieve.plugins import VARIABLE
from tasksieve.records.changed_files import digests_differ
from tasksieve.records.files import sha256
from tasksieve.records.run_folder import RunFolder


def plugin_digests() -> dict[str, str]:
    """The SHA-256 of every plug-in file of this process, by the file's name, without its folder.

    A second file of the same name has a number behind it. What installed packages register is not among them.
    """
    found: dict[str, str] = {}
    for path in map(Path, filter(None, os.environ.get(VARIABLE, "").split(os.pathsep))):
        number = sum(name == path.name or name.startswith(f"{path.name} (") for name in found)
        found[f"{path.name} ({number + 1})" if number else path.name] = sha256(path)
    return found


def refuse_changed_plugins(folder: RunFolder) -> None:
    """Refuse a run that was trained with a plug-in file of this process as it was before.

    A run whose record has no such file is taken as it is: it was done without the plug-in, or by an older version.

    Args:
        folder: of the run.
    Raises: UserError: saying which file has changed, and what to do.
    """
    now = plugin_digests()
    if not now or not folder.has_record("environment"):
        return
    recorded = folder.read_record("environment").get("plugins")
    before = recorded if isinstance(recorded, dict) else {}
    for name in now:
        if name in before and before[name] != now[name]:
            raise UserError(
                f"holds a run with another configuration: plug-in {name} has changed "
                f"({digests_differ(before[name], now[name])}); give it as it was, or choose another --out",
                folder.path,
            )
