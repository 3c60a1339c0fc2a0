"""Reads from the store what past issues printed of articles: under their addresses, of their works, of their events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from pipelines.deduplicate.event_model import EventModel
from pipelines.deduplicate.event_profiles import read_event_profile
from pipelines.deduplicate.events import WINDOW
from pipelines.deduplicate.memory import (
    Printed,
    PrintedEntries,
    Recalled,
    keep_news_apart,
    make_memory_keys,
    recall_story,
)
from pipelines.deduplicate.printed_events import (
    REACH,
    DatedProfile,
    PrintedEvent,
    find_printed_event,
    follow_newsletter,
)
from pipelines.deduplicate.stories import RARE
from pipelines.group.candidates import GroupRules
from pipelines.issue.entry import read_entry
from pipelines.model import Article, Candidate, Evidence, Instant, RecalledEntry, StoredArticle
from pipelines.newsletter import Newsletter
from pipelines.newsroom.stages.event_tuning import read_event_model
from pipelines.rules.events import EventRules
from pipelines.store import Transaction


@dataclass(frozen=True, slots=True)
class Memory:
    """What past issues printed of some articles.

    Args:
        printed: entries by key, and by the article whose story they were proposed for.
        reference_counts: how many articles of the store refer to each work of the articles.
        events: entries that share an event key with one of the articles.
        profiles: of the articles that share one.
        reporting: ids of the articles that report an event.
        model: judges whether an entry reports the event of an article.
    """

    printed: PrintedEntries
    reference_counts: Mapping[str, int]
    events: Sequence[PrintedEvent]
    profiles: Mapping[int, DatedProfile]
    reporting: Collection[int]
    model: EventModel

    def recall(self, articles: Sequence[StoredArticle]) -> Recalled:
        """Find what the issues printed of a story, by its articles."""
        profiles = [self.profiles[article.id] for article in articles if article.id in self.profiles]
        reporting = sum(article.id in self.reporting for article in articles)
        event = find_printed_event(profiles, reporting, self.events, self.model)
        return recall_story(articles, self.printed, self.reference_counts, event)

    def keep_news_apart(
        self, evidence: Iterable[Evidence], articles: Sequence[StoredArticle], rules: GroupRules
    ) -> list[Evidence]:
        """Leave out the evidence by which news about a printed work would join the story that was printed."""
        return keep_news_apart(evidence, articles, self.printed, rules.zone)


def read_memory(tx: Transaction, articles: Collection[StoredArticle], rules: GroupRules) -> Memory:
    """Read what past issues printed of articles.

    Args:
        tx: open for reading.
        articles: in any order.
        rules: how titles and digests are read for their events.
    """
    article_ids = [article.id for article in articles]
    printed = PrintedEntries(
        tx.issues.find_printed(key for article in articles for key in make_memory_keys(article)),
        tx.issues.find_printed_stories(article_ids),
    )
    days = tx.events.find_days(article_ids)
    events: Sequence[PrintedEvent] = ()
    profiles: dict[int, DatedProfile] = {}
    model = rules.event_model
    listed = _list_events(tx, min(days.values()) - WINDOW, max(days.values()) + REACH, rules) if days else ()
    if listed:
        keys = tx.events.get_keys(days)
        keys_of_articles = frozenset[int]().union(*keys.values())
        events = [event for event in listed if not event.keys.isdisjoint(keys_of_articles)]
        keys_of_entries = frozenset[int]().union(*(event.keys for event in events))
        sharing = [article_id for article_id in keys if not keys_of_entries.isdisjoint(keys[article_id])]
        profiles = {
            article_id: DatedProfile(days[article_id], profile, keys[article_id])
            for article_id, profile in tx.events.get_profiles(sharing).items()
        }
    if profiles:
        all_events = _list_events(tx, date.min.toordinal(), date.max.toordinal(), rules)
        model = follow_newsletter(model, [event.profile for event in all_events])
    counts = tx.articles.count_references(article_ids, RARE)
    return Memory(printed, counts, events, profiles, days, model)


def add_recalled_entries(tx: Transaction, candidates: Sequence[Candidate], rules: GroupRules) -> list[Candidate]:
    """Add to each candidate the entry that printed it, or that it follows up.

    Args:
        tx: open for reading.
        candidates: in any order; the order is kept.
        rules: of the newsletter.
    """
    concerned = [candidate for candidate in candidates if candidate.published_in or candidate.follows]
    if not concerned:
        return list(candidates)
    memory = read_memory(tx, [article for candidate in concerned for article in candidate.articles], rules)
    entries = {
        candidate.story.id: _read_recalled(entry, rules.newsletter)
        for candidate in concerned
        if (entry := memory.recall(candidate.articles).entry)
    }
    return [replace(candidate, recalled=entries.get(candidate.story.id)) for candidate in candidates]


def find_articles_on_news(tx: Transaction, day: date, newsletter: Newsletter, rules: EventRules) -> set[int]:
    """Find the articles that may report the events that a published issue printed: their memory depends on the issue.

    Args:
        tx: open for reading.
        day: of the issue; a draft prints nothing.
        newsletter: its labels.
        rules: how titles and digests are read for their events.

    Returns:
        Their ids.
    """
    entries = tx.issues.list_printed_news(day, day)
    if not entries:
        return set()
    model, ordinal = read_event_model(tx), day.toordinal()
    events = (_read_event(printed, newsletter, rules, model) for printed in entries)
    keys = {key for event in events if event for key in event.keys}
    return tx.events.find_holders(keys, ordinal - REACH, ordinal + WINDOW)


def _list_events(tx: Transaction, first_day: int, last_day: int, rules: GroupRules) -> list[PrintedEvent]:
    """List the events of the entries of the issues from day to day, ordinals; each entry is read once."""
    memo = rules.printed_events
    listed = tx.issues.list_printed_news(date.fromordinal(first_day), date.fromordinal(last_day))
    for printed in listed:
        if printed not in memo:
            memo[printed] = _read_event(printed, rules.newsletter, rules.events, rules.event_model)
    return [event for event in map(memo.__getitem__, listed) if event is not None]


def _read_event(printed: Printed, newsletter: Newsletter, rules: EventRules, model: EventModel) -> PrintedEvent | None:
    """Read the event of an entry; None where it reports none."""
    profile = read_event_profile(_make_article(printed, newsletter), rules)
    return PrintedEvent.of(printed, profile, model) if profile else None


def _make_article(printed: Printed, newsletter: Newsletter) -> Article:
    """Make the article that an entry tells of: its title and its digest."""
    view = read_entry(printed.text, newsletter)
    noon = datetime.combine(printed.day, time(12), UTC)
    url = view.url or ""
    return Article(
        kind="web",
        source="",
        url=url,
        seen_url=url,
        keys=(),
        title=view.title,
        published=Instant(noon, "day", "published"),
        fetched_at=noon + timedelta(days=1),
        publisher=view.source,
        summary="\n".join(view.summary),
    )


def _read_recalled(printed: Printed, newsletter: Newsletter) -> RecalledEntry:
    view = read_entry(printed.text, newsletter)
    return RecalledEntry(printed.day, view.full_title, view.url or "")
