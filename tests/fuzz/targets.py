"""Every reader of files that others may have written, with seeds of what it takes.

Dialog formats are taken from their registry, so that a new one is fuzzed without a line here.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import torch

from tasksieve.dialogs import Act, Dialog, Note, Record, Span, Turn
from tasksieve.dialogs.formats import FORMATS, iterate_dialogs, read_sentences
from tasksieve.dialogs.formats.compressed import COMPRESSIONS, pack
from tasksieve.dialogs.formats.folders import files_of_split, splits_in
from tasksieve.dialogs.formats.format import Format
from tasksieve.dialogs.formats.journal import Journal, JournalFull
from tasksieve.dialogs.simulate import simulate
from tasksieve.images.read import read_idx
from tasksieve.models import LabelScoreModule, LogisticRegression
from tasksieve.records.config import RunConfig, config_from, config_of, read_values, set_value, to_toml
from tasksieve.records.files import read_json
from tasksieve.records.run_folder import EXAMPLES_SCHEMA, WEIGHTS_SCHEMA, RunFolder
from tasksieve.records.tables import read_table, write_table
from tasksieve.report.reading import read_comparison
from tasksieve.training.loop.state import TrainState
from tasksieve.training.loop.tensor_files import read_tensors, write_tensors
from tasksieve.training.runs.encoding import Encoding
from tasksieve.training.runs.images import ImageConfig
from tasksieve.training.runs.labels import read_labels
from tests.fuzz.chat_seeds import CHAT_SEEDS
from tests.fuzz.server_targets import ADDRESSES, BODIES, rank, respond, visit
from tests.fuzz.shapes import PAGE, SHAPES
from tests.public_sets import PUBLIC


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        name: of the reader.
        file: the name of the file that it reads.
        seeds: whole files that it takes.
        read: reads the file to its end.
        seal: makes a mutated file pass a checksum, so that what lies behind it is reached too.
    """

    name: str
    file: str
    seeds: tuple[bytes, ...]
    read: Callable[[Path], object]
    seal: Callable[[bytes], bytes] = lambda data: data


def written(write: Callable[[Path], object], name: str = "seed") -> bytes:
    """What a writer writes."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


def dialog_targets() -> list[Target]:
    kinds = ("personalized-restaurant", "hotel")
    inn = Record.of("Hotels_1", {"name": "71 Saint Peter", "near": ["a lake"], "at": {"floor": 2, "open": None}})
    slots = Record("slots", (("city", "Rome"), ("days", ("1", "2"))))
    acts = (Act("offer", "name"), Act("a b", "(c)"))
    hello = Turn("hi", "hello Inn", acts=acts, spans=(Span("name", 6, 9),))
    told = Dialog((Note("be kind"), inn, hello, slots, Turn("bye", "good bye", acts=(Act("utter_bye"),))))
    dialogs = [told, *(simulate(kind, dialogs=1, seed=0)["train"][0] for kind in kinds)]
    found = []
    for known in FORMATS.values():
        write = known.write
        seeds = (
            list(SHAPES.get(known.name, ()))
            if write is None
            else [written(lambda path, write=write: write(iter(dialogs), path))]
        )
        seeds += PUBLIC.get(known.name, ())
        file = f"dialogs{known.suffixes[0] if known.suffixes else '.txt'}"
        found.append(
            Target(
                f"dialogs: {known.name}",
                file,
                (*seeds, known.example.encode(), *(CHAT_SEEDS if known.name == "chat" else ())),
                lambda path, known=known: list(iterate_dialogs(path, known=known)),
            )
        )
    all_seeds = tuple(seed for target in found for seed in target.seeds)
    found.append(Target("dialogs: any format", "dialogs", all_seeds, _collected))
    plain = FORMATS["chat"]
    text = written(lambda path: plain.write(iter(dialogs), path))
    found.append(Target("dialogs: compressed", "dialogs", packed(text), _collected))
    stream = io.BytesIO()
    rows = [
        {key: message[key] for key in ("role", "content")} for message in json.loads(text.splitlines()[0])["messages"]
    ]
    pl.DataFrame({"messages": [rows, rows]}).write_ipc_stream(stream)
    found.append(Target("dialogs: Arrow stream", "dialogs", (stream.getvalue(),), _collected))
    said = {"dialog_act": {"Inn-Offer": [["name", "Inn"]], "bye": [["none", "none"]]}}
    beside = json.dumps({"0.json": {"1": {**said, "span_info": [["Inn-Offer", "name", "Inn", 6, 9]]}}}).encode()
    found.append(Target("dialogs: acts of MultiWOZ", "dialog_acts.json", (beside, b"{}"), _read_beside))
    found.append(Target("dialogs: page of a folder", "README.md", (PAGE,), _read_page))
    for name, shapes in SHAPES.items():
        read = partial(_read_all, FORMATS[name])
        found.append(Target(f"dialogs: {name}, other shapes", f"dialogs.{name}", shapes, read))
    found.append(Target("sentences", "candidates.txt", (b"1 hello there\n2 good bye\n",), read_sentences))
    return found


def _read_all(known: Format, path: Path) -> object:
    return list(iterate_dialogs(path, known=known))


def packed(data: bytes) -> tuple[bytes, ...]:
    """The same in every compression."""
    with tempfile.TemporaryDirectory() as folder:
        plain, target = Path(folder) / "plain", Path(folder) / "packed"
        plain.write_bytes(data)
        found = []
        for compression in COMPRESSIONS:
            pack(plain, target, compression)
            found.append(target.read_bytes())
        return tuple(found)


def _read_page(path: Path) -> object:
    """Read what a folder's page says of files that are there."""
    (path.parent / "data").mkdir(exist_ok=True)
    for name in ("x.jsonl", "data/t-0.jsonl"):
        if not (path.parent / name).exists():
            (path.parent / name).write_text('{"prompt": "hi", "completion": "hello"}\n')
    return [files_of_split(path.parent, split) for split in (*splits_in(path.parent), "other:dev")]


def _read_beside(path: Path) -> object:
    """Read dialogs whose acts stand in a file of their own."""
    dialogs = path.with_name("dialogs.json")
    FORMATS["sgd"].write([Dialog((Turn("hi", "hello Inn"),))], dialogs)
    return list(iterate_dialogs(dialogs))


def _collected(path: Path) -> None:
    journal = Journal(path, collect=True)
    with contextlib.suppress(JournalFull):
        list(iterate_dialogs(path, journal))
    assert all("\n" not in str(problem) for problem in journal.problems)


def config_targets() -> list[Target]:
    plain = config_from({"data": {"primary": "a", "valid": "b", "related": ["c"]}})
    seeds = (to_toml(plain).encode(), to_toml(ImageConfig()).encode(), b"training.seed = 1\n[data]\nprimary = 'x'\n")

    def assignment(path: Path) -> None:
        values = plain.model_dump(exclude_none=True)
        set_value(values, path.read_bytes().decode("utf-8", "surrogateescape"))
        config_of(RunConfig, values)

    return [
        Target("config: dialogs", "config.toml", seeds, lambda path: config_from(read_values(path), path)),
        Target("config: images", "config.toml", seeds, lambda path: config_of(ImageConfig, read_values(path), path)),
        Target("config: --set", "set", (b"training.iterations=20", b"data.related=['a', 'b']"), assignment),
    ]


def small_state() -> TrainState:
    """A state with everything in it."""
    generator = torch.Generator().manual_seed(0)
    model, module = LogisticRegression(2, generator), LabelScoreModule(2, 1, generator)
    parts = {"primary": model, "weights": module}
    optimizers = {name: torch.optim.Adam(part.parameters()) for name, part in parts.items()}
    state = TrainState(model, module, optimizers)
    for optimizer, part in zip(optimizers.values(), parts.values(), strict=True):
        for value in part.parameters():
            value.grad = torch.ones_like(value)
        optimizer.step()
    return state


def sealed(data: bytes) -> bytes:
    """Give a mutated checkpoint a checksum that is right again, if it still has a place for one."""
    place = data.find(b'\\"sha256\\": \\"', 8) + len(b'\\"sha256\\": \\"')
    if place < 20 or len(data) < place + 64:
        return data
    blank = data[:place] + b"0" * 64 + data[place + 64 :]
    return data[:place] + hashlib.sha256(blank).hexdigest().encode() + data[place + 64 :]


def checkpoint_targets() -> list[Target]:
    state = small_state()
    tensors = {"a": torch.zeros(2, 3), "b": torch.zeros((), dtype=torch.int64), "c": torch.ones(2).bfloat16()}
    plain = written(lambda path: write_tensors(path, tensors, {"step": "1"}, "model"))
    whole = written(state.copy().write)
    return [
        Target("checkpoint", "best.safetensors", (plain,), read_tensors),
        Target("checkpoint: sealed", "best.safetensors", (plain,), read_tensors, sealed),
        Target("checkpoint: training state, sealed", "last.safetensors", (whole,), state.load, sealed),
    ]


def idx(*shape: int) -> bytes:
    """An IDX file of unsigned bytes."""
    size = torch.Size(shape).numel()
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + bytes(size)


def image_targets() -> list[Target]:
    seeds = (idx(2, 3, 3), idx(4))
    packed = tuple(gzip.compress(seed, mtime=0) for seed in seeds)
    return [Target("IDX", "images", seeds, read_idx), Target("IDX, gzipped", "images.gz", packed, read_idx)]


EXAMPLES = pl.DataFrame({"example": [0, 1, 2], "dialog": [0, 0, 1], "turn": [0, 1, 0], "kind": ["a", "b", "a"]}).cast(
    EXAMPLES_SCHEMA  # type: ignore[arg-type]
)


def record_targets() -> list[Target]:
    row = {"method": "m", "size": 1, "mean": 1.0, "sd": None, "minus_primary": 0.5, "ci95": [0.1, 0.2]}
    seed = dict.fromkeys(("test_accuracy", "valid_accuracy", "per_dialog_accuracy", "seconds"), 1.0)
    rows = [{**row, "seeds": [{"seed": 0, "iterations": 1, **seed}]}]
    comparison = as_json({"rows": rows, "verdict": "v", "coverage": {"c": 1.0}})
    encoding = as_json({"max_memories": 5, "words": ["a", "b"], "candidates": {"primary": ["a b", "b"]}})
    lines = b'{"step": 4, "valid_accuracy": 1.5, "meta_loss": null}\n{"step": 8, "valid_accuracy": 2}\n'
    weights = EXAMPLES.with_columns(pl.lit(4, pl.Int32).alias("step"), pl.lit(0.5, pl.Float32).alias("weight"))
    return [
        Target("records: JSON", "test.json", (comparison, encoding), read_json),
        Target("records: run", "result.json", (b'{"method": "m", "seed": 1}',), _read_result),
        Target("records: comparison", "comparison.json", (comparison,), lambda path: read_comparison(path.parent)),
        Target("records: encoding", "encoding.json", (encoding,), lambda path: Encoding.read(path, "cpu")),
        Target("records: metrics", "metrics.jsonl", (lines,), lambda path: RunFolder(path.parent).read_metrics()),
        Target(
            "records: trials",
            "trials.jsonl",
            (b'{"groups": [true, false], "result": 41.5}\n{"groups": [false, true], "result": 40}\n',),
            lambda path: RunFolder(path.parent).read_trials([[True, False], [False, True], [True, True]]),
        ),
        Target(
            "records: weights",
            "w.parquet",
            (written(lambda path: write_table(path, weights.select(list(WEIGHTS_SCHEMA)))),),
            lambda path: read_table(path, WEIGHTS_SCHEMA),
        ),
        Target("labels: CSV", "l.csv", (b"kind,label\na,1\nb,0\n", b"example,label\n0,1\n"), _labels),
        Target("labels: JSON lines", "l.jsonl", (b'{"kind": "a", "label": 1}\n',), _labels),
    ]


def server_targets() -> list[Target]:
    return [
        Target("server: respond", "body.json", BODIES, respond),
        Target("server: rank", "body.json", BODIES, rank),
        Target("server: addresses", "address", ADDRESSES, visit),
    ]


def as_json(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode()


def _read_result(path: Path) -> object:
    return RunFolder(path.parent).read_record("result", "method")


def _labels(path: Path) -> object:
    return read_labels(path, EXAMPLES)


def targets() -> dict[str, Target]:
    """All readers by their names."""
    files = (dialog_targets(), config_targets(), checkpoint_targets(), image_targets(), record_targets())
    every = (*files, server_targets())
    return {target.name: target for group in every for target in group}
