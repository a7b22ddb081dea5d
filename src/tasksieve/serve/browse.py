"""The API for looking through weights: an overview, examples, dialogs, and a file of what is selected."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from tasksieve.serve import views
from tasksieve.serve.export import FORMATS, Asked, file_of
from tasksieve.serve.recorded import Recorded
from tasksieve.serve.selection import Page


def browse_routes(recorded: Recorded) -> APIRouter:
    """``/api/weights``, ``/api/examples``, ``/api/dialogs`` and ``/api/export`` for a run."""
    routes = APIRouter(prefix="/api", tags=["weights"])

    @routes.get("/weights")
    def weights(step: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None) -> views.Overview:
        """All weights at a recorded iteration in brief, by kind of turn, and their course over training."""
        return views.overview(recorded.examples(), step)

    @routes.get("/examples")
    def examples(page: Annotated[Page, Query()]) -> views.ExamplePage:
        """The related examples that are selected, a page at a time, each with its weight's course."""
        return views.example_page(recorded.examples(), page)

    @routes.get("/examples/{example}")
    def example(example: int, step: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None) -> views.ExampleView:
        """One related example."""
        return views.one_example(recorded.examples(), example, step)

    @routes.get("/dialogs")
    def dialogs(page: Annotated[Page, Query()]) -> views.DialogPage:
        """The dialogs with a turn that is selected, a page at a time, by the mean weight of all their turns."""
        return views.dialog_page(recorded.examples(), page)

    @routes.get("/dialogs/{task}/{dialog}")
    def dialog(
        task: int, dialog: int, step: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None
    ) -> views.DialogView:
        """One related dialog: its turns with their weights and courses."""
        return views.one_dialog(recorded.examples(), task, dialog, step)

    @routes.get(
        "/export",
        response_class=Response,
        responses={200: {"description": "the file", "content": {kind.media: {} for kind in FORMATS.values()}}},
    )
    def export(asked: Annotated[Asked, Query()]) -> Response:
        """Everything that is selected, as a file: JSON lines, CSV, or chat messages with a weight each response."""
        name, media, content = file_of(recorded.examples(), asked)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=media, headers=headers)

    return routes
