"""What may be one event is offered until an editor answers; an answer holds whatever comes in whichever order."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from builders import NOON, stored_candidates
from databases import open_new_store
from hypothesis import given, settings
from hypothesis import strategies as st
from possible_events import LAUNCH, OUTLOOK, add_possible_pair, make_launch, make_outlook

from crawler.home import Home, bundled
from pipelines.errors import CannotDecide
from pipelines.group.candidates import GroupRules
from pipelines.model import Article, Candidate, Decision
from pipelines.newsletter import Category, Newsletter
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.decisions import decide, merge, tell_apart
from pipelines.newsroom.editing.suggestions import add_suggestions, list_pairs
from pipelines.newsroom.stages.run import group
from pipelines.rules import load_rules
from pipelines.store import Store

NEWSLETTER = Newsletter(title="t", editor="e", categories=(Category(name="新闻"),))
RULES = GroupRules.of(NEWSLETTER, {}, {}, events=load_rules(Home(bundled())).events)


def read_candidates(store: Store) -> dict[str, Candidate]:
    """All candidates with what is offered with them, by the title of their lead."""
    with store.reading() as tx:
        found = add_suggestions(tx, stored_candidates(tx, states=("new", "picked", "dropped", "later")))
    return {candidate.lead.article.title: candidate for candidate in found}


def list_offered(store: Store) -> dict[str, list[str]]:
    """The titles that are offered with each title; titles without an offer are left out."""
    return {
        title: [suggestion.lead.article.title for suggestion in candidate.suggested]
        for title, candidate in read_candidates(store).items()
        if candidate.suggested
    }


BOTH = {LAUNCH: [OUTLOOK], OUTLOOK: [LAUNCH]}


def test_two_stories_that_may_report_one_event_are_offered_to_each_other(newsroom: Newsroom) -> None:
    add_possible_pair(newsroom, 21, 22)
    assert list_offered(newsroom.store) == BOTH
    found = read_candidates(newsroom.store)
    with newsroom.store.reading() as tx:
        pairs = list_pairs(tx, list(found.values()))
    assert [(pair.lead.article.title, other.lead.article.title) for pair, other in pairs] in (
        [(LAUNCH, OUTLOOK)],
        [(OUTLOOK, LAUNCH)],
    )
    assert "云雀半导体" in pairs[0][1].evidence.text("zh")


def test_a_no_is_remembered_and_an_undo_asks_again(newsroom: Newsroom) -> None:
    add_possible_pair(newsroom, 21, 22)
    launch, outlook = (read_candidates(newsroom.store)[title].story.id for title in (LAUNCH, OUTLOOK))
    decided = tell_apart(newsroom, outlook, [launch], who="编辑", decided_at=NOON)
    assert decided.candidate.story.id == outlook
    assert [candidate.story.id for candidate in decided.other_candidates] == [launch]
    assert list_offered(newsroom.store) == {}
    decide(newsroom, Decision(launch, "undo", "编辑", NOON))
    assert list_offered(newsroom.store) == BOTH


def test_a_yes_joins_them_even_after_a_no(newsroom: Newsroom) -> None:
    add_possible_pair(newsroom, 21, 22)
    launch, outlook = (read_candidates(newsroom.store)[title].story.id for title in (LAUNCH, OUTLOOK))
    tell_apart(newsroom, launch, [outlook], who="编辑", decided_at=NOON)
    decided = merge(newsroom, launch, [outlook], who="编辑", decided_at=NOON)
    assert {article.article.title for article in decided.candidate.articles} == {LAUNCH, OUTLOOK}


def test_what_is_one_story_already_is_not_told_apart(newsroom: Newsroom) -> None:
    add_possible_pair(newsroom, 21, 22)
    launch = read_candidates(newsroom.store)[LAUNCH].story.id
    for partners in ([launch], []):
        with pytest.raises(CannotDecide):
            tell_apart(newsroom, launch, partners, who="编辑", decided_at=NOON)


FURTHER = [
    make_launch(3, f"重磅｜{LAUNCH}！", publisher="丙", days=0.1),
    make_launch(4, "星澜 N9 来了！云雀半导体要和手机芯片掰手腕", publisher="丁", days=0.2),
    make_outlook(5, f"{OUTLOOK}？", publisher="戊"),
]


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(order=st.permutations([0, 1, 2]), sizes=st.lists(st.integers(1, 3), min_size=3, max_size=3), swap=st.booleans())
def test_what_was_refused_is_neither_joined_nor_offered_again_in_any_batching(
    order: list[int], sizes: list[int], swap: bool
) -> None:
    pair: list[Article] = [make_launch(1), make_outlook(2)]
    with TemporaryDirectory() as folder, closing(open_new_store(Path(folder) / "jianbao.db")) as store:
        save_and_group(store, pair[::-1] if swap else pair)
        with store.reading() as tx:
            first, second = (candidate.story for candidate in stored_candidates(tx))
        with store.transaction() as tx:
            tx.decisions.add(Decision(first.id, "split", "编辑", NOON, other=second.id))
        rest = [FURTHER[index] for index in order]
        for size in sizes:
            batch, rest = rest[:size], rest[size:]
            save_and_group(store, batch)
        offered = list_offered(store)
        for title, candidate in read_candidates(store).items():
            urls = {stored.article.url for stored in candidate.articles}
            assert not {pair[0].url, pair[1].url} <= urls
            others = {suggestion.story for suggestion in candidate.suggested}
            with store.reading() as tx:
                offered_urls = {stored.article.url for story in tx.stories.get(others) for stored in story.articles}
            for one, other in (pair, pair[::-1]):
                assert not (one.url in urls and other.url in offered_urls), (title, offered)


def save_and_group(store: Store, articles: Sequence[Article]) -> None:
    with store.transaction() as tx:
        tx.articles.save(articles)
    group(store, RULES)
