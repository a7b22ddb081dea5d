"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, config_from, read_values, section_of, set_value
from tasksieve.records.shares import SHARES_EXAMPLE


def folder_to_write(path: Path | None) -> Path | None:
    """Refuse a folder that cannot be made, as it, or what it would lie in, is a file.

    Raises: UserError: saying which.
    """
    there = next((place for place in (path, *path.parents) if place.exists()), None) if path is not None else None
    if there is not None and not there.is_dir():
        raise UserError("is a file, where a folder is to be written; choose another folder", there)
    return path


def folder_option(text: str) -> Any:
    """The option `--out` of a command that writes a folder.

    Args:
        text: its help.
    """
    return typer.Option(callback=folder_to_write, help=text)


Trained = Annotated[Path, typer.Argument(help="A run folder.")]
_PRIMARY = typer.Option(help="Training dialogs of your new task: a file, a folder with splits, or FILE#train.")
Primary = Annotated[str, _PRIMARY]
PrimaryOrConfig = Annotated[str | None, _PRIMARY]
"""May be left out where a configuration file names the dialogs."""
ValidOrConfig = Annotated[
    str | None, typer.Option(help="Validation dialogs of your new task; they choose the model.")
]
"""May be left out where a configuration file names the dialogs."""
Related = Annotated[
    list[str], typer.Option(help="Dialogs of a related task, or a folder with a file for each. May be repeated.")
]
Predict = Annotated[
    Literal["auto", "responses", "actions"] | None,
    typer.Option(help="What is predicted of a turn; by default what suits your dialogs, which the command says."),
]
Size = Annotated[int | None, typer.Option(min=1, help="Use only the first SIZE primary dialogs.")]
Sizes = Annotated[str, typer.Option(help="Numbers of primary training dialogs.")]
Labels = Annotated[
    str | None,
    typer.Option(help="For `oracle`: a table with columns label (0/1) and example or kind (.csv, .jsonl, .parquet)."),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="A run folder, or a TOML file as in one; options win.")
]
Settings = Annotated[
    list[str],
    typer.Option("--set", help="Any other setting, e.g. --set meta.updates=2. May be repeated."),
]
Track = Annotated[
    list[str],
    typer.Option(
        help="Show the training in tensorboard, mlflow or wandb too; files in OUT/tracking. May be repeated.",
    ),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="Serve Prometheus metrics of the training at this port while it lasts; 0 takes a free one.",
    ),
]
Strict = Annotated[
    bool | None,
    typer.Option("--strict", help="Refuse turns without a response; else they are left out and counted."),
]
SplitName = Annotated[
    str | None,
    typer.Option("--split-name", help="Take this split of a file or folder; FILE#train is short for it."),
]
Split = Annotated[
    str | None,
    typer.Option(help="Draw training, validation and test dialogs from --primary: per cent of each, e.g. 60/20/20."),
]
SplitSeed = Annotated[int | None, typer.Option(min=0, help="Seed of the draw that --split asks for; by default 0.")]
NoAudit = Annotated[bool, typer.Option("--no-audit", help="Do not look at the dialogs first.")]
Fallback = Annotated[
    str | None,
    typer.Option(
        help="Say this where the best answer is too uncertain, by validation, or there is none; off by default."
    ),
]
FallbackBelow = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Say the fallback where the best answer's certainty is below this; by default what validation chose.",
    ),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        help="Bound what a learned run costs: 2x is twice a run of multitask, 5m is five minutes. It then has fewer "
        "meta-updates and less screening.",
    ),
]
Workers = Annotated[int, typer.Option(min=1, help="Runs at the same time; by default one for each core.")]
Seeds = Annotated[int, typer.Option(min=1, help="Runs of each method, with seeds 0, 1, …; two give an interval.")]
MaxSeeds = Annotated[
    int | None,
    typer.Option(help="Run more seeds, one by one, until it is clear whether to borrow; at most so many."),
]
Ray = Annotated[
    str | None, typer.Option(help="Do the runs on the Ray cluster at this address; local starts one here.")
]
Slice = Annotated[
    str | None,
    typer.Option(
        "--slice",
        help="Do one part of the runs, e.g. 2/8 for the second of eight, then what other parts left undone. All "
        "parts share --out.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]


def check_fallback_below(fallback: str | None, below: float | None) -> None:
    """Raise UserError if it is said when to fall back, and not on what."""
    if below is not None and fallback is None:
        raise UserError("--fallback-below says when --fallback is said; give what is to be said with --fallback TEXT")


def configure(data: dict[str, Any], training: dict[str, Any], file: Path | None, assignments: list[str]) -> RunConfig:
    """The configuration from a file, then options, then assignments; None means not given.

    Raises: UserError: if one of them is wrong, or none of them names the dialogs.
    """
    if file is not None and file.is_dir():
        file = file / "config.toml"
    values = {} if file is None else read_values(file)
    for section, given in (("data", data), ("training", training)):
        section_of(values, section).update({key: value for key, value in given.items() if value is not None})
    for assignment in assignments:
        set_value(values, assignment)
    named = section_of(values, "data")
    for name, other in (("split", "valid"), ("valid", "split")):
        if data.get(name) is not None and data.get(other) is None:
            named.pop(other, None)
    needed = ("primary",) if "split" in named else ("primary", "valid")
    missing = [name for name in needed if name not in named]
    if missing:
        names = " and ".join(f"--{name}" for name in missing)
        drawn = f", or --split {SHARES_EXAMPLE} to have them drawn from --primary" if missing == ["valid"] else ""
        raise UserError(f"dialogs are missing: give {names}{drawn}, or --config with the config.toml of a run", file)
    return config_from(values, file)


def print_json(value: Any) -> None:
    """Print for machines, on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))
