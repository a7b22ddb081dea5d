"""Listening at an address until told to stop."""

from __future__ import annotations

import errno
import signal
import socket
from types import FrameType

import uvicorn
from prometheus_client import disable_created_metrics
from starlette.types import ASGIApp

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

    A second signal ends the process, whatever is under way.

    How long a client may take to send the head of a request is not limited: that is for a proxy in front.

    Args:
        app: the application.
        listening: from :func:`listen`.
        limits: of connections and times.
    """
    limits = limits or Limits()
    # This process is the server's: tell counts, and not also when each began.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    config = uvicorn.Config(
        app,
        http="h11",
        h11_max_incomplete_event_size=limits.header_bytes,
        ws="none",
        loop="asyncio",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        limit_concurrency=limits.connections,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    _Server(config).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Ends normally on a signal, instead of sending it to itself once more at the end."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; the next signal is the system's, as a thread at work could not be stopped otherwise."""
        self.should_exit = True
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
