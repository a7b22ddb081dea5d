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
        return _answer(request, 422, "; ".join(_problem(problem) for problem in error.errors()[:3]))

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


def _problem(problem: Any) -> str:
    """``user: string should have at most 2000 characters``."""
    place = [str(part)[:_LONGEST] for part in problem["loc"][1:]]
    message = problem["msg"][:1].lower() + problem["msg"][1:]
    if problem["type"] == "json_invalid":
        return "the body is not JSON"
    return f"{'.'.join(place) or 'the request'}: {message}"
