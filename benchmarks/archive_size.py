"""What grows with the number of related turns: start-up, memory, iterations, the server's pages.

    python -m benchmarks.archive_size [--turns 20000,100000,1000000] [--predict actions|responses] [--folder DIR]
        [--json FILE]

The dialogs are those of the simulated support desks. Up to `READ` turns they are simulated and read. A larger archive
is the one of `READ` turns written to the disk over and over, with sentences and dialogs of its own each time, as if
all of it had been read: what a run does with it after that is measured, the first reading is not. Each size has
a process of its own, which trains `learned` on bags of words, or on those and stand-in vectors of `DIM` numbers, and
then asks for the pages of the server. Actions are predicted, or responses by the model that ranks them, each in a
record of its own. Seconds are of the process's own work on the processor, which other programs
lengthen less; those that passed on the clock are recorded beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.archive_copies import write_copies
from tasksieve.encoding.archived_task import ArchivedTask
from tasksieve.records.config import RunConfig, config_from
from tasksieve.records.progress import RunProgress
from tasksieve.records.run_folder import RunFolder
from tasksieve.serve import views
from tasksieve.serve.recorded import Recorded
from tasksieve.serve.selection import Page
from tasksieve.training.runs import archive_tasks
from tasksieve.training.runs.dialogs import train
from tasksieve.training.runs.settled import settled
from tasksieve.variables import LARGE_FILES
from tests.desks import data_of_desks, write_desks
from tests.reliability.record import machine

READ = 100_000
TURNS_A_DIALOG, SERVICES = 11.7, 9
"""About, of the simulated archive."""
ITERATIONS, FROM = 120, 40
"""Of a run, and from which its rate is measured."""
DIM = 64
ROUNDS = 15
WORDS = (
    "street",
    "tariff",
    "meter",
    "contract",
    "invoice",
    "payment",
    "august",
    "monday",
    "number",
    "address",
    "again",
)
"""That a page of examples is searched for in turn."""
KINDS = ("bag-of-words", "both")
RECORDS = {"actions": Path("results/archive-size.json"), "responses": Path("results/archive-size-responses.json")}
"""By what is predicted."""
MODELS = {"actions": "matching", "responses": "ranking"}


class StandIn:
    """An encoder without a network: vectors drawn by a text's digest."""

    name, dim, digest = "stand-in", DIM, "0" * 32

    def embed(self, texts: Any, progress: Any = None) -> Any:
        import torch

        seeds = np.array([hash_of(text) for text in texts], dtype=np.uint64).reshape(-1, 1)
        rows = (seeds * (2 * np.arange(1, DIM + 1, dtype=np.uint64) + 1)) % np.uint64(1 << 16)
        return torch.from_numpy((rows / (1 << 15) - 1).astype(np.float32)) / DIM**0.5

    fresh = embed


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    from hashlib import blake2b

    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "little")


def memory() -> dict[str, float]:
    """Resident megabytes now: of the process's own, and of files, which the system takes back at need."""
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return {name: int(lines[key].split()[0]) / 1e3 for name, key in (("own", "RssAnon"), ("files", "RssFile"))}


class Watched:
    """Notes the clocks at iterations, and the highest memory of the process's own."""

    def __init__(self) -> None:
        self.at: dict[int, tuple[float, float]] = {}
        self.own = self.files = 0.0

    def __call__(self, report: RunProgress | None = None) -> None:
        if report is not None:
            self.at.setdefault(report.step, (time.process_time(), time.perf_counter()))
        now = memory()
        self.own, self.files = max(self.own, now["own"]), max(self.files, now["files"])


def config_of(data: Path, sentences: str, predict: str) -> RunConfig:
    """A short run of `learned` that predicts actions or responses."""
    values: dict[str, Any] = {
        "data": data_of_desks(data, predict),
        "model": {"kind": MODELS[predict], "sentences": sentences},
        "training": {"threads": 1, "iterations": ITERATIONS, "evaluate_every": ITERATIONS, "snapshot_every": FROM},
        "meta": {"warm_up": 10},
    }
    return settled(config_from(values))


def measured(data: Path, sentences: str, predict: str, out: Path) -> dict[str, Any]:
    """Train in this process, then look at the pages."""
    shutil.rmtree(out, ignore_errors=True)
    watched, begun = Watched(), (time.process_time(), time.perf_counter())
    before = memory()["own"]
    loaded = archive_tasks.load_tasks

    def load(*given: Any) -> Any:
        tasks = loaded(*given)
        assert isinstance(tasks.related[0], ArchivedTask)
        watched()
        return tasks

    from tasksieve.training.runs import dialogs

    dialogs.load_tasks = load  # type: ignore[assignment]
    result = train(config_of(data, sentences, predict), out, watched)
    watched()
    ended = time.process_time(), time.perf_counter()
    first, last, total = 10, ITERATIONS, ITERATIONS - FROM
    each = [(watched.at[last][n] - watched.at[FROM][n]) / total for n in (0, 1)]
    row = {
        "start_up_s": watched.at[first][0] - begun[0] - first * each[0],
        "start_up_clock_s": watched.at[first][1] - begun[1] - first * each[1],
        "iteration_ms": 1e3 * each[0],
        "iteration_clock_ms": 1e3 * each[1],
        "end_s": ended[0] - watched.at[last][0],
        "imports_mb": before,
        "own_mb": watched.own,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "valid_accuracy": result["valid_accuracy"],
        "examples": RunFolder(out).read_examples().height,
        "recorded": [RunFolder(out).read_weights(step).height for step in RunFolder(out).weight_steps()],
    }
    return {**row, "pages": pages(out)}


def pages(run: Path) -> dict[str, Any]:
    """Median milliseconds of each page, asked for in turn; and the seconds until the first."""
    began = time.process_time()
    found = Recorded(run).examples()
    words = iter(WORDS * (ROUNDS + 1))
    size, step = len(found), found.steps[1]
    asked: dict[str, Callable[[], Any]] = {
        "overview": lambda: views.overview(found, None),
        "examples": lambda: views.example_page(found, Page(limit=50)),
        "examples, far on": lambda: views.example_page(found, Page(limit=50, offset=size // 2)),
        "examples, another iteration": lambda: views.example_page(found, Page(limit=50, step=step)),
        "examples, range": lambda: views.example_page(found, Page(limit=50, low=0.2, high=0.8, order="risen")),
        "examples, new word": lambda: views.example_page(found, Page(limit=50, text=next(words))),
        "dialogs": lambda: views.dialog_page(found, Page(limit=50)),
        "one dialog": lambda: views.one_dialog(found, 0, 3, None),
    }
    for ask in asked.values():
        ask().model_dump_json()
    first = time.process_time() - began
    times: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for name, ask in asked.items():
            start = time.process_time()
            ask().model_dump_json()
            times[name].append(1e3 * (time.process_time() - start))
    medians = {name: round(statistics.median(values), 2) for name, values in times.items()}
    everything = [value for values in times.values() for value in values]
    return {"first_s": first, "median_ms": medians, "median_of_all_ms": statistics.median(everything)}


def read_first(data: Path, sentences: str, predict: str) -> dict[str, Any]:
    """Read the archive for the first time, in this process."""
    from tasksieve.training.methods import method_named

    watched, begun = Watched(), (time.process_time(), time.perf_counter())
    archive_tasks.load_tasks(config_of(data, sentences, predict), method_named("learned"))
    watched()
    seconds = {"first_s": time.process_time() - begun[0], "first_clock_s": time.perf_counter() - begun[1]}
    return {**seconds, "first_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def simulated(folder: Path, turns: int) -> Path:
    """A folder of about so many related turns."""
    data = folder / f"desks-{turns}"
    if not data.exists():
        write_desks(data, own=30, each=round(turns / TURNS_A_DIALOG / SERVICES))
    return data


def in_a_process(what: str, data: Path, sentences: str, predict: str, cache: Path, out: Path) -> dict[str, Any]:
    """What a function of this module returns in a process of its own."""
    environment = {**os.environ, LARGE_FILES: "0", "TASKSIEVE_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "benchmarks.archive_size", "--child"]
    words += [what, str(data), sentences, predict, str(out)]
    done = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def child(what: str, data: Path, sentences: str, predict: str, out: Path) -> None:
    """Measure in this process, which is the first to be ended if memory is short."""
    from tasksieve.training.runs import encoders

    Path("/proc/self/oom_score_adj").write_text("1000")
    encoders.encoder_named = lambda name: StandIn()  # type: ignore[assignment,return-value]
    given = data, sentences, predict
    print(json.dumps(measured(*given, out) if what == "run" else read_first(*given)))


def main() -> None:
    """Measure every size and write them down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", default="20000,100000,1000000")
    parser.add_argument("--folder", type=Path, default=Path("archive-size"))
    parser.add_argument("--predict", choices=tuple(RECORDS), default="actions")
    parser.add_argument("--json", type=Path, help="by default one in results/, for what is predicted")
    parser.add_argument("--sentences", default=",".join(KINDS))
    parser.add_argument("--child", nargs=5, metavar=("WHAT", "DATA", "SENTENCES", "PREDICT", "OUT"))
    options = parser.parse_args()
    if options.child:
        what, data, sentences, predict, out = options.child
        child(what, Path(data), sentences, predict, Path(out))
        return
    record = options.json or RECORDS[options.predict]
    rows = json.loads(record.read_text())["rows"] if record.exists() else []
    for sentences in options.sentences.split(","):
        for turns in map(int, options.turns.split(",")):
            row = one_size(options.folder, turns, sentences, options.predict)
            rows = [other for other in rows if (other["turns"], other["sentences"]) != (turns, sentences)]
            rows = sorted([*rows, row], key=lambda one: (one["sentences"], one["turns"]))
            value = {
                "machine": machine(),
                "iterations": ITERATIONS,
                "dim": DIM,
                "predict": options.predict,
                "rows": rows,
            }
            record.write_text(json.dumps(value, indent=1) + "\n")
            print(pl.DataFrame([{k: v for k, v in row.items() if not isinstance(v, (dict, list))}]), flush=True)


def one_size(folder: Path, turns: int, sentences: str, predict: str) -> dict[str, Any]:
    """Everything about one size."""
    data = simulated(folder, min(turns, READ))
    base, cache = (folder / f"cache-{some}-{sentences}-{predict}" for some in (min(turns, READ), turns))
    first: dict[str, Any] = {}
    if not (base / "archives").exists():
        first = in_a_process("read", data, sentences, predict, base, folder / "run")
        (base / "first.json").write_text(json.dumps(first))
    first = json.loads((base / "first.json").read_text()) if turns <= READ else {}
    if turns > READ:
        write_copies(base / "archives", cache / "archives", round(turns / READ), vectors=DIM)
    row = in_a_process("run", data, sentences, predict, cache, folder / "run")
    disk = sum(file.stat().st_size for file in (cache / "archives").rglob("*") if file.is_file()) / 1e6
    if turns > READ:
        shutil.rmtree(cache)
    return {"turns": turns, "sentences": sentences, "load": os.getloadavg()[0], "disk_mb": disk, **first, **row}


if __name__ == "__main__":
    main()
