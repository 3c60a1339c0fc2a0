"""data/sources.toml: the starting set can work, and is the newsletter's own."""

from __future__ import annotations

import base64
import re
from collections import Counter
from pathlib import Path

import pytest

from crawler.home import Home, bundled
from crawler.kinds import KINDS
from crawler.sources.file import load_sources
from crawler.sources.schema import Source

RENAMED = {
    "雷锋网": "雷峰网",
    "GiantPandaCV": "GiantPandaLLM",
    "淘系技术": "大淘宝技术",
    "夕小瑶的卖萌屋": "夕小瑶科技说",
}
"""Accounts that have another name now than past issues and the account list have."""

OWN_ACCOUNT = "NeuralTalk"
"""The newsletter's own account: cited in past issues, never a source."""

CATEGORIES = ("业界新闻", "论文", "开源项目", "博文")


@pytest.fixture(scope="module")
def sources() -> tuple[Source, ...]:
    registry = load_sources(Home(bundled()), CATEGORIES)
    assert registry.mistakes == ()
    return registry.sources


def test_there_are_sources_of_each_kind_that_a_newsletter_starts_with(sources: tuple[Source, ...]) -> None:
    kinds = Counter(source.kind for source in sources if source.enabled)
    assert set(kinds) == set(KINDS) - {"web"}
    assert 60 <= sum(kinds.values()) <= 90


def test_health_can_judge_each_of_them(sources: tuple[Source, ...]) -> None:
    assert [source.id for source in sources if source.expect_per_week is None] == []


def test_no_place_is_read_twice(sources: tuple[Source, ...]) -> None:
    places = [source.url or source.column or source.author or source.query for source in sources if source.enabled]
    repositories = [name.lower() for source in sources for name in source.repos]
    for counted in (Counter(filter(None, places)), Counter(repositories)):
        assert [place for place, count in counted.items() if count > 1] == []


def test_arxiv_queries_are_balanced_and_their_operators_in_capitals(sources: tuple[Source, ...]) -> None:
    for source in sources:
        if source.kind == "arxiv":
            query = source.query or ""
            bare = re.sub(r'"[^"]*"', "x", query)
            assert query.count('"') % 2 == 0, source.id
            assert bare.count("(") == bare.count(")"), source.id
            assert re.fullmatch(r"(?:\(*(?:ti|abs|cat|all):[\w.-]+\)*(?: (?:AND|OR|ANDNOT) |$))+", bare), source.id


def test_github_searches_stay_within_githubs_limits(sources: tuple[Source, ...]) -> None:
    for query in (source.query or "" for source in sources if source.mode == "search"):
        assert len(query) <= 256
        assert len(re.findall(r"\b(?:AND|OR|NOT)\b", query)) <= 5


def test_releases_fit_into_an_hour_without_a_token(sources: tuple[Source, ...]) -> None:
    assert sum(len(source.repos) for source in sources) <= 60


def test_an_account_that_is_not_known_is_not_asked_for(sources: tuple[Source, ...]) -> None:
    for source in sources:
        if source.account:
            assert re.fullmatch(r"MP_WXS_[0-9]{10}", source.account) if source.enabled else source.account == "MP_WXS_0"


def test_each_account_has_several_ways_and_none_of_them_a_project_that_is_archived(sources: tuple[Source, ...]) -> None:
    accounts = [source for source in sources if source.account]
    assert len(accounts) >= 35
    for source in accounts:
        assert source.mirror is None
        assert len(source.ways) >= 3
        assert not any("wewe" in address for _, address in source.way_addresses)


@pytest.mark.corpus
def test_accounts_are_those_of_the_list_of_accounts(corpus: Path, sources: tuple[Source, ...]) -> None:
    listed: dict[str, set[str]] = {}
    for line in (corpus / "feeds/hellodword-2021/accounts.tsv").read_text("utf-8").splitlines():
        file, account, _ = line.split("\t")
        number = base64.b64decode(file.removesuffix(".xml")).decode()
        listed.setdefault(RENAMED.get(account, account), set()).add(f"MP_WXS_{number}")
    compared = [source for source in sources if source.enabled and source.account and source.name in listed]
    assert len(compared) >= 25
    assert [source.id for source in compared if source.account not in listed[source.name]] == []


@pytest.mark.archive
def test_what_past_issues_cite_most_is_among_them(archive: Path, sources: tuple[Source, ...]) -> None:
    cited: Counter[str] = Counter()
    for path in archive.glob("*.md"):
        for line in path.read_text("utf-8", "replace").splitlines():
            if tail := re.match(r"- .*[|｜] *([^|｜\]]{1,30})\](?:\(|$)", line):
                cited[tail[1].strip()] += 1
    names = {source.name for source in sources}
    often = {RENAMED.get(name, name) for name, count in cited.items() if count >= 5} - {OWN_ACCOUNT}
    assert len(often) >= 15
    assert often - names == set()
