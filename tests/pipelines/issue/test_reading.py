"""Past issues are read whole, whatever their editor did, and written again as they were."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from crawler.home import bundled
from pipelines.issue.decoding import NotAnIssue
from pipelines.issue.entry import EntryView, LabelLine, read_entry
from pipelines.issue.markdown import render_issue
from pipelines.issue.reading import read_issue
from pipelines.model import Entry, Issue, StoryLink
from pipelines.newsletter import BackIssues, Category, Labels, Newsletter, Reading, load_newsletter
from pipelines.wording import say_detail

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")
TEMPLATE = (bundled() / "templates/issue.md.j2").read_text(encoding="utf-8")

ISSUE = """\
---
layout: default
---

# 嵌入式AI简报 (2021-03-05) 甲发布/乙开源

**关注模型压缩、低比特量化、移动端推理加速优化、部署**\x20\x20
<font>注：请用手机打开</font>

> 导读：本次四条。【新闻】甲；\x20\x20
【论文】乙。

先热身：

- 丙公司；
- 丁公司。

> 注：个别链接打不开

## 业界新闻\x20\x20


- [甲发布芯片 | 甲媒体](https://example.org/1)\x20\x20
摘要：快了三倍，包括：
    - 一，访存；
    - 二，算力。
- 乙没有链接 | 乙媒体

## 应用
- [丙上线](https://example.org/2)

## 开源项目


> 注：前缀是仓库

- [owner/repo: 一个工具](https://github.com/owner/repo)
代码：https://github.com/owner/repo
摘要：用法如下。

```sh
# 这不是标题
- 这不是条目
## 这也不是
```


文末说一句：再见。

1. 保重

## [往期回顾](https://example.org/all)

| 2 | 0 | 2 | 1 |
|:---:|:---:|:---:|:---:|
| | | | [2021-02-01](../2021-02-01.md) |

----

- Editor: 某人

----

版权所有
"""


def read(text: str, name: str = "2021-03-05.md") -> Issue:
    return read_issue(text.encode(), name=name, newsletter=NEWSLETTER)


def warn(issue: Issue) -> tuple[str, ...]:
    """The warnings of an issue, in Chinese."""
    return tuple(say_detail(warning, "zh") for warning in issue.warnings)


def view(markdown: str) -> EntryView:
    return read_entry(markdown, NEWSLETTER)


def written(issue: Issue) -> str:
    return render_issue(issue, NEWSLETTER, TEMPLATE)


def spoken(text: str) -> list[str]:
    """Lines without trailing blanks, blank lines left out."""
    return [line.rstrip() for line in text.split("\n") if line.strip()]


# Issues


def test_every_part_of_an_issue_is_found() -> None:
    issue = read(ISSUE)
    assert issue.warnings == ()
    assert (issue.date, issue.title, issue.headline) == (date(2021, 3, 5), "嵌入式AI简报", "甲发布/乙开源")
    assert issue.front_matter == "layout: default"
    assert issue.tagline == "关注模型压缩、低比特量化、移动端推理加速优化、部署"
    assert issue.notice == "<font>注：请用手机打开</font>"
    assert issue.guide == "本次四条。【新闻】甲；  \n【论文】乙。"
    assert issue.preamble is None
    briefs, *_, projects = issue.sections
    assert (briefs.name, briefs.notes, briefs.closing) == ("简讯", "先热身：", "> 注：个别链接打不开")
    assert [entry.markdown for entry in briefs.entries] == ["丙公司；", "丁公司。"]
    assert [section.name for section in issue.main_sections] == ["业界新闻", "应用", "开源项目"]
    assert [len(section.entries) for section in issue.main_sections] == [2, 1, 1]
    assert projects.notes == "> 注：前缀是仓库"
    assert projects.closing == "文末说一句：再见。\n\n1. 保重"
    assert issue.back_issues is not None
    assert issue.back_issues.startswith("## [往期回顾]")
    assert issue.footer is not None
    assert issue.footer.endswith("版权所有")


def test_an_entry_keeps_nested_lists_and_code_that_looks_like_structure() -> None:
    issue = read(ISSUE)
    assert issue.main_sections[0].entries == (
        Entry(
            "[甲发布芯片 | 甲媒体](https://example.org/1)\n摘要：快了三倍，包括：\n    - 一，访存；\n    - 二，算力。"
        ),
        Entry("乙没有链接 | 乙媒体"),
    )
    assert (
        issue.main_sections[2]
        .entries[0]
        .markdown.endswith("摘要：用法如下。\n\n```sh\n# 这不是标题\n- 这不是条目\n## 这也不是\n```")
    )


def test_an_export_says_the_same_lines_and_reads_back_as_the_same_issue() -> None:
    issue = read(ISSUE)
    assert spoken(written(issue)) == spoken(ISSUE)
    assert read(written(issue)) == issue
    assert written(read(written(issue))) == written(issue)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + ISSUE.encode(),
        ISSUE.replace("\n", "\r\n").encode(),
        ISSUE.replace("\n", "\r").encode(),
        f"\n\n{ISSUE}\n\n".encode(),
    ],
)
def test_byte_order_mark_and_line_ends_make_no_difference(data: bytes) -> None:
    assert read_issue(data, name="2021-03-05.md", newsletter=NEWSLETTER) == read(ISSUE)


def test_an_issue_without_front_matter_tagline_back_issues_and_footer_is_one() -> None:
    issue = read("# 简报 2021年3月5日\n\n## 论文\n\n- [甲](https://example.org/1)\n")
    assert (issue.date, issue.title, issue.front_matter, issue.tagline) == (date(2021, 3, 5), "简报", None, None)
    assert issue.back_issues is issue.footer is None
    assert read(written(issue)) == issue


def test_a_heading_without_a_date_takes_it_from_the_file_name_and_says_so() -> None:
    issue = read(ISSUE.replace(" (2021-03-05) 甲发布/乙开源", ""))
    assert (issue.date, issue.title) == (date(2021, 3, 5), "嵌入式AI简报")
    assert warn(issue) == ("标题里没有日期，按文件名算作 2021-03-05",)


def test_heading_and_file_name_that_disagree_are_reported() -> None:
    issue = read(ISSUE, name="2021-03-06.md")
    assert issue.date == date(2021, 3, 5)
    assert warn(issue) == ("标题的日期是 2021-03-05，文件名的是 2021-03-06",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# A project\n\nRead me.\n",
        "# 2021-13-45 没有这一天\n\n## 论文\n".encode(),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
        b"#" * 5_000_000,
    ],
)
def test_what_is_no_issue_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(NotAnIssue, match=r"^notes\.md "):
        read_issue(data, name="notes.md", newsletter=NEWSLETTER)


def test_an_article_whose_file_name_has_a_date_is_no_issue() -> None:
    with pytest.raises(NotAnIssue, match="应有一行标题"):
        read("# 一篇博客\n\n## 引言\n\n正文\n")


def test_an_issue_without_any_heading_is_read_where_the_words_before_its_first_entry_name_the_newsletter() -> None:
    text = f"## 序言\n\n这是《{NEWSLETTER.title}·第 1 季》。\n\n## 1 一个话题\n\n- [甲 | 源](https://e.org/1)\n"
    issue = read(text, name="2021-03-05.md")
    assert issue.date == date(2021, 3, 5)
    assert [entry.markdown for section in issue.sections for entry in section.entries] == ["[甲 | 源](https://e.org/1)"]
    for other in (text.replace(NEWSLETTER.title, "别的刊"), "# 一篇博客\n\n" + text):
        with pytest.raises(NotAnIssue, match="应有一行标题"):
            read(other, name="2021-03-05.md")


@pytest.mark.fault("E5")
def test_a_file_cut_inside_a_character_gives_what_is_whole_and_the_byte() -> None:
    data = ISSUE.encode()
    at = data.index("媒体](https://example.org/1)".encode()) + 100
    while data[at] & 0xC0 != 0x80:
        at += 1
    issue = read_issue(data[:at], name="2021-03-05.md", newsletter=NEWSLETTER)
    start = at - 1 if data[at - 1] & 0xC0 == 0xC0 else at - 2
    assert warn(issue)[0] == f"文件在第 {start} 字节处断在一个字的中间，之后的内容已丢失"
    assert f"到第 {at} 字节为止没有页脚" in warn(issue)[1]
    assert "开源项目" in warn(issue)[1]
    assert (
        issue.main_sections[0]
        .entries[0]
        .markdown.startswith("[甲发布芯片 | 甲媒体](https://example.org/1)\n摘要：快了")
    )
    assert "\ufffd" not in issue.main_sections[0].entries[0].markdown


def test_a_file_cut_inside_a_link_leaves_that_entry_out_and_says_so() -> None:
    issue = read(ISSUE[: ISSUE.index("//example.org/2)")])
    assert [section.name for section in issue.main_sections] == ["业界新闻", "应用"]
    assert issue.main_sections[1].entries == ()
    assert warn(issue)[0] == "末行的条目不完整，没有读入：- [丙上线](https:"


def test_a_cut_inside_a_word_before_the_footer_is_named() -> None:
    start = ISSUE.index("甲发布")
    for end in range(start, ISSUE.index("----\n\n- Editor")):
        if ISSUE[end - 1].isalnum() and ISSUE[end].isalnum():
            issue = read_issue(ISSUE[:end].encode(), name="2021-03-05.md", newsletter=NEWSLETTER)
            assert issue.warnings, f"cut at {end}"
            assert issue.date == date(2021, 3, 5)


@pytest.mark.parametrize("end", ["摘要：说了甲。", "摘要：见[项目](https://example.org)", "摘要：说了甲\n", "> 注：完"])
def test_an_issue_without_a_footer_whose_last_line_is_whole_raises_no_alarm(end: str) -> None:
    text = f"# 嵌入式AI简报 (2021-03-05)\n\n## 论文\n\n- [甲 | 源](https://example.org/1)\n{end}"
    issue = read_issue(text.encode(), name="2021-03-05.md", newsletter=NEWSLETTER)
    assert bool(issue.warnings) == (end == "> 注：完")


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-16"])
def test_an_issue_in_another_encoding_is_read_and_its_encoding_named(encoding: str) -> None:
    text = ISSUE.replace("\U0001f525", "")
    issue = read_issue(text.encode(encoding), name="2021-03-05.md", newsletter=NEWSLETTER)
    assert issue == read_issue(text.encode(), name="2021-03-05.md", newsletter=NEWSLETTER)
    assert warn(issue)[0].endswith("读入")


@pytest.mark.parametrize(
    ("encoding", "title"), [("big5", "嵌入式AI簡報：輕量化與壓縮的方法"), ("shift_jis", "軽量化と圧縮の方法について")]
)
def test_an_issue_in_an_encoding_that_gb18030_would_read_as_other_words_is_refused(encoding: str, title: str) -> None:
    data = f"# {title} (2021-03-05)\n\n## 論文\n\n- [{title} | 源](https://example.org/1)\n".encode(encoding)
    data.decode("gb18030")
    with pytest.raises(NotAnIssue, match="GB18030"):
        read_issue(data, name="2021-03-05.md", newsletter=NEWSLETTER)


def test_many_damaged_characters_of_a_long_file_are_counted_and_the_file_is_read() -> None:
    data = ISSUE.encode() * 3
    position = data.index("摘要".encode())
    issue = read_issue(data[:position] + b"\xff" * 30 + data[position:], name="a.md", newsletter=NEWSLETTER)
    assert any("另有 10 处" in warning for warning in warn(issue))


@pytest.mark.parametrize(
    ("heading", "headline"),
    [
        ("嵌入式AI简报 (2021-03-05)：甲/乙", "甲/乙"),
        ("嵌入式AI简报(2021-03-05): 甲/乙", "甲/乙"),
        ("嵌入式AI简报 2021年3月5日 甲/乙", "甲/乙"),
        ("嵌入式AI简报 (2021-03-05)：", None),
        ("嵌入式AI简报 (2021-03-05) 甲/乙", "甲/乙"),
    ],
)
def test_the_text_between_title_and_headline_is_no_part_of_either_and_comes_back(
    heading: str, headline: str | None
) -> None:
    issue = read(f"# {heading}\n\n## 论文\n\n- [甲 | 源](https://example.org/1)\n")
    assert (issue.title, issue.headline) == ("嵌入式AI简报", headline)
    assert render_issue(issue, NEWSLETTER, TEMPLATE).splitlines()[0] == f"# {heading}"


@pytest.mark.parametrize(
    "above",
    [
        "![封面](cover.png)\n\n<!-- 本期由小王编辑 -->",
        "+++\n# 注释\ntitle = '甲'\n+++",
        "Title: 甲\nDate: 2021-03-05",
        "欢迎阅读。",
        "<!--\n# 旧标题 (2020-01-01)\n-->",
    ],
)
def test_text_above_the_heading_is_kept(above: str) -> None:
    issue = read(f"{above}\n\n# 嵌入式AI简报 (2021-03-05)\n\n## 论文\n\n- [甲 | 源](https://example.org/1)\n")
    assert issue.above_heading == above
    assert render_issue(issue, NEWSLETTER, TEMPLATE).startswith(f"{above}\n\n# 嵌入式AI简报 (2021-03-05)\n")


def test_an_item_in_a_comment_is_no_item() -> None:
    issue = read(
        "# 嵌入式AI简报 (2021-03-05)\n\n## 论文\n\n- [甲 | 源](https://example.org/1)\n摘要：说了甲。\n<!--\n"
        "- [撤下 | 源](https://example.org/9)\n\n## 开源项目\n-->\n"
        "- [乙 | 源](https://example.org/2) <!-- https://example.org/8 -->\n"
    )
    (section,) = issue.sections
    views = [read_entry(entry.markdown, NEWSLETTER) for entry in section.entries]
    assert [view.urls for view in views] == [("https://example.org/1",), ("https://example.org/2",)]
    assert views[0].summary == ("说了甲。",)
    assert "撤下" in render_issue(issue, NEWSLETTER, TEMPLATE)


def test_an_empty_guide_comes_back() -> None:
    issue = read("# 嵌入式AI简报 (2021-03-05)\n\n> 导读：\n\n## 论文\n\n- [甲 | 源](https://example.org/1)\n")
    assert issue.guide == ""
    assert "> 导读：" in render_issue(issue, NEWSLETTER, TEMPLATE)


def test_a_byte_that_is_no_text_is_replaced_and_its_place_told() -> None:
    data = ISSUE.encode()
    at = data.index("快了".encode())
    issue = read_issue(data[:at] + b"\xff" + data[at:], name="2021-03-05.md", newsletter=NEWSLETTER)
    assert warn(issue) == (f"第 {at} 字节不是 UTF-8，换成了 \ufffd",)
    assert "摘要：\ufffd快了三倍" in issue.main_sections[0].entries[0].markdown


def test_control_characters_are_taken_out_and_told() -> None:
    issue = read(ISSUE.replace("快了", "快\x00了\x08"))
    assert issue.sections == read(ISSUE).sections
    assert warn(issue) == ("去掉了 2 个控制字符",)


def test_a_section_that_the_newsletter_does_not_have_is_kept_and_told() -> None:
    issue = read(ISSUE.replace("## 应用", "## 食谱"))
    assert issue.main_sections[1].name == "食谱"
    assert warn(issue) == ("栏目「食谱」不在简报的栏目里",)


def test_a_fence_that_never_closes_swallows_nothing() -> None:
    issue = read(ISSUE.replace("- 乙没有链接", "~~~\n- 乙没有链接"))
    assert [len(section.entries) for section in issue.main_sections] == [2, 1, 1]


def test_a_summary_set_apart_by_a_blank_line_belongs_to_its_entry() -> None:
    issue = read("# 简报 (2021-03-05)\n\n## 论文\n\n- [甲](u)\n\n代码：https://e.org\n\n摘要：乙\n\n再见\n\n----\n")
    assert issue.sections[0].entries == (Entry("[甲](u)\n\n代码：https://e.org\n\n摘要：乙"),)
    assert issue.sections[0].closing == "再见"
    assert read(written(issue)) == issue


def test_words_of_the_house_style_come_from_the_newsletter() -> None:
    newsletter = Newsletter(
        title="Weekly",
        editor="e",
        categories=(Category(name="News"),),
        labels=Labels(summary="Summary", guide="Digest", paper="Paper", source_separator=" @ "),
        back_issues=BackIssues(heading="Back issues"),
    )
    text = (
        "# Weekly (2021-03-05)\n\n> Digest：short\n\n\n## News\n\n- [Title @ Site](https://example.org/1)  \n"
        "Paper：https://example.org/2  \nSummary：what it says  \n\n\n## Back issues\n\n- x\n"
    )
    issue = read_issue(text.encode(), name="x.md", newsletter=newsletter)
    assert (issue.guide, issue.back_issues) == ("short", "## Back issues\n\n- x")
    assert render_issue(issue, newsletter, TEMPLATE) == text
    entry = read_entry(issue.sections[0].entries[0].markdown, newsletter)
    assert (entry.title, entry.source, entry.summary) == ("Title", "Site", ("what it says",))
    assert entry.labels == (LabelLine("Paper", "https://example.org/2", "https://example.org/2"),)


# Entries


@pytest.mark.parametrize(
    ("head", "title", "source"),
    [
        ("[标题 | 来源](u)", "标题", "来源"),
        ("[标题|来源](u)", "标题", "来源"),
        ("[标题｜ 来源](u)", "标题", "来源"),
        ("[标题 丨 来源](u)", "标题", "来源"),
        ("[重磅丨标题 | 来源](u)", "重磅丨标题", "来源"),
        ("[会议 2019 | 标题 | 来源](u)", "会议 2019 | 标题", "来源"),
        (r"[a \| b](u)", "a | b", None),
        ("[只有标题](u)", "只有标题", None),
        ("[标题 | ](u)", "标题", None),
        ("没有链接 | 来源", "没有链接", "来源"),
        ("[引用[1]和(括号) | 来源](u)", "引用[1]和(括号)", "来源"),
        ("**[标题 | 来源](u)**", "标题", "来源"),
        ("[为 **GPU** 设计 `int8` &amp; x](u)", "为 GPU 设计 int8 & x", None),
        ("[[标题 | 来源](u)", "标题", "来源"),
        ("甲发布，[乙](u)也发布 | 来源", "甲发布，乙也发布", "来源"),
    ],
)
def test_titles_and_sources_are_told_apart(head: str, title: str, source: str | None) -> None:
    assert (view(head).title, view(head).source) == (title, source)


@pytest.mark.parametrize(
    ("head", "prefixes", "repository", "title"),
    [
        ("[CVPR2020] [标题](u)", ("CVPR2020",), None, "标题"),
        ("[AAAI 2020][标题](u)", ("AAAI 2020",), None, "标题"),
        ("[2006.16669] [标题](u)", ("2006.16669",), None, "标题"),
        ("[CVPR] [2006.1] [标题](u)", ("CVPR", "2006.1"), None, "标题"),
        ("【长文】[标题](u)", ("长文",), None, "标题"),
        ("[2006.16669] 没有链接的标题", ("2006.16669",), None, "没有链接的标题"),
        ("[owner/repo: 标题](u)", (), "owner/repo", "标题"),
        ("[owner/repo：标题](u)", (), "owner/repo", "标题"),
        ("[owner/repo:标题](u)", (), "owner/repo", "标题"),
        ("[owner/my_re.po](u)", (), "owner/my_re.po", "owner/my_re.po"),
        ("[CVPR2020] [owner/repo: 标题](u)", ("CVPR2020",), "owner/repo", "标题"),
        ("[检测/分割 | 来源](u)", (), None, "检测/分割"),
        ("论文：[标题](u)", ("论文",), None, "标题"),
    ],
)
def test_prefixes_and_repositories_are_no_part_of_the_title(
    head: str, prefixes: tuple[str, ...], repository: str | None, title: str
) -> None:
    entry = view(head)
    assert (entry.prefixes, entry.repository, entry.title) == (prefixes, repository, title)


def test_urls_with_parentheses_and_angle_brackets_are_whole() -> None:
    assert view("[甲](https://example.org/a_(b)_(c))").url == "https://example.org/a_(b)_(c)"
    assert view("[甲](<https://example.org/a_(b>)").url == "https://example.org/a_(b"
    assert view('[甲](https://example.org/1 "提示")').url == "https://example.org/1"


def test_further_links_of_the_first_line_have_their_labels() -> None:
    entry = view("[甲](https://example.org/1) [[原文]](https://example.org/2) [乙解读](https://example.org/3)")
    assert (entry.title, entry.url) == ("甲", "https://example.org/1")
    assert entry.links == (StoryLink("原文", "https://example.org/2"), StoryLink("乙解读", "https://example.org/3"))
    assert entry.urls == ("https://example.org/1", "https://example.org/2", "https://example.org/3")


def test_label_lines_and_summary_are_told_apart() -> None:
    entry = view(
        "[甲](https://example.org/1)\n"
        "标题：[A Paper](https://arxiv.org/abs/2001.00001)\n"
        "论文: A Second Paper\n"
        " 代码：https://github.com/owner/repo\n"
        "  - 某某演示视频：<https://example.org/v>\n"
        "摘要：第一段，见 https://example.org/2。\n"
        "第二段：**有粗体**，[有链接](https://example.org/3)。\n"
        "  1. 第三段\n"
        "![图](https://example.org/p.png)\n"
        "论文链接：https://example.org/4"
    )
    assert [(one.label, one.text, one.url) for one in entry.labels] == [
        ("标题", "A Paper", "https://arxiv.org/abs/2001.00001"),
        ("论文", "A Second Paper", None),
        ("代码", "https://github.com/owner/repo", "https://github.com/owner/repo"),
        ("某某演示视频", "https://example.org/v", "https://example.org/v"),
        ("论文链接", "https://example.org/4", "https://example.org/4"),
    ]
    assert entry.summary == ("第一段，见 https://example.org/2。", "第二段：有粗体，有链接。", "第三段")
    assert [url.rpartition("/")[2] for url in entry.urls] == ["1", "2001.00001", "repo", "v", "2", "3", "4"]


def test_a_title_whose_brackets_do_not_pair_still_has_its_address() -> None:
    entry = view("[标题] 后半 | 来源](https://example.org/1)")
    assert (entry.url, entry.source) == ("https://example.org/1", "来源")


def test_an_entry_of_a_bare_address_has_title_and_address() -> None:
    entry = view("标题 https://example.org/1")
    assert (entry.title, entry.url) == ("标题", "https://example.org/1")


# The real archive


@pytest.fixture(scope="module")
def past(archive: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(archive.glob("*.md"))}


@pytest.mark.archive
def test_every_past_issue_is_exported_line_by_line_as_it_was(past: dict[str, bytes]) -> None:
    changed = {}
    for name, data in past.items():
        issue = read_issue(data, name=name, newsletter=NEWSLETTER)
        lines, exported = spoken(data.decode()), spoken(written(issue))
        if lines != exported:
            changed[name] = [line for line in lines if line not in exported]
        assert read_issue(written(issue).encode(), name=name, newsletter=NEWSLETTER) == issue
        assert {warning.code for warning in issue.warnings} <= {"archive/loose-links"}
    assert past
    assert changed == {}


@pytest.mark.archive
def test_every_past_entry_has_a_clean_title_and_nearly_all_an_address(past: dict[str, bytes]) -> None:
    entries = [
        view(entry.markdown)
        for name, data in past.items()
        for section in read_issue(data, name=name, newsletter=NEWSLETTER).main_sections
        for entry in section.entries
    ]
    assert all(entry.title and not entry.title.startswith("[") and "](" not in entry.title for entry in entries)
    assert sum(entry.url is None for entry in entries) <= len(entries) // 100
    assert sum(
        entry.source is not None or entry.repository is not None or bool(entry.prefixes) for entry in entries
    ) > (0.98 * len(entries))
    assert sum(bool(entry.summary) for entry in entries) > 0.9 * len(entries)


def test_links_alone_are_the_entries_of_a_section_whose_newsletter_has_bullets() -> None:
    newsletter = NEWSLETTER.model_copy(update={"reading": Reading(items=("+ ",))})
    linked = "[甲](https://e.org/1)\n\n![](a.png)\n\n[乙](https://e.org/2)"
    text = f"# 嵌入式AI简报 (2021-03-05)\n\n## 业界新闻\n\n+ [丙](https://e.org/3)\n\n## 论文\n\n{linked}\n"
    issue = read_issue(text.encode(), name="2021-03-05.md", newsletter=newsletter)
    assert [len(section.entries) for section in issue.sections] == [1, 2]
    prose = text.replace("\n\n![](a.png)\n\n", "很好读。\n\n")
    issue = read_issue(prose.encode(), name="2021-03-05.md", newsletter=newsletter)
    assert [len(section.entries) for section in issue.sections] == [1, 0]


@pytest.mark.parametrize(
    ("lines", "closing"),
    [
        ("[甲](https://e.org/1)\n\n[乙](https://e.org/2)\n\n（完）", "（完）"),
        ("[甲](https://e.org/1)\n\n说了甲。\n\n[乙](https://e.org/2)\n\n说了乙。", None),
        ("[甲](https://e.org/1)\n\n说了甲。", None),
    ],
)
def test_text_below_the_last_of_lines_that_are_links_is_no_part_of_it(lines: str, closing: str | None) -> None:
    issue = read(f"# 嵌入式AI简报 (2021-03-05)\n\n## 业界新闻\n\n{lines}\n")
    assert issue.sections[0].closing == closing
