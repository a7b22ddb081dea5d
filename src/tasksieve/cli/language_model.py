"""`tasksieve reproduce language-model`: a pretrained language model that borrows from an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tasksieve.cli.compare import names_in as named
from tasksieve.cli.compare import numbers_in
from tasksieve.cli.ending import guarded
from tasksieve.cli.messages import output
from tasksieve.cli.options import Json, Seeds, Sizes, Workers, folder_option, print_json


@guarded
def language_model(
    out: Annotated[Path, folder_option("Where dialogs, scores, cells and language-model.json go.")],
    data: Annotated[
        Path | None,
        typer.Option(help="An archive: a folder with a file a service. Not needed where --out was prepared before."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="A folder, a .gguf file or a name on the hub. Without it, dialogs and scores are prepared."
        ),
    ] = None,
    primaries: Annotated[str, typer.Option(help="Services, each in turn the new task.")] = "Buses_1",
    sizes: Sizes = "10,50",
    archives: Annotated[
        str, typer.Option(help="clean, stale, noisy; as in reproduce archive.")
    ] = "clean,stale,noisy",
    rows: Annotated[str, typer.Option(help="Rows, with commas between them; or all.")] = "all",
    seeds: Seeds = 3,
    device: Annotated[str, typer.Option(help="A torch device; on cuda the model works in bfloat16.")] = "cpu",
    steps: Annotated[int, typer.Option(min=1, help="Optimisation steps of every row.")] = 200,
    tokens: Annotated[
        int | None, typer.Option(min=512, help="Most tokens in the model together; fewer need less memory.")
    ] = None,
    together: Annotated[int | None, typer.Option(min=1, help="Most fine-tunings side by side.")] = None,
    ranked: Annotated[
        int | None, typer.Option(min=1, help="Rank the responses of so many test turns; by default of all.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Begin no cell that would probably end after so many minutes.")
    ] = None,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """A language model with LoRA and few dialogs of a new task, borrowing from an archive that is sound or spoiled.

    Rows learn from everything, from halves of it that are selected in several ways, and with weights that are learned
    meanwhile; all take as many steps. The cells of a size and a seed are fine-tuned side by side, in one batch.
    Finished cells are kept: the same command goes on where it was stopped.
    """
    from tasksieve.experiments.language_study.rows import ROWS
    from tasksieve.experiments.language_study.study import LanguagePlan, reproduce_language_model
    from tasksieve.report.language_model import language_model_table

    plan = LanguagePlan(
        source=data,
        model=model,
        out=out,
        primaries=tuple(named(primaries)),
        sizes=tuple(numbers_in(sizes)),
        archives=tuple(named(archives)),
        rows=tuple(ROWS) if rows == "all" else tuple(named(rows)),
        seeds=seeds,
        device=device,
        steps=steps,
        at_once=tokens,
        together=together,
        ranked=ranked,
        workers=workers,
        seconds=None if minutes is None else 60 * minutes,
    )
    record = reproduce_language_model(plan)
    if as_json:
        print_json(record)
        return
    console = output()
    console.print(language_model_table(record))
    console.print(f"Wrote {out / 'language-model.json'}", soft_wrap=True)
