"""All checks of a primary task's dialogs, and of those it is to borrow from, in one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tasksieve.audit.actions import Merged, left_out, left_out_findings, merged, merged_finding
from tasksieve.audit.conflicts import Conflicts, ambiguous, conflicts
from tasksieve.audit.coverage import Coverage, coverage
from tasksieve.audit.duplicates import Overlap, Repeats, Twice, overlap, repeats, twice
from tasksieve.audit.files import Files, read_all
from tasksieve.audit.finding import Finding
from tasksieve.audit.predicting import Predicting, predicting, what_suits
from tasksieve.audit.splits import PRIMARY, ReadSplits, Size, Splits, Use, sizes_of
from tasksieve.audit.stops import stops
from tasksieve.audit.verdict import findings, summary
from tasksieve.audit.words import Entities, SharedWords, entities, shared_words
from tasksieve.encoding import Names
from tasksieve.records.left_out import LeftOut
from tasksieve.records.model_config import SLOT_ACTS, MemoryNetworkConfig, ModelConfig


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit of dialogs found.

    Attributes:
        verdict: one sentence.
        findings: a sentence on each matter, the gravest first.
        predicting: what is predicted, why, and how far each choice could get.
        sizes: of every split.
        names: what gives names in each task, and what looks as if it did and does not, in a sentence; by task.
        coverage: of the held-out splits by the candidates.
        repeats: dialogs of the primary task that are in it twice.
        overlaps: what held-out splits share with those that are learned from.
        entities: those of the held-out splits that training never shows.
        ambiguous: turns of the primary task whose whole context has another response, or action, elsewhere in it.
        conflicts: a record for each related task.
        words: what each related task's words have in common with the primary task's.
        files: the file of each split, by the split's name.
        not_read: by file, what of it is not read, and how often it is there.
        as_one: by file, a sentence on the splits in it that were read as one.
        left_out: where actions are predicted, how many turns have none, by file of each part that lacks some.
        twice: related tasks with dialogs that another task has word for word.
        merged: how many annotations become how many actions; None where responses are predicted.
    """

    verdict: str
    findings: tuple[Finding, ...]
    predicting: Predicting
    sizes: tuple[Size, ...]
    names: dict[str, str]
    coverage: tuple[Coverage, ...]
    repeats: Repeats
    overlaps: tuple[Overlap, ...]
    entities: tuple[Entities, ...]
    ambiguous: int
    conflicts: tuple[Conflicts, ...]
    words: tuple[SharedWords, ...]
    files: dict[str, str] = field(default_factory=dict)
    not_read: dict[str, dict[str, int]] = field(default_factory=dict)
    as_one: dict[str, str] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    merged: Merged | None = None
    twice: tuple[Twice, ...] = ()

    @property
    def stop(self) -> str | None:
        """Why training is senseless, and what to do instead; None if it is not."""
        return next((found.sentence for found in self.findings if found.level == "stop"), None)

    def gravest(self, count: int, but: str = "") -> tuple[Finding, ...]:
        """At most so many findings on what is not as it should be, the gravest first, without those on a topic."""
        found = (found for found in self.findings if found.level != "good" and found.topic != but)
        return tuple(found)[:count]

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
    predict: Literal["auto", "responses", "actions"] = "auto",
    slot_acts: tuple[str, ...] = SLOT_ACTS,
    model: ModelConfig | None = None,
    split: str | None = None,
    split_seed: int = 0,
    strict: bool = False,
) -> Audit:
    """Look at dialogs before a model learns from them.

    Args:
        primary: training dialogs of the primary task: a file in any format, or a folder with splits.
        related: training dialogs of each related task; a folder of files is one task for each.
        valid: validation dialogs of the primary task.
        test: its test dialogs.
        size: use the first so many primary dialogs, and at most so many validation dialogs, as such a run does.
        predict: what is predicted of a turn; by default what suits.
        slot_acts: the acts whose slot is part of an action.
        model: how a model reads the dialogs; by default as the built-in one does.
        split: draw training, validation and test dialogs from ``primary`` instead, e.g. ``60/20/20``.
        split_seed: of that draw.
        strict: refuse turns without a response.
    Raises: UserError: if a file cannot be read, or holds fewer dialogs than ``size``.
    """
    read = read_all(Files(primary, related, valid, test, split, split_seed, size, strict))
    files = read.files if split is None else {}
    found = audit_splits(read.splits, predict, slot_acts, model, files, read.whole)
    return replace(found, files=read.files, not_read=read.not_read, as_one=read.as_one)


def audit_splits(
    splits: Splits,
    predict: Literal["auto", "responses", "actions"] = "auto",
    slot_acts: tuple[str, ...] = SLOT_ACTS,
    model: ModelConfig | None = None,
    files: Mapping[str, str] | None = None,
    whole: Splits | None = None,
) -> Audit:
    """Look at dialogs that have been read, before a model learns from them; see :func:`audit`.

    Args:
        splits: the dialogs.
        predict, slot_acts, model: as of :func:`audit`.
        files: that the splits are, by their names.
        whole: the dialogs of the primary task of which ``splits`` has the first ones: all of them decide what suits.
    """
    whole = whole or splits
    suits = what_suits(whole)
    use = Use(suits.what if predict == "auto" else predict, slot_acts, model or MemoryNetworkConfig())
    read = ReadSplits.of(splits, use)
    covered, shared, confused = coverage(read, use.predict), overlap(splits), ambiguous(splits.primary, use)
    related = list(splits.named_related())
    parts: dict[str, Any] = {
        "sizes": sizes_of(splits, read, use),
        "coverage": covered,
        "repeats": repeats(splits.primary),
        "overlaps": shared,
        "twice": twice(splits),
        "entities": entities(splits, read),
        "predicting": predicting((splits, whole), read, use, suits, predict != "auto", covered),
    }
    pairs = [
        (conflicts(splits.primary, name, dialogs, use), shared_words(splits.primary, name, dialogs, use))
        for name, dialogs in related
    ]
    named, together = files or {}, merged(splits.primary, slot_acts) if use.predict == "actions" else None
    others = [
        *stops(read, parts["predicting"], covered, shared, parts["sizes"], named),
        *left_out_findings(parts["sizes"], use, named),
    ]
    others += [said] if together is not None and (said := merged_finding(together, slot_acts)) is not None else []
    found = findings(**parts, ambiguous=confused, related=pairs, others=others)
    parts |= {"left_out": left_out(parts["sizes"], use, named), "merged": together}
    parts |= {"conflicts": tuple(pair[0] for pair in pairs), "words": tuple(pair[1] for pair in pairs)}
    return Audit(verdict=summary(found), findings=found, names=_names(splits, read), ambiguous=confused[0], **parts)


def _names(splits: Splits, read: ReadSplits) -> dict[str, str]:
    found: list[tuple[str, Names]] = [(PRIMARY, read.names)]
    found += ((name, names) for (name, _), names in zip(splits.named_related(), read.related_names, strict=True))
    return {name: names.sentence() for name, names in found if names.fields or names.refused}
