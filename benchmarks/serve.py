"""How fast `tasksieve serve` answers: each request alone, then many clients at once.

    python -m benchmarks.serve [--json FILE] [--candidates FILE] [--seconds 30]

Makes a run folder of the size of bAbI Task 5 (18,340 related examples, 50 records of their weights) from simulated
dialogs, serves it from a process of its own on loopback, and asks from this one. ``--candidates`` is a file of
responses to choose from; without it as many (43,863) are made up from the model's words.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice, product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import polars as pl

from tasksieve.dialogs.simulate import simulate, write_simulation
from tasksieve.dialogs.turn_kinds import turn_kind
from tasksieve.records.config import config_from
from tasksieve.records.files import read_json
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.runs.dialogs import train

EXAMPLES, RECORDS, CANDIDATES = 18_340, 50, 43_863
CLIENTS, WARM_UP, ROUNDS = 50, 5, 60

CONTEXT = {
    "events": [
        {"user": "hey there", "system": "good to hear from you what do you need"},
        {"user": "please find us a table for six", "system": "let me note that down"},
        *({"fact": f"table_{n} R_price cheap"} for n in range(10)),
        {"user": "<SILENCE>", "system": "which city should i search"},
    ],
    "user": "somewhere in paris",
    "profile": "male young",
    "top": 5,
}
REQUESTS: dict[str, tuple[str, Any]] = {
    "respond": ("/api/respond", CONTEXT),
    "rank": ("/api/rank", {**CONTEXT, "top": 100}),
    "overview": ("/api/weights", None),
    "overview, another iteration": ("/api/weights?step=1000", None),
    "examples": ("/api/examples?limit=50", None),
    "examples, text": ("/api/examples?limit=50&text=cheap+table", None),
    "examples, kind and range": ("/api/examples?limit=50&kind=api+call&low=0.3&high=0.7&order=risen", None),
    "examples, last page": ("/api/examples?limit=50&offset=18300", None),
    "dialogs": ("/api/dialogs?limit=50", None),
    "dialogs, text": ("/api/dialogs?limit=50&text=cheap+table", None),
    "one dialog": ("/api/dialogs/0/2", None),
    "export, one kind": ("/api/export?kind=greeting", None),
    "export, all as JSON lines": ("/api/export", None),
    "export, all as chat messages": ("/api/export?format=chat", None),
    "chat page": ("/", None),
    "metrics": ("/metrics", None),
}


def make_run(folder: Path) -> Path:
    """A run that was trained for one iteration, with records of full size."""
    for name in ("data", "related"):
        write_simulation(simulate("restaurant", dialogs=40, seed=1), folder / name)
    data = {"primary": str(folder / "data"), "valid": str(folder / "data"), "related": [str(folder / "related")]}
    lengths = {"training": {"iterations": 1, "evaluate_every": 1}, "screening": {"trials": 0}}
    train(config_from({"data": data, **lengths}), folder / "run")
    run = RunFolder(folder / "run")
    texts = _examples()
    run.write_examples(texts)
    random = np.random.default_rng(0)
    logits = np.zeros(len(texts))
    for record in range(RECORDS):
        weights = pl.Series("weight", 1 / (1 + np.exp(-logits)), dtype=pl.Float32)
        step = pl.lit(record * 200).alias("step")
        run.write_weights(record * 200, texts.select("example", "dialog", "turn").with_columns(weights, step))
        logits += random.normal(scale=0.3, size=len(texts))
    return run.path


def _examples() -> pl.DataFrame:
    dialogs = simulate("restaurant", dialogs=EXAMPLES // 12 + 1, seed=0)["train"]
    rows = [
        (0, number, place, turn_kind(turn.system), turn.user, turn.system)
        for number, dialog in enumerate(dialogs)
        for place, turn in enumerate(dialog.turns)
    ]
    schema = {"task": pl.Int16, "dialog": pl.Int32, "turn": pl.Int16, "kind": pl.String, "user": pl.String}
    frame = pl.DataFrame(rows[:EXAMPLES], schema={**schema, "system": pl.String}, orient="row")
    return frame.with_row_index("example").cast({"example": pl.Int32})


def make_candidates(run: Path, file: Path) -> Path:
    """Distinct responses of the model's words."""
    words = read_json(RunFolder(run).encoding)["words"]
    made = islice(product(words, repeat=3), CANDIDATES)
    file.write_text("".join(f"1 here you are {' '.join(found)}\n" for found in made), encoding="utf-8")
    return file


@contextmanager
def served(run: Path, candidates: Path) -> Iterator[tuple[str, int]]:
    """A server process: its host and port."""
    command = [sys.executable, "-m", "tasksieve", "serve", str(run), "--port", "0", "--candidates", str(candidates)]
    environment = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            address = urlsplit(re.findall(r"http://[\d.:]+", process.stdout.readline())[0])
            yield str(address.hostname), int(address.port or 80)
            process.send_signal(signal.SIGTERM)
            if process.wait(30) != 0:
                raise RuntimeError(f"the server ended with {process.returncode}")
        finally:
            process.kill()


def one_by_one(host: str, port: int) -> list[dict[str, Any]]:
    """Median and 99th percentile of each request, alone, over one connection."""
    with closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
        return [{"request": name, **_times(connection, *asked)} for name, asked in REQUESTS.items()]


def _times(connection: http.client.HTTPConnection, path: str, body: Any) -> dict[str, Any]:
    method, text = ("GET", None) if body is None else ("POST", json.dumps(body))
    times, size = [], 0
    for _ in range(WARM_UP + ROUNDS):
        started = time.perf_counter()
        connection.request(method, path, text, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        size = len(answer.read())
        times.append(1e3 * (time.perf_counter() - started))
        if answer.status != 200:
            raise RuntimeError(f"{path}: the server said {answer.status}")
    return {"bytes": size, **_summary(times[WARM_UP:])}


def _summary(times: list[float]) -> dict[str, float]:
    p99 = float(np.percentile(times, 99))
    return {"p50_ms": round(statistics.median(times), 2), "p99_ms": round(p99, 2)}


async def at_once(host: str, port: int, seconds: float) -> dict[str, Any]:
    """Many clients, each with one connection, that respond and rank by turns without a pause."""
    deadline = time.perf_counter() + seconds
    answers: list[tuple[int, float]] = []
    await asyncio.gather(*(_client(host, port, number, deadline, answers) for number in range(CLIENTS)))
    errors = sum(status != 200 for status, _ in answers)
    summary = _summary([taken for _, taken in answers])
    rate = round(len(answers) / seconds, 1)
    return {
        "clients": CLIENTS,
        "seconds": seconds,
        "answers": len(answers),
        "errors": errors,
        "per_second": rate,
        **summary,
    }


async def _client(host: str, port: int, number: int, deadline: float, answers: list[tuple[int, float]]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    asked = [_message(host, *REQUESTS[name]) for name in ("respond", "rank")]
    while time.perf_counter() < deadline:
        started = time.perf_counter()
        number += 1
        try:
            writer.write(asked[number % 2])
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
            status = int(head.split()[1])
        except (OSError, asyncio.IncompleteReadError):
            answers.append((0, 1e3 * (time.perf_counter() - started)))
            reader, writer = await asyncio.open_connection(host, port)
            continue
        answers.append((status, 1e3 * (time.perf_counter() - started)))
    writer.close()
    await writer.wait_closed()


def _message(host: str, path: str, body: Any) -> bytes:
    text = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(text)}"
    return "\r\n".join((*head, "", "")).encode() + text


def measure(folder: Path, candidates: Path | None, seconds: float) -> dict[str, Any]:
    """All figures, from one server process."""
    run = make_run(folder)
    file = candidates or make_candidates(run, folder / "candidates.txt")
    with served(run, file) as (host, port):
        alone = one_by_one(host, port)
        together = asyncio.run(at_once(host, port, seconds))
    sizes = {
        "examples": EXAMPLES,
        "records": RECORDS,
        "candidates": len(file.read_text(encoding="utf-8").splitlines()),
    }
    return {"sizes": sizes, "alone": alone, "at_once": together}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--json", type=Path, dest="out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(Path(scratch), arguments.candidates, arguments.seconds)
    for row in found["alone"]:
        print(
            f"{row['request']:30} {row['p50_ms']:8.2f} ms median {row['p99_ms']:8.2f} ms p99 {row['bytes']:10,} bytes"
        )
    print(", ".join(f"{name} {value}" for name, value in found["at_once"].items()))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
