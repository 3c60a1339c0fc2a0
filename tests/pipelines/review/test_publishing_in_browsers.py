"""An issue goes out, is corrected and taken back at the desk, by key and by mouse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsers import (
    databases,  # noqa: F401 - a fixture
    pick_three,
    serve_desk,
    start_chromium,
)
from playwright.sync_api import Browser, Page, expect

from pipelines.newsroom import Newsroom

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


@pytest.fixture
def page(newsroom: Newsroom, browser: Browser) -> Iterator[Page]:
    """The page of an issue with three picked entries."""
    with serve_desk(newsroom.home) as port:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}", locale="zh-CN")
        pick_three(page)
        yield page
        page.close()


def publish(page: Page) -> None:
    page.keyboard.press("P")
    expect(page.locator("dialog#publish[open]")).to_be_visible()
    page.locator("dialog#publish button[value=yes]").click()
    expect(page.locator(".issue-bar .state")).to_have_text("已刊")


def test_the_foot_says_when_learning_has_ended_and_the_desk_works_meanwhile(page: Page) -> None:
    publish(page)
    foot = page.locator("#learning")
    expect(foot).to_be_visible()
    page.goto("/candidates?category=&state=all")
    page.wait_for_selector(".card[aria-current=true]")
    expect(page.locator("#learning")).to_contain_text("学完了", timeout=60_000)


def test_enter_publishes_nothing_while_an_entry_would_break(page: Page) -> None:
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("[甲](relative/address)\n\n## 乙")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toast")).to_be_visible()
    page.keyboard.press("P")
    expect(page.locator("dialog#publish[open] #publish-findings li").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("dialog#publish[open]")).to_have_count(0)
    expect(page.locator(".issue-bar .state")).to_have_text("草稿")


def test_a_published_issue_is_corrected_and_the_page_says_who_did_it(page: Page) -> None:
    publish(page)
    page.keyboard.press("C")
    page.wait_for_url("**correcting=1")
    page.focus("[data-part=headline]")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("更正过的要目")
    page.keyboard.press("Tab")
    expect(page.locator("#toast")).to_have_text("改好了")
    expect(page.locator(".acts li").filter(has_text="更正")).to_have_count(1)
    page.reload()
    assert page.input_value("[data-part=headline]") == "更正过的要目"
    expect(page.locator(".acts li").filter(has_text="更正")).to_have_count(1)


def test_an_issue_is_taken_back_and_u_publishes_it_again(page: Page) -> None:
    publish(page)
    page.locator("[data-do=unpublish]").click()
    page.locator("dialog#unpublish button[value=yes]").click()
    expect(page.locator(".issue-bar .state")).to_have_text("草稿")
    page.keyboard.press("u")
    expect(page.locator(".issue-bar .state")).to_have_text("已刊")


def test_a_deleted_draft_comes_back_by_u(page: Page) -> None:
    count = page.locator(".entry").count()
    page.locator("[data-do=delete]").click()
    page.locator("dialog#delete button[value=yes]").click()
    page.wait_for_url("**/candidates")
    page.wait_for_selector(".card[aria-current=true]")
    page.keyboard.press("u")
    expect(page.locator("#toast")).to_be_visible()
    page.goto("/issue")
    expect(page.locator(".entry")).to_have_count(count)
