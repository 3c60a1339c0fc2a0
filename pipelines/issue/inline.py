"""What one line or paragraph of Markdown says: its links, its URLs, its text without marks.

Not a Markdown parser: it reads what editors write, brackets that do not pair included, in time linear in the text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pipelines.text import trim_address

_PUNCTUATION: Final = r"""[!-/:-@\[-`{-~]"""

_BRACKET: Final = re.compile(rf"\\{_PUNCTUATION}|`[^`\n]*`|<https?://[^\s<>]*>|(?P<open>\[)|(?P<close>\])")
_DESTINATION: Final = re.compile(
    r"""\(\s{0,9}(?:<(?P<angle>[^<>\n]*)>|(?P<bare>[^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s{1,9}"[^"\n]*")?\s{0,9}\)"""
)
_SENTENCE_MARKS: Final = ".,;:!?'*_~"
"""Punctuation of a sentence or of Markdown behind an address."""

_BARE_URL: Final = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+")

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
        start, end: where it stands in the Markdown, its `!` included.
        markdown: what stands between its brackets.
        url: its destination.
        image: whether it shows a picture.
    """

    start: int
    end: int
    markdown: str
    url: str
    image: bool = False


def links(markdown: str) -> tuple[Link, ...]:
    """Links and images in order; of nested ones the outermost.

    >>> [(one.markdown, one.url) for one in links("[a [b]](u_(v)) [[c]](<w>)")]
    [('a [b]', 'u_(v)'), ('[c]', 'w')]
    """
    return tuple(_links(markdown, dict(brackets(markdown))))


def _links(markdown: str, pairs: dict[int, int]) -> Iterator[Link]:
    after = 0
    for start, end in sorted(pairs.items()):
        destination = _DESTINATION.match(markdown, end + 1) if start >= after else None
        if destination is None:
            continue
        image = markdown[start - 1 : start] == "!"
        after = destination.end()
        url = destination["angle"] if destination["angle"] is not None else destination["bare"]
        yield Link(start - image, after, markdown[start + 1 : end], url, image)


def brackets(markdown: str) -> Iterator[tuple[int, int]]:
    r"""Where each square bracket that pairs opens and closes; escapes, code and autolinks hold none.

    >>> sorted(brackets(r"[a] \[ [b [c]"))
    [(0, 2), (10, 12)]
    """
    open_: list[int] = []
    for match in _BRACKET.finditer(markdown):
        if match["open"]:
            open_.append(match.start())
        elif match["close"] and open_:
            yield open_.pop(), match.start()


def plain(markdown: str) -> str:
    r"""The text as a reader sees it, in one line, without pictures.

    >>> plain(r"**粗** 见[文 \| 档](https://e.org) `x` &amp; <https://e.org> ![图](u)")
    '粗 见文 | 档 x & https://e.org'
    """
    pieces, after = [], 0
    for link in links(markdown):
        pieces.append(_unmarked(markdown[after : link.start]))
        pieces.append("" if link.image else _unmarked(_without_images(link.markdown)))
        after = link.end
    pieces.append(_unmarked(markdown[after:]))
    return " ".join("".join(pieces).split())


def _without_images(markdown: str) -> str:
    for image in reversed([link for link in links(markdown) if link.image]):
        markdown = markdown[: image.start] + markdown[image.end :]
    return markdown


def _unmarked(markdown: str) -> str:
    return _MARK.sub(_said, markdown)


def _said(match: re.Match[str]) -> str:
    kind, text = match.lastgroup, match[match.lastgroup or 0]
    if kind == "reference":
        return html.unescape(text)
    if kind == "tag":
        return ""
    return _unmarked(text) if kind in ("strong", "emphasis", "underscored") else text


def urls(markdown: str) -> tuple[str, ...]:
    """Every http(s) address that is linked or stands bare, once, in order; pictures are not addresses to read.

    >>> urls("[a](https://e.org/1)，见 https://e.org/2。 ![图](https://e.org/3) https://e.org/1")
    ('https://e.org/1', 'https://e.org/2')
    """
    found, after = [], 0
    for link in links(markdown):
        found += _bare(markdown[after : link.start])
        if not link.image:
            found += [link.url, *_bare(link.markdown)]
        after = link.end
    found += _bare(markdown[after:])
    return tuple(dict.fromkeys(url for url in found if url.startswith(("https://", "http://"))))


def _bare(markdown: str) -> list[str]:
    return [trim_address(match[0], _SENTENCE_MARKS) for match in _BARE_URL.finditer(markdown)]
