"""要目 and 导读 as they are proposed: from what the entries say, in the newsletter's words, as Markdown."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.home import Home, bundled
from pipelines.issue import inline
from pipelines.issue.escape import clean_line, escape_markdown
from pipelines.issue.frame import propose_guide, propose_headline, shorten_title
from pipelines.model import Entry, Issue, Section
from pipelines.newsletter import Frame, Newsletter, load_newsletter

NEWSLETTER = load_newsletter(Home(bundled()).newsletter)


def issue(**sections: list[str]) -> Issue:
    made = (Section(name, tuple(map(Entry, entries))) for name, entries in sections.items())
    return Issue(date(2026, 1, 1), "样例", tuple(made))


MADE = issue(
    业界新闻=[
        "[某厂发布新款单片机，内置神经网络加速器 | 某媒体](https://e.org/1)\n摘要：有。",
        "[另一家公司推出推理引擎 | 某媒体](https://e.org/2)\n摘要：有。",
    ],
    论文=["[CVPR 2020] [TinyNet: Networks That Fit into One Kilobyte](https://e.org/3)\n摘要：有。"],
    开源项目=["[someone/quantkit: 把模型量化到 4 比特](https://github.com/someone/quantkit)\n摘要：有。"],
    博文=[""],
)


def test_the_headline_names_the_first_of_each_section_by_turns_in_print_order() -> None:
    assert (
        propose_headline(MADE, NEWSLETTER)
        == "某厂发布新款单片机/另一家公司推出推理引擎/TinyNet/quantkit：把模型量化到 4 比特"
    )
    three = NEWSLETTER.model_copy(update={"frame": Frame(headline_items=3, headline_separator=" · ")})
    assert propose_headline(MADE, three) == "某厂发布新款单片机 · TinyNet · quantkit：把模型量化到 4 比特"


def test_the_guide_counts_and_tells_section_by_section() -> None:
    assert propose_guide(MADE, NEWSLETTER) == (
        "本次4条。【业界新闻】某厂发布新款单片机，内置神经网络加速器；另一家公司推出推理引擎。"
        "【论文】TinyNet: Networks That Fit into One Kilobyte。"
        "【开源项目】quantkit：把模型量化到 4 比特。"
    )


def test_an_issue_without_entries_has_nothing_to_propose() -> None:
    assert propose_headline(issue(博文=[]), NEWSLETTER) == ""
    assert propose_guide(issue(博文=[]), NEWSLETTER) == ""


def test_the_words_around_are_the_newsletters() -> None:
    frame = Frame(guide_opening="{count} items: ", guide_section="{section}: {titles}. ", guide_separator=", ")
    said = propose_guide(MADE, NEWSLETTER.model_copy(update={"frame": frame}))
    assert said.startswith("4 items: 业界新闻: 某厂发布新款单片机，内置神经网络加速器, 另一家公司推出推理引擎. 论文: ")


@pytest.mark.parametrize("words", [{"guide_opening": "{titles}"}, {"guide_section": "{"}, {"guide_section": "{0}"}])
def test_words_with_other_braces_are_refused(words: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="foreign-braces"):
        Frame(**words)


@given(st.text(max_size=80), st.integers(8, 60))
def test_a_shortened_title_is_the_titles_own_words_and_fits(title: str, cells: int) -> None:
    said = shorten_title(title, cells)
    assert said.removesuffix("…") in clean_line(title)
    assert sum(2 if "\u4e00" <= one <= "\u9fff" else 1 for one in said) <= cells + 1


@given(st.lists(st.text(min_size=1, max_size=60).filter(clean_line), min_size=1, max_size=6))
def test_whatever_the_titles_hold_the_proposal_is_one_line_that_says_it(titles: list[str]) -> None:
    made = issue(博文=[f"[{escape_markdown(title)}](https://e.org/{at})" for at, title in enumerate(titles)])
    wide = NEWSLETTER.model_copy(update={"frame": Frame(headline_items=99)})
    for said in (propose_headline(made, wide), propose_guide(made, wide)):
        assert "\n" not in said
        assert inline.find_links(said) == ()
        assert "{%" not in said
        assert "{{" not in said


def test_any_newsletter_has_words_for_it() -> None:
    assert Newsletter.model_validate({"title": "t", "editor": "e", "categories": [{"name": "n"}]}).frame == Frame()
