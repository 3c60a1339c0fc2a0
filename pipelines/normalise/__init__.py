"""RawItem -> Article: what a page said, in the form in which it is stored, compared and shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from crawler.items import Kind, RawItem
from pipelines.model import Article, ArticleLink, Instant
from pipelines.normalise.dates import read_date
from pipelines.normalise.html import Content, read_html
from pipelines.normalise.language import read_language
from pipelines.normalise.text import MAX_TITLE, clean, one_line, read_text, title_line, without_opening
from pipelines.normalise.titles import split_title
from pipelines.normalise.url import Canonical, address_of, canonical, is_web_address
from pipelines.rules import Rules

__all__ = ["SourceFacts", "normalise"]

_MAX_NAME: Final = 1_000
"""Characters of an author line, a tag, a fact: a paper may have two hundred authors, a name has no more."""

_MAX_SUMMARY: Final = 10_000
_MAX_TAGS: Final = 50
_LONG_TITLE: Final = 120
"""Characters from which a title is a text: WeChat's text shares have no other."""

_SENTENCE: Final = re.compile(r".{10,119}?[。！？!?](?=.)")


class SourceFacts(Protocol):
    """What normalise needs to know of a source; a `crawler.sources.Source` has it."""

    @property
    def id(self) -> str:
        """Goes into the article."""
        ...

    @property
    def kind(self) -> Kind:
        """Tells whether its items know better who published them."""
        ...

    @property
    def name(self) -> str:
        """What the editor calls it; comes off its titles."""
        ...


def normalise(raw: RawItem, source: SourceFacts, rules: Rules) -> Article:
    """Make an article of an item; its references are left to `pipelines.normalise.references`, which reads its links.

    Args:
        raw: in the page's own words.
        source: that gave it.
        rules: the tables of data/rules, and the newsletter's time zone.

    Raises:
        NotAWebAddress: the item has no address that could be printed.
    """
    found = canonical(raw.url, rules)
    url, temporary = _lasting(raw, found, rules)
    content = _content(raw, rules)
    whole_title = title_line(raw.title)
    split = split_title(_short(whole_title), (raw.publisher, source.name), rules)
    summary = _summary(raw, rules)
    text = content.text or (whole_title if len(whole_title) > _LONG_TITLE else "")
    title = split.title or _short(text.partition("\n")[0] or summary) or url
    return Article(
        kind=raw.kind,
        source=source.id,
        url=url,
        seen_url=raw.url,
        keys=tuple(dict.fromkeys((*raw.ids, *found.keys, url))),
        temporary=temporary,
        title=title,
        title_lead=split.lead,
        title_tail=split.tail,
        publisher=one_line(_publisher(raw, source))[:_MAX_NAME] or None,
        author=one_line(raw.author or "")[:_MAX_NAME] or None,
        published=_published(raw, rules),
        updated=read_date(raw.updated, raw.fetched_at, rules.zone, source="updated") if raw.updated else None,
        language=read_language(title, text or summary, raw.language, rules),
        text=text,
        summary=summary,
        image=_image(raw.image, rules),
        links=(*_set_apart(raw, found), *content.links),
        tags=_tags(raw.tags),
        metrics=dict(raw.metrics),
        facts={name: clean(value)[:_MAX_NAME] for name, value in raw.facts.items()},
        fetched_at=raw.fetched_at,
    )


def _publisher(raw: RawItem, source: SourceFacts) -> str:
    """Who is printed after the title: for a feed what the editor calls it, else who the page says published it."""
    return source.name if source.kind == "feed" else raw.publisher or source.name


def _lasting(raw: RawItem, found: Canonical, rules: Rules) -> tuple[str, bool]:
    """The address to print, and whether it dies; where the page knows a key that leads somewhere, that lasts."""
    if not found.temporary and raw.facts.get("temporary") != "yes":
        return found.url, False
    lasting = next((url for url in (address_of(key, rules) for key in raw.ids) if url), None)
    return (lasting, False) if lasting else (found.url, True)


def _set_apart(raw: RawItem, found: Canonical) -> Iterator[ArticleLink]:
    """What the page sets apart, and what its own address is a part of: a release's repository."""
    if found.part_of:
        yield ArticleLink(found.part_of, relation="code")
    for link in raw.links:
        yield ArticleLink(link.url, one_line(link.label), relation=link.relation)


def _content(raw: RawItem, rules: Rules) -> Content:
    content = read_html(raw.html, raw.url, rules) if raw.html else Content("")
    return content if content.text or not raw.text else Content(read_text(raw.text, rules), content.links)


def _summary(raw: RawItem, rules: Rules) -> str:
    return without_opening(one_line((raw.summary or "")[: 2 * _MAX_SUMMARY]), rules)[:_MAX_SUMMARY]


def _short(title: str) -> str:
    """A title that is a whole text gives its first sentence, or its beginning."""
    if len(title) <= _LONG_TITLE:
        return title
    sentence = _SENTENCE.match(title)
    if sentence:
        return sentence[0]
    return title if len(title) <= MAX_TITLE and title.isascii() else f"{title[: _LONG_TITLE - 1]}…"


def _published(raw: RawItem, rules: Rules) -> Instant:
    """When it was published, as far as the page tells; else when it was last changed, else when we first saw it."""
    for written, source in ((raw.published, "published"), (raw.updated, "updated")):
        instant = read_date(written, raw.fetched_at, rules.zone, source=source) if written else None
        if instant:
            return instant
    return Instant(raw.fetched_at, "first-seen", "first-seen", raw.published or raw.updated)


def _image(image: str | None, rules: Rules) -> str | None:
    if not image:
        return None
    image = image.strip()
    image = f"https:{image}" if image.startswith("//") else image
    return image if is_web_address(image, rules) else None


def _tags(tags: Iterable[str]) -> tuple[str, ...]:
    cleaned = (one_line(tag)[:_MAX_NAME] for tag in tags)
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))[:_MAX_TAGS]
