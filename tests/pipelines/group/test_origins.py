"""What the reports of a story bring together: the page that they point to, the first report, copies, a time line."""

from __future__ import annotations

from builders import stored

from pipelines.group.origins import find_copies, find_first_report, find_origins, list_milestones
from pipelines.model import Candidate, Evidence, Reference, StoredArticle, Story

OFFICIAL = "https://kunpeng.example/kp-7"


def point_to(*urls: str) -> tuple[Reference, ...]:
    return tuple(Reference(url, url, position=position) for position, url in enumerate(urls))


def report(number: int, account: str, *urls: str, days: float = 0.0, kind: str = "wechat") -> StoredArticle:
    return stored(number, publisher=account, days=days, kind=kind, references=point_to(*urls))


def make_story(*articles: StoredArticle, copies: tuple[tuple[int, int], ...] = ()) -> Candidate:
    evidence = tuple(Evidence("near-text", "evidence/near-text", pair, {"similarity": "0.9"}) for pair in copies)
    ids = tuple(article.id for article in articles)
    return Candidate(Story(min(ids), ids, min(ids), evidence), articles, "新闻", {}, (), 0.0, ())


def list_urls(candidate: Candidate) -> list[tuple[str, int]]:
    return [(origin.url, origin.accounts) for origin in find_origins(candidate)]


def test_the_page_that_two_accounts_point_to_is_an_origin() -> None:
    reports = report(1, "甲", OFFICIAL, "https://ad.example"), report(2, "乙", OFFICIAL), report(3, "丙")
    assert list_urls(make_story(*reports)) == [(OFFICIAL, 2)]
    assert list_urls(make_story(report(1, "甲", OFFICIAL), report(2, "甲", OFFICIAL))) == []


def test_reprints_of_one_text_point_once() -> None:
    reports = report(1, "甲", OFFICIAL), report(2, "乙", OFFICIAL, days=1)
    assert list_urls(make_story(*reports, copies=((1, 2),))) == []


def test_an_article_of_the_story_needs_one_account_and_the_lead_is_no_origin() -> None:
    reports = report(1, "甲", "https://example.org/2"), report(2, "鲲鹏", "https://example.org/1", days=-1)
    assert list_urls(make_story(*reports)) == [("https://example.org/2", 1)]


def test_what_more_accounts_point_to_stands_first() -> None:
    other = "https://docs.example/kp-7"
    reports = report(1, "甲", other, OFFICIAL), report(2, "乙", other, OFFICIAL), report(3, "丙", OFFICIAL)
    assert list_urls(make_story(*reports)) == [(OFFICIAL, 3), (other, 2)]


def test_the_first_report_is_the_first_post_and_a_copy_is_the_later_of_two() -> None:
    paper = stored(1, kind="arxiv", keys=("arxiv:2511.00001",), days=-9)
    candidate = make_story(paper, report(2, "甲", days=2), report(3, "乙", days=1), copies=((2, 3),))
    assert find_first_report(candidate) == 3
    assert find_copies(candidate) == {2}
    assert find_first_report(make_story(paper)) == 1


def test_a_time_line_tells_first_report_official_page_paper_code_and_newest_report() -> None:
    articles = (
        report(1, "甲", "https://example.org/2", days=1),
        report(2, "鲲鹏", days=0.5),
        stored(3, kind="arxiv", keys=("arxiv:2511.00001",), days=3),
        stored(4, kind="github", keys=("github:a/b",), days=4),
        report(5, "乙", days=2),
        report(6, "丙", days=5),
        report(7, "丁", days=0.1),
    )
    candidate = make_story(*articles)
    milestones = list_milestones(candidate, find_origins(candidate))
    assert [(milestone.kind, milestone.article.id) for milestone in milestones] == [
        ("first", 7),
        ("official", 2),
        ("paper", 3),
        ("code", 4),
        ("newest", 6),
    ]
    lone = make_story(report(1, "甲"))
    assert [milestone.kind for milestone in list_milestones(lone, ())] == ["first"]
