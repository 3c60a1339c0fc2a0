"""The values that flow through the crawler: replies, items, requests, batches."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, Self

from crawler.errors import Detail, Failure
from crawler.kinds import Kind

WARNING: Final = "Warning"
"""`Problem.error` of a fact that is no error."""

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode

_NO_TIME: Final = "1970-01-01T00:00:00+00:00"

LinkRelation = Literal["original", "reprint-of", "paper", "code", "doi", "related"]
"""`original`: 阅读原文. `reprint-of`: the article that this one reprints. `related`: any other link set apart."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, or one saved file standing for it.

    Args:
        url: the address that answered, after redirects.
        status: HTTP status; 200 for a saved file.
        headers: lower-case names; a header sent twice is joined by `", "`.
        body: the bytes after content-decoding.
        fetched_at: aware; 「3小时前」 on the page counts from it.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime

    def __post_init__(self) -> None:
        if self.fetched_at.tzinfo is None:
            raise ValueError("Reply.fetched_at must be aware: relative dates are read against it")


@dataclass(frozen=True, slots=True)
class Link:
    """A link that the page itself sets apart (阅读原文, a PDF, the reprinted article), not one inside the text."""

    relation: LinkRelation
    url: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class RawItem:
    """One thing a page offers, in the page's own words: nothing is normalised yet.

    Args:
        kind: the kind of page that it came from.
        url: as the page gave it, made absolute.
        title: as the page gave it; character references decoded, white space collapsed.
        fetched_at: when the reply was fetched; aware.
        published, updated: dates as written: `1762475508`, `2025-11-07 08:31`, `3小时前`.
        further_dates: of publication, as written in other places; they count where `published` cannot be read.
        author: a person.
        publisher: the WeChat account, the Zhihu column, the site.
        html: main content as HTML, untrusted.
        text: main content as plain text, where the page has no HTML.
        summary: the page's own digest, abstract or description; plain text.
        image: lead image.
        links: links that the page sets apart.
        guid: the feed's own identifier of the entry: RSS guid, Atom id, JSON Feed id. It holds within its source alone.
        ids: strong keys that the page knows and its URL may not tell: `wechat:<biz>/<mid>/<idx>`,
            `wechat:<token>`, `zhihu:p/<id>`, `arxiv:<id without version>`, `github:<owner>/<repo>` in lower case.
        tags: the page's own categories.
        language: as the page declares it.
        metrics: numbers that change by themselves (stars, votes); never a reason for a revision.
        facts: further fields of the site that a later stage uses (`announce_type`, `version`, `comment`, `tag`).
    """

    kind: Kind
    url: str
    title: str
    fetched_at: datetime
    published: str | None = None
    updated: str | None = None
    further_dates: tuple[str, ...] = ()
    author: str | None = None
    publisher: str | None = None
    html: str | None = None
    text: str | None = None
    summary: str | None = None
    image: str | None = None
    links: tuple[Link, ...] = ()
    guid: str | None = None
    ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str | None = None
    metrics: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The item as one JSON object, keys sorted, fields at their default left out."""
        return _ENCODE(self._row() | {"fetched_at": self.fetched_at.isoformat()})

    def to_lasting_json(self) -> str:
        """As `to_json`, without what changes at each crawl: the metrics, and the time of the fetch, which is 1970."""
        row = self._row() | {"fetched_at": _NO_TIME}
        row.pop("metrics", None)
        return _ENCODE(row)

    def _row(self) -> dict[str, Any]:
        names: tuple[str, ...] = self.__slots__
        row = {name: member for name in names if (member := getattr(self, name)) not in (None, (), {})}
        if self.links:
            row["links"] = [asdict(link) for link in self.links]
        return row

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an item that `to_json` wrote.

        Raises:
            TypeError: a field that RawItem does not have.
            KeyError: a field that every item has is missing.
        """
        values: dict[str, Any] = json.loads(text)
        values["fetched_at"] = datetime.fromisoformat(values["fetched_at"])
        values["links"] = tuple(Link(**link) for link in values.get("links", ()))
        for name in ("further_dates", "ids", "tags"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that a source or a page wants made.

    Args:
        url: absolute, http or https.
        page: which page function reads the answer, as named in `crawler.pages.PAGES`: `wechat.article`.
        headers: further request headers.
        expects: item this answer completes (its URL in the list); empty for a list page.
        shared: several sources of one run want the same answer, so it is requested once.
    """

    url: str
    page: str
    headers: Mapping[str, str] = field(default_factory=dict)
    expects: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The result of a page function.

    Args:
        items: in the page's order.
        asks: further requests (the next slice of a list).
        warnings: a fact for each record that was not understood; the other records stand.
        is_cut_short: whether the reply broke off; the items are those before the break.
    """

    items: tuple[RawItem, ...] = ()
    asks: tuple[Ask, ...] = ()
    warnings: tuple[Detail, ...] = ()
    is_cut_short: bool = False


@dataclass(frozen=True, slots=True)
class SourceState:
    """The state that a source's run leaves for the next one.

    Args:
        etag, last_modified: validators of the source's first request, verbatim.
        cursor: the spider's own notes, JSON values only; no other room reads them.
    """

    etag: str | None = None
    last_modified: str | None = None
    cursor: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a source's run could not do.

    Args:
        url: where.
        error: the error's class name: `Blocked`; or `WARNING`.
        detail: the fact.
        remedy: advice to the editor; None where the error's own serves.
        fails_source: False for one lost page (a deleted post), True when the source's run failed.
        retry_at: when the site allows another try, if it said so.
    """

    url: str
    error: str
    detail: Detail
    fails_source: bool = True
    retry_at: datetime | None = None
    remedy: Detail | None = None

    @property
    def failure(self) -> Failure:
        """The problem as it is stored."""
        return Failure("" if self.error == WARNING else self.error, self.detail, self.remedy)


@dataclass(frozen=True, slots=True)
class Traffic:
    """How often a run asked since the last batch, and what it got.

    Args:
        requests: that the run made; tries after a failure of the network count once.
        replies: that came, also 304 and refusals.
        size: bytes of the replies after content-decoding.
    """

    requests: int = 0
    replies: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a run for the pipelines: one for each reply with items, and a last one for each source.

    Args:
        source: the source's id.
        items: may be empty.
        problems: since the last batch.
        state: only in the last batch of a run that read all it wanted; commits with the items. Until then the
            stored state stays, so that all that was not committed is asked for again.
        finished: True in the last batch of the source's run.
        answered_by: the host that answered with the last list so far, after redirects; empty before, and for 304.
        traffic: since the last batch.
    """

    source: str
    items: tuple[RawItem, ...] = ()
    problems: tuple[Problem, ...] = ()
    state: SourceState | None = None
    finished: bool = False
    answered_by: str = ""
    traffic: Traffic = Traffic()


def join_batches(batches: Sequence[Batch]) -> Batch:
    """Make one batch of batches that follow each other in a run.

    Args:
        batches: of one source, not empty, in order.

    Returns:
        A batch with all their items, problems and traffic, and with the state of the last one.
    """
    return replace(
        batches[-1],
        items=tuple(item for batch in batches for item in batch.items),
        problems=tuple(problem for batch in batches for problem in batch.problems),
        traffic=Traffic(
            sum(batch.traffic.requests for batch in batches),
            sum(batch.traffic.replies for batch in batches),
            sum(batch.traffic.size for batch in batches),
        ),
    )
