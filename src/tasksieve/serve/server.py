"""Listening at an address until told to stop."""

from __future__ import annotations

import asyncio
import errno
import socket
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from tasksieve.errors import UserError
from tasksieve.serve.limits import Limits

_GRACE_SECONDS = 10


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at an address; port 0 takes any free one.

    Raises: UserError: if the port is in use, or the address is not one of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server((str(address[0]), port), family=family, backlog=1024)
        # Connections inherit this; without it the second part of an answer waits for the first to be acknowledged.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except socket.gaierror:
        raise UserError(f"--host: found '{host}'; expected a name or address of this machine") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"port {port} of {host} is in use; stop what listens there, or give another --port"
            ) from None
        raise UserError(f"cannot listen at {host}, port {port}: {error.strerror}") from None


def address_of(listening: socket.socket) -> str:
    """The address of a listening socket as a browser takes it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_server(app: ASGIApp, listening: socket.socket, limits: Limits | None = None) -> None:
    """Answer requests until SIGINT or SIGTERM; then finish those under way, and return.

    Args:
        app: the application.
        listening: from :func:`listen`.
        limits: of connections and times.
    """
    limits = limits or Limits()
    config = uvicorn.Config(
        app,
        http=bounded_protocol(limits.header_seconds),
        ws="none",
        loop="asyncio",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        limit_concurrency=limits.connections,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    _Server(config).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Ends normally on a signal, instead of sending it to itself once more at the end."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; at once if told twice."""
        self.force_exit = self.should_exit
        self.should_exit = True


def bounded_protocol(seconds: float) -> type[H11Protocol]:
    """HTTP that closes a connection whose request's head is not there after so many seconds."""

    class Bounded(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._arm()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete:
                self._arm()
            else:
                self._disarm()

        def connection_lost(self, exc: Exception | None) -> None:
            self._disarm()
            super().connection_lost(exc)

        def _arm(self) -> None:
            if self._deadline is None:
                self._deadline = self.loop.call_later(seconds, self._close)

        def _disarm(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _close(self) -> None:
            self._deadline = None
            if self.cycle is None or self.cycle.response_complete:
                self.transport.close()

    return Bounded
