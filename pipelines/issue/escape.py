"""Text and URLs from the web -> Markdown that shows exactly this text on GitHub, and in Jekyll (Liquid, kramdown).

CommonMark reads a backslash before any ASCII punctuation as an escape. kramdown-parser-gfm knows the escape only before
`` \\ . * _ + ` < > ( ) [ ] { } # ! : | " ' $ = - ~ `` (its `ESCAPED_CHARS_GFM`): this module writes all other marks as
character references. Liquid runs before both and knows no backslash, so `{%` is never written. All other text stays as
an editor writes it, because an editor reads this Markdown.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

_DROPPED: Final = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters that are not white space, marks that override the reading direction, lone surrogates."""

# "# 标题", "- 条目", ": 定义", "1. 条目": a line whose first characters would make it a block
_LEADING: Final = re.compile(
    r"""
    [#>]                        # heading, quotation
    | [-+](?=\s|$)              # bullet
    | :(?=\s|$)                 # kramdown: definition
    | \^                        # kramdown: end of block; a footnote, if a bracket precedes it
    | =(?==*$)                  # underline: the line above would become a heading
    | \d{1,9}(?=[.)](?:\s|$))   # numbered list: the backslash goes after the number
    """,
    re.VERBOSE,
)

# "[点我](javascript:x)", "{% include y %}", "int8_t", "10~100", "--help": marks inside a line
_SPECIAL: Final = re.compile(
    r"""
    \]:                         # kramdown: the definition of a link, even after a backslash
    | [\\`*\[\]<|~]             # code, emphasis, link, HTML, table, strikethrough
    | (?<=\{)\{%? | \{(?:%|(?=[{:\#]|$))  # Liquid; kramdown's attributes, also where the text goes on with them
    | _                         # emphasis, except inside a word
    | \$                        # formula
    | --+ | >>+                 # kramdown: dash, guillemet
    | &(?=\#?\w+;)              # character reference
    """,
    re.VERBOSE,
)

# "https://example.org/a b?q={x}": characters that a URL in Markdown must encode
_UNSAFE_IN_URL: Final = re.compile(r'[\s\x00-\x1f\x7f-\x9f"<>\[\\\]^`{|}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]')


def clean_line(text: str) -> str:
    """Make one line of a text: fold white space to single blanks, remove control characters.

    >>> clean_line(" a\\n\\tb\\x00 ")
    'a b'
    """
    return " ".join(_DROPPED.sub("", text).split())


def escape_markdown(text: str) -> str:
    r"""Write a text as one line of Markdown that shows this text, at any position of a line.

    Jekyll sets straight quotes as curled quotes and `...` as `…`, as it does in the editor's own text.

    >>> escape_markdown("INT8 量化（4-bit）：比 FP16 快 2.5 倍！AT&T's face_swap, C++ & #1")
    "INT8 量化（4-bit）：比 FP16 快 2.5 倍！AT&T's face_swap, C++ & #1"
    >>> print(escape_markdown("1. [点我](javascript:alert) {{ site.x }} {% include y %}"))
    1\. \[点我\](javascript:alert) \{\{ site.x }} \{&#37; include y %}
    >>> print(escape_markdown("a | b int8_t _x_ 10~100 --help &lt;"))
    a \| b int8\_t \_x\_ 10\~100 \-\-help &amp;lt;
    """
    line = clean_line(text)
    return _escape_lead(_escape_words(line), line)


# "`extern`": neither Liquid, nor a bar that kramdown would take for a table
_CODE: Final = re.compile(r"((?<!`)`(?!`)(?:(?!\{[{%])[^`|])+`(?!`))")


def escape_around_code(text: str) -> str:
    r"""Write a text as one line of Markdown in which words between backticks are code, as on GitHub.

    >>> print(escape_around_code("stabilize `extern_c` for *all*"))
    stabilize `extern_c` for \*all\*
    """
    line = clean_line(text)
    pieces = _CODE.split(line)
    pieces[::2] = map(_escape_words, pieces[::2])
    return _escape_lead("".join(pieces), line)


def _escape_words(line: str) -> str:
    return " ".join(map(_escape_word, line.split(" ")))


def _escape_lead(escaped: str, line: str) -> str:
    """Escape the first characters of a line that would make it a block."""
    lead = _LEADING.match(line)
    if lead is None:
        return escaped
    if lead[0] == "^":
        return "&#94;" + escaped[1:]
    number_end = lead.end() if lead[0].isdigit() else 0
    return escaped if escaped.startswith("\\") else f"{escaped[:number_end]}\\{escaped[number_end:]}"


def _escape_word(word: str) -> str:
    """Escape a word. GitHub must not take an escaped word for a bare URL: it would print the backslash."""
    escaped = _SPECIAL.sub(_escape_mark, word)
    if escaped == word:
        return word
    return re.sub(r"(?<!\\):(?=//)", r"\\:", escaped).replace("www.", r"www\.")


def _escape_mark(match: re.Match[str]) -> str:
    mark = match[0]
    if mark == "_" and _is_inside_word(match.string, match.start()):
        return mark
    if mark == "{%":
        return "\\{&#37;"
    if mark in _REFERENCES:
        return _REFERENCES[mark]
    return "".join(f"\\{character}" for character in mark)


_REFERENCES: Final = {"$": "&#36;", "&": "&amp;"}
"""GitHub takes `\\$` for a formula's dollar; `\\&` stays as it is in kramdown."""


def _is_inside_word(text: str, position: int) -> bool:
    """Whether an underscore can neither open nor close emphasis: kramdown looks for a letter before it only."""
    previous, following = text[position - 1 : position], text[position + 1 : position + 2]
    return bool(previous and following) and unicodedata.category(previous)[0] == "L" and following.isalnum()


def make_printable_url(url: str) -> str | None:
    """Write a URL so that an issue may print it.

    Returns:
        The URL; None if an issue must not print it: it is not http(s), has no host, or holds a password.

    >>> make_printable_url("https://example.org/a b?q={x}")
    'https://example.org/a%20b?q=%7Bx%7D'
    >>> make_printable_url("javascript:alert(1)")
    >>> make_printable_url("https://github.com@evil.example/")
    """
    url = _DROPPED.sub("", re.sub(r"[\t\r\n]", "", url)).strip()  # a browser ignores these characters too
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    url = parts.scheme + url[len(parts.scheme) :]  # kramdown knows `https` in lower case only
    encoded = _UNSAFE_IN_URL.sub(lambda match: _encode_percent(match[0]), url)
    return re.sub(r"(&#?\w+);", r"\1%3B", encoded)  # otherwise Markdown reads `&lt;` as a character reference


def is_relative(url: str) -> bool:
    """Whether an address is one of the site's own files.

    >>> is_relative("../a.jpg"), is_relative("#"), is_relative("javascript:x"), is_relative("//e.org")
    (True, False, False, False)
    """
    return bool(re.match(r"(?!//)[^\s#:]", url) and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url))


def _encode_percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def make_link(markdown: str, url: str) -> str:
    """Write a Markdown link.

    Args:
        markdown: text of the link, already escaped.
        url: a result of `make_printable_url`.

    >>> make_link("标题", "https://example.org/a")
    '[标题](https://example.org/a)'
    >>> make_link("标题", "https://example.org/a_(b)")
    '[标题](<https://example.org/a_(b)>)'
    """
    return f"[{markdown}](<{url}>)" if re.search(r"[()]", url) else f"[{markdown}]({url})"


def make_autolink(url: str) -> str:
    """Write a URL that is its own text, as on a label line.

    Args:
        url: a result of `make_printable_url`.

    >>> make_autolink("https://arxiv.org/abs/2006.16669")
    'https://arxiv.org/abs/2006.16669'
    >>> make_autolink("https://example.org/_a_*b*")
    '<https://example.org/_a_*b*>'
    """
    return url if escape_markdown(url) == url else f"<{url}>"
