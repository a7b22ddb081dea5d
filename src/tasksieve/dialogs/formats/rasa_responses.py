"""The words of Rasa's actions: ``responses`` of the stories' own file, and of the domain of their project."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tasksieve.dialogs.formats.journal import Journal, JournalFull
from tasksieve.dialogs.formats.lines import numbered_lines
from tasksieve.dialogs.formats.yaml_nodes import Node, yaml_entries
from tasksieve.errors import UserError

_INNER = ("data", "tests")
"""The folders of a project that hold stories."""
_KEY = "responses"
_LISTS = frozenset(("stories", "rules", "nlu"))
_DOMAIN = "domain"
_ENDINGS = (".yml", ".yaml")
_DEEPEST = 3
"""How many folders up a project's own is looked for."""


class Responses:
    """What actions say.

    A file of stories has its own ``responses``; names that are not among them are looked up in ``responses.yml`` and
    the domain of the project: ``domain.yml``, or a folder ``domain``, beside the file or beside the folder ``data``
    or ``tests`` that it lies in.

    Args:
        path: the file of stories.
        journal: of that file; told of what is not read of the responses that stories use.
    """

    def __init__(self, path: Path, journal: Journal) -> None:
        self._journal = journal
        self._own = _responses(path)
        self._words: dict[str, str] = {}
        self._used: set[str] = set()
        self._others: dict[str, Node] = {}
        for file in domain_files(path):
            self._others |= _responses(file, journal)
        for name, variants in (self._others | self._own).items():
            if (chosen := _chosen(variants)) is not None:
                self._words[name] = _text(chosen)

    def said(self, action: str, intent: str) -> tuple[str, str]:
        """The whole name of an action, and its words; the name again if it has none.

        Args:
            action: as it stands in the story; of a retrieval intent maybe without the second part, ``utter_faq``.
            intent: the last one of the user's, ``faq/ask_name``.
        """
        whole = f"utter_{intent}"
        if action not in self._words and whole.startswith(f"{action}/") and whole in self._words:
            action = whole
        self._use(action)
        return action, self._words.get(action, action)

    def end(self) -> None:
        """Count what no story uses."""
        self._journal.lose("response that no story uses", len(self._own.keys() - self._used))

    def _use(self, name: str) -> None:
        variants = self._own.get(name) or self._others.get(name)
        if variants is None or name in self._used:
            return
        self._used.add(name)
        for what, count in _unread(variants).items():
            self._journal.lose(what, count)


def domain_files(path: Path) -> list[Path]:
    """The files beside a file of stories, or in the project that it belongs to, that may have responses."""
    folders = [path.parent]
    for folder in list(path.absolute().parents)[:_DEEPEST]:
        if folder.name in _INNER:
            folders.append(folder.parent)
            break
    found = []
    for folder in folders:
        beside = [folder / f"{name}{ending}" for name in ("responses", _DOMAIN) for ending in _ENDINGS]
        inner = [file for ending in _ENDINGS for file in sorted((folder / _DOMAIN).glob(f"*{ending}"))]
        found += [file for file in (*beside, *inner) if file.is_file() and file != path]
    return found[::-1]


def _responses(path: Path, journal: Journal | None = None) -> dict[str, Node]:
    """The responses of a file with their variants. Problems of the stories' own file are left to their reading.

    A file that has not the word in it is not parsed, which takes long, nor are stories beside them if that will do.
    """
    try:
        if not any(_KEY in line for _, line in numbered_lines(path, Journal(path, collect=True))):
            return {}
        try:
            return _parsed(path, _LISTS)
        except (UserError, JournalFull):
            return _parsed(path, frozenset())
    except (UserError, JournalFull):
        if journal is not None:
            journal.lose(f"words of actions in {path.name}, which cannot be read as YAML")
    return {}


def _parsed(path: Path, passed_over: frozenset[str]) -> dict[str, Node]:
    entries = yaml_entries(path, Journal(path, collect=True), _LISTS, passed_over)
    return {name: variants for key, node in entries if key == _KEY for name, variants in node.entries.items()}


def _chosen(variants: Node) -> Node | None:
    """The first variant without a condition or channel; if there is none, the first; None if none has a text."""
    texts = [one for one in variants.items or [variants] if _text(one)]
    plain = [one for one in texts if not one.entries.keys() & {"condition", "channel"}]
    return next(iter(plain or texts), None)


def _text(variant: Node) -> str:
    """The text of a variant; empty if it has none."""
    return variant.text or (variant.entries["text"].text if "text" in variant.entries else None) or ""


def _unread(variants: Node) -> Counter[str]:
    chosen, unread = _chosen(variants), Counter[str]()
    for one in variants.items or [variants]:
        if one is not chosen:
            unread["further wording of a response"] += 1
        else:
            unread.update(f"'{key}' of a response" for key in one.entries if key != "text")
    return unread
