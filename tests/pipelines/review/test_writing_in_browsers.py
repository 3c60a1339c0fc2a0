"""Nothing that an editor writes at the desk is lost or misread: dates, sessions that end, two editors at one text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsers import (
    databases,  # noqa: F401 - a fixture
    pick_three,
    serve_desk,
    start_chromium,
)
from builders import NOON
from playwright.sync_api import Browser, Page, expect

from pipelines.newsroom import Newsroom
from pipelines.review.guard.passwords import hash_password

pytestmark = pytest.mark.slow

NAME, PASSWORD = "小王", "correct horse"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


def read_sections(page: Page) -> list[list[str]]:
    sections = page.locator(".section")
    return [sections.nth(index).locator("h3").all_inner_texts() for index in range(sections.count())]


@pytest.mark.parametrize("end", ["Enter", "Tab"])
def test_a_date_counts_when_it_is_whole_and_its_digits_move_no_entry(
    newsroom: Newsroom, browser: Browser, end: str
) -> None:
    with serve_desk(newsroom.home) as port:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}", locale="en-US")
        pick_three(page)
        sections = read_sections(page)
        changes: list[str] = []
        page.on("request", lambda request: changes.append(request.url) if request.method == "POST" else None)
        page.focus("#date")
        page.keyboard.type("12302027", delay=60)
        assert changes == []
        for _ in range(3 if end == "Tab" else 1):
            page.keyboard.press(end)
        page.wait_for_url("**/issue?date=2027-12-30")
        page.keyboard.type("27")
        page.wait_for_selector(".entry")
        assert read_sections(page) == sections
        page.close()


def test_a_date_that_nobody_means_is_refused(newsroom: Newsroom, browser: Browser) -> None:
    with serve_desk(newsroom.home) as port:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}", locale="en-US")
        pick_three(page)
        day = page.input_value("#date")
        page.focus("#date")
        page.keyboard.type("12300002")
        page.keyboard.press("Enter")
        expect(page.locator("#toast")).to_have_class("bad shown")
        assert page.input_value("#date") == day
        page.close()


@pytest.mark.parametrize("modifiers", [{"ctrlKey": True, "altKey": True}, {"altKey": True}])
def test_brackets_that_a_keyboard_writes_with_altgr_change_the_tab(
    newsroom: Newsroom, browser: Browser, modifiers: dict[str, bool]
) -> None:
    with serve_desk(newsroom.home) as port:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        page.goto("/candidates")
        page.wait_for_selector(".card[aria-current=true]")
        page.dispatch_event("body", "keydown", {"key": "]", "bubbles": True, **modifiers})
        expect(page.locator("[data-tab]").nth(1)).to_have_attribute("aria-current", "true")
        page.close()


def test_whose_session_ends_while_writing_logs_in_where_they_are_and_loses_nothing(
    newsroom: Newsroom, browser: Browser
) -> None:
    with newsroom.store.transaction() as tx:
        tx.users.save(NAME, hash_password(PASSWORD), NOON)
    with serve_desk(newsroom.home, "--host", "0.0.0.0") as port:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        page.goto("/login")
        page.fill("form.login [name=name]", NAME)
        page.fill("form.login [name=password]", PASSWORD)
        page.click("form.login button")
        pick_three(page)
        with newsroom.store.transaction() as tx:
            tx.users.save(NAME, hash_password(PASSWORD), NOON)  # a password that is set ends all sessions
        page.focus("[data-part=preamble]")
        page.keyboard.insert_text("正在写的开场白")
        page.wait_for_selector("dialog#login[open]")
        page.fill("dialog#login [name=password]", "wrong horse")
        page.keyboard.press("Enter")
        expect(page.locator("dialog#login .wrong")).to_be_visible()
        page.fill("dialog#login [name=password]", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("dialog#login")).not_to_be_visible()
        assert page.input_value("[data-part=preamble]") == "正在写的开场白"
        page.focus("[data-part=guide]")
        expect(page.locator("#rendered")).to_contain_text("正在写的开场白")
        page.reload()
        assert page.input_value("[data-part=preamble]") == "正在写的开场白"
        page.close()


def write_preamble_elsewhere(browser: Browser, port: int) -> Page:
    """Another editor's page of the issue, on which they have written and saved an opening."""
    theirs = browser.new_page(base_url=f"http://127.0.0.1:{port}")
    theirs.goto("/issue")
    theirs.focus("[data-part=preamble]")
    theirs.keyboard.insert_text("别人的开场")
    theirs.keyboard.press("Control+Enter")
    expect(theirs.locator("#toast")).to_contain_text("改好了")
    return theirs


@pytest.mark.parametrize(("choice", "width"), [("mine", 1300), ("theirs", 390)])
def test_two_editors_at_one_text_see_both_and_choose(
    newsroom: Newsroom, browser: Browser, choice: str, width: int
) -> None:
    with serve_desk(newsroom.home) as port:
        mine = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        pick_three(mine)
        mine.set_viewport_size({"width": width, "height": 844})
        expect(mine.locator("[data-fetching]")).to_have_count(0, timeout=60_000)  # until then the page is read again
        theirs = write_preamble_elsewhere(browser, port)
        mine.focus("[data-part=preamble]")
        mine.keyboard.insert_text("我的开场")
        mine.keyboard.press("Control+Enter")
        expect(mine.locator(".conflict pre")).to_have_text("别人的开场")
        assert mine.input_value("[data-part=preamble]") == "我的开场"
        box = mine.locator(".conflict").bounding_box()
        assert box
        assert box["x"] + box["width"] <= width
        mine.focus("[data-part=preamble]")
        mine.keyboard.press("Control+Enter")  # no second press replaces a text that nobody has chosen against
        expect(mine.locator(".conflict pre")).to_have_text("别人的开场")
        mine.click(f".conflict [data-choose={choice}]")
        expect(mine.locator(".conflict")).to_have_count(0)
        mine.focus("[data-part=guide]")
        expected = "我的开场" if choice == "mine" else "别人的开场"
        expect(mine.locator("#rendered")).to_contain_text(expected)
        theirs.reload()
        assert theirs.input_value("[data-part=preamble]") == expected
        mine.close()
        theirs.close()


def test_a_page_that_is_read_again_while_somebody_writes_replaces_nobodys_text(
    newsroom: Newsroom, browser: Browser
) -> None:
    with serve_desk(newsroom.home) as port:
        mine = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        pick_three(mine)
        expect(mine.locator("[data-fetching]")).to_have_count(0, timeout=60_000)
        mine.focus("[data-part=preamble]")
        mine.keyboard.insert_text("我的开场")
        theirs = write_preamble_elsewhere(browser, port)
        with mine.expect_response(lambda response: response.request.method == "GET" and "card=1" in response.url):
            mine.evaluate(
                "const again = document.createElement('button'); again.dataset.fetch = '1';"
                "document.querySelector('[data-part=preamble]').closest('.parts').append(again); again.click();"
            )
        expect(mine.locator(".conflict pre")).to_have_text("别人的开场")
        assert mine.input_value("[data-part=preamble]") == "我的开场"
        mine.keyboard.press("Control+Enter")
        expect(mine.locator("#toast")).to_have_class("bad shown")
        theirs.reload()
        assert theirs.input_value("[data-part=preamble]") == "别人的开场"
        mine.close()
        theirs.close()


def test_a_card_that_somebody_else_reworded_shows_their_text_before_mine_replaces_it(
    newsroom: Newsroom, browser: Browser
) -> None:
    with serve_desk(newsroom.home) as port:
        pages = [browser.new_page(base_url=f"http://127.0.0.1:{port}") for _ in range(2)]
        for page in pages:
            page.goto("/candidates?category=")
            page.wait_for_selector(".card[aria-current=true]")
            page.keyboard.press("e")
        for page, text in zip(pages, ("别人的摘要。", "我的摘要。"), strict=True):
            page.fill("form.editor [name=summary]", text)
            page.keyboard.press("Control+Enter")
        expect(pages[0].locator("#toast")).to_contain_text("改好了")
        expect(pages[1].locator(".conflict pre")).to_contain_text("别人的摘要。")
        assert pages[1].input_value("form.editor [name=summary]") == "我的摘要。"
        pages[1].focus("form.editor [name=summary]")
        pages[1].keyboard.press("Control+Enter")
        expect(pages[1].locator(".card[aria-current=true] .summary")).to_contain_text("我的摘要。")
        for page in pages:
            page.close()


def test_what_is_written_in_an_entry_that_somebody_else_moves_or_takes_out_is_kept(
    newsroom: Newsroom, browser: Browser
) -> None:
    with serve_desk(newsroom.home) as port:
        mine = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        pick_three(mine)
        expect(mine.locator("[data-fetching]")).to_have_count(0, timeout=60_000)
        theirs = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        theirs.goto("/issue")
        title = mine.locator(".entry h3 bdi").first.inner_text()
        write_at_the_end(mine, "补一句。")
        theirs.locator(".entry").first.click()
        theirs.keyboard.press("4")  # to the last section
        expect(theirs.locator(".entry h3 bdi").first).not_to_have_text(title)
        mine.keyboard.press("Control+Enter")
        expect(mine.locator("#toast")).to_have_text("改好了")  # it was moved, and nobody wrote in it
        assert mine.locator(".conflict").count() == 0
        mine.locator(".entry", has_text=title).click()
        write_at_the_end(mine, "再补一句。")
        theirs.reload()
        theirs.locator(".entry", has_text=title).click()
        theirs.keyboard.press("x")
        expect(theirs.locator(".entry", has_text=title)).to_have_count(0)
        mine.keyboard.press("Control+Enter")
        expect(mine.locator(".conflict pre")).to_contain_text("补一句。再补一句。")
        mine.keyboard.press("Shift+P")  # no issue goes out while a text waits
        expect(mine.locator("dialog#publish")).not_to_be_visible()
        mine.click(".conflict [data-choose=add]")
        expect(mine.locator(".entry", has_text=title)).to_have_count(1)
        expect(mine.locator("#rendered")).to_contain_text("再补一句。")
        assert mine.locator(".conflict").count() == 0
        mine.close()
        theirs.close()


def write_at_the_end(page: Page, text: str) -> None:
    page.keyboard.press("e")
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(text)


def test_an_entry_behind_which_no_article_stands_is_written_taken_back_and_written_again(
    newsroom: Newsroom, browser: Browser
) -> None:
    with serve_desk(newsroom.home) as port:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        pick_three(page)
        items = page.locator(".entry").count()
        page.keyboard.press("n")
        page.select_option("#compose [name=section]", "业界新闻")
        page.fill("#compose [name=title]", "iPhone 12 将用 A14")
        page.fill("#compose [name=source]", "IT之家")
        page.fill("#compose [name=url2]", "https://e.org/two")
        page.keyboard.press("Escape")  # the form keeps what is written
        page.click("[data-do=compose]")
        assert page.input_value("#compose [name=title]") == "iPhone 12 将用 A14"
        page.fill("#compose [name=summary]", "5nm 工艺。")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".entry[aria-current=true]")).to_contain_text("iPhone 12 将用 A14")
        expect(page.locator(".entry[aria-current=true] .label")).to_contain_text("https://e.org/two")
        expect(page.locator("#rendered")).to_contain_text("5nm 工艺。")
        page.keyboard.press("u")
        expect(page.locator(".entry")).to_have_count(items)
        page.keyboard.press("n")
        page.fill("#compose [name=title]", "乙")
        page.keyboard.press("Enter")
        expect(page.locator(".entry")).to_have_count(items + 1)
        expect(page.locator(".entry[aria-current=true]")).to_contain_text("乙")
        page.keyboard.press("x")
        expect(page.locator(".entry")).to_have_count(items)
        page.keyboard.press("u")
        expect(page.locator(".entry")).to_have_count(items + 1)
        page.reload()
        expect(page.locator(".entry")).to_have_count(items + 1)
        page.close()


def test_a_story_is_picked_as_a_one_liner_and_moves_between_the_one_liners_and_the_sections(
    newsroom: Newsroom, browser: Browser
) -> None:
    with serve_desk(newsroom.home) as port:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        page.goto("/candidates?category=")
        page.wait_for_selector(".card[aria-current=true]")
        title = page.locator(".card[aria-current=true] h3").inner_text()
        page.keyboard.press("b")
        page.keyboard.press("a")
        page.keyboard.press("g")
        page.keyboard.press("i")
        briefs = page.locator("[data-key=b]")
        expect(briefs.locator(".entry")).to_have_count(1)
        expect(briefs.locator("h3")).to_have_text(title)
        expect(page.locator("#items")).to_have_text("1")
        page.focus("[data-key=b] .entry")
        page.keyboard.press("2")
        expect(page.locator("[data-key='2'] h3").filter(has_text=title)).to_have_count(1)
        expect(briefs.locator(".entry")).to_have_count(0)
        page.keyboard.press("b")
        expect(briefs.locator("h3")).to_have_text(title)
        expect(page.locator("#rendered")).to_contain_text("热身小新闻")
        page.close()
