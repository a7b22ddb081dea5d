"""`tasksieve serve`: the trained model and its weights in the browser."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from tasksieve.cli.messages import errors, output, say_of_fallback
from tasksieve.cli.options import Fallback, FallbackBelow, Trained, check_fallback_below
from tasksieve.errors import UserError


def serve(
    run: Trained,
    host: Annotated[
        str, typer.Option(help="The address to listen at; the default is this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at; 0 takes a free one.")] = 8000,
    candidates: Annotated[
        Path | None, typer.Option(help="Choose from this file's responses (`1 text` a line), not the run's own.")
    ] = None,
    fallback: Fallback = None,
    fallback_below: FallbackBelow = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further name the server is known by. May be repeated.")
    ] = None,
) -> None:
    """Talk to a run's best model in the browser, and look through the weights of the related examples.

    Programs ask the same over a JSON API. Ctrl-C stops it.
    """
    missing = [name for name in ("fastapi", "prometheus_client", "uvicorn") if find_spec(name) is None]
    if missing:
        raise UserError(f"{', '.join(missing)} not installed; install the extra: pip install 'tasksieve[serve]'")
    check_fallback_below(fallback, fallback_below)
    import torch

    from tasksieve.serve.app import create_app
    from tasksieve.serve.hosts import is_loopback
    from tasksieve.serve.responder import Responder
    from tasksieve.serve.server import address_of, listen, run_server

    console = output(wrap=False)
    with listen(host, port) as listening:
        torch.set_num_threads(1)
        responder = Responder.load(run, candidates, fallback, fallback_below)
        app = create_app(run, responder=responder, host=host, names=allow_host or ())
        say_of_fallback(fallback, responder.fallback_note)
        if not is_loopback(host):
            errors().print(
                f"warning: listening at {host}: whoever reaches this address can talk to the model and read the "
                "related dialogs; there is no password",
                style="yellow",
                soft_wrap=True,
            )
        console.print(f"Serving {run} at {address_of(listening)} (Ctrl-C stops it)")
        run_server(app, listening)
    console.print("Stopped.")
