"""Text and URLs from the web -> Markdown that says just them on GitHub, and in Jekyll with Liquid and kramdown.

CommonMark reads a backslash before any ASCII punctuation as that character; kramdown-parser-gfm knows it only before
`` \\ . * _ + ` < > ( ) [ ] { } # ! : | " ' $ = - ~ `` (its `ESCAPED_CHARS_GFM`): what that lacks is written as a
character reference. Liquid runs before either and knows no backslash: `{%` must not stand at all. Everything else is
left as an editor would write it, since an editor reads this Markdown.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

_DROPPED: Final = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls that are not white space, overrides of the reading direction, lone surrogates."""

_LEADING: Final = re.compile(
    r"""
    [#>]                        # heading, quotation
    | [-+](?=\s|$)              # bullet
    | :(?=\s|$)                 # kramdown: definition
    | \^                        # kramdown: end of block; footnote, where a bracket is put before it
    | =(?==*$)                  # underline that makes a heading of the line above
    | \d{1,9}(?=[.)](?:\s|$))   # numbered list: the backslash goes after the number
    """,
    re.VERBOSE,
)

_SPECIAL: Final = re.compile(
    r"""
    \]:                         # kramdown: the definition of a link, even behind a backslash
    | [\\`*\[\]<|~]             # code, emphasis, link, HTML, table, strikethrough
    | \{%?                      # Liquid; kramdown's attributes
    | _                         # emphasis, unless inside a word
    | \$                        # formula
    | --+ | >>+                 # kramdown: dash, guillemet
    | &(?=\#?\w+;)              # character reference
    """,
    re.VERBOSE,
)

_UNSAFE_IN_URL: Final = re.compile(r'[\s\x00-\x1f\x7f-\x9f"<>\[\\\]^`{|}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]')


def cleaned(text: str) -> str:
    """The text that `escape` writes: white space folded to single blanks, controls taken out.

    >>> cleaned(" a\\n\\tb\\x00 ")
    'a b'
    """
    return " ".join(_DROPPED.sub("", text).split())


def escape(text: str) -> str:
    r"""One line of Markdown that says this text, wherever in a line it stands.

    Jekyll sets straight quotes as curled ones and `...` as `…`, as it does in the editor's own text.

    >>> escape("INT8 量化（4-bit）：比 FP16 快 2.5 倍！AT&T's face_swap, C++ & #1")
    "INT8 量化（4-bit）：比 FP16 快 2.5 倍！AT&T's face_swap, C++ & #1"
    >>> print(escape("1. [点我](javascript:alert) {{ site.x }} {% include y %}"))
    1\. \[点我\](javascript:alert) \{\{ site.x }} \{&#37; include y %}
    >>> print(escape("a | b"), escape("int8_t _x_"), escape("10~100"), escape("--help"), escape("&lt;"))
    a \| b int8\_t \_x\_ 10\~100 \-\-help &amp;lt;
    """
    line = cleaned(text)
    escaped = " ".join(map(_escaped_word, line.split(" ")))
    lead = _LEADING.match(line)
    if lead is None:
        return escaped
    if lead[0] == "^":
        return "&#94;" + escaped[1:]
    at = lead.end() if lead[0].isdigit() else 0
    return escaped if escaped.startswith("\\") else f"{escaped[:at]}\\{escaped[at:]}"


def _escaped_word(word: str) -> str:
    """Also keeps GitHub from taking a word that got a backslash for a bare URL: it would print the backslash."""
    escaped = _SPECIAL.sub(_escaped, word)
    if escaped == word:
        return word
    return re.sub(r"(?<!\\):(?=//)", r"\\:", escaped).replace("www.", r"www\.")


def _escaped(match: re.Match[str]) -> str:
    mark = match[0]
    if mark == "_" and _inside_word(match.string, match.start()):
        return mark
    if mark == "{%":
        return "\\{&#37;"
    if mark in _REFERENCES:
        return _REFERENCES[mark]
    return "".join(f"\\{character}" for character in mark)


_REFERENCES: Final = {"$": "&#36;", "&": "&amp;"}
"""GitHub takes `\\$` for a formula's dollar; `\\&` stays as it is in kramdown."""


def _inside_word(text: str, at: int) -> bool:
    """Whether an underscore can neither open nor close emphasis: kramdown looks for a letter before it only."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return bool(before and after) and unicodedata.category(before)[0] == "L" and after.isalnum()


def printable_url(url: str) -> str | None:
    """The URL as it may stand in an issue; None for what must not: no http(s), no host, or a password in it.

    >>> printable_url("https://example.org/a b?q={x}")
    'https://example.org/a%20b?q=%7Bx%7D'
    >>> printable_url("javascript:alert(1)")
    >>> printable_url("https://github.com@evil.example/")
    """
    url = _DROPPED.sub("", re.sub(r"[\t\r\n]", "", url)).strip()  # a browser leaves these out too
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    url = parts.scheme + url[len(parts.scheme) :]  # kramdown knows `https` in lower case only
    encoded = _UNSAFE_IN_URL.sub(lambda match: _percent(match[0]), url)
    return re.sub(r"(&#?\w+);", r"\1%3B", encoded)  # else `&lt;` would be read as a character reference


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def link(markdown: str, url: str) -> str:
    """A Markdown link.

    Args:
        markdown: its text, escaped already.
        url: as `printable_url` gave it.

    >>> link("标题", "https://example.org/a")
    '[标题](https://example.org/a)'
    >>> link("标题", "https://example.org/a_(b)")
    '[标题](<https://example.org/a_(b)>)'
    """
    return f"[{markdown}](<{url}>)" if re.search(r"[()]", url) else f"[{markdown}]({url})"


def bare_url(url: str) -> str:
    """A URL that stands for itself, as on a label line.

    Args:
        url: as `printable_url` gave it.

    >>> bare_url("https://arxiv.org/abs/2006.16669")
    'https://arxiv.org/abs/2006.16669'
    >>> bare_url("https://example.org/_a_*b*")
    '<https://example.org/_a_*b*>'
    """
    return url if escape(url) == url else f"<{url}>"
