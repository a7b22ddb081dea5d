"""What learning weights costs in the fine-tuning of a language model, beside a plain step, from one run.

    python -m benchmarks.language_models [--device cuda] [--json FILE] [--rounds N] [--models tiny,SmolLM2-135M]
    python -m benchmarks.language_models --page     # write docs/language-models.md from results/language-models.json

Adapters (LoRA, rank 8, all linear layers) of a Llama of two layers and of SmolLM2-135M; batches of 8 rows of 128
tokens. A plain step is forward, backward and AdamW; simulated steps have the sizes of Adam's present ones, and in
higher and TorchOpt, that are not given these, one size. A round takes one sample of each row; times are medians over
rounds, with the quartiles. Memory is the peak while the work runs, less what is held before: on CUDA of the
allocator, on a CPU the resident size. ``error`` is the distance of a meta-gradient from the exact one, over its norm.

SAMA and LESS are not run; what they cost follows from their formulas:

- SAMA (Choe et al., 2023): a gradient of the primary batch, and the gradient by η of the related loss at two
  neighbours of θ, two forward passes at least and two passes forward and backward in its own code.
- LESS (Xia et al., 2024): four passes over a twentieth of the data to warm up, then for each of four checkpoints the
  gradient of every example by itself, projected to 8192 numbers. Once, and not again as the model learns.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.language_model_cases import (
    PEERS,
    REAL,
    ROWS,
    TINY,
    Case,
    Work,
    case_of,
    forward_pass,
    ours,
    plain_step,
    refusal,
)
from benchmarks.memory import every_block_apart, peak_mb
from benchmarks.performance import MARKERS
from tasksieve.records.files import write_json

ROOT = Path(__file__).resolve().parents[1]
PAGE, RECORD = ROOT / "docs" / "language-models.md", ROOT / "results" / "language-models.json"
LENGTHS = (1, 5)
PLAIN, FORWARD = "plain step", "forward pass"
GOALS = {"approximate": {"plain_steps": 4.0, "extra_memory": 0.3}, "exact": {"plain_steps": 8.0, "extra_memory": 2.5}}
"""For K = 1: time in plain steps, and memory beyond that of a plain step over it."""
_GRAPHS = 4
"""A step that stays in a graph of gradients takes about so many times the memory of a plain one."""


def works_of(
    case: Case, steps: int, room_mb: float, plain_mb: float, peers: Sequence[str]
) -> tuple[dict[str, Work], dict[str, str]]:
    """What is measured, and what is not with the reason."""
    found: dict[str, Work] = {name: ours(case, steps, name) for name in ("approximate", "exact")}
    if steps > 1:
        found["exact, adjoint"] = lambda: _fresh(case, steps, "adjoint")
    left_out: dict[str, str] = {}
    needed = plain_mb * _GRAPHS * steps
    for name, make in PEERS.items():
        if name not in peers:
            continue
        if needed > room_mb:
            left_out[name] = f"about {needed / 1e3:.0f} GB of memory are needed and {room_mb / 1e3:.0f} GB are free"
            continue
        try:
            work = make(case, steps)
        except ImportError:
            left_out[name] = "not installed"
            continue
        reason = refusal(work) if name != "naive" else ""
        if reason:
            left_out[name] = reason
        else:
            found[name] = work
    if needed > room_mb:
        found.pop("exact, adjoint", None)
    return found, left_out


def _fresh(case: Case, steps: int, estimator: str) -> torch.Tensor:
    return ours(case, steps, estimator)()


def measure(case: Case, steps: int, rounds: int, device: str, peers: Sequence[str] = tuple(PEERS)) -> dict[str, Any]:
    """The rows of a model and an unroll length."""
    plain, started = plain_step(case), os.getloadavg()[0]
    works, left_out = works_of(case, steps, _room_mb(device), _once(plain, device)[1], peers)
    works = {PLAIN: plain, FORWARD: forward_pass(case), **works}
    errors = _errors(works)
    first = {name: _once(work, device) for name, work in works.items()}
    times = {name: [taken] for name, (taken, _) in first.items()} if rounds == 1 else {name: [] for name in works}
    for _ in range(rounds if rounds > 1 else 0):
        for name, work in works.items():
            times[name].append(_seconds(work, device))
    load = [round(started, 2), round(os.getloadavg()[0], 2)]
    rows = []
    for name, (_, peak) in first.items():
        row = {"name": name, "k": steps, **_spread(times[name]), "peak_mb": round(peak, 1)}
        if name in errors:
            row["error"] = errors[name]
        row["plain_steps"] = round(statistics.median(times[name]) / statistics.median(times[PLAIN]), 2)
        row["extra_memory"] = round(max(0.0, peak / first[PLAIN][1] - 1), 3)
        rows.append(row)
    share = statistics.median(times[FORWARD]) / statistics.median(times[PLAIN])
    return {"k": steps, "rows": rows, "left_out": left_out, "load": load, "formulas": _formulas(share)}


def _errors(works: dict[str, Work]) -> dict[str, float]:
    """At the same parameters: before any plain step is taken."""
    exact = works["exact"]()
    alike = [name for name in works if name in ("approximate", "exact", "exact, adjoint", "naive")]
    return {name: float((works[name]() - exact).norm() / exact.norm()) for name in alike}


def _formulas(forward: float) -> dict[str, Any]:
    """In plain steps; LESS for each plain step's worth of examples, once."""
    return {
        "SAMA": {
            "plain_steps": [round(1 + 2 * forward, 2), 3.0],
            "formula": "1 + 2 forward passes; 3 in its own code",
        },
        "LESS": {
            "plain_steps": 0.05 * 4 + 4,
            "formula": f"(0.05 * 4 + 4) N / {ROWS} for N examples, and projections",
        },
    }


def _spread(times: list[float]) -> dict[str, float]:
    found = statistics.quantiles(times, n=4) if len(times) > 1 else times * 3
    low, middle, high = (round(1e3 * value, 2) for value in found)
    return {"ms": middle, "ms_low": low, "ms_high": high}


def _seconds(work: Callable[[], object], device: str) -> float:
    _finished(device)
    started = time.perf_counter()
    work()
    _finished(device)
    return time.perf_counter() - started


def _finished(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _once(work: Callable[[], object], device: str) -> tuple[float, float]:
    """Seconds, and peak of memory in MB."""
    gc.collect()
    taken: list[float] = []
    if device != "cuda":
        with every_block_apart():
            peak = peak_mb(lambda: taken.append(_seconds(work, device)))
        return taken[0], peak
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    taken.append(_seconds(work, device))
    return taken[0], (torch.cuda.max_memory_allocated() - before) / 2**20


def _room_mb(device: str) -> float:
    """What is free now; on a CPU a tenth is left to others."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0] / 2**20
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return 0.9 * float(lines["MemAvailable"].split()[0]) / 1024


def main() -> None:
    arguments = _arguments()
    if arguments.page:
        PAGE.write_text(written(PAGE.read_text(), json.loads(RECORD.read_text())))
        return
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    transformers.logging.set_verbosity_error()
    lengths = [int(k) for k in arguments.lengths.split(",")]
    found = []
    for name in arguments.models.split(","):
        case = case_of(name, arguments.device, max(lengths), getattr(torch, arguments.dtype))
        entry: dict[str, Any] = {"model": name, "weights": case.weights, "lengths": []}
        for steps in lengths:
            measured = measure(case, steps, arguments.rounds, arguments.device, arguments.peers.split(","))
            entry["lengths"].append(measured)
            _show(name, measured)
        found.append(entry)
    if arguments.out is not None:
        write_json(arguments.out, {**_about(arguments), "goals": GOALS, "models": found})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="of the body")
    parser.add_argument("--json", type=Path, dest="out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="of a CPU; by default torch's own choice")
    parser.add_argument("--models", default=f"{TINY},{REAL}", help="with commas between")
    parser.add_argument("--lengths", default=",".join(map(str, LENGTHS)), help="values of K, with commas between")
    parser.add_argument("--peers", default=",".join(PEERS), help="other ways to measure, with commas between")
    parser.add_argument("--page", action="store_true", help="write the page's table from the record, and end")
    return parser.parse_args()


def written(page: str, record: dict[str, Any]) -> str:
    """The page with the table of a record."""
    return MARKERS.sub(lambda found: f"{found[1]}{table(record)}\n{found[2]}", page)


def table(record: dict[str, Any]) -> str:
    """The rows of a record, for the page."""
    lines = [
        f"Measured on {record['device']}, body in {record['dtype']}, medians of {record['rounds']} rounds; "
        f"load of the machine {_loads(record)}:",
        "",
        "| model | K | what | ms | plain steps | peak MB | memory beyond a plain step | error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for model in record["models"]:
        for measured in model["lengths"]:
            for row in measured["rows"]:
                error = f"{row['error']:.1e}" if row.get("error") else ""
                lines.append(
                    f"| {model['model']} | {row['k']} | {row['name']} | {row['ms']:.0f} | {row['plain_steps']:.1f} "
                    f"| {row['peak_mb']:.0f} | {100 * row['extra_memory']:.0f} % | {error} |"
                )
            lines += [
                f"| {model['model']} | {measured['k']} | {peer} | | | | | {reason} |"
                for peer, reason in measured["left_out"].items()
            ]
    return "\n".join(lines)


def _loads(record: dict[str, Any]) -> str:
    found = [value for model in record["models"] for measured in model["lengths"] for value in measured["load"]]
    return f"{min(found):.1f} to {max(found):.1f}"


def _show(name: str, measured: dict[str, Any]) -> None:
    for row in measured["rows"]:
        error = f"{row['error']:.1e}" if "error" in row else ""
        print(
            f"{name:13} K={row['k']} {row['name']:16} {row['ms']:10.1f} ms {row['plain_steps']:7.2f} plain steps "
            f"{row['peak_mb']:9.1f} MB  +{100 * row['extra_memory']:.0f} % {error}",
            flush=True,
        )
    for peer, reason in measured["left_out"].items():
        print(f"{name:13} K={measured['k']} {peer}: {reason}")


def _about(arguments: argparse.Namespace) -> dict[str, Any]:
    device = (
        torch.cuda.get_device_name() if arguments.device == "cuda" else f"a CPU, threads: {torch.get_num_threads()}"
    )
    return {
        "device": device,
        "dtype": arguments.dtype,
        "rounds": arguments.rounds,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


if __name__ == "__main__":
    main()
