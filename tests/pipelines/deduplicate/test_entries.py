"""Which entries of a feed are things of their own, by what the feed does with its identifiers."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from builders import NOON, article, instant

from crawler.items import RawItem
from pipelines.deduplicate.entries import (
    GuidPolicy,
    KnownEntries,
    Repeats,
    choose_policy,
    find_repeats,
    identify_entry,
    observe_policy,
)
from pipelines.deduplicate.identity import resolve_batch

PAGE = "https://tool.example/changes"


def entry(title: str, guid: str | None = None, url: str = PAGE, **values: Any) -> RawItem:
    return RawItem("feed", url, title, NOON, guid=guid, **values)


def count_articles(items: list[RawItem], policy: GuidPolicy | None = None) -> int:
    repeats = find_repeats(items)
    made = [
        identify_entry(
            article(
                number,
                url=item.url.partition("#")[0],
                title=item.title,
                published=replace(instant(), raw=item.published),
            ),
            item,
            repeats,
            choose_policy(None, policy, repeats),
        )
        for number, item in enumerate(items)
    ]
    free = count(1)
    return len(set(resolve_batch(made, {}, {}, lambda _: next(free)).ids))


@pytest.mark.parametrize(
    ("items", "articles"),
    [
        ([entry("引擎 1.0", "a"), entry("引擎 2.0", "b")], 2),
        ([entry("引擎 1.0"), entry("引擎 2.0")], 2),
        ([entry("日报", "a", published="2019-12-01"), entry("日报", "b", published="2019-12-02")], 2),
        ([entry("日报", "a"), entry("日报", "b")], 1),
        ([entry("引擎 1.0", "x"), entry("引擎 2.0", "x")], 2),
        ([entry("引擎 1.0", "x", f"{PAGE}/1"), entry("引擎 2.0", "x", f"{PAGE}/2")], 2),
        ([entry("引擎 1.0", url=f"{PAGE}#one"), entry("引擎 2.0", url=f"{PAGE}#two")], 2),
        ([entry("芯片", f"{PAGE}#0"), entry("芯片", f"{PAGE}#1")], 1),
    ],
)
def test_entries_of_one_reply_are_as_many_articles(items: list[RawItem], articles: int) -> None:
    assert count_articles(items) == articles


@pytest.mark.parametrize("policy", ["stable", "rebuilt", "shared"])
def test_entries_of_one_page_stay_apart_under_every_policy(policy: GuidPolicy) -> None:
    assert count_articles([entry("引擎 1.0", "a"), entry("引擎 2.0", "b")], policy) == 2


def test_an_entry_of_a_page_of_many_keeps_its_anchor() -> None:
    items = [entry("引擎 1.0", url=f"{PAGE}#one"), entry("引擎 2.0", url=f"{PAGE}#two")]
    page = article(1, url=PAGE)
    anchored = identify_entry(page, items[0], find_repeats(items), None)
    assert (anchored.url, anchored.keys) == (f"{PAGE}#one", (f"{PAGE}#one",))
    assert identify_entry(page, items[0], find_repeats(items[:1]), None).url == PAGE, "alone, an anchor says nothing"


def test_a_thing_with_a_strong_key_is_the_same_under_every_identifier() -> None:
    paper = article(1, keys=("arxiv:1901.00001",))
    assert identify_entry(paper, entry("论文", "a"), Repeats(), "stable") == paper


def test_an_identifier_holds_within_its_source() -> None:
    one, other = (
        identify_entry(article(1, source=source), entry("文", "7"), Repeats(), None) for source in ("one", "other")
    )
    assert one.entry_keys
    assert not set(one.entry_keys) & set(other.entry_keys)


@pytest.mark.parametrize(
    ("policy", "repeats", "entries", "expected"),
    [
        (None, Repeats(), KnownEntries(0, 0, 0), None),
        (None, Repeats(), KnownEntries(3, 0, 0), "stable"),
        ("stable", Repeats(), KnownEntries(3, 0, 3), "rebuilt"),
        ("stable", Repeats(), KnownEntries(3, 0, 1), "stable"),
        ("stable", Repeats(), KnownEntries(9, 5, 2), "stable"),
        ("rebuilt", Repeats(), KnownEntries(3, 3, 0), "rebuilt"),
        ("stable", Repeats(policy="shared"), KnownEntries(3, 0, 0), "shared"),
    ],
)
def test_the_policy_of_a_source_is_what_its_feed_does(
    policy: GuidPolicy | None, repeats: Repeats, entries: KnownEntries, expected: GuidPolicy | None
) -> None:
    assert observe_policy(choose_policy(None, policy, repeats), entries) == expected


def test_the_editors_word_on_identifiers_comes_before_what_a_reply_shows() -> None:
    shared = Repeats(policy="shared")
    assert choose_policy("stable", "rebuilt", shared) == "stable"
    assert choose_policy(None, "stable", shared) == "shared"
    assert choose_policy(None, "stable") == "stable"
