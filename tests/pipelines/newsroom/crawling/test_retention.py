"""Old raw items shrink, and nothing that is made of them changes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from builders import NOON
from commands import Cli
from databases import read_tables
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from crawler.items import Batch, RawItem
from crawler.sources.schema import Source
from pipelines.newsletter import Retention
from pipelines.newsroom import Newsroom
from pipelines.newsroom.crawling.retention import Reduced, reduce_old_items
from pipelines.newsroom.stages.run import ingest, rebuild
from pipelines.store import Store

SOURCE = Source(id="a", kind="feed", name="甲", url="https://e.example/")
LATER = NOON + timedelta(days=500)
PAGE = (
    '<section style="color:red;font-size:14px" data-role="paragraph" class="rich_media_content"><p style="margin:0">'
    '第 {n} 段<span style="letter-spacing:1px">正文</span>见<a class="link" href="/paper">论文</a></p>'
    '<script>track("{n}")</script><img src="https://e.example/{n}.png" class="lazy" data-ratio="0.5"></section>'
)


def make_newsroom(folder: Path, **retention: int) -> Newsroom:
    for name in ("newsletter.toml", "sources.toml"):
        (folder / name).write_text((bundled() / name).read_text(encoding="utf-8"), encoding="utf-8")
    newsroom = Newsroom(Home(folder))
    limits = Retention(**{"whole_items": 1, **retention})
    newsroom.__dict__["newsletter"] = newsroom.newsletter.model_copy(update={"retention": limits})
    return newsroom


@pytest.fixture
def newsroom(tmp_path: Path, store: Store) -> Newsroom:
    """A newsroom without articles, in a database of each kind."""
    made = make_newsroom(tmp_path)
    made.__dict__["store"] = store
    return made


def page(number: int, at: datetime = NOON, size: int = 9, **values: Any) -> RawItem:
    html = "".join(PAGE.replace("{n}", f"{number}.{part}") for part in range(size))
    url = values.pop("url", f"https://e.example/{number}")
    return RawItem("feed", url, values.pop("title", f"第 {number} 篇"), at, html=html, **values)


def take(newsroom: Newsroom, *items: RawItem) -> None:
    for item in items:
        ingest(newsroom.store, Batch("a", (item,)), SOURCE, newsroom.rules, item.fetched_at)


def list_articles(newsroom: Newsroom) -> list[tuple[Any, ...]]:
    """All that readers and later stages have of the articles, but for revisions."""
    tables = ("articles", "article_keys", "article_references", "sightings", "joined_articles")
    rows = read_tables(newsroom.store, without=("fresh", "revision", "body"))
    return [(table, sorted(rows[table], key=repr)) for table in tables]


def list_raw(newsroom: Newsroom) -> list[RawItem]:
    with newsroom.store.reading() as tx:
        return [raw.item for chunk in tx.raw.iterate() for raw in chunk]


def test_an_old_page_keeps_its_text_links_and_pictures_and_loses_the_rest(newsroom: Newsroom) -> None:
    take(newsroom, page(1), page(2))
    before = list_articles(newsroom)
    reduced = reduce_old_items(newsroom, LATER)
    assert (reduced.items, reduced.finished) == (1, True)
    assert reduced.bytes_after < reduced.bytes_before
    old, newest = list_raw(newsroom)
    assert all(part not in (old.html or "") for part in ("style", "class", "track"))
    assert all(part in (old.html or "") for part in ("/paper", "https://e.example/1.0.png"))
    assert newest == page(2)  # the newest of a source stays whole
    rebuild(newsroom.store, {"a": SOURCE}, newsroom.rules)
    assert list_articles(newsroom) == before


def test_nothing_young_is_touched_and_nothing_at_all_where_the_newsletter_says_so(newsroom: Newsroom) -> None:
    take(newsroom, page(1), page(2))
    assert reduce_old_items(newsroom, NOON + timedelta(days=399)) == Reduced()
    newsroom.__dict__["newsletter"] = newsroom.newsletter.model_copy(update={"retention": Retention(whole_days=0)})
    assert reduce_old_items(newsroom, LATER) == Reduced()
    assert list_raw(newsroom) == [page(1), page(2)]


def test_the_replaced_text_of_an_address_goes_and_its_first_date_stays(newsroom: Newsroom) -> None:
    first = page(1, NOON, 2, published="2026-10-01 08:00", ids=("wechat:abc",))
    take(
        newsroom, first, page(1, NOON + timedelta(hours=5), 9, title="第 1 篇，改过"), page(2, NOON + timedelta(days=1))
    )
    before = list_articles(newsroom)
    reduce_old_items(newsroom, LATER)
    old, replacing, _ = list_raw(newsroom)
    assert (old.html, old.published, old.ids) == (None, "2026-10-01 08:00", ("wechat:abc",))
    assert replacing.html
    rebuild(newsroom.store, {"a": SOURCE}, newsroom.rules)
    assert list_articles(newsroom) == before


def test_a_longer_earlier_text_stays(newsroom: Newsroom) -> None:
    take(newsroom, page(1, NOON, 9), page(1, NOON + timedelta(hours=5), 2), page(2, NOON + timedelta(days=1)))
    before = list_articles(newsroom)
    reduce_old_items(newsroom, LATER)
    assert all(item.html for item in list_raw(newsroom))
    rebuild(newsroom.store, {"a": SOURCE}, newsroom.rules)
    assert list_articles(newsroom) == before


def test_an_item_without_an_article_stays_whole(newsroom: Newsroom) -> None:
    broken = page(1, url="javascript:alert(1)")
    take(newsroom, broken, page(2), page(3))
    reduce_old_items(newsroom, LATER)
    assert list_raw(newsroom)[0] == broken
    with newsroom.store.reading() as tx:
        assert [raw.item for raw in tx.raw.list_lost(NOON - timedelta(days=1))] == [broken]


def test_a_reduced_page_that_comes_back_unchanged_is_known(newsroom: Newsroom) -> None:
    take(newsroom, page(1), page(2))
    reduce_old_items(newsroom, LATER)
    again = replace(page(1), fetched_at=LATER)
    counts = ingest(newsroom.store, Batch("a", (again,)), SOURCE, newsroom.rules, LATER)
    assert (counts.new, counts.seen, len(list_raw(newsroom))) == (0, 1, 2)


def test_each_item_is_reduced_once_and_the_work_goes_on_where_it_stopped(newsroom: Newsroom) -> None:
    take(newsroom, *(page(number, size=1) for number in range(120)))
    rounds = [reduce_old_items(newsroom, LATER, longest=0) for _ in range(4)]
    assert [part.items for part in rounds] == [50, 50, 19, 0]
    assert [part.finished for part in rounds] == [False, False, False, True]


def test_the_file_shrinks_and_the_commands_say_so(tmp_path: Path) -> None:
    newsroom, cli = make_newsroom(tmp_path), Cli(tmp_path)
    noise = "".join(f'<p style="color:#{number:06x}" data-id="{number * 7919}">一句</p>' for number in range(20_000))
    old = NOON - timedelta(days=3000)
    take(newsroom, *(replace(page(number, old), html=f"{number}{noise}") for number in range(8)))
    newsroom.store.close()
    path = cli.home / "var" / "jianbao.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE raw_items SET fetched_at = '2015-01-01 00:00:00.000000'")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (cli.home / "newsletter.toml").write_text(
        (cli.home / "newsletter.toml").read_text(encoding="utf-8") + "\n[retention]\nwhole_items = 1\n",
        encoding="utf-8",
    )
    before = path.stat().st_size
    assert "7 个" in cli("db", "reduce")
    assert path.stat().st_size < before * 0.7
    assert "其中 7 个已精简" in cli("db", "check")
    checks = cli.json("doctor")["checks"]
    assert any("其中 7 个已精简" in row["text"] for row in checks if row["subject"] == "database")


@pytest.mark.slow
def test_no_reduction_changes_what_a_rebuild_makes() -> None:
    versions = st.builds(
        lambda number, hour, size, title, date, ids, guid: page(
            number,
            NOON + timedelta(hours=hour),
            size,
            title=title,
            published=date,
            ids=tuple(sorted(ids)),
            guid=guid,
        ),
        st.integers(1, 3),
        st.integers(0, 9),
        st.integers(0, 4),
        st.sampled_from(["", "标题甲", "标题乙"]),
        st.sampled_from([None, "2026-10-01", "2026-10-01 08:00", "乱写"]),
        st.sets(st.sampled_from(["k:1", "k:2"]), max_size=1),
        st.sampled_from([None, "g1", "g2"]),
    )

    @settings(max_examples=25, deadline=None)
    @given(st.lists(versions, max_size=8))
    def check(items: list[RawItem]) -> None:
        with TemporaryDirectory() as folder:
            newsroom = make_newsroom(Path(folder))
            try:
                take(newsroom, *items)
                rebuild(newsroom.store, {"a": SOURCE}, newsroom.rules)
                before = list_articles(newsroom)
                reduce_old_items(newsroom, LATER)
                rebuild(newsroom.store, {"a": SOURCE}, newsroom.rules)
                assert list_articles(newsroom) == before
            finally:
                newsroom.store.close()

    check()
