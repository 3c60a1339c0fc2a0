"""What an article points at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from builders import NOON
from costs import assert_twice_costs_at_most_three_times
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from crawler.items import Link, RawItem
from crawler.kinds import Kind
from pipelines.model import Article, Reference
from pipelines.normalise import normalise
from pipelines.normalise.references import add_references, find_references
from pipelines.rules import load_rules

RULES = load_rules(Home(bundled()))
TOKEN = "AbC-dEf_0123456789xyzQ"
BODY = "我们把模型量化到八位，精度几乎不变。" * 3
FAR = "\n".join([BODY] * 20)
"""More than the first part of a text."""


@dataclass(frozen=True)
class Watch:
    """A source, as far as normalise looks at it."""

    id: str = "watch"
    kind: Kind = "wechat"
    name: str = "端侧观察"


def article(**values: Any) -> Article:
    fixed = {"kind": "wechat", "url": "https://blog.example/1", "title": "标题", "fetched_at": NOON}
    return normalise(RawItem(**(fixed | values)), Watch(), RULES)


def found(**values: Any) -> tuple[Reference, ...]:
    return find_references(article(**values), RULES)


def keys(**values: Any) -> list[str]:
    return [one.key for one in found(**values)]


def only(**values: Any) -> Reference:
    (one,) = found(**values)
    return one


# ---- Found at all


@pytest.mark.parametrize("length", [0, 300])
def test_the_number_in_a_title_of_arxivs_is_found_in_a_text_of_any_length(length: int) -> None:
    text = f"[2006.16669] Two Bits\n{'量' * length}"
    assert [reference.key for reference in find_references(article(text=text), RULES)] == ["arxiv:2006.16669"]


def test_a_release_names_its_repository() -> None:
    assert only(url="https://github.com/tiny/quant/releases/tag/v2.0", text="新的内核").key == "github:tiny/quant"


def test_a_file_of_a_repository_refers_to_it_and_is_not_about_it() -> None:
    reference = only(url="https://github.com/tiny/quant/blob/main/docs/npu.md", text="新的内核")
    assert (reference.key, reference.primary) == ("github:tiny/quant", False)
    assert found(url="https://github.com/tiny/quant", text="新的内核") == ()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("见 https://arxiv.org/abs/2001.04246。", "arxiv:2001.04246"),
        ("论文在https://arxiv.org/pdf/2001.04246v2.pdf，欢迎阅读", "arxiv:2001.04246"),
        ("(arXiv:2001.04246v1)", "arxiv:2001.04246"),
        ("arXiv preprint arXiv:2001.04246", "arxiv:2001.04246"),
        ("arXiv：2001.04246", "arxiv:2001.04246"),
        ("arxiv.org/abs/2001.04246", "arxiv:2001.04246"),
        ("https://arxiv.org/abs/ 2001.04246", "arxiv:2001.04246"),
        ("https://arxiv.org/abs/\n2001.04246", "arxiv:2001.04246"),
        ("https://arxiv.org/abs/2001.04246Project page", "arxiv:2001.04246"),
        ("arXiv:cs/0101001", "arxiv:cs/0101001"),
        ("源码在github.com/Owner/Repo里", "github:owner/repo"),
        ("https://github.com/owner/repo.", "github:owner/repo"),
        ("（https://github.com/owner/repo）", "github:owner/repo"),
        ("(see https://github.com/owner/repo)", "github:owner/repo"),
        ("[源码](https://github.com/owner/repo)", "github:owner/repo"),
        ("https://github.com/\nowner/repo\n下一行", "github:owner/repo"),
        ("https://github.com/owner/repo[2]投稿", "github:owner/repo"),
        ("git clone git@github.com:owner/repo.git", "github:owner/repo"),
        ("DOI: 10.1145/3386901.3388940。", "doi:10.1145/3386901.3388940"),
        ("doi：10.1002/ADMA.2020", "doi:10.1002/adma.2020"),
        ("https://doi.org/10.48550/arXiv.2001.04246", "arxiv:2001.04246"),
        ("https://openreview.net/pdf?id=aB-3_x", "https://openreview.net/forum?id=aB-3_x"),
        ("https://huggingface.co/owner/model-int4/tree/main", "https://huggingface.co/owner/model-int4"),
        ("https://link.zhihu.com/?target=https%3A//github.com/owner/repo", "github:owner/repo"),
        ("https://a.example/b一", "https://a.example/b"),
    ],
)
def test_named_in_plain_words(text: str, key: str) -> None:
    assert keys(text=f"{text}\n{BODY}") == [key]


@pytest.mark.parametrize(
    "text",
    [
        "版本 2001.04246 的日志",
        "arXiv:2013.04246",
        "arXiv:2001.0424",
        "https://weixin.qq.com/r/abc",
        "https://mmbiz.qpic.cn/mmbiz_png/abc/640",
        "https://blog.example/figure.png",
        "http://creativecommons.org/licenses/by-sa/4.0/",
        "https://mp.weixin.qq.com/s?src=11&timestamp=1&ver=1&signature=x",
        "https://www.site.example/",
        "example.org/github.com/",
    ],
)
def test_not_a_reference(text: str) -> None:
    assert keys(text=f"{text}\n{BODY}") == []


def test_from_the_links_of_html_with_their_words() -> None:
    one = only(html=f'<p>{BODY}</p><p>我们<a href="https://github.com/owner/repo">开源了它</a>。</p>')
    assert (one.key, one.url, one.primary) == ("github:owner/repo", "https://github.com/owner/repo", True)


def test_the_words_of_a_link_are_not_another_reference() -> None:
    """Sites cut the address that they show."""
    link = '<a href="https://github.com/owner/repository">https://github.com/owner/repo...</a>'
    assert keys(html=f"<p>{BODY}{link}</p>") == ["github:owner/repository"]


def test_what_the_page_sets_apart_comes_first_and_is_primary() -> None:
    links = (
        Link("original", "https://site.example/news/1"),
        Link("reprint-of", f"https://mp.weixin.qq.com/s/{TOKEN}"),
    )
    first, second, third = found(links=links, text=f"{FAR}\nhttps://a.example/1\n{BODY}")
    assert (first.key, first.label, first.primary) == ("https://site.example/news/1", "原文", True)
    assert (second.key, second.label, second.primary) == (f"wechat:{TOKEN}", None, True)
    assert (third.key, third.primary) == ("https://a.example/1", False)
    assert [one.position for one in (first, second, third)] == [0, 1, 2]


def test_a_paper_does_not_refer_to_itself() -> None:
    links = (Link("paper", "https://arxiv.org/pdf/2001.04246v1"), Link("doi", "https://doi.org/10.1145/1"))
    assert keys(kind="arxiv", url="https://arxiv.org/abs/2001.04246v1", links=links) == ["doi:10.1145/1"]


def test_the_code_that_a_papers_comment_names_is_primary() -> None:
    one = only(facts={"comment": "12 pages. Code: https://github.com/owner/repo"}, summary=BODY)
    assert (one.key, one.primary) == ("github:owner/repo", True)


def test_a_release_refers_to_its_repository() -> None:
    one = only(kind="github", url="https://github.com/Owner/Repo/releases/tag/v2")
    assert (one.key, one.url, one.primary) == ("github:owner/repo", "https://github.com/Owner/Repo", True)


def test_an_issue_and_its_repository_are_both_named() -> None:
    assert keys(text=f"https://github.com/owner/repo/issues/3\n{BODY}") == [
        "https://github.com/owner/repo/issues/3",
        "github:owner/repo",
    ]


def test_a_thing_is_named_once_with_all_that_is_known_of_it() -> None:
    one = only(
        text=f"https://github.com/owner/repo/tree/main 是源码。\n{FAR}\n代码：https://github.com/Owner/repo.git\n{BODY}"
    )
    assert (one.label, one.primary, one.position) == ("代码", True, 0)


# ---- Labels


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("项目地址：https://github.com/owner/repo", "项目地址"),
        ("项目地址：\nhttps://github.com/owner/repo", "项目地址"),
        ("GitHub：https://github.com/owner/repo", "代码"),
        ("开源代码: https://github.com/owner/repo", "代码"),
        ("Code: https://github.com/owner/repo", "代码"),
        ("- 【代码】：https://github.com/owner/repo", "代码"),
        ("论文链接：https://arxiv.org/abs/2001.04246", "论文"),
        ("Paper: arXiv:2001.04246", "论文"),
        ("链接：https://arxiv.org/abs/2001.04246", "论文"),
        ("地址：https://github.com/owner/repo", "项目地址"),
        ("地址：https://openreview.net/forum?id=x", "论文"),
        ("链接：https://site.example/1", "链接"),
        ("文档：https://site.example/docs", "文档"),
        ("原文链接：https://site.example/1", "原文"),
        ("官网：https://www.site.example/", "链接"),
        ("它的代码很短，见 https://github.com/owner/repo", None),
        ("encode: https://github.com/owner/repo", None),
    ],
)
def test_a_label_line_says_what_a_reference_is(text: str, label: str | None) -> None:
    one = only(text=f"{FAR}\n{text}\n{BODY}")
    assert one.label == label
    assert one.primary == (label is not None)


def test_the_words_of_a_link_may_be_the_label() -> None:
    source = '<p>[<a href="https://arxiv.org/abs/2001.04246">Paper</a>] [<a href="https://github.com/owner/repo">Code</a>]</p>'
    assert [(one.key, one.label) for one in found(html=f"<p>{BODY}</p>{source}")] == [
        ("arxiv:2001.04246", "论文"),
        ("github:owner/repo", "代码"),
    ]


# ---- Primary


def test_in_the_title_or_the_first_part_is_primary_and_later_is_not() -> None:
    assert only(title="[2001.04246] Quantised networks").primary
    assert only(text=f"https://github.com/owner/repo\n{FAR}").primary
    assert not only(text=f"{FAR}\n见 https://github.com/owner/repo 。").primary


def test_a_note_counts_where_its_number_stands() -> None:
    notes = "[1] 某框架: https://github.com/owner/repo\n[2] 工具: https://github.com/owner/tool"
    first, second = found(text=f"某框架[1]发布了。\n{FAR}\n工具[2]也是。\n{notes}\n{BODY}")
    assert (first.key, first.primary, first.label) == ("github:owner/repo", True, None)
    assert (second.key, second.primary) == ("github:owner/tool", False)


# ---- Cut off


def test_an_address_at_the_end_of_a_digest_may_lack_its_end() -> None:
    assert keys(summary=f"{BODY}项目主页：https://github.com/own") == []
    assert keys(summary=f"{BODY}论文：https://arxiv.org/abs/2001.042") == []
    assert keys(summary=f"{BODY}论文：https://arxiv.org/abs/2001.04246") == ["arxiv:2001.04246"]


def test_an_address_on_a_line_of_its_own_is_whole() -> None:
    assert keys(text=f"{BODY}\n项目地址：https://github.com/owner/repo") == ["github:owner/repo"]
    assert keys(text=f"{BODY}\nhttps://github.com/owner/repo") == ["github:owner/repo"]


# ---- Bounds


def test_an_article_has_at_most_two_hundred() -> None:
    text = "\n".join(f"https://github.com/owner/repo{number}" for number in range(500))
    assert len(found(text=text)) == RULES.references.max_references == 200


@pytest.mark.parametrize(
    ("head", "unit", "closing"),
    [
        ("", "http://", ""),
        ("", "https://a.b/", ""),
        ("https://a.b/", ")", ""),
        ("https://a.b/", "(", ")"),
        ("", "arXiv: ", ""),
        ("doi:10.1000/", ".", ""),
        ("", "github.com/a/b ", ""),
        ("", "arXiv:2001.04246 https://a.b/ ", ""),
        ("", "[1]https://a.b/c", ""),
        ("", "论文：", ""),
        ("", "https://a.b/-\n", ""),
        ("", "[", ""),
    ],
)
def test_twice_as_long_a_text_costs_at_most_three_times_as_much(head: str, unit: str, closing: str) -> None:
    def text(repetitions: int) -> Article:
        return article(text=head + unit * repetitions + closing * repetitions)

    repetitions = 10_000 // len(unit + closing)
    assert_twice_costs_at_most_three_times(
        lambda one: find_references(one, RULES), text(repetitions), text(2 * repetitions)
    )


WORDS = [
    *("https://github.com/a/b", "github.com/a/b", "arXiv:2001.04246", "https://", "http", "论文：", "代码"),
    *("\n", "。", " ", ")", "[1]", "字"),
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_references_are_distinct_printable_and_numbered(words: list[str]) -> None:
    result = add_references(article(text="".join(words)), RULES)
    assert result.links == ()
    assert [one.position for one in result.references] == list(range(len(result.references)))
    assert len({one.key for one in result.references}) == len(result.references)
    assert all(one.url.startswith(("http://", "https://")) for one in result.references)
    assert not {one.key for one in result.references} & set(result.keys)
