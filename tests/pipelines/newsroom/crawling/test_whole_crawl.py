"""Whole crawls of real feeds over HTTP: run twice, and killed in the middle."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from builders import NOON
from feed_counts import count_articles
from servers import ROOT, Handler, Seen, Site, http, newsroom, serving, source

from pipelines.model import StoredArticle
from pipelines.store import Store

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

YIELD_FEWER: Final[dict[str, str]] = {}
"""Real feeds that yield fewer articles than they have distinct entries, each with the reason: there is none."""

KILLS: Final = 5
"""Each costs two crawls; `tests/chaos/kills.py` runs as many as one likes."""

SHARE: Final = 3
"""One in so many feeds is crawled there: a run of all takes three times as long, and has no other points to die at."""

LARGEST: Final = 100_000


def with_validator(body: bytes) -> Handler:
    """An answer with an ETag, and 304 for whoever has it already."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'

    def answer(seen: Seen) -> bytes:
        if seen.headers.get("if-none-match") == tag:
            return http(304, etag=tag)
        return http(200, body, etag=tag)

    return answer


def served_feeds(corpus: Path) -> dict[str, tuple[str, bytes]]:
    """Path on the server -> kind of source and body, for the corpus's feeds of a size that people serve."""
    kinds = {"wechat-scholar-2026": "wechat", "hellodword-2021/tech": "wechat", "misc-real/feedjira": "feed"}
    return {
        f"/{kind}/{number}": (kind, file.read_bytes())
        for folder, kind in kinds.items()
        for number, file in enumerate(sorted((corpus / "feeds" / folder).glob("*.xml")), start=100 * len(folder))
        if file.stat().st_size < LARGEST
    }


@pytest.fixture(scope="module")
def site(corpus: Path) -> Iterator[Site]:
    answers: dict[str, Any] = {path: with_validator(body) for path, (_, body) in served_feeds(corpus).items()}
    with serving(answers) as site:
        yield site


def make_home(folder: Path, site: Site, corpus: Path, *, share: int = 1) -> Path:
    """Make a newsletter's folder whose sources are the feeds of the site, or one in `share` of them."""
    rows = (
        source(path.strip("/").replace("/", "-"), kind, url=site.base + path)
        for path, (kind, _) in [*served_feeds(corpus).items()][::share]
    )
    return newsroom(folder, "".join(rows), site.place)


def start(home: Path) -> subprocess.Popen[str]:
    """`jianbao crawl` in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JIANBAO_")}
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "--home", str(home), "crawl", "--json", "--no-group"],
        cwd=ROOT,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def crawl(home: Path) -> list[dict[str, Any]]:
    said, log = start(home).communicate(timeout=110)
    assert said, log
    sources: list[dict[str, Any]] = json.loads(said)["sources"]
    return sources


def articles(home: Path) -> dict[frozenset[str], object]:
    """What the store holds, by keys, without what tells only when it was fetched.

    Which source leads an article that several give depends on who was heard first; only who gave it is compared then.
    """
    store = Store.open(f"sqlite:///{home / 'var' / 'jianbao.db'}")
    with store.reading() as tx:
        everything = tx.articles.get(range(1, tx.articles.next_id()))
    store.close()
    return {frozenset(one.article.keys): _what(one) for one in everything.values()}


def _what(one: StoredArticle) -> object:
    if len(one.sources) > 1:
        return set(one.sources), set(one.urls)
    dated = None if one.article.published.source == "first-seen" else one.article.published
    return replace(one, id=0, first_seen=NOON, article=replace(one.article, fetched_at=NOON, published=dated))


@pytest.fixture(scope="module")
def undisturbed(site: Site, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = make_home(tmp_path_factory.mktemp("undisturbed"), site, corpus)
    reports = crawl(home)
    refused = [one["failed"] for one in reports if one["failed"]]
    assert len(refused) <= 2  # the folder holds two fragments of web pages
    assert all(reason.startswith("PageChanged") for reason in refused)
    return home


def test_a_second_crawl_of_real_feeds_adds_nothing(undisturbed: Path, site: Site) -> None:
    before = articles(undisturbed)
    assert len(before) > 1500
    site.seen.clear()
    reports = crawl(undisturbed)
    assert {(one["new"], one["updated"]) for one in reports} == {(0, 0)}
    assert articles(undisturbed) == before
    assert sum("if-none-match" in seen.headers for seen in site.seen) == len(reports) - 2


@pytest.mark.fault("H7")
def test_a_second_crawl_adds_nothing_where_the_server_has_no_validators(
    undisturbed: Path, corpus: Path, tmp_path: Path
) -> None:
    plain: dict[str, Any] = {path: http(200, body) for path, (_, body) in served_feeds(corpus).items()}
    with serving(plain) as site:
        home = make_home(tmp_path / "plain", site, corpus)
        crawl(home)
        reports = crawl(home)
        assert {(one["new"], one["updated"]) for one in reports} == {(0, 0)}
        assert len(articles(home)) == len(articles(undisturbed))


@pytest.mark.timeout(1200)
@pytest.mark.fault("S1")
def test_a_crawl_killed_at_any_point_and_run_again_ends_with_the_same_articles(
    site: Site, corpus: Path, tmp_path: Path
) -> None:
    reference = make_home(tmp_path / "undisturbed", site, corpus, share=SHARE)
    asked = len(crawl(reference))
    expected = articles(reference)
    assert asked > 30
    assert len(expected) > 400
    chance = random.Random(20)
    cut = 0
    for trial in range(KILLS):
        home = make_home(tmp_path / str(trial), site, corpus, share=SHARE)
        site.seen.clear()
        child = start(home)
        point = chance.randrange(1, asked)
        while len(site.seen) < point and child.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.05)
        child.kill()
        child.communicate()
        cut += articles(home) != expected
        crawl(home)
        assert articles(home) == expected, f"killed after request {point}"
    assert cut > KILLS / 2, "most kills must strike in the middle, or this shows nothing"
    print(f"{KILLS} kills, {cut} of them in the middle; {len(expected)} articles each time")  # noqa: T201


@pytest.mark.timeout(1800)
def test_a_crawl_of_all_real_feeds_keeps_each_of_their_entries(corpus: Path, tmp_path: Path) -> None:
    counts = count_articles(corpus / "feeds", tmp_path)
    assert sum(count.entries for count in counts) > 4000
    assert {count.path for count in counts if count.articles < count.entries} == YIELD_FEWER.keys()
    assert [count for count in counts if count.failed] == []
