"""The web application of one run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import anyio.to_thread
from fastapi import FastAPI

from tasksieve.records.run_folder import RunFolder
from tasksieve.serve.about import about_routes
from tasksieve.serve.browse import browse_routes
from tasksieve.serve.errors import answer_errors
from tasksieve.serve.gate import Gate
from tasksieve.serve.hosts import Hosts
from tasksieve.serve.limits import Limits
from tasksieve.serve.metrics import Metrics
from tasksieve.serve.pages import page_routes, static_files
from tasksieve.serve.recorded import Recorded
from tasksieve.serve.responder import Responder
from tasksieve.serve.talk import talk_routes

_DESCRIPTION = "Talk to a trained dialog model, and look through the weights of the related examples."


def create_app(
    run: Path,
    *,
    candidates: Path | None = None,
    fallback: str | None = None,
    fallback_below: float | None = None,
    responder: Responder | None = None,
    host: str = "127.0.0.1",
    names: Iterable[str] = (),
    limits: Limits | None = None,
) -> Gate:
    """The pages and the API of a run, as an ASGI application.

    Args:
        run: the run folder.
        candidates: a file of responses to choose from instead of the run's own.
        fallback: said where the best answer is too uncertain, or there is none; None for nothing.
        fallback_below: the certainty below which it is too uncertain; by default what validation chose.
        responder: who answers, where that is made already; the three before count for nothing then.
        host: the address the server listens at.
        names: further names the server is known by.
        limits: how much a request may ask for.
    Raises: UserError: if the run or the candidates cannot be read.
    """
    limits, metrics, folder = limits or Limits(), Metrics(), RunFolder(run)
    responder = responder or Responder.load(run, candidates, fallback, fallback_below)

    @asynccontextmanager
    async def bounded(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = limits.threads
        yield

    app = FastAPI(
        title="tasksieve",
        version=version("tasksieve"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=bounded,
    )
    app.state.run = folder.path.absolute().name
    app.include_router(talk_routes(responder))
    app.include_router(browse_routes(Recorded(run)))
    app.include_router(about_routes(folder, responder, metrics))
    app.include_router(page_routes(app.state.run))
    app.mount("/static", static_files())
    answer_errors(app)
    return Gate(app, Hosts(host, names), limits, metrics)
