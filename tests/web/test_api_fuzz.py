"""Whatever is sent to the API, the answer is one clear sentence and never a fault of ours.

Damaged bodies and addresses are sent by :mod:`tests.fuzz`, which takes the endpoints for readers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tasksieve.serve.app import create_app

BASE = "http://127.0.0.1:8000"
CALM = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PATHS = (
    "/api", "/api/run", "/api/health", "/api/weights", "/api/examples", "/api/dialogs", "/api/export",
    "/api/examples/{}", "/api/dialogs/{}/{}", "/api/{}", "/{}", "/static/{}", "/metrics", "/openapi.json",
)  # fmt: skip
NAMES = ("step", "kind", "task", "low", "high", "text", "order", "limit", "offset", "format", "top", "x")

numbers = st.one_of(st.integers(-(10**30), 10**30), st.floats(), st.integers(-2, 60))
words = st.text(st.characters(codec="utf-8"), max_size=40)
values: st.SearchStrategy[Any] = st.one_of(numbers, words, st.sampled_from(["lowest", "csv", "../..", "%00", "nan"]))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, words),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "user": json_values,
        "events": st.lists(st.dictionaries(st.sampled_from(["user", "system", "fact"]), json_values), max_size=4),
        "profile": json_values,
        "candidates": json_values,
        "top": json_values,
    },
)


@pytest.fixture(scope="module")
def client(run: Path) -> Iterator[TestClient]:
    with TestClient(create_app(run), base_url=BASE, raise_server_exceptions=False) as client:
        yield client


def check(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400 and answer.content and answer.headers["content-type"].startswith("application/json"):
        sentence = answer.json()["error"]
        assert sentence
        assert "Traceback" not in sentence
        assert len(sentence) < 2000


@CALM
@given(path=st.sampled_from(["/api/respond", "/api/rank"]), body=st.one_of(requests, json_values))
def test_any_json_is_answered(client: TestClient, path: str, body: Any) -> None:
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    check(client.post(path, content=content, headers={"content-type": "application/json"}))


@CALM
@given(
    path=st.sampled_from(PATHS),
    places=st.tuples(values, values),
    parameters=st.dictionaries(st.sampled_from(NAMES), st.one_of(values, st.lists(values, max_size=3)), max_size=4),
    method=st.sampled_from(["GET", "GET", "GET", "POST", "HEAD", "DELETE", "OPTIONS"]),
)
def test_any_address_is_answered(
    client: TestClient, path: str, places: tuple[Any, Any], parameters: dict[str, Any], method: str
) -> None:
    from urllib.parse import quote

    place = path.format(*(quote(str(value), safe="") for value in places))
    check(client.request(method, place, params=parameters))
