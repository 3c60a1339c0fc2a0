"""What begins an entry is found from the section, or stands in newsletter.toml."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import bundled
from pipelines.issue.archive_check import check_issue
from pipelines.issue.decoding import NotAnIssue
from pipelines.issue.entry import read_entry, read_summary, reword_entry
from pipelines.issue.inline import find_urls
from pipelines.issue.lines import MarkdownLines
from pipelines.issue.loose_links import join_lines
from pipelines.issue.markdown import render_issue
from pipelines.issue.reading import read_issue
from pipelines.issue.reading_style import Example, learn_reading, needs_numbering
from pipelines.issue.sections import make_draft
from pipelines.model import Entry, Issue
from pipelines.newsletter import Category, Frame, Labels, Newsletter, Numbering, Publish, Reading, load_newsletter
from pipelines.newsroom.editing.learned_style import learn_style, write_settings
from pipelines.wording import say_detail

HOUSE = load_newsletter(bundled() / "newsletter.toml")
TEMPLATE = (bundled() / "templates/issue.md.j2").read_text(encoding="utf-8")
WEEKLY = Newsletter(
    title="周刊",
    editor="e",
    categories=(Category(name="论文"), Category(name="工具")),
    labels=Labels(summary="", source_separator="", colon=": "),
    frame=Frame(dateline="（第 {number} 期）：", marker="{n}、"),
    numbering=Numbering(first=date(2018, 4, 20)),
)


def read(text: str, newsletter: Newsletter = HOUSE, name: str = "2021-03-05.md") -> Issue:
    return read_issue(text.encode(), name=name, newsletter=newsletter)


def write(issue: Issue, newsletter: Newsletter = HOUSE) -> str:
    return render_issue(issue, newsletter, TEMPLATE)


def section(*lines: str) -> str:
    return "\n".join(("# 嵌入式AI简报 (2021-03-05)", "", "## 论文", "", *lines, ""))


def urls(issue: Issue) -> list[str | None]:
    return [read_entry(entry.markdown, HOUSE).url for section in issue.sections for entry in section.entries]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("- ", "- "),
        ("* ", "* "),
        ("+ ", "+ "),
        ("•", "•"),
        ("－ ", "－ "),
        ("· ", "· "),
        ("1、", "2、"),
        ("1、 ", "2、 "),
        ("1. ", "2. "),
        ("1) ", "2) "),
        ("1）", "2）"),
        ("（1）", "（2）"),
        ("1：", "2："),
        ("一、", "二、"),
        ("（一）", "（二）"),
        ("①", "②"),
        ("❶ ", "❷ "),
        ("⑴", "⑵"),
        ("⒈", "⒉"),
        ("→ ", "→ "),
        ("— ", "— "),
        ("1\ufe0f\u20e3 ", "2\ufe0f\u20e3 "),
        ("1 ", "2 "),
        ("01. ", "02. "),
        ("#1 ", "#2 "),
        ("No.1 ", "No.2 "),
        ("No. 1：", "No. 2："),
        ("第1条 ", "第2条 "),
        ("第一条：", "第二条："),
        ("[1] ", "[2] "),
        ("> ", "> "),
        ("> - ", "> - "),
        ("🔥 ", "📱 "),
        ("### ", "### "),
        ("  - ", "  - "),
        ("", ""),
    ],
)
def test_an_item_of_any_shape_is_an_entry_and_is_written_with_its_own_mark(first: str, second: str) -> None:
    text = section(
        f"{first}[甲](https://e.org/1)", "", "说了甲。", "", f"{second}[乙](https://e.org/2)", "", "说了乙。"
    )
    issue = read(text)
    assert urls(issue) == ["https://e.org/1", "https://e.org/2"]
    assert issue.warnings == ()
    written = write(issue)
    assert f"\n{first}[甲](https://e.org/1)" in written
    assert f"\n{second}[乙](https://e.org/2)" in written
    assert read(written) == issue


@pytest.mark.parametrize(
    "item",
    [
        "🔥 [甲{n}](https://e.org/{n})",
        "🔥 **甲{n}** [链接](https://e.org/{n})",
        "🔥 甲{n} https://e.org/{n}",
        "🔥 [甲{n}](https://e.org/{n})\n摘要：说了。",
        "[甲{n}](https://e.org/{n})",
        "[甲{n}](https://e.org/{n})  ",
        "**[甲{n}](https://e.org/{n})**",
        "✓ [甲{n}](https://e.org/{n})",
        "*[甲{n}](https://e.org/{n})",
        "> [甲{n}](https://e.org/{n})",
        "> {n}. [甲{n}](https://e.org/{n})",
        "#{n} [甲{n}](https://e.org/{n})",
    ],
)
def test_items_with_no_blank_line_between_them_are_an_entry_each(item: str) -> None:
    issue = read(section(*(item.format(n=number) for number in (1, 2, 3))))
    assert urls(issue) == ["https://e.org/1", "https://e.org/2", "https://e.org/3"]
    assert issue.warnings == ()
    assert read(write(issue)) == issue


def test_further_links_of_an_entry_are_no_items_though_each_stands_at_the_beginning_of_a_line() -> None:
    labelled = read(section("🔥 [甲](https://e.org/1)", "💻 代码：https://e.org/8", "[论文](https://e.org/9)"))
    repeated = read(
        section(
            *("🔥 [甲](https://e.org/1)", "📦 [源码](https://e.org/8)", ""),
            *("🔥 [乙](https://e.org/2)", "📦 [源码](https://e.org/9)"),
        )
    )
    assert [urls(issue) for issue in (labelled, repeated)] == [
        ["https://e.org/1"],
        ["https://e.org/1", "https://e.org/2"],
    ]


def test_a_bold_paragraph_and_the_row_of_a_table_are_entries() -> None:
    bold = read(section("**[甲](https://e.org/1)**", "", "说了甲。", "", "**[乙](https://e.org/2)**", "", "说了乙。"))
    assert urls(bold) == ["https://e.org/1", "https://e.org/2"]
    rows = ("| [甲](https://e.org/1) | 快 |", "| [乙](https://e.org/2) | 省 |")
    table = read(section("| 项目 | 说明 |", "|---|---|", *rows))
    assert urls(table) == ["https://e.org/1", "https://e.org/2"]
    assert "|---|---|\n| [甲](https://e.org/1) | 快 |" in write(table)
    open_rows = read(section("项目 | 说明", "---|---", "[甲](https://e.org/1) | 快", "[乙](https://e.org/2) | 省"))
    assert urls(open_rows) == ["https://e.org/1", "https://e.org/2"]
    assert "---|---\n|[甲](https://e.org/1) | 快" in write(open_rows)
    for issue in (bold, table, open_rows):
        assert read(write(issue)) == issue


def test_headings_are_items_where_the_text_of_each_holds_its_link() -> None:
    items = read(
        section("### 甲", "", "<https://e.org/1>", "", "说了甲。", "", "### 乙", "", "见[文](https://e.org/2)。")
    )
    assert [entry.markdown.split("\n")[0] for entry in items.sections[0].entries] == ["甲", "乙"]
    assert read(write(items)) == items
    groups = read(
        section(
            "### 甲",
            "",
            "- [一](https://e.org/1)",
            "- [二](https://e.org/2)",
            "",
            "### 乙",
            "",
            "- [三](https://e.org/3)",
        )
    )
    assert urls(groups) == ["https://e.org/1", "https://e.org/2", "https://e.org/3"]


def test_the_last_item_of_a_list_keeps_its_paragraph_where_every_item_has_one() -> None:
    lines = ("- [甲](https://e.org/1)", "", "说了甲。", "", "- [乙](https://e.org/2)", "", "说了乙。")
    issue = read(section(*lines, "", "以上。"))
    assert issue.sections[0].entries[1].markdown == "[乙](https://e.org/2)\n\n说了乙。"
    assert issue.sections[0].closing == "以上。"
    assert read(write(issue)) == issue
    assert read(section(*lines[1:], "", "以上。")).sections[0].closing == "说了乙。\n\n以上。"


def test_the_lines_of_reference_links_are_neither_links_nor_text_of_an_entry() -> None:
    issue = read(section("- [甲][1]", "说了甲。", "- [乙](https://e.org/2)", "说了乙。", "", "[1]: https://e.org/1"))
    last = read_entry(issue.sections[0].entries[1].markdown, HOUSE)
    assert (last.urls, last.labels, last.summary) == (("https://e.org/2",), (), ("说了乙。",))
    assert read(write(issue)) == issue


@pytest.mark.parametrize(
    "lines",
    [
        ("### [甲](https://e.org/1)", "", "- 快", "- 省，见[文档](https://e.org/9)", "", "### [乙](https://e.org/2)"),
        (
            "1、[甲](https://e.org/1)",
            "",
            "- [快](https://e.org/8)",
            "- [省](https://e.org/9)",
            "",
            "2、[乙](https://e.org/2)",
        ),
        ("- [甲](https://e.org/1)", "摘要：", "1、快，见[文档](https://e.org/9)", "2、省", "- [乙](https://e.org/2)"),
        ("- [甲](https://e.org/1)", "    * [快](https://e.org/9)", "- [乙](https://e.org/2)"),
        ("**甲**", "", "见 https://e.org/1", "", "**乙**", "", "见 https://e.org/2"),
        ("- 1.5 倍 [甲](https://e.org/1)", "- [乙](https://e.org/2)", "2.5 倍"),
    ],
)
def test_a_list_inside_an_entry_gives_no_entries(lines: tuple[str, ...]) -> None:
    issue = read(section(*lines))
    (only,) = issue.sections
    assert len(only.entries) == 2
    assert [url for url in urls(issue) if url] in (["https://e.org/1", "https://e.org/2"], [])
    assert read(write(issue)) == issue


def test_a_single_link_before_the_list_is_a_note() -> None:
    items = [f"{number}、[第{number}](https://e.org/{number})\n" for number in range(1, 5)]
    issue = read(section("- [投稿](https://e.org/9)", "", *items))
    assert issue.sections[0].notes == "- [投稿](https://e.org/9)"
    assert len(issue.sections[0].entries) == 4


def test_a_section_without_an_entry_that_holds_a_link_is_named_with_its_line() -> None:
    issue = read(section("- [甲](https://e.org/1)", "", "## 博文", "", "说明文字，[链接](https://e.org/2)在文中。"))
    assert [warning.code for warning in issue.warnings] == ["archive/no-linked-entry", "archive/loose-links"]
    assert "第 7 行的栏目「博文」没有读出带链接的条目" in say_detail(issue.warnings[0], "zh")


def test_numbers_that_go_on_from_section_to_section_go_on_in_the_export() -> None:
    text = "# 周刊（第 2 期）\n\n## 论文\n\n1、[甲](https://e.org/1)\n\n2、[乙](https://e.org/2)\n\n\n## 工具\n\n3、[丙](https://e.org/3)\n"
    issue = read(text, WEEKLY)
    assert [each.continues_numbers for each in issue.sections] == [False, True]
    assert "\n3、[丙]" in write(issue, WEEKLY)


# Underlined headings


UNDERLINED = """2021.03.05 - 要目
========

论文
----

**甲**
https://e.org/1
甲的摘要，见[甲的代码](https://e.org/1/code)。

[甲的访谈](https://e.org/1/talk)里还说了别的。

**乙**
https://e.org/2
乙的摘要。

[乙的访谈](https://e.org/2/talk)里还说了别的。
"""


def test_underlined_headings_and_titles_above_a_bare_address_are_read_and_come_back() -> None:
    issue = read(UNDERLINED)
    assert (str(issue.date), issue.headline) == ("2021-03-05", "要目")
    assert [(each.name, each.level, len(each.entries)) for each in issue.sections] == [("论文", 2, 2)]
    assert [find_urls(entry.markdown)[0] for entry in issue.sections[0].entries] == [
        "https://e.org/1",
        "https://e.org/2",
    ]
    assert write(issue).startswith("# 2021.03.05 - 要目\n")
    assert read(write(issue)) == issue
    learned = learn_reading([Example("1.md", UNDERLINED), Example("2.md", UNDERLINED.replace("甲", "丙"))], HOUSE)
    assert (learned.title, learned.sections, learned.items[0]) == ("heading", (2,), "**")
    inner_items = check_issue(UNDERLINED.encode(), name="1.md", newsletter=HOUSE).inner_items
    assert {"https://e.org/1", "https://e.org/2"}.isdisjoint(each.url for each in inner_items)


def test_a_section_of_titles_above_bare_addresses_is_no_frame_when_the_style_is_learned() -> None:
    examples = [
        Example(
            f"{day}.md",
            UNDERLINED.replace("03.05 - 要目", f"03.{day} - {headline}").replace("e.org/", f"e.org/{day}/"),
        )
        for day, headline in (("05", "要目"), ("12", "春汛"), ("19", "夏令"))
    ]
    learned = learn_style(examples, HOUSE).newsletter
    assert (learned.category_names, learned.frame.sections) == (("论文",), ())
    assert (learned.title, learned.frame.title, learned.frame.dateline) == (HOUSE.title, "", "{date:%Y.%m.%d} - ")


def test_an_underlined_heading_may_be_bold() -> None:
    assert MarkdownLines.split("**周刊 (2021-03-05)**\n====").lines == ["# **周刊 (2021-03-05)**", ""]


@pytest.mark.parametrize(
    "text",
    [
        "# 周刊\n\n一段话\n---\n\n页脚",
        "一段话\n两行\n====\n",
        "- 一条\n====\n",
        "```\n一段话\n====\n```\n",
        "---\ntitle: 周刊\n---\n\n====\n",
    ],
)
def test_a_line_below_text_of_another_kind_is_no_underline(text: str) -> None:
    assert list(MarkdownLines.split(text).lines) == text.split("\n")


# Reference links


REFERENCED = """---
title: '周刊#{number}'
---

## 新闻

- **甲{number}有了新版：** 作者在[邮件列表][甲{number} 邮件]里写道，
  更快也更省。

- **乙{number}的缺陷：** 见[说明][乙{number}]。

## 发布

[丙{number}][] 修了几个错。

[丁{number}][] 改了接口。

{{% include references.md %}}
[甲{number} 邮件]: https://e.org/{number}/1
[乙{number}]: https://e.org/{number}/2
[丙{number}]: https://e.org/{number}/3
[丁{number}]: https://e.org/{number}/4
"""


def test_reference_links_show_which_lines_begin_entries_when_read_and_when_learned() -> None:
    texts = [REFERENCED.format(number=number) for number in range(1, 13)]
    learned = learn_reading([Example(f"{number}.md", text) for number, text in enumerate(texts)], WEEKLY)
    assert (learned.sections, learned.items, learned.frame) == ((2,), ("- ", "["), ())
    for reading in (learned, WEEKLY.reading):
        newsletter = WEEKLY.model_copy(update={"reading": reading})
        issue = read(texts[-1], newsletter)
        assert [len(each.entries) for each in issue.sections] == [2, 2]
        assert find_urls(issue.sections[1].entries[0].markdown) == ("https://e.org/12/3",)
        assert replace(read(write(issue, newsletter), newsletter), warnings=()) == replace(issue, warnings=())


def test_a_reference_link_gets_the_address_of_its_definition() -> None:
    issue = read(
        section(
            "- [甲 | 源][1]",
            "摘要：见[文档][]、[代码]和[CVPR2020]，`[1]`",
            "```",
            "x[1]",
            "```",
            "- [乙 | 源][B C]",
            "",
            "[1]: https://e.org/1",
            "[b  c]:<https://e.org/2_(a)> '标题'",
            "[文档]: https://e.org/3",
            "[代码]: https://e.org/4",
            "[^1]: 注",
        )
    )
    first, second = issue.sections[0].entries
    assert first.markdown == (
        "[甲 | 源](https://e.org/1)\n摘要：见[文档](https://e.org/3)、[代码](https://e.org/4)和[CVPR2020]，`[1]`\n"
        "```\nx[1]\n```"
    )
    assert read_entry(second.markdown, HOUSE).url == "https://e.org/2_(a)"
    assert read(write(issue)) == issue


# Names of issues


@pytest.mark.parametrize(
    ("heading", "title", "number", "headline"),
    [
        ("周刊（第 310 期）：甲", "周刊", 310, "甲"),
        ("周刊：第 31 期：甲", "周刊", 31, "甲"),
        ("《周刊》第 075 期", "《周刊》", 75, None),
        ("周刊 #189", "周刊", 189, None),
        ("Weekly Vol.30", "Weekly", 30, None),
    ],
)
def test_a_number_gives_the_date_and_comes_back(heading: str, title: str, number: int, headline: str | None) -> None:
    text = f"# {heading}\n\n## 论文\n\n1、[甲](https://e.org/1)\n"
    issue = read(text, WEEKLY, "issue.md")
    assert (issue.title, issue.number, issue.headline) == (title, number, headline)
    assert issue.date == WEEKLY.numbering.find_date(number) if WEEKLY.numbering else None
    assert write(issue, WEEKLY) == text.replace("\n\n## ", "\n\n\n## ")
    without_date = WEEKLY.model_copy(update={"numbering": None})
    with pytest.raises(NotAnIssue, match=r"\[numbering\]|no-date"):
        read(text, without_date, "issue.md")


def test_title_date_and_number_stand_in_front_matter_and_an_edited_headline_is_written_there() -> None:
    text = "---\ntitle: '周刊#9：甲''乙'\npubDate: 2023-07-01\n---\n\n你好。\n\n\n## 论文\n\n1、[甲](https://e.org/1)\n"
    issue = read(text, WEEKLY, "weekly.md")
    assert (issue.date, issue.number, issue.title_in) == (date(2023, 7, 1), 9, "front-matter")
    assert (issue.title, issue.headline) == ("周刊", "甲'乙")
    assert write(issue, WEEKLY) == text
    assert "title: '周刊#9：丙''丁'\n" in write(replace(issue, headline="丙'丁"), WEEKLY)


def test_fields_without_rules_around_them_are_front_matter_too_and_every_heading_is_a_section() -> None:
    text = "Title: 周刊 98\nNumber: 98\nDate: 2015-09-28\n\n你好。\n\n\n# 论文\n\n* [甲](https://e.org/1)  \n"
    newsletter = WEEKLY.model_copy(update={"reading": Reading(sections=(1, 2), title="front-matter")})
    issue = read(text, newsletter)
    assert (issue.number, issue.date, issue.title) == (98, date(2015, 9, 28), "周刊 98")
    assert [(each.name, each.level, each.marker) for each in issue.sections] == [("论文", 1, "* ")]
    assert write(issue, newsletter) == text


def test_a_section_keeps_emoji_number_and_link_of_its_heading_and_is_the_newsletters() -> None:
    for heading in ("🦄论文", "[🦄论文](https://e.org)", "一、论文", "1. 论文", "**论文**"):
        issue = read(f"# 嵌入式AI简报 (2021-03-05)\n\n## {heading}\n\n- [甲](https://e.org/1)\n")
        assert issue.sections[0].name == heading
        assert issue.warnings == ()
    assert HOUSE.category("其他论文") is None


def test_file_names_and_addresses_take_the_number_and_the_slug() -> None:
    newsletter = WEEKLY.model_copy(update={"publish": Publish(file="{date}-{slug}")})
    issue = read("# 周刊 (2021-03-05)\n\n## 论文\n\n- [甲](https://e.org/1)\n", newsletter, "2021-03-05-hello.md")
    assert issue.slug == "hello"
    assert newsletter.fill_template("posts/{slug}/{number}", issue.date, number=3, slug=issue.slug) == "posts/hello/3"
    assert newsletter.fill_template("issue-{number}", date(2018, 5, 4)) == "issue-3"
    assert HOUSE.fill_template("{date}{number}", date(2018, 5, 4)) == "2018-05-04"


@given(number=st.integers(1, 900), months=st.integers(0, 12), day=st.integers(1, 28))
@settings(max_examples=50)
def test_the_date_of_a_number_gives_the_number_again(number: int, months: int, day: int) -> None:
    numbering = Numbering(first=date(2016, 1, day), months=months)
    assert numbering.find_number(numbering.find_date(number)) == number


# A newsletter of another style


def test_a_new_issue_is_written_in_the_newsletters_style_and_reads_back() -> None:
    draft = make_draft(date(2018, 5, 4), WEEKLY)
    entry = Entry("[甲](https://e.org/1)\n\n说了。")
    filled = tuple(replace(each, entries=(entry,)) for each in draft.sections)
    issue = replace(draft, sections=filled, state="published")
    text = write(issue, WEEKLY)
    assert text.startswith("# 周刊（第 3 期）：\n")
    assert "\n1、[甲](https://e.org/1)\n\n说了。\n" in text
    assert read(text, WEEKLY, "x.md") == issue


def test_a_summary_without_a_label_is_every_line_that_is_no_label_line() -> None:
    markdown = "[甲](https://e.org/1)\n代码: https://e.org/2\n说了甲。\n\n又说了。"
    assert read_summary(markdown, WEEKLY) == "说了甲。\n又说了。"
    assert read_entry(markdown, WEEKLY).source is None
    assert reword_entry(markdown, WEEKLY, title="甲", summary="说了甲。\n改了。") == markdown.replace("又说了", "改了")
    bare = reword_entry("[甲](https://e.org/1)", WEEKLY, title="甲", summary="新的。")
    assert bare == "[甲](https://e.org/1)\n新的。"


def test_what_a_template_of_another_newsletter_writes_reads_back() -> None:
    template = (
        "# {{ issue.title }}（第 {{ (issue.date.toordinal() - 736805) // 7 }} 期）：{{ issue.headline }}\n\n"
        "每周五发布。\n{% for section in issue.sections if section.entries %}\n\n## {{ section.name }}\n"
        "{% for entry in section.entries %}\n\n{{ loop.index }}、{{ entry.markdown.split('\n')[0] }}\n\n"
        "{{ entry.markdown.split('\n')[1:] | join('\n\n') }}\n{% endfor %}\n{% endfor %}\n\n{{ issue.footer }}\n"
    )
    newsletter = WEEKLY.model_copy(update={"numbering": None})
    entries = (Entry("[甲](https://e.org/1)\n\n说了甲。\n\n又说了。"), Entry("[乙](https://e.org/2)\n\n说了乙。"))
    sections = tuple(replace(each, entries=entries) for each in make_draft(date(2024, 7, 26), newsletter).sections)
    issue = Issue(date(2024, 7, 26), "周刊", sections, headline="要目", footer="----\n\n（完）")
    again = read(render_issue(issue, newsletter, template), newsletter, "2024-07-26.md")
    assert (again.title, again.headline, again.sections, again.footer) == ("周刊", "要目", issue.sections, issue.footer)
    assert again.number == (date(2024, 7, 26).toordinal() - 736805) // 7


def test_a_template_gets_the_parts_of_an_entry() -> None:
    template = "{% for entry in issue.sections[0].entries %}{{ parts(entry.markdown).title }};{% endfor %}"
    issue = read(section("- [甲 | 源](https://e.org/1)", "- [乙 | 源](https://e.org/2)"))
    assert render_issue(issue, HOUSE, template) == "甲;乙;"


# Learning and checking


def make_example(number: int) -> Example:
    """Make an issue whose sections are `###`, whose items are numbered, with lists inside, and a frame."""
    address = f"https://e.org/{number}"
    items = "\n\n".join(
        f"{rank}、[标题{number}-{rank}]({address}/{rank})\n\n- [细节]({address}/{rank}/a)\n- 细节" for rank in (1, 2, 3)
    )
    return Example(
        f"issue-{number}.md",
        f"# 周刊（第 {number} 期）：要目{number}\n\n欢迎[投稿](https://e.org/new)。\n\n## 内容\n\n"
        f"### 论文\n\n{items}\n\n### 工具\n\n{items}\n\n## 订阅\n\n- [微信](https://e.org/wechat)，每周五\n",
    )


def test_the_reading_is_learned_from_examples_and_reads_issues_that_were_not_among_them() -> None:
    examples = [make_example(number) for number in range(1, 13)]
    reading = learn_reading(examples, WEEKLY)
    assert (reading.sections, reading.title) == ((2, 3), "heading")
    assert reading.items[0] == "{n}、"
    assert needs_numbering(examples, WEEKLY)
    newsletter = WEEKLY.model_copy(update={"reading": reading})
    issue = read(make_example(40).text, newsletter, "x.md")
    assert [(each.name, each.level, len(each.entries)) for each in issue.sections[:3]] == [
        ("内容", 2, 0),
        ("论文", 3, 3),
        ("工具", 3, 3),
    ]
    assert read(write(issue, newsletter), newsletter, "x.md") == issue


def test_the_form_of_the_number_is_learned_from_the_names_of_files_where_nothing_else_tells_it() -> None:
    text = "## 前言\n\n欢迎投稿。\n\n## 论文\n\n- [甲{number}](https://e.org/{number})\n- [乙{number}](https://e.org/b{number})\n"
    examples = [Example(f"zhoubao_{number}.md", text.format(number=number)) for number in range(9, 14)]
    learned = learn_style(examples, WEEKLY.model_copy(update={"numbering": None}))
    assert learned.newsletter.reading.number[-1] == "zhoubao_{n}.md"
    assert learned.is_numbering_guessed
    issue = read(text.format(number=40), learned.newsletter, "zhoubao_40.md")
    assert (issue.number, [len(each.entries) for each in issue.sections]) == (40, [0, 2])
    early = text.format(number=1).replace("论文", "文章")
    assert read(early, learned.newsletter, "zhoubao_1.md").number == 1, "the name says whose issue it is"
    with pytest.raises(NotAnIssue):
        read(early, learned.newsletter, "issue-1.md")
    dated = [Example(f"zhoubao_{number}.md", f"# 周刊 (2021-03-{number:02})\n\n{text}") for number in range(9, 14)]
    assert learn_reading(dated, WEEKLY).number == WEEKLY.reading.number


def test_a_kind_of_the_same_family_begins_entries_only_where_links_lead_them() -> None:
    newsletter = HOUSE.model_copy(update={"reading": Reading(items=("* ", "{n}、"))})
    linked = read(section("- [甲](https://e.org/1)", "- [乙](https://e.org/2)"), newsletter)
    prose = read(section("理由有二：", "", "（1）快；", "", "（2）省，见文档。", "", "见 https://e.org/9"), newsletter)
    assert [len(issue.sections[0].entries) for issue in (linked, prose)] == [2, 0]


def test_the_proposal_is_toml_that_gives_the_same_reading() -> None:
    reading = Reading(sections=(2, 3), items=("{n}、", "- "), frame=('订"阅',), title="front-matter")
    written = write_settings("", {"reading": reading.model_dump()})
    assert Reading.model_validate(tomllib.loads(written)["reading"]) == reading


def test_a_check_names_the_links_that_are_in_no_entry_and_the_frame() -> None:
    example = make_example(7)
    newsletter = WEEKLY.model_copy(
        update={"reading": Reading(sections=(2, 3), items=("{n}、",), frame=("订阅",), title="heading")}
    )
    check = check_issue(example.text.encode(), example.name, newsletter)
    assert check.count == 6
    assert [(each.name, each.count, each.marker) for each in check.sections] == [
        ("论文", 3, "{n}、"),
        ("工具", 3, "{n}、"),
    ]
    assert [each.name for each in check.frame] == ["内容", "订阅"]
    assert [link.url for link in check.loose_links] == ["https://e.org/new", "https://e.org/wechat"]
    assert check.loose_links[0].line == 3
    assert not any("订阅" in str(warning) for warning in check.issue.warnings)
    assert [warning.values for warning in check.issue.warnings if warning.code == "archive/loose-links"] == [
        {"lines": ("3",)}
    ]


def test_a_check_names_a_line_inside_an_entry_that_looks_like_one_of_its_own() -> None:
    inner = (
        "> [乙](https://e.org/2)",
        "1. [丙](https://e.org/3)",
        "项目：https://e.org/9",
        "-- [作者](https://e.org/8)",
    )
    text = section("- [甲](https://e.org/1)", "说了。", "", *inner, "- 丁")
    check = check_issue(text.encode(), "2021-03-05.md", HOUSE)
    assert [(item.line, item.url) for item in check.inner_items] == [(8, "https://e.org/2"), (9, "https://e.org/3")]


ITEM_FORMS = (
    *("- {item}", "* {item}", "• {item}", "{n}、{item}", "{n}. {item}", "（{n}）{item}", "### {item}", "**{item}**"),
    *("🔥 {item}", "{item}", "✓ {item}", "> {item}", "> - {item}", "#{n} {item}", "No.{n} {item}", "第{n}条 {item}"),
    *("| {item} | 快 |", "<li>{item}</li>", "<p>{item}</p>", "{n}/ {item}", "甲，见 {item}"),
    *("[{n}] {item}", "`甲` {item}", ">> {item}", "：{item}", "- [ ] {item}", "<details>{item}</details>"),
)
LINKS = ("[甲{n}]({url})", "{url}", "<{url}>", '<a href="{url}">甲{n}</a>', "[甲{n} | 源]({url})\n摘要：说了。")


@given(
    st.lists(
        st.tuples(st.sampled_from(ITEM_FORMS), st.sampled_from(LINKS), st.booleans(), st.integers(1, 4)),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["", "说明。\n\n", "见 https://e.org/99 。\n\n"]),
)
def test_every_link_of_an_issue_leads_an_entry_or_is_named_with_its_line(
    runs: list[tuple[str, str, bool, int]], notes: str
) -> None:
    number = 0
    items = []
    for form, link, is_apart, count in runs:
        for _ in range(count):
            number += 1
            target = link.format(n=number, url=f"https://e.org/{number}")
            items.append(form.format(n=number, item=target) + ("\n" if is_apart else ""))
    text = f"# 嵌入式AI简报 (2021-03-05)\n\n## 论文\n\n{notes}" + "\n".join(items) + "\n"
    check = check_issue(text.encode(), "2021-03-05.md", HOUSE)
    named = {(link.line, link.url) for link in (*check.loose_links, *check.inner_items)}
    leading = set(urls(check.issue))
    for line_number, line in enumerate(text.split("\n"), 1):
        for url in find_urls(line):
            assert url in leading or (line_number, url) in named, (line_number, line)
    told = {warning.code: warning.values for warning in check.issue.warnings}
    told_lines = told.get("archive/loose-links", {"lines": ()})["lines"]
    assert list(told_lines) == join_lines({link.line for link in check.loose_links})
