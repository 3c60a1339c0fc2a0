"""Makes the stories again that new or changed articles can belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Set
from dataclasses import replace

from pipelines.deduplicate import near as texts
from pipelines.deduplicate import titles
from pipelines.deduplicate.memory import memory_keys, recall
from pipelines.deduplicate.stories import RARE, Shared, find_evidence, joining_bands, make_stories
from pipelines.group.candidates import GroupRules, grade
from pipelines.model import Decision, Evidence, StoredArticle, Story
from pipelines.newsroom.relearning import with_model
from pipelines.store import Transaction


def regroup(tx: Transaction, fresh: Collection[int], rules: GroupRules) -> None:
    """The final stage on these articles at once, in the caller's transaction; for few articles."""
    _regroup(tx, fresh, with_model(tx, rules))
    tx.articles.mark_grouped(fresh)


def _regroup(tx: Transaction, fresh: Collection[int], rules: GroupRules) -> None:
    """Make the stories again that these articles can belong to.

    What a new article can change is made again, and all that evidence or a person links to it, however many steps away.
    Only then is the outcome that of grouping everything at once.
    """
    near = tx.articles.get(fresh)
    changed = _note(tx, near, rules) | near.keys()
    targets: set[int] = set()
    standing: dict[int, Story] = {}
    evidence: set[Evidence] = set()
    by_hand: dict[tuple[int, int], Decision] = {}
    while changed:
        stories = {story.id: story for story in tx.stories.of(changed).values()}
        changed |= {member for story in stories.values() for member in story.members} - targets
        standing |= stories
        targets |= changed
        near |= tx.articles.get(changed - near.keys())
        found = _evidence_of(tx, changed, near, rules)
        by_hand |= (decided := tx.decisions.by_hand(changed))
        found |= {Evidence("by-hand", one.who, pair) for pair, one in decided.items() if one.action == "merge"}
        evidence |= found
        changed = {one for edge in found for one in edge.articles} - targets
    articles = [near[one] for one in sorted(targets)]
    printed = tx.issues.printed(key for one in articles for key in memory_keys(one))
    counts = tx.articles.reference_counts(targets, RARE)
    graded = []
    apart = {pair for pair, one in by_hand.items() if one.action == "split"}
    for story in make_stories(articles, evidence, rules.trust, apart):
        told = [near[member] for member in story.members]
        known = recall(told, printed, counts)
        graded.append(replace(grade(story, told, rules), published_in=known.published_in, follows=known.follows))
    tx.stories.replace(standing, graded)


def _note(tx: Transaction, fresh: Mapping[int, StoredArticle], rules: GroupRules) -> set[int]:
    """Note what new articles are found by.

    Args:
        fresh: by id.

    Returns:
        Those whose evidence may be another now though they are not new: a title used once more is a column, a
        repository named once more a household name, a band shared once more popular. And the other way round.
    """
    before = _depending(tx, fresh)
    tx.articles.put_bands({one: joining_bands(article, rules.zone) for one, article in fresh.items()})
    named = Counter(key for one in fresh.values() for key in {found.key for found in one.article.references})
    counts = tx.articles.reference_counts(fresh, RARE + len(fresh))
    household = [key for key, number in named.items() if RARE < counts[key] <= RARE + number]
    sharers = {one for holders in tx.articles.sharing(household).values() for one, role in holders if role == "primary"}
    return before | _depending(tx, fresh) | sharers


def _depending(tx: Transaction, ids: Collection[int]) -> set[int]:
    """Articles whose evidence these change by what they are found by: a band is popular, a title a column by them."""
    uses = tx.articles.uses(ids, titles.HORIZON)
    rest = {use for use in uses if use.article not in ids}
    columns = {one for _, one in titles.news_among(uses) ^ titles.news_among(rest)}
    return (tx.articles.tipping(ids) | columns).difference(ids)


def _evidence_of(tx: Transaction, ids: Set[int], near: dict[int, StoredArticle], rules: GroupRules) -> set[Evidence]:
    """What joins these articles to any other.

    Args:
        ids: of articles.
        near: what was loaded so far, by id; what is loaded here is added.
    """
    by_title, by_text = tx.articles.pairs(ids, titles.WINDOW), tx.articles.pairs(ids, texts.REACH)
    uses = tx.articles.uses({one for pair in by_title for one in pair}, titles.HORIZON)
    counts = tx.articles.reference_counts(ids, RARE)
    holders = tx.articles.sharing(key for key, count in counts.items() if count <= RARE).values()
    found = {one for some in holders for one, role in some if role != "mention"}
    found = found.union(ids, *by_title, *by_text)
    near |= tx.articles.get(found - near.keys())
    shared = Shared(by_title, by_text, uses)
    evidence = find_evidence([near[one] for one in found], counts, rules.zone, shared)
    return {edge for edge in evidence if not ids.isdisjoint(edge.articles)}
