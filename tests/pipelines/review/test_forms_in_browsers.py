"""Every form of the desk, pressed in Chromium and in Firefox: no header is set and no cookie is planted here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from browsers import (
    databases,  # noqa: F401 - a fixture
    serve_desk,
    start_chromium,
)
from builders import NOON
from firefox import start_firefox
from playwright.sync_api import Page, Route

from pipelines.newsroom import Newsroom
from pipelines.review.guard.passwords import hash_password

pytestmark = pytest.mark.slow

NAME, PASSWORD = "小王", "correct horse"
ENGLISH = "button[name=lang][value=en]"
LOG_OUT = "form[action='/logout'] button"


class Window(Protocol):
    """A window of a browser."""

    def open(self, url: str) -> None: ...
    def reload(self) -> None: ...
    def press(self, selector: str) -> None: ...
    def write(self, selector: str, text: str) -> None: ...
    def read(self, selector: str) -> str: ...
    def attribute(self, selector: str, name: str) -> str: ...
    def url(self) -> str: ...
    def clear_cookies(self) -> None: ...


class Chromium:
    """A window of Chromium."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, url: str) -> None:
        self.page.goto(url)

    def reload(self) -> None:
        self.page.reload()

    def press(self, selector: str) -> None:
        with self.page.expect_navigation():
            self.page.click(selector)

    def write(self, selector: str, text: str) -> None:
        self.page.fill(selector, text)

    def read(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def attribute(self, selector: str, name: str) -> str:
        return self.page.get_attribute(selector, name) or ""

    def url(self) -> str:
        return self.page.url

    def clear_cookies(self) -> None:
        self.page.context.clear_cookies()


@contextmanager
def open_window(*arguments: str) -> Iterator[Chromium]:
    with start_chromium(*arguments) as browser:
        yield Chromium(browser.new_page())


@pytest.fixture(params=["chromium", "firefox"])
def window(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Window]:
    if request.param == "chromium":
        with open_window() as chromium:
            yield chromium
    else:
        folder = tmp_path / "profile"
        folder.mkdir()
        with start_firefox(folder) as firefox:
            yield firefox


@pytest.fixture
def newsroom(newsroom: Newsroom) -> Newsroom:
    """The newsroom with a user who can log in."""
    with newsroom.store.transaction() as tx:
        tx.users.save(NAME, hash_password(PASSWORD), NOON)
    return newsroom


def log_in(window: Window, password: str) -> None:
    window.write("input[name=name]", NAME)
    window.write("input[name=password]", password)
    window.press("form.login button")


def press_preferences(window: Window) -> None:
    """Change language and colours, and see both changed."""
    window.press(ENGLISH)
    assert window.attribute("html", "lang") == "en"
    window.press("button[name=theme]")
    assert window.attribute("html", "data-theme") == "dark"


def test_language_and_colours_change_where_nobody_logs_in(newsroom: Newsroom, window: Window) -> None:
    with serve_desk(newsroom.home) as port:
        for host in ("127.0.0.1", "localhost"):
            window.open(f"http://{host}:{port}/candidates?category=&state=all")
            press_preferences(window)
            assert window.url() == f"http://{host}:{port}/candidates?category=&state=all"


def test_a_helper_logs_in_works_and_logs_out(newsroom: Newsroom, window: Window) -> None:
    with serve_desk(newsroom.home, "--host", "0.0.0.0") as port:
        desk = f"http://127.0.0.1:{port}"
        window.open(f"{desk}/issue")
        assert window.url() == f"{desk}/login?next=/issue"
        log_in(window, "wrong horse")
        assert window.read(".wrong") == "名字或密码不对。"
        window.write("input[name=password]", PASSWORD)  # the name stands there still
        window.press("form.login button")
        assert window.url() == f"{desk}/issue"
        press_preferences(window)
        window.press(LOG_OUT)
        assert window.url() == f"{desk}/login"
        window.open(f"{desk}/issue")
        assert window.url() == f"{desk}/login?next=/issue"


def test_whoever_reloads_after_a_wrong_password_is_told_so_again(newsroom: Newsroom, window: Window) -> None:
    with serve_desk(newsroom.home, "--host", "0.0.0.0") as port:
        window.open(f"http://127.0.0.1:{port}/login")
        log_in(window, "wrong horse")
        window.reload()
        assert window.read(".wrong") == "名字或密码不对。"


def test_whose_session_has_ended_logs_in_again(newsroom: Newsroom, window: Window) -> None:
    with serve_desk(newsroom.home, "--host", "0.0.0.0") as port:
        desk = f"http://127.0.0.1:{port}"
        window.open(f"{desk}/login")
        log_in(window, PASSWORD)
        with newsroom.store.transaction() as tx:
            tx.users.save(NAME, hash_password(PASSWORD), NOON)  # a password that is set ends all sessions
        window.press(LOG_OUT)
        assert window.url() == f"{desk}/login"
        log_in(window, PASSWORD)
        assert window.read(".who") == NAME


def test_a_helper_logs_in_over_plain_http_where_the_browser_sends_no_sec_fetch_site(newsroom: Newsroom) -> None:
    options = ("--host", "0.0.0.0", "--allow-host", "desk.example")
    with (
        serve_desk(newsroom.home, *options) as port,
        open_window("--host-resolver-rules=MAP desk.example 127.0.0.1") as window,
    ):
        window.open(f"http://desk.example:{port}/login")
        with window.page.expect_request("**/login", timeout=20_000) as request:
            log_in(window, PASSWORD)
        assert "sec-fetch-site" not in request.value.all_headers()
        assert window.read(".who") == NAME
        press_preferences(window)


@pytest.mark.parametrize("page", ["http://another.example/form", "/frame"], ids=["another site", "a sandboxed frame"])
def test_a_form_of_another_site_or_of_a_sandboxed_frame_is_refused(newsroom: Newsroom, page: str) -> None:
    with serve_desk(newsroom.home) as port, open_window() as window:
        desk = f"http://127.0.0.1:{port}"
        window.open(f"{desk}/candidates")
        token = window.attribute("meta[name=csrf]", "content")
        form = (
            f'<form method="post" action="{desk}/preferences" target="_top"><input name="csrf" value="{token}">'
            '<input name="next" value="/"><button name="lang" value="en">English</button></form>'
        )
        frame = '<iframe sandbox="allow-forms allow-top-navigation" src="/form"></iframe>'
        window.page.route("**/form", lambda route: route.fulfill(content_type="text/html", body=form))
        window.page.route("**/frame", lambda route: route.fulfill(content_type="text/html", body=frame))
        window.open(f"{desk}{page}" if page.startswith("/") else page)
        framed = window.page.frame_locator("iframe") if page == "/frame" else window.page
        with window.page.expect_response("**/preferences") as answer:
            framed.locator("button").click()
        assert answer.value.status == 403
        assert answer.value.request.all_headers()["origin"] == (
            "null" if page == "/frame" else "http://another.example"
        )
        assert answer.value.text() == "This did not come from the desk's own page."


def test_another_site_gets_no_referrer_from_the_desk(newsroom: Newsroom) -> None:
    with serve_desk(newsroom.home) as port, open_window() as window:
        referrers: list[str | None] = []

        def answer(route: Route) -> None:
            referrers.append(route.request.all_headers().get("referer"))
            route.fulfill(body="another site")

        window.page.context.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), answer)
        window.open(f"http://127.0.0.1:{port}/candidates?category=&state=all")
        with window.page.expect_popup() as popup:
            window.page.locator("[data-original]").first.click()
        popup.value.wait_for_load_state()
        window.page.evaluate("location.assign('http://another.example/')")  # a link without any rel
        window.page.wait_for_url("http://another.example/")
        assert referrers == [None, None]
