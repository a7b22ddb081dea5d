"""Check what `tasksieve sieve` writes with the tools' own checkers, and record which version checked what.

    python -m benchmarks.export_checks --python llama-factory,axolotl=/path/to/python --python together=…

Dialogs of two simulated support desks, and one with calls of tools, are written for every tool. Each file is then
checked by its schema in ``tests/unit/finetuning_schemas``, and by the Python that is named for its tool, which needs
that tool alone.
``results/export-checks.json`` is written; a tool that was not checked this time keeps what is there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

from tasksieve.dialogs.dialog import Dialog
from tasksieve.dialogs.finetuning import TOOLS, ChatTask, Cut, Dialogs, weights_for
from tasksieve.dialogs.finetuning.chats import WeightedChat
from tasksieve.dialogs.formats.chat import write_chat
from tasksieve.dialogs.simulate import simulate_support

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "results" / "export-checks.json"
SCHEMAS = ROOT / "tests" / "unit" / "finetuning_schemas"
CHECKERS = ROOT / "benchmarks" / "export_checkers.py"
_CALL = {"id": "call_1", "type": "function", "function": {"name": "find_bus", "arguments": '{"to": "Rome"}'}}
WITH_CALLS: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Help with buses."},
        {"role": "user", "content": "a bus to Rome"},
        {"role": "assistant", "content": None, "tool_calls": [_CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"at": "9"}'},
        {"role": "assistant", "content": "there is one at 9"},
        {"role": "user", "content": "thanks"},
        {"role": "assistant", "content": "goodbye"},
        {"role": "assistant", "content": "see you"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "find_bus",
                "description": "Find buses.",
                "parameters": {"type": "object", "properties": {"to": {"type": "string"}}},
            },
        }
    ],
}
"""A dialog in which a tool is called, and the assistant speaks twice in a row."""


class _Several:
    def __init__(self, tasks: list[ChatTask]) -> None:
        self._tasks = tasks

    def __iter__(self) -> Iterator[WeightedChat]:
        for task in self._tasks:
            yield from task


def main() -> None:
    """Write, check and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", default=[], metavar="TOOL,…=PYTHON")
    pythons = {
        name: python
        for given in parser.parse_args().python
        for name in given.partition("=")[0].split(",")
        for python in [given.partition("=")[2]]
    }
    record: dict[str, Any] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tool, facts in write_all(folder).items():
            record[tool] = {**record.get(tool, {}), **facts, **_by_schema(tool, folder / tool)}
            if tool in pythons:
                record[tool]["checked"] = _by_tool(pythons[tool], tool, folder / tool)
            print(tool, json.dumps(record[tool].get("checked", "by schema alone")))
    RECORD.write_text(json.dumps(dict(sorted(record.items())), indent=1) + "\n")


def write_all(folder: Path) -> dict[str, dict[str, Any]]:
    """Write the dialogs for every tool into a folder of its name; returns how many there are, and what was lost."""
    new = simulate_support(desk="new", dialogs={"train": 5, "valid": 3}, seed=7)
    old = simulate_support(desk="old", dialogs=3, seed=7)
    calls = folder / "calls.jsonl"
    calls.write_text(json.dumps(WITH_CALLS) + "\n")
    related = [ChatTask("calls", calls, {(0, turn): (0.25, 1.0, 0.0, 0.7)[turn] for turn in range(4)})]
    for service, dialogs in old.items():
        path = _written(folder / f"{service}.jsonl", dialogs)
        turns = [(d, t) for d, dialog in enumerate(dialogs) for t, turn in enumerate(dialog.turns) if turn.learned]
        related.append(ChatTask(service, path, {place: (n * 7 % 20) / 20 for n, place in enumerate(turns)}))
    found = {}
    for name, tool in sorted(TOOLS.items()):
        chosen = weights_for([task.weights or {} for task in related], Cut(), flags=tool.flags)
        tasks = [ChatTask(task.service, task.path, w) for task, w in zip(related, chosen.weights, strict=True)]
        own = [ChatTask("primary", _written(folder / f"{part}.jsonl", new[part])) for part in ("train", "valid")]
        (folder / name).mkdir()
        written = tool.write(Dialogs(_Several([own[0], *tasks]), own[1]), folder / name)
        found[name] = {"rows": written.rows, "dialogs": written.dialogs, "lost": dict(written.lost)}
    return found


def _written(path: Path, dialogs: list[Dialog]) -> Path:
    write_chat(dialogs, path)
    return path


def _by_schema(tool: str, folder: Path) -> dict[str, Any]:
    schema = SCHEMAS / f"{tool}.json"
    if not schema.exists():
        return {}
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text()))
    rows = [json.loads(line) for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    for row in rows:
        validator.validate(row)
    return {"schema": {"file": str(schema.relative_to(ROOT)), "rows": len(rows)}}


def _by_tool(python: str, tool: str, folder: Path) -> Any:
    words = [python, str(CHECKERS), tool, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        raise SystemExit(f"{tool}: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
