"""How much a request may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what the server takes on.

    Attributes:
        in_flight: requests worked on at once; further ones are told to come back (503).
        body_bytes: the longest request body.
        body_seconds: how long a request body may take to arrive.
        answer_seconds: how long the work and the sending of an answer may take.
        header_bytes: how much is kept of a request's head until it is complete.
        idle_seconds: how long a connection may stay open after an answer without another request.
        connections: open connections.
        threads: threads that compute.
    """

    in_flight: int = 64
    body_bytes: int = 256 * 1024
    body_seconds: float = 10.0
    answer_seconds: float = 30.0
    header_bytes: int = 16 * 1024
    idle_seconds: int = 5
    connections: int = 512
    threads: int = 4
