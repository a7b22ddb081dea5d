"""The chat page of a run that predicts actions, with a fallback: what it calls things, and what is not said."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tasksieve.dialogs import Record
from tasksieve.training.runs.trained_model import TrainedModel
from tests.unit.test_wordings import TEST, TRAINING, trained
from tests.web.browsers import PHONE, WIDE, faults_of, fits

if TYPE_CHECKING:
    from playwright import sync_api

FALLBACK = "One moment, please."
CUSTOMER = next(event for event in TEST[0].events if isinstance(event, Record))


@pytest.fixture(scope="module")
def desk(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a support desk's model in place of the run's own."""
    import uvicorn

    from tasksieve.serve.app import create_app
    from tasksieve.serve.server import address_of, listen

    copy = tmp_path_factory.mktemp("desk") / "run"
    shutil.copytree(run, copy)
    result = json.loads((copy / "result.json").read_text())
    (copy / "result.json").write_text(json.dumps({**result, "measure": "R_100@1"}))
    with pytest.MonkeyPatch.context() as patched, listen("127.0.0.1", 0) as listening:
        patched.setattr(TrainedModel, "load", lambda path, device="cpu": trained(TRAINING, "actions", 1.0))
        app = create_app(copy, fallback=FALLBACK)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield address_of(listening)
        server.should_exit = True
        thread.join(30)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_actions_are_called_so_and_what_is_kept_back_is_not_said(
    browser: sync_api.Browser, desk: str, size: sync_api.ViewportSize
) -> None:
    page = browser.new_page(base_url=desk, viewport=size, reduced_motion="reduce", bypass_csp=True)
    page.goto("/")
    page.locator("#about", has_text="5 actions and knows").wait_for()
    assert (
        " % of the validation turns the right response ranks first among up to 99 others."
        in page.locator("#about").inner_text()
    )
    page.get_by_text("Facts and profile").click()
    assert (page.locator("#fact").get_attribute("placeholder") or "").startswith('find_customer {"')
    page.locator("#fact").fill(CUSTOMER.text)
    page.get_by_role("button", name="Add facts").click()
    page.get_by_label("You say").fill("my number is 777123")
    page.get_by_label("You say").press("Enter")
    page.locator("#log li.system", has_text=FALLBACK).wait_for()
    assert "777123" not in page.locator("#unknown").inner_text()
    assert page.locator("#candidates-title").inner_text() == "Best of 5 actions"
    first, *others = page.locator("#candidates li").all_inner_texts()
    assert first.startswith("–")
    assert "not said" not in first
    assert "said because 100 % is needed for an answer" in first
    assert others and all("not said" in other for other in others)
    assert fits(page)
    assert faults_of(page) == []
    page.get_by_role("button", name="Say this").first.click()
    assert not any("not said" in other for other in page.locator("#candidates li").all_inner_texts())
    page.close()
