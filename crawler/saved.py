"""Files in place of replies: a page that somebody saved, or a list of items as JSON lines."""

from __future__ import annotations

import email
import email.policy
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

from crawler.errors import CrawlError, Detail, NotUnderstood, PageChanged, SourceMisconfigured, TooLarge, detail_of
from crawler.home import Home
from crawler.items import WARNING, Batch, Page, Problem, RawItem, Reply
from crawler.spiders.read_page import read_page
from crawler.spiders.route import kind_for, page_for
from crawler.urls import host_and_port

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a file; a page saved with all its pictures inside stays under 20 MB."""

_FIELDS: Final = ("url", "title", "text", "summary", "author", "source", "published_at")

_SAVED_FROM: Final = re.compile(
    rb"<!--\s{0,20}(?:saved from url=\(\d{4}\)|Page saved with SingleFile\s{1,20}url:\s{0,20})(https?://[^\s>]{1,2000})"
)
"""The comment that browsers and SingleFile write at the top of a saved page."""
_TAG: Final = re.compile(rb"<(?:link|meta)\s([^<>]{1,2500})>", re.IGNORECASE)
_OWN: Final = re.compile(rb"canonical|og:url", re.IGNORECASE)
_VALUE: Final = re.compile(rb"""(?:href|content)=["'](https?://[^"']{1,2000})""", re.IGNORECASE)
_LOOKED_AT: Final = 100_000

_NOWHERE: Final = "file:///"
"""Start of the address of a saved page without a known address; the page's scripts may still name it."""


def read_saved(path: Path, url: str = "", source: str = "added") -> Batch:
    """Read a saved page (.html, .htm, .mhtml, .mht) or a list of items (.jsonl).

    A page is dated by its file: 「3小时前」 means before it was saved. A line of a list is an object with `url` and
    `title`, and `text summary author source published_at` where they are known.

    Args:
        url: where a page came from, if it does not say so itself.
        source: the source id of the batch.

    Returns:
        One finished batch; each line that cannot be read is a problem with its number.

    Raises:
        CrawlError: the file is not the page, or neither the page nor the caller gives its address.
    """
    if path.stat().st_size > LARGEST:
        raise TooLarge("large-file", url=str(path), remedy="take-apart", count=path.stat().st_size)
    body = path.read_bytes()
    saved_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _read_lines(path, body, saved_at, source)
    reply = _reply(path, body, url, saved_at)
    name = page_for(reply)
    page = Page() if name == "web" and reply.url.startswith(_NOWHERE) else read_page(name, reply)
    if reply.url.startswith(_NOWHERE) and not any(item.url.startswith("http") for item in page.items):
        raise SourceMisconfigured("no-own-address", url=str(path), remedy="say-url")
    warnings = tuple(Problem(reply.url, WARNING, warning, fails_source=False) for warning in page.warnings)
    return Batch(source, page.items, warnings, finished=True)


def read_folder(home: Home, source: str) -> Batch:
    """Read all pages and lists that somebody saved for a source; a file that cannot be read stops no other.

    Returns:
        One finished batch; each file that cannot be read is a problem. Empty where there is no such folder.
    """
    items: list[RawItem] = []
    problems: list[Problem] = []
    folder = home.saved(source)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.is_file() or path.name.startswith("."):
            continue
        try:
            batch = read_saved(path, source=source)
        except (CrawlError, OSError) as error:
            name = type(error).__name__
            problems.append(Problem(str(path), name, detail_of(error), fails_source=False))
        else:
            items += batch.items
            problems += batch.problems
    return Batch(source, tuple(items), tuple(problems), finished=True)


def _reply(path: Path, body: bytes, url: str, saved_at: datetime) -> Reply:
    """The reply that a saved page stands for."""
    headers: Mapping[str, str] = {}
    if path.suffix.lower() in (".mhtml", ".mht"):
        body, headers, own_address = _unpack(path, body)
    else:
        own_address = _own_address(body)
    return Reply(url or own_address or f"{_NOWHERE}{path.name}", 200, headers, body, saved_at)


def _own_address(body: bytes) -> str:
    """The address that a page gives as its own; empty where it gives none.

    >>> _own_address(b"<!-- saved from url=(0026)https://blog.example/post/1 --><html>")
    'https://blog.example/post/1'
    """
    head = body[:_LOOKED_AT]
    tags = (tag[1] for tag in _TAG.finditer(head) if _OWN.search(tag[1]))
    signs = (_SAVED_FROM.search(head), *map(_VALUE.search, tags))
    address: bytes = next((sign[1] for sign in signs if sign), b"")
    return address.decode("ascii", "ignore").replace("&amp;", "&")


def _unpack(path: Path, body: bytes) -> tuple[bytes, dict[str, str], str]:
    """The HTML of a web archive (RFC 2557), its headers and its address."""
    try:
        message = email.message_from_bytes(body, policy=email.policy.default)
        pages = [part for part in message.walk() if part.get_content_type() in ("text/html", "application/xhtml+xml")]
        payload = pages[0].get_payload(decode=True) if pages else None
    except Exception as error:  # RecursionError for parts inside parts; the library names no errors of its own
        raise PageChanged("bad-archive", url=str(path), remedy="save-again", name=type(error).__name__) from error
    if not pages or not isinstance(pages[0], EmailMessage):
        raise PageChanged("archive-without-page", url=str(path), remedy="save-again")
    content = payload if isinstance(payload, bytes) else b""
    address = str(message.get("Snapshot-Content-Location") or pages[0].get("Content-Location") or "")
    headers = {"content-type": str(pages[0].get("Content-Type", "text/html"))}
    return content, headers, address if address.startswith(("http://", "https://")) else _own_address(content)


def _read_lines(path: Path, body: bytes, saved_at: datetime, source: str) -> Batch:
    items: list[RawItem] = []
    problems: list[Problem] = []
    unknown: set[str] = set()
    for number, line in _lines(body):
        try:
            row = _object(line)
            unknown |= row.keys() - set(_FIELDS)
            items.append(_item(row, saved_at))
        except (ValueError, RecursionError) as error:
            bad_json = isinstance(error, json.JSONDecodeError | RecursionError)
            reason = Detail.of("line-not-json") if bad_json else detail_of(error)
            detail = Detail.of("bad-line", number=number, reason=reason)
            problems.append(Problem(f"{path.name}:{number}", "BadLine", detail, fails_source=False))
    if unknown:
        detail = Detail.of("unknown-fields", names=sorted(unknown)[:10])
        problems.append(Problem(path.name, WARNING, detail, fails_source=False))
    return Batch(source, tuple(items), tuple(problems), finished=True)


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    encoding = json.detect_encoding(body[:4])
    if not encoding.startswith("utf-8"):
        body = body.decode(encoding, "replace").encode()
    for number, line in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _object(line: bytes) -> dict[str, Any]:
    row = json.loads(line)
    if not isinstance(row, dict):
        raise NotUnderstood("line-no-object")
    return row


def _item(row: Mapping[str, Any], saved_at: datetime) -> RawItem:
    """One line of a list.

    Raises:
        ValueError: the line is no item; the message is the reason.
    """
    texts = {name: _words(name, row.get(name)) for name in _FIELDS}
    for name in ("url", "title"):
        if not texts[name]:
            raise NotUnderstood("field-missing", name=name)
    url = texts["url"] or ""
    host_and_port(url)
    return RawItem(
        kind=kind_for(url),
        url=url,
        title=" ".join((texts["title"] or "").split()),
        fetched_at=saved_at,
        published=texts["published_at"],
        author=texts["author"],
        publisher=texts["source"],
        text=texts["text"],
        summary=texts["summary"],
    )


def _words(name: str, field: Any) -> str | None:
    if field is None:
        return None
    if name == "published_at" and type(field) in (int, float):
        return str(field)
    if not isinstance(field, str):
        raise NotUnderstood("field-no-text", name=name)
    return field.encode("utf-8", "replace").decode().strip() or None
