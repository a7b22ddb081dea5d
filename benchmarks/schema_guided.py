"""Files of the Schema-Guided data as they are read: every dialog, every answer of a service, every fact seen.

    python -m benchmarks.schema_guided FOLDER [--json results/schema-guided.json]

FOLDER has one file for each service, as ``tasksieve data sgd`` makes them. What the files hold is counted from their
JSON, apart from the readers: dialogs, turns of the system, answers of services and their values, and values with a
place in an utterance of the system. Of each is counted how many are missing or other in what was read. What the
model does not see of the facts is counted by ``tasksieve audit``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasksieve.audit import audit
from tasksieve.dialogs import Dialog, Record
from tasksieve.dialogs.formats import iterate_dialogs
from tests.reliability.record import machine

COUNTED = ("dialogs", "turns", "records", "values", "places")


def held(dialog: dict[str, Any]) -> tuple[Counter[Any], ...]:
    """What a dialog of the file holds: turns, answers, their values, and values with a place."""
    found = tuple(Counter[Any]() for _ in COUNTED[1:])
    turns, records, values, places = found
    for turn in dialog["turns"]:
        for frame in turn["frames"]:
            for result in frame.get("service_results", ()):
                fields = tuple(sorted((name, str(value)) for name, value in result.items()))
                records[frame["service"], fields] += 1
                values.update((frame["service"], *field) for field in fields)
        if turn["speaker"] == "SYSTEM":
            said = turn["utterance"]
            turns[said.strip()] += 1
            spans = {
                (slot["slot"], said[slot["start"] : slot["exclusive_end"]])
                for frame in turn["frames"]
                for slot in frame.get("slots", ())
            }
            places.update(spans)
    return found


def read(dialog: Dialog) -> tuple[Counter[Any], ...]:
    """The same of a dialog as it is read."""
    found = tuple(Counter[Any]() for _ in COUNTED[1:])
    turns, records, values, places = found
    for event in dialog.events:
        if isinstance(event, Record) and event.fields:
            fields = tuple(sorted((str(name), str(value)) for name, value in event.fields))
            records[event.kind, fields] += 1
            values.update((event.kind, *field) for field in fields)
    for turn in dialog.turns:
        turns[turn.system] += 1
        places.update({(span.slot, turn.system[span.start : span.end]) for span in turn.spans})
    return found


def row(path: Path) -> dict[str, Any]:
    """What one file holds, and what of it is lost or not seen."""
    started = time.monotonic()
    counted, missing = Counter[str](), Counter[str]()
    dialogs = json.loads(path.read_text(encoding="utf-8"))
    seen = list(iterate_dialogs(path))
    counted["dialogs"], missing["dialogs"] = len(dialogs), abs(len(dialogs) - len(seen))
    for old, new in zip(dialogs, seen, strict=False):
        for name, had, has in zip(COUNTED[1:], held(old), read(new), strict=True):
            counted[name] += had.total()
            missing[name] += (had - has).total() + (has - had).total()
    (size,) = audit(path).record()["sizes"]
    facts = {"given": size["facts"]["given"], "unseen": size["facts"]["given"] - size["facts"]["seen"]}
    lost = {name: missing[name] for name in COUNTED}
    seconds = round(time.monotonic() - started, 1)
    held_by_file = {name: counted[name] for name in COUNTED}
    return {"file": path.stem, **held_by_file, "missing": lost, "facts": facts, "seconds": seconds}


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.json")):
        yield row(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, dest="out")
    arguments = parser.parse_args()
    found = []
    for one in rows(arguments.folder):
        print(one, flush=True)
        found.append(one)
    whole = {name: sum(one[name] for one in found) for name in COUNTED}
    whole |= {"missing": sum(sum(one["missing"].values()) for one in found)}
    whole |= {f"facts {name}": sum(one["facts"][name] for one in found) for name in ("given", "unseen")}
    print(whole)
    if arguments.out:
        record = {"command": "python -m benchmarks.schema_guided data/sgd", "all": whole, "rows": found, **machine()}
        arguments.out.write_text(json.dumps(record, indent=2) + "\n")
    if whole["missing"] or whole["facts unseen"]:
        raise SystemExit("something was lost, or is not seen")


if __name__ == "__main__":
    main()
