"""No entry of a feed is lost, doubled or decided by an earlier one, whatever its feed does with addresses and guids."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from builders import NOON, stored_candidates
from sqlalchemy import update

from crawler.errors import CrawlError
from crawler.home import Home, bundled
from crawler.items import Batch, RawItem, Reply
from crawler.pages import PAGES
from crawler.sources.schema import Source
from pipelines.deduplicate.entries import find_repeats, identify_entry
from pipelines.deduplicate.identity import resolve_batch
from pipelines.group.candidates import GroupRules
from pipelines.model import Decision
from pipelines.newsletter import Category, Newsletter
from pipelines.newsroom.stages.arrivals import Ingested, read
from pipelines.newsroom.stages.run import group, ingest, rebuild
from pipelines.rules import Rules, load_rules
from pipelines.store import Store
from pipelines.store.tables import raw_items

PAGE = "https://tool.example/changes"
WATCH = Source(id="watch", kind="feed", name="watch", url="https://tool.example/feed")
GROUP_RULES = GroupRules.of(Newsletter(title="t", editor="e", categories=(Category(name="新闻"),)), {}, {})

Told = tuple[str, str, str]
"""Title, URL and day of an article."""


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(Home(bundled()))


def release(version: str, day: int, *, guid: str | None = None, url: str = PAGE, hours: int = 0) -> RawItem:
    return RawItem(
        "feed",
        url,
        f"云雀引擎 {version} 发布",
        NOON + timedelta(hours=hours),
        published=f"2026-10-{day:02}T08:00:00+08:00",
        guid=guid,
    )


def crawl(store: Store, rules: Rules, *items: RawItem, source: Source = WATCH) -> Ingested:
    return ingest(store, Batch(source.id, items, finished=True), source, rules, NOON)


def list_articles(store: Store) -> list[Told]:
    with store.reading() as tx:
        articles = [row.article for row in tx.articles.get(range(tx.articles.next_id())).values()]
    return sorted((one.title, one.url, one.published.at.date().isoformat()) for one in articles)


def policy_of(store: Store, source_id: str = "watch") -> str | None:
    with store.reading() as tx:
        return tx.sources.find_guid_policies([source_id]).get(source_id)


def test_releases_on_one_page_are_articles_with_their_own_titles_and_days(store: Store, rules: Rules) -> None:
    done = crawl(store, rules, release("3.1", 9, guid="r31"), release("3.0", 2, guid="r30"))
    assert (done.new, done.seen, policy_of(store)) == (2, 0, "stable")
    assert list_articles(store) == [
        ("云雀引擎 3.0 发布", PAGE, "2026-10-02"),
        ("云雀引擎 3.1 发布", PAGE, "2026-10-09"),
    ]


def test_a_release_does_not_inherit_the_decision_on_the_one_before(store: Store, rules: Rules) -> None:
    crawl(store, rules, release("3.0", 2, guid="r30"))
    group(store, GROUP_RULES)
    with store.transaction() as tx:
        tx.decisions.add(Decision(1, "drop", "编辑", NOON))
        tx.articles.mark_fresh([1])
    done = crawl(store, rules, release("3.1", 9, guid="r31"), release("3.0", 2, guid="r30"))
    group(store, GROUP_RULES)
    assert (done.new, done.seen) == (1, 1)
    with store.reading() as tx:
        states = [
            [candidate.story.lead for candidate in stored_candidates(tx, states=(state,))]
            for state in ("new", "dropped")
        ]
    assert states == [[2], [1]]


def test_an_entry_whose_address_and_title_change_is_one_article_with_the_newer_of_both(
    store: Store, rules: Rules
) -> None:
    crawl(store, rules, release("3.0", 2, guid="r30", url=f"{PAGE}/thre"))
    crawl(store, rules, release("3.0（更新）", 2, guid="r30", url=f"{PAGE}/three", hours=6))
    assert list_articles(store) == [("云雀引擎 3.0（更新） 发布", f"{PAGE}/three", "2026-10-02")]
    with store.reading() as tx:
        assert [revision.title for revision in tx.articles.list_revisions(1)] == ["云雀引擎 3.0 发布"]


@pytest.mark.fault("C6")
def test_guids_that_every_build_makes_anew_double_nothing(store: Store, rules: Rules) -> None:
    for build in range(3):
        items = [release(f"{number}.0", number, guid=f"{build}-{number}", url=f"{PAGE}/{number}") for number in (1, 2)]
        crawl(store, rules, *items)
    assert len(list_articles(store)) == 2
    assert policy_of(store) == "rebuilt"
    crawl(store, rules, replace(release("1.0", 1, guid="new", url=f"{PAGE}/1"), title="云雀引擎一点零"))
    assert len(list_articles(store)) == 2, "under this policy the address identifies, whatever the title"


@pytest.mark.fault("C6")
def test_a_guid_that_all_entries_have_is_none(store: Store, rules: Rules) -> None:
    crawl(store, rules, *(release(f"{number}.0", number, guid="feed", url=f"{PAGE}/{number}") for number in (1, 2, 3)))
    crawl(store, rules, release("4.0", 4, guid="feed", url=f"{PAGE}/4"))
    assert len(list_articles(store)) == 4
    assert policy_of(store) == "shared"


def test_the_row_overrules_what_the_feed_seems_to_do(store: Store, rules: Rules) -> None:
    rebuilt = WATCH.model_copy(update={"guids": "rebuilt"})
    crawl(store, rules, release("3.0", 2, guid="r30"), source=rebuilt)
    done = crawl(store, rules, release("3.1", 9, guid="r31"), source=rebuilt)
    assert (done.new, done.updated, policy_of(store)) == (0, 1, None)


def test_other_sources_that_link_the_page_join_its_first_entry_alone(store: Store, rules: Rules) -> None:
    other = WATCH.model_copy(update={"id": "other"})
    crawl(store, rules, release("3.0", 2, guid="r30"))
    crawl(store, rules, release("3.1", 9, guid="r31"))
    done = crawl(store, rules, release("3.0", 2), source=other)
    assert (done.new, len(list_articles(store))) == (0, 2)


def test_a_rebuild_gives_the_same_entries(store: Store, rules: Rules) -> None:
    crawl(store, rules, release("3.1", 9, guid="r31"), release("3.0", 2, guid="r30"))
    crawl(store, rules, release("3.2", 16, guid="r32", hours=6), release("3.1", 9, guid="r31"))
    before = list_articles(store)
    assert rebuild(store, {"watch": WATCH}, rules).articles == 3
    assert list_articles(store) == before


def test_a_rebuild_parts_what_was_stored_as_one_article(store: Store, rules: Rules) -> None:
    """Raw items of before have no guid, and their article took the last title."""
    items = [release("3.1", 9), release("3.0", 2)]
    for number, item in enumerate(items):  # one at a time, as if their reply were not seen together
        crawl(store, rules, replace(item, fetched_at=NOON + timedelta(hours=number)))
    assert len(list_articles(store)) == 1
    with store.transaction() as tx:
        tx.raw._connection.execute(update(raw_items).values(fetched_at=NOON))
    assert rebuild(store, {"watch": WATCH}, rules).articles == 2
    done = crawl(store, rules, release("3.2", 16, guid="r32"), *(replace(item, guid=item.title) for item in items))
    assert (done.new, done.seen, len(list_articles(store))) == (1, 2, 3)


@pytest.mark.slow
@pytest.mark.corpus
def test_no_real_feed_gives_fewer_articles_than_it_has_entries(corpus: Path, rules: Rules) -> None:
    fewer, without_entry_keys = [], []
    for path in sorted(path for path in (corpus / "feeds").glob("**/*") if path.is_file()):
        is_wechat = "wechat" in path.as_posix() or "hellodword" in path.as_posix()
        page_function = PAGES["wechat.feed" if is_wechat else "feed"]
        try:
            items = page_function(Reply("https://mirror.example/feed", 200, {}, path.read_bytes(), NOON)).items
        except CrawlError:
            continue
        repeats = find_repeats(items)
        read_articles = [read(item, WATCH, rules) for item in items]
        entries = [
            identify_entry(article, item, repeats, repeats.policy)
            for article, item in zip(read_articles, items, strict=True)
        ]
        distinct = len({(item.url, item.title, item.published) for item in items})
        for articles, losing in ((entries, fewer), (read_articles, without_entry_keys)):
            free = count(1)
            if len(set(resolve_batch(articles, {}, {}, lambda _: next(free)).ids)) < distinct:  # noqa: B023
                losing.append(path.name)
    assert fewer == []
    assert len(without_entry_keys) >= 4, "feeds that need their entries told apart"
