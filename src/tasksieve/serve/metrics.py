"""Counts and times of requests in the Prometheus text format, with a bounded number of labels."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of seconds."""


class Metrics:
    """What the server has done so far; may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}
        self._refused: Counter[str] = Counter()
        self.in_flight = 0

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request: ``path`` is the route's, not the request's, so that there are only so many."""
        with self._lock:
            self._requests[method, path, status] += 1
            self._buckets.setdefault(path, [0] * (len(BOUNDS) + 1))[bisect_left(BOUNDS, seconds)] += 1
            self._seconds[path] = self._seconds.get(path, 0.0) + seconds

    def refused(self, reason: str) -> None:
        """Count a request that was refused before any work was done for it."""
        with self._lock:
            self._refused[reason] += 1

    def text(self, facts: Mapping[str, float]) -> str:
        """All metrics; ``facts`` are further gauges."""
        with self._lock:
            lines = [*self._request_lines(), *self._time_lines(), *self._refused_lines()]
        for name, value in {"in_flight_requests": self.in_flight, **facts}.items():
            lines += [*_head(name, "gauge"), f"tasksieve_{name} {value:g}"]
        return "\n".join(lines) + "\n"

    def _request_lines(self) -> list[str]:
        rows = [
            f"tasksieve_requests_total{_labels(method=method, path=path, status=status)} {count}"
            for (method, path, status), count in sorted(self._requests.items())
        ]
        return [*_head("requests_total", "counter"), *rows]

    def _time_lines(self) -> list[str]:
        lines = _head("request_seconds", "histogram")
        for path, counts in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
                total += count
                lines.append(f"tasksieve_request_seconds_bucket{_labels(path=path, le=bound)} {total}")
            lines.append(f"tasksieve_request_seconds_sum{_labels(path=path)} {self._seconds[path]:.6f}")
            lines.append(f"tasksieve_request_seconds_count{_labels(path=path)} {total}")
        return lines

    def _refused_lines(self) -> list[str]:
        rows = [
            f"tasksieve_refused_total{_labels(reason=name)} {count}" for name, count in sorted(self._refused.items())
        ]
        return [*_head("refused_total", "counter"), *rows]


_HELP = {
    "requests_total": "Requests answered, by method, route and status.",
    "request_seconds": "Time from a request's arrival to the end of its answer.",
    "refused_total": "Requests refused before any work, by reason.",
    "in_flight_requests": "Requests being worked on now.",
    "candidates": "Candidate responses the model chooses among.",
    "vocabulary_words": "Words the model knows.",
}


def _head(name: str, kind: str) -> list[str]:
    return [f"# HELP tasksieve_{name} {_HELP[name]}", f"# TYPE tasksieve_{name} {kind}"]


def _labels(**values: object) -> str:
    """Label values are routes, methods and reasons of our own, yet escaped as the format asks."""
    pairs = (f'{name}="{_escaped(str(value))}"' for name, value in values.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
