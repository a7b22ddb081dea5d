"""Fuzz every reader with many files, guided by coverage where atheris is installed.

    python -m tests.fuzz.long [--inputs 100000] [--reader NAME]… [--json results/reliability.json]

Each reader runs in a process of its own. With atheris (``pip install atheris``) files that reach new lines of the
package are kept and changed further; without it they are made from whole ones by the damages of
:mod:`tests.fuzz.mutation`. A file that breaks a reader is kept under ``fuzz-crashes/``.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.fuzz.mutation import mutated
from tests.reliability.record import DEFAULT, machine, merged, read, update

CRASHES = Path("fuzz-crashes")
LARGEST_FILE = 4096
LARGEST_MEMORY = 3072
"""Mebibytes; the libraries take the most of them."""


def fuzz_one(name: str, inputs: int, seed: int) -> None:
    """Fuzz one reader in this process; ends it."""
    if importlib.util.find_spec("atheris") is None:
        _mutate(name, inputs, seed)
    else:
        _guided(name, inputs, seed)


def _mutate(name: str, inputs: int, seed: int) -> None:
    from tests.fuzz.contract import Broken, check
    from tests.fuzz.targets import targets

    target = targets()[name]
    with tempfile.TemporaryDirectory() as folder:
        for number in range(inputs):
            data = mutated(target.seeds, seed * inputs + number)
            try:
                check(target, Path(folder), data)
            except Broken:
                CRASHES.mkdir(exist_ok=True)
                (CRASHES / f"crash-{number}").write_bytes(data)
                raise
    print(f"stat::number_of_executed_units: {inputs}")


def _guided(name: str, inputs: int, seed: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["tasksieve"]):
        from tests.fuzz.contract import check
        from tests.fuzz.targets import targets

    target = targets()[name]
    folder = Path(tempfile.mkdtemp())
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(data)

    def one(data: bytes) -> None:
        check(target, folder, data)

    def change(data: bytes, largest: int, number: int) -> bytes:
        if random.Random(number).random() < 0.5:
            return bytes(atheris.Mutate(data, largest))
        return mutated((data, data, *target.seeds), number)[:largest]

    CRASHES.mkdir(exist_ok=True)
    largest = max(LARGEST_FILE, 2 * max(map(len, target.seeds)))
    options = {"runs": inputs, "seed": seed + 1, "max_len": largest, "rss_limit_mb": LARGEST_MEMORY}
    options |= {"handle_alrm": 0, "print_final_stats": 1, "verbosity": 1, "reload": 0}
    words = [f"-{key}={value}" for key, value in options.items()]
    atheris.Setup(["fuzz", *words, f"-artifact_prefix={CRASHES}/", str(corpus)], one, custom_mutator=change)
    atheris.Fuzz()


def fuzz_in_process(name: str, inputs: int, seed: int) -> dict[str, Any]:
    """Fuzz one reader in a process of its own; says how many files it read, and how it ended."""
    words = [sys.executable, "-m", "tests.fuzz.long", "--one", name, "--inputs", str(inputs), "--seed", str(seed)]
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        code = subprocess.run(words, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
        log.seek(0)
        text = log.read()
    read = re.search(r"number_of_executed_units: *(\d+)", text)
    lines = [line for word in ("ERROR", "Broken") for line in text.splitlines() if word in line]
    return {
        "reader": name,
        "inputs": int(read[1]) if read else 0,
        "crashes": int(code != 0),
        "engine": "mutation" if importlib.util.find_spec("atheris") is None else "coverage",
        "seconds": round(time.monotonic() - started),
        **({"first_crash": (lines or text.splitlines()[-1:] or [""])[-1][:300]} if code else {}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000, help="files for each reader")
    parser.add_argument("--reader", action="append", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, dest="out", default=DEFAULT)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        fuzz_one(arguments.one, arguments.inputs, arguments.seed)
        return
    from tests.fuzz.targets import targets

    rows = []
    for name in arguments.reader or targets():
        rows.append(fuzz_in_process(name, arguments.inputs, arguments.seed))
        print(rows[-1], flush=True)
        command = f"python -m tests.fuzz.long --inputs {arguments.inputs}"
        known = merged(read(arguments.out).get("fuzz", {}).get("rows", []), rows, "reader")
        update(arguments.out, fuzz={"command": command, "rows": known, **machine()})
    if any(row["crashes"] for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
