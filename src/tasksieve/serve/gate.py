"""What stands before the application: who may ask, how much, how many at once and for how long."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasksieve.serve.headers import answer_headers
from tasksieve.serve.hosts import Hosts, host_of
from tasksieve.serve.limits import Limits
from tasksieve.serve.metrics import Metrics

ALWAYS = ("/health", "/metrics")
"""Paths answered even when the server is full: they say that it is."""


class Gate:
    """An ASGI application around another.

    Args:
        app: answers what is let through.
        hosts: which Host headers are answered.
        limits: how much a request may ask for.
        metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts, limits: Limits, metrics: Metrics) -> None:
        self._app, self._hosts, self._limits, self._metrics = app, hosts, limits, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, _Answer(scope["path"], send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _request(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            body = await self._checked_body(scope, receive)
            if self._metrics.in_flight >= self._limits.in_flight and scope["path"] not in ALWAYS:
                raise _Refusal("full", 503, "the server is busy; try again in a second")
            await self._worked_on(scope, _replay(body, receive), answer)
        except _Refusal as refusal:
            self._metrics.refused(refusal.reason)
            await refusal.answer()(scope, receive, answer)
        except ClientDisconnect:
            self._metrics.refused("gone")

    async def _worked_on(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        """Let the application answer, counted and timed."""
        started = time.perf_counter()
        self._metrics.in_flight += 1
        try:
            with anyio.move_on_after(self._limits.answer_seconds) as time_left:
                await self._app(scope, receive, answer)
            if time_left.cancelled_caught and not answer.status:
                raise _Refusal("slow answer", 503, "the answer took too long; try again in a second")
        finally:
            self._metrics.in_flight -= 1
            path = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"
            self._metrics.answered(method, path, answer.status or 503, time.perf_counter() - started)

    async def _checked_body(self, scope: Scope, receive: Receive) -> bytes:
        """The body of a request that may be answered."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._hosts.allow(host):
            hint = "open it at its address, or name it with `tasksieve serve --allow-host`"
            raise _Refusal("host", 421, f"this server is not known by that Host name; {hint}")
        if not _same_origin(headers.get("origin"), host):
            raise _Refusal("origin", 403, "pages of other sites may not ask this server")
        limit, length = self._limits.body_bytes, headers.get("content-length", "0")
        too_long = _Refusal("large body", 413, f"the body is longer than {limit:,} bytes")
        if not length.isdecimal() or int(length) > limit:
            raise too_long
        try:
            with anyio.fail_after(self._limits.body_seconds):
                body = await _read(Request(scope, receive), limit)
        except TimeoutError:
            raise _Refusal("slow body", 408, "the body took too long to arrive") from None
        if len(body) > limit:
            raise too_long
        return body


@dataclass(eq=False)
class _Refusal(Exception):
    """A request that is not worked on."""

    reason: str
    status: int
    sentence: str

    def answer(self) -> JSONResponse:
        headers = {"retry-after": "1"} if self.status == 503 else {}
        if self.status in (408, 413):
            headers["connection"] = "close"
        return JSONResponse({"error": self.sentence}, self.status, headers)


class _Answer:
    """Sends an answer with the headers every answer has, and remembers its status."""

    def __init__(self, path: str, send: Send) -> None:
        self._path, self._send = path, send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message).update(answer_headers(self._path))
        await self._send(message)


def _same_origin(origin: str | None, host: str) -> bool:
    """Whether a request comes from a page of this server, or from no page at all."""
    if origin is None:
        return True
    return host_of(urlsplit(origin).netloc) == host_of(host)


async def _read(request: Request, limit: int) -> bytes:
    """The whole body, or a little more than ``limit`` of it."""
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > limit:
            break
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read once more, then whatever comes next."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again
