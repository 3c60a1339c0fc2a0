"""Bytes to text: which of the encodings a page names, or does not name, is the one it is in."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

import cchardet

from crawler.errors import TooLarge
from crawler.items import Reply

_SIGNATURES: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BARE_UTF16: Final = ((b"<\0?\0", "utf-16-le"), (b"\0<\0?", "utf-16-be"))  # XML 1.0, appendix F: `<?` without a BOM

_SUPERSETS: Final[Mapping[str, tuple[str, ...]]] = {
    "ascii": ("cp1252",),
    "big5": ("cp950", "big5hkscs"),
    "big5hkscs": ("big5hkscs", "cp950"),
    "euc_kr": ("cp949",),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "iso8859-1": ("cp1252",),
    "iso8859-9": ("cp1254",),
    "iso8859-11": ("cp874",),
    "johab": ("cp949",),
    "shift_jis": ("cp932",),
    "tis-620": ("cp874",),
}
"""Python's codec -> what browsers read under its labels (WHATWG Encoding, 4.2), first choice first."""

_MULTI_BYTE: Final = frozenset(
    {"utf-8", "gb18030", "cp950", "big5hkscs", "cp932", "cp949", "euc_jp", "iso2022_jp", "hz"}
    | {f"utf-{width}-{order}" for width in (16, 32) for order in ("le", "be")}
)
_SINGLE_BYTE: Final = frozenset(
    {"koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "cp866", "cp874"}
    | {f"cp{number}" for number in range(1250, 1259)}
    | {f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)}
)
"""A label may name only these: other codecs are slow on hostile input (idna) or no charsets (unicode_escape)."""

_LATIN: Final = "cp1252"

_ALIASES: Final[Mapping[str, str]] = {
    "gb-2312": "gb18030",
    "gb_2312": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "x-euc": "gb18030",
    "x-x-big5": "cp950",
    "x-big5": "cp950",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "windows-949": "cp949",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "x-mac-cyrillic": "mac-cyrillic",
    "unicode-1-1-utf-8": "utf-8",
}

_XML_DECLARATION: Final = re.compile(rb"\s*<\?xml\s[^>]{0,200}?\bencoding\s*=\s*[\"']\s*([\w.:-]{1,40})")
_META: Final = re.compile(rb"<meta\s[^>]{0,300}?\bcharset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_FEED_ROOT: Final = re.compile(rb"<(?:rss|feed|rdf:RDF)[\s>]")
_HEADER_CHARSET: Final = re.compile(r"\bcharset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_LABEL: Final = re.compile(r"[\w.:-]{1,40}", re.ASCII)
_GZIP: Final = b"\x1f\x8b\x08"  # RFC 1952, 2.3.1
_LARGEST: Final = 64 * 1024 * 1024  # bytes of a decompressed body
_MOST_LAYERS: Final = 2
_HEAD: Final = 4096  # bytes searched for a declaration; WHATWG's 1024 is less than what Chinese portals put before it
_GUESSED: Final = 100_000  # bytes given to the detector: it is linear, and this is more than it needs

_BEYOND_LATIN: Final = re.compile("[\u0800-\U0010ffff]")
_FOREIGN: Final = re.compile("[^\0-\x7f]+")
_COMMON_CHINESE: Final = frozenset(
    "".join(
        bytes((lead, trail)).decode("gb2312", "ignore")
        for lead in (*range(0xA1, 0xA4), *range(0xB0, 0xD8))
        for trail in range(0xA1, 0xFF)
    )
)
"""GB 2312's punctuation and its 3,755 characters of the first level."""


def decode(body: bytes, declared: str | None = None) -> str:
    """The text of a page or feed, by the first of these that fits: byte order mark, the label that HTTP declares, the
    label that the document declares, UTF-8, GB 18030, what a detector says.

    A label is believed only if every byte agrees; GB2312 and GBK are read as GB 18030. What valid UTF-8 spells in
    characters of three bytes is UTF-8 whatever the label. A single-byte label cannot be contradicted by any byte, so it
    yields to valid UTF-8, and Latin-1, which servers declare that know nothing, also to Chinese. GB 18030 accepts most
    Big5 and much Latin-1: without a label its reading must also look like Chinese.

    Args:
        body: the document's bytes.
        declared: the charset of the HTTP header, if any.

    Returns:
        The text without its byte order mark. Where no encoding fits every byte, the least damaged reading, with
        U+FFFD for what could not be read.

    Raises:
        Nothing.

    >>> decode("模型".encode("gbk"), "gb2312")
    '模型'
    >>> decode("模型压缩".encode(), "iso-8859-1")
    '模型压缩'
    """
    for signature, codec in _SIGNATURES:
        if body.startswith(signature) and (text := _strict(body[len(signature) :], codec)) is not None:
            return text
    utf8 = _strict(body, "utf-8")
    if utf8 is not None and _BEYOND_LATIN.search(utf8):
        return utf8
    labels = tuple(_labels(body, declared))
    if utf8 is not None and not _MULTI_BYTE.intersection(labels):
        return utf8
    for codec in labels:
        if codec != _LATIN and (text := _strict(body, codec)) is not None:
            return text
    return utf8 if utf8 is not None else _without_label(body, labels).removeprefix("\ufeff")


def decode_reply(reply: Reply) -> str:
    """The reply's body as text, by its Content-Type and what the body itself says; see `decode`.

    Raises:
        TooLarge: a compressed body unpacks to more than any page has.
    """
    charset = _HEADER_CHARSET.search(reply.headers.get("content-type", ""))
    return decode(unpack(reply), charset[1] if charset else None)


def unpack(reply: Reply) -> bytes:
    """The reply's body, decompressed where a server sent gzip without saying so: a `.xml.gz`, or gzip twice over.

    Raises:
        TooLarge: it unpacks to more than any page has.
    """
    body = reply.body
    for _ in range(_MOST_LAYERS):
        if not body.startswith(_GZIP):
            break
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            unpacked = stream.decompress(body, _LARGEST)
        except zlib.error:
            break
        if stream.unconsumed_tail:
            raise TooLarge("unpacked-too-large", url=reply.url)
        body = unpacked
    return body


def _labels(body: bytes, declared: str | None) -> Iterator[str]:
    """Codecs to try in turn: those of the HTTP label, then those of the document's own."""
    if declared:
        yield from _codecs(declared, body)
    head = body[:_HEAD]
    for start, codec in _BARE_UTF16:
        if head.startswith(start):
            yield codec
    own = _XML_DECLARATION.match(head) or (None if _FEED_ROOT.search(head) else _META.search(head))
    if own:
        yield from _codecs(own[1].decode("ascii", "ignore"), body)


def _codecs(label: str, body: bytes) -> tuple[str, ...]:
    """Codecs that a charset label stands for; none for a label that is unknown, unsafe or plainly untrue."""
    label = label.strip().lower()
    if not _LABEL.fullmatch(label):
        return ()
    try:
        name = codecs.lookup(_ALIASES.get(label, label)).name
    except LookupError:
        return ()
    if name in {"utf-16", "utf-32"}:
        name += "-le"  # WHATWG Encoding, 4.2: the label "utf-16" is little-endian
    if name.startswith(("utf-16", "utf-32")) and b"\0" not in body[:64]:
        return ()
    return tuple(codec for codec in _SUPERSETS.get(name, (name,)) if codec in _MULTI_BYTE | _SINGLE_BYTE)


def _strict(body: bytes, codec: str) -> str | None:
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        return None


def _without_label(body: bytes, labels: tuple[str, ...]) -> str:
    """The text of bytes that are not UTF-8 and that no label explains, except perhaps Latin-1."""
    chinese = _strict(body, "gb18030")
    if chinese is not None and _looks_chinese(chinese):
        return chinese
    if _LATIN in labels and (text := _strict(body, _LATIN)) is not None:
        return text
    candidates = tuple(dict.fromkeys((*labels, "utf-8", "gb18030")))
    for codec in candidates:
        text = body.decode(codec, "replace")
        if _hardly_damaged(text) and (codec != "gb18030" or _looks_chinese(text)):
            return text
    detected = _codecs(cchardet.detect(body[:_GUESSED])["encoding"] or "", body)
    readings = [body.decode(codec, "replace") for codec in (*detected, *candidates)]
    return min(readings, key=lambda reading: reading.count("\ufffd"))


def _looks_chinese(text: str) -> bool:
    """Whether most characters are common in Chinese: over 98 % of a real GBK page, under 36 % of Big5 read as GBK."""
    foreign = "".join(_FOREIGN.findall(text))[:_GUESSED]
    return sum(map(_COMMON_CHINESE.__contains__, foreign)) >= 0.7 * len(foreign)


def _hardly_damaged(text: str) -> bool:
    """Whether what could not be read is a cut or a slip in text that is otherwise right."""
    return text.count("\ufffd") * 20 <= sum(map(len, _FOREIGN.findall(text)))
