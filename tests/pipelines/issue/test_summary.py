"""Drafts of summaries: the article's own sentences, those that claim and measure, and no plea to follow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import article, stored
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import CrawlError
from crawler.home import Home, bundled
from crawler.saved import read_saved
from crawler.sources.schema import Source
from pipelines.issue.escape import clean_line
from pipelines.issue.sentences import choose_bounds, split_sentences
from pipelines.issue.summary import MOST_SENTENCES, extract_sentences, summarise
from pipelines.model import Candidate, StoredArticle, Story
from pipelines.normalise import normalise
from pipelines.rules import load_rules

TEXT = (
    "点击上方“轻舟观察”，关注我们，第一时间收到好文。\n"
    "大家好，今天天气不错，小编给你讲讲最近看到的一个工作。\n"
    "某实验室提出了一种二值化方法，把人脸检测模型压到 0.9 MB。你知道为什么要压这么小吗？\n"
    "如下图所示，模型一共有三个分支，分别处理三种大小的脸。\n"
    "在一颗主频 400MHz 的单片机上，它每秒能跑 12 帧，精度只掉了 0.6%。\n"
    "这里面的故事说来话长，容我慢慢道来，先喝口茶。\n"
    "代码已经开源，支持用一条命令导出到三种推理框架。\n"
    "数据来源：实验室官网。扫码进群，和作者聊聊。"
)


def said(*articles: StoredArticle, head: str = "") -> str:
    return summarise(Candidate(Story(1, (1,), 1), articles, "", {}, (), 0.0, ()), head).text


def test_a_draft_is_the_claim_and_the_numbers_in_the_articles_order() -> None:
    assert extract_sentences(article(title="不到 1 MB 的人脸检测", text=TEXT)) == (
        "某实验室提出了一种二值化方法，把人脸检测模型压到 0.9 MB。",
        "在一颗主频 400MHz 的单片机上，它每秒能跑 12 帧，精度只掉了 0.6%。",
        "代码已经开源，支持用一条命令导出到三种推理框架。",
    )


def test_the_digest_of_a_page_without_a_text_is_taken_whole_unless_it_is_long_or_asks_for_something() -> None:
    digest = "复古 PC 模拟器。这是一款模拟器，可自由搭配各种经典硬件。支持 DOS 和 Windows 98。"
    assert said(stored(1, summary=digest)) == digest
    assert "扫码" not in said(stored(1, summary=digest + "扫码关注我们。"))
    assert len(said(stored(1, summary=digest * 20))) < len(digest) * 20
    assert said(stored(1, summary=digest, text=TEXT)) != digest


@pytest.mark.parametrize("word", ["点击上方", "关注", "扫码", "来源", "小编", "你知道", "如下图"])
def test_what_asks_points_or_says_who_made_the_page_is_left_out(word: str) -> None:
    assert word not in said(stored(1, text=TEXT))


@pytest.mark.parametrize("name", ["摘要：", "【导读】", "【内容摘要】：", "Abstract: ", "Abstract—", "导语: "])
def test_a_page_that_names_its_summary_so_does_not_say_the_name_twice(name: str) -> None:
    claim = "某实验室提出了一种二值化方法，把人脸检测模型压到 0.9 MB。"
    assert said(stored(1, text=f"{name}{claim}\n{TEXT}")).startswith(claim)


def test_the_summary_of_a_sentence_is_no_name() -> None:
    claim = "摘要里说，某实验室提出了一种二值化方法，把人脸检测模型压到 0.9 MB。"
    assert said(stored(1, text=claim)) == claim


def test_a_sentence_ends_where_its_quotation_does_and_not_behind_an_abbreviation() -> None:
    assert split_sentences("他说：“快。真快。”是的。") == (("他说：“快。真快。”", "是的。"),)
    assert split_sentences("See e.g. Fig. 2 by J. Doe et al. It is 2.5 x faster! 完。") == (
        ("See e.g. Fig. 2 by J. Doe et al. It is 2.5 x faster!", "完。"),
    )
    assert split_sentences("一行没有句号\n第二行。") == (("一行没有句号",), ("第二行。",))


def test_what_the_head_line_says_is_not_said_again() -> None:
    claim = "某实验室提出了一种二值化方法，模型不到一兆。"
    assert claim not in said(stored(1, text=f"{claim}\n{claim}{TEXT}"), head=f"重磅：{claim}")


def test_the_same_news_twice_in_a_text_is_said_once() -> None:
    claim = "某实验室提出了一种二值化方法，把模型压到 0.9 MB。"
    found = extract_sentences(article(text=f"{claim}\n{claim}\n{TEXT}"))
    assert found.count(claim) <= 1


def test_a_paper_is_drafted_from_its_abstract() -> None:
    abstract = (
        "Deep networks are large. We propose a binary detector that fits into 0.9 MB of flash. However, training such "
        "networks is unstable. Experiments show that it runs at 12 fps and loses 0.6% accuracy on a public benchmark."
    )
    found = said(stored(1, kind="arxiv", language="en", title="A binary detector", summary=abstract, text=TEXT))
    assert "We propose a binary detector that fits into 0.9 MB of flash." in found
    assert "Experiments show that it runs at 12 fps" in found
    assert "某实验室" not in found


def test_a_repository_is_drafted_from_its_description_and_the_notes_of_its_latest_release() -> None:
    notes = (
        "## New\n\n- **INT8** kernels for Cortex-M55 are twice as fast\n- Support for `Conv3D` on all of the back ends"
    )
    repository = stored(1, kind="github", title="o/r", summary="A tiny inference engine for microcontrollers")
    old = stored(2, kind="github", title="r v1", text="The first release of it all.", facts={"tag": "v1"}, days=-9)
    new = stored(3, kind="github", title="r v2", text=notes, facts={"tag": "v2"})
    found = said(repository, old, new, head="o/r")
    assert found.startswith("A tiny inference engine for microcontrollers; INT8 kernels for Cortex-M55")
    assert "Support for Conv3D on all of the back ends" in found
    assert "first release" not in found


def test_an_article_without_text_lends_the_digest_and_a_story_the_next_article() -> None:
    digest = "这个方法把模型压到一兆以下，而且几乎不掉精度。"
    assert said(stored(1, summary=digest)) == digest
    assert said(stored(1), stored(2, text=TEXT)) == said(stored(1, text=TEXT))
    assert said(stored(1)) == ""


def test_a_text_without_any_full_stop_is_cut_where_a_clause_ends() -> None:
    found = said(stored(1, text="，".join(["这里没有句号只有逗号"] * 60)))
    assert found.endswith("只有逗号")
    assert 150 < len(found) <= 300


PIECES = st.sampled_from(
    [
        "模型压到 0.9 MB",
        "快了两倍",
        "。",
        "！",
        "？”",
        "“",
        "\n",
        " ",
        "We propose it",
        ". ",
        "关注我们",
        "（",
        "）",
        "int8",
        "；",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=200))
def test_every_sentence_of_any_draft_stands_in_the_article_within_bounds(text: str) -> None:
    found = extract_sentences(article(text=text))
    assert len(found) <= MOST_SENTENCES
    assert all(one in clean_line(text) for one in found)
    assert len(said(stored(1, text=text))) <= choose_bounds(said(stored(1, text=text))).most
    assert [clean_line("".join(group)).replace(" ", "") for group in split_sentences(text)] == [
        clean_line(line).replace(" ", "") for line in text.split("\n") if line.strip()
    ]


@pytest.mark.corpus
def test_real_pages_are_drafted_in_their_own_sentences(corpus: Path) -> None:
    rules, source = load_rules(Home(bundled())), Source(id="x", kind="web", name="X", url="https://e.org/")
    drafted = 0
    for path in sorted((*corpus.glob("wechat/*/*.html"), *corpus.glob("zhihu/*/*.html"))):
        try:
            items = read_saved(path).items
        except CrawlError:
            continue
        for one in (normalise(item, source, rules) for item in items):
            found = extract_sentences(one) if len(one.text) >= 400 else ()
            drafted += bool(found)
            assert all(said in clean_line(one.text) for said in found), path
            assert not re.search("点击上方|关注|扫码|来源", "".join(found)), path
    assert drafted >= 10
