"""An entry of the editor's own words is written in the house style, with any number of links."""

from __future__ import annotations

import pytest

from pipelines.errors import CannotDecide
from pipelines.issue.entry import read_entry, remove_unprinted_lines
from pipelines.issue.handwritten import EntryDraft, compose_entry
from pipelines.model import StoryLink
from pipelines.newsletter import Category, Frame, Labels, Newsletter

NEWSLETTER = Newsletter(title="简报", editor="编辑甲", categories=(Category(name="博文"),))


def test_an_editors_words_are_printed_where_the_newsletter_prints_no_summary_and_marks_each_entry() -> None:
    frame = {"entry": "🐕 [{title}]({url})", "summary": "", "source": "（{source}）"}
    newsletter = NEWSLETTER.model_copy(update={"frame": Frame.model_validate(frame)})
    for draft, markdown in (
        (EntryDraft("甲", url="https://e.org/1"), "🐕 [甲](https://e.org/1)"),
        (EntryDraft("🐎 甲", "源", "https://e.org/1"), "🐎 [甲](https://e.org/1)（源）"),
        (EntryDraft("甲", url="https://e.org/1", summary="![](a.png)"), "🐕 [甲](https://e.org/1)\n![](a.png)"),
        (EntryDraft("[video] `x_y`", url="https://e.org/1"), "🐕 [video] [`x_y`](https://e.org/1)"),
        (EntryDraft("8 月 | [甲](https://e.org/1)"), "🐕 8 月 | [甲](https://e.org/1)"),
        (EntryDraft("[甲](javascript:x)"), "🐕 \\[甲\\](javascript:x)"),
    ):
        assert compose_entry(draft, "论文", newsletter).markdown == markdown


@pytest.mark.parametrize(
    ("form", "typed", "printed"),
    [
        ("\n\n  {summary}", "一。\n二。\n\n三。", "\n\n  一。\n  二。\n\n  三。"),
        ("\n\n  {summary}", "  一。\n  二。\n\n  三。", "\n\n  一。\n  二。\n\n  三。"),
        ("\n\n  {summary}", "    x = 1", "\n\n      x = 1"),
        ("\n\n  {summary}", "一。\n  二。", "\n\n  一。\n    二。"),
        ("\n\n> {summary}", "> 一。\n>\n> 二。", "\n\n> 一。\n\n> 二。"),
    ],
)
def test_a_summary_copied_from_an_issue_is_not_indented_twice(form: str, typed: str, printed: str) -> None:
    newsletter = NEWSLETTER.model_copy(update={"frame": Frame(entry="[{title}]({url})", summary=form)})
    draft = EntryDraft("甲", url="https://e.org/1", summary=typed)
    assert compose_entry(draft, "论文", newsletter).markdown == "[甲](https://e.org/1)" + printed


@pytest.mark.parametrize(
    ("draft", "markdown"),
    [
        (EntryDraft("iPhone 12 将用 A14", "IT之家", summary="5nm。"), "iPhone 12 将用 A14 | IT之家\n摘要：5nm。"),
        (EntryDraft("甲", url="https://e.org/1"), "[甲](https://e.org/1)\n摘要："),
        (
            EntryDraft("甲", "源", "https://e.org/1", (StoryLink("代码", "https://e.org/2"),), "**快**。"),
            "[甲 | 源](https://e.org/1)\n代码：https://e.org/2\n摘要：**快**。",
        ),
        (
            EntryDraft("甲", links=(StoryLink("", " https://e.org/2 "), StoryLink("论文", " "))),
            "甲\n链接：https://e.org/2\n摘要：",
        ),
        (EntryDraft("a|b {{ x }}"), "a\\|b \\{\\{ x }}\n摘要："),
        (EntryDraft("见[上期](/2020/11-23)的*甲*"), "见[上期](/2020/11-23)的*甲*\n摘要："),
        (EntryDraft("[甲](javascript:x)"), "\\[甲\\](javascript:x)\n摘要："),
    ],
)
def test_an_entry_has_the_links_that_the_editor_gave_it(draft: EntryDraft, markdown: str) -> None:
    assert compose_entry(draft, "论文", NEWSLETTER).markdown == markdown


def test_a_newsletter_without_labels_gets_an_entry_without_labels() -> None:
    bare = NEWSLETTER.model_copy(update={"labels": Labels(summary="", source_separator="")})
    assert compose_entry(EntryDraft("甲", "源"), "论文", bare).markdown == "甲"


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        (EntryDraft(" \n"), "entry-without-title"),
        (EntryDraft("甲", url="javascript:alert(1)"), "entry-bad-address"),
        (EntryDraft("甲", links=(StoryLink("代码", "e.org"),)), "entry-bad-address"),
    ],
)
def test_an_entry_without_a_title_or_with_a_bad_address_is_refused(draft: EntryDraft, code: str) -> None:
    with pytest.raises(CannotDecide) as error:
        compose_entry(draft, "论文", NEWSLETTER)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("markdown", "printed"),
    [
        ("[甲 | 源](https://e.org/1)\n摘要：", "[甲 &#124; 源](https://e.org/1)"),
        (
            "[甲 | 源](https://e.org/1)\n代码：https://e.org/2\n摘要： ",
            "[甲 | 源](https://e.org/1)\n代码：https://e.org/2",
        ),
        ("[甲 | 源](https://e.org/1)\n摘要：说了。", "[甲 | 源](https://e.org/1)\n摘要：说了。"),
        (
            "[甲 | 源](https://e.org/1)\n摘要：  \n  1. 一\n  2. 二",
            "[甲 | 源](https://e.org/1)\n摘要：  \n  1. 一\n  2. 二",
        ),
        ("[甲 | 源](https://e.org/1)\n摘要：\n```c\n```", "[甲 | 源](https://e.org/1)\n摘要：\n```c\n```"),
        ("甲 | 源", "甲 | 源"),
    ],
)
def test_a_label_with_no_summary_behind_it_is_not_printed_and_its_title_is_no_table(
    markdown: str, printed: str
) -> None:
    assert remove_unprinted_lines(markdown, NEWSLETTER) == printed
    assert read_entry(printed, NEWSLETTER).title == "甲"
    assert read_entry(printed, NEWSLETTER).source == "源"
