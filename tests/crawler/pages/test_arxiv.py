"""arXiv's pages: what the recordings do not say already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from costs import assert_twice_costs_at_most_three_times
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import Blocked, CrawlError, Detail, FetchFailed, PageChanged, RateLimited, SourceMisconfigured
from crawler.items import Reply
from crawler.pages import arxiv

NOW = datetime(2026, 11, 2, tzinfo=UTC)
QUERY = "https://export.arxiv.org/api/query?search_query=cat:cs.LG+AND+abs:%22int8%22&max_results=2"


def reply(body: str | bytes, url: str = QUERY, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(url, status, headers or {}, body.encode() if isinstance(body, str) else body, NOW)


def answer(*names: str, total: int = 0, start: int = 0, before: str = "", title: str = "On Small Numbers") -> str:
    """An API answer with one bare entry for each name."""
    entries = "".join(f"<entry><id>{name}</id><title>{title}</title></entry>" for name in names)
    return (
        f'{before}<feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">'
        f"<opensearch:totalResults>{total}</opensearch:totalResults>"
        f"<opensearch:startIndex>{start}</opensearch:startIndex>{entries}</feed>"
    )


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("http://arxiv.org/abs/2103.15348v1", "arxiv:2103.15348"),
        ("https://arxiv.org/abs/2103.15348v12", "arxiv:2103.15348"),
        ("https://export.arxiv.org/abs/0704.0001", "arxiv:0704.0001"),
        ("http://arxiv.org/abs/hep-th/9901001v3", "arxiv:hep-th/9901001"),
        ("http://arxiv.org/abs/math.GT/0309136v1", "arxiv:math/0309136"),
        ("http://arxiv.org/abs/cond-mat.mes-hall/0309136", "arxiv:cond-mat/0309136"),
    ],
)
def test_a_paper_has_one_name_whatever_its_version_and_the_age_of_its_id(written: str, key: str) -> None:
    (item,) = arxiv.api(reply(answer(written, total=1))).items
    assert item.ids == (key,)
    assert item.url == f"https://arxiv.org/abs/{key.removeprefix('arxiv:')}"


def test_the_next_slice_keeps_every_other_parameter_as_it_was_written() -> None:
    (ask,) = arxiv.api(reply(answer("http://arxiv.org/abs/2103.15348v1", total=9, start=4), f"{QUERY}&start=4")).asks
    assert ask.url == f"{QUERY}&start=5"
    assert ask.page == "arxiv.api"


@pytest.mark.parametrize(("total", "start"), [(1, 0), (5, 4), (100_000, 29_999)])
def test_no_slice_is_asked_past_the_last_paper_or_past_what_arxiv_serves(total: int, start: int) -> None:
    assert arxiv.api(reply(answer("http://arxiv.org/abs/2103.15348v1", total=total, start=start))).asks == ()


def test_one_entry_that_names_no_paper_is_a_warning_and_nothing_else_is_an_unknown_page() -> None:
    page = arxiv.api(reply(answer("http://arxiv.org/abs/2103.15348v1", "http://arxiv.org/abs/", total=2)))
    assert len(page.items) == 1
    assert page.warnings == (Detail.of("no-paper", name="http://arxiv.org/abs/"),)
    with pytest.raises(PageChanged, match="no-paper"):
        arxiv.api(reply(answer("http://arxiv.org/abs/", total=1)))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, "", RateLimited),
        (429, "Rate exceeded.", RateLimited),
        (200, "Rate exceeded.", RateLimited),
        (403, "<html>Access denied</html>", Blocked),
        (500, "", FetchFailed),
        (404, "<html/>", PageChanged),
        (400, answer(), PageChanged),
        (200, "", PageChanged),
        (200, "<html><body>welcome</body></html>", PageChanged),
        (200, answer(total=3)[:-10], PageChanged),
        (400, answer("http://arxiv.org/api/errors#bad_query", total=1), SourceMisconfigured),
    ],
)
def test_what_is_no_answer_is_an_error_named_for_the_fact(status: int, body: str, error: type[CrawlError]) -> None:
    with pytest.raises(error) as caught:
        arxiv.api(reply(body, status=status))
    assert caught.value.url == QUERY


def test_the_wait_that_arxiv_names_is_counted_from_the_fetch() -> None:
    with pytest.raises(RateLimited) as caught:
        arxiv.rss(reply("", status=503, headers={"retry-after": "45"}))
    assert caught.value.retry_at == NOW + timedelta(seconds=45)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE feed SYSTEM "http://127.0.0.1:9/feed.dtd">',
        '<!DOCTYPE feed [<!ENTITY a "ha">'
        + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
        + '<!ENTITY x "&m;&m;">]>',
    ],
)
def test_a_feed_that_declares_entities_is_refused_unread(declaration: str) -> None:
    with pytest.raises(PageChanged):
        arxiv.api(reply(answer("http://arxiv.org/abs/2103.15348v1", total=1, before=declaration, title="&x;")))


@pytest.mark.parametrize("unit", ["a", "a ", "arXiv:", "9"])
def test_a_very_long_text_costs_no_more_than_its_length(unit: str) -> None:
    def read(text: str) -> None:
        item = f"<item><guid>oai:arXiv.org:2610.00001v1</guid><title>t</title><description>{text}</description></item>"
        assert len(arxiv.rss(reply(f"<rss><channel>{item}</channel></rss>")).items) == 1
        with pytest.raises(PageChanged):
            arxiv.api(reply(answer(text, total=1)))

    half = unit * (50_000 // len(unit))
    assert_twice_costs_at_most_three_times(read, half, half * 2)


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.text("<>/feed rs&;id2610.v", max_size=80).map(str.encode), st.integers(100, 599))
def test_no_body_and_no_status_raise_anything_but_a_named_error(body: bytes, status: int) -> None:
    for page in (arxiv.api, arxiv.rss):
        try:
            page(reply(body, status=status))
        except CrawlError as error:
            assert error.url == QUERY  # noqa: PT017  (most bodies are refused, some are not)


@pytest.mark.corpus
def test_every_recorded_answer_is_read_or_refused_by_name(corpus: Path) -> None:
    outcomes: Counter[str] = Counter()
    for path in sorted((corpus / "arxiv").rglob("*.xml")):
        read = arxiv.rss if path.parent.name == "rss" else arxiv.api
        try:
            page = read(reply(path.read_bytes()))
        except CrawlError as error:
            outcomes[type(error).__name__] += 1
            continue
        outcomes["read"] += 1
        assert not page.warnings, path.name
        for item in page.items:
            assert item.title, path.name
            assert item.summary, path.name
            assert item.author, path.name
            assert item.published, path.name
            assert item.tags, path.name
            assert "Announce Type" not in item.summary, path.name
    assert outcomes["read"] >= 12, outcomes
    assert set(outcomes) == {"read", "PageChanged", "SourceMisconfigured"}, outcomes


@pytest.mark.parametrize(
    "comment",
    [
        "This paper has been withdrawn due to an error in Lemma 3",
        "Withdrawn: the proof is wrong",
        "arXiv admin note: this submission has been withdrawn by arXiv administrators",
        "The article was retracted by the authors",
    ],
)
def test_a_withdrawn_paper_says_so(comment: str) -> None:
    assert arxiv._withdrawal(comment, "We prune.") == comment
    assert arxiv._withdrawal("", f"This paper has been withdrawn. {comment}") != ""


@pytest.mark.parametrize(
    "comment", ["8 pages, 3 figures", "A dataset of withdrawal symptoms", "We study retracted papers"]
)
def test_a_paper_that_stands_is_not_withdrawn(comment: str) -> None:
    assert arxiv._withdrawal(comment, "We study why papers are withdrawn and retracted.") == ""
