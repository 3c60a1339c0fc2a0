"""GitHub's pages: what the recordings do not say already."""

from __future__ import annotations

import ast
import base64
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from costs import assert_twice_costs_at_most_three_times
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import Blocked, CrawlError, FetchFailed, Gone, PageChanged, RateLimited, SourceMisconfigured
from crawler.items import Page, Reply
from crawler.pages import github

NOW = datetime(2026, 11, 2, tzinfo=UTC)
SEARCH = "https://api.github.com/search/repositories?q=tinyml"


def reply(body: Any, url: str = SEARCH, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(url, status, headers or {}, raw, NOW)


def repository(**values: Any) -> dict[str, Any]:
    url = "https://github.com/Example-Lab/TinyNet"
    return {"full_name": "Example-Lab/TinyNet", "html_url": url, "stargazers_count": 5, **values}


def release(tag: str = "v1.3.0", **values: Any) -> dict[str, Any]:
    url = f"https://github.com/Example-Lab/TinyNet/releases/tag/{tag}"
    return {"tag_name": tag, "html_url": url, "draft": False, **values}


def test_owner_and_name_in_any_case_are_one_repository() -> None:
    (item,) = github.repository(reply(repository())).items
    assert item.ids == ("github:example-lab/tinynet",)
    assert item.title == "Example-Lab/TinyNet"


def test_watchers_are_who_watch_and_not_the_stars_under_their_old_name() -> None:
    (item,) = github.repository(reply(repository(watchers_count=5, subscribers_count=2))).items
    assert item.metrics == {"stars": 5, "watchers": 2}


def test_a_draft_is_never_offered() -> None:
    page = github.releases(reply([release(draft=True), release("v1.2.0")]))
    assert [item.facts["tag"] for item in page.items] == ["v1.2.0"]
    assert github.releases(reply(release(draft=True))).items == ()


@pytest.mark.parametrize(
    ("tag", "name", "title"),
    [
        ("v1.3.0", None, "TinyNet v1.3.0"),
        ("v1.3.0", "v1.3.0", "TinyNet v1.3.0"),
        ("v1.3.0", "Tiny Net 1.3.0", "Tiny Net 1.3.0"),
        ("v1.3.0", "Release 1.3.0", "TinyNet Release 1.3.0"),
        ("20261030", "int8 on every core", "TinyNet 20261030: int8 on every core"),
        ("tinynet-1.3", "", "tinynet-1.3"),
        ("tinynet-1.3", "Faster", "tinynet-1.3: Faster"),
    ],
)
def test_a_release_says_which_project_and_which_version(tag: str, name: str | None, title: str) -> None:
    (item,) = github.releases(reply(release(tag, name=name))).items
    assert item.title == title


def test_a_tag_with_a_slash_stays_whole() -> None:
    (item,) = github.releases(reply(release("nightly/2026-10"))).items
    assert item.ids == ("github:example-lab/tinynet@nightly/2026-10",)
    assert item.links[0].url == "https://github.com/Example-Lab/TinyNet"


@pytest.mark.parametrize(
    ("link", "followed"),
    [
        (f'<{SEARCH}&page=2>; rel="next", <{SEARCH}&page=9>; rel="last"', [f"{SEARCH}&page=2"]),
        (f'<{SEARCH}&page=1>; rel="prev", <{SEARCH}&page=3>; rel="next"', [f"{SEARCH}&page=3"]),
        ('<https://api.github.com:443/x>; rel="next"', ["https://api.github.com:443/x"]),
        (f'<{SEARCH}&page=1>; rel="first"', []),
        ('<https://elsewhere.example/x>; rel="next"', []),
        ('<https://api.github.com@elsewhere.example/x>; rel="next"', []),
        ('<http://api.github.com/x>; rel="next"', []),
        ('<file:///etc/hostname>; rel="next"', []),
        ('<https://[>; rel="next"', []),
        ("<" * 100, []),
        ("<x>" * 30, []),
    ],
)
def test_the_next_slice_is_asked_of_the_same_host_only(link: str, followed: list[str]) -> None:
    page = github.search(reply({"items": []}, headers={"link": link}))
    assert [ask.url for ask in page.asks] == followed


@pytest.mark.parametrize("unit", ["<", "<x>", '<x>; rel="', "; "])
def test_twice_as_long_a_link_header_costs_at_most_three_times_as_much(unit: str) -> None:
    def read(link: str) -> None:
        assert github.search(reply({"items": []}, headers={"link": link})).asks == ()

    half = unit * (50_000 // len(unit))
    assert_twice_costs_at_most_three_times(read, half, half * 2)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60),
        ({"retry-after": "5"}, 60),
        ({"retry-after": "900"}, 900),
        ({"retry-after": "Mon, 02 Nov 2026 01:00:00 GMT"}, 3600),
        ({"retry-after": "later"}, 60),
        ({"retry-after": "9" * 40}, 31 * 86400),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 1800)}, 1800),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) - 1800)}, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 11}, 31 * 86400),
        ({"retry-after": "900", "x-ratelimit-reset": str(int(NOW.timestamp()) + 1800)}, 900),
    ],
)
def test_github_is_asked_again_when_it_says_and_never_within_a_minute(headers: dict[str, str], seconds: int) -> None:
    with pytest.raises(RateLimited) as caught:
        github.search(reply({"message": "API rate limit exceeded"}, status=403, headers=headers))
    assert caught.value.retry_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("read", "status", "message", "error"),
    [
        (github.search, 429, "", RateLimited),
        (github.search, 403, "You have triggered an abuse detection mechanism", RateLimited),
        (github.search, 403, "Resource not accessible by personal access token", Blocked),
        (github.releases, 403, "Repository access blocked", Gone),
        (github.releases, 451, "Repository access blocked", Gone),
        (github.releases, 404, "Not Found", SourceMisconfigured),
        (github.repository, 404, "Not Found", Gone),
        (github.trending, 404, "", SourceMisconfigured),
        (github.trending, 429, "", RateLimited),
        (github.search, 401, "Bad credentials", SourceMisconfigured),
        (github.search, 422, "Validation Failed", SourceMisconfigured),
        (github.repository, 301, "Moved Permanently", SourceMisconfigured),
        (github.search, 500, "", FetchFailed),
        (github.search, 204, "", PageChanged),
    ],
)
def test_a_refusal_is_an_error_named_for_the_fact_in_githubs_own_words(
    read: Callable[[Reply], Page], status: int, message: str, error: type[CrawlError]
) -> None:
    with pytest.raises(error) as caught:
        read(reply({"message": message}, status=status))
    assert caught.value.detail.values.get("message", "") == message
    assert caught.value.url == SEARCH


def test_a_single_release_that_is_missing_is_gone_and_no_mistake_of_a_source() -> None:
    with pytest.raises(Gone):
        github.releases(reply({"message": "Not Found"}, "https://api.github.com/repos/a/b/releases/tags/v1", 404))


def test_a_refused_token_says_where_the_token_stands() -> None:
    with pytest.raises(SourceMisconfigured, match="github-token"):
        github.search(reply({"message": "Bad credentials"}, status=401))


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"items": [{"login": "ada-example", "type": "User"}]}, "github/user"),
        ({"items": [{"number": 1, "title": "t", "state": "open"}]}, "github/issue"),
        ([repository()], "github/list: first .github/repository"),
        ([], "github/empty-list"),
        ({"resources": {}, "rate": {}}, "github/limit"),
        ({"novelty": 1}, "github/unknown"),
        (3, "github/value"),
    ],
)
def test_another_answer_is_refused_by_name(document: object, name: str) -> None:
    with pytest.raises(PageChanged, match=name):
        github.search(reply(document))


def test_values_of_the_wrong_type_are_left_out_and_never_guessed() -> None:
    odd = repository(
        description=["a"], topics={"a": 1}, license="MIT", stargazers_count=10**30, forks_count=True, homepage="ftp://x"
    )
    (item,) = github.search(reply({"items": [odd, repository(html_url="javascript:alert(1)")]})).items
    assert (item.summary, item.tags, item.facts, item.metrics, item.links) == (None, (), {}, {}, ())


def test_half_a_surrogate_pair_can_be_stored() -> None:
    (item,) = github.releases(reply(release(body="broken \ud83d rocket"))).items
    assert item.to_json().encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
records = st.fixed_dictionaries(
    {"full_name": json_values, "html_url": json_values, "stargazers_count": json_values},
    optional={"tag_name": json_values, "draft": json_values, "license": json_values, "topics": json_values},
)


@settings(max_examples=150)
@given(json_values | records | st.lists(records, max_size=2) | st.fixed_dictionaries({"items": st.lists(records)}))
def test_no_json_raises_anything_but_a_named_error(document: Any) -> None:
    for read in (github.search, github.releases, github.repository):
        for status in (200, 403, 422):
            try:
                read(reply(document, status=status))
            except CrawlError as error:
                assert error.url == SEARCH  # noqa: PT017  (most documents are refused, some are not)


@pytest.mark.parametrize("body", [b"", b"\0" * 100, b"[" * 100_000, b"<div>" * 50_000, "量化".encode("gbk")])
def test_a_broken_body_is_an_unknown_page(body: bytes) -> None:
    for read in (github.search, github.releases, github.repository, github.trending):
        with pytest.raises(PageChanged):
            read(reply(body))


def recorded(path: Path) -> Iterator[Reply]:
    """The replies in another project's recording: a Betamax cassette, an Octokit fixture, a PyGithub replay."""
    text = path.read_text("utf-8")
    if path.suffix == ".txt":
        lines = text.split("\n")
        for block in (lines[at : at + 11] for at in range(0, len(lines) - 9, 11)):
            headers = dict(ast.literal_eval(block[8]))
            yield Reply(f"https://{block[2]}{block[4]}", int(block[7]), lower(headers), block[9].encode(), NOW)
        return
    content = json.loads(text)
    if isinstance(content, list):
        for one in content:
            body = one["response"] if isinstance(one["response"], str) else json.dumps(one["response"])
            yield Reply(one["scope"] + one["path"], one["status"], lower(one.get("headers", {})), body.encode(), NOW)
        return
    for one in content["http_interactions"]:
        answer, status = one["response"], one["response"].get("status_code") or one["response"]["status"]["code"]
        packed = base64.b64decode(answer["body"].get("base64_string", ""))
        raw = gzip.decompress(packed) if packed else answer["body"].get("string", "").encode()
        yield Reply(one["request"]["uri"], status, lower(answer["headers"]), raw, NOW)


def lower(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): ", ".join(v) if isinstance(v, list) else str(v) for name, v in headers.items()}


@pytest.mark.corpus
def test_every_recorded_answer_is_read_or_refused_by_name(corpus: Path) -> None:
    outcomes: Counter[str] = Counter()
    for path in sorted((corpus / "github/rest").rglob("*.*")):
        for one in recorded(path):
            for read in (github.search, github.releases, github.repository):
                try:
                    page = read(one)
                except CrawlError as error:
                    outcomes[type(error).__name__] += 1
                    outcomes["nameless"] += "github/unknown" in str(error.detail)
                else:
                    outcomes[read.__name__] += 1
                    assert page.items, (path.name, one.url)
                    assert not page.warnings, (path.name, page.warnings)
    assert not outcomes["nameless"], outcomes
    assert outcomes["search"] >= 1, outcomes
    assert outcomes["releases"] >= 7, outcomes
    assert outcomes["repository"] >= 10, outcomes
    assert outcomes["RateLimited"] >= 6, outcomes


@pytest.mark.corpus
def test_saved_trending_pages_say_what_was_expected_of_them(corpus: Path) -> None:
    pages = sorted((corpus / "github/trending").glob("*.html"))
    assert pages
    for path in pages:
        saved = reply(path.read_bytes(), "https://github.com/trending")
        if "developers" in path.name:
            with pytest.raises(PageChanged, match="trending-developers"):
                github.trending(saved)
            continue
        page = github.trending(saved)
        assert len(page.items) >= 20, path.name
        assert not page.warnings, path.name
        truth = path.with_suffix(".json")
        if truth.is_file():
            for item, expected in zip(page.items, json.loads(truth.read_text("utf-8")), strict=True):
                said = "".join((item.summary or "").split())
                assert item.title == f"{expected['username']}/{expected['repositoryName']}"
                assert said == "".join((expected["description"] or "").split())
                assert item.facts.get("language") == expected["language"]
                counts = {"stars": "totalStars", "forks": "forks", "stars_today": "starsSince"}
                assert {name: item.metrics.get(name) for name in counts} == {
                    name: expected[field] for name, field in counts.items()
                }
