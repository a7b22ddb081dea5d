"""How often an answer has the right values, where its wording is the right one: whose fare, which bus, whose number.

    python -m benchmarks.filled_values --data data/sgd --json results/filled-values.json

Gaps are learned from 50 dialogs of a service. Of 80 others, every response that holds values of its conversation is
worded as it was, with gaps where training knows them, and filled from what the conversation held before; gaps of
templates that stand in the training dialogs have the types that these tell. *Right* is a response with the very
values, however written; *wrong* one with another value; *withheld* one that cannot be filled.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tasksieve.dialogs import Dialog, Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.simulate import simulate_support
from tasksieve.encoding import Reader, names_of, slots_of
from tasksieve.encoding.calls import is_call
from tasksieve.encoding.fillings import MARK
from tasksieve.encoding.gap_types import GapTypes
from tasksieve.encoding.values import values_in
from tasksieve.encoding.wordings import Wording, Wordings, types_of
from tasksieve.experiments.board.board import PRIMARIES
from tasksieve.records.files import write_json

TRAINING, TEST = 50, 80
RIGHT, WRONG, WITHHELD = OUTCOMES = ("right", "wrong", "withheld")


def tasks(archive: Path) -> Iterator[tuple[str, list[Dialog], list[Dialog]]]:
    """Training and test dialogs of each service, and of a simulated desk."""
    for service in PRIMARIES:
        dialogs = read_dialogs(archive / f"{service}.json")
        yield service, dialogs[:TRAINING], dialogs[TRAINING : TRAINING + TEST]
    desk = simulate_support(desk="new", dialogs={"train": TRAINING, "test": TEST}, seed=0)
    yield "support desk", desk["train"], desk["test"]


def measured(training: Sequence[Dialog], test: Sequence[Dialog]) -> dict[str, dict[str, int]]:
    """How many responses, and how many calls, are filled rightly, wrongly and not at all."""
    (names,) = names_of(training)
    slots = slots_of(training, reserved=names.gaps())
    reader = Reader(names=names, slots=slots)
    types = types_of(None, reader.read(training))
    found = {"responses": Counter[str](), "calls": Counter[str]()}
    for dialog in test:
        for place, event in enumerate(dialog.events):
            if isinstance(event, Turn) and (said := _filled(reader, types, dialog, place)) is not None:
                text, what = said or None, "calls" if is_call(event.system) else "responses"
                outcome = WITHHELD if text is None else RIGHT if _written(text) == _written(event.system) else WRONG
                found[what][outcome] += 1
    return {what: {outcome: counts[outcome] for outcome in OUTCOMES} for what, counts in found.items()}


def _filled(reader: Reader, types: GapTypes, dialog: Dialog, place: int) -> str | None:
    """A response of a dialog as it would be filled, empty if it cannot be; None where it is nothing to measure by."""
    turn, names, slots = dialog.events[place], reader.names, reader.slots
    assert isinstance(turn, Turn) and names is not None and slots is not None
    gapped = reader.read_one(Dialog(dialog.events[: place + 1], dialog.profile)).turns[-1].gapped
    gaps = set() if gapped is None else set(MARK.findall(gapped.full))
    if gapped is None or not gaps or not gaps <= {*slots.gaps(gapped.full), *names.gaps()}:
        return None
    before = reader.read_one(Dialog((*dialog.events[:place], Turn(turn.user, "")), dialog.profile))
    wording = Wordings([Wording("", "", "", gapped.full, gapped.fresh)], types=types)
    return wording.said("", turn.user, "", before.held, before.entities, slots) or ""


def _written(text: str) -> list[str]:
    """The words of a text, its values in one way of writing."""
    parts, place = [], 0
    for value in values_in(text):
        parts += [text[place : value.start], value.key]
        place = value.end
    return "".join([*parts, text[place:]]).lower().split()


def main() -> None:
    """Measure every task, and write and print the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data/sgd"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name, training, test in tasks(options.data):
        rows.append({"task": name, **measured(training, test)})
        print(rows[-1], flush=True)
    if options.json is not None:
        write_json(options.json, {"training": TRAINING, "test": TEST, "rows": rows})


if __name__ == "__main__":
    main()
