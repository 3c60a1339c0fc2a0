"""GitHub: REST answers (search, releases, one repository), and the trending page, which has no API.

Sources: docs.github.com/rest (search, releases, rate limits, troubleshooting), recorded answers and saved pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote

from bs4 import Tag

from crawler.errors import (
    Blocked,
    CrawlError,
    Detail,
    FetchFailed,
    Gone,
    NotUnderstood,
    PageChanged,
    RateLimited,
    SourceMisconfigured,
)
from crawler.items import Ask, Link, Page, RawItem, Reply
from crawler.markup.emoji import read_emoji_codes
from crawler.markup.html import collapse, soup
from crawler.markup.records import read_each
from crawler.waiting import retry_after, within_reason

_SHORTEST_WAIT: Final = timedelta(seconds=60)
"""The wait that GitHub wants where it names no time (docs.github.com/rest, rate limits)."""

# Seen 2026-11: API rate limit exceeded for 203.0.113.7.
_QUOTA_WORDS: Final = re.compile(r"rate limit|abuse detection|too many requests", re.I)
# Seen 2026-11: Repository unavailable due to DMCA takedown.
_GONE_WORDS: Final = re.compile(r"repository (?:access blocked|unavailable)|dmca", re.I)

_REPOSITORY: Final = frozenset({"full_name", "html_url", "stargazers_count"})
_RELEASE: Final = frozenset({"tag_name", "html_url", "draft"})
_SHAPES: Final[Mapping[frozenset[str], str]] = {
    _REPOSITORY: "github/repository",
    _RELEASE: "github/release",
    frozenset({"browser_download_url"}): "github/asset",
    frozenset({"starred_at", "repo"}): "github/starred",
    frozenset({"number", "title", "state"}): "github/issue",
    frozenset({"sha", "commit"}): "github/commit",
    frozenset({"sha", "path"}): "github/file",
    frozenset({"login", "type"}): "github/user",
    frozenset({"display_name", "curated"}): "github/topic",
    frozenset({"color", "default"}): "github/label",
    frozenset({"files", "forks_url"}): "github/gist",
    frozenset({"events", "supported_events"}): "github/hook",
    frozenset({"resources", "rate"}): "github/limit",
    frozenset({"current_user_url"}): "github/addresses",
    frozenset({"message", "documentation_url"}): "github/message",
}
"""Answers of the REST API by the field names that identify them, each with the code of its name; the first row that
fits."""

_METRICS: Final = {
    "stars": "stargazers_count",
    "forks": "forks_count",
    "watchers": "subscribers_count",  # `watchers_count` is the stars under an old name
    "open_issues": "open_issues_count",
}

# Seen 2026-11: Tencent/ncnn
_FULL_NAME: Final = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
# Seen 2026-11: https://github.com/Tencent/ncnn/releases/tag/20251108
_RELEASE_PAGE: Final = re.compile(r"https?://[^/\s]+/(?P<repository>[\w.-]+/[\w.-]+)/releases/tag/\S+", re.ASCII)
# Seen 2026-11: <https://api.github.com/search/repositories?q=tinyml&page=2>; rel="next"
_NEXT_LINK: Final = re.compile(r'<([^<>]+)>\s*;[^<>]*\brel="next"')
_TRENDING_COUNTS: Final = (
    ":scope > div > a[href*='/stargazers']",
    ":scope > div > :is(a[href*='/forks'], a[href*='/network/members'])",
)
"""The links with the stars and the forks in a row of the trending page; older pages have the last form."""
# Seen 2026-11: 1,204 stars today
_STARS_GAINED: Final = re.compile(r"([\d,]{1,12}) stars? (today|this week|this month)")


def search(reply: Reply) -> Page:
    """Read an answer of `/search/repositories`.

    Returns:
        Repositories as `repository` reads them, and an ask for the next slice where the Link header names one.
        A search that GitHub cut short (`incomplete_results`) is a warning.

    Raises:
        SourceMisconfigured: GitHub refuses the query or the token; the detail has its words.
        RateLimited, Blocked, FetchFailed, PageChanged: as everywhere.
    """
    answer = _answer(reply, missing=SourceMisconfigured)
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        raise PageChanged("no-github-search", url=reply.url, document=_name(answer))
    items, warnings = _read_records(answer["items"], _REPOSITORY, _repository_item, reply)
    if answer.get("incomplete_results") is True:
        warnings = (*warnings, Detail.of("github-incomplete"))
    return Page(items, _next_slice(reply, "github.search"), warnings)


def releases(reply: Reply) -> Page:
    """Read an answer of `/repos/<owner>/<name>/releases`, or one release of it. Drafts are left out.

    A release's notes are Markdown, in `text`; `prerelease` among the facts is `true` or missing.

    Raises:
        SourceMisconfigured: GitHub knows no such repository, or refuses the token.
        Gone: GitHub knows no such single release (any more).
        RateLimited, Blocked, FetchFailed, PageChanged: as everywhere.
    """
    answer = _answer(reply, missing=Gone if "/releases/" in reply.url else SourceMisconfigured)
    records = answer if isinstance(answer, list) else [answer]
    public = [record for record in records if not (_fits(record, _RELEASE) and record["draft"] is True)]
    items, warnings = _read_records(public, _RELEASE, _release_item, reply)
    return Page(items, _next_slice(reply, "github.releases"), warnings)


def repository(reply: Reply) -> Page:
    """Read an answer of `/repos/<owner>/<name>`.

    A repository is dated by when it was made (`created_at`), for an editor looks for new projects; its newest push
    (`pushed_at`) is `updated`. `language` among the facts is the programming language; `archived` and `fork` are
    `true` or missing.

    Raises:
        Gone: GitHub knows no such repository (any more), or blocks it.
        RateLimited, Blocked, FetchFailed, PageChanged, SourceMisconfigured: as everywhere.
    """
    answer = _answer(reply, missing=Gone)
    items, _ = _read_records([answer], _REPOSITORY, _repository_item, reply)
    return Page(items)


def trending(reply: Reply) -> Page:
    """Read `github.com/trending`, of all languages or of one. The page has no dates.

    Raises:
        SourceMisconfigured: GitHub knows no such page.
        RateLimited, Blocked, FetchFailed, PageChanged: as everywhere; PageChanged also for the page of developers.
    """
    _refuse_status(reply, missing=SourceMisconfigured)
    page = soup(reply.body.decode("utf-8", "replace"))
    rows = page.select("article.Box-row")
    if not rows and page.select_one(".blankslate"):
        return Page()
    if not rows:
        raise PageChanged("no-trending-row", url=reply.url)
    if str(rows[0].get("id", "")).startswith("pa-"):
        raise PageChanged("trending-developers", url=reply.url)
    items, warnings = read_each(rows, _trending_item, reply)
    return Page(items, warnings=warnings)


def _answer(reply: Reply, *, missing: type[CrawlError]) -> Any:
    """The JSON document of a REST answer."""
    _refuse_status(reply, missing=missing)
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise PageChanged("not-json", url=reply.url, status=reply.status) from error


def _refuse_status(reply: Reply, *, missing: type[CrawlError]) -> None:
    """Raise the error that a status other than 200 means (docs.github.com/rest, troubleshooting and rate limits).

    Args:
        missing: the error for a 404: `Gone` for a linked repository, `SourceMisconfigured` for a source's row.
    """
    status, url = reply.status, reply.url
    if status == 200:
        return
    message = _words(reply.body)
    code = "github-says" if message else "github-status"
    values: dict[str, Any] = {"url": url, "status": status, **({"message": message} if message else {})}
    if status == 429 or (status == 403 and _out_of_quota(reply.headers, message)):
        raise RateLimited(code, retry_at=_retry_at(reply), **values)
    if status in (410, 451) or (status == 403 and _GONE_WORDS.search(message)):
        raise Gone(code, **values)
    if status == 404:
        raise missing(f"{code}/missing", **values)
    if status == 401:
        raise SourceMisconfigured(code, remedy="github-token", **values)
    if status in (301, 302, 307, 308):
        raise SourceMisconfigured(f"{code}/renamed", remedy="new-name", **values)
    if status == 422:
        raise SourceMisconfigured(code, **values)
    if status == 403:
        raise Blocked(code, **values)
    if status >= 500:
        raise FetchFailed(code, **values)
    raise PageChanged(code, **values)


def _words(body: bytes) -> str:
    """GitHub's own words in a refusal: its message, and the messages of its single errors; at most 300 characters.

    >>> _words(b'{"message": "Validation Failed", "errors": [{"message": "The query is too long."}]}')
    'Validation Failed. The query is too long.'
    """
    try:
        refusal = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(refusal, dict):
        return ""
    errors = refusal["errors"] if isinstance(refusal.get("errors"), list) else []
    messages = (_line(part.get("message")) for part in (refusal, *errors) if isinstance(part, dict))
    return ". ".join(filter(None, messages))[:300]


def _out_of_quota(headers: Mapping[str, str], message: str) -> bool:
    return headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers or bool(_QUOTA_WORDS.search(message))


def _retry_at(reply: Reply) -> datetime:
    """Retry-After, else when the quota is filled again; never within a minute."""
    earliest = reply.fetched_at + _SHORTEST_WAIT
    reset = reply.headers.get("x-ratelimit-reset", "")
    retry_at = retry_after(reply.headers, reply.fetched_at)
    if retry_at is None and re.fullmatch(r"[0-9]{1,11}", reset):
        retry_at = within_reason(datetime.fromtimestamp(int(reset), UTC), reply.fetched_at)
    return max(retry_at or earliest, earliest)


def _next_slice(reply: Reply, page: str) -> tuple[Ask, ...]:
    """An ask for the `next` address of the Link header; only on the same host, because a token may go with it."""
    link = _NEXT_LINK.search(reply.headers.get("link", ""))
    return (Ask(link[1], page),) if link and _origin(link[1]) == _origin(reply.url) else ()


def _origin(url: str) -> str:
    """Scheme, host and port, the usual ports left out.

    >>> _origin("https://api.github.com:443/search/repositories?q=ncnn")
    'https://api.github.com'
    """
    match = re.match(r"(https?://[^/?#]+?)(?::443|:80)?(?:[/?#]|$)", url)
    return match[1].lower() if match else ""


def _read_records(
    records: Sequence[Any], shape: frozenset[str], read: Callable[[Any, Reply], RawItem], reply: Reply
) -> tuple[tuple[RawItem, ...], tuple[Detail, ...]]:
    """The items among JSON records of one shape; where none has it, the answer is something else."""
    fitting = [record for record in records if _fits(record, shape)]
    if records and not fitting:
        raise PageChanged("other-answer", url=reply.url, document=_name(records[0]), expected=Detail.of(_SHAPES[shape]))
    items, warnings = read_each(fitting, read, reply)
    misfits = (
        Detail.of("other-record", document=_name(record), expected=Detail.of(_SHAPES[shape]))
        for record in records
        if not _fits(record, shape)
    )
    return items, (*misfits, *warnings)


def _fits(record: Any, shape: frozenset[str]) -> bool:
    return isinstance(record, dict) and shape <= record.keys()


def _name(document: Any) -> Detail:
    """The name of an answer: search results with a user."""
    if isinstance(document, list):
        return Detail.of("github/list", first=_name(document[0])) if document else Detail.of("github/empty-list")
    if not isinstance(document, dict):
        return Detail.of("github/value")
    if isinstance(document.get("items"), list) and document["items"]:
        return Detail.of("github/results", first=_name(document["items"][0]))
    return Detail.of(next((code for shape, code in _SHAPES.items() if shape <= document.keys()), "github/unknown"))


def _repository_item(record: Mapping[str, Any], reply: Reply) -> RawItem:
    full_name = _line(record["full_name"])
    if not _FULL_NAME.fullmatch(full_name):
        raise NotUnderstood("no-repository", name=full_name[:100])
    owner = full_name.split("/")[0]
    homepage = _line(record.get("homepage"))
    topics = record.get("topics")
    return RawItem(
        kind="github",
        url=_web_address(record["html_url"]),
        title=full_name,
        fetched_at=reply.fetched_at,
        published=_line(record.get("created_at")) or None,
        updated=_line(record.get("pushed_at")) or None,
        publisher=owner,
        summary=read_emoji_codes(_line(record.get("description"))) or None,
        links=(Link("related", homepage),) if homepage.startswith(("https://", "http://")) else (),
        ids=(f"github:{full_name.lower()}",),
        tags=tuple(filter(None, map(_line, topics))) if isinstance(topics, list) else (),
        metrics={name: record[field] for name, field in _METRICS.items() if _is_count(record.get(field))},
        facts=_facts(
            language=_line(record.get("language")),
            license=_license(record.get("license")),
            archived="true" if record.get("archived") is True else "",
            fork="true" if record.get("fork") is True else "",
        ),
    )


def _is_count(field: Any) -> bool:
    return type(field) is int and 0 <= field < 2**53


def _license(license_: Any) -> str:
    """The SPDX name, or the name in words where there is none.

    >>> _license({"spdx_id": "NOASSERTION", "name": "Other"})
    'Other'
    """
    if not isinstance(license_, dict):
        return ""
    spdx = _line(license_.get("spdx_id"))
    return spdx if spdx not in ("", "NOASSERTION") else _line(license_.get("name"))


def _release_item(record: Mapping[str, Any], reply: Reply) -> RawItem:
    url, tag = _web_address(record["html_url"]), _line(record["tag_name"])
    page = _RELEASE_PAGE.fullmatch(url)
    if not page or not tag:
        raise NotUnderstood("no-release-page", address=url[:200])
    full_name = page["repository"]
    owner, name = full_name.split("/")
    author = record.get("author")
    person = author if isinstance(author, dict) and author.get("type") != "Bot" else {}
    return RawItem(
        kind="github",
        url=url,
        title=release_title(name, tag, read_emoji_codes(_line(record.get("name")))),
        fetched_at=reply.fetched_at,
        published=_line(record.get("published_at")) or None,
        updated=_line(record.get("updated_at")) or None,
        author=_line(person.get("login")) or None,
        publisher=owner,
        text=read_emoji_codes(_block(record.get("body"))) or None,
        links=(Link("related", url.split("/releases/tag/")[0]),),
        ids=(f"github:{full_name.lower()}@{tag}",),
        facts=_facts(repository=full_name, tag=tag, prerelease="true" if record.get("prerelease") is True else ""),
    )


def release_of_entry(item: RawItem) -> RawItem | None:
    """The release that a feed's entry leads to, as the API would give it; None for any other entry."""
    page = _RELEASE_PAGE.fullmatch(item.url)
    if not page or "://github." not in item.url:
        return None
    full_name, tag = page["repository"], unquote(item.url.rpartition("/releases/tag/")[2])
    owner, name = full_name.split("/")
    return replace(
        item,
        kind="github",
        title=release_title(name, tag, read_emoji_codes(item.title)),
        publisher=owner,
        links=(Link("related", item.url.split("/releases/tag/")[0]),),
        ids=(f"github:{full_name.lower()}@{tag}",),
        facts={**item.facts, "repository": full_name, "tag": tag},
    )


def release_title(repository: str, tag: str, name: str) -> str:
    """A title with project and version, with or without the help of the release's own name.

    >>> release_title("ncnn", "20240410", "")
    'ncnn 20240410'
    >>> release_title("ncnn", "20240410", "Faster convolution on ARM")
    'ncnn 20240410: Faster convolution on ARM'
    >>> release_title("tensorflow", "v2.16.1", "TensorFlow 2.16.1")
    'TensorFlow 2.16.1'
    >>> release_title("MNN", "3.0.1", "Release 3.0.1")
    'MNN Release 3.0.1'
    """
    names_tag = tag.lower().removeprefix("v") in name.lower()
    names_repository = _letters(repository) in _letters(name)
    versioned = tag if _letters(repository) in _letters(tag) else f"{repository} {tag}"
    if name in ("", tag):
        return versioned
    if names_tag:
        return name if names_repository else f"{repository} {name}"
    return f"{versioned}: {name}"


def _letters(text: str) -> str:
    """Letters and digits only, without case: `ONNX Runtime` is `onnxruntime`."""
    return "".join(filter(str.isalnum, text.casefold()))


def _trending_item(row: Tag, reply: Reply) -> RawItem:
    heading = row.select_one("h1 a[href], h2 a[href]")
    full_name = str(heading["href"]).strip("/") if heading else ""
    if not _FULL_NAME.fullmatch(full_name):
        raise NotUnderstood("no-repository", name=full_name[:100])
    stars, forks = (_number(_content(row, selector)) for selector in _TRENDING_COUNTS)
    gained = _STARS_GAINED.search(_content(row, ":scope > div > span:last-of-type"))
    metrics = {"stars": stars, "forks": forks}
    if gained:
        metrics[f"stars_{gained[2].replace(' ', '_')}"] = int(gained[1].replace(",", ""))
    return RawItem(
        kind="github",
        url=f"https://github.com/{full_name}",
        title=full_name,
        fetched_at=reply.fetched_at,
        publisher=full_name.split("/")[0],
        summary=_content(row, ":scope > p") or None,
        ids=(f"github:{full_name.lower()}",),
        metrics={name: number for name, number in metrics.items() if number is not None},
        facts=_facts(language=_content(row, "[itemprop=programmingLanguage]")),
    )


def _content(row: Tag, selector: str) -> str:
    """The text within the first element that the selector finds, white space collapsed; empty where there is none."""
    node = row.select_one(selector)
    return collapse(node.get_text()) if node else ""


def _number(text: str) -> int | None:
    digits = text.replace(",", "")
    return int(digits) if re.fullmatch(r"[0-9]{1,12}", digits) else None


def _web_address(field: Any) -> str:
    """An http(s) address.

    Raises:
        ValueError: it is none; GitHub's answers hold full addresses only.
    """
    url = _line(field)
    if not url.startswith(("https://", "http://")):
        raise NotUnderstood("no-web-address", address=url[:100])
    return url


def _block(field: Any) -> str:
    """A JSON string, fit to be stored: half of a surrogate pair becomes a question mark. Empty for anything else."""
    return field.encode("utf-8", "replace").decode() if isinstance(field, str) else ""


def _line(field: Any) -> str:
    """A JSON string in one line, white space collapsed; empty for anything else."""
    return collapse(_block(field))


def _facts(**facts: str) -> dict[str, str]:
    return {name: text for name, text in facts.items() if text}
