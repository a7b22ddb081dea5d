"""Errors as one sentence: JSON for programs, a small page for people."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from tasksieve.errors import UserError
from tasksieve.serve.pages import error_page

_SENTENCES = {
    404: "there is nothing at this address; /api lists what there is",
    405: "this address does not take that method; /api lists what it takes",
}


def answer_errors(app: FastAPI) -> None:
    """Let every error of an application end in one sentence, without a traceback."""

    @app.exception_handler(UserError)
    async def user_error(request: Request, error: UserError) -> Response:
        place = "" if error.path is None else f"{error.path.name} "  # the name alone: the rest is the owner's affair
        return _answer(request, 404, place + error.message)

    @app.exception_handler(RequestValidationError)
    async def wrong_request(request: Request, error: RequestValidationError) -> Response:
        sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        return _answer(request, 422, "; ".join(_problem(problem, sent) for problem in error.errors()[:3]))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        return _answer(request, error.status_code, _SENTENCES.get(error.status_code, str(error.detail)))

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        return _answer(request, 500, "something went wrong in the server; its terminal shows what")


def _answer(request: Request, status: int, sentence: str) -> Response:
    wants_page = "text/html" in request.headers.get("accept", "")
    if wants_page and not request.url.path.startswith("/api/"):
        return error_page(request, status, sentence)
    return JSONResponse({"error": sentence}, status_code=status)


_LONGEST = 80
"""Characters of a name from the request that an answer repeats."""


def _problem(problem: Any, sent: str) -> str:
    """``user: input should be a valid string``.

    Args:
        problem: as pydantic tells it.
        sent: the media type of the request's body.
    """
    place = [str(part)[:_LONGEST] for part in problem["loc"][1:]]
    message = str(problem["ctx"]["error"]) if problem["type"] == "value_error" else problem["msg"]
    message = message[:1].lower() + message[1:]
    if problem["type"] == "json_invalid":
        return "the body is not JSON"
    if not place and problem["type"] in ("model_attributes_type", "missing"):
        return "the body is no JSON object" if sent.endswith("json") else _not_json(sent)
    if problem["type"] == "string_too_long":
        found, most = len(str(problem["input"])), problem["ctx"]["max_length"]
        return f"{'.'.join(place)} has {found:,} characters; at most {most:,} are read"
    return f"{'.'.join(place) or 'the request'}: {message}"


def _not_json(sent: str) -> str:
    found = f"the type {sent[:_LONGEST]!r}" if sent else "no type"
    return f"found a body of {found}; send a JSON object with the header 'Content-Type: application/json'"
