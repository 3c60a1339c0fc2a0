"""What an editor does all day, in a browser: fast keys, an input method, a long list, a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browsers import (
    databases,  # noqa: F401 - a fixture
    pick_three,
    serve_desk,
    start_chromium,
)
from builders import article
from playwright.sync_api import Browser, Page, expect
from waiting import wait_until

from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.run import group

pytestmark = pytest.mark.slow

LONG = "Überlangwort" * 25
TITLES = (
    LONG,
    "从右到左 \u202eمقالة\u202c 之后",
    "叠字 " + "Z" + "\u0301\u0327\u0334" * 40,
    "a" * 300,
    *(f"第{number}款 net{number} core{number} 发布" for number in range(26)),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


@pytest.fixture
def address(newsroom: Newsroom) -> Iterator[str]:
    """The desk of a newsroom with thirty stories, some with titles and addresses that fit on no screen."""
    with newsroom.store.transaction() as tx:
        tx.articles.save(
            [
                article(
                    100 + number,
                    title=title,
                    publisher=f"号{number}",
                    url=f"https://{number}.example/{'p' * 500}",
                    text=f"第 {number} 款的正文说它快了两倍，又小了一半。" * 20,
                )
                for number, title in enumerate(TITLES)
            ]
        )
    group(newsroom.store, newsroom.group_rules)
    with serve_desk(newsroom.home) as port:
        yield f"http://127.0.0.1:{port}"


def read_counts_of_page(page: Page) -> dict[str, int]:
    tabs = page.locator("[data-tab]")
    return {
        name: int(tabs.nth(index).locator("b").inner_text())
        for index in range(tabs.count())
        if (name := tabs.nth(index).get_attribute("data-tab"))
    }


def read_counts_of_api(page: Page) -> dict[str, int]:
    return dict.fromkeys(read_counts_of_page(page), 0) | page.request.get("/api/candidates").json()["counts"]


def wait_for_answers(page: Page) -> None:
    expect(page.locator(".pending")).to_have_count(0, timeout=60_000)


def test_the_tabs_count_as_the_server_does_after_fast_keys_and_every_decision_is_taken_back(
    address: str, browser: Browser
) -> None:
    page = browser.new_page(base_url=address)
    page.goto("/candidates?category=")
    page.wait_for_selector(".card[aria-current=true]")
    before = read_counts_of_page(page)
    assert before == read_counts_of_api(page)
    for key in "jjxaluxlaxxaall":
        page.keyboard.press(key)
    wait_for_answers(page)
    wait_until(lambda: read_counts_of_page(page) == read_counts_of_api(page) != before)
    for _ in range(11):  # the other keys moved the cursor, or took a decision back
        page.keyboard.press("u")
    wait_until(lambda: read_counts_of_page(page) == read_counts_of_api(page) == before)
    page.reload()
    assert read_counts_of_page(page) == before
    page.close()


def test_an_enter_that_ends_a_composition_sends_nothing(newsroom: Newsroom, browser: Browser) -> None:
    with serve_desk(newsroom.home) as port:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        pick_three(page)
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
        page.keyboard.press("h")
        page.keyboard.insert_text("lianghua")
        options = {"key": "Enter", "isComposing": True, "keyCode": 229, "bubbles": True, "cancelable": True}
        page.evaluate("options => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', options))", options)
        page.wait_for_timeout(300)
        assert sent == []
        with page.expect_response(lambda answer: answer.request.method == "PUT"):
            page.keyboard.press("Enter")
        assert len(sent) == 1
        page.close()


def test_after_a_decision_the_next_card_stands_where_the_former_stood_and_an_undo_puts_it_back(
    address: str, browser: Browser
) -> None:
    page = browser.new_page(base_url=address, viewport={"width": 1000, "height": 700})
    page.goto("/candidates?category=")
    page.wait_for_selector(".card[aria-current=true]")
    for key in "jjjjjjjjjkkk":  # neither at the upper end of the screen nor at the lower one
        page.keyboard.press(key)
    script = """() => {
        const card = document.querySelector('.card[aria-current=true]');
        return { id: card.id, next: card.nextElementSibling.id, top: card.getBoundingClientRect().top };
    }"""
    before: dict[str, Any] = page.evaluate(script)
    page.keyboard.press("x")
    wait_for_answers(page)
    after = page.evaluate(script)
    assert after["id"] == before["next"]
    assert 0 <= after["top"] < 700
    assert abs(after["top"] - before["top"]) <= 2
    page.keyboard.press("u")
    expect(page.locator(".card[aria-current=true]")).to_have_id(before["id"], timeout=60_000)
    assert abs(page.evaluate(script)["top"] - before["top"]) <= 2
    page.close()


@pytest.mark.parametrize(("width", "height"), [(360, 640), (768, 1000), (1300, 800)])
def test_no_word_is_too_long_for_a_screen(address: str, browser: Browser, width: int, height: int) -> None:
    page = browser.new_page(base_url=address)
    pick_three(page)
    page.set_viewport_size({"width": width, "height": height})
    for path in ("/candidates?state=all&category=", "/issue", "/sources", "/archive", f"/candidates?q={LONG[:12]}"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert excess <= 0, f"{path} is {excess} px too wide"
    page.close()


def test_a_post_gives_two_entries_at_the_cursor(newsroom: Newsroom, browser: Browser) -> None:
    with serve_desk(newsroom.home) as port:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        pick_three(page)
        items = page.locator(".entry").count()
        page.locator(".entry").first.click()
        page.keyboard.press("e")
        field = page.locator(".entry textarea:not([hidden])")
        head = field.input_value().partition("\n")[0]
        field.fill(f"{head}\n摘要：第一条消息。\n第二条消息\n它也很新。")
        field.evaluate("field => { field.selectionStart = field.selectionEnd = field.value.indexOf('第二条') }")
        page.keyboard.press("Control+Shift+Enter")
        expect(page.locator(".entry")).to_have_count(items + 1, timeout=60_000)
        expect(page.locator(".entry").nth(1).locator("h3")).to_contain_text("第二条消息")
        expect(page.locator(".entry").first.locator(".gist")).to_have_text("第一条消息。")
        expect(page.locator(".entry textarea:not([hidden])")).to_have_count(0)
        page.reload()
        expect(page.locator(".entry")).to_have_count(items + 1)
        page.close()
