"""How long the desk takes to answer, with many articles stored.

    python tests/benchmarks/desk.py [--articles 100000] [--candidates 5000] [--rounds 100] [--ungrouped] [POOL.jsonl]

Fills a store with articles whose titles are made of small pieces of the pool's titles (without a pool, of characters
at random and a few words), groups them, and drops all stories but so many; then asks the desk as a browser would, over
loopback, and prints the median and the 95th percentile of each sort of request in milliseconds: of time that passes,
and of time that this process, desk and client, has a processor. The aim is 100 of the first on a quiet machine. Last
it publishes an issue, and prints how long the answer takes, and how long actions take while the newsroom learns.
With --ungrouped each article becomes a story of its own, with a score at random: filling takes minutes, not hours.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self
from urllib.parse import quote

import uvicorn
from sqlalchemy import text

from crawler.home import Home, bundled
from pipelines.model import Article, Candidate, Instant, Story
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.run import group
from pipelines.review import serving
from pipelines.review.app import build_desk

AIM: Final = 100.0
ACCOUNTS: Final = 300
SPAN: Final = timedelta(days=730)
WORDS: Final = (
    "端侧",
    "推理",
    "引擎",
    "量化",
    "剪枝",
    "芯片",
    "高通",
    "骁龙",
    "手机",
    "部署",
    "编译器",
    "算子",
    "开源",
    "内存",
)
"""What is searched for; each stands in some hundredth of the titles."""

SYLLABLES: Final = 3000
"""Further pieces of titles, two characters each, that mean nothing."""

SEARCHES: Final = ("高通", "量化", "端侧 推理", "骁龙", "端", 'a" OR *', "没有这个词", "编译器 内存")


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path, nargs="?")
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--candidates", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="where to keep the newsroom, to ask it again")
    parser.add_argument("--ungrouped", action="store_true", help="each article is a story of its own")
    given = parser.parse_args()
    chance = random.Random(3)
    pieces = [*WORDS * 4, *("".join(chr(chance.randrange(0x4E00, 0x6000)) for _ in "两字") for _ in range(SYLLABLES))]
    if given.pool:
        titles = [json.loads(line)["title"] for line in given.pool.read_text(encoding="utf-8").splitlines()]
        pieces = [title[at : at + 3] for title in titles for at in range(0, len(title), 3)]
    with TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        newsroom = Newsroom(Home(folder))
        if not (folder / "var" / "jianbao.db").exists():
            make_stories = _add_stories if given.ungrouped else _group
            _fill(newsroom, pieces, given.articles, given.candidates, make_stories)
        with served(newsroom) as client:
            _measure(client, newsroom, given.rounds)
        newsroom.store.close()


def _group(newsroom: Newsroom) -> None:
    group(newsroom.store, newsroom.group_rules)


def _add_stories(newsroom: Newsroom) -> None:
    """Make a story of each new article, with a category and a score at random."""
    chance = random.Random(5)
    names = newsroom.newsletter.category_names
    with newsroom.store.transaction() as tx:
        fresh = tx.articles.list_fresh()
        tx.stories.replace(
            [],
            [
                Candidate(
                    Story(article_id, (article_id,), article_id),
                    (stored,),
                    category := chance.choice(names),
                    {name: float(name == category) for name in names},
                    (),
                    round(chance.gauss(0, 2), 2),
                    (),
                )
                for article_id, stored in tx.articles.get(fresh).items()
            ],
        )
        tx.articles.mark_grouped(fresh)


def _fill(
    newsroom: Newsroom,
    pieces: Sequence[str],
    articles: int,
    candidates: int,
    make_stories: Callable[[Newsroom], None],
) -> None:
    folder = newsroom.home.path
    folder.mkdir(exist_ok=True)
    for name in ("newsletter.toml", "sources.toml"):
        (folder / name).write_bytes((bundled() / name).read_bytes())
    made = _articles(pieces)
    for start in range(0, articles, 2000):
        with newsroom.store.transaction() as tx:
            tx.articles.save([next(made) for _ in range(min(2000, articles - start))])
        make_stories(newsroom)
        sys.stderr.write(f"\r{start + 2000} articles")
    with newsroom.store.transaction() as tx:  # as after years: most stories were dropped
        keep = "SELECT id FROM stories ORDER BY newest_at DESC LIMIT :keep"
        connection = tx.stories._connection
        drop = f"UPDATE stories SET state = 'dropped' WHERE id NOT IN ({keep})"
        connection.execute(text(drop), {"keep": candidates})
        total = connection.execute(text("SELECT count(*) FROM articles")).scalar()
        fresh = connection.execute(text("SELECT count(*) FROM stories WHERE state = 'new'")).scalar()
    size = (folder / "var" / "jianbao.db").stat().st_size / 2**20
    sys.stderr.write("\r")
    sys.stdout.write(f"{total} articles, {fresh} candidates, {size:.0f} MB\n")


def _articles(pieces: Sequence[str]) -> Iterator[Article]:
    chance = random.Random(7)
    end = datetime.now(UTC)
    number = 0
    while True:
        number += 1
        at = end - SPAN * chance.random() ** 2
        account = f"账号{chance.randrange(ACCOUNTS)}"
        url = f"https://a{number}.example/{number}"
        yield Article(
            kind=chance.choice(("wechat", "wechat", "wechat", "zhihu", "feed", "arxiv")),
            source="watch",
            url=url,
            seen_url=url,
            keys=(url,),
            title="".join(chance.choices(pieces, k=8)),
            published=Instant(at, "second", "published"),
            fetched_at=at,
            publisher=account,
            language="zh",
            summary="".join(chance.choices(pieces, k=40)),
            text="\n".join("".join(chance.choices(pieces, k=200)) for _ in range(4)),
        )


class served:  # noqa: N801 - a context
    """The desk on loopback, and a client with its cookie and its token."""

    def __init__(self, newsroom: Newsroom) -> None:
        listening = serving.listen("127.0.0.1", 0)
        app = build_desk(newsroom, serving.make_access(newsroom, "127.0.0.1"), serving.make_host_names("127.0.0.1", ()))
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._port = listening.getsockname()[1]
        self._headers: dict[str, str] = {}
        self.processor_milliseconds = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.05)
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _, session, cookie = self._ask("GET", "/api/session")
        self._headers = {"Cookie": cookie.split(";")[0], "X-CSRF-Token": json.loads(session)["csrf"]}
        return self

    def __call__(self, method: str, path: str, body: object = None) -> tuple[float, bytes]:
        """Ask, and return how many milliseconds it took, and what came."""
        return self.ask(method, path, body)

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def ask(self, method: str, path: str, body: object = None) -> tuple[float, bytes]:
        """How many milliseconds it took, and what came."""
        began, processor_began = time.perf_counter(), time.process_time()
        status, answer, _ = self._ask(method, path, body)
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {answer[:200]!r}")
        self.processor_milliseconds = 1000 * (time.process_time() - processor_began)
        return 1000 * (time.perf_counter() - began), answer

    def _ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes, str]:
        data = None if body is None else json.dumps(body)
        headers = self._headers | ({"Content-Type": "application/json"} if data else {})
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        return response.status, response.read(), response.headers.get("Set-Cookie", "")


def make_sorts(ask: served, newsroom: Newsroom) -> Mapping[str, Callable[[int], float]]:
    """Make the sorts of requests: each a function of the round, which asks and returns milliseconds."""
    names = [quote(name) for name in newsroom.newsletter.category_names]
    ids = _list_ids(ask)
    chance = random.Random(11)
    return {
        "list": lambda at: ask("GET", f"/candidates?category={names[at % len(names)]}")[0],
        "list of all": lambda at: ask("GET", f"/candidates?category=&first={at}")[0],
        "more": lambda at: ask("GET", f"/candidates/more?category={names[at % len(names)]}&first=40")[0],
        "news": lambda at: ask("GET", f"/api/candidates/news?category={names[at % len(names)]}&after=1000")[0],
        "filter": lambda _: ask("GET", "/candidates?category=&kind=zhihu&since=30d&promotion=no")[0],
        "source": lambda _: ask("GET", "/candidates?category=&source=watch")[0],
        "search": lambda at: ask("GET", f"/candidates?category=&q={quote(SEARCHES[at % len(SEARCHES)])}")[0],
        "search, any state": lambda at: ask(
            "GET", f"/candidates?category=&state=all&q={quote(SEARCHES[at % len(SEARCHES)])}"
        )[0],
        "action": lambda at: ask(
            "POST",
            f"/api/candidates/{chance.choice(ids)}/decisions?card=1&category={names[0]}",
            {"action": ("pick", "drop", "later")[at % 3]},
        )[0],
        "edit": lambda at: ask(
            "PUT",
            f"/api/candidates/{chance.choice(ids)}/entry?card=1&category={names[0]}",
            {"title": f"第{at}稿", "summary": "一句话。"},
        )[0],
        "undo": lambda _: ask("POST", f"/api/undo?card=1&category={names[0]}", {})[0],
        "issue": lambda _: ask("GET", "/issue")[0],
    }


def _measure(ask: served, newsroom: Newsroom, rounds: int) -> None:
    ids = _list_ids(ask)
    sys.stdout.write(f"{'':<20}{'p50':>8}{'p95':>8}   ms{'p50':>8}{'p95':>8}   ms of processor time\n")
    slow = []
    for name, once in make_sorts(ask, newsroom).items():
        once(0)
        pairs = [(once(at), ask.processor_milliseconds) for at in range(rounds)]
        (p50, p95), (processor_p50, processor_p95) = (measure_spread(times) for times in zip(*pairs, strict=True))
        sys.stdout.write(f"{name:<20}{p50:>8.1f}{p95:>8.1f}     {processor_p50:>8.1f}{processor_p95:>8.1f}\n")
        sys.stdout.flush()
        slow += [name] * (p95 > AIM)
    if slow:
        sys.stdout.write(f"over {AIM:.0f} ms: {', '.join(slow)}\n")
    _measure_publishing(ask, ids)


def _list_ids(ask: served) -> list[int]:
    return [one["id"] for one in json.loads(ask("GET", "/api/candidates?limit=200")[1])["candidates"]]


def measure_spread(times: Sequence[float]) -> tuple[float, float]:
    """The median and the 95th percentile."""
    return statistics.median(times), sorted(times)[int(0.95 * (len(times) - 1))]


def _measure_publishing(ask: served, ids: Sequence[int]) -> None:
    """Publish an issue of eighteen stories, and decide on others while the newsroom learns from it."""
    for story in ids[:18]:
        ask("POST", f"/api/candidates/{story}/decisions", {"action": "pick"})
    (day,) = (
        issue["date"] for issue in json.loads(ask("GET", "/api/issues")[1])["issues"] if issue["state"] == "draft"
    )
    milliseconds = ask("POST", f"/api/issues/{day}/export?card=1", {"publish": True})[0]
    sys.stdout.write(f"{'publish':<20}{milliseconds:>8.1f}   {ask.processor_milliseconds:.0f} of processor time\n")
    began = time.perf_counter()
    times: list[float] = []
    processor_times: list[float] = []
    while json.loads(ask("GET", "/api/learning")[1])["state"] == "running":
        action = ("drop", "later")[len(times) % 2]
        story = ids[18 + len(times) % 100]
        times.append(ask("POST", f"/api/candidates/{story}/decisions?card=1", {"action": action})[0])
        processor_times.append(ask.processor_milliseconds)
        time.sleep(0.05)
    outcome = json.loads(ask("GET", "/api/learning")[1])["text"]
    sys.stdout.write(f"learning took {time.perf_counter() - began:.0f} s: {outcome}\n")
    if times:
        p50, p95 = measure_spread(times)
        processor_p50, processor_p95 = measure_spread(processor_times)
        row = f"{'action meanwhile':<20}{p50:>8.1f}{p95:>8.1f}     {processor_p50:>8.1f}{processor_p95:>8.1f}"
        sys.stdout.write(f"{row}   {max(times):.0f} at worst\n")


if __name__ == "__main__":
    main()
