"""Tells the entries of one source apart, by the identifiers that its feed gives them, where addresses do not. Pure.

An entry's identifier (RSS guid, Atom id, JSON Feed id) holds within its own source alone, so its key begins with the
source: `entry:<source>/…`. The identifiers of many feeds do not last, so each source has a policy, found from what its
feed does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal, NamedTuple

from crawler.items import RawItem
from crawler.sources.schema import Source
from pipelines.model import Article
from pipelines.text import fold

GuidPolicy = Literal["stable", "rebuilt", "shared"]
"""Identifiers last; or are new whenever the feed is built; or several entries have one. Only the first are keys."""

ENTRY: Final = "entry:"
"""Prefix of the keys that hold within one source."""

POST: Final = "post:"
"""Prefix of the keys of posts of one account, whichever mirror gave them."""

_TO_THE_HOUR: Final = frozenset({"second", "minute", "hour"})
_SHORTEST_POST_TITLE: Final = 6
_DAY: Final = 86_400

# Seen 2026-11: https://news.example/articles/c1#2, the third issue of one article (NetNewsWire#4808)
_REISSUE: Final = re.compile(r"https?://.*#\d{1,3}", re.IGNORECASE | re.DOTALL)

_FEWEST_REBUILT: Final = 2
"""Entries that return under a new identifier before their source counts as `rebuilt`: one may be a correction."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """What the entries of one reply have in common.

    Args:
        shared_guids: identifiers of several entries.
        shared_pages: addresses, without fragment, of several entries.
        anchored_pages: the shared pages whose entries each have a fragment of their own.
        policy: `shared` if most entries have no identifier of their own; None where nothing is to be seen.
    """

    shared_guids: frozenset[str] = frozenset()
    shared_pages: frozenset[str] = frozenset()
    anchored_pages: frozenset[str] = frozenset()
    policy: GuidPolicy | None = None


@dataclass(frozen=True, slots=True)
class KnownEntries:
    """How many entries of a reply are known.

    Args:
        entries: with an identifier.
        recognised: known by their identifier.
        renamed: known, but under another identifier, which the reply no longer has.
    """

    entries: int
    recognised: int
    renamed: int


class ListedEntry(NamedTuple):
    """What tells the entries of a reply apart, of a raw item: a store has more content than fits into memory.

    Args:
        url, title, published, guid: as the item has them.
    """

    url: str
    title: str
    published: str | None
    guid: str | None

    @classmethod
    def of(cls, item: RawItem) -> ListedEntry:
        """The entry of an item."""
        return cls(item.url, item.title, item.published, item.guid)


def find_repeats(items: Iterable[RawItem | ListedEntry]) -> Repeats:
    """Find what entries of one reply share. Entries of one page, title and date are one entry that is listed twice."""
    entries = {(_page(item.url), item.title, item.published or ""): item for item in items}
    by_guid, by_page = defaultdict(list), defaultdict(list)
    for item in entries.values():
        by_page[_page(item.url)].append(item)
        if item.guid:
            by_guid[item.guid].append(item)
    shared_guids = {guid for guid, holders in by_guid.items() if len(holders) > 1}
    repeated = sum(len(by_guid[guid]) for guid in shared_guids)
    shared_pages = {page: holders for page, holders in by_page.items() if len(holders) > 1}
    anchored = (
        page
        for page, holders in shared_pages.items()
        if len({item.url.partition("#")[2] for item in holders} - {""}) == len(holders)
    )
    policy: GuidPolicy | None = "shared" if 2 * repeated > len(entries) else None
    return Repeats(frozenset(shared_guids), frozenset(shared_pages), frozenset(anchored), policy)


def identify_entry(article: Article, item: RawItem, repeats: Repeats, policy: GuidPolicy | None) -> Article:
    """Give an article the keys of its entry, and the anchor of its entry on a page of many.

    A paper, a repository or a post with a strong key of its own needs none: it is the same thing under any identifier.

    Args:
        article: made of the item.
        item: as the feed gave it.
        repeats: among the entries of the item's reply.
        policy: the source's; None counts as `stable`.

    Returns:
        The article; `entry_keys` are empty where its address identifies it as well as anything.
    """
    if not all(key.startswith(("https://", "http://")) for key in article.keys):
        return article
    page, _, anchor = item.url.partition("#")
    if page in repeats.anchored_pages and "#" not in article.url:
        keys = tuple(f"{key}#{anchor}" for key in article.keys)
        article = replace(article, url=f"{article.url}#{anchor}", keys=keys)
    entry_keys = []
    lasts = item.guid and item.guid not in repeats.shared_guids and not _REISSUE.fullmatch(item.guid)
    if item.guid and lasts and policy in (None, "stable"):
        entry_keys.append(_make_key(article.source, "guid", item.guid))
    if page in repeats.shared_pages:
        entry_keys.append(_make_key(article.source, "title", article.url, fold(item.title), item.published or ""))
    return replace(article, entry_keys=tuple(entry_keys)) if entry_keys else article


def identify_post(article: Article, source: Source) -> Article:
    """Give a post of one account the keys by which another mirror's post is known as the same one.

    Mirrors give one post short or long addresses, and an account's own site gives it another. Within one account, an
    equal title within half a day is the same post: days from midnight and days from noon, of which two such times
    share at least one.
    """
    one_account = source.kind == "wechat" and bool(source.ways or source.account)
    if not one_account or article.published.precision not in _TO_THE_HOUR:
        return article
    title = fold(article.title)
    if len(title) < _SHORTEST_POST_TITLE:
        return article
    starts = (article.published.at.timestamp() // _DAY, (article.published.at.timestamp() + _DAY / 2) // _DAY + 0.5)
    keys = (_make_key(article.source, "post", title, str(start), prefix=POST) for start in starts)
    return replace(article, keys=(*article.keys, *keys))


def find_repeats_by_source(entries: Iterable[tuple[str, datetime, ListedEntry]]) -> Mapping[str, Repeats]:
    """By source, what the entries of its replies share: entries of one source with one time of fetch are of one reply.

    Args:
        entries: of the raw items of the store, each after its source and the time of its fetch.
    """
    fetched: dict[str, dict[datetime, list[ListedEntry]]] = defaultdict(lambda: defaultdict(list))
    for source, fetched_at, entry in entries:
        fetched[source][fetched_at].append(entry)
    return {source: merge_repeats(map(find_repeats, replies.values())) for source, replies in fetched.items()}


def merge_repeats(all_repeats: Iterable[Repeats]) -> Repeats:
    """What the entries of any reply share."""
    merged = Repeats()
    for repeats in all_repeats:
        merged = Repeats(
            merged.shared_guids | repeats.shared_guids,
            merged.shared_pages | repeats.shared_pages,
            merged.anchored_pages | repeats.anchored_pages,
        )
    return merged


def choose_policy(
    of_row: GuidPolicy | None, stored: GuidPolicy | None, repeats: Repeats = Repeats()
) -> GuidPolicy | None:
    """The policy by which the entries of a reply are read: the editor's word first, then what the reply shows.

    Args:
        of_row: of the source's row in sources.toml.
        stored: what former replies showed.
        repeats: among the entries of the reply.
    """
    return of_row or repeats.policy or stored


def observe_policy(policy: GuidPolicy | None, entries: KnownEntries) -> GuidPolicy | None:
    """The policy to store after a reply of a feed.

    Args:
        policy: by which its entries were read.
        entries: how many of them are known.
    """
    if policy == "shared":
        return policy
    if entries.renamed >= _FEWEST_REBUILT and not entries.recognised:
        return "rebuilt"
    return policy or ("stable" if entries.entries else None)


def _page(url: str) -> str:
    return url.partition("#")[0]


def _make_key(source: str, kind: str, *fields: str, prefix: str = ENTRY) -> str:
    digest = sha256("\n".join(fields).encode(errors="surrogatepass")).hexdigest()[:24]
    return f"{prefix}{source}/{kind}/{digest}"
