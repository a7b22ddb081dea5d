"""The report in a real browser: the slider, the keyboard, paper, contrast, and that no other script runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasksieve.report.html import write_report
from tests.unit.measured_folders import write_measured
from tests.unit.report_folders import STEPS, examples_frame, weights_frame, write_comparison
from tests.web.browsers import PHONE, WIDE, faults_of, fits

SCHEMES = [("light", WIDE), ("dark", PHONE)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    write_comparison(folder, {"primary": 0.0, "multitask": -2.0, "learned": 4.0}, sizes=(50, 100))
    return write_report(folder).as_uri()


@pytest.fixture(scope="module", params=SCHEMES, ids=["wide", "phone"])
def context(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    """A browser of one size and scheme; each test has a tab of its own."""
    scheme, size = request.param
    context = browser.new_context(color_scheme=scheme, viewport=size)
    yield context
    context.close()


@pytest.fixture
def page(context: Any, address: str) -> Iterator[Any]:
    """The report, whose console must stay empty and which must fetch nothing."""
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("request", lambda asked: None if asked.url == address else faults.append(asked.url))
    page.goto(address)
    yield page
    page.close()
    assert faults == []


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report with simple rows, confusions and 19 related tasks."""
    folder = tmp_path_factory.mktemp("measured")
    write_measured(folder)
    return write_report(folder).as_uri()


def test_at_a_desk_and_on_a_phone_nothing_is_cut(context: Any, measured: str) -> None:
    page = context.new_page()
    page.goto(measured)
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert fits(page)
    width = page.viewport_size["width"]
    outside = (
        "one => one.checkVisibility() && !one.closest('.scroll') && one.getBoundingClientRect().right > innerWidth"
    )
    assert page.locator("main *").evaluate_all(f"all => all.filter({outside}).map(one => one.outerHTML)") == []
    charts = page.locator(".card svg").evaluate_all(
        "all => all.filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect().width)"
    )
    assert len(charts) == page.locator(".card .desk").count()
    assert all(width / 2 < chart < width for chart in charts)
    scrolled = "one => one.scrollWidth <= one.clientWidth || getComputedStyle(one).overflowX === 'auto'"
    assert all(page.locator(".scroll, .card").evaluate_all(f"all => all.map({scrolled})"))
    texts = page.locator(".card svg text").evaluate_all(
        "all => all.filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 8).length"
    )
    assert texts == 0
    page.close()


def test_axe_finds_no_fault_in_a_report_with_many_related_tasks(browser: Any, measured: str) -> None:
    page = browser.new_page(viewport=WIDE, bypass_csp=True)
    page.goto(measured)
    for scheme, size in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        assert faults_of(page) == []
    page.close()


def test_the_slider_moves_the_histogram_by_keyboard(page: Any) -> None:
    slider, shown = page.get_by_label("Snapshot"), page.locator(".moment output")
    mean = weights_frame(examples_frame(), 800)["weight"].mean()
    assert shown.inner_text() == f"iteration 800, mean weight {mean:.2f}"
    last = page.locator(".plot").get_attribute("aria-label")
    slider.focus()
    slider.press("Home")
    assert shown.inner_text() == "iteration 0, mean weight 0.50"
    assert slider.get_attribute("aria-valuetext") == shown.inner_text()
    assert page.locator(".bars .part").count() == 1
    assert "32 from 0.5 on" in page.locator(".plot").get_attribute("aria-label")
    slider.press("ArrowRight")
    assert shown.inner_text().startswith("iteration 100,")
    slider.press("End")
    assert page.locator(".plot").get_attribute("aria-label") == last
    assert fits(page)


def test_one_scale_for_all_lowers_the_later_bars(page: Any) -> None:
    tallest = "() => Math.max(...[...document.querySelectorAll('.bars .part')].map(one => one.offsetHeight))"
    before = page.evaluate(tallest)
    page.get_by_label("one scale for all").check()
    assert page.evaluate(tallest) < before / 2
    highest = page.locator(".line").last.inner_text()
    assert int(highest) >= 32


def test_play_goes_through_to_the_end_and_stops(page: Any) -> None:
    page.get_by_role("button", name="Play").click()
    assert page.get_by_label("Snapshot").input_value() == "0"
    page.get_by_role("button", name="Stop").click()
    page.get_by_label("Snapshot").fill(str(len(STEPS) - 2))
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Stop").wait_for()
    page.locator("output", has_text="iteration 800").wait_for()
    page.get_by_role("button", name="Play").wait_for()


def test_on_paper_stand_the_stages_and_every_dialog(page: Any) -> None:
    assert not page.locator(".stages .desk svg").is_visible()
    page.emulate_media(media="print")
    assert not page.locator(".moving").is_visible()
    drawn = "one => one.checkVisibility({contentVisibilityAuto: true})"
    assert page.locator(".stages .desk svg").evaluate(drawn)
    assert all(page.locator(".turns").evaluate_all(f"all => all.map({drawn})"))


def test_without_script_the_stages_stand_open(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert not page.locator(".moving").is_visible()
    assert page.locator(".stages .desk svg").is_visible()
    context.close()


def test_a_script_that_came_in_with_the_texts_would_not_run(browser: Any, address: str, tmp_path: Path) -> None:
    text = Path(address.removeprefix("file://")).read_text(encoding="utf-8")
    hostile = "<script>document.title='mine'</script><img src=x onerror=\"document.title='mine'\">"
    (tmp_path / "hostile.html").write_text(text.replace("<main>", f"<main>{hostile}"), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "hostile.html").as_uri())
    assert page.title() != "mine"
    assert page.locator(".moving").is_visible()
    page.close()


def test_axe_finds_no_fault_and_every_weight_is_readable(browser: Any, address: str) -> None:
    page = browser.new_page(viewport=WIDE, bypass_csp=True)
    page.goto(address)
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    page.locator(".turns li").evaluate_all(
        "all => all.forEach((one, place) => one.style.setProperty('--w', (place % 6) / 5))"
    )
    for scheme, size in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        assert faults_of(page) == []
    page.close()
