"""What the server says of itself: the run, its health, its metrics."""

from __future__ import annotations

from typing import Literal

import polars as pl
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from tasksieve.dialogs import SILENCE
from tasksieve.errors import UserError
from tasksieve.records.model_config import Entities, Facts, Predicted
from tasksieve.records.run_folder import RunFolder
from tasksieve.serve.metrics import Metrics
from tasksieve.serve.responder import Responder

OPENINGS = 4


class RunAnswer(BaseModel):
    """The run that is served."""

    run: str
    method: str
    seed: int
    valid_accuracy: float | None = Field(
        description="in per cent, of the model served; none before the end of the run"
    )
    measure: str | None = Field(
        description="what that is: accuracy of actions or of responses, or R_100@1, which ranks the right response "
        "among up to 99 others; none before the end of the run"
    )
    candidates: int = Field(description="responses or actions the model chooses among")
    chooses: Predicted = Field(description="which of these they are")
    words: int = Field(description="words the model knows")
    model: str = Field(description="the kind of model")
    facts: Facts = Field(description="which facts become memories: all, needed, mentioned, none")
    entities: Entities = Field(description="whether responses name entities told by the facts, or are taken as texts")
    threshold: float | None = Field(
        description="the certainty below which an answer had better not be said; none if the run does not say"
    )
    fallback_note: str = Field(
        description="what to know before one relies on the threshold, such as that no validation turn is as "
        "uncertain; empty if there is nothing"
    )
    fact_example: str = Field(description="how a fact of this run's dialogs is told")
    recorded_iterations: int = Field(description="how often weights were recorded")
    openings: list[str] = Field(description="what users often say first in the related dialogs")


class HealthAnswer(BaseModel):
    """That the server can answer."""

    status: Literal["ok"]


def about_routes(folder: RunFolder, responder: Responder, metrics: Metrics) -> APIRouter:
    """``/api/run``, ``/health`` and ``/metrics``."""
    routes = APIRouter(tags=["about"])
    config = folder.read_config()
    openings = _openings(folder)
    metrics.gauge("candidates", "Candidates the model chooses among: responses or actions.").set(len(responder.texts))
    metrics.gauge("vocabulary_words", "Words the model knows.").set(responder.words)

    @routes.get("/api/run")
    def run() -> RunAnswer:
        """The run, its model and its records."""
        result = folder.read_record("result") if folder.has_record("result") else {}
        return RunAnswer(
            run=folder.path.absolute().name,
            method=config.training.method,
            seed=config.training.seed,
            valid_accuracy=result.get("valid_accuracy"),
            measure=result.get("measure"),
            candidates=len(responder.texts),
            chooses=responder.chooses,
            words=responder.words,
            model=config.model.kind,
            facts=responder.facts,
            entities=responder.entities,
            threshold=responder.threshold,
            fallback_note=responder.fallback_note,
            fact_example=responder.fact_example,
            recorded_iterations=len(folder.weight_steps()),
            openings=openings,
        )

    @routes.get("/health")
    async def health() -> HealthAnswer:
        """Whether the server is there; answered even when it is full."""
        return HealthAnswer(status="ok")

    @routes.get(
        "/metrics",
        response_class=Response,
        responses={200: {"description": "metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def prometheus(request: Request) -> Response:
        """Requests, times and refusals in the Prometheus text format, or in OpenMetrics if that is asked for."""
        text, content_type = metrics.text(request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type})

    return routes


def _openings(folder: RunFolder) -> list[str]:
    """The commonest first utterances of the related dialogs; none if the run has no related dialogs."""
    try:
        frame = folder.read_examples()
    except UserError:
        return []
    first = frame.filter((pl.col("turn") == 0) & (pl.col("user") != SILENCE) & (pl.col("user") != ""))
    counts = first.group_by("user").len().sort(["len", "user"], descending=[True, False])
    return counts["user"].head(OPENINGS).to_list()
