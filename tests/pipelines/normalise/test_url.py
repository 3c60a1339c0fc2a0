"""Canonical addresses and the keys that they tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from costs import assert_twice_costs_at_most_three_times
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from crawler.home import Home, bundled
from pipelines.normalise.url import NotAWebAddress, canonicalise, find_address, is_web_address
from pipelines.rules import load_rules

TOKEN = "AbC-dEf_0123456789xyzQ"
LONG = "https://mp.weixin.qq.com/s?__biz=MzA5MDEyMzQ1Ng==&mid=2650001234&idx=2&sn=0f1e2d3c"
LONG_KEY = "wechat:MzA5MDEyMzQ1Ng==/2650001234/2"
RULES = load_rules(Home(bundled()))


def url(address: str) -> str:
    return canonicalise(address, RULES).url


def keys(address: str) -> tuple[str, ...]:
    return canonicalise(address, RULES).keys


# ---- WeChat


@pytest.mark.parametrize(
    "address",
    [
        f"https://mp.weixin.qq.com/s/{TOKEN}",
        f"http://mp.weixin.qq.com/s/{TOKEN}?scene=1&srcid=0101#wechat_redirect",
        f"https://mp.weixin.qq.com/s/{TOKEN}/?from=timeline",
        f"https://mirror.example/proxy?k=1&url=https%3A%2F%2Fmp.weixin.qq.com%2Fs%2F{TOKEN}",
        f"https://mirror.example/https://mp.weixin.qq.com/s/{TOKEN}?scene=1",
        f"https://mirror.example/https:/mp.weixin.qq.com/s/{TOKEN}",
        f"https://mp.weixin.qq.com/mp/wappoc_appmsgcaptcha?poc_token=x&target_url=https%3A%2F%2Fmp.weixin.qq.com%2Fs%2F{TOKEN}",
    ],
)
def test_a_short_wechat_link_is_its_token_however_it_came(address: str) -> None:
    found = canonicalise(address, RULES)
    assert found.url == f"https://mp.weixin.qq.com/s/{TOKEN}"
    assert found.key == f"wechat:{TOKEN}"
    assert not found.temporary


@pytest.mark.parametrize(
    "address",
    [
        LONG,
        f"{LONG}&chksm=9e57&scene=0&xtrack=1#rd",
        LONG.replace("&", "&amp;"),
        LONG.replace("==", "%3D%3D").replace("https", "http"),
        "https://mp.weixin.qq.com/s?sn=0f1e2d3c&idx=2&mid=2650001234&__biz=MzA5MDEyMzQ1Ng==",
        "https://mp.weixin.qq.com/s?__biz=MzA5MDEyMzQ1Ng==&appmsgid=2650001234&itemidx=2&sign=0f1e2d3c#wechat_redirect",
        "http://mp.weixin.qq.com/mp/appmsg/show?__biz=MzA5MDEyMzQ1Ng==&appmsgid=2650001234&itemidx=2&sign=0f1e2d3c",
    ],
)
def test_a_long_wechat_link_keeps_four_parameters_in_one_order(address: str) -> None:
    found = canonicalise(address, RULES)
    assert found.url == LONG
    assert found.keys == (LONG_KEY, LONG)


@pytest.mark.fault("C10")
def test_a_short_link_that_carries_the_long_one_joins_both() -> None:
    found = canonicalise(f"https://mp.weixin.qq.com/s/{TOKEN}?{LONG.partition('?')[2]}", RULES)
    assert found.url == f"https://mp.weixin.qq.com/s/{TOKEN}"
    assert {f"wechat:{TOKEN}", LONG_KEY} < set(found.keys)


@pytest.mark.fault("C10")
def test_two_articles_of_one_push_stay_two() -> None:
    assert set(keys(LONG)).isdisjoint(keys(LONG.replace("idx=2", "idx=3")))
    assert set(keys(LONG)).isdisjoint(keys(LONG.replace("mid=2650001234", "mid=2650001235")))


def test_tokens_differ_by_case() -> None:
    assert set(keys(f"https://mp.weixin.qq.com/s/{TOKEN}")).isdisjoint(
        keys(f"https://mp.weixin.qq.com/s/{TOKEN.swapcase()}")
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://mp.weixin.qq.com/s?src=11&timestamp=1565839845&ver=1789&signature=aB*cd-e&new=1",
        "https://mp.weixin.qq.com/s?timestamp=1565839845&signature=aB*cd-e",
        "https://mp.weixin.qq.com/s?__biz=MzA5MDEyMzQ1Ng==&tempkey=MTAw",
        "https://weixin.sogou.com/link?url=dn9a_x&type=2",
    ],
)
def test_a_signed_link_is_temporary(address: str) -> None:
    assert canonicalise(address, RULES).temporary


# ---- Papers


@pytest.mark.parametrize(
    "address",
    [
        "https://arxiv.org/abs/2001.04246",
        "http://arxiv.org/abs/2001.04246v2",
        "https://www.arxiv.org/pdf/2001.04246v1.pdf",
        "https://arxiv.org/pdf/2001.04246",
        "https://arxiv.org/html/2001.04246v3#S3.SS1",
        "https://export.arxiv.org/abs/2001.04246",
        "http://cn.arxiv.org/pdf/2001.04246.pdf",
        "https://ar5iv.labs.arxiv.org/html/2001.04246",
        "https://ar5iv.org/abs/2001.04246",
        "https://www.alphaxiv.org/overview/2001.04246v1",
        "https://huggingface.co/papers/2001.04246",
        "https://doi.org/10.48550/arXiv.2001.04246",
        "https://arxiv.org/abs/2001.04246?context=cs.LG",
    ],
)
def test_all_addresses_of_an_arxiv_paper_are_one(address: str) -> None:
    assert keys(address) == ("arxiv:2001.04246", "https://arxiv.org/abs/2001.04246")


def test_an_old_arxiv_number_has_its_archive_without_the_subject() -> None:
    assert keys("https://arxiv.org/pdf/math.GT/0309136v2.pdf")[0] == "arxiv:math/0309136"


def test_a_number_cut_short_is_no_paper() -> None:
    assert keys("https://arxiv.org/abs/2001.0424") == ("https://arxiv.org/abs/2001.0424",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://openreview.net/forum?id=aB-3_x&noteId=1", "https://openreview.net/pdf?id=aB-3_x"),
        ("https://www.aclweb.org/anthology/P19-1001.pdf", "https://aclanthology.org/P19-1001/"),
        (
            "http://openaccess.thecvf.com/content_CVPR_2020/papers/A_B_CVPR_2020_paper.pdf",
            "https://openaccess.thecvf.com/content_CVPR_2020/html/A_B_CVPR_2020_paper.html",
        ),
        ("http://proceedings.mlr.press/v97/tan19a/tan19a.pdf", "https://proceedings.mlr.press/v97/tan19a.html"),
        (
            "https://papers.nips.cc/paper/2020/file/0123456789abcdef0123456789abcdef-Paper.pdf",
            "https://proceedings.neurips.cc/paper/2020/hash/0123456789abcdef0123456789abcdef-Abstract.html",
        ),
        ("https://ieeexplore.ieee.org/stamp/stamp.jsp?arnumber=123456", "https://ieeexplore.ieee.org/document/123456/"),
        ("https://dx.doi.org/10.1145/3386901.3388940", "https://doi.org/10.1145/3386901.3388940/"),
    ],
)
def test_the_page_and_the_pdf_of_a_paper_are_one(one: str, other: str) -> None:
    assert url(one) == url(other)


def test_a_doi_ignores_case_and_who_publishes() -> None:
    assert keys("https://doi.org/10.1002/ADMA.2020")[0] == "doi:10.1002/adma.2020"
    assert keys("https://onlinelibrary.wiley.com/doi/full/10.1002/adma.2020")[0] == "doi:10.1002/adma.2020"


# ---- GitHub


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/Owner/Repo.js",
        "http://www.github.com/owner/Repo.js.git",
        "https://github.com/OWNER/repo.js/tree/main",
        "https://github.com/owner/repo.js/blob/main/README.md#install",
        "https://github.com/owner/repo.js#readme",
        "https://github.com/owner/repo.js/?tab=readme-ov-file",
        "https://github.com/owner/repo.js/releases",
        "https://api.github.com/repos/owner/repo.js",
        "https://link.zhihu.com/?target=https%3A//github.com/owner/repo.js",
        "https://proxy.example/https://github.com/owner/repo.js",
    ],
)
def test_all_addresses_of_a_repository_are_one(address: str) -> None:
    assert keys(address)[0] == "github:owner/repo.js"


def test_a_repository_is_printed_as_it_was_written() -> None:
    assert url("https://github.com/Owner/Repo.git") == "https://github.com/Owner/Repo"


@pytest.mark.parametrize(
    "rest",
    [
        "issues/12#issuecomment-3",
        "pull/12/files",
        "wiki/How-To",
        "discussions/4",
        "commit/0a1b",
        "blob/main/docs/quantize.md",
        "tree/main/examples/npu",
    ],
)
def test_a_page_in_a_repository_is_itself_and_belongs_to_it(rest: str) -> None:
    found = canonicalise(f"https://github.com/owner/repo/{rest}", RULES)
    assert found.part_of == "https://github.com/owner/repo"
    assert "github:owner/repo" not in found.keys


def test_a_release_has_a_key_of_its_own() -> None:
    found = canonicalise("https://github.com/Owner/Repo/releases/tag/V2.0", RULES)
    assert found.keys == ("github:owner/repo@v2.0", "https://github.com/Owner/Repo/releases/tag/V2.0")
    assert found.part_of == "https://github.com/Owner/Repo"


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/trending/python?since=daily",
        "https://github.com/topics/quantization",
        "https://github.com/orgs/owner/repositories",
        "https://github.com/sponsors/owner",
        "https://github.com/owner",
        "https://github.com/",
        "https://gist.github.com/owner/0a1b2c",
        "https://owner.github.io/repo",
        "https://github.blog/owner/repo",
    ],
)
def test_what_only_looks_like_a_repository_is_none(address: str) -> None:
    assert not any(key.startswith("github:") for key in keys(address))


# ---- Zhihu


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://zhuanlan.zhihu.com/p/86620263?utm_source=wechat_session", "zhihu:p/86620263"),
        ("https://api.zhihu.com/articles/86620263", "zhihu:p/86620263"),
        ("https://zhuanlan.zhihu.com/somecolumn/20000001", "zhihu:p/20000001"),
        ("https://www.zhihu.com/question/1/answer/22", "zhihu:answer/22"),
        ("https://www.zhihu.com/answer/22", "zhihu:answer/22"),
        ("https://www.zhihu.com/zvideo/333", "zhihu:zvideo/333"),
    ],
)
def test_zhihu_keys(address: str, key: str) -> None:
    assert keys(address)[0] == key


# ---- Redirectors


@pytest.mark.parametrize(
    "address",
    [
        "https://link.zhihu.com/?target=https%3A//blog.example/a%3Fid%3D1",
        "https://www.google.com/url?sa=t&url=https%3A%2F%2Fblog.example%2Fa%3Fid%3D1&usg=x",
        "https://link.juejin.cn/?target=https%3A%2F%2Fblog.example%2Fa%3Fid%3D1",
        "https://www.jianshu.com/go-wild?ac=2&url=https%3A%2F%2Fblog.example%2Fa%3Fid%3D1",
        "https://link.csdn.net/?target=https%253A%252F%252Fblog.example%252Fa%253Fid%253D1",
        "https://weibo.cn/sinaurl?u=https%3A%2F%2Fblog.example%2Fa%3Fid%3D1",
        "https://steamcommunity.com/linkfilter/?u=https%3A%2F%2Fblog.example%2Fa%3Fid%3D1",
        "https://link.zhihu.com/?target=https%3A//link.juejin.cn/%3Ftarget%3Dhttps%253A%252F%252Fblog.example%252Fa%253Fid%253D1",
    ],
)
def test_a_redirector_is_what_it_leads_to(address: str) -> None:
    assert url(address) == "https://blog.example/a?id=1"


@pytest.mark.parametrize(
    "address",
    [
        "https://www.google.com/amp/s/blog.example/2026/npu",
        "https://blog-example.cdn.ampproject.org/c/s/blog.example/2026/npu",
        "https://blog-example.cdn.ampproject.org/v/s/blog.example/2026/npu?amp_js_v=0.1#referrer=x",
        "https://weekly.example/statistics/click?target=https://blog.example/2026/npu",
        "https://tracking.tldrnewsletter.com/CL0/https:%2F%2Fblog.example%2F2026%2Fnpu/1/0100-x/abc=1",
    ],
)
def test_caches_and_the_counters_of_newsletters_are_what_they_lead_to(address: str) -> None:
    assert url(address).partition("?")[0] == "https://blog.example/2026/npu"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://m.news.example/a/12", "https://www.news.example/a/12"),
        ("https://mobile.news.example/a/12.html", "https://news.example/a/12.html"),
        ("http://wap.news.example/a/12", "https://news.example/a/12"),
        ("https://de.m.wiki.example/wiki/NPU", "https://de.wiki.example/wiki/NPU"),
        ("https://amp.news.example/a-12", "https://www.news.example/a-12"),
        ("https://news.example/2026/11/npu/amp/", "https://news.example/2026/11/npu/"),
        ("https://news.example/amp/2026/11/npu", "https://news.example/2026/11/npu"),
        ("https://news.example/2026/npu.amp.html", "https://news.example/2026/npu.html"),
        ("https://news.example/npu?amp", "https://news.example/npu"),
        ("https://news.example/npu?id=1&outputType=amp", "https://news.example/npu?id=1"),
        ("https://m.thepaper.cn/newsDetail_forward_12", "https://www.thepaper.cn/newsDetail_forward_12"),
        ("https://oia.zhihu.com/articles/123456789", "https://zhuanlan.zhihu.com/p/123456789"),
        ("https://oia.zhihu.com/answers/123456789", "https://www.zhihu.com/answer/123456789"),
    ],
)
def test_a_page_for_a_small_screen_and_its_page_are_one(one: str, other: str) -> None:
    assert set(keys(one)) & set(keys(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://shop.example/products/amp", "https://shop.example/products"),
        ("https://m.example", "https://example"),
        ("https://code.example/file?ref=main", "https://code.example/file"),
        ("https://shop.example/a?amp=50", "https://shop.example/a"),
    ],
)
def test_a_word_that_only_looks_like_a_sign_of_screen_or_newsletter_counts(one: str, other: str) -> None:
    assert not set(keys(one)) & set(keys(other))


@pytest.mark.parametrize(
    "parameter",
    [
        "_bhlid=0a1b", "ref=weekly.example", "ref=the-chip-newsletter", "sc_cid=7", "campaign_id=4", "campaign_name=x",
        "_branch_match_id=12", "_branch_referrer=H4s", "trk_contact=A", "elqTrackId=0a", "ss_source=x",
        "ck_subscriber_id=3",
    ],
)  # fmt: skip
def test_what_a_newsletter_adds_to_count_its_readers_is_dropped(parameter: str) -> None:
    assert url(f"https://blog.example/a?id=1&{parameter}") == "https://blog.example/a?id=1"


def test_a_redirector_that_leads_nowhere_is_itself() -> None:
    assert url("https://link.zhihu.com/?target=javascript:alert(1)").startswith("https://link.zhihu.com/")


# ---- Any address


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("HTTP://Blog.Example:80/a", "http://blog.example/a"),
        ("https://blog.example:443/a", "https://blog.example/a"),
        ("https://blog.example:8443/a", "https://blog.example:8443/a"),
        ("https://blog.example", "https://blog.example/"),
        ("https://blog.example./a", "https://blog.example/a"),
        ("//blog.example/a", "https://blog.example/a"),
        ("  https://blog.example/a\n", "https://blog.example/a"),
        ("https://user:secret@blog.example/a", "https://blog.example/a"),
        ("https://blog.example/a/./b/../c", "https://blog.example/a/c"),
        ("https://blog.example/a b", "https://blog.example/a%20b"),
        ("https://blog.example/量化", "https://blog.example/%E9%87%8F%E5%8C%96"),
        ("https://blog.example/%e9%87%8f%7e", "https://blog.example/%E9%87%8F~"),
        ("https://blog.example/100%", "https://blog.example/100%25"),
        ("https://例子.example/a", "https://xn--fsqu00a.example/a"),
        ("https://blog.example/a?b=2&a=1", "https://blog.example/a?a=1&b=2"),
        ("https://blog.example/a?utm_source=x&fbclid=y&spm=1.2", "https://blog.example/a"),
        ("https://blog.example/a?from=timeline&isappinstalled=0", "https://blog.example/a"),
        ("https://blog.example/a?from=beijing", "https://blog.example/a?from=beijing"),
        ("https://blog.example/a#comments", "https://blog.example/a"),
        ("https://blog.example/#/post/12", "https://blog.example/#/post/12"),
        ("https://blog.example/changes#2026-01-31", "https://blog.example/changes#2026-01-31"),
        ("https://blog.example/changes#v2.3.1", "https://blog.example/changes#v2.3.1"),
        ("http://www.jianshu.com/p/0a1b?utm_campaign=x", "https://www.jianshu.com/p/0a1b"),
    ],
)
def test_canonical_form(address: str, expected: str) -> None:
    assert url(address) == expected


@pytest.mark.parametrize(
    "other",
    [
        "http://blog.example/a",
        "https://www.blog.example/a",
        "https://blog.example/a/",
        "http://www.blog.example/a/#top",
    ],
)
def test_an_address_seen_in_several_ways_is_one_article_but_printed_as_seen(other: str) -> None:
    assert keys(other)[0] == keys("https://blog.example/a")[0]
    assert url(other).partition(":")[0] == other.partition(":")[0]


def test_a_query_tells_pages_apart() -> None:
    assert set(keys("https://blog.example/?p=1")).isdisjoint(keys("https://blog.example/?p=2"))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@b.example",
        "/relative",
        "https://",
        "https:///path",
        "ftp://a.example/",
        "https://a b.example/",
        "https://[/",
        "https://blog.example:99999/",
        f"https://blog.example/{'a' * 5000}",
    ],
)
def test_what_is_no_web_address_is_refused(address: str) -> None:
    assert not is_web_address(address, RULES)
    with pytest.raises(NotAWebAddress):
        canonicalise(address, RULES)


@pytest.mark.parametrize(
    ("key", "address"),
    [
        (f"wechat:{TOKEN}", f"https://mp.weixin.qq.com/s/{TOKEN}"),
        (LONG_KEY, None),
        ("arxiv:2001.04246", "https://arxiv.org/abs/2001.04246"),
        ("github:owner/repo", "https://github.com/owner/repo"),
        ("github:owner/repo@v2", "https://github.com/owner/repo/releases/tag/v2"),
        ("doi:10.1145/3386901", "https://doi.org/10.1145/3386901"),
        ("zhihu:p/1", "https://zhuanlan.zhihu.com/p/1"),
        ("https://blog.example/a", "https://blog.example/a"),
    ],
)
def test_a_key_leads_to_an_address_whose_key_it_is(key: str, address: str | None) -> None:
    assert find_address(key, RULES) == address
    if address:
        assert key in keys(address)


# ---- Properties

SCHEMES = st.sampled_from(["http://", "https://", "//", "HTTPS://"])
HOSTS = st.sampled_from(
    [*sorted({host.replace("*", "sub") for host in RULES.urls.by_host}), "blog.example", "www.例子.example"]
)
WORDS = [
    *("s", "abs", "pdf", "p", "article", "owner", "repo.git", "tree", "releases", "tag", "..", ".", "", "https:"),
    *("2001.04246v1.pdf", "123456789", TOKEN, "量化", "a b", "%7e", "%2F", "%", "10.1145", "x;y"),
]
QUERIES = [
    *("utm_source=x", "from=rss", "id=1", "q", "=", "&", "a=%26%3d", "a=b=c", "x=量", "y=+%20", "v=abcdefghijk"),
    *("__biz=MzA5MDEyMzQ1Ng==", "mid=1", "idx=1", "sn=ab", "amp;amp;mid=2"),
    "target=https%3A%2F%2Fgithub.com%2Fa%2Fb%3Ftab%3Dx",
    f"url=http://mp.weixin.qq.com/s/{TOKEN}",
]
FRAGMENTS = st.sampled_from(["", "#", "#rd", "#/route", "#!x", "#2026-01-02", "#v1.2", "#a b", "#%41"])
ADDRESSES = st.builds(
    lambda scheme, host, port, path, query, fragment: (
        f"{scheme}{host}{port}/{'/'.join(path)}?{'&'.join(query)}{fragment}"
    ),
    SCHEMES,
    HOSTS,
    st.sampled_from(["", "", ":80", ":443", ":8080"]),
    st.lists(st.sampled_from(WORDS), max_size=5),
    st.lists(st.sampled_from(QUERIES), max_size=4),
    FRAGMENTS,
)


@settings(max_examples=400, deadline=None)
@given(ADDRESSES | st.text(max_size=60).map(lambda text: f"https://blog.example/{text}"))
@example("https://blog.example/?amp;amp;=1")
def test_a_canonical_address_is_its_own_canonical_address(address: str) -> None:
    try:
        once = canonicalise(address, RULES)
    except NotAWebAddress:
        assume(False)
    twice = canonicalise(once.url, RULES)
    assert twice.url == once.url
    assert once.key in twice.keys
    assert once.url.isascii()
    assert once.url.startswith(("http://", "https://"))


@settings(max_examples=200, deadline=None)
@given(ADDRESSES, st.lists(st.sampled_from(["utm_source=x", "utm_medium=y", "fbclid=z", "spm=1"]), max_size=3))
def test_tracking_parameters_change_nothing(address: str, tracking: list[str]) -> None:
    base, _, fragment = address.partition("#")
    try:
        plain = canonicalise(address, RULES)
    except NotAWebAddress:
        assume(False)
    assert canonicalise("&".join((base, *tracking)) + (f"#{fragment}" if fragment else ""), RULES).url == plain.url


def test_a_host_longer_than_names_can_be_is_no_host() -> None:
    longest = "a." * 123 + "example"
    assert len(longest) == 253
    assert is_web_address(f"https://{longest}/", RULES)
    assert not is_web_address(f"https://b{longest}/", RULES)
    assert not is_web_address(f"https://B{longest}./", RULES)


@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [
        ("https://blog.example/?", "&amp;", ""),
        ("https://blog.example/", "../", ""),
        ("https://blog.example/", "%", ""),
        ("", "https://link.zhihu.com/?target=", ""),
        ("", "https://blog.example/?url=", ""),
        ("https://blog.example", "/", ""),
        ("https://github.com/a/", "b", ""),
        ("https://blog.example/#", "1.", ""),
        ("https://blog.example/#", "a", ""),
        ("https://", "a.", "example/"),
    ],
)
def test_twice_as_long_an_address_costs_at_most_three_times_as_much(head: str, unit: str, tail: str) -> None:
    def read(address: str) -> None:
        is_web_address(address, RULES)
        with suppress(NotAWebAddress):
            canonicalise(address, RULES)

    half = unit * (2_000 // len(unit))
    assert_twice_costs_at_most_three_times(read, f"{head}{half}{tail}", f"{head}{half * 2}{tail}")


# ---- The real world


def records(path: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, path.read_text(encoding="utf-8").splitlines())


def distinct(addresses: Iterable[str]) -> tuple[int, int]:
    """How many addresses, and how many first keys."""
    given = set(addresses)
    return len(given), len({keys(address)[0] for address in given})


@pytest.mark.corpus
def test_no_two_real_wechat_articles_collapse(corpus: Path) -> None:
    folder = corpus / "dupes"
    groups = [*records(folder / "same_title_groups.jsonl"), *records(folder / "recurring_title_traps.jsonl")]
    addresses, found = distinct(item["url"] for group in groups for item in group["items"])
    assert found == addresses > 500


@pytest.mark.corpus
def test_of_a_long_and_a_short_link_each_tells_one_key(corpus: Path) -> None:
    """Which pairs are one article the addresses alone do not say: the page's own keys join them."""
    for pair in records(corpus / "dupes" / "long_short_url_pairs.jsonl"):
        short, long = keys(pair["url_a"])[0], keys(pair["url_b"])[0]
        assert short.removeprefix("wechat:") == pair["url_a"].rpartition("/")[2]
        assert long.count("/") == 2


@pytest.mark.corpus
def test_of_all_that_an_editor_could_have_seen_next_to_nothing_collapses(corpus: Path) -> None:
    addresses, found = distinct(record["url"] for record in records(corpus / "pool" / "2019-2020.jsonl"))
    assert addresses > 8000
    assert found > 0.995 * addresses
