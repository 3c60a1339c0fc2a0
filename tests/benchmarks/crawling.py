"""What a crawled page and a crawled feed entry cost, as multiples of what bare Scrapy and a naive pipeline take.

    python tests/benchmarks/crawling.py [--pages 300] [--feeds 40] [--size 60] [--styled] [--rounds 3]

Serves made-up WeChat pages of so many kilobytes, and feeds of 100 entries, on loopback. Four programs read all pages,
each a process of its own, in turn, from the request to the commit:

- *jianbao*: `jianbao crawl --no-group` of accounts whose feeds name the pages; the feeds are read, too.
- *bare*: a Scrapy spider with default settings that reads the title of each page with one selector and stores nothing.
- *tuned*: the same with the settings that cost least: no debug log, one item at a time, no cookies, no meta refresh.
- *naive*: Beautiful Soup for title and text, dateparser, langdetect, an ORM session that commits each item.

A feed is read by jianbao and by the naive program, and its entries are compared with tuned pages.

Each is run with few and with many pages; the difference of their CPU time, user and system, is divided by the
difference of their pages, so that imports and the start of Scrapy count for nothing. Printed are medians of the rounds,
with their spread, and the ratios.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import servers
from costs import measure_processor_time

from crawler.spiders.reading import PAGES_AT_ONCE

FEW: Final = 10
"""Pages of the short run."""

ENTRIES: Final = 100
"""Entries of a feed."""

TUNED: Final[Mapping[str, Any]] = {
    "LOG_LEVEL": "INFO",
    "CONCURRENT_ITEMS": 1,
    "COOKIES_ENABLED": False,
    "METAREFRESH_ENABLED": False,
    "REFERER_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "HTTPPROXY_ENABLED": False,
    "RETRY_ENABLED": False,
}
ESCAPES: Final = str.maketrans({character: f"\\x{ord(character):02x}" for character in "\\'\"<>&\n"})
"""How WeChat's server writes these characters in a string of a script."""

STYLED: Final = "<span style='font-size: 15px; letter-spacing: 1px;'>{}</span>"
WORDS: Final = (
    "端侧",
    "推理",
    "引擎",
    "模型",
    "量化",
    "剪枝",
    "芯片",
    "编译器",
    "移动端",
    "框架",
    "算子",
    "部署",
    "开源",
)


def main() -> None:
    """Run the programs in turn, and print what each costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--feeds", type=int, default=40)
    parser.add_argument("--size", type=int, default=60, help="kilobytes of a page")
    parser.add_argument("--styled", action="store_true", help="half of the articles' words have a style of their own")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--program", choices=tuple(PROGRAMS), help=argparse.SUPPRESS)
    parser.add_argument("--base", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.program:
        PROGRAMS[options.program](options.base, options.pages)
        return
    costs: dict[str, list[float]] = {}
    with serving_pages(options.size, is_styled=options.styled) as base:
        for _ in range(options.rounds):
            for name, measure, many in (
                ("jianbao, a page", crawl_pages, options.pages),
                ("bare, a page", run_program("bare"), options.pages),
                ("tuned, a page", run_program("tuned"), options.pages),
                ("naive, a page", run_program("naive"), options.pages),
                ("jianbao, an entry", crawl_feeds, options.feeds),
                ("naive, an entry", run_program("naive-feed"), options.feeds),
            ):
                seconds = (measure(base, many) - measure(base, few := min(FEW, many // 2))) / (many - few)
                costs.setdefault(name, []).append(seconds * 1000 / (ENTRIES if name.endswith("entry") else 1))
    for name, rounds in costs.items():
        sys.stdout.write(f"{name:20}{statistics.median(rounds):8.3f} ms  {min(rounds):8.3f} to {max(rounds):.3f}\n")
    for above, below in (
        *(("jianbao, a page", name) for name in ("bare, a page", "tuned, a page", "naive, a page")),
        ("jianbao, an entry", "tuned, a page"),
        ("jianbao, an entry", "naive, an entry"),
    ):
        ratio = statistics.median(one / other for one, other in zip(costs[above], costs[below], strict=True))
        sys.stdout.write(f"{above} / {below}: {ratio:.2f}\n")


# ---- What is read


def make_page(number: int, size: int, *, is_styled: bool = False) -> bytes:
    """Make an article's page of so many kilobytes: most of it styles and scripts that nobody reads, as WeChat's are.

    Args:
        number: of the article.
        size: kilobytes.
        is_styled: every other word has a style of its own, as editors of posts write; the article is half of 60 KB.
    """
    chance = random.Random(number)
    words = [chance.choices(WORDS, k=40) for _ in range(12)]
    paragraphs = ["".join(line) + "。" for line in words]
    styled = [
        "".join(STYLED.format(word) if index % 2 and is_styled else word for index, word in enumerate(line)) + "。"
        for line in words
    ]
    html = "".join(f"<p style='margin: 0'>{paragraph}</p>" for paragraph in styled)
    article = {
        "title": f"{''.join(chance.choices(WORDS, k=5))} {number}",
        "content_noencode": html,
        "nick_name": "云雀评测",
        "desc": paragraphs[0][:60],
        "create_time": str(1762475508 + 60 * number),
        "bizuin": "MzA3MzI4MjgzMw==",
        "mid": str(2247488000 + number),
        "idx": "1",
        "sn": f"{number:032x}",
        "item_show_type": "0",
        "user_name": "gh_0123456789ab",
    }
    head = f"<title>{article['title']}</title><meta property='og:title' content='{article['title']}'>"
    data = "{" + "".join(f"{name}: JsDecode('{text.translate(ESCAPES)}'),\n" for name, text in article.items()) + "}"
    body = f"<h1 id='activity-name'>{article['title']}</h1><em id='publish_time'>2025-11-07 08:31</em>"
    body += f"<div id='js_content'>{html}</div><script>window.cgiDataNew = {data};</script>"
    unread = "<script>" + f"var unused_{number} = function (a, b) {{ return a + b * {number}; }};\n" * (20 * size)
    room = size * 1024 - len(f"{head}{body}".encode()) - 80
    return f"<!doctype html><html><head>{head}</head><body>{body}{unread[:room]}</script></body></html>".encode()


def make_address(number: int) -> str:
    """The path of an article."""
    return f"/s/{number:022d}"


def make_list(span: str) -> bytes:
    """Make the feed of an account: titles and addresses of so many articles from a number on (`40-12`)."""
    first, count = map(int, span.split("-"))
    items = "".join(
        f"<item><title>第 {number} 篇</title><link>https://mp.weixin.qq.com{make_address(number)}</link></item>"
        for number in range(first, first + count)
    )
    return f"<rss version='2.0'><channel><title>云雀评测</title>{items}</channel></rss>".encode()


def make_feed(number: str) -> bytes:
    """Make a feed with titles, dates and digests."""
    chance = random.Random(number)
    items = "".join(
        f"<item><title>{''.join(chance.choices(WORDS, k=6))} {number}-{index}</title>"
        f"<link>https://blog{number}.example/{index}</link>"
        f"<pubDate>Thu, {index % 28 + 1:02} Oct 2026 08:00:00 GMT</pubDate>"
        f"<description>{''.join(chance.choices(WORDS, k=60))}。</description></item>"
        for index in range(ENTRIES)
    )
    return f"<rss version='2.0'><channel><title>博客 {number}</title>{items}</channel></rss>".encode()


@contextmanager
def serving_pages(size: int, *, is_styled: bool = False) -> Iterator[str]:
    """Serve pages and feeds on loopback, over connections that stay open, while the context lasts."""
    kept: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms between its head and its body

        def do_GET(self) -> None:
            kind, _, number = self.path.lstrip("/").partition("/")
            if kind not in {"s", "list", "feed"}:
                self.send_error(404)
                return
            if self.path not in kept:
                make_article = partial(make_page, size=size, is_styled=is_styled)
                make = {"s": lambda number: make_article(int(number)), "list": make_list, "feed": make_feed}[kind]
                kept[self.path] = make(number)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8" if kind == "s" else "application/rss+xml")
            self.send_header("Content-Length", str(len(kept[self.path])))
            self.end_headers()
            self.wfile.write(kept[self.path])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


# ---- Who reads it


def run_program(name: str) -> Callable[[str, int], float]:
    """Make a function that measures one of `PROGRAMS`."""

    def measure(base: str, pages: int) -> float:
        arguments = ["--program", name, "--base", base, "--pages", str(pages)]
        return measure_processor_time([sys.executable, str(Path(__file__).resolve()), *arguments])

    return measure


def crawl_pages(base: str, pages: int) -> float:
    """Measure jianbao on accounts' feeds and the pages of their articles; a run asks for `PAGES_AT_ONCE` of each."""
    lists = [(first, min(PAGES_AT_ONCE, pages - first)) for first in range(0, pages, PAGES_AT_ONCE)]
    rows = [
        servers.source(
            f"lark{first}",
            "wechat",
            url=f"{base}/list/{first}-{count}",
            full_text="page",
            page_mirror=f"{base}/{{path}}",
        )
        for first, count in lists
    ]
    return crawl(base, rows, pages, "text")


def crawl_feeds(base: str, feeds: int) -> float:
    """Measure jianbao on feeds."""
    rows = [servers.source(f"f{number}", "feed", url=f"{base}/feed/{number}") for number in range(feeds)]
    return crawl(base, rows, feeds * ENTRIES, "title")


def crawl(base: str, rows: Iterable[str], articles: int, column: str) -> float:
    """Measure `jianbao crawl` of a new newsletter.

    Raises:
        RuntimeError: the column of articles is filled in another number of rows.
    """
    with TemporaryDirectory() as folder:
        home = servers.newsroom(Path(folder), "".join(rows), base.removeprefix("http://"))
        command = [sys.executable, "-m", "pipelines.cli", "--home", str(home), "crawl", "--no-group"]
        seconds = measure_processor_time(command)
        with closing(sqlite3.connect(next(home.rglob("*.db")))) as database:
            (filled,) = database.execute(f"SELECT count(nullif({column}, '')) FROM articles").fetchone()
    if filled != articles:
        raise RuntimeError(f"{filled} articles with a {column} are stored, not {articles}")
    return seconds


class BareSpider(Spider):
    """Reads the title of each page."""

    name = "bare"

    def __init__(self, base: str = "", pages: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.addresses = [f"{base}{make_address(number)}" for number in range(pages)]

    async def start(self) -> Any:
        """All pages."""
        for address in self.addresses:
            yield Request(address)

    def parse(self, response: Response) -> Iterator[dict[str, Any]]:
        """The title."""
        yield {"url": response.url, "title": response.css("title::text").get()}


class NaiveSpider(BareSpider):
    """Reads title, text, date and language of each page with the usual libraries."""

    name = "naive"

    def parse(self, response: Response) -> Iterator[dict[str, Any]]:
        """The whole article."""
        import dateparser  # noqa: PLC0415
        from bs4 import BeautifulSoup  # noqa: PLC0415
        from langdetect import detect  # noqa: PLC0415

        soup = BeautifulSoup(response.text, "lxml")
        text = soup.find(id="js_content").get_text()
        published = dateparser.parse(soup.find(id="publish_time").get_text())
        title = soup.find(id="activity-name").get_text()
        yield {"url": response.url, "title": title, "text": text, "published": published, "language": detect(text)}


class NaiveFeedSpider(BareSpider):
    """Reads each entry of a feed with the usual libraries."""

    name = "naive-feed"

    def __init__(self, base: str = "", pages: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.addresses = [f"{base}/feed/{number}" for number in range(pages)]

    def parse(self, response: Response) -> Iterator[dict[str, Any]]:
        """An item for each entry."""
        import dateparser  # noqa: PLC0415
        import feedparser  # noqa: PLC0415
        from bs4 import BeautifulSoup  # noqa: PLC0415
        from langdetect import detect  # noqa: PLC0415

        for entry in feedparser.parse(response.body).entries:
            text = BeautifulSoup(entry.summary, "lxml").get_text()
            fields = {"url": entry.link, "title": entry.title, "text": text}
            yield {**fields, "published": dateparser.parse(entry.published), "language": detect(text)}


class OrmPipeline:
    """Commits each item in a session of its own."""

    def open_spider(self) -> None:
        """Make the table."""
        from sqlalchemy import Column, DateTime, Integer, String, create_engine  # noqa: PLC0415
        from sqlalchemy.orm import Session, declarative_base  # noqa: PLC0415

        base = declarative_base()

        class Row(base):  # type: ignore[misc, valid-type]
            __tablename__ = "articles"
            id = Column(Integer, primary_key=True)
            url = Column(String, unique=True)
            title = Column(String)
            text = Column(String)
            published = Column(DateTime)
            language = Column(String)

        self._engine = create_engine("sqlite:///naive.db")
        base.metadata.create_all(self._engine)
        self._session, self._row = Session, Row

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        """Store the item."""
        with self._session(self._engine) as session:
            session.add(self._row(**item))
            session.commit()
        return item


def run_spider(spider: type[Spider], settings: Mapping[str, Any], base: str, pages: int) -> None:
    """Run a spider to its end; exit with 1 where it lost an item."""
    process = AsyncCrawlerProcess({"ROBOTSTXT_OBEY": False, **settings})
    crawler = process.create_crawler(spider)
    process.crawl(crawler, base=base, pages=pages)
    process.start()
    items = crawler.stats.get_value("item_scraped_count") if crawler.stats else 0
    if items != pages * (ENTRIES if spider is NaiveFeedSpider else 1):
        sys.exit(f"{items} items of {pages} pages")


_NAIVE: Final = {"ITEM_PIPELINES": {OrmPipeline: 1}}
PROGRAMS: Final[Mapping[str, Callable[[str, int], None]]] = {
    "bare": lambda base, pages: run_spider(BareSpider, {}, base, pages),
    "tuned": lambda base, pages: run_spider(BareSpider, TUNED, base, pages),
    "naive": lambda base, pages: run_spider(NaiveSpider, _NAIVE, base, pages),
    "naive-feed": lambda base, pages: run_spider(NaiveFeedSpider, _NAIVE, base, pages),
}

if __name__ == "__main__":
    main()
