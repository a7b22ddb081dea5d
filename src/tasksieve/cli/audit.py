"""`tasksieve audit`: what the dialogs allow, before training on them."""

from __future__ import annotations

from typing import Annotated

import typer

from tasksieve.cli.messages import output
from tasksieve.cli.options import Json, Predict, Primary, Related, Size, Split, SplitSeed, Strict, print_json
from tasksieve.errors import UserError


def audit(
    primary: Primary,
    related: Related = [],  # noqa: B006
    valid: Annotated[str | None, typer.Option(help="Validation dialogs of your new task.")] = None,
    test: Annotated[
        str | None, typer.Option(help="Test dialogs of your new task: for the ceiling, leakage and unseen entities.")
    ] = None,
    size: Size = None,
    predict: Predict = None,
    split: Split = None,
    split_seed: SplitSeed = None,
    strict: Strict = None,
    as_json: Json = False,
) -> None:
    """Look at dialogs before training: what accuracy they allow, what leaks, what conflicts.

    Tells what is predicted and how accurate a model can be at most, which dialogs are in two splits, which entities
    are unseen, where a related task answers differently, and how many words the tasks share.

    [dim]tasksieve audit --primary mine/train.txt --valid mine/valid.txt --related older/train.txt[/dim]
    """
    from tasksieve.audit import audit as audit_files
    from tasksieve.report.audit import audit_page

    if split is not None and (valid, test) != (None, None):
        raise UserError("--split draws validation and test dialogs too; leave --valid and --test out, or --split")
    record = audit_files(
        primary,
        related,
        valid=valid,
        test=test,
        size=size,
        predict=predict or "auto",
        split=split,
        split_seed=split_seed or 0,
        strict=bool(strict),
    ).record()
    if as_json:
        print_json(record)
    else:
        output().print(*audit_page(record), sep="\n")
