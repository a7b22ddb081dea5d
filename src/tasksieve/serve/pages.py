"""The pages and the files they load; data reaches them by the API alone."""

from __future__ import annotations

import mimetypes
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

_PARAMETER_KINDS = {"query": "in the address", "path": "in the path"}


def page_routes(run: str) -> APIRouter:
    """The pages of a run: chat, weights, one dialog, the API.

    Args:
        run: the run's name, to be shown.
    """
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @routes.get("/")
    def chat() -> HTMLResponse:
        return _page("chat.html.j2", run=run)

    @routes.get("/weights")
    def weights() -> HTMLResponse:
        return _page("weights.html.j2", run=run)

    @routes.get("/dialogs/{task}/{dialog}")
    def dialog(task: int, dialog: int) -> HTMLResponse:
        return _page("dialog.html.j2", run=run, task=task, dialog=dialog)

    @routes.get("/api")
    def api(request: Request) -> HTMLResponse:
        return _page("api.html.j2", run=run, operations=_operations(request.app.openapi()))

    return routes


def static_files() -> StaticFiles:
    """Styles, scripts and the icon."""
    mimetypes.add_type("text/javascript", ".js")  # some systems' tables say otherwise, and browsers then refuse it
    return StaticFiles(directory=Path(__file__).parent / "static")


def error_page(request: Request, status: int, sentence: str) -> HTMLResponse:
    """An error for people."""
    return _page("error.html.j2", code=status, status=status, run=request.app.state.run, sentence=sentence)


def _page(template: str, *, code: int = 200, **values: Any) -> HTMLResponse:
    text = _environment().get_template(template).render(**values)
    return HTMLResponse(text.encode("utf-8", "replace"), status_code=code)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tasksieve.serve"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Each operation of an OpenAPI description as the page lists it."""
    found = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            found.append(
                {
                    "method": method.upper(),
                    "path": path,
                    "description": operation.get("description") or operation["summary"],
                    "parameters": [_parameter(value) for value in operation.get("parameters", ())]
                    or _fields(schema, operation),
                }
            )
    return found


def _parameter(value: dict[str, Any]) -> dict[str, str]:
    description = value.get("description") or value["schema"].get("description") or _PARAMETER_KINDS[value["in"]]
    return {"name": value["name"], "description": description}


def _fields(schema: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, str]]:
    """The fields of a JSON body."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = body.get("$ref", "").rpartition("/")[2]
    fields = schema.get("components", {}).get("schemas", {}).get(name, {}).get("properties", {})
    return [{"name": field, "description": value.get("description", "")} for field, value in fields.items()]
