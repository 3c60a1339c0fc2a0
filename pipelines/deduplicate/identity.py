"""Finds items that are one article, and composes the article when its sources disagree. Pure.

Two items that share a strong key are one article, unless their source's feed has them as two entries of one page. The
store holds an article as its *voices*: a voice is the newest and the longest item of one source under one URL. The
article is composed of its voices. Both steps choose by a total order, so neither the order of the items nor their
division into batches makes a difference; only of several entries of one page, the first has the page's address for key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, Self

from crawler.kinds import GENERIC
from pipelines.deduplicate.entries import ENTRY
from pipelines.model import Article, Instant, Reference
from pipelines.text import fold

Outcome = Literal["new", "updated", "seen"]
"""`updated`: the title or the text changed, or the item joined two stored articles."""

DatedMetrics = Mapping[str, tuple[int, float]]
"""By metric, the newest number and the time when it was read, in seconds since 1970."""

_COARSENESS: Final = {"second": 0, "minute": 0, "hour": 0, "day": 1, "month": 2, "year": 3, "first-seen": 4}
"""Rank of each precision; a finer one is smaller."""


@dataclass(frozen=True, slots=True)
class Voice:
    """The items of one source under one URL.

    Args:
        newest: the item fetched last.
        longest: the item with the longest text, nearly always the newest. Both have the best publication date of all
            items of the voice.
        first_seen: time of the first fetch, aware.
    """

    newest: Article
    longest: Article
    first_seen: datetime

    @classmethod
    def of(cls, article: Article) -> Self:
        """The voice of a single item."""
        return cls(article, article, article.fetched_at)

    def with_voice(self, further: Voice) -> Voice:
        """Both voices merged into one."""
        published = choose_instant((self.newest.published, further.newest.published))
        newest = max(self.newest, further.newest, key=_rank_recency)
        longest = max(self.longest, further.longest, key=_rank_length)
        return Voice(
            newest=newest if newest.published == published else replace(newest, published=published),
            longest=longest if longest.published == published else replace(longest, published=published),
            first_seen=min(self.first_seen, further.first_seen),
        )


Voices = Mapping[tuple[str, str], Voice]
"""By source and canonical URL."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """A revision that an edit replaced.

    Args:
        number: 1 for the first revision.
        at: time when the edit was fetched.
    """

    number: int
    at: datetime
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """An article and everything that the store holds of it.

    Args:
        voices: by source and canonical URL.
        article: composed of the voices.
        metrics: of all items.
        entry_keys: of its entries, which hold within their source.
        revision: the number of the current revision.
        replaced: revisions replaced since the record was read from the store.
    """

    id: int
    voices: Voices
    article: Article
    metrics: DatedMetrics
    revision: int = 1
    replaced: tuple[Replaced, ...] = ()
    entry_keys: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        number: int,
        voices: Voices,
        metrics: DatedMetrics,
        revision: int = 1,
        entry_keys: Iterable[str] = (),
    ) -> Self:
        """The record of these voices."""
        return cls(number, voices, compose_article(voices), metrics, revision, entry_keys=frozenset(entry_keys))

    @property
    def first_seen(self) -> datetime:
        """The time of the first fetch of any voice, aware."""
        return min(voice.first_seen for voice in self.voices.values())

    def with_article(self, article: Article) -> Record:
        """The record with one more item. A change is a new revision if the item's voice exists already."""
        address = (article.source, article.url)
        voices = merge_voices(self.voices, {address: Voice.of(article)})
        composed = compose_article(voices)
        edited = (address in self.voices or not self.entry_keys.isdisjoint(article.entry_keys)) and (
            composed.title != self.article.title or self.article.text not in ("", composed.text)
        )
        version = Replaced(self.revision, article.fetched_at, self.article.title, self.article.text)
        return replace(
            self,
            voices=voices,
            article=composed,
            metrics=merge_metrics(self.metrics, date_metrics(article.metrics, article.fetched_at)),
            entry_keys=self.entry_keys | set(article.entry_keys),
            revision=self.revision + edited,
            replaced=(*self.replaced, version) if edited else self.replaced,
        )

    def with_record(self, further: Record) -> Record:
        """Both records merged into one article; the numbers of the further record's revisions follow on this one's."""
        shift = self.revision - 1
        voices = merge_voices(self.voices, further.voices)
        return replace(
            self,
            voices=voices,
            article=compose_article(voices),
            metrics=merge_metrics(self.metrics, further.metrics),
            entry_keys=self.entry_keys | further.entry_keys,
            revision=self.revision + further.revision - 1,
            replaced=(
                *self.replaced,
                *(replace(version, number=version.number + shift) for version in further.replaced),
            ),
        )


@dataclass(frozen=True, slots=True)
class Join:
    """Two stored articles that are one article.

    Args:
        gone: id of the article that is removed.
        kept: id of the article that stays, the lower one.
        shift: added to the numbers of the removed article's replaced revisions.
    """

    gone: int
    kept: int
    shift: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes that a batch makes in the store.

    Args:
        ids: id of the article of each item, in the order of the batch.
        outcomes: outcome of each item, in the same order.
        records: the new state of every article that the batch changes.
        joins: of stored articles; the article that a join keeps is never removed by another join.
        owners: id of the article by key, for keys that the store does not have.
        recognised: indices of the items that are entries known by a key of their source.
        renamed: indices of those that are known, but by another key of their source, which no item of the batch has.
    """

    ids: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    records: tuple[Record, ...]
    joins: tuple[Join, ...]
    owners: Mapping[str, int]
    recognised: frozenset[int]
    renamed: frozenset[int]


def resolve_batch(
    articles: Sequence[Article],
    stored_ids: Mapping[str, int],
    records: Mapping[int, Record],
    new_id: Callable[[int], int],
) -> Plan:
    """Find the article of each item of a batch, and update the articles' records.

    An item belongs to the article that has its entry key. Where no article has it, and another entry of its source has
    its address, it is this entry once more if title and date are the same, else an article of its own.

    Args:
        articles: the items in order.
        stored_ids: id of the stored article by strong key, for at least those keys of the items that the store has.
        records: the stored records, by id, of these articles.
        new_id: makes an unused id for the item at an index: higher than all stored ids, or the item's former id.
    """
    owners = dict(stored_ids)
    living = dict(records)
    successors: dict[int, int] = {}
    ids: list[int] = []
    outcomes: list[Outcome] = []
    joins: dict[int, Join] = {}
    new_owners: dict[str, int] = {}
    recognised: set[int] = set()
    renamed: set[int] = set()
    batch_keys = {key for article in articles for key in article.entry_keys}
    for index, article in enumerate(articles):
        by_entry = {_find_successor(owners[key], successors) for key in article.entry_keys if key in owners}
        by_address = {_find_successor(owners[key], successors) for key in article.keys if key in owners} - by_entry
        if article.entry_keys:
            by_address = {
                number
                for number in by_address
                if _may_be_entry(living[number], article, batch_keys, is_known=bool(by_entry))
            }
            former_keys = {key for number in by_address for key in _list_entry_keys(living[number], article.source)}
            if by_entry:
                recognised.add(index)
            elif former_keys and not former_keys & batch_keys:
                renamed.add(index)
        owner_ids = sorted(by_entry | by_address)
        if not owner_ids:
            voices = {(article.source, article.url): Voice.of(article)}
            metrics = date_metrics(article.metrics, article.fetched_at)
            record = Record.of(new_id(index), voices, metrics, entry_keys=article.entry_keys)
            outcome: Outcome = "new"
        else:
            former = living[owner_ids[0]]
            record = former
            for absorbed_id in owner_ids[1:]:
                joins[absorbed_id] = Join(absorbed_id, record.id, record.revision - 1)
                record = record.with_record(living.pop(absorbed_id))
                successors[absorbed_id] = record.id
            record = record.with_article(article)
            changed = (former.article.title, former.article.text) != (record.article.title, record.article.text)
            outcome = "updated" if changed or len(owner_ids) > 1 else "seen"
        living[record.id] = record
        claims = {key: record.id for key in (*article.entry_keys, *article.keys) if key not in owners}
        owners |= claims
        new_owners |= claims
        ids.append(record.id)
        outcomes.append(outcome)
    ids = [_find_successor(article_id, successors) for article_id in ids]
    return Plan(
        ids=tuple(ids),
        outcomes=tuple(outcomes),
        records=tuple(living[article_id] for article_id in dict.fromkeys(ids)),
        joins=tuple(_follow_joins(join, joins) for join in joins.values() if join.gone in records),
        owners={key: _find_successor(number, successors) for key, number in new_owners.items()},
        recognised=frozenset(recognised),
        renamed=frozenset(renamed),
    )


def compose_article(voices: Voices) -> Article:
    """Compose the article of its voices.

    - One voice leads: a lasting URL before a temporary one, the article's own site before a generic feed or page, a
      voice with text before one without, then the source seen first, with the URL that it had last. It gives URL, title
      and publisher; the next voice fills the fields that it leaves empty.
    - The text is the leading voice's, unless another text is more than twice as long: then the leading voice has only a
      teaser. So an item without text and a teaser never remove a text, while an edit that shortens a text counts.
    - The publication date is the earliest of the finest precision.
    - Tags, facts and references are the union over all voices.

    Returns:
        The article. Callers ignore its keys and metrics: the store holds the keys and metrics of all items ever seen.
    """
    if len(voices) == 1:
        (voice,) = voices.values()
        if voice.longest.text == voice.newest.text:
            return voice.newest
    first_seen: dict[str, datetime] = {}
    for voice in voices.values():
        source = voice.newest.source
        first_seen[source] = min(voice.first_seen, first_seen.get(source, voice.first_seen))
    ranked = sorted(voices.values(), key=lambda voice: _rank_voice(voice, first_seen[voice.newest.source]))
    heads = [voice.newest for voice in ranked]
    leader = heads[0]
    texts = [article for voice in ranked for article in (voice.newest, voice.longest)]
    longest = max(len(article.text) for article in texts)
    text_article = next(article for article in texts if 2 * len(article.text) >= longest)
    titled = next((article for article in heads if article.title), leader)
    updates = [article.updated for article in heads if article.updated]
    return replace(
        leader,
        title=titled.title,
        title_lead=titled.title_lead,
        title_tail=titled.title_tail,
        publisher=_find_first(article.publisher for article in heads),
        author=_find_first(article.author for article in heads),
        published=choose_instant(article.published for article in heads),
        updated=max(updates, key=lambda article: (article.at, article.raw or "")) if updates else None,
        language=text_article.language,
        text=text_article.text,
        summary=_find_first(article.summary for article in heads) or "",
        image=_find_first(article.image for article in heads),
        references=_merge_references((text_article, *heads)),
        tags=tuple(dict.fromkeys(tag for article in heads for tag in article.tags)),
        facts={name: value for article in reversed(heads) for name, value in article.facts.items()},
    )


def merge_voices(voices: Voices, more_voices: Voices) -> Voices:
    """The union of two sets of voices; voices with one address are merged."""
    both = dict(voices)
    for address, voice in more_voices.items():
        both[address] = both[address].with_voice(voice) if address in both else voice
    return both


def choose_instant(instants: Iterable[Instant]) -> Instant:
    """Choose the best instant: a written date before a time of first sight, publication before update, the finest
    precision (hour, minute and second are equal), then the earliest."""
    return min(
        instants,
        key=lambda instant: (
            "first-seen" in (instant.source, instant.precision),
            instant.source != "published",
            _COARSENESS[instant.precision],
            instant.at,
            instant.precision,
            instant.raw or "",
        ),
    )


def date_metrics(metrics: Mapping[str, int], read_at: datetime) -> DatedMetrics:
    """Add the time of reading to each metric."""
    return {name: (number, read_at.timestamp()) for name, number in metrics.items()}


def merge_metrics(metrics: DatedMetrics, more_metrics: DatedMetrics) -> DatedMetrics:
    """The union of two sets of metrics; of two numbers for one metric, the number read last.

    >>> merge_metrics({"stars": (5, 1.0), "votes": (2, 1.0)}, {"stars": (4, 2.0)})
    {'stars': (4, 2.0), 'votes': (2, 1.0)}
    """
    newest = dict(metrics)
    for name, (number, read_at) in more_metrics.items():
        if name not in newest or (read_at, number) > newest[name][::-1]:
            newest[name] = (number, read_at)
    return newest


def _follow_joins(join: Join, joins: Mapping[int, Join]) -> Join:
    """A join to the article that finally stays, where the kept article is itself removed by a further join."""
    while further := joins.get(join.kept):
        join = Join(join.gone, further.kept, join.shift + further.shift)
    return join


def _list_entry_keys(record: Record, source: str) -> list[str]:
    return [key for key in record.entry_keys if key.startswith(f"{ENTRY}{source}/")]


def _may_be_entry(record: Record, article: Article, batch_keys: Set[str], *, is_known: bool) -> bool:
    """Whether an entry may be the article that has its address.

    Args:
        record: of the article that has the address.
        article: the entry's.
        batch_keys: the entry keys of all items of the batch.
        is_known: whether an article has a key of the entry.
    """
    former_keys = _list_entry_keys(record, article.source)
    if former_keys and is_known:
        return False
    voice = record.voices.get((article.source, article.url))
    if voice is None:
        return not former_keys
    same_title = fold(voice.newest.title) == fold(article.title)
    same_date = voice.newest.published.raw == article.published.raw
    if not former_keys:  # read before entries had keys
        return same_title or same_date
    is_replaced = len(article.entry_keys) == 1 and batch_keys.isdisjoint(former_keys)
    return same_title and (same_date or is_replaced)


def _find_successor(article_id: int, successors: Mapping[int, int]) -> int:
    while article_id in successors:
        article_id = successors[article_id]
    return article_id


def _rank_recency(article: Article) -> tuple[object, ...]:
    return article.fetched_at, len(article.text), *_break_tie(article)


def _rank_length(article: Article) -> tuple[object, ...]:
    return len(article.text), article.fetched_at, *_break_tie(article)


def _break_tie(article: Article) -> tuple[object, ...]:
    """Fields that order items of one moment, so that the order of the batch makes no difference."""
    return article.title, article.text, article.summary, article.seen_url, article.kind


def _rank_voice(voice: Voice, source_seen: datetime) -> tuple[object, ...]:
    """Args: the voice, and when the first voice of its source was seen."""
    newest = voice.newest
    generic = newest.kind in GENERIC
    recency = -newest.fetched_at.timestamp()
    return newest.temporary, generic, not voice.longest.text, source_seen, newest.source, recency, newest.url


def _find_first(texts: Iterable[str | None]) -> str | None:
    return next((text for text in texts if text), None)


def _merge_references(articles: Iterable[Article]) -> tuple[Reference, ...]:
    merged: dict[str, Reference] = {}
    for reference in (reference for article in articles for reference in article.references):
        first = merged.setdefault(reference.key, reference)
        if (reference.primary and not first.primary) or (reference.label and not first.label):
            merged[reference.key] = replace(
                first, primary=first.primary or reference.primary, label=first.label or reference.label
            )
    return tuple(replace(reference, position=position) for position, reference in enumerate(merged.values()))
