"""Grades for a further newsletter what its house made of the crawl: its stories have the house's ids and articles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from pipelines.group.candidates import GroupRules, grade
from pipelines.model import StoredArticle
from pipelines.newsroom.stages.memory import read_memory
from pipelines.newsroom.stages.relearning import with_model
from pipelines.store import Store, Transaction

FOLLOWED_AT_ONCE: Final = 200
"""Changed stories that are graded in one transaction, a tenth of a second; an editor who decides waits for its end."""


def follow_house(
    store: Store,
    rules: GroupRules,
    progress: Callable[[int, int], None] = lambda count, total: None,  # noqa: ARG005
) -> tuple[int, int]:
    """Grade the stories that the house made since the last call, and those that the newsletter's own issues concern.

    Stories that vanished vanish here too; what was decided on an article leads to the story that has it now.

    Args:
        store: the newsletter's.
        rules: of the newsletter.
        progress: called with the number of stories followed so far, and their total.

    Returns:
        The numbers of articles and stories that were graded.
    """
    with store.reading() as tx:
        total = tx.following.count_changes()
        rules = with_model(tx, rules)
    articles = stories = followed = 0
    while True:
        with store.transaction() as tx:
            changes = tx.following.list_changes(FOLLOWED_AT_ONCE)
            fresh_ids = tx.articles.list_fresh(FOLLOWED_AT_ONCE)
            if not changes and not fresh_ids:
                return articles, stories
            if changes:
                tx.following.note_followed(changes)
            graded = _grade(tx, {change.story for change in changes}, fresh_ids, rules)
            tx.articles.mark_grouped(fresh_ids)
        articles += sum(len(members) for members in graded.values())
        stories += len(graded)
        followed += len(changes)
        progress(followed, max(followed, total))


def is_behind(store: Store) -> bool:
    """Whether a newsletter has stories to grade, because its house made them or its own issues concern them."""
    with store.reading() as tx:
        return bool(tx.following.list_changes(1) or tx.articles.list_fresh(1))


def _grade(
    tx: Transaction, story_ids: set[int], article_ids: list[int], rules: GroupRules
) -> Mapping[int, list[StoredArticle]]:
    """Grade stories as the house has them now, and forget those that it has no more.

    Args:
        tx: open for writing.
        story_ids: of stories that changed.
        article_ids: of articles whose stories are graded too.
        rules: with the model to grade by.

    Returns:
        The articles of each story that was graded, by its id.
    """
    story_ids = story_ids | tx.stories.find_ids(article_ids)
    stories = tx.stories.get_of_house(story_ids)
    articles = tx.articles.get(member for story in stories.values() for member in story.members)
    members = {
        story.id: [articles[member] for member in story.members if member in articles]  # the house may write meanwhile
        for story in stories.values()
    }
    read = {story_id: of_story for story_id, of_story in members.items() if of_story and _is_read(of_story, rules)}
    memory = read_memory(tx, [article for of_story in read.values() for article in of_story], rules)
    candidates = []
    for story_id, of_story in read.items():
        recalled = memory.recall(of_story)
        candidate = grade(stories[story_id], of_story, rules)
        candidates.append(replace(candidate, published_in=recalled.published_in, follows=recalled.follows))
    tx.stories.replace(story_ids, candidates)
    return read


def _is_read(articles: list[StoredArticle], rules: GroupRules) -> bool:
    """Whether the newsletter reads a source of a story; one that names no source reads all."""
    return not rules.sources or any(not rules.sources.isdisjoint(article.sources) for article in articles)
