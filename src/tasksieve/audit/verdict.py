"""The audit in words: a sentence on each matter, and one on the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tasksieve.audit.conflicts import Conflicts
from tasksieve.audit.coverage import Coverage
from tasksieve.audit.duplicates import Overlap, Repeats, Twice
from tasksieve.audit.finding import LEVELS, Finding, Level
from tasksieve.audit.predicting import Predicting
from tasksieve.audit.splits import PRIMARY, TEST, VALID, Size, share
from tasksieve.audit.words import Entities, SharedWords
from tasksieve.records.measures import fewer_ranked

MANY = 4
"""More related tasks than these are told of together."""
_CEILING_MEND, _CEILING_LOOK = 50.0, 95.0
_SEEN_LOOK = 50.0
_NEAR_LOOK = 5.0
_TWICE_LOOK = 5.0
_ENTITIES_LOOK = 5.0
_WORDS_LOOK = 30.0
_CONFLICTING_LOOK = 25.0
_AMBIGUOUS_LOOK = 1.0
_FILLED_LOOK = 80.0
_NAMED = 6
_NAMES = "action names"
_ONE = {"responses": "a response", "actions": "an action"}


def findings(
    sizes: Sequence[Size],
    coverage: Sequence[Coverage],
    repeats: Repeats,
    overlaps: Sequence[Overlap],
    entities: Sequence[Entities],
    ambiguous: tuple[int, int],
    related: Sequence[tuple[Conflicts, SharedWords]],
    predicting: Predicting,
    twice: Sequence[Twice] = (),
    others: Sequence[Finding] = (),
) -> tuple[Finding, ...]:
    """A finding on each matter, the gravest first.

    Args:
        sizes: of every split.
        coverage, repeats, overlaps, entities: of the primary task.
        ambiguous: how many of how many primary turns are ambiguous.
        related: of each related task.
        predicting: what is predicted.
        twice: what related tasks have of dialogs that are learned from already.
        others: that were made already.
    """
    found = [*others, _coverage(coverage[-1], predicting), *_overlaps(overlaps), _repeats(repeats)]
    found += [_twice(pair) for pair in twice if share(pair.same, pair.dialogs) >= _TWICE_LOOK]
    found += [_predicting(predicting), _ambiguous(*ambiguous, predicting)]
    found += [_facts(size) for size in _together(sizes) if size.facts["given"]]
    found += [_values(size) for size in sizes if size.split == PRIMARY and size.values and size.values["said"]]
    found += [_entities(entity) for entity in entities[-1:]]
    each = [(_conflicts(conflicts, predicting), _words(words, predicting)) for conflicts, words in related]
    found += [finding for pair in each for finding in pair] if len(each) <= MANY else _summed(each)
    return tuple(sorted(found, key=lambda finding: LEVELS.index(finding.level)))


def summary(found: Sequence[Finding]) -> str:
    """One sentence on all findings."""
    stop, mend, look = (
        [finding.topic for finding in found if finding.level == level] for level in ("stop", "mend", "look")
    )
    if stop:
        return f"Do not train yet: {_listed(stop)}."
    if mend:
        also = f" Also worth a look: {_listed(look)}." if look else ""
        return f"Mend before training: {_listed(mend)}.{also}"
    if look:
        return f"Ready to train; worth a look first: {_listed(look)}."
    return "Ready to train: nothing stands out."


def _listed(topics: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(topics))
    return distinct[0] if len(distinct) == 1 else f"{', '.join(distinct[:-1])} and {distinct[-1]}"


def _together(sizes: Sequence[Size]) -> Iterator[Size]:
    """The sizes of the splits, with those of many related tasks added up."""
    own = [size for size in sizes if size.split in (PRIMARY, VALID, TEST)]
    related = sizes[len(own) :]
    yield from own
    if len(related) <= MANY:
        yield from related
    else:
        facts = {name: sum(size.facts[name] for size in related) for name in ("given", "seen")}
        yield replace(related[0], split=f"{len(related)} related tasks", facts=facts)


def _summed(each: Sequence[tuple[Finding, Finding]]) -> Iterator[Finding]:
    """What is said of many related tasks: how many of them are worth a look, and which."""
    apart = [pair[0] for pair in each if pair[0].topic.startswith(_NAMES)]
    others = [pair[0] for pair in each if not pair[0].topic.startswith(_NAMES)]
    if apart:
        yield _counted(apart, len(each), f"{_NAMES} of related tasks", f"have no action in common with {PRIMARY}")
    for found, topic, what in (
        (others, "conflicts", "answer what the primary task is asked differently"),
        ([pair[1] for pair in each], "words", "have less than a third of the words said in the primary task"),
    ):
        odd = [finding for finding in found if finding.level != "good"]
        yield _counted(odd, len(each), f"{topic} with related tasks", what)


def _counted(odd: Sequence[Finding], count: int, topic: str, what: str) -> Finding:
    """How many related tasks are odd, and which, if they are few."""
    names = [finding.topic.rpartition(" ")[2] for finding in odd]
    named = f": {_listed(names)}" if 0 < len(names) <= _NAMED else ""
    level: Level = "look" if names else "good"
    return Finding(level, topic, f"{len(names)} of {count} related tasks {what}{named}.")


def _predicting(found: Predicting) -> Finding:
    last = found.ceilings[-1]
    said = f"{found.what.capitalize()} are predicted: {found.why}"
    if last.actions is None:
        lacking = "actions are no choice, as not all splits say what the system does"
        return Finding("look" if found.partly else "good", "what is predicted", f"{said}; {lacking}.")
    said += f"; at best a model is right in {last.responses:.1f} % of the responses of {last.split}, word for word,"
    said += f" and in {last.actions:.1f} % of its actions"
    if found.what != found.suited:
        better = f"{found.suited} would suit it better: {found.suits_as}"
        return Finding("look", "what is predicted", f"{said}; {better}.")
    if found.partly and found.what == "responses" and not found.asked:
        return Finding("look", "what is predicted", f"{said}.")
    return Finding("good", "what is predicted", f"{said}.")


def _coverage(found: Coverage, predicting: Predicting) -> Finding:
    what = predicting.what
    if predicting.ranked:
        first = predicting.ceilings[0].split
        said = f"Only {predicting.known:.1f} % of the responses of {first} are known word for word: methods are"
        said += " judged by R_100@1 instead, how often the right response is ranked first among 100"
        if fewer := fewer_ranked(predicting.among):
            said += f"; {fewer}"
        return Finding("look", "coverage", f"{said}.")
    level: Level = "good"
    if found.ceiling < _CEILING_LOOK:
        level = "look" if found.ceiling >= _CEILING_MEND else "mend"
    whom = f"on {found.split}" if found.split == TEST else f"on new dialogs, as far as {found.split} tells"
    said = f"No model can exceed {found.ceiling:.1f} % {whom}"
    if not found.missing:
        return Finding(level, "coverage", f"{said}: every {what[:-1]} of {found.split} is a candidate.")
    kind, turns = next(iter(found.missing.items()))
    missing = sum(found.missing.values())
    said += (
        f": {missing:,} of {found.turns:,} {what} are no candidate, {share(turns, missing):.0f} % of them '{kind}'"
    )
    if found.joint_ceiling - found.ceiling >= 1:
        said += f"; with related {what} as candidates (method joint) {found.joint_ceiling:.1f} %"
    return Finding(level, "coverage", f"{said}.")


def _values(found: Size) -> Finding:
    values = found.values or {}
    said = (
        f"{values['said']:,} {found.split} turns say a value, and {values['filled']:,} of them can be filled in from"
    )
    level: Level = "look" if share(values["filled"], values["said"]) < _FILLED_LOOK else "good"
    return Finding(level, "values", f"{said} their own dialog.")


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


def _twice(pair: Twice) -> Finding:
    said = f"{pair.same:,} of {pair.dialogs:,} dialogs of {pair.related} are also in {pair.earlier}, word for word"
    return Finding("look", f"the same dialogs in {pair.related}", f"{said}, and count twice; leave one out.")


def _places(pair: Overlap) -> str:
    learned, held_out = pair.lines[0]
    return f"e.g. line {held_out} of {pair.held_out} and {learned} of {pair.learned}"


def _repeats(found: Repeats) -> Finding:
    near = share(found.near, found.dialogs)
    said = f"{found.near:,} of {found.dialogs:,} {PRIMARY} dialogs repeat an earlier one"
    said += f", {found.same:,} of them word for word." if found.near else "."
    return Finding("look" if near >= _NEAR_LOOK else "good", "repeated dialogs", said)


def _ambiguous(count: int, turns: int, predicting: Predicting) -> Finding:
    what = predicting.what.removesuffix("s")
    if not count:
        return Finding("good", "ambiguous contexts", f"Every {PRIMARY} context has one {what}.")
    level: Level = "look" if share(count, turns) >= _AMBIGUOUS_LOOK else "good"
    said = f"{count:,} of {turns:,} {PRIMARY} turns have a context that more often has another {what}"
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
        f"{said}{names}; in {found.turns:.1f} % of its turns the response says one that its dialog cannot fill in.",
    )


def _conflicts(found: Conflicts, predicting: Predicting) -> Finding:
    if found.strangers:
        mine, its = found.strangers
        said = f"{found.related} and {PRIMARY} have no action in common: most often '{its}' there and '{mine}' here"
        mend = "what means the same is best called the same, and what cannot be has a head each (learned, multitask)"
        return Finding("look", f"{_NAMES} of {found.related}", f"{said}; {mend}.")
    shared, topic = found.utterance, f"conflicts with {found.related}"
    if not shared.turns:
        return Finding("good", topic, f"No {PRIMARY} turn answers an utterance that {found.related} has too.")
    said = f"{shared.turns:.0f} % of {PRIMARY} turns answer an utterance that {found.related} has too; of these"
    said += f" {shared.conflicting:.0f} % have {_ONE[predicting.what]} it never gives to it"
    if predicting.what == "responses":
        said += f", {shared.other_kind:.0f} % one of a kind it never gives to it"
    if shared.conflicting < _CONFLICTING_LOOK:
        return Finding("good", topic, f"{said}.")
    advice = "weights (learned) or a head each (multitask) suit this better than one task of all (joint, pretrain)"
    return Finding("look", topic, f"{said}: {advice}.")


def _words(found: SharedWords, predicting: Predicting) -> Finding:
    said = f"{found.related} has {found.running:.0f} % of the words said in {PRIMARY} ({found.words:.0f} % of the"
    said += f" distinct ones), and the {predicting.what[:-1]} of {found.responses:.0f} % of its turns"
    said += " word for word" if predicting.what == "responses" else ""
    if found.running >= _WORDS_LOOK:
        return Finding("good", f"words of {found.related}", f"{said}.")
    return Finding("look", f"words of {found.related}", f"{said}: there is little to borrow.")
