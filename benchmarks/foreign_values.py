"""Answers with a value that their conversation does not hold: counted over test dialogs, and there must be none.

    python -m benchmarks.foreign_values --data DIR [--primaries A,B] [--json results/foreign-values.json]

DIR has one file for each service of the Schema-Guided dialogs (``tasksieve data sgd``). Each primary service has the
draw of the board's first seed, its fixed test dialogs, and the next services by name to borrow from; ``support`` is
the new desk of ``tasksieve simulate support``, which borrows from the old one. Actions and responses are predicted,
on bags of words and after a short training: the rule holds whatever the model says, and one that knows little says
stranger things.

``foreign`` counts by the product's own rule (``tasksieve evaluate --answers``). ``outside`` counts by a judge that
knows nothing of it: numbers of an answer that stand nowhere in the conversation, as digits or as a word, and are not
how many records a tool gave; and values of records or of marked slots, anybody's, with a capital letter or several
words, of which the answer says a word that the conversation does not. What the systems of three dialogs of the task
say by themselves is policy ("on the TV"). Numbers of one digit, which the product's rule leaves alone, are counted
apart, as ``one_digit``. Rows are put into the record as they come, in place of earlier ones of the same task.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import torch

from tasksieve.dialogs import Dialog, Note, Record, Turn
from tasksieve.dialogs.formats import read_dialogs
from tasksieve.dialogs.simulate import simulate_support, write_support
from tasksieve.experiments.board.data import BoardData
from tasksieve.records.config import config_from
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.foreign import answered, foreign_values
from tasksieve.training.runs.memo import remembered
from tasksieve.training.runs.trained_model import TrainedModel
from tests.reliability.record import machine

PRIMARIES = ("Buses_1", "RentalCars_1", "Homes_1", "Media_1", "Music_2", "Services_1")
SUPPORT = "support"
PREDICTED = ("actions", "responses")
DIALOGS = {"new": {"train": 50, "valid": 20, "test": 100}, "old": 60}
ITERATIONS, RELATED, LONGEST, SHOWN = 20, 4, 8, 5
POLICY, SIZE = 3, 50
COUNTED = ("dialogs", "answers", "foreign", "outside", "one_digit", "unanswered")
SPELLED = (
    *("zero|no|none", "one|a|an|myself|me|i", "two|couple|both", "three", "four", "five", "six", "seven", "eight"),
    *("nine", "ten", "eleven", "twelve"),
)
"""Words for numbers, by number."""
_WORDS = re.compile(r"\w+(?:['.:,@-]\w+)*")
_NUMBERS = re.compile(r"\d+")
_FIRST = re.compile(r"(?:^|[.!?]\s+)(\w+)")

Event = Turn | Record | Note


class Judge:
    """Finds what an answer says that its conversation does not.

    Args:
        dialogs: all whose values must not be said to others.
        own: those of the task, which tell what its system says by itself.
    """

    def __init__(self, dialogs: Iterable[Dialog], own: Sequence[Dialog] = ()) -> None:
        self.values: set[tuple[str, ...]] = set()
        self.policy: set[str] = set()
        for dialog in dialogs:
            for value in _values(dialog):
                words = tuple(_WORDS.findall(value))
                digits = any(map(str.isdigit, value))  # numbers are looked for apart, however they are written
                if 0 < len(words) <= LONGEST and not digits and (any(map(str.isupper, value)) or len(words) > 1):
                    self.values.add(words)
        said = Counter(value for dialog in own for value in self._by_itself(dialog))
        self.policy = {value for value, times in said.items() if times >= POLICY}

    def _by_itself(self, dialog: Dialog) -> set[str]:
        """What the system of a dialog says that nobody told it."""
        events = dialog.events
        turns = [(place, event) for place, event in enumerate(events) if isinstance(event, Turn)]
        return {value for place, turn in turns for value in self.strangers(turn.system, events[:place], turn.user)}

    def strangers(self, text: str, before: Sequence[Event], user: str) -> list[str]:
        """Numbers and values in an answer that stand nowhere before it."""
        held = "\n".join([*map(_text, before), user]).lower()
        numbers = {*map(_bare, _NUMBERS.findall(held)), *_counted(before)}
        numbers |= {str(int(hour) - 12) for hour in numbers if len(hour) == 2 and 12 < int(hour) < 24}  # 8 pm
        numbers |= {str(number) for number, word in enumerate(SPELLED) if re.search(rf"\b({word})\b", held)}
        heard = set(_WORDS.findall(held))
        words = _WORDS.findall(text)
        named = (words[start : start + size] for size in range(1, LONGEST + 1) for start in range(len(words)))
        first = {match[1] for match in _FIRST.finditer(text)}  # "Hope you …" names no song
        found = [" ".join(own) for own in named if tuple(own) in self.values and " ".join(own) not in first]
        new = [value for value in found if not heard.issuperset(value.lower().split())]
        strange = [number for number in map(_bare, _NUMBERS.findall(text)) if number not in numbers] + new
        return [value for value in strange if value not in self.policy]


def _values(dialog: Dialog) -> Iterator[str]:
    for event in dialog.events:
        if isinstance(event, Record):
            yield from (value for _, value in event.flat())
        elif isinstance(event, Turn):
            yield from (event.system[span.start : span.end] for span in event.spans)


def _counted(events: Sequence[Event]) -> set[str]:
    """How many records came at a time."""
    runs = groupby(events, key=lambda event: isinstance(event, Record))
    return {str(len(list(some))) for records, some in runs if records}


def _bare(number: str) -> str:
    return str(int(number))


def _text(event: Event) -> str:
    return f"{event.user}\n{event.system}" if isinstance(event, Turn) else event.text


def replayed(trained: TrainedModel, dialogs: Sequence[Dialog], judge: Judge) -> dict[str, Any]:
    """Answer every turn as it came, and count what must not be said."""
    slots, counts, shown = (
        trained.encoding.reader.slots,
        dict.fromkeys(("answers", "foreign", "outside", "one_digit"), 0),
        [],
    )
    unanswered = 0
    for one in answered(trained, dialogs):
        dialog, before, turn, text = one.dialog, one.before, one.turn, one.text
        if text is None:
            unanswered += 1
            continue
        foreign = foreign_values(text, (*before, Turn(turn.user, "")), dialog.profile, slots)
        strangers = judge.strangers(text, before, turn.user)
        counts["answers"] += 1
        counts["foreign"] += bool(foreign)
        small = [value for value in strangers if len(value) == 1]
        strangers = [value for value in strangers if len(value) > 1]
        counts["outside"] += bool(strangers)
        counts["one_digit"] += bool(small)
        if foreign or strangers:
            shown.append({"value": (foreign or strangers)[0], "answer": text, "user": turn.user})
    return {"dialogs": len(dialogs), **counts, "unanswered": unanswered, "shown": shown[:SHOWN]}


def measured(data: dict[str, Any], test: Path, judge: Judge, iterations: int) -> Iterator[dict[str, Any]]:
    """A row for each that is predicted."""
    dialogs = read_dialogs(test)
    for predict in PREDICTED:
        training = {"method": "multitask", "iterations": iterations, "evaluate_every": iterations}
        model = {"sentences": "bag-of-words"}
        config = config_from({"data": {**data, "predict": predict}, "training": training, "model": model})
        with tempfile.TemporaryDirectory() as scratch:
            run = Path(scratch, "run")
            train(config, run)
            yield {"predict": predict, **replayed(TrainedModel.load(run), dialogs, judge)}


def of_services(source: Path, primaries: Sequence[str], iterations: int) -> Iterator[dict[str, Any]]:
    """Rows of the Schema-Guided services."""
    for primary in primaries:
        files = sorted(source.glob("*.json"))
        place = [file.stem for file in files].index(primary)
        some = [files[(place + step) % len(files)] for step in range(RELATED + 1)]
        with tempfile.TemporaryDirectory() as scratch:
            for file in some:
                Path(scratch, "archive").mkdir(exist_ok=True)
                Path(scratch, "archive", file.name).symlink_to(file.resolve())
            board = BoardData(Path(scratch, "archive"), Path(scratch, "board"))
            board.prepare([primary], ["clean"], 1)
            judge = Judge((dialog for file in some for dialog in read_dialogs(file)), read_dialogs(some[0]))
            data = {
                "primary": str(board.split(primary, 0, "train")),
                "valid": str(board.split(primary, 0, "valid")),
                "related": list(map(str, board.related(primary, "clean", 0))),
                "size": min(SIZE, board.most(primary)),
            }
            for row in measured(data, board.test(primary), judge, iterations):
                yield {"primary": primary, "related": [file.stem for file in some[1:]], **row}


def of_support(iterations: int) -> Iterator[dict[str, Any]]:
    """Rows of the simulated support desk."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        new, old = (simulate_support(desk=desk, dialogs=DIALOGS[desk], seed=1) for desk in ("new", "old"))
        write_support(new, old, folder)
        every = (dialog for desk in (new, old) for part in desk.values() for dialog in part)
        judge = Judge(every, [dialog for part in new.values() for dialog in part])
        related = [str(path) for path in sorted((folder / "old").iterdir())]
        data = {"primary": str(folder / "new"), "valid": str(folder / "new"), "related": related}
        for row in measured(data, folder / "new" / "test.jsonl", judge, iterations):
            yield {"primary": SUPPORT, **row}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--primaries", default=",".join((*PRIMARIES, SUPPORT)))
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    parser.add_argument("--json", type=Path, dest="out")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    wanted = arguments.primaries.split(",")
    services = [name for name in wanted if name != SUPPORT]
    rows: dict[str, dict[str, Any]] = {}
    out: Path | None = arguments.out
    if out is not None and out.exists():
        rows = {_key(row): row for row in json.loads(out.read_text())["rows"]}
    with remembered(16):
        of_desk = of_support(arguments.iterations) if SUPPORT in wanted else ()
        of_others = of_services(arguments.data, services, arguments.iterations) if services else ()
        for row in chain(of_desk, of_others):
            rows[_key(row)] = row
            print(json.dumps(row), flush=True)
            if out is not None:
                out.write_text(json.dumps(recorded(rows, arguments.iterations), indent=2, ensure_ascii=False) + "\n")
    totals = recorded(rows, arguments.iterations)["all"]
    print(json.dumps(totals))
    if totals["foreign"] or totals["outside"]:
        raise SystemExit("answers hold values that are not in their conversations")


def recorded(rows: Mapping[str, Mapping[str, Any]], iterations: int) -> dict[str, Any]:
    """The record of rows."""
    totals = {name: sum(row[name] for row in rows.values()) for name in COUNTED}
    command = "python -m benchmarks.foreign_values --data data/sgd"
    return {"command": command, "iterations": iterations, "all": totals, "rows": list(rows.values()), **machine()}


def _key(row: Mapping[str, Any]) -> str:
    return f"{row['primary']} {row['predict']}"


if __name__ == "__main__":
    main()
