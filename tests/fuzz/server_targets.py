"""The server's endpoints as readers: what a file holds is sent as a body, or as method and address."""

from __future__ import annotations

import atexit
import functools
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import httpx2
from starlette.testclient import TestClient

from tasksieve.errors import UserError
from tasksieve.serve.app import create_app
from tests.small import write_tasks
from tests.web.folders import trained_run

BODIES = tuple(
    json.dumps(body).encode()
    for body in (
        {"events": [{"user": "hello", "system": "hi"}, {"fact": "x R_price cheap"}], "user": "food", "top": 4},
        {"user": "hey", "profile": "male young", "candidates": ["a", "b"]},
    )
)
ADDRESSES = tuple(
    f"GET {address}".encode()
    for address in (
        "/api",
        "/api/run",
        "/api/health",
        "/api/weights?step=12",
        "/api/examples?step=12&kind=greeting&low=0.1&high=0.9&text=food&order=lowest&limit=5&offset=2",
        "/api/examples/3",
        "/api/dialogs?task=restaurant&text=table&order=highest&limit=3",
        "/api/dialogs/restaurant/1",
        "/api/export?format=csv&kind=greeting&low=0.2",
        "/api/export?format=messages&limit=4",
        "/static/style.css",
        "/metrics",
        "/openapi.json",
    )
)
_METHODS = ("GET", "POST", "HEAD", "DELETE", "OPTIONS", "PUT")
_LONGEST = 2000


@functools.cache
def _client() -> TestClient:
    """A server of a run that was trained in a second; both go when the process ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    app = create_app(trained_run(write_tasks(folder / "tasks"), folder / "run"))
    return stack.enter_context(TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False))


def respond(path: Path) -> None:
    """Ask for a response. Raises: UserError: with the server's sentence; AssertionError: if the fault is ours."""
    _ask("POST", "/api/respond", path.read_bytes())


def rank(path: Path) -> None:
    """Ask for a ranking; as :func:`respond`."""
    _ask("POST", "/api/rank", path.read_bytes())


def visit(path: Path) -> None:
    """Visit an address; as :func:`respond`."""
    method, _, address = path.read_bytes().partition(b" ")
    known = method.decode("latin-1")
    _ask(known if known in _METHODS else "GET", "/" + quote(address, safe="/?&=%+:@,;").lstrip("/"))


def _ask(method: str, address: str, body: bytes | None = None) -> None:
    try:
        answer = _client().request(method, address, content=body, headers={"content-type": "application/json"})
    except httpx2.InvalidURL as error:
        raise UserError(str(error)) from None
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400 and answer.content:
        assert len(answer.content) < _LONGEST
        raise UserError(answer.json()["error"])
