"""Pictures of the report and of the pages of `tasksieve serve`, from a run on simulated dialogs, into docs/images.

    make screenshots, or: python docs/screenshots.py [--run RUN]

Needs the extras `serve` and `dev`, and chromium (or another browser named in TASKSIEVE_BROWSER). Without ``--run`` a
run on the support desks of `make demo` is trained first; a given one must be of these too, as the chat replays a
dialog.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from tasksieve.dialogs import SILENCE, Dialog, Turn
from tasksieve.experiments.demo import demo_plan, fresh_dialog
from tasksieve.records.config import changed
from tasksieve.report.html import write_report
from tasksieve.serve.app import create_app
from tasksieve.serve.server import address_of, listen
from tasksieve.training.runs.dialogs import train

IMAGES = Path(__file__).parent / "images"
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 780}
EVENTS = 11


def demo_run(folder: Path) -> Path:
    """Train with learned weights on the dialogs of the demo, with many records of the weights."""
    config = changed(demo_plan(folder).config, {"training.method": "learned", "training.snapshot_every": 20})
    train(config, folder / "demo")
    return folder / "demo"


@contextmanager
def served(run: Path) -> Iterator[str]:
    """The address of a server in a thread of this process."""
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(run), log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield address_of(listening)
        finally:
            server.should_exit = True
            thread.join()


def replay(page: Page, dialog: Dialog) -> None:
    """Say what the user of a dialog said, and give the facts that came between."""
    page.goto("/")
    page.locator("#openings button").first.wait_for()
    page.get_by_text("Facts and profile").click()
    page.get_by_label("Words that describe the user").fill(" ".join(dialog.profile))
    said = 0
    for event in dialog.events[:EVENTS]:
        if not isinstance(event, Turn):
            page.get_by_label("What a tool or a knowledge base answered").fill(event.text)
            page.get_by_role("button", name="Add facts").click()
            continue
        page.get_by_label("You say").fill("" if event.user == SILENCE else event.user)
        page.get_by_label("You say").press("Enter")
        page.locator("#log li.system").nth(said).wait_for()
        said += 1
    page.get_by_text("Facts and profile").click()
    page.locator("#log").evaluate("log => { log.scrollTop = log.scrollHeight }")


def weights(page: Page, address: str = "/weights") -> None:
    """The list of weights, or one dialog."""
    page.goto(address)
    page.locator("#items li").first.wait_for()


def report_pictures(browser: Browser, run: Path, scratch: Path) -> None:
    """The report's slider half way through training and what was borrowed from whom, at a desk and on a phone."""
    address = write_report(run, scratch / "report.html").as_uri()
    page = browser.new_page(viewport=WIDE, color_scheme="light")
    page.goto(address)
    slider = page.get_by_label("Snapshot")
    slider.fill(str(int(slider.get_attribute("max") or 0) // 2))
    take(page, "report", "#weights")
    take(page, "report-services", "#services")
    page = browser.new_page(viewport=PHONE, color_scheme="dark")
    page.goto(address)
    take(page, "report-services-phone", "#services")
    take(page, "report-phone", "#dialogs")


def take(page: Page, name: str, section: str = "") -> None:
    """One picture, small enough for a repository."""
    page.mouse.move(0, 0)
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
    if section:
        page.locator(section).evaluate("one => one.scrollIntoView()")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dialog = fresh_dialog()
    browser_path = os.environ.get("TASKSIEVE_BROWSER") or shutil.which("chromium")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratch = Path(folder)
        run = arguments.run or demo_run(scratch)
        address, playwright = stack.enter_context(served(run)), stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        report_pictures(browser, run, scratch)
        for scheme, size, names in (
            ("light", WIDE, ("chat", "weights", "dialog")),
            ("dark", WIDE, (None, "weights-dark", None)),
            ("dark", PHONE, ("chat-phone", None, "dialog-phone")),
        ):
            page = browser.new_page(base_url=address, viewport=size, color_scheme=scheme, reduced_motion="reduce")
            for name, show in zip(names, (replay, weights, weights), strict=True):
                if name is None:
                    continue
                argument = {
                    "chat": dialog,
                    "dialog": "/dialogs/0/12",
                    "weights": "/weights",
                }
                show(page, argument[name.partition("-")[0]])
                take(page, name)
        browser.close()


if __name__ == "__main__":
    main()
