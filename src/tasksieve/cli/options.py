"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, config_from, read_values, section_of, set_value

_PRIMARY = typer.Option(help="Training dialogs of your new task: a file, or a folder with splits.")
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
    typer.Option(help="What is predicted of a turn; by default what your dialogs suit, which is said."),
]
Labels = Annotated[
    str | None,
    typer.Option(help="For `oracle`: a table with columns label (0/1) and example or kind (.csv, .jsonl, .parquet)."),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file as in a run folder; options win.")]
Settings = Annotated[
    list[str],
    typer.Option("--set", help="Any other setting, e.g. --set training.iterations=2000. May be repeated."),
]
Track = Annotated[
    list[str],
    typer.Option(
        help="Show the training in tensorboard or mlflow too; files in OUT/tracking. May be repeated.",
    ),
]
Strict = Annotated[
    bool | None,
    typer.Option("--strict", help="Refuse turns without a response, which are left out and counted otherwise."),
]
Fallback = Annotated[
    str | None,
    typer.Option(
        help="Said where the best answer is too uncertain, by validation, or there is none; off by default."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]


def configure(data: dict[str, Any], training: dict[str, Any], file: Path | None, assignments: list[str]) -> RunConfig:
    """The configuration from a file, then options, then assignments; None means not given.

    Raises: UserError: if one of them is wrong, or none of them names the dialogs.
    """
    values = {} if file is None else read_values(file)
    for section, given in (("data", data), ("training", training)):
        section_of(values, section).update({key: value for key, value in given.items() if value is not None})
    for assignment in assignments:
        set_value(values, assignment)
    missing = [name for name in ("primary", "valid") if name not in section_of(values, "data")]
    if missing:
        names = " and ".join(f"--{name}" for name in missing)
        raise UserError(f"dialogs are missing: give {names}, or --config with the config.toml of a run", file)
    return config_from(values, file)


def print_json(value: Any) -> None:
    """Print for machines, on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))
