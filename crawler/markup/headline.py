"""The title of an article's page, by agreement of the signs that a page has for it.

No sign can be trusted alone: an `<h1>` may be the site's logo or the name of a section, `<title>` ends in the site's
name, og:title may be cut or written for search engines, and the headline of JSON-LD may be a tagline. A heading that
the page's other signs repeat is the title. The words of the page's address are a sign, too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from typing import Final
from urllib.parse import unquote, urlsplit

from lxml.html import HtmlElement

from crawler.characters import keep_letters
from crawler.markup.html import collapse, plain_text, text_of
from crawler.markup.metadata import PageMetadata

# Seen 2026-11: 两比特量化 | 某博客 / 全文如下_新闻中心_某网 / 监察条例-纪检
_SEPARATOR: Final = re.compile(
    r"\s+[-–—|│·•:»«›‹/\\]+\s+|\s*[|｜│_»«]+\s*|\s*(?:--|——)\s*|\s+[-–—]"
    r"|(?<=\w)[-–—]\s+(?!(?:und|oder|bzw|sowie|bis|and|or|to|en|of)\b)"
    r"|(?<=[\u4e00-\u9fff？！。”》…])[-–](?=[\u4e00-\u9fff])"
)
# Seen 2026-11: <h1 class="site-title">, <h1 class="widget-title">, <h1 class="screen-reader-text">
_FRAME_MARK: Final = re.compile(
    r"(?:^|[ _-])(?:site|logo|brand|blog|widget|menu|nav|sidebar|screen-reader|sr-only|hidden|comment|related|footer)",
    re.IGNORECASE,
)
# Seen 2026-11: <h1 class="entry-title">, <h1 class="art-title">
_TITLE_MARK: Final = re.compile(
    r"(?:entry|post|art|article|page|content|news|story)[-_]{0,2}(?:title|headline|header)|^(?:title|headline)\b|article",
    re.IGNORECASE,
)
# Seen 2026-11: <h1><span>部署专题</span> – 四比特推理</h1>
_LEADING_SEPARATOR: Final = re.compile(r"^[-–—|│·•:»«›‹/\\：｜_\s]+(?=\S)")
_ELLIPSIS: Final = re.compile(r"\s*(?:…|\.\.\.)\s*$")
_UNREAD: Final = frozenset(
    {"script", "style", "noscript", "template", "head", "title", "svg", "a", "nav", "footer", "option"}
)

_LEAST_SCORE: Final = 1.0  # of an <h1>; one that two other signs repeat has 3 and more
_LEAST_SCORE_BELOW: Final = 2.5  # of an <h2> or <h3>: most of them head a part of the text, or a list beside it
_LEAST_LONE_SCORE: Final = 0.3  # of the only <h1> that is not the site's: nothing speaks against it
_LEAST_LIKENESS: Final = 0.5  # of an <h2> that a section's or a list's <h1> yields to
_MOST_UNLIKENESS: Final = 0.5  # of such an <h1>, as a share of the <h2>'s likeness
_LONG_ENDING: Final = 1.3  # times the longest other part of `<title>`: a last part so long is the title
_LEAST_PART: Final = 8  # letters of a part of `<title>` that the description repeats
_LEAST_SLUG: Final = 2  # words of an address that says something about the title
_MOST_HEADINGS: Final = 60  # of each level
_LONGEST: Final = 300  # characters of an element that may repeat the title
_MOST_ELEMENTS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Headline:
    """The title of a page.

    Args:
        text: in one line; empty where the page has none.
        element: that shows it; None where only the page's metadata has it.
    """

    text: str
    element: HtmlElement | None = None


@dataclass(slots=True)
class _Signs:
    """The signs of a page's title, apart from its headings.

    Args:
        names: of the site, folded.
        og: og:title, else twitter:title, without the site's name.
        written: `<title>` without the site's name.
        stated: all of these, JSON-LD's headline, the last of its breadcrumbs; none that is only the site's name.
        parts: of `<title>`, without those that are the site's name.
        slug: words of the last part of the page's address.
    """

    names: set[str]
    og: str = ""
    written: str = ""
    stated: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    slug: frozenset[str] = frozenset()


def find_headline(page: PageMetadata) -> Headline:
    """Find the title of an article's page, and the element that shows it.

    Returns:
        The `<h1>` that agrees best with og:title, `<title>` and JSON-LD; else an `<h2>` or `<h3>` that repeats them;
        else the title of the metadata, less the site's name. A cut title yields to the whole one.
    """
    signs = _read_signs(page)
    heading = _best_heading(page, signs)
    if heading is not None:
        return Headline(_whole(_without_kicker(heading, signs), signs), heading)
    headline = collapse(page.says("headline"))
    metadata_titles = [title for title in (signs.og, headline) if title and _fold(title) not in signs.names]
    if metadata_titles:
        return Headline(_whole(metadata_titles[0], signs), None)
    repeated = None if page.is_heavy else _repeated_in_text(page.document, signs)
    return repeated or Headline(_described_part(page, signs) or signs.written)


def _described_part(page: PageMetadata, signs: _Signs) -> str:
    """The part of `<title>` that the page's description repeats; empty where it repeats none, or all."""
    description = _fold(page.meta(("description", "og:description")))
    parts = [part for part in signs.parts if len(_fold(part)) >= _LEAST_PART and description.startswith(_fold(part))]
    return max(parts, key=len, default="")


def _read_signs(page: PageMetadata) -> _Signs:
    written = collapse(page.document.findtext("head/title") or page.document.findtext(".//title") or "")
    og = collapse(unescape(page.meta(("og:title",)))) or collapse(unescape(page.meta(("twitter:title",))))
    signs = _Signs({_fold(name) for name in (*page.site_names(), *_host_names(page.address))})
    signs.names |= {
        _fold(heading.text_content()) for heading in page.document.iter("h1") if _is_home_link(heading, page)
    }
    parts = [part for part in _SEPARATOR.split(written) if part]
    if len(parts) > 1 and og and _fold(og) != _fold(written) and _fold(parts[-1]) not in _fold(og):
        signs.names.add(_fold(parts[-1]))
    whole_titles = {_fold(title) for title in (og, written) if _SEPARATOR.search(title)}
    signs.names -= {"", *whole_titles}  # some blogs call the site by the whole title: "the article - the blog"
    signs.og, signs.written = _without_names(og, signs.names), _without_names(written, signs.names)
    titles = (
        signs.og,
        collapse(page.says("headline")),
        signs.written,
        collapse(page.meta(("citation_title", "title"))),
        _without_names(collapse(page.own_breadcrumb), signs.names),
    )
    signs.stated = [title for title in titles if _fold(title) and _fold(title) not in signs.names]
    signs.parts = [part for part in parts if _fold(part) not in signs.names]
    signs.slug = _slug_words(page.address)
    return signs


def _slug_words(address: str) -> frozenset[str]:
    """The words of the last part of an address that has several; empty for a number or a code.

    >>> sorted(_slug_words("https://news.example/2025/four-bit-inference-8812.html"))
    ['bit', 'four', 'inference']
    """
    last = unquote(urlsplit(address).path).rstrip("/").rpartition("/")[2]
    slug = frozenset(_plain_words(re.sub(r"\.\w{2,5}$", "", last)))
    return slug if len(slug) >= _LEAST_SLUG else frozenset()


def _plain_words(text: str) -> Iterator[str]:
    """The words of a text of three letters and more, without accents: `über`, `ueber` and `uber` are one."""
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(mark))
    for word in re.findall(r"[^\W\d_]{3,}", plain):
        yield re.sub("([aou])e", r"\1", word)


def _host_names(address: str) -> Iterator[str]:
    """Names that a site may have taken from its host: `example.org`, `example`, `blog`."""
    labels = (urlsplit(address).hostname or "").removeprefix("www.").split(".")
    yield from (".".join(labels), ".".join(labels[-2:]), labels[0], labels[-2] if len(labels) > 1 else "")


def _without_names(title: str, names: set[str]) -> str:
    """A title without the site's names at its ends.

    >>> _without_names("甲站 - 两比特量化 | 甲站", {"甲站"})
    '两比特量化'
    """
    while separators := list(_SEPARATOR.finditer(title)):
        first, last = separators[0], separators[-1]
        if _fold(title[last.end() :]) in names | {""}:
            title = title[: last.start()]
        elif _fold(title[: first.start()]) in names | {""}:
            title = title[first.end() :]
        else:
            break
    return title


# --- headings ------------------------------------------------------------------------------------------------------


def _best_heading(page: PageMetadata, signs: _Signs) -> HtmlElement | None:
    """The heading that the page's other signs support best; None where they support none."""
    first = _scored(page, signs, "h1")
    if first and first[0][0] >= _LEAST_SCORE and _likeness_to_stated(first[0][1], signs) >= _MOST_UNLIKENESS:
        return first[0][1]  # no other heading can be so much more like the title
    below = [
        (score + max((_share(heading.text_content(), title) for title in signs.stated), default=0), heading)
        for level in ("h2", "h3")
        for score, heading in _scored(page, signs, level)
        if len(_fold(heading.text_content())) > 3
    ]
    best = max(below, key=lambda pair: pair[0], default=None)
    if first and first[0][0] >= _LEAST_SCORE and not (best and _names_section(first[0][1], best[1], signs)):
        return first[0][1]
    if best is not None and best[0] >= _LEAST_SCORE_BELOW:
        return best[1]
    possible = [heading for score, heading in first if score >= 0]
    if len(possible) == 1 and (first[0][0] > _LEAST_LONE_SCORE or not signs.stated):
        return possible[0]
    is_alone = not first and len(below) == 1 and best is not None and best[0] >= _LEAST_SCORE
    return best[1] if is_alone and best else None


def _names_section(first: HtmlElement, below: HtmlElement, signs: _Signs) -> bool:
    """Whether an `<h1>` names the page's section or another article, and a heading below it has the title."""
    likeness = _likeness_to_stated(below, signs)
    return likeness >= _LEAST_LIKENESS and _likeness_to_stated(first, signs) < _MOST_UNLIKENESS * likeness


def _likeness_to_stated(heading: HtmlElement, signs: _Signs) -> float:
    """How like a heading is to the title that the page's metadata states, from 0 to 1."""
    return max((_likeness(heading.text_content(), title) for title in signs.stated), default=0.0)


def _scored(page: PageMetadata, signs: _Signs, level: str) -> list[tuple[float, HtmlElement]]:
    """The headings of a level that say something, best first; among equals the first of the page."""
    headings = [heading for _, heading in zip(range(_MOST_HEADINGS), page.document.iter(level), strict=False)]
    scored = [(_score(heading, page, signs), heading) for heading in headings if _fold(heading.text_content())]
    return sorted(scored, key=lambda pair: -pair[0])


def _score(heading: HtmlElement, page: PageMetadata, signs: _Signs) -> float:
    """How much speaks for a heading; below 0 the site's own name."""
    text = collapse(plain_text(heading))
    folded = _fold(text)
    if folded in signs.names or _is_home_link(heading, page):
        return -1
    marks = f"{heading.get('class') or ''} {heading.get('id') or ''}"
    around = {node.tag for node in heading.iterancestors()}
    score = 3 * max((_likeness(text, title) for title in signs.stated), default=0.0)
    score += max((_share(text, title) for title in signs.stated), default=0.0)
    score += len(signs.slug.intersection(_plain_words(text))) / len(signs.slug) if signs.slug else 0
    score += 1 if _TITLE_MARK.search(marks) else 0
    score -= 1.5 if _FRAME_MARK.search(marks) else 0
    score -= 0.7 if around & {"nav", "aside", "footer"} else 0
    score += 0.4 if around & {"article", "main"} else 0
    if folded != _fold(signs.og) and _ends_as_name(folded, signs):
        score -= 2.5
    return score


def _ends_as_name(folded: str, signs: _Signs) -> bool:
    """Whether a text is the last part of `<title>` and no longer than the others: the site's name, by its position."""
    lengths = [len(_fold(part)) for part in signs.parts]
    return len(lengths) > 1 and folded == _fold(signs.parts[-1]) and lengths[-1] < _LONG_ENDING * max(lengths[:-1])


def _is_home_link(heading: HtmlElement, page: PageMetadata) -> bool:
    return any(page.leads_home(link) for link in (*heading.iter("a"), *heading.iterancestors("a")))


def _without_kicker(heading: HtmlElement, signs: _Signs) -> str:
    """The heading's text without a line before or after the title.

    Such a line stands in an element of its own, or nothing but a blank parts it from a title that a sign states whole.
    """
    text = collapse(plain_text(heading))
    length = len(_fold(text))
    endings = [ending for ending in _endings(heading) if 0.4 * length <= len(_fold(ending)) < length]
    stated_parts = {_fold(part) for title in signs.stated for part in (title, *_SEPARATOR.split(title))}
    if ending := next((ending for ending in endings if _fold(ending) in stated_parts), None):
        return _LEADING_SEPARATOR.sub("", ending)
    for title in signs.stated:
        start = text.casefold().find(title.casefold())
        if start >= 0 and len(title) < len(text) and len(heading) and len(_fold(title)) >= 0.4 * length:
            kicker, remainder = text[:start].rstrip(), text[start + len(title) :].lstrip()
            if not re.search(r"[\W_]$", kicker) and not re.match(r"[\W_]", remainder):
                return text[start : start + len(title)]
    return text


def _endings(heading: HtmlElement) -> Iterator[str]:
    """The texts from the end of each element in a heading to the heading's end, longest first."""
    text = heading.text_content()
    position = len(heading.text or "")
    for element in heading:
        position += len(element.text_content())
        yield collapse(text[position:])
        position += len(element.tail or "")


def _whole(title: str, signs: _Signs) -> str:
    """The title, or where it is cut, the whole one that begins with its words."""
    begin = _fold(_ELLIPSIS.sub("", title))
    if not _ELLIPSIS.search(title) or not begin:
        return title
    whole = [stated for stated in signs.stated if _fold(stated).startswith(begin) and not _ELLIPSIS.search(stated)]
    is_written_so = any(stated.startswith(title) for stated in whole)
    return title if is_written_so else max(whole, key=len, default=title)


def _repeated_in_text(document: HtmlElement, signs: _Signs) -> Headline | None:
    """The longest part of `<title>` that an element of the page shows as its whole text."""
    written = _fold(signs.written)
    best: Headline | None = None
    for _, element in zip(
        range(_MOST_ELEMENTS), document.iter("td", "div", "p", "span", "strong", "b", "font", "h4", "dt"), strict=False
    ):
        text = collapse(text_of(element)) if len(element) < 10 else ""
        folded = _fold(text) if 8 <= len(text) <= _LONGEST else ""
        if not (8 <= len(folded) < len(written) and folded in written and folded not in signs.names):
            continue
        if 5 * len(folded) < 2 * len(written) or (best is not None and len(text) <= len(best.text)):
            continue
        if not any(node.tag in _UNREAD for node in (element, *element.iterancestors())):
            best = Headline(text, element)
    return best


# --- comparing titles ----------------------------------------------------------------------------------------------


def _fold(text: str) -> str:
    """Letters and digits alone, in one case."""
    return keep_letters(text).casefold()


@lru_cache(maxsize=256)  # each heading is compared with the same few titles
def _trigrams(text: str) -> frozenset[str]:
    folded = _fold(text)
    return frozenset(folded[start : start + 3] for start in range(max(1, len(folded) - 2))) if folded else frozenset()


def _likeness(text: str, title: str) -> float:
    """The share of trigrams that two texts have in common, from 0 to 1."""
    trigrams, of_title = _trigrams(text), _trigrams(title)
    return len(trigrams & of_title) / len(trigrams | of_title) if trigrams and of_title else 0.0


def _share(text: str, title: str) -> float:
    """The share of a text's trigrams that a title has too, from 0 to 1."""
    trigrams = _trigrams(text)
    return len(trigrams & _trigrams(title)) / len(trigrams) if trigrams else 0.0
