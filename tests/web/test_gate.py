"""Who may ask, how much, how many at once and for how long; and the headers of every answer."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import anyio
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from tasksieve.serve.app import create_app
from tasksieve.serve.gate import Gate
from tasksieve.serve.hosts import Hosts, is_loopback
from tasksieve.serve.limits import Limits
from tasksieve.serve.metrics import Metrics

BASE = "http://127.0.0.1:8000"


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    await anyio.sleep(float(scope["query_string"] or 0))
    await PlainTextResponse("done")(scope, receive, send)


def gated(**limits: float) -> tuple[TestClient, Metrics]:
    metrics = Metrics()
    return TestClient(Gate(slow, Hosts("127.0.0.1"), Limits(**limits), metrics), base_url=BASE), metrics  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("listening", "header", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1:8000", True),
        ("127.0.0.1", "localhost:8000", True),
        ("127.0.0.1", "LOCALHOST", True),
        ("127.0.0.1", "[::1]:8000", True),
        ("127.0.0.1", "evil.example:8000", False),
        ("127.0.0.1", "localhost.evil.example", False),
        ("127.0.0.1", "192.168.0.9", False),
        ("127.0.0.1", "", False),
        ("0.0.0.0", "192.168.0.9:8000", True),
        ("0.0.0.0", "evil.example", False),
        ("0.0.0.0", "models.home", True),
        ("box.local", "box.local:80", True),
    ],
)
def test_only_known_names_are_answered(listening: str, header: str, allowed: bool) -> None:
    assert Hosts(listening, ["models.home"]).allow(header) == allowed


def test_loopback_is_known() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.0.1", "box")] == [False] * 4


def test_foreign_names_and_foreign_pages_are_refused(run: Path) -> None:
    client = TestClient(create_app(run), base_url=BASE)
    foreign = client.get("/api/run", headers={"Host": "evil.example"})
    assert (foreign.status_code, "--allow-host" in foreign.json()["error"]) == (421, True)
    for origin in ("https://evil.example", "null"):
        answer = client.post("/api/respond", json={}, headers={"Origin": origin})
        assert (answer.status_code, list(answer.json())) == (403, ["error"])
    assert client.post("/api/respond", json={}, headers={"Origin": BASE}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/weights", "/dialogs/0/0", "/api", "/static/chat.js", "/api/run", "/none"])
def test_every_answer_has_the_headers(run: Path, path: str) -> None:
    answer = TestClient(create_app(run), base_url=BASE).get(path, headers={"Accept": "text/html"})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")
    if "html" in answer.headers["content-type"]:
        assert "<script>" not in answer.text
        assert " style=" not in answer.text
        assert "://" not in answer.text


def test_long_bodies_are_refused_whether_or_not_they_say_so() -> None:
    client, metrics = gated(body_bytes=10)
    assert client.post("/", content=b"x" * 10).status_code == 200
    said = client.post("/", content=b"x" * 11)
    assert (said.status_code, said.json()) == (413, {"error": "the body is longer than 10 bytes"})
    assert client.post("/", content=iter([b"x" * 6, b"x" * 6])).status_code == 413
    assert client.post("/", headers={"Content-Length": "-1"}).status_code == 413
    assert metrics.registry.get_sample_value("tasksieve_refused_total", {"reason": "large body"}) == 3


def test_a_slow_body_is_not_waited_for() -> None:
    sent = []

    async def never() -> dict[str, object]:
        await anyio.sleep(60)
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    gate = Gate(slow, Hosts("127.0.0.1"), Limits(body_seconds=0.05), Metrics())
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"host", b"127.0.0.1")], "query_string": b""}
    anyio.run(gate, scope, never, send)
    assert sent[0]["status"] == 408


def test_a_slow_answer_ends_in_503() -> None:
    client, _ = gated(answer_seconds=0.05)
    answer = client.get("/?5")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_a_full_server_says_when_to_come_back_and_is_still_healthy(run: Path) -> None:
    client, metrics = gated(in_flight=2)
    waiting = [threading.Thread(target=client.get, args=("/?0.5",)) for _ in range(2)]
    for thread in waiting:
        thread.start()
    deadline = time.monotonic() + 10
    while metrics.in_flight < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    full, health = client.get("/"), client.get("/health")
    for thread in waiting:
        thread.join()
    assert (full.status_code, full.headers["retry-after"]) == (503, "1")
    assert "content-security-policy" in full.headers
    assert health.status_code == 200
    assert client.get("/").status_code == 200
    assert metrics.in_flight == 0
    assert metrics.registry.get_sample_value("tasksieve_refused_total", {"reason": "full"}) == 1


def test_a_fault_is_one_sentence(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasksieve.serve.responder import Responder

    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Responder, "rank", broken)
    client = TestClient(create_app(run), base_url=BASE, raise_server_exceptions=False)
    answer = client.post("/api/rank", json={})
    assert answer.status_code == 500
    assert answer.json() == {"error": "something went wrong in the server; its terminal shows what"}
    assert "content-security-policy" in answer.headers


def test_pages_show_errors_as_pages_and_escape_the_run(run: Path, tmp_path: Path) -> None:
    named = tmp_path / "<b>run&"
    shutil.copytree(run, named)
    page = TestClient(create_app(named), base_url=BASE).get("/none", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "&lt;b&gt;run&amp;" in page.text
    assert "<b>" not in page.text
