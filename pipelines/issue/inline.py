"""Reads one line or paragraph of Markdown: its links, its URLs, its text without marks.

This is not a Markdown parser: it reads the Markdown that editors write, also with brackets that do not pair, in time
linear in the text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from pipelines.text import trim_address

_PUNCTUATION: Final = r"""[!-/:-@\[-`{-~]"""

# r"[a] \[ `[b]` <https://e.org/[c]>": only the brackets around `a` count
_BRACKET: Final = re.compile(rf"\\{_PUNCTUATION}|`[^`\n]*`|<https?://[^\s<>]*>|(?P<open>\[)|(?P<close>\])")
# '(https://e.org/a_(b))', '(<https://e.org/a b> "标题")': the part of a link after its text
_DESTINATION: Final = re.compile(
    r"""\(\s{0,9}(?:<(?P<angle>[^<>\n]*)>|(?P<bare>[^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s{1,9}"[^"\n]*")?\s{0,9}\)"""
)
# "（https://e.org/1）": an input method wrote the brackets
_WIDE_DESTINATION: Final = re.compile(r"（\s{0,9}(?P<wide>https?://[^\s（）]+?)\s{0,9}）")
# '<a href="https://e.org/1" target="_blank">标题</a>'
_ANCHOR: Final = re.compile(
    r"""<a\s[^<>]{0,500}?\bhref\s{0,9}=\s{0,9}(?:"(?P<double>[^"<>]*)"|'(?P<single>[^'<>]*)'|(?P<unquoted>[^\s"'<>]+))"""
    r"""[^<>]{0,500}>"""
    r"""(?P<text>(?:(?!</?a\b)[^\n]){0,1000})</a\s{0,9}>""",
    re.IGNORECASE,
)
_SENTENCE_MARKS: Final = ".,;:!?'*_~"
"""Punctuation of a sentence or of Markdown after an address."""

# "见 https://arxiv.org/abs/2006.16669。"
_BARE_URL: Final = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+")

# r"\| `code` &amp; <https://e.org> <br> **粗** *斜* _斜_"
_MARK: Final = re.compile(
    rf"""
    \\(?P<escaped>{_PUNCTUATION})
    | `(?P<code>[^`\n]+)`
    | (?P<reference>&\#?\w{{1,32}};)
    | <(?P<autolink>https?://[^\s<>]+)>
    | (?P<tag></?[A-Za-z][^<>]{{0,300}}>)
    | \*\*(?=\S)(?P<strong>[^*]{{1,300}})(?<=\S)\*\*
    | \*(?=\S)(?P<emphasis>[^*]{{1,300}})(?<=\S)\*(?!\w)
    | (?<!\w)__?(?=\S)(?P<underscored>[^_]{{1,300}})(?<=\S)__?(?!\w)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Link:
    """An inline link or image.

    Args:
        start, end: its position in the Markdown; an image begins at its `!`.
        text_start: the position of the Markdown between its brackets.
        markdown: the Markdown between its brackets.
        url: its destination.
        image: whether it shows a picture.
    """

    start: int
    end: int
    text_start: int
    markdown: str
    url: str
    image: bool = False


def find_links(markdown: str) -> tuple[Link, ...]:
    """Find links and images, in order; of nested links only the outermost.

    >>> [(link.markdown, link.url) for link in find_links("[a [b]](u_(v)) [[c]](<w>)")]
    [('a [b]', 'u_(v)'), ('[c]', 'w')]
    """
    links = list(_read_links(markdown, dict(find_brackets(markdown))))
    if "</" in markdown:
        links += _read_anchors(markdown, links)
    return tuple(sorted(links, key=attrgetter("start")))


def _read_links(markdown: str, pairs: dict[int, int]) -> Iterator[Link]:
    link_end = 0
    for start, end in sorted(pairs.items()):
        if start < link_end:
            continue
        destination = _DESTINATION.match(markdown, end + 1) or _WIDE_DESTINATION.match(markdown, end + 1)
        if destination is None:
            continue
        image = markdown[start - 1 : start] == "!"
        link_end = destination.end()
        url = next(text for text in destination.groups() if text is not None)
        yield Link(start - image, link_end, start + 1, markdown[start + 1 : end], url, image)


def _read_anchors(markdown: str, links: Sequence[Link]) -> Iterator[Link]:
    for anchor in _ANCHOR.finditer(markdown):
        if not any(link.start <= anchor.start() < link.end for link in links):
            url = html.unescape(anchor["double"] or anchor["single"] or anchor["unquoted"] or "")
            yield Link(anchor.start(), anchor.end(), anchor.start("text"), anchor["text"], url)


def find_brackets(markdown: str) -> Iterator[tuple[int, int]]:
    r"""Find the pairs of square brackets: the positions of `[` and `]`. Escapes, code and autolinks hold no brackets.

    >>> sorted(find_brackets(r"[a] \[ [b [c]"))
    [(0, 2), (10, 12)]
    """
    open_: list[int] = []
    for match in _BRACKET.finditer(markdown):
        if match["open"]:
            open_.append(match.start())
        elif match["close"] and open_:
            yield open_.pop(), match.start()


def strip_marks(markdown: str) -> str:
    r"""Take the marks off Markdown: the text as a reader sees it, in one line, without pictures.

    >>> strip_marks(r"**粗** 见[文 \| 档](https://e.org) `x` &amp; <https://e.org> ![图](u)")
    '粗 见文 | 档 x & https://e.org'
    """
    pieces, link_end = [], 0
    for link in find_links(markdown):
        pieces.append(_unmark(markdown[link_end : link.start]))
        pieces.append("" if link.image else _unmark(_remove_images(link.markdown)))
        link_end = link.end
    pieces.append(_unmark(markdown[link_end:]))
    return " ".join("".join(pieces).split())


def _remove_images(markdown: str) -> str:
    for image in reversed([link for link in find_links(markdown) if link.image]):
        markdown = markdown[: image.start] + markdown[image.end :]
    return markdown


def _unmark(markdown: str) -> str:
    return _MARK.sub(_read_marked_text, markdown)


def _read_marked_text(match: re.Match[str]) -> str:
    kind, text = match.lastgroup, match[match.lastgroup or 0]
    if kind == "reference":
        return html.unescape(text)
    if kind == "tag":
        return ""
    return _unmark(text) if kind in ("strong", "emphasis", "underscored") else text


def find_urls(markdown: str) -> tuple[str, ...]:
    """Find every http(s) address, of links and bare, once, in order; the address of a picture is none.

    >>> find_urls("[a](https://e.org/1)，见 https://e.org/2。 ![图](https://e.org/3) https://e.org/1")
    ('https://e.org/1', 'https://e.org/2')
    """
    addresses, link_end = [], 0
    for link in find_links(markdown):
        addresses += _find_bare_urls(markdown[link_end : link.start])
        if not link.image:
            addresses += [link.url, *_find_bare_urls(link.markdown)]
        link_end = link.end
    addresses += _find_bare_urls(markdown[link_end:])
    return tuple(dict.fromkeys(url for url in addresses if url.startswith(("https://", "http://"))))


def find_bare_url(markdown: str) -> tuple[int, int] | None:
    """Find the start and the end of the first address outside a link, without the punctuation after it.

    >>> find_bare_url("见 https://e.org/1，很好")
    (2, 17)
    """
    match = _BARE_URL.search(markdown)
    return (match.start(), match.start() + len(trim_address(match[0], _SENTENCE_MARKS))) if match else None


def _find_bare_urls(markdown: str) -> list[str]:
    return [trim_address(match[0], _SENTENCE_MARKS) for match in _BARE_URL.finditer(markdown)]
