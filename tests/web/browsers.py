"""The system's own browser for the tests of pages, without a window."""

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


@contextmanager
def started() -> Iterator[Any]:
    """A browser; skips the tests where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in PATHS if name and (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no browser is installed; install chromium, or name one in TASKSIEVE_BROWSER")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def faults_of(page: Any) -> list[tuple[str, list[str]]]:
    """What the accessibility rules find on a page, in a context that lets their script in."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run()")["violations"]
    return [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found]


def fits(page: Any) -> bool:
    """Whether nothing sticks out at the side."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"))
