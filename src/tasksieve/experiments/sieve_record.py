"""The record ``sieve.json``: what was written for which tool, by which selection, and what is a sieve's own."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasksieve.errors import UserError
from tasksieve.records.files import read_json, write_json

RECORD = "sieve.json"
SELECTION = ("runs", "keep", "threshold", "without")
"""What the responses in a tool's files follow from: the runs whose weights they have, and what is left out."""
DIALOGS = "dialogs"
"""The folder of dialogs that were drawn."""
_TOOLS, _BEGUN, _DRAWN = "tools", "begun", "drawn"
_log = logging.getLogger("tasksieve")


class SieveRecord:
    """The record in a folder, as it was when this was made; empty if there is none.

    Args:
        out: the folder.
    Raises: UserError: if it cannot be read.

    Attributes:
        dialogs: where drawn dialogs are.
    """

    def __init__(self, out: Path) -> None:
        found = read_json(out / RECORD) if (out / RECORD).exists() else {}
        if not isinstance(found, dict) or not isinstance(found.get(_TOOLS, {}), dict):
            raise UserError("is no record of a sieve; choose another --out", out / RECORD)
        self._out, self._found, self.dialogs = out, found, out / DIALOGS
        self._tools: dict[str, Any] = found.get(_TOOLS, {})

    def check(self, tools: Iterable[str]) -> None:
        """Raise UserError if the folder of one of the tools holds files that no sieve wrote.

        Args:
            tools: their names.
        """
        for name in tools:
            if name not in self._tools and name not in self._found.get(_BEGUN, ()):
                _refuse_what_is_in(self._out / name)

    def claim(self, tools: Iterable[str]) -> None:
        """Write down that the folders of these tools are a sieve's own from now on."""
        begun = sorted({*tools, *self._found.get(_BEGUN, ())})
        write_json(self._out / RECORD, {**self._found, _BEGUN: begun, _TOOLS: self._tools})

    def claim_dialogs(self, *, begun: bool) -> None:
        """Write down that the folder of drawn dialogs is a sieve's own from now on.

        Args:
            begun: whether there are runs that learned from what it holds, so that it is.
        Raises: UserError: if it holds files that no sieve wrote.
        """
        if self._found.get(_DRAWN):
            return
        if not begun:
            _refuse_what_is_in(self.dialogs)
        self._found = {**self._found, _DRAWN: True}
        write_json(self._out / RECORD, {**self._found, _TOOLS: self._tools})

    def finish(self, record: Mapping[str, Any], written: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the record, with what was written for other tools before and is still there.

        Files that a tool has no more are removed, if a sieve wrote them.

        Args:
            record: without the tools; it has the :data:`SELECTION`.
            written: for each tool, its facts.
        """
        selection = {name: record[name] for name in SELECTION}
        accounts = {name: {**selection, **facts} for name, facts in written.items()}
        for name, facts in written.items():
            for file in {*self._tools.get(name, {}).get("files", ())} - {*facts["files"]}:
                (self._out / file).unlink(missing_ok=True)
        before = {name: self._account(name) for name in self._tools if name not in written and self._there(name)}
        for name, account in before.items():
            if {part: account[part] for part in SELECTION} != selection:
                _log.warning("%s", _older(self._out / name, account, record["runs"]))
        drawn = {_DRAWN: True} if self._found.get(_DRAWN) else {}
        write_json(self._out / RECORD, {**record, **drawn, _TOOLS: {**before, **accounts}})

    def _account(self, name: str) -> dict[str, Any]:
        """What was written for a tool, with its selection, which was said once for all of them before."""
        return {**{part: self._found.get(part) for part in SELECTION}, **self._tools[name]}

    def _there(self, name: str) -> bool:
        return all((self._out / file).exists() for file in self._tools[name]["files"])


def _refuse_what_is_in(folder: Path) -> None:
    held = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else [folder.name] * folder.exists()
    if held:
        what = f"is there and was not written by sieve ({held[0]}{' and more' if held[1:] else ''})"
        raise UserError(f"{what}; move it away, or choose another --out", folder)


def _older(folder: Path, account: Mapping[str, Any], runs: Sequence[str]) -> str:
    given = [f"--{part} {account[part]}" for part in ("keep", "threshold") if account[part] is not None]
    given += [f"--without '{text}'" for text in account["without"] or ()]
    said = [*(given or ["without --keep and --threshold"]), *(["with other runs"] if account["runs"] != runs else [])]
    return f"{folder} stays as it was written before, {' and '.join(said)}; add --for {folder.name} to write it anew"
