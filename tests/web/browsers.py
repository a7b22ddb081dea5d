"""The system's own browser for the tests of pages, without a window; and what to say where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pytest

PATHS = (os.environ.get("TASKSIEVE_BROWSER", ""), "chromium", "chromium-browser", "google-chrome")
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
NO_BROWSER = "no browser is installed"


def path() -> str | None:
    """Where a browser is that playwright can drive."""
    return next((found for name in PATHS if name and (found := shutil.which(name))), None)


@contextmanager
def started() -> Iterator[Any]:
    """A browser; skips the tests where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason=f"{NO_BROWSER}: playwright is missing")
    if path() is None:
        pytest.skip(NO_BROWSER)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path(), args=["--no-sandbox"])
        yield browser
        browser.close()


def advice(left_out: int) -> str:
    """What to tell at the end of a test run in which tests had no browser."""
    return (
        f"{left_out} tests of pages were left out, as {NO_BROWSER}: install chromium (apt install chromium, "
        "dnf install chromium, brew install chromium), or name a browser of its kind in TASKSIEVE_BROWSER."
    )


def faults_of(page: Any) -> list[tuple[str, list[str]]]:
    """What the accessibility rules find on a page, in a context that lets their script in."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run({resultTypes: ['violations']})")["violations"]
    return [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found]


def fits(page: Any) -> bool:
    """Whether nothing sticks out at the side."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"))
