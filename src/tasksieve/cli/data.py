"""`tasksieve data`: public data sets to experiment with."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from tasksieve.cli.ending import guarded
from tasksieve.cli.help_text import Wrapped
from tasksieve.cli.messages import errors, output
from tasksieve.cli.options import Json, folder_option, print_json

data = typer.Typer(no_args_is_help=True, help="Get public data sets to experiment with.")


@data.callback()
def _data() -> None:
    """Keep `fetch` a command of its own, even while it is the only one."""


@data.command(cls=Wrapped)
@guarded
def fetch(
    name: Annotated[str, typer.Argument(help="mnist: the four original files, 11.6 MB.", show_default=False)],
    out: Annotated[Path | None, folder_option("The folder to put them into; else data/NAME.")] = None,
    mirrors: Annotated[
        list[str],
        typer.Option("--mirror", help="Fetch from this address instead of the known ones. May be repeated."),
    ] = [],  # noqa: B006
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there but wrong.")] = False,
) -> None:
    """Fetch a data set; what arrives must have the published SHA-256, wherever it comes from.

    Files that are there and right are left alone; a wrong one is reported, and replaced only with --force.

    After Ctrl-C or a broken connection the same command goes on where it was: NAME.part holds what has arrived.
    """
    from tasksieve.fetch import data_set_named, fetch_data_set

    wanted = data_set_named(name)
    folder = Path("data") / name if out is None else out
    with FetchBars() as bars:
        files = fetch_data_set(wanted, folder, mirrors=mirrors, force=force, watch=bars.watch, tell=bars.tell)
    console = output()
    for path, already_there in files.items():
        said = "Already there:" if already_there else "Wrote"
        console.print(f"{said} {path}", soft_wrap=True)


@data.command(cls=Wrapped)
@guarded
def sgd(
    source: Annotated[
        Path, typer.Argument(help="The folder train of a clone of dstc8-schema-guided-dialogue.", show_default=False)
    ],
    out: Annotated[Path, folder_option("The archive to write: SERVICE.json for each service.")],
    as_json: Json = False,
) -> None:
    """Make an archive of the Schema-Guided dialogs: a file a service, of the dialogs that are of one service."""
    from tasksieve.dialogs.archives.schema_guided import split_services

    split = split_services(source, out)
    if as_json:
        print_json({"dialogs": split.dialogs, "left_out": split.left_out})
        return
    dialogs = sum(split.dialogs.values())
    output().print(
        f"Wrote {dialogs:,} dialogs of {len(split.dialogs)} services to {out}; left out {split.left_out:,} "
        "that are of several services",
        soft_wrap=True,
    )


class FetchBars:
    """One bar a file, on standard error, with its rate and the time left; a context manager."""

    def __init__(self) -> None:
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=10),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=errors(),
        )

    def __enter__(self) -> FetchBars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._progress.stop()

    def watch(self, name: str, done: int, size: int) -> None:
        """Move a file's bar; bytes from an earlier call do not count for the rate."""
        if not self._bars:
            self._progress.start()
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, completed=done, total=size)
        self._progress.update(self._bars[name], completed=done)

    def tell(self, message: str) -> None:
        """Print what went wrong above the bars."""
        self._progress.console.print(message, style="dim", soft_wrap=True)
