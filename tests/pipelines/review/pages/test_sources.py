"""来源: what each gave, switched and crawled from the desk."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from desks import Desk, make_newsroom
from waiting import wait_until

from crawler.errors import Detail, Failure, SourceMisconfigured
from crawler.home import Home
from crawler.items import Batch, RawItem, SourceState
from crawler.sources.file import load_sources, switched
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.queue import Queue
from pipelines.newsroom.stages.run import ingest
from pipelines.review.crawling import Crawls
from pipelines.store.runs import RunPart

ROWS = """# 登记簿
[[source]]  # 第一个
id = "one"
kind = "feed"
name = "甲"
url = "https://example.org/1.xml"
expect_per_week = [2, 5]

[[source]]
id = "two"
kind = "feed"
name = "乙"
url = "https://example.org/2.xml"
enabled = false  # 先停着
"""


@pytest.fixture
def home(newsroom: Newsroom) -> Home:
    newsroom.home.sources.write_text(ROWS, encoding="utf-8")
    return newsroom.home


def run(newsroom: Newsroom, source: str, ago: timedelta, *, new: int, failure: Failure | None = None) -> None:
    at = datetime.now(UTC) - ago
    with newsroom.store.transaction() as tx:
        tx.sources.record_start(source, "feed", source, at)
        number = tx.runs.start(source, at)
        tx.runs.add([RunPart(number, new=new, failure=failure)])
        tx.runs.finish(number, at)
        tx.sources.record_end(source, at, failure, None if failure else SourceState())


def told(desk: Desk) -> dict[str, dict[str, object]]:
    return {one["id"]: one for one in desk.get("/api/sources").json()["sources"]}


def test_the_page_shows_the_queue_and_its_workers_where_the_newsroom_has_one(desk: Desk, home: Home) -> None:
    assert "队列" not in desk.get("/sources").text
    if not home.database_url.startswith("postgresql"):
        return
    Queue(home).fill(["one", "two"], is_grouping_due=True)
    page = desk.get("/sources").text
    assert "在做 0，等着 3，没做成 0" in page
    assert "没有 worker" in page
    with psycopg.connect(home.database_url, options="-c search_path=procrastinate") as connection:
        connection.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        connection.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '90 seconds')")
        connection.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = 2 WHERE queueing_lock = 'crawl one'"
        )
        connection.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE queueing_lock = 'group'")
    lines = read_lines(desk.get("/sources").text)
    assert "在做 1，等着 1，没做成 1" in lines[0]
    assert re.fullmatch(r"worker 1 \d 秒前报过平安 闲着", lines[1])
    assert re.fullmatch(r"worker 2 9\d 秒前报过平安 抓取 甲 \S+ 没有声音了，它的活交给别的 worker", lines[2])
    assert lines[3].startswith("没做成 1归组")
    assert lines[4].startswith("等着 1抓取 乙")


def read_lines(page: str) -> list[str]:
    """The lines of the queue as a reader sees them."""
    section = page[page.index('<section class="queue"') :].partition("</section>")[0]
    lines = re.split(r"</h2>|</li>(?=\s)|</details>", re.sub(r"<(?!/h2|/li|/details)[^>]*>", "", section))
    return [" ".join(re.sub(r"<[^>]*>", "", line).split()) for line in lines if line.strip()]


def test_a_source_shows_what_it_gave_against_what_it_should(desk: Desk, newsroom: Newsroom, home: Home) -> None:
    assert home.sources.exists()
    assert told(desk)["one"]["health"] == "never"
    run(newsroom, "one", timedelta(days=20), new=7)
    run(newsroom, "one", timedelta(days=1), new=1)
    one = told(desk)["one"]
    assert (one["health"], one["week"], one["weeks"]) == ("well", 1, [0, 0, 0, 0, 0, 7, 0, 1])
    run(newsroom, "one", timedelta(minutes=1), new=19)
    one = told(desk)["one"]
    assert one["health"] == "volume"
    assert one["evidence"][0] == "一周来了 20 篇，至多该有 5 篇"
    assert "近七天" in desk.get("/sources").text


def test_a_failure_is_said_in_the_editors_language_and_comes_first(desk: Desk, newsroom: Newsroom, home: Home) -> None:
    assert home.sources.exists()
    for hours in (3, 2):
        run(
            newsroom,
            "two",
            timedelta(hours=hours),
            new=0,
            failure=Failure("Blocked", Detail.of("challenge", whose="<b>A</b>")),
        )
    assert desk.put("/api/sources/two/enabled", {"enabled": True}).status_code == 200
    page = desk.get("/sources").text
    assert "连续 2 次" in page
    assert "被拦：&lt;b&gt;A&lt;/b&gt; 的验证挡在页面前面" in page
    assert page.index("source-two") < page.index("source-one")


def test_a_standstill_of_the_crawling_is_said_though_nobody_has_looked(
    desk: Desk, newsroom: Newsroom, home: Home
) -> None:
    assert home.sources.exists()
    for day in range(10, 3, -1):
        run(newsroom, "one", timedelta(days=day), new=1)
    assert "jianbao crawl --due" in desk.get("/sources").text
    assert '<a href="/sources">从 ' in desk.get("/candidates").text
    run(newsroom, "one", timedelta(minutes=1), new=1)
    assert "jianbao crawl --due" not in desk.get("/sources").text
    assert "一个来源也没有抓过" not in desk.get("/candidates").text


def test_a_source_is_switched_in_its_file_and_the_comments_stay(desk: Desk, home: Home) -> None:
    assert desk.put("/api/sources/one/enabled", {"enabled": False}).json()["health"] == "off"
    assert desk.put("/api/sources/two/enabled", {"enabled": True}).json()["enabled"]
    text = home.sources.read_text(encoding="utf-8")
    assert "# 登记簿" in text
    assert "# 第一个" in text
    assert [(one.id, one.enabled) for one in load_sources(home).sources] == [("one", False), ("two", True)]
    assert desk.put("/api/sources/three/enabled", {"enabled": True}).status_code == 404
    assert desk.put("/api/sources/one/enabled", {"enabled": "maybe"}).status_code == 400


def test_rows_that_cannot_work_are_named(desk: Desk, home: Home) -> None:
    home.sources.write_text(ROWS.replace('"https://example.org/1.xml"', '"ftp://example.org"'), encoding="utf-8")
    assert "sources.toml 里有错" in desk.get("/sources").text
    assert re.search(r"one.*url", "".join(desk.get("/api/sources").json()["mistakes"]))


def test_a_registry_without_sources_says_so(desk: Desk, home: Home) -> None:
    home.sources.write_text("", encoding="utf-8")
    assert "还没有来源。" in desk.get("/sources").text


@pytest.mark.parametrize("text", ["[[source]", "", '[[source]]\nid = "b"\n'])
def test_a_file_that_has_no_such_row_is_not_touched(text: str) -> None:
    with pytest.raises(SourceMisconfigured):
        switched(text, "a", enabled=True)


def test_only_sources_of_the_registry_are_crawled(desk: Desk, home: Home) -> None:
    assert home.sources.exists()
    for name in ("three", "--help", "../x"):
        assert desk.post("/api/crawl", {"sources": [name]}).status_code == 422
    assert desk.get("/api/crawl").json()["running"] is False


@pytest.mark.slow
def test_a_crawl_runs_apart_and_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIANBAO_DB", raising=False)
    newsroom = make_newsroom(tmp_path / "newsletter")
    row = '[[source]]\nid = "one"\nkind = "feed"\nname = "甲"\nurl = "http://127.0.0.1:9/feed.xml"\n'
    newsroom.home.sources.write_text(row, encoding="utf-8")
    crawls = Crawls(newsroom.home)
    assert crawls.begin(["one"], "zh")
    assert not crawls.begin(["one"], "zh")
    wait_until(lambda: not crawls.read_progress(newsroom.store).running)
    progress = crawls.read_progress(newsroom.store)
    assert progress.done == ("one",)
    assert progress.failed is None
    with newsroom.store.reading() as tx:
        assert tx.sources.list_all()["one"].failure
    newsroom.store.close()


def test_a_source_shows_what_its_last_run_could_not_read_wholly_until_a_week_has_passed(
    desk: Desk, newsroom: Newsroom, home: Home
) -> None:
    assert home.sources.exists()
    warning = Failure("", Detail.of("dates-read-in-part", count=2, examples=("Mon, 16 Nov 2026 10:00 Nowhere",)))
    for source, ago in (("one", timedelta(days=2)), ("two", timedelta(days=9))):
        with newsroom.store.transaction() as tx:
            number = tx.runs.start(source, datetime.now(UTC) - ago)
            tx.runs.add([RunPart(number, warnings=(warning, warning))])
            tx.runs.finish(number, datetime.now(UTC) - ago)
    run(newsroom, "one", timedelta(days=1), new=0)
    assert desk.get("/sources").text.count("2 个日期只读懂一部分") == 1
    assert "10:00 Nowhere" in desk.get("/sources").text


def test_a_source_shows_the_items_that_became_no_article_with_the_reason_and_no_link(
    desk: Desk, newsroom: Newsroom, home: Home
) -> None:
    source = load_sources(home).sources[0]
    item = RawItem("feed", "javascript:alert(1)", "没有地址的 <b>一条</b>", datetime.now(UTC))
    ingest(newsroom.store, Batch("one", (item,), finished=True), source, newsroom.rules, datetime.now(UTC))
    page = desk.get("/sources").text
    assert "没能成文的条目：近七天 1 个" in page
    assert "没有地址的 &lt;b&gt;一条" in page
    assert 'href="javascript' not in page
