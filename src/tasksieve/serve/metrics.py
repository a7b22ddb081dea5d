"""Counts and times of requests for Prometheus, with a bounded number of labels."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of seconds."""


class Metrics:
    """What one application has done so far; may be used from any thread.

    Attributes:
        registry: of this application alone, so that several may live in one process.
        in_flight: requests being worked on now.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.in_flight = 0
        requests, seconds = (
            "Requests answered, by method, route and status.",
            "From a request to the end of its answer.",
        )
        self._requests = Counter("tasksieve_requests", requests, ("method", "path", "status"), registry=self.registry)
        self._seconds = Histogram(
            "tasksieve_request_seconds", seconds, ("path",), buckets=BOUNDS, registry=self.registry
        )
        self._refused = Counter(
            "tasksieve_refused", "Requests refused before any work, by reason.", ("reason",), registry=self.registry
        )
        self.gauge("in_flight_requests", "Requests being worked on now.").set_function(lambda: self.in_flight)

    def gauge(self, name: str, meaning: str) -> Gauge:
        """A further number to tell, ``tasksieve_`` and its name."""
        return Gauge(f"tasksieve_{name}", meaning, registry=self.registry)

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request: ``path`` is the route's, not the request's, so that there are only so many."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def refused(self, reason: str) -> None:
        """Count a request that was refused before any work was done for it."""
        self._refused.labels(reason).inc()

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """All metrics in the format that an Accept header asks for, and the content type of that."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type
