"""What learning weights costs in the fine-tuning of a language model, beside a plain step, from one run.

    python -m benchmarks.language_models [--device cuda] [--json FILE] [--rounds N[,N]] [--models tiny,SmolLM2-135M]
    python -m benchmarks.language_model_page     # write docs/language-models.md from results/language-models.json

What a record holds of other unroll lengths stays, if it was measured in the same way: ``--models SmolLM2-135M
--lengths 5 --rounds 1 --threads 1 --json results/language-models.json`` adds K = 5, with the radius that is there.

Adapters (LoRA, rank 8, all linear layers) of a Llama of two layers and of SmolLM2-135M; batches of 8 rows of 128
tokens. A plain step is forward, backward and AdamW; simulated steps have the sizes of Adam's present ones, and in
higher and TorchOpt, that are not given these, one size. A round takes one sample of each row; times are medians over
rounds, with the quartiles; on a CPU of the processor, all threads together, so that what else the machine does is
hardly in them. ``error`` is the distance of a meta-gradient from the exact one, over its norm.

Memory is the most that the blocks that torch takes while the work runs hold together: as CUDA's allocator counts
them, on a CPU as torch's profiler does (:mod:`benchmarks.memory`). On a CPU the resident size of the process stands
beside it, which has in it what the allocator of memory holds back.

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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.language_model_cases import (
    PEERS,
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
from benchmarks.memory import counted_mb, every_block_apart, peak_mb
from tasksieve.integrations.difference_error import DifferenceError
from tasksieve.records.files import write_json
from tests.real_language_model import NAME as REAL

LENGTHS = (1, 5)
PLAIN, FORWARD, ADJOINT = "plain step", "forward pass", "exact, adjoint"
OURS = ("approximate", "exact")
GOALS = {"approximate": {"plain_steps": 4.0, "extra_memory": 0.3}, "exact": {"plain_steps": 8.0, "extra_memory": 1.5}}
"""For K = 1: time in plain steps, and memory beyond that of a plain step over it."""
_GRAPHS = 4
"""A step that stays in a graph of gradients takes about so many times the memory of a plain one."""


@dataclass(frozen=True)
class First:
    """What the first pass over some work told.

    Attributes:
        found: its result.
        seconds: that it took while it was watched.
        peak_mb: of torch's blocks, less what they held before.
        resident_mb: the same of the process; None on a card.
    """

    found: torch.Tensor
    seconds: float
    peak_mb: float
    resident_mb: float | None


def measure(case: Case, steps: int, rounds: int, device: str, peers: Sequence[str] = tuple(PEERS)) -> dict[str, Any]:
    """The rows of a model and an unroll length. The plain step alone moves the adapters; the others follow it."""
    plain, started = plain_step(case), os.getloadavg()[0]
    first = {PLAIN: _first(plain, device)}
    works, left_out = works_of(case, steps, _room_mb(device), first[PLAIN].peak_mb, peers)
    works = {FORWARD: forward_pass(case), **works}
    first |= {name: _first(work, device) for name, work in works.items()}
    times: dict[str, list[float]] = {name: [] if rounds > 1 else [one.seconds] for name, one in first.items()}
    for _ in range(rounds if rounds > 1 else 0):
        for name, work in {PLAIN: plain, **works}.items():
            times[name].append(_seconds(work, device))
    share = statistics.median(times[FORWARD]) / statistics.median(times[PLAIN])
    return {
        "k": steps,
        "rounds": rounds,
        "rows": _rows(steps, first, times),
        "left_out": left_out,
        "load": [round(started, 2), round(os.getloadavg()[0], 2)],
        "formulas": _formulas(share),
    }


def works_of(
    case: Case, steps: int, room_mb: float, plain_mb: float, peers: Sequence[str]
) -> tuple[dict[str, Work], dict[str, str]]:
    """What is measured, and what is not with the reason."""
    found = {name: ours(case, steps, name) for name in OURS}
    left_out: dict[str, str] = {}
    needed = plain_mb * _GRAPHS * steps
    lacking = f"about {needed / 1e3:.0f} GB of memory are needed and {room_mb / 1e3:.0f} GB are free"
    if steps > 1 and needed > room_mb:
        left_out[ADJOINT] = lacking
    elif steps > 1:
        found[ADJOINT] = ours(case, steps, "adjoint")
    for name in (name for name in PEERS if name in peers):
        if needed > room_mb:
            left_out[name] = lacking
            continue
        try:
            work = PEERS[name](case, steps)
        except ImportError:
            left_out[name] = "not installed"
            continue
        if name == "naive" or not (reason := refusal(work)):
            found[name] = work
        else:
            left_out[name] = reason
    return found, left_out


def _rows(steps: int, first: dict[str, First], times: dict[str, list[float]]) -> list[dict[str, Any]]:
    rows = []
    exact, plain = first["exact"].found, first[PLAIN]
    for name, one in first.items():
        row: dict[str, Any] = {"name": name, "k": steps, **_spread(times[name]), "peak_mb": round(one.peak_mb, 1)}
        if one.resident_mb is not None:
            row["resident_mb"] = round(one.resident_mb, 1)
        if name in ("approximate", ADJOINT, "naive"):
            row["error"] = float((one.found - exact).norm() / exact.norm())
        row["plain_steps"] = round(statistics.median(times[name]) / statistics.median(times[PLAIN]), 2)
        row["extra_memory"] = round(max(0.0, one.peak_mb / plain.peak_mb - 1), 3)
        rows.append(row)
    return rows


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
    clock = time.perf_counter if device == "cuda" else time.process_time
    started = clock()
    work()
    _finished(device)
    return clock() - started


def _finished(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _first(work: Work, device: str) -> First:
    found: list[torch.Tensor] = []
    taken: list[float] = []

    def watched() -> None:
        taken.append(_seconds(lambda: found.append(work()), device))

    gc.collect()
    if device != "cuda":
        counted: list[float] = []
        with every_block_apart():
            resident = peak_mb(lambda: counted.append(counted_mb(watched)))
        return First(found[0], taken[0], counted[0], resident)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    watched()
    return First(found[0], taken[0], (torch.cuda.max_memory_allocated() - before) / 2**20, None)


def _room_mb(device: str) -> float:
    """What is free now; on a CPU a tenth is left to others."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0] / 2**20
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return 0.9 * float(lines["MemAvailable"].split()[0]) / 1024


def main() -> None:
    arguments = _arguments()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    transformers.logging.set_verbosity_error()
    lengths = [int(k) for k in arguments.lengths.split(",")]
    rounds = [int(count) for count in arguments.rounds.split(",")]
    rounds = rounds * len(lengths) if len(rounds) == 1 else rounds
    for name in arguments.models.split(","):
        case = case_of(name, arguments.device, max(lengths), getattr(torch, arguments.dtype))
        about: dict[str, Any] = {"model": name, "weights": case.weights, **_about(arguments)}
        entry = kept_entry(arguments.out, about, arguments.radius, lengths)
        case.radius = entry["radius"] if entry else arguments.radius
        if case.radius is None:
            case.radius, about["choice"] = _chosen(case, arguments.device)
        entry = entry or {**about, "radius": case.radius, "lengths": []}
        for steps, count in zip(lengths, rounds, strict=True):
            measured = measure(case, steps, count, arguments.device, arguments.peers.split(","))
            others = [one for one in entry["lengths"] if one["k"] != steps]
            entry["lengths"] = sorted([*others, measured], key=lambda one: one["k"])
            _show(name, measured)
            if arguments.out is not None:
                _keep(arguments.out, entry)


def kept_entry(
    path: Path | None, about: dict[str, Any], radius: float | None, lengths: Sequence[int]
) -> dict[str, Any] | None:
    """A record's entry of a model, with what is not measured now; None if there is nothing of that.

    Args:
        path: of the record.
        about: how the model is measured now.
        radius: of the differences, if it is given.
        lengths: that are measured now.
    Raises: SystemExit: if what would stay was measured otherwise, so that rows could not be compared.
    """
    models = json.loads(path.read_text())["models"] if path is not None and path.exists() else []
    entry: dict[str, Any] = next((one for one in models if one["model"] == about["model"]), {"lengths": []})
    staying = [one for one in entry["lengths"] if one["k"] not in lengths]
    if not staying:
        return None
    now = {**about, "radius": entry["radius"] if radius is None else radius}
    if other := [f"{key} {entry[key]}, now {value}" for key, value in now.items() if entry[key] != value]:
        raise SystemExit(f"{path} has other lengths of {about['model']} with {'; '.join(other)}: measure all anew")
    return {**entry, "lengths": staying}


def _chosen(case: Case, device: str) -> tuple[float, dict[str, Any]]:
    """The radius of the differences that the first update chooses, and what that update took."""
    found: list[DifferenceError] = []
    taken = _seconds(lambda: found.append(case.first_update()), device)
    return found[0].radius, {**asdict(found[0]), "seconds": round(taken, 2)}


def _keep(path: Path, entry: dict[str, Any]) -> None:
    """Put a model's entry into a record, in place of what is there of the model."""
    before = json.loads(path.read_text())["models"] if path.exists() else []
    models = [*(one for one in before if one["model"] != entry["model"]), entry]
    models.sort(key=lambda one: (TINY, REAL).index(one["model"]))
    write_json(path, {"goals": GOALS, "models": models})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="of the body")
    parser.add_argument("--json", type=Path, dest="out", help="a record; what is not measured now stays in it")
    parser.add_argument("--rounds", default="5", help="of all lengths, or of each, with commas between")
    parser.add_argument(
        "--radius", type=float, help="of the differences; without it the record's, or the first update's"
    )
    parser.add_argument("--threads", type=int, help="of a CPU; by default torch's own choice")
    parser.add_argument("--models", default=f"{TINY},{REAL}", help="with commas between")
    parser.add_argument("--lengths", default=",".join(map(str, LENGTHS)), help="values of K, with commas between")
    parser.add_argument("--peers", default=",".join(PEERS), help="other ways to measure, with commas between")
    return parser.parse_args()


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
    cuda = arguments.device == "cuda"
    device = torch.cuda.get_device_name() if cuda else f"a CPU, threads: {torch.get_num_threads()}"
    return {
        "device": device,
        "dtype": arguments.dtype,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


if __name__ == "__main__":
    main()
