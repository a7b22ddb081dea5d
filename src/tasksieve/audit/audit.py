"""All checks of a primary task's dialogs, and of those it is to borrow from, in one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tasksieve.audit.conflicts import Conflicts, ambiguous, conflicts
from tasksieve.audit.coverage import Coverage, coverage
from tasksieve.audit.duplicates import Overlap, Repeats, overlap, repeats
from tasksieve.audit.splits import PRIMARY, ReadSplits, Size, Splits, size_of
from tasksieve.audit.verdict import Finding, findings, summary
from tasksieve.audit.words import Entities, SharedWords, entities, shared_words
from tasksieve.dialogs import Dialog
from tasksieve.dialogs.formats import dialog_file, read_dialogs
from tasksieve.encoding import Names
from tasksieve.errors import UserError


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit of dialogs found.

    Attributes:
        verdict: one sentence.
        findings: a sentence on each matter, the gravest first.
        sizes: of every split.
        names: what gives names in each task, and what looks as if it did and does not, in a sentence; by task.
        coverage: of the held-out splits by the candidates.
        repeats: dialogs of the primary task that are in it twice.
        overlaps: what held-out splits share with those that are learned from.
        entities: those of the held-out splits that training never shows.
        ambiguous: turns of the primary task whose whole context has another response elsewhere in it.
        conflicts: a record for each related task.
        words: what each related task's words have in common with the primary task's.
    """

    verdict: str
    findings: tuple[Finding, ...]
    sizes: tuple[Size, ...]
    names: dict[str, str]
    coverage: tuple[Coverage, ...]
    repeats: Repeats
    overlaps: tuple[Overlap, ...]
    entities: tuple[Entities, ...]
    ambiguous: int
    conflicts: tuple[Conflicts, ...]
    words: tuple[SharedWords, ...]

    def record(self) -> dict[str, Any]:
        """The audit as plain data, for JSON and for tables."""
        return asdict(self)


def audit(
    primary: Path | str,
    related: Sequence[Path | str] = (),
    *,
    valid: Path | str | None = None,
    test: Path | str | None = None,
    size: int | None = None,
) -> Audit:
    """Look at dialogs before a model learns from them.

    Args:
        primary: training dialogs of the primary task: a file in any format, or a folder with splits.
        related: training dialogs of each related task.
        valid: validation dialogs of the primary task.
        test: its test dialogs.
        size: use the first so many primary and validation dialogs, as a run of that size does.
    Raises: UserError: if a file cannot be read, or holds fewer dialogs than ``size``.
    """
    return audit_splits(
        Splits(
            primary=_read(primary, "train", size),
            related=tuple(_read(path, "train") for path in related),
            valid=None if valid is None else _read(valid, "valid", size),
            test=None if test is None else _read(test, "test"),
        )
    )


def audit_splits(splits: Splits) -> Audit:
    """Look at dialogs that have been read, before a model learns from them; see :func:`audit`."""
    read = ReadSplits.of(splits)
    parts: dict[str, Any] = {
        "sizes": tuple(size_of(name, readings) for name, readings in read.all()),
        "names": _names(splits, read),
        "coverage": coverage(read),
        "repeats": repeats(splits.primary),
        "overlaps": overlap(splits),
        "entities": entities(splits, read),
        "ambiguous": ambiguous(splits.primary),
        "conflicts": tuple(conflicts(splits.primary, name, dialogs) for name, dialogs in splits.named_related()),
        "words": tuple(shared_words(splits.primary, name, dialogs) for name, dialogs in splits.named_related()),
    }
    found = findings(
        parts["sizes"],
        parts["coverage"],
        parts["repeats"],
        parts["overlaps"],
        parts["entities"],
        (parts["ambiguous"], parts["sizes"][0].turns),
        list(zip(parts["conflicts"], parts["words"], strict=True)),
    )
    return Audit(verdict=summary(found), findings=found, **parts)


def _names(splits: Splits, read: ReadSplits) -> dict[str, str]:
    found: list[tuple[str, Names]] = [(PRIMARY, read.names)]
    found += ((name, names) for (name, _), names in zip(splits.named_related(), read.related_names, strict=True))
    return {name: names.sentence() for name, names in found if names.fields or names.refused}


def _read(path: Path | str, split: str, size: int | None = None) -> list[Dialog]:
    file = dialog_file(path, split)
    dialogs = read_dialogs(file)
    if size is not None and len(dialogs) < size:
        raise UserError(f"holds {len(dialogs)} dialogs; {size} were asked for", file)
    return dialogs[:size]
