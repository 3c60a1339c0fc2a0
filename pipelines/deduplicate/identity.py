"""Which things are one article, and what that article says when its sources disagree. Pure.

Two things that share a strong key are one article. What is known of an article is kept by *voice*: what one source
says of it under one URL. A voice knows its newest words and its longest; the article is composed of its voices. Both
steps take the best by a total order, so neither the order of the items nor their batches make a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, Self

from crawler.kinds import GENERIC
from pipelines.model import Article, Instant, Reference

Outcome = Literal["new", "updated", "seen"]
"""`updated`: the title or the text changed, or two articles turned out to be one."""

Measured = Mapping[str, tuple[int, float]]
"""A metric's latest number, and when it was read, in seconds since 1970."""

_COARSENESS: Final = {"second": 0, "minute": 0, "hour": 0, "day": 1, "month": 2, "year": 3, "first-seen": 4}


@dataclass(frozen=True, slots=True)
class Voice:
    """What one source says of an article under one URL.

    Args:
        newest: the item fetched last.
        longest: the item with the longest text, nearly always the newest. Both bear the best date ever given.
        first_seen: aware.
    """

    newest: Article
    longest: Article
    first_seen: datetime

    @classmethod
    def of(cls, article: Article) -> Self:
        """A voice that spoke once."""
        return cls(article, article, article.fetched_at)

    def with_voice(self, other: Voice) -> Voice:
        """Both as one."""
        published = best_instant((self.newest.published, other.newest.published))
        return Voice(
            newest=replace(max(self.newest, other.newest, key=_recency), published=published),
            longest=replace(max(self.longest, other.longest, key=_length), published=published),
            first_seen=min(self.first_seen, other.first_seen),
        )


Voices = Mapping[tuple[str, str], Voice]
"""By source and canonical URL."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """A version that an edit replaced.

    Args:
        number: 1 for the first version.
        at: when the edit was fetched.
    """

    number: int
    at: datetime
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """An article and all that is known of it.

    Args:
        article: composed of the voices.
        revision: the number of the version that stands.
        replaced: versions replaced since the record was read from the store.
    """

    id: int
    voices: Voices
    article: Article
    metrics: Measured
    revision: int = 1
    replaced: tuple[Replaced, ...] = ()

    @classmethod
    def of(cls, number: int, voices: Voices, metrics: Measured, revision: int = 1) -> Self:
        """The record that the voices make."""
        return cls(number, voices, compose(voices), metrics, revision)

    @property
    def first_seen(self) -> datetime:
        """When any source first gave it."""
        return min(voice.first_seen for voice in self.voices.values())

    def with_article(self, article: Article) -> Record:
        """The record after an item. It is a revision when the item's own voice had spoken before."""
        place = (article.source, article.url)
        voices = merged(self.voices, {place: Voice.of(article)})
        composed = compose(voices)
        edited = place in self.voices and (
            composed.title != self.article.title or self.article.text not in ("", composed.text)
        )
        version = Replaced(self.revision, article.fetched_at, self.article.title, self.article.text)
        return replace(
            self,
            voices=voices,
            article=composed,
            metrics=latest(self.metrics, measured(article.metrics, article.fetched_at)),
            revision=self.revision + edited,
            replaced=(*self.replaced, version) if edited else self.replaced,
        )

    def with_record(self, other: Record) -> Record:
        """Both as one article; the other's replaced versions are numbered on from these."""
        shift = self.revision - 1
        voices = merged(self.voices, other.voices)
        return replace(
            self,
            voices=voices,
            article=compose(voices),
            metrics=latest(self.metrics, other.metrics),
            revision=self.revision + other.revision - 1,
            replaced=(*self.replaced, *(replace(one, number=one.number + shift) for one in other.replaced)),
        )


@dataclass(frozen=True, slots=True)
class Join:
    """Two stored articles that turned out to be one.

    Args:
        gone, kept: ids; the lower one stays.
        shift: what to add to the numbers of the gone article's replaced versions.
    """

    gone: int
    kept: int
    shift: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch changes.

    Args:
        ids: of the article that each item belongs to, in the batch's order.
        outcomes: likewise.
        records: every article that the batch touched, as it is now.
        joins: of stored articles only; none is kept that goes itself.
    """

    ids: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    records: tuple[Record, ...]
    joins: tuple[Join, ...]


def resolve(
    articles: Sequence[Article],
    known: Mapping[str, int],
    records: Mapping[int, Record],
    new_id: Callable[[int], int],
) -> Plan:
    """Find out which articles a batch's items are.

    Args:
        articles: the items in order.
        known: stored article by strong key, for at least all keys of the items that are stored.
        records: what is stored of these articles.
        new_id: gives an unused id for the item at an index, above all stored ones or its own former one.
    """
    owners = dict(known)
    living = dict(records)
    successors: dict[int, int] = {}
    ids: list[int] = []
    outcomes: list[Outcome] = []
    joins: dict[int, Join] = {}
    for index, article in enumerate(articles):
        mine = sorted({_last(owners[key], successors) for key in article.keys if key in owners})
        if not mine:
            voices = {(article.source, article.url): Voice.of(article)}
            record = Record.of(new_id(index), voices, measured(article.metrics, article.fetched_at))
            outcome: Outcome = "new"
        else:
            before = living[mine[0]]
            record = before
            for gone in mine[1:]:
                joins[gone] = Join(gone, record.id, record.revision - 1)
                record = record.with_record(living.pop(gone))
                successors[gone] = record.id
            record = record.with_article(article)
            changed = (before.article.title, before.article.text) != (record.article.title, record.article.text)
            outcome = "updated" if changed or len(mine) > 1 else "seen"
        living[record.id] = record
        owners.update(dict.fromkeys(article.keys, record.id))
        ids.append(record.id)
        outcomes.append(outcome)
    ids = [_last(one, successors) for one in ids]
    return Plan(
        ids=tuple(ids),
        outcomes=tuple(outcomes),
        records=tuple(living[one] for one in dict.fromkeys(ids)),
        joins=tuple(_whole(join, joins) for join in joins.values() if join.gone in records),
    )


def compose(voices: Voices) -> Article:
    """The article that its voices make.

    - One voice leads: a lasting URL before a temporary one, the article's own site before a generic feed or page, one
      with text before one without, then the one heard first. It gives URL, title and who published; what it leaves
      empty comes from the next.
    - The text is that of the best voice, unless another's is more than twice as long: then it was a teaser. So no item
      without text, and no teaser, ever takes a text away, while an edit that shortens it counts.
    - The publication date is the earliest of the finest precision.
    - Tags, facts and references are those of all.

    Returns:
        The article; its keys and metrics are of no account, since nobody can take one back: the store has them all.
    """
    if len(voices) == 1:
        (voice,) = voices.values()
        if voice.longest.text == voice.newest.text:
            return voice.newest
    ranked = sorted(voices.values(), key=_rank)
    heads = [voice.newest for voice in ranked]
    leader = heads[0]
    texts = [one for voice in ranked for one in (voice.newest, voice.longest)]
    longest = max(len(one.text) for one in texts)
    teller = next(one for one in texts if 2 * len(one.text) >= longest)
    titled = next((one for one in heads if one.title), leader)
    updates = [one.updated for one in heads if one.updated]
    return replace(
        leader,
        title=titled.title,
        title_lead=titled.title_lead,
        title_tail=titled.title_tail,
        publisher=_first(one.publisher for one in heads),
        author=_first(one.author for one in heads),
        published=best_instant(one.published for one in heads),
        updated=max(updates, key=lambda one: (one.at, one.raw or "")) if updates else None,
        language=teller.language,
        text=teller.text,
        summary=_first(one.summary for one in heads) or "",
        image=_first(one.image for one in heads),
        references=_references((teller, *heads)),
        tags=tuple(dict.fromkeys(tag for one in heads for tag in one.tags)),
        facts={name: value for one in reversed(heads) for name, value in one.facts.items()},
    )


def merged(some: Voices, others: Voices) -> Voices:
    """The voices of both."""
    both = dict(some)
    for place, voice in others.items():
        both[place] = both[place].with_voice(voice) if place in both else voice
    return both


def best_instant(instants: Iterable[Instant]) -> Instant:
    """The instant to believe: one that was written before one that was not, publication before update, the finest
    precision (a clock time is a clock time, be it to the hour), then the earliest."""
    return min(
        instants,
        key=lambda one: (
            "first-seen" in (one.source, one.precision),
            one.source != "published",
            _COARSENESS[one.precision],
            one.at,
            one.precision,
            one.raw or "",
        ),
    )


def measured(metrics: Mapping[str, int], at: datetime) -> Measured:
    """Numbers with the time when they were read."""
    return {name: (value, at.timestamp()) for name, value in metrics.items()}


def latest(some: Measured, others: Measured) -> Measured:
    """Of each metric the number read last.

    >>> latest({"stars": (5, 1.0), "votes": (2, 1.0)}, {"stars": (4, 2.0)})
    {'stars': (4, 2.0), 'votes': (2, 1.0)}
    """
    both = dict(some)
    for name, (value, at) in others.items():
        if name not in both or (at, value) > both[name][::-1]:
            both[name] = (value, at)
    return both


def _whole(join: Join, joins: Mapping[int, Join]) -> Join:
    """A join to where the article is in the end."""
    while further := joins.get(join.kept):
        join = Join(join.gone, further.kept, join.shift + further.shift)
    return join


def _last(one: int, successors: Mapping[int, int]) -> int:
    while one in successors:
        one = successors[one]
    return one


def _recency(article: Article) -> tuple[object, ...]:
    return article.fetched_at, len(article.text), *_words(article)


def _length(article: Article) -> tuple[object, ...]:
    return len(article.text), article.fetched_at, *_words(article)


def _words(article: Article) -> tuple[object, ...]:
    """What decides between items of one moment, so that never the order does."""
    return article.title, article.text, article.summary, article.seen_url, article.kind


def _rank(voice: Voice) -> tuple[object, ...]:
    newest = voice.newest
    generic = newest.kind in GENERIC
    return newest.temporary, generic, not voice.longest.text, voice.first_seen, newest.source, newest.url


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)


def _references(articles: Iterable[Article]) -> tuple[Reference, ...]:
    found: dict[str, Reference] = {}
    for reference in (reference for article in articles for reference in article.references):
        known = found.setdefault(reference.key, reference)
        if (reference.primary and not known.primary) or (reference.label and not known.label):
            found[reference.key] = replace(
                known, primary=known.primary or reference.primary, label=known.label or reference.label
            )
    return tuple(replace(one, position=place) for place, one in enumerate(found.values()))
