"""What the pretrained encoder gives and costs: vectors, gradients, the cache, and the dense table in an iteration.

    python -m benchmarks.encoder [--parts vectors,gradients,cache,iteration] [--json results/encoder.json]
    python -m benchmarks.encoder --page    # docs/encoder.md from the record

``vectors``: the encoder ``minilm`` against sentence-transformers on the same folder; needs that package.
``gradients``: float64 meta-gradients of the matching model on a dense table, against the naive unroll of the tests.
``cache``: 50,000 distinct sentences of simulated support desks: a sample is embedded, and all are read from the disk
by an encoder that was loaded anew; what is read are stand-ins of the same length. ``iteration``: processor time of an
iteration on bags of words, on vectors, on both, and on both with a tuned encoder, taken in turns within one process;
medians of rounds of the same iterations, so that a tuned encoder has read their utterances before.
Each part is put into the record beside those that are there.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

import torch

from tasksieve.dialogs.simulate import simulate_support, write_support
from tasksieve.encoding.sentences import CachedEncoder, Encoder
from tasksieve.encoding.sentences.folders import encoder_folder
from tasksieve.encoding.sentences.pretrained import Progress
from tasksieve.records.config import RunConfig, config_from
from tasksieve.training.loop.trainer import Trainer
from tasksieve.training.methods import method_named
from tasksieve.training.runs.dialogs import build_parts
from tasksieve.training.runs.settled import settled
from tests.reliability.record import machine

SENTENCES, SAMPLE = 50_000, 1024
ROUNDS, ITERATIONS = 15, 10
KINDS: dict[str, dict[str, str]] = {
    "bag-of-words": {"sentences": "bag-of-words"},
    "pretrained": {"sentences": "pretrained"},
    "both": {"sentences": "both"},
    "tuned": {"sentences": "both", "tune": "adapters"},
}
MODELS = ("matching", "ranking")
METHODS = ("multitask", "learned")
ROOT = Path(__file__).resolve().parents[1]
RECORD, PAGE = ROOT / "results" / "encoder.json", ROOT / "docs" / "encoder.md"
MARKERS = re.compile(r"(<!-- measured -->\n).*?(<!-- /measured -->)", re.DOTALL)
SAID = "the meter of a flat in Rome was read on May 3rd ; why is my bill 47.10 ?"
DIALOGS = {"new": {"train": 50, "valid": 25}, "old": 40}


def distinct_sentences(count: int) -> Iterator[str]:
    """Distinct utterances of both desks, one seed after the other."""
    seen: set[str] = set()
    for seed in range(1000):
        for desk in ("new", "old"):
            for part in simulate_support(desk=desk, dialogs=200, seed=seed).values():
                for text in (said for dialog in part for turn in dialog.turns for said in (turn.user, turn.system)):
                    if text not in seen:
                        seen.add(text)
                        yield text
                    if len(seen) == count:
                        return


def vectors() -> dict[str, Any]:
    """How far the vectors are from those of sentence-transformers."""
    from sentence_transformers import SentenceTransformer

    words = SAID.split()
    texts = [" ".join(words[place % len(words)] for place in range(count)) for count in range(1, 401, 7)]
    texts += list(distinct_sentences(200))
    texts += ["", " two  spaces ", "Grüße aus Köln ☃", "Hello, World! How's it going?", "a\nb"]
    theirs = torch.tensor(SentenceTransformer(str(encoder_folder("minilm")), device="cpu").encode(texts))
    ours = Encoder.load("minilm").embed(texts)
    return {
        "texts": len(texts),
        "least_cosine": round(float(torch.cosine_similarity(ours.double(), theirs.double()).min()), 7),
        "largest_difference": float(f"{float((ours - theirs).abs().max()):.1e}"),
        "sentence_transformers": version("sentence-transformers"),
    }


def gradients() -> dict[str, Any]:
    """The largest relative error of a meta-gradient, by estimator, over all rules and lengths of the tests."""
    from tasksieve.metagrad import ESTIMATORS, estimator_named
    from tests.gradients.settings import SETTINGS, UNROLLS, case_named, relative_error, truth

    errors = {}
    case = case_named("matching")
    for name in ("adjoint", "recompute", "unrolled", "forward"):
        found = []
        for rule, one in SETTINGS.items():
            for steps, joint in UNROLLS[1:]:
                few = ESTIMATORS[name].few_weight_params
                update = case.update(one.rule(case.lr), steps, joint=joint, state=one.state(case), few=few)
                expected = truth("matching", rule, steps, joint)
                wanted = {key: expected[key] for key in update.weight_params}
                found.append(relative_error(estimator_named(name)(update).gradients, wanted))
        errors[name] = float(f"{max(found):.1e}")
    return {"rules": list(SETTINGS), "k": [steps for steps, _ in UNROLLS[1:]], "largest_relative_error": errors}


def cache(count: int = SENTENCES) -> dict[str, Any]:
    """Seconds of embedding a sample of sentences, and of reading all of them from the disk, loading with it."""
    texts = list(distinct_sentences(count))
    encoder, sample = Encoder.load("minilm"), Random(0).sample(texts, min(count, SAMPLE))
    encoder.embed(texts[:8])  # what is loaded first
    _, first = _timed(lambda: encoder.embed(sample))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # a real disk, where /tmp may be memory
        kept = CachedEncoder(StandIn(encoder), Path(folder), 1 << 34).embed(texts)
        read, second = _timed(lambda: CachedEncoder(Encoder.load("minilm"), Path(folder), 1 << 34).embed(texts))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    assert torch.equal(kept, read)
    whole = first["processor_seconds"] / len(sample) * len(texts)
    return {
        "sentences": len(texts),
        "sample": len(sample),
        "sample_embedded": first,
        "processor_seconds_of_embedding_all": round(whole),
        "read": second,
        "megabytes": round(size / 1e6, 1),
    }


class StandIn:
    """Gives vectors by chance in the name of an encoder, in no time."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.dim, self.digest = encoder.name, encoder.dim, encoder.digest

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> torch.Tensor:
        """A vector for each text."""
        return torch.randn(len(texts), self.dim)


def _timed(work: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
    started, worked = time.perf_counter(), time.process_time()
    found = work()
    taken = time.perf_counter() - started, time.process_time() - worked
    return found, {"seconds": round(taken[0], 2), "processor_seconds": round(taken[1], 2)}


def iteration(rounds: int = ROUNDS, iterations: int = ITERATIONS) -> list[dict[str, Any]]:
    """What an iteration costs by model, method and kind of sentences, and as a multiple of bags of words."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_support(*(simulate_support(desk=desk, dialogs=DIALOGS[desk], seed=0) for desk in DIALOGS), folder)
        for model in MODELS:
            for method in METHODS:
                rows.append(_row(folder, model, method, rounds, iterations))
    return rows


def _row(folder: Path, model: str, method: str, rounds: int, iterations: int) -> dict[str, Any]:
    trainers = {kind: _trainer(configured(folder, model, method, kind)) for kind in KINDS}
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(rounds + 1):
        for kind, trainer in trainers.items():
            started = time.process_time()
            for step in range(iterations):
                trainer.iterate(step)
            trainer.settle()
            if number:  # the first round warms up
                taken[kind].append((time.process_time() - started) / iterations)
    medians = {kind: statistics.median(times) for kind, times in taken.items()}
    words = medians["bag-of-words"]
    return {
        "model": model,
        "method": method,
        "ms": {kind: round(1e3 * value, 2) for kind, value in medians.items()},
        "ratio": {kind: round(value / words, 3) for kind, value in medians.items()},
    }


def configured(folder: Path, model: str, method: str, kind: str) -> RunConfig:
    """A run of the new desk that borrows from the old one, with the model's own defaults; weights learn at once."""
    values = {
        "data": {
            "primary": str(folder / "new"),
            "valid": str(folder / "new"),
            "related": [str(path) for path in sorted((folder / "old").iterdir())],
            "predict": "actions" if model == "matching" else "responses",
        },
        "model": {"kind": model, **KINDS[kind]},
        "meta": {"warm_up": 0},
        "training": {"method": method},
    }
    return settled(config_from(values))


def _trainer(config: RunConfig) -> Trainer:
    method = method_named(config.training.method)
    parts = build_parts(config, method)
    return Trainer(config, method, parts.tasks, parts.state, parts.weighter)


def written(page: str, record: dict[str, Any]) -> str:
    """The page with what was measured made anew."""
    return MARKERS.sub(lambda found: found[1] + measured(record) + found[2], page)


def measured(record: dict[str, Any]) -> str:
    """What the record says, for a reader; parts that were not measured yet are left out."""
    lines = [line for name, told in TOLD.items() if name in record for line in told(record[name])]
    return "\n".join([*lines, ""])


def _of_vectors(found: dict[str, Any]) -> list[str]:
    return [
        f"- Of {found['texts']} texts of up to 400 words, `minilm` and sentence-transformers "
        f"{found['sentence_transformers']} have vectors with a cosine of at least {found['least_cosine']:.4f}; "
        f"no number differs by more than {found['largest_difference']:.0e}."
    ]


def _of_gradients(found: dict[str, Any]) -> list[str]:
    errors = found["largest_relative_error"]
    return [
        f"- Meta-gradients of the matching model on a dense table differ from a naive unroll in float64 by "
        f"{max(errors.values()):.0e} of their norm at most ({', '.join(f'`{name}`' for name in errors)})."
    ]


def _of_cache(found: dict[str, Any]) -> list[str]:
    return [
        f"- {found['sentences']:,} sentences are read from the disk in {found['read']['processor_seconds']:.1f} s of "
        f"one core, the encoder's loading and digest with it ({found['megabytes']:,.0f} MB); embedding them would "
        f"take {found['processor_seconds_of_embedding_all']:,} s, by a sample of {found['sample']:,}."
    ]


def _of_iterations(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["", "Processor time of an iteration in ms, and as a multiple of that on bags of words:", ""]
    lines += ["| model | method | words | vectors | both | both, tuned |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = [f"{row['ms'][kind]:.1f} ({row['ratio'][kind]:.2f})" if kind in row["ms"] else "–" for kind in KINDS]
        lines.append(f"| `{row['model']}` | `{row['method']}` | {' | '.join(cells)} |")
    return lines


TOLD: dict[str, Callable[[Any], list[str]]] = {
    "vectors": _of_vectors,
    "gradients": _of_gradients,
    "cache": _of_cache,
    "iteration": _of_iterations,
}
PARTS: dict[str, Callable[[], Any]] = {
    "vectors": vectors,
    "gradients": gradients,
    "cache": cache,
    "iteration": iteration,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--json", type=Path, dest="out")
    parser.add_argument("--page", action="store_true")
    arguments = parser.parse_args()
    if arguments.page:
        PAGE.write_text(written(PAGE.read_text(), json.loads(RECORD.read_text())))
        return
    torch.set_num_threads(1)
    out: Path | None = arguments.out
    record: dict[str, Any] = json.loads(out.read_text()) if out is not None and out.exists() else {}
    for name in arguments.parts.split(","):
        record[name] = PARTS[name]()
        print(name, json.dumps(record[name], indent=2), flush=True)
        record |= {"command": "python -m benchmarks.encoder", "machine": machine()}
        if out is not None:
            out.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
