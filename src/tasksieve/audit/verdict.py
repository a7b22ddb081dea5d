"""The audit in words: a sentence on each matter, and one on the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tasksieve.audit.conflicts import Conflicts
from tasksieve.audit.coverage import Coverage
from tasksieve.audit.duplicates import Overlap, Repeats
from tasksieve.audit.splits import PRIMARY, TEST, Size, share
from tasksieve.audit.words import Entities, SharedWords

Level = Literal["mend", "look", "good"]
LEVELS: tuple[Level, ...] = ("mend", "look", "good")
"""The gravest first: mend before training; worth a look; as it should be."""

_CEILING_MEND, _CEILING_LOOK = 50.0, 95.0
_SEEN_LOOK = 50.0
_NEAR_LOOK = 5.0
_ENTITIES_LOOK = 5.0
_WORDS_LOOK = 30.0
_CONFLICTING_LOOK = 25.0
_AMBIGUOUS_LOOK = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One matter: how grave, what about, and a sentence."""

    level: Level
    topic: str
    sentence: str


def findings(
    sizes: Sequence[Size],
    coverage: Sequence[Coverage],
    repeats: Repeats,
    overlaps: Sequence[Overlap],
    entities: Sequence[Entities],
    ambiguous: tuple[int, int],
    related: Sequence[tuple[Conflicts, SharedWords]],
) -> tuple[Finding, ...]:
    """A finding on each matter, the gravest first.

    Args:
        sizes: of every split.
        coverage, repeats, overlaps, entities: of the primary task.
        ambiguous: how many of how many primary turns are ambiguous.
        related: of each related task.
    """
    found = [_coverage(coverage[-1]), *_overlaps(overlaps), _repeats(repeats), _ambiguous(*ambiguous)]
    found += [_facts(size) for size in sizes if size.facts["given"]]
    found += [_entities(entity) for entity in entities[-1:]]
    for conflicts, words in related:
        found += [_conflicts(conflicts), _words(words)]
    return tuple(sorted(found, key=lambda finding: LEVELS.index(finding.level)))


def summary(found: Sequence[Finding]) -> str:
    """One sentence on all findings."""
    mend, look = ([finding.topic for finding in found if finding.level == level] for level in ("mend", "look"))
    if mend:
        also = f" Also worth a look: {_listed(look)}." if look else ""
        return f"Mend before training: {_listed(mend)}.{also}"
    if look:
        return f"Ready to train; worth a look first: {_listed(look)}."
    return "Ready to train: nothing stands out."


def _listed(topics: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(topics))
    return distinct[0] if len(distinct) == 1 else f"{', '.join(distinct[:-1])} and {distinct[-1]}"


def _coverage(found: Coverage) -> Finding:
    level: Level = "good"
    if found.ceiling < _CEILING_LOOK:
        level = "look" if found.ceiling >= _CEILING_MEND else "mend"
    whom = f"on {found.split}" if found.split == TEST else "on new dialogs, as far as these tell"
    said = f"No model can exceed {found.ceiling:.1f} % {whom}"
    if not found.missing:
        return Finding(level, "coverage", f"{said}: every response of {found.split} is a candidate.")
    kind, turns = next(iter(found.missing.items()))
    missing = sum(found.missing.values())
    said += (
        f": {missing:,} of {found.turns:,} responses are no candidate, {share(turns, missing):.0f} % of them '{kind}'"
    )
    if found.joint_ceiling - found.ceiling >= 1:
        said += f"; with related responses as candidates (method joint) {found.joint_ceiling:.1f} %"
    return Finding(level, "coverage", f"{said}.")


def _facts(found: Size) -> Finding:
    given, seen = found.facts["given"], found.facts["seen"]
    level: Level = "look" if share(seen, given) < _SEEN_LOOK else "good"
    said = f"Of {given:,} facts of {found.split} the model can see {seen:,} ({share(seen, given):.0f} %)"
    return Finding(level, f"facts of {found.split}", f"{said}: those mentioned, and those that have just come.")


def _overlaps(found: Sequence[Overlap]) -> Iterator[Finding]:
    clean = 0
    for pair in found:
        names = f"{pair.held_out} in {pair.learned}"
        near = share(pair.near, pair.dialogs)
        if pair.same:
            said = (
                f"{pair.same:,} of {pair.dialogs:,} {pair.held_out} dialogs are also in {pair.learned}, word for word"
            )
            yield Finding("mend", f"leakage of {names}", f"{said} ({_places(pair)}); take them out of one.")
        elif near >= _NEAR_LOOK:
            said = f"{pair.near:,} of {pair.dialogs:,} {pair.held_out} dialogs are nearly in {pair.learned}"
            yield Finding("look", f"near-duplicates of {names}", f"{said} ({_places(pair)}); accuracy will flatter.")
        else:
            clean += 1
    if clean == len(found) > 0:
        yield Finding("good", "leakage", f"No dialog of one split is in another ({clean} pairs of splits compared).")


def _places(pair: Overlap) -> str:
    learned, held_out = pair.lines[0]
    return f"e.g. line {held_out} of {pair.held_out} and {learned} of {pair.learned}"


def _repeats(found: Repeats) -> Finding:
    near = share(found.near, found.dialogs)
    said = f"{found.near:,} of {found.dialogs:,} {PRIMARY} dialogs repeat an earlier one"
    said += f", {found.same:,} of them word for word." if found.near else "."
    return Finding("look" if near >= _NEAR_LOOK else "good", "repeated dialogs", said)


def _ambiguous(count: int, turns: int) -> Finding:
    if not count:
        return Finding("good", "ambiguous contexts", f"Every {PRIMARY} context has one response.")
    level: Level = "look" if share(count, turns) >= _AMBIGUOUS_LOOK else "good"
    said = f"{count:,} of {turns:,} {PRIMARY} turns have a context that more often has another response"
    return Finding(level, "ambiguous contexts", f"{said}: at most {100 - share(count, turns):.1f} % can be learned.")


def _entities(found: Entities) -> Finding:
    said = f"{found.unseen:,} of {found.entities:,} entities of {found.split} are in no training dialog"
    if not found.unseen:
        return Finding("good", "unseen entities", f"All {found.entities:,} entities of {found.split} are known.")
    names = f", e.g. {', '.join(found.examples[:2])}" if found.examples else ""
    level: Level = "look" if found.turns >= _ENTITIES_LOOK else "good"
    return Finding(
        level,
        "unseen entities",
        f"{said}{names}; in {found.turns:.1f} % of its turns one is said that no fact tells of.",
    )


def _conflicts(found: Conflicts) -> Finding:
    shared, topic = found.utterance, f"conflicts with {found.related}"
    if not shared.turns:
        return Finding("good", topic, f"No {PRIMARY} turn answers an utterance that {found.related} has too.")
    said = f"{shared.turns:.0f} % of {PRIMARY} turns answer an utterance that {found.related} has too; of these"
    said += f" {shared.conflicting:.0f} % have a response it never gives to it, {shared.other_kind:.0f} % one of a"
    said += " kind it never gives to it"
    if shared.conflicting < _CONFLICTING_LOOK:
        return Finding("good", topic, f"{said}.")
    advice = "a head each and weights (learned, multitask) suit this better than one task of all (joint, pretrain)"
    return Finding("look", topic, f"{said}: {advice}.")


def _words(found: SharedWords) -> Finding:
    said = f"{found.related} has {found.running:.0f} % of the words said in {PRIMARY} ({found.words:.0f} % of the"
    said += f" distinct ones), and the response of {found.responses:.0f} % of its turns word for word"
    if found.running >= _WORDS_LOOK:
        return Finding("good", f"words of {found.related}", f"{said}.")
    return Finding("look", f"words of {found.related}", f"{said}: there is little to borrow.")
