"""Pages of any site are read in a process of their own, which a page that costs too much ends, and no other page."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer

import pytest
from servers import crawl, http, newsroom, serving, source

from crawler.errors import Gone, PageChanged, TooLarge
from crawler.items import Reply
from crawler.spiders import page_process
from crawler.spiders.page_process import PageProcess
from crawler.spiders.read_page import read_page

PARAGRAPH = "<p>A kettle on a chip boils water in four bits, and the kettle that we measured boils it in two.</p>"


def page(title: str, body: str = 20 * PARAGRAPH) -> str:
    article = f"<article><h1>{title}</h1>{body}</article>"
    return f"<html lang=en><head><title>{title}</title></head><body>{article}</body></html>"


def reply(body: str, status: int = 200) -> Reply:
    headers = {"content-type": "text/html; charset=utf-8"}
    return Reply("https://kettles.example/1", status, headers, body.encode(), datetime(2026, 11, 7, tzinfo=UTC))


@pytest.fixture
def process() -> Iterator[PageProcess]:
    process = PageProcess()
    yield process
    process.close()


def number_of(process: PageProcess) -> int:
    assert process._process is not None
    return process._process.pid


def test_the_process_reads_what_the_page_function_reads(process: PageProcess) -> None:
    kettles = reply(page("四比特水壶 — Kettles in four bits"))
    assert process.read_now("web", kettles) == read_page("web", kettles)


def test_its_errors_are_those_of_the_page_function(process: PageProcess) -> None:
    with pytest.raises(Gone) as gone:
        process.read_now("web", reply("", status=404))
    assert gone.value.detail.values == {"status": 404}
    assert gone.value.url == "https://kettles.example/1"
    with pytest.raises(PageChanged, match="feed-for-article"):
        process.read_now("web", reply("<rss version='2.0'></rss>"))


def test_pages_share_a_process_and_one_that_was_killed_is_followed_by_another(process: PageProcess) -> None:
    process.read_now("web", reply(page("First")))
    number = number_of(process)
    process.read_now("web", reply(page("Second")))
    assert number_of(process) == number
    os.kill(number, signal.SIGKILL)
    process._process.wait()  # type: ignore[union-attr]
    (item,) = process.read_now("web", reply(page("Third"))).items
    assert item.title == "Third"
    assert number_of(process) != number


def test_a_page_without_end_is_given_up_and_the_next_one_is_read(process: PageProcess) -> None:
    process.read_now("web", reply(page("First")))
    stopped = number_of(process)
    os.kill(stopped, signal.SIGSTOP)  # reads no more, as a library that loops
    process.longest_wait = 0.1
    with pytest.raises(TooLarge, match="too-slow-to-read") as error:
        process.read_now("web", reply(page("Second")))
    assert error.value.url == "https://kettles.example/1"
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)
    process.longest_wait = 60
    assert process.read_now("web", reply(page("Third"))).items[0].title == "Third"


def test_a_process_that_the_system_ends_for_its_processor_time_was_too_slow(process: PageProcess) -> None:
    process.read_now("web", reply(page("First")))
    os.kill(number_of(process), signal.SIGSTOP)
    os.kill(number_of(process), signal.SIGXCPU)  # as RLIMIT_CPU does
    going_on = Timer(0.1, os.kill, (number_of(process), signal.SIGCONT))
    going_on.start()
    with pytest.raises(TooLarge, match="too-slow-to-read"):
        process.read_now("web", reply(page("Second")))
    going_on.join()


def test_a_page_that_needs_all_memory_is_given_up_and_the_next_one_is_read(process: PageProcess) -> None:
    process.read_now("web", reply(page("Short")))
    pages_of_memory = int(Path(f"/proc/{number_of(process)}/statm").read_text().split()[0])
    process.close()
    process.most_memory = pages_of_memory * resource.getpagesize() + 20_000_000
    for _ in range(2):
        with pytest.raises(TooLarge, match=r"too-much-memory|reader-ended"):
            process.read_now("web", reply(page("Long", body=f"<p>{'kettle ' * 1_000_000}</p>")))
        assert process.read_now("web", reply(page("Short"))).items[0].title == "Short"


def test_the_process_gets_no_secret(process: PageProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "a-secret-of-the-editor")
    process.read_now("web", reply(page("First")))
    environment = Path(f"/proc/{number_of(process)}/environ").read_bytes()
    assert b"a-secret-of-the-editor" not in environment


def test_the_event_loop_goes_on_while_a_page_is_read(process: PageProcess) -> None:
    async def count_turns() -> int:
        reading = asyncio.ensure_future(process.read("web", reply(page("First"))))
        turns = 0
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
        assert reading.result().items[0].title == "First"
        return turns

    assert asyncio.run(count_turns()) > 10


def test_the_process_ends_with_its_crawl(tmp_path: Path) -> None:
    with serving({"/1": http(200, page("Kettles of the North"), content_type="text/html")}) as site:
        home = newsroom(tmp_path, source("kettles", "web", url=f"{site.base}/1"), site.place)
        crawled = crawl(home)
    assert [item["title"] for item in crawled.items("kettles")] == ["Kettles of the North"]
    assert crawled.returncode == 0
    assert not [name for name in map(command_of, Path("/proc").iterdir()) if str(tmp_path) in name]


def command_of(entry: Path) -> str:
    """The environment of a process whose command is the reader's; empty for any other."""
    try:
        is_reader = b"crawler.spiders.page_process" in (entry / "cmdline").read_bytes()
        return (entry / "environ").read_text("utf-8", "replace") if is_reader else ""
    except OSError:
        return ""


def test_a_mistake_in_a_page_function_comes_back_as_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(_: Reply) -> None:
        raise KeyError("no such header")

    monkeypatch.setattr("crawler.spiders.read_page.PAGES", {"web": mistaken})
    answer = page_process._answer("web", reply(""))
    error = page_process._error_of(answer, "")
    assert isinstance(error, PageChanged)
    assert "KeyError: 'no such header'" in str(error.__cause__)
