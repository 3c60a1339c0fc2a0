"""Further newsletters of one house: each grades and decides for itself, and no statement of theirs writes the house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from builders import NOON, about, all_decisions, article, stored_candidates
from databases import Databases, read_tables
from desks import TITLES, add_articles, opened_newsroom
from sqlalchemy import insert, select
from waiting import wait_until

from crawler.home import Home, bundled
from pipelines.errors import CannotDecide
from pipelines.group.candidates import GroupRules
from pipelines.model import Decision, Entry, Issue, Section
from pipelines.newsletter import Category, Newsletter, Topic
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.decisions import decide, merge, tell_apart
from pipelines.newsroom.editing.issues import save_issue
from pipelines.newsroom.editing.undo import undo_last
from pipelines.newsroom.editor import Editor
from pipelines.newsroom.stages.following import FOLLOWED_AT_ONCE
from pipelines.newsroom.stages.grouping import follow_beside
from pipelines.newsroom.stages.relearning import retrain
from pipelines.newsroom.stages.run import group
from pipelines.rules import load_rules
from pipelines.store import Store
from pipelines.store.errors import StoreReadOnly
from pipelines.store.tables import OF_NEWSLETTER, articles, metadata, newsletter_metadata

RULES_TABLES = load_rules(Home(bundled()))


def make_rules(*, sources: tuple[str, ...] = (), term: str = "量化", category: str = "新闻") -> GroupRules:
    newsletter = Newsletter(
        title="t",
        editor="e",
        categories=(Category(name=category),),
        topics=(Topic(name=term, terms=(term,), weight=2.0),),
        sources=sources,
    )
    return GroupRules.of(newsletter, {}, {}, events=RULES_TABLES.events)


HOUSE_RULES = make_rules()
PAPER = "arxiv:2511.00001"
NEWS = [
    article(1, title="一种新的量化方法", kind="arxiv", keys=(PAPER,), source="arxiv"),
    article(2, title="这篇论文怎么读", references=about(PAPER), publisher="甲"),
    article(3, title="编译器的新版本发布了", publisher="乙"),
]


@pytest.fixture
def house(store: Store) -> Store:
    """A house with two stories."""
    with store.transaction() as tx:
        tx.articles.save(NEWS)
    group(store, HOUSE_RULES)
    return store


@pytest.fixture
def newsletter(house: Store, tmp_path: Path) -> Iterator[Store]:
    """A further newsletter that has graded nothing yet."""
    with closing(Store.open_newsletter(house, "second-one", tmp_path / "second.db")) as opened:
        yield opened


def list_stories(store: Store) -> dict[int, tuple[int, ...]]:
    """The members of each candidate, by the id of the story."""
    with store.reading() as tx:
        return {candidate.story.id: candidate.story.members for candidate in stored_candidates(tx, states=())}


def test_no_foreign_key_leads_from_a_newsletter_to_its_house() -> None:
    assert newsletter_metadata.tables.keys() == OF_NEWSLETTER | {"fresh_articles", "grading"}
    referred = {key.column.table.name for table in newsletter_metadata.sorted_tables for key in table.foreign_keys}
    assert referred <= OF_NEWSLETTER
    assert not {key.column.table.name for name in OF_NEWSLETTER for key in metadata.tables[name].foreign_keys} - {
        "articles",  # of a house's own stories
        *OF_NEWSLETTER,
    }


def test_a_newsletter_has_the_stories_of_its_house_with_grades_of_its_own(house: Store, newsletter: Store) -> None:
    assert list_stories(newsletter) == {}
    grouped = group(newsletter, make_rules(term="编译器", category="工具"))
    assert (grouped.articles, grouped.stories) == (3, 2)
    assert list_stories(newsletter) == list_stories(house) == {1: (1, 2), 3: (3,)}
    with house.reading() as tx:
        assert [candidate.story.id for candidate in stored_candidates(tx)] == [1, 3]
    with newsletter.reading() as tx:
        candidates = stored_candidates(tx)
        assert [candidate.story.id for candidate in candidates] == [3, 1]
        assert {candidate.category for candidate in candidates} == {"工具"}
        assert candidates[1].story.evidence
    assert group(newsletter, HOUSE_RULES).stories == 0


def test_a_house_without_a_further_newsletter_notes_no_change(house: Store) -> None:
    assert read_tables(house)["story_changes"] == []


def test_a_newsletter_catches_up_with_stories_that_changed_and_vanished(house: Store, newsletter: Store) -> None:
    group(newsletter, HOUSE_RULES)
    with house.transaction() as tx:
        tx.articles.save([article(4, title="编译器的又一个新版本", days=1)])
        tx.decisions.add(Decision(1, "merge", "e", NOON, other=3))
    group(house, HOUSE_RULES)
    grouped = group(newsletter, HOUSE_RULES)
    assert (grouped.articles, grouped.stories) == (4, 2)
    assert list_stories(newsletter) == list_stories(house) == {1: (1, 2, 3), 4: (4,)}


def test_a_newsletter_that_has_not_followed_lists_no_story_without_articles(house: Store, newsletter: Store) -> None:
    group(newsletter, HOUSE_RULES)
    with house.transaction() as tx:
        tx.decisions.add(Decision(1, "merge", "e", NOON, other=3))
    group(house, HOUSE_RULES)
    with newsletter.reading() as tx:
        assert [candidate.story.members for candidate in tx.stories.get([1, 3])] == [(1, 2, 3)]
        assert tx.stories.find_by_article(3) == tx.stories.get([1])[0]


def test_decisions_on_an_article_that_joined_another_lead_to_its_story(house: Store, newsletter: Store) -> None:
    group(newsletter, HOUSE_RULES)
    with newsletter.transaction() as tx:
        tx.decisions.add(Decision(3, "drop", "other", NOON))
        tx.issues.save(issue_of(3), [()])
    twin = article(3, title="编译器的新版本发布了", publisher="乙", url="https://example.org/2")
    with house.transaction() as tx:
        tx.articles.save([article(3, keys=("https://example.org/1",), url="https://example.org/3"), twin])
        assert tx.articles.find_joined([1, 2, 3])
    group(house, HOUSE_RULES)
    group(newsletter, HOUSE_RULES)
    assert list_stories(newsletter) == list_stories(house)
    with newsletter.reading() as tx:
        candidate = tx.stories.find_by_article(3)
        assert candidate is not None
        assert candidate.state == "dropped"
        (day,) = tx.issues.list_dates()
        stored = tx.issues.get(day)
        assert stored is not None
        assert stored.sections[0].entries[0].story in candidate.story.members


def issue_of(*stories: int, state: str = "draft") -> Issue:
    entries = tuple(Entry(f"[题目](https://example.org/{story})", story) for story in stories)
    return Issue(date(2026, 11, 2), "t", (Section("新闻", entries),), state=state)  # type: ignore[arg-type]


def test_each_newsletter_remembers_its_own_issues(house: Store, newsletter: Store) -> None:
    group(newsletter, HOUSE_RULES)
    with newsletter.transaction() as tx:
        save_issue(tx, issue_of(3, state="published"), HOUSE_RULES.newsletter, RULES_TABLES)
    group(newsletter, HOUSE_RULES)
    with newsletter.reading() as tx:
        assert {candidate.story.id: candidate.state for candidate in stored_candidates(tx, states=())} == {
            1: "new",
            3: "published",
        }
        assert tx.articles.list_fresh() == []
    with house.reading() as tx:
        assert {candidate.state for candidate in stored_candidates(tx, states=())} == {"new"}
        assert tx.issues.list_dates() == []


def test_a_newsletter_leaves_out_stories_of_sources_that_it_does_not_read(house: Store, newsletter: Store) -> None:
    group(newsletter, make_rules(sources=("arxiv",)))
    assert list_stories(newsletter) == {1: (1, 2)}
    assert list_stories(house).keys() == {1, 3}


def test_a_newsletter_learns_a_model_of_its_own(house: Store, newsletter: Store) -> None:
    with house.transaction() as tx:
        tx.articles.save([article(100 + n, title=f"题目{chr(0x5000 + 11 * n)}") for n in range(30)])
    group(house, HOUSE_RULES)
    group(newsletter, HOUSE_RULES)
    ids = list(list_stories(newsletter))
    with newsletter.transaction() as tx:
        for number, story in enumerate(ids):
            tx.decisions.add(Decision(story, "pick" if number % 2 else "drop", "other", NOON))
    before = read_tables(house)
    assert retrain(newsletter, HOUSE_RULES)
    assert read_tables(house) == before
    with newsletter.reading() as tx:
        assert tx.training.get_model() is not None
    with house.reading() as tx:
        assert tx.training.get_model() is None


def test_a_house_that_begins_anew_after_a_backup_is_followed_from_the_beginning(
    house: Store, newsletter: Store, tmp_path: Path
) -> None:
    group(newsletter, HOUSE_RULES)
    with house.transaction() as tx:
        tx.following._connection.exec_driver_sql("DELETE FROM stories WHERE id = 3")
        tx.following.stop()
    with closing(Store.open_newsletter(house, "second-one", tmp_path / "second.db")) as reopened:
        assert group(reopened, HOUSE_RULES).stories == 1
        assert list_stories(reopened) == {1: (1, 2)}


def test_no_statement_of_a_newsletter_writes_its_house(newsletter: Store) -> None:
    before = read_tables(newsletter, of=metadata)
    for name in sorted(metadata.tables.keys() - OF_NEWSLETTER):
        with pytest.raises(StoreReadOnly), newsletter.transaction() as tx:
            tx.following._connection.execute(metadata.tables[name].delete())
    with pytest.raises(StoreReadOnly), newsletter.transaction() as tx:
        tx.following._connection.execute(insert(articles).from_select(["id"], select(articles.c.id)))
    with pytest.raises(StoreReadOnly), newsletter.transaction() as tx:
        tx.articles.save([article(9)])
    assert read_tables(newsletter, of=metadata) == before


def test_a_newsletter_writes_while_its_house_is_written(house: Store, newsletter: Store) -> None:
    with house.transaction() as tx:
        tx.articles.save([article(9)])
        with newsletter.transaction() as own:
            own.decisions.add(Decision(3, "pick", "other", NOON))


def test_many_changes_are_followed_in_several_transactions(house: Store, newsletter: Store) -> None:
    with house.transaction() as tx:
        tx.articles.save(
            [article(1000 + n, title=f"题目{chr(0x5000 + 7 * n)}", days=n) for n in range(FOLLOWED_AT_ONCE + 50)]
        )
    group(house, HOUSE_RULES)
    seen: list[tuple[int, int]] = []
    group(newsletter, HOUSE_RULES, lambda count, total: seen.append((count, total)))
    assert list_stories(newsletter) == list_stories(house)
    assert len(seen) == 2
    assert seen[-1][0] == seen[-1][1]


def test_a_database_of_either_kind_has_the_tables_of_a_newsletter(newsletter: Store, databases: Databases) -> None:
    assert newsletter.check() == []
    assert not newsletter.lacks_tables()
    assert databases.dialect in ("sqlite", "postgresql")


@pytest.fixture
def newsroom(databases: Databases, tmp_path: Path) -> Iterator[Newsroom]:
    """A further newsletter of a house in which the articles of `TITLES` are grouped."""
    with opened_newsroom(tmp_path / "house", databases) as house:
        home = Home(house.home.path, "second")
        home.newsletter.parent.mkdir(parents=True)
        home.newsletter.write_bytes(house.home.newsletter.read_bytes())
        with closing(Newsroom(home)) as opened:
            yield opened


def test_the_desk_of_a_newsletter_grades_while_it_is_open(newsroom: Newsroom) -> None:
    with follow_beside(newsroom, pause=0.01):
        wait_until(lambda: len(list_stories(newsroom.store)) == len(TITLES))
        add_articles(newsroom.house, {77: "新来的一篇关于剪枝的文章"})
        wait_until(lambda: len(list_stories(newsroom.store)) == len(TITLES) + 1)


def test_an_editor_takes_back_a_merge_that_the_house_has_and_their_own_pick_before_it(newsroom: Newsroom) -> None:
    group(newsroom.store, newsroom.group_rules)
    first, second = sorted(list_stories(newsroom.store))[:2]
    decide(newsroom, Decision(first, "pick", "小周", NOON))
    merged = merge(newsroom, first, [second], who="小周", decided_at=NOON + timedelta(minutes=1))
    assert merged.candidate.story.members == (first, second)
    assert merged.candidate.state == "picked"
    with newsroom.house.store.reading() as tx:
        (decision,) = all_decisions(tx)
        assert (decision.action, decision.who) == ("merge", "小周")
    editor = Editor(newsroom, "小周", NOON + timedelta(minutes=2))
    assert undo_last(editor).action == "merge"
    assert list_stories(newsroom.store)[second] == (second,)
    assert undo_last(editor).action == "pick"
    with newsroom.store.reading() as tx:
        assert {candidate.state for candidate in stored_candidates(tx, states=())} == {"new"}
        assert not any(draft.sections[0].entries for draft in tx.issues.list_drafts())
    with newsroom.house.store.reading() as tx:
        assert not any(candidate.state != "new" for candidate in stored_candidates(tx, states=()))


def test_an_undo_in_a_newsletter_takes_back_no_pick_of_the_house(newsroom: Newsroom) -> None:
    group(newsroom.store, newsroom.group_rules)
    story = min(list_stories(newsroom.store))
    decide(newsroom.house, Decision(story, "pick", "小周", NOON))
    decide(newsroom, Decision(story, "undo", "小周", NOON + timedelta(minutes=1)))
    with pytest.raises(CannotDecide):
        undo_last(Editor(newsroom, "小周", NOON + timedelta(minutes=2)))
    with newsroom.house.store.reading() as tx:
        assert [candidate.story.id for candidate in stored_candidates(tx, states=("picked",))] == [story]


def test_stories_told_apart_at_one_desk_are_offered_at_none(newsroom: Newsroom) -> None:
    group(newsroom.store, newsroom.group_rules)
    first, second = sorted(list_stories(newsroom.store))[:2]
    tell_apart(newsroom, first, [second], who="小周", decided_at=NOON)
    with newsroom.store.reading() as tx:
        assert tx.decisions.find_pairs_by_hand([first])[first, second].action == "split"
