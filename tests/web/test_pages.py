"""The pages in a real browser: chat, browse, filter, export, by mouse and by keyboard, wide and narrow."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.web.browsers import PHONE, WIDE, faults_of, fits
from tests.web.folders import HOSTILE

if TYPE_CHECKING:
    from playwright import sync_api


@pytest.fixture(scope="module", params=["wide", "phone"])
def context(
    request: pytest.FixtureRequest, browser: sync_api.Browser, served: str
) -> Iterator[sync_api.BrowserContext]:
    """A browser of one size and scheme; each test has a tab of its own, and pages store nothing beyond it."""
    context = browser.new_context(
        base_url=served,
        viewport=WIDE if request.param == "wide" else PHONE,
        color_scheme="light" if request.param == "wide" else "dark",
        reduced_motion="reduce",
    )
    yield context
    context.close()


@pytest.fixture
def page(context: sync_api.BrowserContext, served: str) -> Iterator[sync_api.Page]:
    """A page whose console must stay empty and which must ask no other machine."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(served) else faults.append(asked.url))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    yield page
    page.close()
    assert faults == []


def wait_for_list(page: sync_api.Page, count: str) -> None:
    """Until the list's title begins so."""
    page.locator("#found-title", has_text=count).wait_for()


def show_filters(page: sync_api.Page) -> None:
    if not page.locator("#text").is_visible():
        page.get_by_text("Filters", exact=True).click()


def remembered(page: sync_api.Page) -> list[str]:
    """The lines that the model holds, as the page shows them."""
    return page.locator("#memories tr th").all_inner_texts()


def test_chat(page: sync_api.Page) -> None:
    page.goto("/")
    page.locator("#openings button").first.click()
    page.locator("#log li.system").nth(0).wait_for()
    page.get_by_label("You say").fill(HOSTILE)
    page.get_by_role("button", name="Send").click()
    page.locator("#log li.system").nth(1).wait_for()
    assert page.locator("#log li.user").nth(1).inner_text().endswith(HOSTILE)
    assert page.locator("#log img, #log script").count() == 0
    assert page.locator("#candidates li").count() == 6
    assert page.locator("#about").inner_text().count(" responses and knows ") == 1
    assert page.locator("#candidates-title").inner_text().endswith(" responses")
    assert page.locator("#memories tr").count() >= 2
    assert "never seen" in page.locator("#unknown").inner_text()
    instead = page.locator("#candidates li .what").nth(1).inner_text()
    page.get_by_role("button", name=f"Say this instead: {instead}", exact=True).click()
    assert page.locator("#log li.system p").nth(1).inner_text().endswith(instead)
    assert fits(page)
    page.get_by_text("Facts and profile").click()
    assert (page.locator("#fact").get_attribute("placeholder") or "").startswith("NAME R_")
    assert page.locator("#when").inner_text() == (
        "The model sees a fact when it has just come, and again once something that identifies it was said. "
        "Responses may name what the facts are about."
    )
    page.get_by_label("What a tool or a knowledge base answered").fill("resto R_price cheap\n\nresto R_place rome")
    page.get_by_label("Words that describe the user").fill("male young")
    page.get_by_role("button", name="Add facts").click()
    assert page.locator("#log li.fact").count() == 2
    page.get_by_label("You say").press("Enter")
    page.locator("#log li.system").nth(2).wait_for()
    assert "(silence)" in page.locator("#log li.user").nth(2).inner_text()
    assert any("resto R_place rome" in line for line in remembered(page))  # it has just come
    page.get_by_label("You say").fill("where is resto")
    page.get_by_role("button", name="Send").click()
    page.locator("#log li.system").nth(3).wait_for()
    assert any("resto R_place rome" in line for line in remembered(page))  # it was mentioned
    page.locator("#log li.system").nth(0).get_by_role("button").click()
    assert page.get_by_role("button", name="Say this instead").count() == 0
    page.reload()
    page.locator("#log li.system").nth(2).wait_for()
    page.get_by_role("button", name="New conversation").click()
    assert page.locator("#log li").count() == 0
    assert page.evaluate("() => document.activeElement.id") == "user"


def test_chat_says_what_went_wrong_and_keeps_the_words(page: sync_api.Page) -> None:
    page.goto("/")
    page.locator("#openings button").first.wait_for()
    page.route("**/api/respond", lambda route: route.fulfill(status=200, body="no"))
    page.get_by_label("You say").fill("hello")
    page.get_by_label("You say").press("Enter")
    page.locator("#problem", has_text="The server said 200").wait_for()
    assert page.get_by_label("You say").input_value() == "hello"
    assert page.locator("#log li").count() == 0


def test_chat_says_that_the_model_is_answering(page: sync_api.Page) -> None:
    page.goto("/")
    page.locator("#openings button").first.wait_for()
    shown = "() => getComputedStyle(document.querySelector('#log ol'), '::after').content"
    assert page.evaluate(shown) == "none"
    seen: list[str] = []

    def slow(route: sync_api.Route) -> None:
        seen.append(str(page.evaluate(shown)))
        route.continue_()

    page.route("**/api/respond", slow)
    page.get_by_label("You say").fill("hello")
    page.get_by_label("You say").press("Enter")
    page.locator("#log li.system").wait_for()
    assert seen == ['"the model is answering …"']
    page.wait_for_function(f"({shown})() === 'none'")


def test_browse_filter_and_export(page: sync_api.Page, tmp_path: Path) -> None:
    page.goto("/weights")
    wait_for_list(page, "197 turns")
    assert page.locator("#items li").count() == 25
    page.get_by_role("button", name="Next").click()
    page.locator("#place", has_text="26 to 50").wait_for()
    show_filters(page)
    page.locator("#kinds label", has_text="greeting").locator("input").check()
    wait_for_list(page, "16 turns")
    page.get_by_label("Words in the turn").fill("onerror")
    wait_for_list(page, "No turn")
    page.get_by_label("Words in the turn").fill("")
    page.get_by_label("Related task").select_option("hotel")
    wait_for_list(page, "8 turns")
    assert page.locator("#items a").first.inner_text().startswith("hotel, dialog")
    page.get_by_role("button", name="Clear all filters").click()
    wait_for_list(page, "197 turns")
    page.get_by_label("Words in the turn").fill("onerror")
    wait_for_list(page, "1 turn")
    assert page.locator("#items .said").first.inner_text() == HOSTILE
    assert page.locator("#items img").count() == 0
    assert fits(page)
    for name, text in exported(page, tmp_path).items():
        rows = (
            list(csv.DictReader(text.splitlines()))
            if name.endswith("csv")
            else [json.loads(x) for x in text.splitlines()]
        )
        assert len(rows) == 1
        assert HOSTILE in (rows[0].get("user"), *(message["content"] for message in rows[0].get("messages", ())))
    page.locator("#items a").first.click()
    page.locator("#items li").first.wait_for()
    assert page.url.endswith("#turn-3")
    page.get_by_role("link", name="All weights").click()
    wait_for_list(page, "1 turn")


def exported(page: sync_api.Page, folder: Path) -> dict[str, str]:
    """Every file offered, by its name."""
    found = {}
    for link in page.locator("#export a").all():
        with page.expect_download() as waiting:
            link.click()
        waiting.value.save_as(folder / waiting.value.suggested_filename)
        found[waiting.value.suggested_filename] = (folder / waiting.value.suggested_filename).read_text()
    assert sorted(found) == ["weights-12-chat.jsonl", "weights-12.csv", "weights-12.jsonl"]
    return found


def test_the_iteration_is_chosen_by_keyboard_and_kept_in_the_address(page: sync_api.Page) -> None:
    page.goto("/weights")
    wait_for_list(page, "197 turns")
    slider = page.get_by_label("Iteration")
    slider.focus()
    slider.press("Home")
    page.locator("#step-shown", has_text="0").wait_for()
    wait_for_list(page, "197 turns, mean weight 0.50")
    page.locator("#view").select_option("dialogs")
    wait_for_list(page, "16 dialogs")
    page.locator("#order").select_option("dialog")
    page.wait_for_url("**order=dialog**")
    page.reload()
    wait_for_list(page, "16 dialogs")
    assert (slider.input_value(), page.locator("#order").input_value()) == ("0", "dialog")
    page.get_by_role("link", name="restaurant, dialog 1", exact=True).click()
    page.locator("#items li").first.wait_for()
    assert "iteration 0" in page.locator("#summary").inner_text()
    page.get_by_label("Iteration").press("End")
    page.locator("#summary", has_text="iteration 12").wait_for()
    page.get_by_role("link", name="Next dialog").click()
    page.get_by_role("heading", name="restaurant, dialog 2").wait_for()
    assert fits(page)


def test_chat_by_keyboard_alone(page: sync_api.Page) -> None:
    page.goto("/")
    page.locator("#openings button").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    for _ in range(30):
        if page.evaluate("() => document.activeElement.id") == "user":
            break
        page.keyboard.press("Tab")
        assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    page.locator("#log li.system").wait_for()


@pytest.mark.parametrize("path", ["/", "/weights", "/dialogs/0/0", "/api", "/none"])
def test_axe_finds_no_fault_wide_and_light_or_narrow_and_dark(
    browser: sync_api.Browser, served: str, path: str
) -> None:
    # The rules are checked by a script of their own, which the pages' policy would rightly not let in.
    page = browser.new_page(base_url=served, viewport=WIDE, reduced_motion="reduce", bypass_csp=True)
    page.goto(path)
    if path == "/":
        page.locator("#openings button").first.click()
        page.locator("#memories-note", has_text="Nothing").wait_for()
        page.get_by_label("You say").press("Enter")
        page.locator("#memories tr").first.wait_for()
        page.get_by_text("Facts and profile").click()
    elif path in ("/weights", "/dialogs/0/0"):
        page.locator("#items li").first.wait_for()
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    for scheme, size in (("light", WIDE), ("dark", PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        assert faults_of(page) == []
    page.close()
