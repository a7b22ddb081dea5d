"""The JSON API: what it answers is what the model and the records say."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tasksieve.experiments.weights import examples_at
from tasksieve.records.run_folder import RunFolder
from tasksieve.serve.app import create_app
from tasksieve.training.runs.trained_model import TrainedModel
from tests.web.folders import HOSTILE

BASE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def client(run: Path) -> Iterator[TestClient]:
    with TestClient(create_app(run), base_url=BASE) as client:
        yield client


@pytest.fixture(scope="module")
def table(run: Path) -> pl.DataFrame:
    """The weights as `tasksieve weights` has them."""
    return examples_at(run)


def get(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_respond_says_what_the_model_says(client: TestClient, run: Path) -> None:
    from tasksieve.dialogs import Turn
    from tasksieve.dialogs.record import told

    events = [{"user": "hello", "system": "what can i do"}, {"fact": "x R_price cheap"}]
    asked = {"events": events, "user": "i want food at x", "profile": "male young", "top": 4}
    answer = client.post("/api/respond", json=asked).json()
    expected = TrainedModel.load(run).answer(
        [Turn("hello", "what can i do"), told("x R_price cheap")],
        "i want food at x",
        profile=["male", "young"],
        top=4,
    )
    assert [one["text"] for one in answer["candidates"]] == [one.text for one in expected]
    assert [one["probability"] for one in answer["candidates"]] == pytest.approx([o.probability for o in expected])
    assert answer["response"] == expected[0].text
    said = [(memory["speaker"], memory["text"]) for memory in answer["memories"]]
    assert said == [
        ("fact", "x R_price cheap"),
        ("system", "what can i do"),
        ("user", "hello"),
        ("profile", "male young"),
    ]
    for hop in range(3):
        assert sum(memory["attention"][hop] for memory in answer["memories"]) == pytest.approx(1, abs=1e-4)


def test_what_the_run_is_measured_by_is_told(client: TestClient) -> None:
    found = get(client, "/api/run")
    assert (found["measure"], found["chooses"]) == ("accuracy of responses", "responses")
    assert 0 <= found["threshold"] <= 1


def test_nothing_said_is_silence_and_unknown_words_are_named(client: TestClient) -> None:
    silence = client.post("/api/respond", json={}).json()
    assert silence["memories"] == []
    assert client.post("/api/respond", json={"user": "<SILENCE>"}).json() == silence
    assert client.post("/api/respond", json={"user": "<user> Quux quux"}).json()["unknown_words"] == ["quux"]


def test_more_memories_than_the_model_holds(client: TestClient) -> None:
    events = [{"user": f"u{n}", "system": f"s{n}"} for n in range(200)]
    memories = client.post("/api/respond", json={"events": events, "user": "x"}).json()["memories"]
    assert len(memories) == 250
    assert memories[0]["text"] == "s199"


def test_rank_orders_all_candidates_or_those_given(client: TestClient) -> None:
    every = client.post("/api/rank", json={"user": "hey there", "top": 100}).json()["candidates"]
    assert [one["score"] for one in every] == sorted((one["score"] for one in every), reverse=True)
    scores = {one["text"]: one["score"] for one in every}
    given = [every[-1]["text"], every[0]["text"], every[-1]["text"]]
    few = client.post("/api/rank", json={"user": "hey there", "candidates": given}).json()["candidates"]
    assert [one["text"] for one in few] == [every[0]["text"], every[-1]["text"]]
    assert [one["score"] for one in few] == pytest.approx([scores[one["text"]] for one in few], rel=1e-4)
    assert sum(one["probability"] for one in few) == pytest.approx(1)


def test_candidates_of_a_file(run: Path, tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("1 good morning\n1 good bye\n1 good bye\n")
    with TestClient(create_app(run, candidates=tmp_path / "c.txt"), base_url=BASE) as client:
        assert get(client, "/api/run")["candidates"] == 2
        answer = client.post("/api/respond", json={"user": "hi", "top": 9}).json()
        assert {one["text"] for one in answer["candidates"]} == {"good morning", "good bye"}


def test_the_overview_has_means_and_counts(client: TestClient, table: pl.DataFrame) -> None:
    found = get(client, "/api/weights")
    assert (found["examples"], found["tasks"], found["steps"]) == (len(table), 2, [0, 4, 8, 12])
    assert found["services"] == ["restaurant", "hotel"]
    assert found["weight"] == pytest.approx(table["weight"].mean(), abs=1e-4)
    assert sum(found["histogram"]) == len(table)
    assert found["course"][-1] == found["weight"]
    means = dict(table.group_by("kind").agg(pl.col("weight").mean()).iter_rows())
    assert {kind["kind"]: kind["weight"] for kind in found["kinds"]} == pytest.approx(means, abs=1e-4)
    assert get(client, "/api/weights", step=0)["weight"] == pytest.approx(0.5, abs=1e-4)


def test_examples_are_filtered_ordered_and_paged(client: TestClient, table: pl.DataFrame) -> None:
    first = get(client, "/api/examples", limit=10)
    second = get(client, "/api/examples", limit=10, offset=10)
    expected = table.sort("weight", descending=True)["example"].to_list()
    assert [one["example"] for one in first["items"] + second["items"]] == expected[:20]
    assert first["total"] == len(table)
    kinds = table["kind"].unique().sort().to_list()[:2]
    wanted = table.filter(pl.col("kind").is_in(kinds) & (pl.col("weight") >= 0.5))
    found = get(client, "/api/examples", kind=kinds, low=0.5, order="lowest", limit=200)
    assert found["total"] == len(wanted)
    weights = [one["weight"] for one in found["items"]]
    assert weights == sorted(weights)
    assert found["weight"] == pytest.approx(wanted["weight"].mean(), abs=1e-4)
    one = get(client, f"/api/examples/{expected[0]}")
    assert one == first["items"][0]
    assert len(one["course"]) == 4


def test_words_are_found_in_any_case_and_are_no_patterns(client: TestClient, table: pl.DataFrame) -> None:
    both = pl.concat_str("user", "system", separator=" ").str.to_lowercase()
    wanted = table.filter(both.str.contains("lisbon") & both.str.contains("table"))
    assert get(client, "/api/examples", text="Table LISBON")["total"] == len(wanted) > 0
    assert get(client, "/api/examples", text=".*")["total"] == 0
    hostile = get(client, "/api/examples", text="onerror=alert(1)>")
    assert [one["user"] for one in hostile["items"]] == [HOSTILE]


@pytest.mark.parametrize("order", ["risen", "fallen", "dialog"])
def test_other_orders(client: TestClient, order: str) -> None:
    items = get(client, "/api/examples", order=order, limit=100)["items"]
    if order == "dialog":
        keys = [one["example"] for one in items]
    else:
        keys = [(one["course"][0] - one["weight"]) * (1 if order == "risen" else -1) for one in items]
    assert keys == pytest.approx(sorted(keys), abs=2e-4)


def test_dialogs_and_one_dialog(client: TestClient, table: pl.DataFrame) -> None:
    found = get(client, "/api/dialogs", limit=200, task=1)
    means = table.filter(pl.col("task") == 1).group_by("dialog").agg(pl.col("weight").mean())
    assert {one["dialog"]: one["weight"] for one in found["items"]} == pytest.approx(
        dict(means.iter_rows()), abs=1e-4
    )
    assert [one["weight"] for one in found["items"]] == sorted((o["weight"] for o in found["items"]), reverse=True)
    in_order = get(client, "/api/dialogs", limit=3, order="dialog")["items"]
    assert [(one["task"], one["dialog"]) for one in in_order] == [(0, 0), (0, 1), (0, 2)]
    one = get(client, "/api/dialogs/1/0", step=4)
    assert one["service"] == "hotel"
    assert (one["before"], one["after"], one["step"]) == ([0, 7], [1, 1], 4)
    turns = table.filter((pl.col("task") == 1) & (pl.col("dialog") == 0)).sort("turn")
    assert [turn["system"] for turn in one["turns"]] == turns["system"].to_list()
    assert get(client, "/api/dialogs/0/0")["before"] is None


def test_exports_hold_exactly_what_is_selected(client: TestClient, table: pl.DataFrame) -> None:
    kind = table["kind"][0]
    wanted = table.filter(pl.col("kind") == kind).sort("weight", descending=True)
    lines = client.get("/api/export", params={"kind": kind})
    assert lines.headers["content-disposition"] == 'attachment; filename="weights-12.jsonl"'
    rows = [json.loads(line) for line in lines.text.splitlines()]
    assert [row["example"] for row in rows] == wanted["example"].to_list()
    assert [row["weight"] for row in rows] == pytest.approx(wanted["weight"].to_list())
    table_file = client.get("/api/export", params={"kind": kind, "format": "csv"})
    read = list(csv.DictReader(io.StringIO(table_file.text)))
    columns = ["example", "task", "dialog", "turn", "kind", "user", "system", "step", "weight", "heads"]
    assert list(read[0]) == columns
    assert [int(row["example"]) for row in read] == wanted["example"].to_list()


def test_chat_messages_keep_dialogs_whole_with_a_weight_each_response(
    client: TestClient, table: pl.DataFrame
) -> None:
    low = 0.5
    text = client.get("/api/export", params={"low": low, "task": 1, "format": "chat"}).text
    for line in map(json.loads, text.splitlines()):
        turns = table.filter((pl.col("task") == line["task"]) & (pl.col("dialog") == line["dialog"])).sort("turn")
        users = [message for message in line["messages"] if message["role"] == "user"]
        systems = [message for message in line["messages"] if message["role"] == "assistant"]
        assert [message["content"] for message in users] == [text for text in turns["user"] if text != "<SILENCE>"]
        assert [message["content"] for message in systems] == turns["system"].to_list()
        weights = [weight if weight >= low else 0 for weight in turns["weight"].to_list()]
        assert [message["weight"] for message in systems] == pytest.approx(weights, abs=1e-5)
    selected = table.filter((pl.col("task") == 1) & (pl.col("weight") >= low))
    assert len(text.splitlines()) == selected["dialog"].n_unique() > 0


def test_new_records_are_seen_without_a_restart(run: Path, tmp_path: Path) -> None:
    grown = tmp_path / "run"
    shutil.copytree(run, grown)
    with TestClient(create_app(grown), base_url=BASE) as client:
        assert get(client, "/api/weights")["step"] == 12
        RunFolder(grown).write_weights(16, RunFolder(grown).read_weights(12).with_columns(weight=pl.lit(0.25)))
        assert get(client, "/api/weights")["weight"] == 0.25


def test_before_a_run_has_ended_its_tasks_have_numbers(run: Path, tmp_path: Path) -> None:
    going_on = tmp_path / "run"
    shutil.copytree(run, going_on)
    (going_on / "result.json").unlink()
    with TestClient(create_app(going_on), base_url=BASE) as client:
        assert get(client, "/api/weights")["services"] == ["Task 0", "Task 1"]
        assert get(client, "/api/dialogs/1/0")["service"] == "Task 1"


def test_what_was_not_recorded_is_null(run: Path, tmp_path: Path) -> None:
    partly = tmp_path / "run"
    shutil.copytree(run, partly)
    RunFolder(partly).write_weights(12, RunFolder(partly).read_weights(12).filter(pl.col("example") > 4))
    with TestClient(create_app(partly), base_url=BASE) as client:
        assert get(client, "/api/examples/2")["weight"] is None
        assert get(client, "/api/weights")["weight"] is not None
        assert get(client, "/api/dialogs/0/0")["turns"][0]["weight"] is None
        assert "null" in client.get("/api/export", params={"text": "onerror"}).text


WRONG = {
    "/api/examples?limit=0": (422, "limit: "),
    "/api/examples?colour=red": (422, "colour: "),
    "/api/examples?low=nan": (422, "low: "),
    "/api/examples?step=3": (404, "nothing was recorded at iteration 3"),
    "/api/examples/99999": (404, "there is no related example 99999"),
    "/api/dialogs/7/0": (404, "there is no related dialog 0 in task 7"),
    "/api/dialogs/x/0": (422, "task: "),
    "/api/export?format=xls": (422, "format: "),
    "/api/none": (404, "there is nothing at this address"),
}


@pytest.mark.parametrize("path", list(WRONG))
def test_wrong_requests_are_answered_with_a_sentence(client: TestClient, path: str) -> None:
    status, sentence = WRONG[path]
    answer = client.get(path)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert sentence in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{", "the body is not JSON"),
        ('{"user": 3}', "user: "),
        ('{"user": "\\ud800"}', "user: "),
        (json.dumps({"user": "x" * 20_001}), "user has 20,001 characters; at most 20,000 are read"),
        (
            json.dumps({"events": [{"user": "hi", "system": "y" * 20_001}]}),
            "events.0.turn.system has 20,001 characters; at most 20,000 are read",
        ),
        ("[]", "the body is no JSON object"),
        ('{"events": [{"fact": ""}]}', "events.0"),
        ('{"top": 1000}', "top: "),
    ],
)
def test_wrong_bodies_likewise(client: TestClient, body: str, sentence: str) -> None:
    answer = client.post("/api/respond", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert sentence in answer.json()["error"]


def test_only_json_is_read_and_only_known_methods(client: TestClient) -> None:
    form = "application/x-www-form-urlencoded"
    for sent, found in (({}, "no type"), ({"Content-Type": form}, f"the type '{form}'")):
        for body in ('{"user": "x"}', ""):
            answer = client.post("/api/respond", content=body, headers=sent)
            assert answer.status_code == 422
            assert answer.json()["error"] == (
                f"found a body of {found}; send a JSON object with the header 'Content-Type: application/json'"
            )
    assert client.put("/api/respond", json={}).json()["error"].startswith("this address does not take that method")


def test_a_run_without_weights_can_still_be_talked_to(tasks_dir: Path, tmp_path: Path) -> None:
    from tasksieve.training.runs.dialogs import train
    from tests.small import small_config

    train(small_config(tasks_dir, training={"method": "primary"}), tmp_path / "run")
    with TestClient(create_app(tmp_path / "run"), base_url=BASE) as client:
        assert get(client, "/api/run")["openings"] == []
        assert client.post("/api/respond", json={"user": "hello"}).status_code == 200
        missing = client.get("/api/weights")
        assert (missing.status_code, "recorded no weights" in missing.text) == (404, True)


def test_the_description_names_every_operation(client: TestClient) -> None:
    described = get(client, "/openapi.json")
    paths = ["respond", "rank", "weights", "examples", "examples/{example}", "dialogs", "dialogs/{task}/{dialog}"]
    assert set(described["paths"]) == {*(f"/api/{path}" for path in [*paths, "export", "run"]), "/health", "/metrics"}
    assert all("description" in operation for path in described["paths"].values() for operation in path.values())


def test_health_and_metrics(client: TestClient) -> None:
    assert get(client, "/health") == {"status": "ok"}
    client.get("/api/examples/1")
    client.get("/none/of/this")
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert {name: family.type for name, family in found.items() if not name.endswith("_created")} == {
        "tasksieve_requests": "counter",
        "tasksieve_request_seconds": "histogram",
        "tasksieve_refused": "counter",
        "tasksieve_in_flight_requests": "gauge",
        "tasksieve_candidates": "gauge",
        "tasksieve_vocabulary_words": "gauge",
    }
    one = {"method": "GET", "path": "/api/examples/{example}", "status": "200"}
    assert one in [sample.labels for sample in found["tasksieve_requests"].samples]
    assert "/none" not in answer.text
    assert 'tasksieve_request_seconds_bucket{le="0.005",path="/health"}' in answer.text
    assert [sample.value for sample in found["tasksieve_in_flight_requests"].samples] == [1]
    assert found["tasksieve_candidates"].samples[0].value == get(client, "/api/run")["candidates"]
    other = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert other.headers["content-type"].startswith("application/openmetrics-text;")
    assert other.text.endswith("# EOF\n")
