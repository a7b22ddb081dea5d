"""The command `tasksieve serve`: how it starts, warns, fails and ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasksieve.cli.serve import serve
from tasksieve.errors import UserError
from tasksieve.serve import server
from tasksieve.serve.server import address_of, listen
from tests.commands import call

PROGRAM = [sys.executable, "-m", "tasksieve", "serve"]


def environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}


def test_it_answers_until_ctrl_c_and_ends_with_0(run: Path) -> None:
    """That SIGTERM ends it with 0 as well is seen by the test of the benchmark."""
    command = [*PROGRAM, str(run), "--port", "0"]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r" at (http://\S+:(\d+))", process.stdout.readline())
        assert found is not None, process.communicate(timeout=60)
        with urllib.request.urlopen(f"{found[1]}/api/run", timeout=30) as answer:
            assert json.load(answer)["run"] == "run"
            assert "server" not in answer.headers
        with urllib.request.urlopen(f"{found[1]}/metrics", timeout=30) as answer:
            assert b"_created" not in answer.read()
        with socket.create_connection(("127.0.0.1", int(found[2])), timeout=30) as endless:
            endless.sendall(b"GET /health HTTP/1.1\r\nX-Long: " + b"x" * 20_000)
            assert endless.recv(4000).startswith(b"HTTP/1.1 400")
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, out) == (0, "Stopped.\n")
    assert errors.split(maxsplit=1)[1] == "Invalid HTTP request received.\n"


SLOW = """
import time
import anyio.to_thread
from tasksieve.serve.server import listen, run_server

async def app(scope, receive, send):
    while scope["type"] == "lifespan":
        asked = (await receive())["type"]
        await send({"type": f"{asked}.complete"})
        if asked == "lifespan.shutdown":
            return
    print("asked", flush=True)
    await anyio.to_thread.run_sync(time.sleep, float(scope["path"].removeprefix("/")))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})

with listen("127.0.0.1", 0) as listening:
    print(listening.getsockname()[1], flush=True)
    run_server(app, listening)
"""
"""A server whose answers are worked on in a thread for as many seconds as the path says."""


@contextmanager
def asked_for(seconds: float) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """Such a server, and a client's connection that waits for so long an answer."""
    process = subprocess.Popen([sys.executable, "-c", SLOW], env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(f"GET /{seconds} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
            assert process.stdout.readline() == "asked\n"
            yield process, client
    finally:
        process.kill()
        process.communicate()


def test_an_answer_under_way_is_given_after_sigterm_and_the_server_ends_with_0() -> None:
    with asked_for(2.0) as (process, client):
        process.send_signal(signal.SIGTERM)
        answer = b"".join(iter(lambda: client.recv(4000), b""))
        assert answer.startswith(b"HTTP/1.1 200") and b"done" in answer
        assert process.wait(30) == 0


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_server_whatever_is_under_way(second: signal.Signals) -> None:
    with asked_for(300.0) as (process, _):
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(second)
        assert process.wait(30) == -second


def test_it_warns_when_others_can_reach_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "run_server", lambda app, listening: None)
    ended = call("serve", run, "--host", "0.0.0.0", "--port", 0)
    assert re.fullmatch(
        rf"Serving {re.escape(str(run))} at http://0\.0\.0\.0:\d+ \(Ctrl-C .*\)\nStopped\.\n", ended.out
    )
    assert ended.err.startswith("warning: listening at 0.0.0.0: whoever reaches this address")
    assert call("serve", run, "--port", 0).err == ""


def test_mistakes_end_in_one_sentence_and_code_2(run: Path, tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        ended = call("serve", run, "--port", port)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"error: port {port} of 127.0.0.1 is in use; ")
        assert len(ended.err.splitlines()) == 1
    with pytest.raises(UserError, match="is not a run folder"):
        serve(tmp_path, port=0)
    (tmp_path / "c.txt").write_text("good morning\n")
    with pytest.raises(UserError, match=r"c\.txt:1: found 'good morning'"):
        serve(run, port=0, candidates=tmp_path / "c.txt")
    early = tmp_path / "early"
    shutil.copytree(run, early)
    shutil.rmtree(early / "checkpoints")
    with pytest.raises(UserError):
        serve(early, port=0)


def test_help_teaches_within_80_columns() -> None:
    ended = call("serve", "--help")
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "--allow-host" in ended.out


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UserError, match=r"cannot listen at 192\.0\.2\.1"):
        listen("192.0.2.1", 0)
    with pytest.raises(UserError, match=r"--host: found 'no\.such\.name\.invalid'"):
        listen("no.such.name.invalid", 0)


def test_without_the_extra_it_says_what_to_install(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[serve.__module__], "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'tasksieve\[serve\]'"):
        serve(run)


def test_addresses_as_browsers_take_them() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address_of(listening))
    if socket.has_ipv6:
        try:
            with listen("::1", 0) as listening:
                assert address_of(listening).startswith("http://[::1]:")
        except UserError:
            pytest.skip("this machine has no IPv6 loopback")
