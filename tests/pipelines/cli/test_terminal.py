"""The terminal: tables that fit, and nothing from the web that a terminal obeys."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from builders import NOON, stored
from rich.console import Console
from rich.table import Table

from crawler.errors import Detail, Failure, RateLimited
from pipelines.cli import terminal
from pipelines.model import Candidate, Reason, Story
from pipelines.newsletter import Category
from pipelines.newsroom.crawling.crawls import SourceReport
from pipelines.newsroom.editing.candidates import CategoryList
from pipelines.store.runs import Run
from pipelines.wording import Language

SHANGHAI = ZoneInfo("Asia/Shanghai")


def printed(table: Table, width: int = 100) -> str:
    screen = Console(width=width, file=StringIO())
    screen.print(table)
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue()


def candidate(number: int = 7, **values: object) -> Candidate:
    one = stored(number, title="低比特[bold]量化[/bold]", publisher="量子位")
    fixed: dict[str, object] = {
        "story": Story(number, (number,), number),
        "articles": (one,),
        "category": "论文",
        "category_scores": {"论文": 1.0},
        "category_reasons": (),
        "score": 2.7,
        "reasons": (
            Reason("reason/term", 1.2, {"term": "量化"}),
            Reason("reason/today", 1.5),
            Reason("reason/days-ago", 0.01, {"days": 40}),
        ),
    }
    return Candidate(**(fixed | values))  # type: ignore[arg-type]


def of_papers(*candidates: Candidate) -> list[CategoryList]:
    return [CategoryList("论文", len(candidates), iter(candidates))]


def test_a_candidate_shows_number_score_title_source_date_and_what_counts() -> None:
    (table,) = terminal.make_candidate_tables(of_papers(candidate()), [Category(name="论文", quota=4)], SHANGHAI)
    text = printed(table)
    for part in (
        "论文：1 条，目标 4 条",
        "7",
        "2.7",
        "低比特[bold]量化[/bold]",
        "量子位",
        "2026-11-01",
        "量化 +1.2 · 一天之内 +1.5",
    ):
        assert part in text
    assert "40 天前" not in text


def test_a_table_fits_a_narrow_terminal() -> None:
    (table,) = terminal.make_candidate_tables(of_papers(candidate()), [Category(name="论文")], SHANGHAI)
    assert all(len(line) <= 60 for line in printed(table, width=60).splitlines())


@pytest.mark.parametrize("width", [60, 80])
def test_a_table_loses_no_letter_of_a_title_without_blanks(width: int) -> None:
    title = "端侧推理框架第二版发布并支持四比特权重量化与稀疏算子" * 3 + "[x](javascript:alert(1))尾巴"
    lead = stored(7, title=title)
    (table,) = terminal.make_candidate_tables(of_papers(candidate(articles=(lead,))), [Category(name="论文")], SHANGHAI)
    assert Counter(title) <= Counter(printed(table, width))


def test_a_story_printed_before_says_when_and_one_of_several_reports_says_so() -> None:
    both = candidate(articles=(stored(7), stored(8)), story=Story(7, (7, 8), 7), published_in=date(2020, 1, 27))
    (table,) = terminal.make_candidate_tables(of_papers(both), [Category(name="论文")], SHANGHAI)
    assert "＋1 篇同题" in printed(table)
    assert "已在 2020-01-27 收录" in printed(table)


def test_news_of_what_was_printed_before_says_when() -> None:
    (table,) = terminal.make_candidate_tables(
        of_papers(candidate(follows=date(2020, 1, 27))), [Category(name="论文")], SHANGHAI
    )
    assert "后续：已在 2020-01-27 收录过" in printed(table)
    seen = candidate(follows=date(2020, 1, 27), published_in=date(2020, 2, 27), state="published")
    (table,) = terminal.make_candidate_tables(of_papers(seen), [Category(name="论文")], SHANGHAI)
    assert "已在 2020-02-27 收录" in printed(table)
    assert "后续" not in printed(table)


def test_a_category_that_the_newsletter_has_dropped_is_still_shown() -> None:
    tables = list(terminal.make_candidate_tables(of_papers(candidate()), [Category(name="新闻")], SHANGHAI))
    assert [table.title for table in tables] == ["论文：1 条"]


def test_a_long_list_is_laid_out_part_by_part_under_one_title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_LONGEST_TABLE", 2)
    lists = of_papers(*(candidate(number) for number in range(5)))
    tables = list(terminal.make_candidate_tables(lists, [Category(name="论文")], SHANGHAI))
    assert [(table.title, table.row_count) for table in tables] == [("论文：5 条，目标 5 条", 2), (None, 2), (None, 1)]


def test_failed_sources_come_last_and_say_why_in_words_that_no_terminal_obeys() -> None:
    reports = [
        SourceReport("b", failed=Failure("Blocked", Detail("refusal-titled", (("title", "\x1b[2Jverify"),)))),
        SourceReport("a", new=3, warnings=(Failure("Gone", Detail.of("notice", notice="deleted")),)),
    ]
    text = printed(terminal.make_report_table(reports))
    assert text.index("已不在：页面上写着「deleted」") < text.index("失败：被拦：对方拒绝，标题是「[2Jverify」")
    assert "\x1b" not in text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_run_of_a_source_with_a_long_name_takes_two_lines_of_80_columns_and_a_failure_a_third(
    language: Language,
) -> None:
    run = Run(123456, "a-source-with-a-rather-long-name", NOON, NOON, 1, 2, 345, 6, None, "", ())
    failed = replace(run, failure=Failure("Blocked", Detail.of("http-status", status=429)))
    terminal.set_language(language)
    try:
        text = printed(terminal.make_run_table([run, failed], SHANGHAI), width=80)
    finally:
        terminal.set_language("zh")
    lines = text.splitlines()
    begins = [index for index, line in enumerate(lines) if "123456" in line]
    assert [lines[begin].split()[-5:] for begin in begins] == [["0", "1", "2", "345", "6"]] * 2
    assert begins[1] - begins[0] == 2
    assert len([line for line in lines[begins[1] :] if line.strip()]) <= 4
    assert "HTTP 429" in text


def test_where_there_is_no_terminal_progress_is_a_line_from_time_to_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with terminal.show_progress() as bar:
        task = bar.add_task("重建", total=None)
        bar.update(task, completed=1, total=50)
        monkeypatch.setattr(terminal, "PROGRESS_EVERY", 0.0)
        bar.update(task, completed=20, total=50)
    assert capsys.readouterr().err == "重建：20／50\n"


def test_a_time_is_shown_as_in_the_newsletters_zone() -> None:
    assert terminal.format_time(NOON, SHANGHAI) == "2026-11-01 20:00"
    assert terminal.format_time(None, SHANGHAI) == "—"


@pytest.mark.parametrize(
    ("language", "sentences", "foreign"),
    [
        ("zh", ["抓取结果", "失败：对方要求稍后再来：HTTP 429。不用管：到了对方许可的时候会再抓"], "[a-z]{3,}"),
        (
            "en",
            ["Crawl results", "Failed: The site asks us to come back later: HTTP 429. Nothing to do"],
            r"[\u3000-\u303f\u4e00-\u9fff\uff01-\uff1f]",
        ),
    ],
)
def test_a_crawl_that_is_asked_to_come_back_says_so_in_one_language(
    language: Language, sentences: list[str], foreign: str
) -> None:
    report = SourceReport("a", failed=RateLimited("http-status", status=429).failure)
    terminal.set_language(language)
    try:
        text = printed(terminal.make_report_table([report]), width=200)
    finally:
        terminal.set_language("zh")
    assert [sentence for sentence in sentences if sentence not in text] == []
    assert not re.search(foreign, text)
