"""An entry is read and reworded whatever its first line is led by, and the Markdown of unchanged words stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.home import bundled
from pipelines.issue import inline
from pipelines.issue.entry import read_entry, read_summary, read_title, relink_entry, reword_entry
from pipelines.issue.escape import clean_line, escape_markdown
from pipelines.newsletter import Category, Frame, Labels, Newsletter, SectionStyle, load_newsletter

NEWSLETTER = load_newsletter(bundled() / "newsletter.toml")


@pytest.mark.parametrize(
    "first_line",
    [
        "🔥 [甲 | 源](https://example.org/1)",
        "1️⃣ [甲 | 源](https://example.org/1)",
        "1. [甲 | 源](https://example.org/1)",
        "![图](cover.png) [甲 | 源](https://example.org/1)",
        "编辑部的各位都在读的一篇 [甲 | 源](https://example.org/1)",
        "[甲 | 源]（https://example.org/1）",
        "[甲 | 源] (https://example.org/1)",
        "[甲 | 源](https://example.org/1）",
        "【甲 | 源】（https://example.org/1）",
        "[甲](https://example.org/1) | 源",
        "[甲 ┃ 源](https://example.org/1)",
        '<a href="https://example.org/1" target="_blank">甲 | 源</a>',
        "<b><a href=https://example.org/1>甲 | 源</a></b>",
        "[![图](cover.png)](https://example.org/1) 甲 | 源",
        "[甲\n| 源](https://example.org/1)",
        "<!-- 待核实 -->[甲 | 源](https://example.org/1)",
    ],
)
def test_title_source_and_address_are_read_whatever_leads_the_first_line(first_line: str) -> None:
    view = read_entry(f"{first_line}\n摘要：说了甲。", NEWSLETTER)
    assert (view.title, view.source, view.url) == ("甲", "源", "https://example.org/1")
    assert view.summary == ("说了甲。",)


@pytest.mark.parametrize(
    ("line", "title", "url"),
    [
        ("https://example.org/1，很好", "很好", "https://example.org/1"),
        ("甲：https://example.org/1。", "甲", "https://example.org/1"),
        ("甲 <https://example.org/1>（荐）", "甲", "https://example.org/1"),
        ("甲（https://example.org/1）", "甲", "https://example.org/1"),
        ("甲「https://example.org/1」", "甲", "https://example.org/1"),
    ],
)
def test_a_bare_address_ends_before_the_punctuation_of_the_sentence(line: str, title: str, url: str) -> None:
    view = read_entry(line, NEWSLETTER)
    assert (view.title, view.url) == (title, url)


def test_a_summary_that_was_empty_is_written_behind_its_label() -> None:
    reworded = reword_entry("[甲](https://a.example/)\n摘要：", NEWSLETTER, title="甲", summary="说了。\n又说。")
    assert reworded == "[甲](https://a.example/)\n摘要：说了。\n又说。"


@pytest.mark.parametrize("lead", ["🔥 ", "1. ", "![图](cover.png) ", "编辑部的各位都在读的一篇 ", "**荐** "])
def test_another_title_leaves_what_leads_the_entry(lead: str) -> None:
    markdown = f"{lead}[甲 | 源](https://example.org/1)\n摘要：说了甲。"
    reworded = reword_entry(markdown, NEWSLETTER, title="乙 [1]", summary=read_summary(markdown, NEWSLETTER))
    assert reworded == f"{lead}[乙 \\[1\\] | 源](https://example.org/1)\n摘要：说了甲。"


RICH = """\
[甲 | 源](https://example.org/1)
摘要：作者提出**三点**，见[项目页](https://example.org/2)与`demo.py`：
    1. 训练方法
    2. 部署_工具_

```sh
pip install x
```
更多见[博客](https://example.org/3)
代码：https://example.org/4"""


@pytest.mark.parametrize(
    ("before", "after", "old_line", "new_line"),
    [
        ("三点", "四点", "**三点**", "**四点**"),
        ("作者", "某作者", "摘要：作者", "摘要：某作者"),
        ("训练方法", "训练的方法", "    1. 训练方法", "    1. 训练的方法"),
        ("工具", "工具*", "部署_工具_", "部署_工具\\*_"),
        ("pip install x", "pip install *", "pip install x", "pip install *"),
        ("更多见博客", "更多见他的博客", "更多见[博客]", "更多见他的[博客]"),
    ],
)
def test_one_change_on_the_card_leaves_all_other_markdown(
    before: str, after: str, old_line: str, new_line: str
) -> None:
    summary = read_summary(RICH, NEWSLETTER).replace(before, after, 1)
    assert reword_entry(RICH, NEWSLETTER, title="甲", summary=summary) == RICH.replace(old_line, new_line, 1)


def test_an_address_below_a_title_without_a_link_is_the_address_of_the_entry_and_no_summary() -> None:
    bare = NEWSLETTER.model_copy(update={"labels": Labels(summary="", source_separator="")})
    markdown = "**甲**\nhttps://e.org/1\n<https://e.org/2>\n第一句，见[乙](https://e.org/3)。"
    view = read_entry(markdown, bare)
    assert (view.title, view.url, view.summary) == ("甲", "https://e.org/1", ("第一句，见乙。",))
    assert read_summary(markdown, bare) == "第一句，见乙。"
    reworded = reword_entry(markdown, bare, title="甲", summary="第一句，见乙。第二句。")
    assert reworded == markdown + "第二句。"
    retitled = reword_entry(markdown, bare, title="甲乙", summary="第一句，见乙。")
    assert retitled == markdown.replace("**甲**", "**甲乙**")
    assert relink_entry(markdown, "https://e.org/9") == markdown.replace("https://e.org/1", "https://e.org/9")
    assert reword_entry(markdown, bare, title="甲", summary="") == "**甲**\nhttps://e.org/1\n<https://e.org/2>"


def test_a_sentence_around_a_link_is_the_title_as_a_whole_and_no_summary_can_cut_it() -> None:
    bare = NEWSLETTER.model_copy(update={"labels": Labels(summary="", source_separator="")})
    sentence = "昨天[某项目](https://e.org/1)发布了新版本。"
    assert read_title(sentence, bare) == "昨天某项目发布了新版本。"
    assert read_summary(sentence, bare) == ""
    assert reword_entry(f"{sentence}\n后来又说。", bare, title="", summary="") == sentence


def test_words_added_behind_a_link_leave_the_link_whose_address_has_the_same_words() -> None:
    markdown = "[甲](https://a.example/)\n摘要：基于[sops](https://example.com/mozilla/sops). ![sops.](https://example.com/sops.png)"
    reworded = reword_entry(markdown, NEWSLETTER, title="甲", summary="基于sops. 已能用。")
    assert reworded == markdown.replace("sops). ", "sops). 已能用。 ")


def test_a_line_added_and_a_line_removed_on_the_card_leave_the_other_lines() -> None:
    lines = read_summary(RICH, NEWSLETTER).split("\n")
    reworded = reword_entry(RICH, NEWSLETTER, title="甲", summary="\n".join([*lines[:-1], "一行*新*话", lines[-1]]))
    assert reworded == RICH.replace("更多见", "一行\\*新\\*话\n更多见")
    reworded = reword_entry(
        RICH, NEWSLETTER, title="甲", summary="\n".join(line for line in lines if "训练" not in line)
    )
    assert reworded == RICH.replace("    1. 训练方法\n", "")


MARKS = st.sampled_from(["**粗**", "[链](https://example.org/9)", "`码`", "斜*体*字", "\\*", "平字", " ", "，"])


@given(st.lists(MARKS, min_size=1, max_size=6), st.text(alphabet="甲乙*_[]()` 。", max_size=12), st.integers(0, 30))
def test_whatever_is_written_on_the_card_is_what_a_reader_sees(pieces: list[str], words: str, position: int) -> None:
    markdown = f"[甲 | 源](https://example.org/1)\n摘要：{''.join(pieces)}"
    text = read_summary(markdown, NEWSLETTER)
    new_text = clean_line(text[:position] + words + text[position:])
    reworded = reword_entry(markdown, NEWSLETTER, title="甲", summary=new_text)
    assert read_title(reworded, NEWSLETTER) == "甲"
    assert read_summary(reworded, NEWSLETTER) in (new_text, inline.strip_marks(escape_markdown(new_text)))


@pytest.mark.parametrize(
    ("markdown", "relinked"),
    [
        ("[标题 | 某号](https://a.example)\n摘要：甲", "[标题 | 某号](https://b.example)\n摘要：甲"),
        ("[CVPR 2020] [标题](https://a.example) 好", "[CVPR 2020] [标题](https://b.example) 好"),
        ("**看[标题](<https://a.example/(1)>)**", "**看[标题](https://b.example)**"),
        ("没有链接的标题\n摘要：甲", "[没有链接的标题](https://b.example)\n摘要：甲"),
    ],
)
def test_a_title_links_another_page_and_its_words_stay(markdown: str, relinked: str) -> None:
    assert relink_entry(markdown, "https://b.example") == relinked


FORMS = [
    "[题](https://e.org/1)：说了`甲`。",
    "[题](https://e.org/1) - 说了`甲`。",
    "**[题](https://e.org/1)**: 说了`甲`。",
    "[题](https://e.org/1)（源）\n\n说了`甲`。",
    "[题](https://e.org/1)（源）说了`甲`。",
    "[题](https://e.org/1) | 说了`甲`。 |",
    "[题](https://e.org/1)\n   说了`甲`。",
    "[题](https://e.org/1)\n> 说了`甲`。",
    "[题](https://e.org/1)\n\n[@lin](https://e.org/lin)：说了`甲`。",
    "🐎 [题](https://e.org/1)：说了`甲`。\n代码：https://e.org/2",
    "[题](https://e.org/1)：说了`甲`。\n\n![](a.png)",
]


@pytest.mark.parametrize("markdown", FORMS)
def test_a_summary_without_a_label_is_reworded_where_it_stands(markdown: str) -> None:
    newsletter = Newsletter(
        title="刊",
        editor="lin",
        categories=(Category(name="博文"),),
        labels=Labels(summary="", source_separator=""),
        frame=Frame(source="（{source}）", summary="\n\n[@{editor}](https://e.org/{editor})：{summary}"),
    )
    assert read_summary(markdown, newsletter) == "说了甲。"

    def reword(summary: str) -> str:
        return reword_entry(markdown, newsletter, title="题", summary=summary)

    assert reword("他说了甲。") == markdown.replace("说了", "他说了")
    assert reword("全新") == markdown.replace("说了`甲`。", "全新")
    assert read_summary(reword("说了甲。\n又说。"), newsletter).replace("\n", " ") == "说了甲。 又说。"
    emptied = reword("")
    assert (read_summary(emptied, newsletter), read_title(emptied, newsletter)) == ("", "题")
    assert all(part in emptied for part in re.findall(r"🐎|（源）|代码：https://e.org/2|!\[\]\(a.png\)", markdown))


def test_a_first_summary_has_the_form_of_its_section() -> None:
    style = SectionStyle(summary="：{summary}")
    categories = (Category(name="工具", style=style), Category(name="博文", style=SectionStyle(summary="")))
    newsletter = NEWSLETTER.model_copy(update={"labels": Labels(summary=""), "categories": categories})
    bare = "[题](https://e.org/1)"
    for section, markdown in (("工具", f"{bare}：说。"), ("博文", f"{bare}\n说。"), ("", f"{bare}\n说。")):
        assert reword_entry(bare, newsletter, title="题", summary="说。", section=section) == markdown


def test_a_word_of_the_title_is_changed_and_its_code_stays() -> None:
    markdown = "[video] [use `x_y` in **C** | 源](https://e.org/1)\n摘要：说。"
    reworded = reword_entry(markdown, NEWSLETTER, title="using x_y in C", summary="说。")
    assert reworded == markdown.replace("use", "using")
