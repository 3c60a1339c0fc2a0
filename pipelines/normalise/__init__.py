"""RawItem -> Article: makes of a page's own words an article to store, compare and display."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from crawler.items import RawItem
from crawler.kinds import KINDS, Kind
from pipelines.model import Article, ArticleLink, Instant
from pipelines.normalise.dates import read_date
from pipelines.normalise.html import Content, read_html
from pipelines.normalise.language import read_language, read_script_of_name
from pipelines.normalise.text import MAX_TITLE, clean_line, clean_text, clean_title, read_text, strip_opening
from pipelines.normalise.titles import split_title
from pipelines.normalise.url import Canonical, canonicalise, find_address, is_web_address
from pipelines.rules import Rules

__all__ = ["SourceFacts", "normalise"]

_MAX_NAME: Final = 1_000
"""Characters of an author line, a tag or a fact; a paper with two hundred authors has an author line of this length."""

_MAX_SUMMARY: Final = 10_000
_MAX_TAGS: Final = 50
_LONG_TITLE: Final = 120
"""A longer title, in characters, is a whole text: the title of a WeChat text share is its text."""

# The first sentence of a text: 今天我们发布了新的推理框架。
_SENTENCE: Final = re.compile(r".{10,119}?[。！？!?](?=.)")


class SourceFacts(Protocol):
    """The properties of a source that `normalise` reads; a `crawler.sources.Source` has them."""

    @property
    def id(self) -> str:
        """The id that the article stores."""
        ...

    @property
    def kind(self) -> Kind:
        """The kind; the publisher of a feed's article is the feed."""
        ...

    @property
    def name(self) -> str:
        """The editor's name of the source; it is stripped from the ends of titles."""
        ...


def normalise(raw: RawItem, source: SourceFacts, rules: Rules) -> Article:
    """Make an article of a raw item; `pipelines.normalise.references` finds the article's references afterwards.

    Args:
        raw: the item in the page's own words.
        source: the source of the item.
        rules: the tables of data/rules, and the newsletter's time zone.

    Raises:
        NotAWebAddress: the item's address is no http(s) address.
    """
    canonical = canonicalise(raw.url, rules)
    updated = read_date(raw.updated, raw.fetched_at, rules.zone, source="updated") if raw.updated else None
    url, temporary = _choose_url(raw, canonical, rules)
    content = _read_content(raw, rules)
    full_title = clean_title(raw.title)
    split = split_title(_shorten_title(full_title), (raw.publisher, source.name), rules)
    summary = _read_summary(raw, rules)
    text = content.text or (full_title if len(full_title) > _LONG_TITLE else "")
    title = split.title or _shorten_title(text.partition("\n")[0] or summary) or url
    return Article(
        kind=raw.kind,
        source=source.id,
        url=url,
        seen_url=raw.url,
        keys=tuple(dict.fromkeys((*raw.ids, *canonical.keys, url))),
        temporary=temporary,
        title=title,
        title_lead=split.lead,
        title_tail=split.tail,
        publisher=clean_line(_choose_publisher(raw, source))[:_MAX_NAME] or None,
        author=clean_line(raw.author or "")[:_MAX_NAME] or None,
        published=_read_publication_date(raw, updated, rules),
        updated=updated,
        language=read_language(
            title, text or summary, raw.language or read_script_of_name(raw.publisher or source.name), rules
        ),
        text=text,
        summary=summary,
        image=_read_image(raw.image, rules),
        links=(*_list_separate_links(raw, canonical), *content.links),
        tags=_read_tags(raw.tags),
        metrics=dict(raw.metrics),
        facts={name: clean_text(fact)[:_MAX_NAME] for name, fact in raw.facts.items()},
        fetched_at=raw.fetched_at,
    )


def _choose_publisher(raw: RawItem, source: SourceFacts) -> str:
    """The publisher to print after the title: the row's name where its kind says so, else the publisher on the page."""
    return source.name if KINDS[source.kind].is_named_by_row else raw.publisher or source.name


def _choose_url(raw: RawItem, canonical: Canonical, rules: Rules) -> tuple[str, bool]:
    """The address to print and whether it is temporary; the address of a strong key replaces a temporary one."""
    if not canonical.temporary and raw.facts.get("temporary") != "yes":
        return canonical.url, False
    lasting_url = next((url for url in (find_address(key, rules) for key in raw.ids) if url), None)
    return (lasting_url, False) if lasting_url else (canonical.url, True)


def _list_separate_links(raw: RawItem, canonical: Canonical) -> Iterator[ArticleLink]:
    """Links outside the text: to the repository of a release or a file, then the links that the page sets apart."""
    if canonical.part_of:
        is_release = any("@" in key for key in canonical.keys)
        yield ArticleLink(canonical.part_of, relation="code" if is_release else "related")
    for link in raw.links:
        yield ArticleLink(link.url, clean_line(link.label), relation=link.relation)


def _read_content(raw: RawItem, rules: Rules) -> Content:
    content = read_html(raw.html, raw.url, rules) if raw.html else Content("")
    return content if content.text or not raw.text else Content(read_text(raw.text, rules), content.links)


def _read_summary(raw: RawItem, rules: Rules) -> str:
    return strip_opening(clean_line((raw.summary or "")[: 2 * _MAX_SUMMARY]), rules)[:_MAX_SUMMARY]


def _shorten_title(title: str) -> str:
    """Shorten a title that is a whole text to its first sentence, or else to its beginning."""
    if len(title) <= _LONG_TITLE:
        return title
    sentence = _SENTENCE.match(title)
    if sentence:
        return sentence[0]
    return title if len(title) <= MAX_TITLE and title.isascii() else f"{title[: _LONG_TITLE - 1]}…"


def _read_publication_date(raw: RawItem, updated: Instant | None, rules: Rules) -> Instant:
    """The first publication date that is read wholly, else one that is read in part; without one the date of the last
    change, without either the time of the fetch."""
    raw_dates = [raw_date for raw_date in (raw.published, *raw.further_dates) if raw_date]
    instants = [read_date(raw_date, raw.fetched_at, rules.zone) for raw_date in raw_dates]
    readable = [instant for instant in instants if instant]
    if readable:
        return min(readable, key=lambda instant: bool(instant.unread))
    return updated or Instant(raw.fetched_at, "first-seen", "first-seen", raw.published or raw.updated)


def _read_image(image: str | None, rules: Rules) -> str | None:
    if not image:
        return None
    image = image.strip()
    image = f"https:{image}" if image.startswith("//") else image
    return image if is_web_address(image, rules) else None


def _read_tags(tags: Iterable[str]) -> tuple[str, ...]:
    cleaned = (clean_line(tag)[:_MAX_NAME] for tag in tags)
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))[:_MAX_TAGS]
