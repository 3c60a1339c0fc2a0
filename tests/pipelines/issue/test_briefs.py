"""The one-liners (简讯) before the sections are read, written and checked as this newsletter prints them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from builders import stored

from crawler.home import Home, bundled
from pipelines.issue.frame import propose_guide, propose_headline
from pipelines.issue.lint import Records, lint
from pipelines.issue.markdown import render_issue
from pipelines.issue.portability import find_unreturned
from pipelines.issue.proposal import propose_brief
from pipelines.issue.reading import read_issue
from pipelines.issue.sections import make_draft
from pipelines.model import Candidate, Entry, Issue, Section, Story
from pipelines.newsletter import Briefs, load_newsletter
from pipelines.rules import Rules

NEWSLETTER = load_newsletter(Home(bundled()).newsletter)
TEMPLATE = (bundled() / "templates" / "issue.md.j2").read_text(encoding="utf-8")
DAY = date(2020, 11, 30)
PRINTED = """# 嵌入式AI简报 (2020-11-30)

> 导读：本次1条。

很久不见。

先是一些小新闻：
- 甲厂：新机将用新芯片；
- [乙厂：收购丙厂](https://e.org/b)，尚待批准。

> 注：链接打不开请跳转


## 论文

- [丁 | 源](https://e.org/d)
摘要：说了丁。
"""


def write(issue: Issue) -> str:
    return render_issue(issue, NEWSLETTER, TEMPLATE)


def test_the_bullets_of_an_opening_are_one_liners_between_their_opening_and_their_closing() -> None:
    issue = read_issue(PRINTED.encode(), name="x.md", newsletter=NEWSLETTER)
    briefs, papers = issue.sections
    assert [entry.markdown for entry in briefs.entries] == [
        "甲厂：新机将用新芯片；",
        "[乙厂：收购丙厂](https://e.org/b)，尚待批准。",
    ]
    assert (issue.preamble, briefs.notes, briefs.closing) == (
        "很久不见。",
        "先是一些小新闻：",
        "> 注：链接打不开请跳转",
    )
    assert (issue.main_sections, issue.item_count, issue.warnings) == ((papers,), 1, ())


def test_one_liners_are_written_as_they_were_read() -> None:
    issue = read_issue(PRINTED.encode(), name="x.md", newsletter=NEWSLETTER)
    again = write(issue)
    assert [line.strip() for line in again.split("\n") if line.strip()] == [
        line.strip() for line in PRINTED.split("\n") if line.strip()
    ]
    assert read_issue(again.encode(), name="x.md", newsletter=NEWSLETTER) == issue


@pytest.mark.parametrize("opening", ["- 只有一条", "没有清单。\n\n> 注：一句", ""])
def test_an_opening_without_a_list_stays_text(opening: str) -> None:
    issue = Issue(
        DAY,
        "嵌入式AI简报",
        (Section("论文", (Entry("[丁 | 源](https://e.org/d)\n摘要：说。"),)),),
        preamble=opening or None,
    )
    read_back = read_issue(write(issue).encode(), name="x.md", newsletter=NEWSLETTER)
    assert (read_back.preamble or "", len(read_back.sections)) == (opening, 1)


def test_a_newsletter_without_one_liners_keeps_bullets_in_its_preamble() -> None:
    plain = NEWSLETTER.model_copy(update={"briefs": None})
    issue = read_issue(PRINTED.encode(), name="x.md", newsletter=plain)
    assert "甲厂" in (issue.preamble or "")
    assert [section.name for section in issue.sections] == ["论文"]


def test_a_new_draft_without_one_liners_prints_nothing_of_them_and_returns_as_it_is() -> None:
    draft = make_draft(DAY, NEWSLETTER)
    assert draft.sections[0].is_briefs
    text = write(draft)
    assert "热身" not in text
    assert "跳转" not in text
    read_back = read_issue(text.encode(), name="x.md", newsletter=NEWSLETTER)
    assert find_unreturned(draft, read_back) == []


def test_headline_and_guide_leave_the_one_liners_out() -> None:
    issue = read_issue(PRINTED.encode(), name="x.md", newsletter=NEWSLETTER)
    assert propose_headline(issue, NEWSLETTER) == "丁"
    assert propose_guide(issue, NEWSLETTER) == "本次1条。【论文】丁。"


def test_a_one_liner_needs_no_link_no_source_and_no_summary_but_has_one_line(rules: Rules) -> None:
    issue = read_issue(PRINTED.encode(), name="x.md", newsletter=NEWSLETTER)
    briefs = replace(issue.sections[0], entries=(*issue.sections[0].entries, Entry("丙：甲\n摘要：乙")))
    issue = replace(issue, sections=(briefs, *issue.sections[1:]))
    findings = lint(issue, NEWSLETTER, rules, Records([()] * 4, {}))
    assert [(finding.position, finding.code) for finding in findings if finding.part == "entry"] == [(2, "long-brief")]


def test_a_story_becomes_a_linked_line_of_its_title() -> None:
    article = stored(7, title="联发科发布天玑 720，" + "中端" * 40, url="https://e.org/7")
    candidate = Candidate(Story(7, (7,), 7), (article,), "", {}, (), 0.0, ())
    assert propose_brief(candidate, Briefs(longest=20)).markdown == "[联发科发布天玑 720](https://e.org/7)"


@pytest.mark.archive
def test_one_liners_of_the_late_issues_are_read(archive: Path) -> None:
    counts = {}
    for path in sorted(archive.glob("2020-*.md")):
        issue = read_issue(path.read_bytes(), name=path.name, newsletter=NEWSLETTER)
        counts[path.stem] = sum(len(section.entries) for section in issue.sections if section.is_briefs)
    late = [count for day, count in counts.items() if day >= "2020-07"]
    assert late
    assert all(count >= 4 for count in late)
