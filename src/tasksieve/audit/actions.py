"""Actions as they are predicted: turns that have none, and annotations that become the same action."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasksieve.audit.finding import Finding
from tasksieve.audit.splits import PRIMARY, TEST, VALID, Size, Use
from tasksieve.dialogs import Act, Dialog
from tasksieve.encoding.kinds import action_of
from tasksieve.records.left_out import LeftOut, Part, left_out_sentences, only_left_out

TOPIC = "turns without an action"
_OWN: dict[str, Part] = {PRIMARY: "primary", VALID: "valid", TEST: "test"}


@dataclass(frozen=True, slots=True)
class Merged:
    """How many annotations of the primary task's turns become how many actions.

    Attributes:
        annotations: distinct ones, each act with its slot.
        actions: distinct ones, slots left out but for the acts that take theirs along.
        example: two annotations that are one action, the most frequent ones; empty if there are none.
        action: that action.
        acts: names of acts without their slot in annotations that are one action.
    """

    annotations: int
    actions: int
    example: tuple[str, ...] = ()
    action: str = ""
    acts: tuple[str, ...] = ()


def merged(dialogs: Sequence[Dialog], slot_acts: Iterable[str]) -> Merged:
    """Look for annotations that differ in slots which no action has."""
    kept = tuple(slot_acts)
    turns = Counter(turn.acts for dialog in dialogs for turn in dialog.turns if turn.learned and turn.acts)
    together: dict[str, Counter[str]] = defaultdict(Counter)
    names: dict[str, set[Act]] = defaultdict(set)
    for acts, count in turns.items():
        action = action_of(acts, kept)
        together[action][_annotated(acts)] += count
        names[action].update(acts)
    lost = [action for action, those in together.items() if len(those) > 1]
    shown = max(lost, key=lambda action: (-len(action.split()), together[action].total()), default="")
    example = sorted(together[shown].items(), key=lambda item: (-item[1], item[0]))[:2] if shown else []
    without = {act.name for action in lost for act in names[action] if act.slot} - set(kept)
    annotations = sum(len(those) for those in together.values())
    return Merged(annotations, len(together), tuple(text for text, _ in example), shown, tuple(sorted(without)))


def _annotated(acts: Iterable[Act]) -> str:
    """Acts as people write them: ``inform(fines) + request(card)``."""
    words = {f"{act.name}({act.slot})" if act.slot else act.name for act in acts}
    return " + ".join(sorted(words))


def merged_finding(found: Merged, slot_acts: Sequence[str]) -> Finding | None:
    """Which annotations are one action, and how to keep them apart; None if none are."""
    if not found.example:
        return None
    one, other = found.example
    said = f"{found.annotations:,} distinct annotations of {PRIMARY} become {found.actions:,} actions: {one} and"
    said += f" {other} are both '{found.action}', and one counts as right for the other"
    mend = f"--set 'data.slot_acts={json.dumps([*slot_acts, *found.acts], ensure_ascii=False)}' keeps them apart"
    return Finding("good", "what is an action", f"{said}; {mend}.")


def left_out(sizes: Sequence[Size], use: Use, files: Mapping[str, str]) -> tuple[LeftOut, ...]:
    """The parts of the data with turns that have no action, by file, where actions are predicted.

    Args:
        sizes: of every split.
        use: what training is to do with them.
        files: of each split by its name, as far as the dialogs are of files.
    """
    if use.predict != "actions":
        return ()
    return only_left_out(list(_counted(sizes, files)))


def _counted(sizes: Sequence[Size], files: Mapping[str, str]) -> Iterator[LeftOut]:
    for size in sizes:
        part: Part = _OWN.get(size.split, "related")
        yield LeftOut(part, files.get(size.split, size.split), size.without_action, size.learned)


def left_out_findings(sizes: Sequence[Size], use: Use, files: Mapping[str, str]) -> list[Finding]:
    """A finding for each part of the data that has turns without an action, where actions are predicted."""
    if use.predict != "actions":
        return []
    said = left_out_sentences(list(_counted(sizes, files)))
    return [Finding("look", TOPIC, f"{sentence}.") for sentence in said]
