"""Texts that the site, GitHub, the feed, WeChat or a later import would show in another way are found before export."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import bundled
from pipelines.issue.decoding import NotAnIssue
from pipelines.issue.formats.wechat import render_wechat
from pipelines.issue.lint import Finding, describe_finding
from pipelines.issue.markdown import remove_unprinted_parts, render_issue
from pipelines.issue.portability import find_article_limits, find_differences, find_limits, find_unreturned
from pipelines.issue.reading import read_issue
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import load_newsletter

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")
TEMPLATE, WECHAT, CSS = (
    (bundled() / "templates" / name).read_text(encoding="utf-8")
    for name in ("issue.md.j2", "wechat.html.j2", "wechat.css")
)
TITLE = "[甲 | 源](https://example.org/1)"


def issue(markdown: str = f"{TITLE}\n摘要：说了甲。", **parts: str) -> Issue:
    closing = parts.pop("closing", None)
    sections = (Section("论文", (Entry(markdown),), closing=closing), Section("开源项目", (Entry(TITLE),)))
    return replace(Issue(date(2021, 3, 5), "嵌入式AI简报", sections), **parts)


def codes(markdown: str) -> set[str]:
    return {found.code for found in find_differences(issue(markdown)) if (found.part, found.position) == ("entry", 0)}


def export_and_read(written: Issue) -> Issue | None:
    try:
        text = render_issue(written, NEWSLETTER, TEMPLATE)
        return read_issue(text.encode(), name="2021-03-05.md", newsletter=NEWSLETTER)
    except NotAnIssue:
        return None


@pytest.mark.parametrize(
    ("markdown", "code"),
    [
        (f"{TITLE}\n摘要：延迟 10 ms | 精度 70%。", "markup/table"),
        (TITLE, "markup/table"),
        (f"{TITLE}\n代码：u | v\n摘要：$a|b$", "markup/table"),
        (f"{TITLE}\n摘要：x\n\n一 | 二\n三 | 四", "markup/table"),
        (f"{TITLE}\n摘要：x\n<div align=center>图", "markup/html-block"),
        (f"{TITLE}\n摘要：x\n<details><summary>更多</summary>", "markup/html-block"),
        (f"{TITLE}\n摘要：**重点。**下一句", "markup/emphasis"),
        (f"{TITLE}\n摘要：这是**“重点”**的", "markup/emphasis"),
        (f"{TITLE}\n摘要：~~作废。~~改", "markup/emphasis"),
        (f"{TITLE}\n摘要：x <!-- 待核实 -->", "markup/comment"),
    ],
)
def test_a_text_that_pages_show_in_different_ways_is_found(markdown: str, code: str) -> None:
    assert code in codes(markdown)


@pytest.mark.parametrize(
    "markdown",
    [
        f"{TITLE}\n摘要：延迟 10 ms \\| 精度 70%。",
        f"{TITLE}\n摘要：`a | b`",
        f"{TITLE}\n摘要：**重点**。下一句，*斜*，x < y",
        f"{TITLE}\n摘要：x\n```html\n<div> | <!-- -->\n```",
        f"{TITLE}\n摘要：`<!-- 注释 -->`",
        f"{TITLE}\n摘要：x\n\n| 一 | 二 |\n|---|---|\n| 三 | 四 |",
    ],
)
def test_a_text_that_every_page_shows_alike_is_not_found(markdown: str) -> None:
    assert codes(markdown) == set()


@pytest.mark.parametrize(
    "written",
    [
        issue(headline="甲\n乙"),
        issue(guide="一段\n\n二段"),
        issue(preamble="## 刊首语\n\n话"),
        issue(footer="没有横线的页脚"),
        issue(tagline="关注 *甲*"),
        issue(f"{TITLE}\n摘要：x\n\n第二段"),
        issue(f"{TITLE}\n摘要：x\n- 又一条"),
        issue(f"{TITLE}\n摘要：x\n## 像栏目"),
        replace(issue(), sections=(Section("论文", (Entry(TITLE),), notes="- 像条目"),)),
    ],
)
def test_a_part_that_an_import_would_not_give_back_is_found(written: Issue) -> None:
    assert find_unreturned(written, export_and_read(written))


def test_a_template_that_prints_words_and_numbers_of_its_own_and_no_empty_section_changes_nothing() -> None:
    template = (
        "# {{ issue.title }}（第 12 期）\n\n每周五发布。\n"
        "{% for section in issue.sections if section.entries %}\n\n## {{ section.name }}\n"
        "{% for entry in section.entries %}\n- {{ entry.markdown }}\n{% endfor %}{% endfor %}"
    )
    entries = (Entry(TITLE),)
    written = replace(issue(), sections=(Section("业界新闻"), Section("论文", entries), Section("博文", entries)))
    text = render_issue(written, NEWSLETTER, template)
    read_back = read_issue(text.encode(), name="2021-03-05.md", newsletter=NEWSLETTER)
    assert (read_back.number, read_back.preamble) == (12, "每周五发布。")
    assert find_unreturned(written, read_back) == []


def test_a_heading_that_would_come_back_as_another_one_is_found_at_the_headline() -> None:
    changed = replace(issue(), title="嵌入式AI简报（2020-01-01）", number=3, above_heading="# 上期回顾")
    findings = find_unreturned(changed, export_and_read(changed))
    assert [finding.part for finding in findings[:2]] == ["headline", "above_heading"]
    assert all(describe_finding(changed, finding, NEWSLETTER, "zh") for finding in findings)


def test_a_finding_names_guide_and_notice_as_the_newsletter_does_and_cuts_a_long_title_with_a_mark() -> None:
    labels = NEWSLETTER.labels.model_copy(update={"guide": "编者按", "notice": "说明"})
    newsletter = NEWSLETTER.model_copy(update={"labels": labels})
    named = issue(f"[{'长' * 40} | 源](https://example.org/1)")
    texts = [describe_finding(named, Finding(part, 0, 0, "no-link"), newsletter, "zh") for part in ("guide", "notice")]
    assert [text.split("：")[0] for text in texts] == ["编者按", "说明"]
    text = describe_finding(named, Finding("entry", 0, 0, "no-link"), newsletter, "zh")
    assert text.startswith(f"第 1 条 {'长' * 29}…：")


@pytest.mark.parametrize(
    "part", ["headline", "guide", "notice", "tagline", "preamble", "footer", "above_heading", "front_matter"]
)
def test_blanks_at_the_end_of_a_text_are_not_printed(part: str) -> None:
    written = [render_issue(issue(**{part: text}), NEWSLETTER, TEMPLATE) for text in ("甲", "甲 ", "甲\n\n")]
    assert written[0] == written[1] == written[2]


LINES = (
    *(
        "甲",
        "摘要：",
        "摘要：延迟 | 精度",
        "论文：https://e.org/2",
        "代码：[u](https://e.org/3)",
        "注：n",
        "> 导读：z",
        "完",
    ),
    *("- 乙", " - 丁", "    - 子项", "* 戊", "1. 丙", "    1. 先", "2、己", "[乙](https://e.org/5)", "**粗体段**"),
    *("## 论文", "### 小节", "# 大题", "----", "***", "---\nlayout: x\n---", "往期回顾"),
    *("a | b", "| 表 |", "|---|---|", "```", "```python", "    缩进", "\t制表", "> 引"),
    *("<div>", "</div>", "<details>", "<br>", "<a href='https://e.org'>x</a>", "<!--", "-->", "<!-- - 撤下 -->"),
    *("**重点。**下一句", "$$", "$a_1|b$", "[甲][1]", "[1]: https://e.org/4", "[^1]", "[^1]: 注", "![图](a.png)"),
    *("&#124;", "x  ", "x\\", "x\u3000", "", ""),
)
"""Shapes of lines that people write; each by itself, and any of them below each other."""


def blocks(most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(LINES), max_size=most).map("\n".join)


@st.composite
def written_issues(draw: st.DrawFn) -> Issue:
    sections = []
    for name in ("业界新闻", "论文"):
        leads = draw(st.lists(st.sampled_from([TITLE, "甲 | 源", f"🔥 {TITLE}"]), max_size=3))
        entries = tuple(Entry(f"{lead}\n{draw(blocks(2))}") for lead in leads)
        marker = draw(st.sampled_from(["- ", "- ", "{n}、", "### "]))
        notes, closing = draw(st.sampled_from(["", *LINES])), draw(st.none() | blocks(1))
        sections.append(Section(name, entries, notes=notes, closing=closing, marker=marker))
    parts = {part: draw(blocks(2)) for part in draw(st.sets(st.sampled_from(PARTS), max_size=2))}
    return replace(Issue(date(2021, 3, 5), "嵌入式AI简报", tuple(sections)), **parts)


PARTS = ("guide", "preamble", "footer", "notice", "headline", "tagline")


@settings(max_examples=300, deadline=None)
@given(written_issues())
def test_an_issue_without_a_finding_comes_back_as_it_was_written(written: Issue) -> None:
    written = remove_unprinted_parts(written, NEWSLETTER)
    read_back = export_and_read(written)
    if not find_unreturned(written, read_back):
        assert read_back is not None
        assert render_issue(read_back, NEWSLETTER, TEMPLATE) == render_issue(written, NEWSLETTER, TEMPLATE)


def test_the_past_issues_come_back_as_they_are(archive: Path) -> None:
    for path in sorted(archive.glob("*.md")):
        past = read_issue(path.read_bytes(), name=path.name, newsletter=NEWSLETTER)
        assert find_unreturned(past, export_and_read(past)) == []


def test_the_limits_of_wechat_are_named_with_the_count() -> None:
    long = issue(
        f"{TITLE}\n摘要：![图](https://example.org/1.png){'长' * 20_000}", headline="题" * 70, guide="导" * 130
    )
    findings = find_limits(long) + find_article_limits(render_wechat(long, NEWSLETTER, WECHAT, CSS))
    counts = {found.code: found.values["count"] for found in findings}
    assert counts["wechat/title"] == len("嵌入式AI简报：") + 70
    assert counts["wechat/digest"] == 130
    assert counts["wechat/pictures"] == 1
    assert int(str(counts["wechat/characters"])) > 20_000
    assert find_limits(issue()) + find_article_limits(render_wechat(issue(), NEWSLETTER, WECHAT, CSS)) == []


def test_the_row_of_a_table_is_a_table_and_no_finding() -> None:
    row = Entry(" [a](https://e.org/a) | 延迟 10 ms |")
    assert not find_differences(Issue(date(2021, 3, 5), "试刊", sections=[Section("论文", [row], marker="|")]))
    assert find_differences(Issue(date(2021, 3, 5), "试刊", sections=[Section("论文", [row])]))
