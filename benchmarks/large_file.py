"""A large file of chat messages, validated and converted: the highest memory, and how fast it goes.

    python -m benchmarks.large_file [--mb 1000] [--folder DIR] [--json results/large-file.json]

The file is made first, of different sentences, with calls of tools and their results in some dialogs, so that what a
reader keeps between dialogs would be seen to grow. Each command runs in a process of its own. The memory is the
highest resident size of that process and of those that it starts, summed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.reliability.record import machine

MB = 1_000_000
LIMIT_MB = 300
"""What a command may have at its highest."""
TASKS: dict[str, tuple[str, ...]] = {
    "validate": ("validate", "large.jsonl"),
    "convert to chat, gzip": ("convert", "large.jsonl", "out.jsonl.gz"),
    "convert to CSV": ("convert", "large.jsonl", "out.csv"),
    "convert to Parquet": ("convert", "large.jsonl", "out.parquet"),
    "validate, gzip": ("validate", "out.jsonl.gz"),
    "validate, Parquet": ("validate", "out.parquet"),
}
"""Arguments of the commands, in an order in which the files that they read are there."""


def dialogs(chance: random.Random) -> Iterator[dict[str, Any]]:
    """Dialogs without an end."""
    number = 0
    while True:
        messages: list[dict[str, Any]] = []
        for turn in range(chance.randrange(2, 9)):
            said = f"{turn} {' '.join(f'{chance.getrandbits(24):x}' for _ in range(chance.randrange(4, 40)))}"
            messages += [{"role": "user", "content": said}, {"role": "assistant", "content": f"yes {said}"}]
        if number % 4 == 0:
            arguments = json.dumps({"city": f"{chance.getrandbits(32):x}"})
            call = {"id": "c", "type": "function", "function": {"name": "find", "arguments": arguments}}
            found = json.dumps([{"name": f"{chance.getrandbits(32):x}", "stars": n} for n in range(3)])
            messages += [
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c", "content": found},
                {"role": "assistant", "content": "this one"},
            ]
        number += 1
        yield {"messages": messages}


def make(path: Path, size: int) -> None:
    """Write a file of so many bytes, or one dialog more."""
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for value in dialogs(random.Random(0)):
            written += file.write(json.dumps(value) + "\n")
            if written >= size:
                return


def measured(arguments: tuple[str, ...], folder: Path) -> dict[str, float]:
    """Run a command in a folder: seconds, those of the processor, and the highest memory in MB."""
    started, used = time.monotonic(), _used()
    process = subprocess.Popen([sys.executable, "-m", "tasksieve", *arguments], cwd=folder, stdout=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(map(resident_mb, family(process.pid))))
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    seconds = round(time.monotonic() - started, 1)
    return {"seconds": seconds, "cpu_seconds": round(_used() - used, 1), "peak_mb": round(peak)}


def _used() -> float:
    """Seconds of the processor that ended children have used, and theirs."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def family(pid: int) -> list[int]:
    """A process and those that it started, and those that they did."""
    found = [pid]
    for parent in found:
        try:
            tasks = list(Path(f"/proc/{parent}/task").iterdir())
            found += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def resident_mb(pid: int) -> float:
    """The resident size of a process now; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB
    except (OSError, IndexError):
        return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=1000, help="of the file of chat messages")
    parser.add_argument("--folder", type=Path, help="where the files are made; three times the size is needed")
    parser.add_argument("--task", action="append", choices=list(TASKS), help="only this one; may be repeated")
    parser.add_argument("--json", type=Path, dest="out")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        make(folder / "large.jsonl", arguments.mb * MB)
        for task in arguments.task or TASKS:
            found = measured(TASKS[task], folder)
            rows.append({"task": task, **found, "mb_per_cpu_second": round(arguments.mb / found["cpu_seconds"], 1)})
            print(rows[-1], flush=True)
    command = f"python -m benchmarks.large_file --mb {arguments.mb}"
    if arguments.out:
        record = {"command": command, "mb": arguments.mb, "rows": rows, **machine()}
        arguments.out.write_text(json.dumps(record, indent=2) + "\n")
    if any(row["peak_mb"] > LIMIT_MB for row in rows):
        raise SystemExit(f"more than {LIMIT_MB} MB")


if __name__ == "__main__":
    main()
