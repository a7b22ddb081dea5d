"""Whose a run folder is: refused where it holds something else, held, and marked before the first iteration."""

from __future__ import annotations

import logging
from typing import Any

from tasksieve.errors import UserError
from tasksieve.records.changed_files import changed_files
from tasksieve.records.config import Config, LoopConfig
from tasksieve.records.config_differences import differences
from tasksieve.records.counts import first_few
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.loop.plugin_files import refuse_changed_plugins
from tasksieve.training.loop.ranks import Ranks
from tasksieve.training.loop.setting import Setting

_log = logging.getLogger("tasksieve")


def check_folder(
    folder: RunFolder, config: Config, setting: Setting[Config], facts: dict[str, Any], resume: bool = True
) -> None:
    """Refuse a folder of something else, without touching it.

    Args:
        folder: that a run is to lie in.
        config: of the run.
        setting: what kind of run it is.
        facts: the record ``environment.json`` as it would be now.
        resume: whether a run that was begun there may go on.
    Raises: UserError: saying what lies there.
    """
    if folder.foreign:
        raise UserError("exists and is no run folder; choose another --out", folder.path)
    if not folder.begun:
        return
    if not resume:
        raise UserError("holds a run already; leave --no-resume out to go on, or choose another --out", folder.path)
    refuse_other(folder, config)
    if folder.has_record("environment"):
        before = folder.read_record("environment", "data")["data"]
        known = before if isinstance(before, dict) else {}
        if found := changed_files(known, facts["data"]):
            instead = "give the files as they were, or choose another --out"
            raise UserError(f"was trained on other data: {found}; {instead}", folder.path)


def refuse_other(folder: RunFolder, config: LoopConfig) -> None:
    """Raise UserError, with the names of what differs, if the run in a folder has other settings or plug-ins."""
    found = differences(folder.read_config_of(type(config)).model_dump(), config.model_dump())
    if found:
        say = f"holds a run with another configuration: {first_few(found)}; choose another --out"
        raise UserError(say, folder.path)
    refuse_changed_plugins(folder)


def claimed(
    folder: RunFolder, config: Config, setting: Setting[Config], facts: dict[str, Any], ranks: Ranks
) -> dict[str, Any] | None:
    """Claim a folder that the first process holds, and see that all processes have the same data.

    Args:
        folder, config, setting, facts: as of :func:`check_folder`.
        ranks: the processes that share the run.
    Returns: the result of the run in the folder, if it has ended.
    Raises: UserError: if the folder is of something else, or a process has other data.
    """
    ended = None
    if ranks.first:
        _claim(folder, config, setting, facts, ranks)
        ended = folder.read_record("result") if folder.finished else None
    if not ranks.several:
        return ended
    ended, digests = ranks.told([ended, list(facts["data"].values())])
    for name, digest, other in zip(facts["data"], facts["data"].values(), digests, strict=ended is None):
        if ended is None and digest != other:
            raise UserError("is not the same on the machine of the first process; copy it from there", name)
    return ended  # type: ignore[no-any-return]


def _claim(folder: RunFolder, config: Config, setting: Setting[Config], facts: dict[str, Any], ranks: Ranks) -> None:
    """Make the folder this run's, now that it is held. The configuration comes first: it marks a run folder."""
    check_folder(folder, config, setting, facts)
    folder.sweep()
    if not folder.begun:
        folder.write_config(config)
    if not folder.has_record("environment"):
        folder.write_record("environment", facts | ({"processes": ranks.size} if ranks.several else {}))
    elif (before := folder.read_record("environment").get("processes", 1)) != ranks.size:
        say = "%s: was begun by %s processes and goes on with %d: equal up to rounding"
        _log.warning(say, folder.path, before, ranks.size)
