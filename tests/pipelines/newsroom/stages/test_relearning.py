"""When a newsroom learns, from what, and what becomes of the candidates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from builders import NOON, article, instant, stored_candidates

from pipelines.group.candidates import GroupRules
from pipelines.group.trained import VERSION
from pipelines.group.training import LEAST_PASSED_OVER
from pipelines.model import Article, Candidate, Decision, Entry, Issue, Section
from pipelines.newsletter import Category, Newsletter, Topic
from pipelines.newsroom.stages.relearning import ENOUGH, fingerprint, retrain, with_model
from pipelines.newsroom.stages.run import group
from pipelines.store import Store
from pipelines.store.stories import Stories

NEWSLETTER = Newsletter(
    title="试刊",
    editor="e",
    categories=(Category(name="新闻"), Category(name="教程")),
    topics=(Topic(name="量化", weight=1.0, terms=("量化",)),),
)
RULES = GroupRules.of(NEWSLETTER, {}, {})
PRINTED = date(2026, 10, 20)
FOOD, CHIPS = "家常菜的做法", "端侧推理的优化"


def titled(words: str, number: int) -> str:
    """A title like others about the same, but no near-duplicate of one."""
    return f"{words}{chr(0x5000 + 31 * number)}{chr(0x6000 + 37 * number)}{chr(0x7000 + 41 * number)}{words[::-1]}"


def passed_over(number: int = LEAST_PASSED_OVER, day: float = -15) -> list[Article]:
    """What was there when the issue was made, and is about something else."""
    return [
        article(1000 + n, title=titled(FOOD, n), publisher=f"厨房{n}", published=instant(day)) for n in range(number)
    ]


def save(store: Store, *articles: Article) -> None:
    with store.transaction() as tx:
        tx.articles.save(articles)


def print_issue(store: Store, items: int = 40, day: date = PRINTED) -> None:
    """An issue of items about `CHIPS`, half of them in each section."""
    sections = tuple(
        Section(
            name,
            tuple(
                Entry(f"[{titled(words + CHIPS, 2 * n + at)} | 号{n % 5}](https://past.example/{day}/{at}/{n})")
                for n in range(items // 2)
            ),
        )
        for at, (name, words) in enumerate((("新闻", "发布"), ("教程", "入门")))
    )
    issue = Issue(title="试刊", date=day, state="published", sections=sections)
    with store.transaction() as tx:
        tx.issues.save(issue, [()] * items)


def candidates(store: Store) -> Mapping[str, Candidate]:
    with store.reading() as tx:
        return {one.lead.article.url: one for one in stored_candidates(tx)}


@pytest.mark.slow
def test_with_past_issues_a_model_is_trained_and_grades_the_open_stories(store: Store) -> None:
    save(store, article(1, title=titled(CHIPS, 99)), article(2, title=titled(FOOD, 999)), *passed_over())
    group(store, RULES)
    before = candidates(store)
    assert before["https://example.org/1"].score == before["https://example.org/2"].score == 0
    print_issue(store)
    assert group(store, RULES).learned
    after = candidates(store)
    assert after["https://example.org/1"].score > after["https://example.org/2"].score + 1


@pytest.mark.slow
def test_a_new_article_is_graded_with_the_model(store: Store) -> None:
    print_issue(store)
    save(store, *passed_over())
    group(store, RULES)
    save(store, article(1, title=titled("入门" + CHIPS, 99)), article(2, title=titled(FOOD, 999)))
    assert not group(store, RULES).learned
    found = candidates(store)
    assert found["https://example.org/1"].score > found["https://example.org/2"].score + 1
    assert found["https://example.org/1"].category == "教程"


def test_without_a_past_the_rules_alone_grade(store: Store) -> None:
    save(store, article(1, title="低比特量化"), *passed_over(20))
    assert not group(store, RULES).learned
    assert [reason.text("zh") for reason in candidates(store)["https://example.org/1"].reasons] == ["量化"]


@pytest.mark.slow
@pytest.mark.parametrize("day", [-80, -42, -12, -1])
def test_from_the_import_of_an_archive_on_relevance_is_learned_whatever_the_dates_of_the_store(
    store: Store, day: float
) -> None:
    save(store, *passed_over(day=day))
    group(store, RULES)
    print_issue(store)
    group(store, RULES)
    with store.reading() as tx:
        model = with_model(tx, RULES).model
    assert model is not None
    assert model.relevance


@pytest.mark.slow
def test_a_picked_story_does_not_lie_open(store: Store) -> None:
    save(store, *passed_over())
    group(store, RULES)
    with store.transaction() as tx:
        for candidate in stored_candidates(tx)[:ENOUGH]:
            tx.decisions.add(Decision(candidate.story.id, "pick", "编辑", NOON, category="教程"))
    group(store, RULES)
    with store.reading() as tx:
        assert len(tx.training.list_open()) == LEAST_PASSED_OVER - ENOUGH


@pytest.mark.slow
def test_without_a_past_a_common_term_weighs_less_than_a_rare_one(store: Store) -> None:
    topics = (Topic(name="量化", weight=1.0, terms=("量化",)), Topic(name="做法", weight=1.0, terms=("做法",)))
    rules = GroupRules.of(NEWSLETTER.model_copy(update={"topics": topics}), {}, {})
    save(store, article(1, title="低比特量化"), *passed_over())
    assert group(store, rules).learned
    scores = {url: candidate.score for url, candidate in candidates(store).items()}
    assert scores["https://example.org/1"] > 0.8
    assert max(score for url, score in scores.items() if url != "https://example.org/1") < 0.1


@pytest.mark.parametrize(("stories", "examples"), [(0, 0), (1, 1), (10, 10), (11, 5), (20, 10), (21, 7), (31, 7)])
def test_no_more_than_the_most_of_what_lies_open_teaches_and_it_is_spread_evenly(
    store: Store, monkeypatch: pytest.MonkeyPatch, stories: int, examples: int
) -> None:
    monkeypatch.setattr("pipelines.store.training.MOST_OPEN", 10)
    save(store, *passed_over(stories))
    group(store, RULES)
    with store.reading() as tx:
        numbers = [lesson.id for lesson in tx.training.list_open()]
    assert len(numbers) == examples
    assert len({later - earlier for earlier, later in pairwise(numbers)}) <= 1


@pytest.mark.slow
def test_what_was_passed_over_may_come_after_the_issues(store: Store) -> None:
    print_issue(store)
    group(store, RULES)
    save(store, *passed_over())
    assert group(store, RULES).learned
    with store.reading() as tx:
        model = with_model(tx, RULES).model
    assert model is not None
    assert model.relevance


@pytest.mark.slow
def test_a_model_is_trained_again_only_when_enough_is_new(store: Store) -> None:
    print_issue(store)
    assert group(store, RULES).learned
    assert not group(store, RULES).learned
    print_issue(store, ENOUGH - 2, day=PRINTED + timedelta(days=1))
    assert not group(store, RULES).learned
    print_issue(store, 2, day=PRINTED + timedelta(days=2))
    assert group(store, RULES).learned


@pytest.mark.slow
def test_it_learns_again_when_there_are_twice_as_many_articles(store: Store) -> None:
    save(store, *passed_over())
    group(store, RULES)
    print_issue(store)
    assert group(store, RULES).learned
    more = [article(n, title=titled("猫咪日常", n), publisher=f"宠物{n}") for n in range(1, LEAST_PASSED_OVER + 1)]
    save(store, *more[:-1])
    assert not group(store, RULES).learned
    save(store, more[-1])
    assert group(store, RULES).learned


def test_it_learns_again_when_as_much_was_taken_back(store: Store) -> None:
    print_issue(store)
    print_issue(store, ENOUGH, day=PRINTED + timedelta(days=1))
    assert group(store, RULES).learned
    with store.transaction() as tx:
        tx.issues.remove(PRINTED + timedelta(days=1))
    assert group(store, RULES).learned


@pytest.mark.slow
def test_an_editor_who_drops_and_picks_teaches_it_too(store: Store) -> None:
    print_issue(store)
    save(store, *passed_over())
    group(store, RULES)
    cats = [article(n, title=titled("猫咪日常", n), publisher=f"宠物{n}") for n in range(1, ENOUGH + 2)]
    save(store, *cats)
    group(store, RULES)
    with store.transaction() as tx:
        told = {one.lead.article.url: one.story.id for one in stored_candidates(tx)}
        for one in cats[:-1]:
            tx.decisions.add(Decision(told[one.url], "pick", "编辑", NOON, category="教程"))
    before = candidates(store)[cats[-1].url].score
    assert group(store, RULES).learned
    after = candidates(store)[cats[-1].url]
    assert after.score > before
    assert after.category == "教程"


def test_a_section_that_the_editor_corrects_is_an_example_before_any_pick(store: Store) -> None:
    print_issue(store)
    cats = [article(n, title=titled("猫咪日常", n), publisher=f"宠物{n}") for n in range(1, 2 * ENOUGH)]
    save(store, *cats)
    group(store, RULES)
    with store.transaction() as tx:
        told = {one.lead.article.url: one.story.id for one in stored_candidates(tx)}
        for one in cats[:-1]:
            tx.decisions.add(Decision(told[one.url], "categorise", "编辑", NOON, category="教程"))
    assert group(store, RULES).learned
    assert candidates(store)[cats[-1].url].category == "教程"


def test_a_newsletter_with_other_rules_does_not_use_the_model_of_these(store: Store) -> None:
    print_issue(store)
    group(store, RULES)
    changed = NEWSLETTER.model_copy(update={"topics": (Topic(name="部署", weight=1.0, terms=("部署",)),)})
    other = GroupRules.of(changed, {}, {})
    assert fingerprint(other) != fingerprint(RULES)
    with store.reading() as tx:
        assert with_model(tx, other).model is None
    assert group(store, other).learned


def test_a_model_of_an_older_version_is_trained_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr("pipelines.newsroom.stages.relearning.VERSION", VERSION - 1)
        print_issue(store)
        assert group(store, RULES).learned
    with store.reading() as tx:
        assert with_model(tx, RULES).model is None
    assert group(store, RULES).learned


@pytest.mark.slow
def test_a_grading_that_was_cut_short_is_taken_up_where_it_ended(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.newsroom.stages.relearning.GRADED_AT_ONCE", 50)
    save(store, *passed_over(), article(1, title=titled(CHIPS, 99)))
    group(store, RULES)
    print_issue(store)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.newsroom.stages.run.retrain", lambda store, rules: retrain(store, rules, stop))
    with pytest.raises(KeyboardInterrupt):
        group(store, RULES)
    with store.reading() as tx:
        stored = tx.training.get_model()
    assert stored is not None
    assert stored.graded_to is not None
    monkeypatch.undo()
    assert not group(store, RULES).learned
    with store.reading() as tx:
        stored = tx.training.get_model()
    assert stored is not None
    assert stored.graded_to is None
    assert candidates(store)["https://example.org/1"].score > 0.5


def test_a_category_that_no_issue_had_yet_keeps_the_chance_that_the_rules_give_it(store: Store) -> None:
    print_issue(store)
    sections = (*NEWSLETTER.categories, Category(name="项目", kinds={"github": 4.0}))
    rules = GroupRules.of(NEWSLETTER.model_copy(update={"categories": sections}), {}, {})
    save(store, replace(article(1, title="a/b", kind="github"), summary="x"))
    group(store, rules)
    group(store, rules)
    found = candidates(store)["https://example.org/1"]
    assert found.category == "项目"
    assert sum(found.category_scores.values()) == pytest.approx(1)


@pytest.mark.slow
def test_a_model_that_is_not_the_first_grades_the_best_then_the_newest_and_the_others_call_by_call(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.newsroom.stages.relearning.GRADED_AT_ONCE", 10)
    monkeypatch.setattr("pipelines.newsroom.stages.relearning.ON_SCREEN", 20)
    monkeypatch.setattr("pipelines.newsroom.stages.relearning.FURTHER", 50)
    save(store, *passed_over(), *(article(n, title=titled(CHIPS, n)) for n in range(1, 6)))
    group(store, RULES)
    print_issue(store)
    group(store, RULES)
    with store.transaction() as tx:
        newest = tx.training.list_open_stories(0, 50)
        every = set(tx.training.list_open_stories(0, 1000))
        tx.stories.regrade([replace(each, reasons=()) for each in stored_candidates(tx)])
    print_issue(store, ENOUGH, day=PRINTED + timedelta(days=1))

    def graded_ids() -> set[int]:
        with store.reading() as tx:
            return {each.story.id for each in stored_candidates(tx) if each.reasons}

    assert group(store, RULES).learned
    with store.reading() as tx:
        best = tx.training.list_best_stories(20)
    assert graded_ids() >= {*best, *newest}
    assert len(every - graded_ids()) > 50
    for _ in range(4):
        assert not group(store, RULES).learned
    assert graded_ids() == every


def cat(number: int) -> Article:
    return article(number, title=titled("猫咪日常", number), publisher=f"宠物{number}")


@pytest.mark.slow
def test_a_story_that_only_the_new_model_ranks_high_is_graded_at_once_however_old(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.newsroom.stages.relearning.GRADED_AT_ONCE", 10)
    monkeypatch.setattr("pipelines.newsroom.stages.relearning.ON_SCREEN", 20)
    monkeypatch.setattr("pipelines.newsroom.stages.relearning.FURTHER", 10)
    monkeypatch.setattr("pipelines.newsroom.stages.relearning.SCORED_AT_ONCE", 70)
    save(store, cat(1))
    save(store, *passed_over())
    group(store, RULES)
    print_issue(store)
    while group(store, RULES).learned or not is_all_graded(store):
        pass
    before = candidates(store)["https://example.org/1"]
    sections = (Section("新闻", tuple(Entry(f"[{cat(n).title}](https://cats.example/{n})") for n in range(2, 42))),)
    with store.transaction() as tx:
        tx.issues.save(Issue(title="试刊", date=date(2026, 10, 25), state="published", sections=sections), [()] * 40)
    assert group(store, RULES).learned
    assert not is_all_graded(store)
    assert candidates(store)["https://example.org/1"].score > before.score + 1


def is_all_graded(store: Store) -> bool:
    with store.reading() as tx:
        stored = tx.training.get_model()
    return stored is not None and stored.graded_to is None


def test_a_newsroom_that_knows_much_learns_from_more_decisions_at_once(store: Store) -> None:
    print_issue(store, 300)
    save(store, *passed_over(20))
    group(store, RULES)
    with store.reading() as tx:
        story_ids = [each.story.id for each in stored_candidates(tx)]

    def drop(ids: list[int]) -> None:
        with store.transaction() as tx:
            for story_id in ids:
                tx.decisions.add(Decision(story_id, "drop", "编辑", NOON))

    drop(story_ids[: ENOUGH + 1])
    assert not group(store, RULES).learned
    drop(story_ids[ENOUGH + 1 : 300 // 20])
    assert group(store, RULES).learned


def test_a_story_whose_grade_stays_equal_is_not_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    save(store, *passed_over(20), article(1, title="低比特量化"))
    group(store, RULES)
    written: list[int] = []
    regrade = Stories.regrade

    def note(stories: Stories, graded: Iterable[Candidate]) -> None:
        chosen = list(graded)
        written.extend(each.story.id for each in chosen)
        regrade(stories, chosen)

    monkeypatch.setattr(Stories, "regrade", note)
    with store.reading() as tx:
        candidate = tx.stories.find_by_article(1)
    assert candidate is not None
    with store.transaction() as tx:
        regrade(tx.stories, [replace(candidate, score=9.0)])
    print_issue(store, ENOUGH)  # too few to train anything but the rarity of words
    assert group(store, RULES).learned
    assert written == [1]
