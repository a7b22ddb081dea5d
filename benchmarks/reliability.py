"""Write docs/reliability.md from the record of the long runs, ``results/reliability.json``.

    python -m benchmarks.reliability [--check]

The record is made by ``make kills`` and ``make fuzz``, ``results/checkpoints.json`` by ``python -m
benchmarks.checkpoints --json results/checkpoints.json``, and ``results/serve.json`` by ``benchmarks.serve``.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "results" / "reliability.json"
COST = ROOT / "results" / "checkpoints.json"
LOAD = ROOT / "results" / "serve.json"
PAGE = ROOT / "docs" / "reliability.md"

INTRODUCTION = """# What happens when things go wrong

Written by `python -m benchmarks.reliability` from the records in `results/`; not by hand.

Kill a run and start it again with the same command: it ends with the very files that it would have left undisturbed,
byte for byte. These are its metrics, the weights of the examples, and the best and last model. Only the times differ
(`times.jsonl`, `seconds` in `result.json`). This holds for one machine, one set of versions and the CPU, with any
number of worker processes.

## Why a run ends as if undisturbed

- What an iteration does follows from the seed, its number and the state. The state is in the checkpoint: parameters,
  optimisers, the random states of the CPU and of CUDA devices, early stopping. What is drawn for the order of
  examples, for initial parameters and for each other purpose comes from a stream of its own.
- The best model so far is on the disk once, in `best.safetensors`. It is written after the checkpoint of the
  validation that found it. A run that was killed in between finds it in that checkpoint.
- A file is written beside its place, brought to the disk and renamed. Then its folder is brought to the disk.
- Checkpoints carry a SHA-256 over every byte and a format number. The last two are kept. If the last one is damaged,
  the run says so in one sentence and goes on from the one before.
- A lock of the operating system keeps a second process out of a run folder. It says who holds it, and ends with the
  process that holds it.

## When numbers are not finite

No update is made by a loss or gradient that is not finite.

- **Primary and related updates.** On the CPU the run ends there. Reading every number of a GPU would make the program
  wait; so the GPU leaves the update out by itself, and the run ends at the next validation, before the checkpoint.
- **Meta-updates.** A single meta-gradient that is not finite, or so large that its square is not, is left out, as the
  simulated updates touch neither the model nor the weight module. 20 in a row end the run. How many were left out is
  said at its end and in `result.json`, with a warning where that was more than half.
- **Weights.** Where a weight module gives weights that are not finite, the error names the module.
"""

ENDINGS = """## How commands end

| what happens | what follows | exit code |
|---|---|---|
| Ctrl-C | clean stop; the same command goes on | 130 |
| SIGTERM | clean stop; the same command goes on | 143 |
| SIGKILL, power failure | the same command goes on from the last checkpoint | – |
| disk full, folder not writable | one sentence; nothing half-written stays; the same command goes on | 2 |
| last checkpoint damaged or not ours | one sentence; set aside; goes on from the one before | 0 |
| both checkpoints damaged | one sentence; nothing is touched | 2 |
| best model lost or damaged before the end | one sentence; nothing is touched | 2 |
| a loss or gradient is not finite | one sentence with iteration and update; the last good checkpoint stays | 2 |
| second process on one folder | one sentence; the first one is not disturbed | 2 |
| a run of a comparison diverges | the others finish; named in the table and in `failed` of the record | 2 |
| a plug-in's model or weight module breaks its contract | one sentence before the first iteration | 2 |
| a damaged input file | one sentence with file and line | 2 |

`tests/reliability/`, `tests/fuzz/` and `tests/unit/test_divergence.py` check all of this: briefly in `make test`, and
at the length of the tables below with `make kills` and `make fuzz`.
"""


def faults(record: dict[str, Any]) -> list[str]:
    """The section on kills and full disks."""
    lines = ["## Faults", "", f"`{record['command']}` ({made_with(record)}):", ""]
    lines += ["| fault | times | in so many trainings | ended as if undisturbed | lost |", "|---|---|---|---|---|"]
    for row in record["rows"]:
        cells = (row["fault"], row["tried"], row["trainings"], row["identical"], row["lost"])
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return [*lines, ""]


def fuzzing(record: dict[str, Any]) -> list[str]:
    """The section on damaged files."""
    total, crashes = (sum(row[key] for row in record["rows"]) for key in ("inputs", "crashes"))
    lines = ["## Damaged files", "", f"`{record['command']}` ({made_with(record)}). Every reader must end in a"]
    lines += ["result or in one clear sentence, within 10 seconds. A whole file is damaged at random (`mutation`)."]
    lines += ["With `coverage`, atheris kept the files that reached new lines, and damaged them further.", ""]
    lines += ["| reader | files | made by | crashes |", "|---|---|---|---|"]
    for row in sorted(record["rows"], key=lambda row: str(row["reader"])):
        lines.append(f"| {row['reader']} | {row['inputs']:,} | {row['engine']} | {row['crashes']} |")
    lines += [f"| all | {total:,} | | {crashes} |", ""]
    return [*lines, *(line for note in record.get("notes", []) for line in (textwrap.fill(note, 118), ""))]


def load(record: dict[str, Any], fuzzed: dict[str, Any]) -> list[str]:
    """The section on the server."""
    rows = [row for row in fuzzed.get("rows", []) if row["reader"].startswith("server: ")]
    sent, faults = (sum(row[key] for row in rows) for key in ("inputs", "crashes"))
    at_once = record["at_once"]
    return [
        "## The server under load",
        "",
        "| what was sent | answers | faults of ours |",
        "|---|---|---|",
        f"| {at_once['clients']} clients at once for {at_once['seconds']:g} s (`python -m benchmarks.serve`) "
        f"| {at_once['answers']:,} | {at_once['errors']} |",
        f"| damaged bodies and addresses (`server: …` above) | {sent:,} | {faults} |",
        "",
        "`tests/web/test_gate.py` and `tests/web/test_server.py` send slow, endless and too many requests, foreign",
        "hosts and oversized bodies.",
        "",
    ]


def cost(record: dict[str, Any]) -> list[str]:
    """The section on what checkpoints cost."""
    share = 100 * record["writing"]
    return [
        "## What it costs",
        "",
        "`python -m benchmarks.checkpoints --json results/checkpoints.json`: writing checkpoints takes",
        f"{share:.2f} % of the time of a training with the defaults. That is too little to be told from noise:",
        f"whole trainings with them took {record['ratio']:.2f} times as long as without, and",
        f"{record['cpu_ratio']:.2f} times the processor's time (in turns, medians of {record['rounds']} rounds).",
        "",
    ]


def made_with(record: dict[str, Any]) -> str:
    """Versions in words."""
    return f"Python {record['python']}, torch {record['torch']}, {record['system']}"


def page() -> str:
    """The whole file."""
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    parts = [*INTRODUCTION.splitlines(), "", *ENDINGS.splitlines(), ""]
    for name, section in (("faults", faults), ("fuzz", fuzzing)):
        parts += section(record[name]) if name in record else []
    parts += load(json.loads(LOAD.read_text()), record.get("fuzz", {})) if LOAD.exists() else []
    parts += cost(json.loads(COST.read_text())) if COST.exists() else []
    return "\n".join(parts).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if the page differs")
    if parser.parse_args().check:
        differs = "docs/reliability.md differs from the records; run python -m benchmarks.reliability"
        raise SystemExit(0 if PAGE.read_text() == page() else differs)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
