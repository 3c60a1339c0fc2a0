"""A pick at the desk fetches the page of a story without a text; the desk answers at once and shows what comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import serve_desk, start_chromium
from builders import NOON
from playwright.sync_api import expect
from servers import Site, http, newsroom, serving

from crawler.home import Home
from crawler.items import Batch, RawItem
from crawler.sources.schema import Source
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.run import group, ingest
from pipelines.review.page_fetches import PageFetches

MIRROR = Source.model_construct(id="mirror", kind="wechat", name="边缘智讯")
CLAIM = "作者提出一种四比特量化方法，在手机上把推理速度提升到原来的 2.5 倍，精度只下降 0.3%。"
PARAGRAPHS = f"<p>{CLAIM}</p>" * 8
PAGE = f"<title>四比特量化</title><body><article><h1>四比特量化</h1>{PARAGRAPHS}</article></body>"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving({"/good": http(200, PAGE, content_type="text/html; charset=utf-8")}) as one:
        yield one


@pytest.fixture
def room(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Newsroom]:
    """Two stories of a mirror that gives titles only; the page of one of them is not there."""
    monkeypatch.delenv("JIANBAO_DB", raising=False)
    one = Newsroom(Home(newsroom(tmp_path / "newsletter", "", site.place)))
    titles = {f"{site.base}/good": "四比特量化", f"{site.base}/none": "移动端部署的一次会议"}
    items = [RawItem("wechat", url, title, NOON, published=NOON.isoformat()) for url, title in titles.items()]
    ingest(one.store, Batch(MIRROR.id, tuple(items), (), finished=True), MIRROR, one.rules, NOON)
    group(one.store, one.group_rules)
    yield one
    one.store.close()


@pytest.mark.slow
def test_a_picked_story_gets_its_text_and_a_page_that_is_not_there_says_so_with_a_way_out(room: Newsroom) -> None:
    with start_chromium() as browser, serve_desk(room.home) as port:
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}")
        page.goto("/candidates?category=&state=all")
        page.wait_for_selector(".card[aria-current=true]")
        for _ in range(2):
            with page.expect_response("**/decisions?**"):
                page.keyboard.press("a")
        expect(page.locator(".page.fetching, .page.came, .page.failed")).to_have_count(2)
        page.goto("/issue")
        expect(page.locator(".page.came")).to_have_count(1, timeout=120_000)
        expect(page.locator(".page.failed")).to_contain_text("404", timeout=120_000)
        expect(page.locator(".entry").filter(has=page.locator(".page.came"))).to_contain_text(CLAIM)
        expect(page.locator("#rendered")).to_contain_text(CLAIM)
        page.click(".page.failed [data-fetch]")
        expect(page.locator(".page.fetching")).to_have_count(1)
        page.close()


def test_fetches_run_one_after_another_and_none_starts_once_the_desk_is_closed(room: Newsroom) -> None:
    fetches = PageFetches(room.home)
    fetches.begin([1], "zh")
    fetches.begin([2], "zh")
    assert fetches.list_running() == {1, 2}
    assert fetches._running == {1}
    fetches.stop()
    fetches.begin([3], "zh")
    child = fetches._child
    if child is not None:
        child.wait(120)
    assert fetches._running <= {1}
