"""WeChat's article pages: what the recordings do not say already, and the pages of the corpus."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from costs import assert_twice_costs_at_most_three_times
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import Blocked, CrawlError, Detail, Gone, PageChanged, RateLimited
from crawler.items import RawItem, Reply
from crawler.markup.javascript import read_literal, strings, unquote
from crawler.pages import wechat

NOW = datetime(2026, 11, 2, tzinfo=UTC)
SHORT = "https://mp.weixin.qq.com/s/Tile-0001_abcdefghij22"
LONG = "https://mp.weixin.qq.com/s?__biz=MzA5OTk5MDAwMQ==&mid=2650000001&idx=1&sn=0f1e2d3c4b5a69788796a5b4c3d2e1f0"
HAN = re.compile("[\u4e00-\u9fff]")

QUOTED = (
    "该内容已被发布者删除",
    "此内容因违规无法查看",
    "当前环境异常，完成验证后即可继续访问。",
    "captcha",
    "该公众号已迁移",
    "请在微信客户端打开链接",
    "poc_token",
)


def read(body: str | bytes, url: str = SHORT, status: int = 200) -> RawItem:
    raw = body if isinstance(body, bytes) else body.encode()
    (item,) = wechat.article(Reply(url, status, {"content-type": "text/html; charset=UTF-8"}, raw, NOW)).items
    return item


def escaped(text: str) -> str:
    """Text as WeChat writes it into a script."""
    for character in "\\\n\r\"&'<>":
        text = text.replace(character, f"\\x{ord(character):02x}")
    return text


def newest(more: str = "", **values: str) -> str:
    """A page whose `window.cgiDataNew` says all."""
    said = {
        "nick_name": "瓦片工坊",
        "title": "标题",
        "content_noencode": "<p>正文</p>",
        "create_timestamp": "1792459800",
        "link": SHORT,
        "bizuin": "MzA5OTk5MDAwMQ==",
        "mid": "2650000001",
        "idx": "1",
        "sn": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "item_show_type": "0",
        **values,
    }
    fields = "\n".join(f"    {name}: JsDecode('{escaped(value)}')," for name, value in said.items())
    script = f"<script h5only>\nwindow.cgiDataNew = {{\n{fields}\n{more}}};\n</script>"
    return f"<html><body><div id=js_article></div>{script}</body></html>"


def older(content: str = "<p>正文</p>", title: str = "标题", *, scripts: str = "") -> str:
    """A page of the years before that object."""
    return f"""<html><body><div id="js_article"><h2 id="activity-name"> {title} </h2><a id="js_name"> 瓦片工坊 </a>
<div class="rich_media_content" id="js_content">{content}</div></div><script>
    var biz = "" || "MzA5OTk5MDAwMQ==";
    var mid = "" || "" || "2650000001";
    var idx = "" || "" || "1";
    var ct = "1521515999";
    {scripts}
</script></body></html>"""


@pytest.mark.parametrize("words", QUOTED)
def test_an_article_may_quote_the_words_of_every_notice(words: str) -> None:
    content = f'<p>{words}</p><div class="weui-msg"><h2 class="weui-msg__title">{words}</h2></div>'
    for page in (newest(title=words, content_noencode=content), older(content, words)):
        assert read(page).title == words
        assert words in str(read(page).html)


def test_an_article_may_quote_the_name_of_the_data_it_is_read_from() -> None:
    quote = "<pre>window.cgiDataNew = { title: 'not this', mid: '1' }</pre>"
    page = newest().replace("<div id=js_article>", f"<div id=js_article>{quote}")
    assert read(page).title == "标题"
    assert read(older(quote)).title == "标题"


def test_an_article_may_quote_the_variables_of_its_own_page() -> None:
    assert read(older('<pre>\nvar ct = "1111111111";\n</pre>')).published == "1521515999"


def test_short_and_long_addresses_give_one_id_in_common() -> None:
    short, long = read(newest()), read(newest(link=LONG.replace("&", "&amp;") + "&amp;chksm=8c#rd"), LONG + "&scene=27")
    assert (short.url, long.url) == (SHORT, LONG)
    assert set(short.ids) & set(long.ids) == {"wechat:MzA5OTk5MDAwMQ==/2650000001/1"}


def test_the_address_that_answered_gives_the_token_that_the_page_lacks() -> None:
    item = read(newest(link=LONG), SHORT + "?poc_token=x")
    assert item.url == SHORT
    assert "wechat:Tile-0001_abcdefghij22" in item.ids


def test_the_address_that_answered_gives_the_identity_that_the_page_lacks() -> None:
    saved = '<div id="js_article"><h1 id="activity-name">标题</h1><div id="js_content">正文</div></div>'
    assert read(saved, LONG + "&chksm=8c").url == LONG
    assert read(saved, LONG).ids == ("wechat:MzA5OTk5MDAwMQ==/2650000001/1",)


def test_a_page_through_a_mirror_has_the_address_of_the_original() -> None:
    assert read(newest(), "https://mirror.example/wechat/s/Tile-0001_abcdefghij22").url == SHORT


def test_a_signed_address_is_kept_and_marked_where_the_page_knows_no_other() -> None:
    item = read(older(), "https://mp.weixin.qq.com/s?src=11&timestamp=1&ver=1&signature=abc")
    assert item.facts["temporary"] == "yes"
    assert item.ids == ("wechat:MzA5OTk5MDAwMQ==/2650000001/1",)
    assert "temporary" not in read(newest(), "https://mp.weixin.qq.com/s?src=11&timestamp=1&ver=1&signature=abc").facts


def test_what_an_article_lacks_is_warned_of() -> None:
    saved = '<div id="js_article"><h1 id="activity-name">标题</h1><div id="js_content">正文</div></div>'
    page = wechat.article(Reply(SHORT, 200, {}, saved.encode(), NOW))
    assert len(page.items) == 1
    assert [warning.code for warning in page.warnings] == ["page-without-account", "page-without-time"]


def test_names_that_scripts_also_use_for_other_things_are_not_believed() -> None:
    noise = 'var idx = options["place"];\nvar biz = opt.biz || "none";\nvar ct = "0";\nvar mid = start + end >> 1;\n'
    page = older().replace("<script>", f"<script>\n{noise}")
    assert read(page, LONG).ids == ("wechat:MzA5OTk5MDAwMQ==/2650000001/1",)
    assert read(page).published == "1521515999"


def test_an_account_number_makes_the_address_of_a_reprinted_article() -> None:
    scripts = 'var source_biz = "3000000002";\nvar source_mid = "2650000777";\nvar source_idx = "2";'
    (link,) = read(older(scripts=scripts)).links
    assert link.relation == "reprint-of"
    assert link.url == "https://mp.weixin.qq.com/s?__biz=MzAwMDAwMDAwMg==&mid=2650000777&idx=2"


def test_a_digest_that_only_repeats_the_text_is_no_summary() -> None:
    text = "第一行\n第二行"
    assert read(newest(item_show_type="8", desc=text, content_noencode=text)).summary is None
    assert read(newest(item_show_type="8", desc="另一句", content_noencode=text)).summary == "另一句"


def test_a_digest_that_repeats_a_text_in_many_tags_is_no_summary() -> None:
    letters = "".join(f'<span style="color: #{index:03x}">字</span>&nbsp;' for index in range(60))
    text = f"<style>{'p { margin: 0 }' * 60}</style><p title='a > b'>{letters}</p>"
    assert read(newest(desc=" ".join(["字"] * 60), content_noencode=text)).summary is None


def test_a_title_out_of_a_long_first_line_ends_with_a_sentence() -> None:
    first = "先说结论，能跑。" + "后面是理由，" * 20
    assert read(newest(item_show_type="10", title="", content_noencode=first)).title == "先说结论，能跑。"
    assert read(newest(item_show_type="10", title="", content_noencode="长" * 99)).title == "长" * 63 + "…"


def test_a_title_that_is_the_whole_text_is_the_text() -> None:
    item = read(newest(item_show_type="10", title="今天发版 <1.2> & 休息。", content_noencode=""))
    assert item.title == "今天发版 <1.2> & 休息。"
    assert item.html == "<p>今天发版 &lt;1.2&gt; &amp; 休息。</p>"


def test_what_a_cut_page_keeps_in_its_document_is_read_from_there() -> None:
    page = older("<p>正文</p>", scripts='var nickname = "瓦片工坊";')
    cut = page.replace(
        "</body></html>",
        "<script>\nwindow.cgiDataNew = {\n  title: JsDecode('标题'),\n  content_noencode: JsDecode('\\x3cp",
    )
    assert read(cut).html == "<p>正文</p>"


@pytest.mark.parametrize(
    ("notice", "error"),
    [
        ("该内容已被发布者删除", Gone),
        ("The content has been deleted by the author.", Gone),
        ("此内容因违规无法查看", Gone),
        ("此内容被投诉且经审核涉嫌侵权，无法查看。", Gone),
        ("此内容发送失败无法查看", Gone),
        ("该内容暂时无法查看", Gone),
        ("该公众号已迁移", Gone),
        ("此帐号处于帐号迁移流程中", Gone),
        ("此帐号已自主注销，内容无法查看", Gone),
        ("此帐号已被屏蔽, 内容无法查看", Gone),
        ("链接已过期", Gone),
        ("参数错误", Gone),
        ("环境异常", Blocked),
        ("访问过于频繁，请用微信扫描二维码进行访问", Blocked),
        ("请在微信客户端打开链接", Blocked),
        ("操作频繁，请稍后再试", RateLimited),
        ("系统出错", RateLimited),
        ("春节快乐", PageChanged),
    ],
)
@pytest.mark.fault("H10")
def test_a_notice_is_the_error_that_it_speaks_of(notice: str, error: type[CrawlError]) -> None:
    for shape in (
        f'<div class="weui-msg"><div class="weui-msg__title warn"> {notice}\n</div></div>',
        f"<div class='weui-msg '><h2 class='weui-msg__title title'>{notice}</h2></div>",
        f'<div class="page_msg"><div class="global_error_msg warn">{notice}</div></div>',
        f'<div class="mesg-block"><p>{notice}</p></div>',
    ):
        with pytest.raises(error) as raised:
            read(f'<html><title></title><body>{shape}<script>var mid = "2650000001";</script></body></html>')
        assert raised.value.detail.values["notice"] == notice


def test_a_moved_account_tells_where_the_article_is_now() -> None:
    notice = "<div class=\"weui-msg__title\">该公众号已迁移</div><script>var transferTargetLink = 'https://mp.weixin.qq.com/s?a=1&amp;b=2';</script>"
    with pytest.raises(Gone) as raised:
        read(notice)
    assert raised.value.remedy == Detail.of("account-moved", address="https://mp.weixin.qq.com/s?a=1&b=2")


def test_an_article_shell_without_its_data_is_no_article() -> None:
    with pytest.raises(PageChanged):
        read('<div id="js_article"><div id="js_base_container"></div></div>')


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_every_text_survives_being_written_into_a_script(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert unquote(f"'{escaped(text)}'") == text
    assert unquote(json.dumps(text)) == text
    assert read_literal("{a: [{'b': 1}], c: JsDecode('" + escaped(text) + "'), d: '1' * 1}").get("c", "") == text  # type: ignore[union-attr]


def test_a_page_that_quotes_its_data_twice_as_often_costs_twice_as_much() -> None:
    half, whole = (older("window.cgiDataNew = {" * times) for times in (2_000, 4_000))
    assert read(whole).title == "标题"
    assert_twice_costs_at_most_three_times(read, half, whole)


@given(st.integers(min_value=0, max_value=2_000))
@settings(max_examples=60)
def test_a_page_cut_anywhere_is_read_or_refused(length: int) -> None:
    body = newest(more="picture_page_info_list: [{cdn_url: JsDecode('https://mmbiz.qpic.cn/1')}],").encode()[:length]
    with suppress(CrawlError):
        assert read(body).title


@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [
        ('window.cgiDataNew = {"', '\\"', ""),
        ("window.cgiDataNew = {", "a", ""),
        ("window.cgiDataNew = {", "a ", ""),
        ("window.cgiDataNew = {", "[", ""),
        ("window.cgiDataNew = {a: '", "\\x5c", "'}"),
        ("var ct", " ", ""),
        ("", "var ct = ", ""),
        ("var msg_title = '", "\\'", ""),
        ("", "text_page_info: { ", ""),
        ("picture_page_info_list = [", "{cdn_url:", ""),
    ],
)
def test_twice_as_long_a_script_costs_at_most_three_times_as_much(head: str, unit: str, tail: str) -> None:
    def refuse(script: str) -> None:
        with pytest.raises(Gone):
            read(f'<div class="weui-msg__title">删除</div><script>\n{script}\n</script>')

    half = unit * (10_000 // len(unit))
    assert_twice_costs_at_most_three_times(refuse, f"{head}{half}{tail}", f"{head}{half * 2}{tail}")


def test_strings_are_read_out_of_expressions_in_turn() -> None:
    assert list(strings("(xml ? getXmlValue('a.DATA') : 'b').html(false) || \"c\" || 'cut")) == ["b", "c", ""]


# --- the corpus ----------------------------------------------------------------------------------------------------

ARTICLES = ("normal", "article-share", "text-share", "image-share", "gne")
REFUSED = {
    "deleted-by-author": Gone,
    "violation": Gone,
    "verify": Blocked,
    "account-profile": PageChanged,
}


def pages(corpus: Path, *folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((corpus / "wechat" / folder).glob("*.html"))]
    assert found
    return found


def table(corpus: Path, path: Path) -> Mapping[str, Any]:
    """What the people who collected the page wrote down of it."""
    expected = json.loads((corpus / "wechat/expected.json").read_bytes())
    return (expected.get(str(path.relative_to(corpus))) or {}).get("gold_from_repo_table") or {}


def first(body: str, *patterns: str) -> str:
    found = next((match[1] for pattern in patterns if (match := re.search(pattern, body))), "")
    return found.replace("\\x0a", "\n").replace("\\x22", '"').replace("\\x26amp;", "&")


@pytest.mark.corpus
def test_every_article_of_the_corpus_says_what_its_page_says(corpus: Path) -> None:
    for path in (*pages(corpus, *ARTICLES), corpus / "wechat/sogou-era/article_detail_iframe.html"):
        body, gold = path.read_text("utf-8"), table(corpus, path)
        item = read(path.read_bytes(), gold.get("url") or LONG)
        said = body[body.find("window.cgiDataNew = {") :] if "window.cgiDataNew = {" in body else body
        created = first(said, r"create_timestamp: '(\d+)'", r'var ct = "(\d+)"')
        account = first(said, r"nick_name: JsDecode\('([^']*)'", r'var nickname = "([^"]*)"')
        title = first(said, r"\n +title: JsDecode\('([^']*)'", r'var msg_title = "([^"]*)"')
        assert (item.published, item.publisher) == (created, account), path
        assert item.title == title.split("\n")[0], path
        if gold:
            assert item.url == gold["url"], path
            assert item.publisher == gold["account"], path
            assert item.title == (gold["title"] or item.title), path


@pytest.mark.corpus
def test_every_article_of_the_corpus_keeps_its_whole_text(corpus: Path) -> None:
    for path in (*pages(corpus, *ARTICLES), corpus / "wechat/sogou-era/article_detail_iframe.html"):
        body = path.read_text("utf-8")
        text = first(body, r"content_noencode: JsDecode\('([^']+)'", r'(?s)id="js_content"[^>]*>(.*?)<script')
        if "text-share/02" in str(path):
            text = first(body, r"\n +title: JsDecode\('([^']*)'")  # the title is the text
        written, kept = "".join(HAN.findall(text)), "".join(HAN.findall(read(path.read_bytes()).html or ""))
        assert kept, path
        assert written.startswith(kept) if "cgiDataNew" not in body else written == kept, path


@pytest.mark.corpus
def test_the_older_sources_of_a_page_say_the_same_as_the_newest(corpus: Path) -> None:
    for path in pages(corpus, "normal", "article-share", "text-share", "image-share"):
        newest_source, older_ones = read(path.read_bytes()), read(path.read_bytes().replace(b"cgiDataNew", b"gone"))
        for name in ("title", "publisher", "author", "published", "url", "ids", "image"):
            assert getattr(newest_source, name) == getattr(older_ones, name), (path, name)
        assert [link.relation for link in newest_source.links] == [link.relation for link in older_ones.links]


@pytest.mark.corpus
def test_one_article_saved_twice_has_an_id_in_common(corpus: Path) -> None:
    folder = corpus / "wechat/text-share"
    once, again = (read((folder / name).read_bytes()) for name in ("01.html", "c05.html"))
    assert set(once.ids) & set(again.ids)


@pytest.mark.corpus
def test_reprints_of_the_corpus_name_the_article_they_reprint(corpus: Path) -> None:
    for path in pages(corpus, "article-share"):
        (link,) = read(path.read_bytes()).links
        source = first(path.read_text("utf-8"), r"source_mid: '(\d+)'")
        assert link.relation == "reprint-of"
        assert f"mid={source}&" in link.url


@pytest.mark.corpus
@pytest.mark.parametrize("folder", REFUSED)
def test_what_is_served_instead_of_an_article_is_its_error(corpus: Path, folder: str) -> None:
    for path in pages(corpus, folder):
        with pytest.raises(REFUSED[folder]) as raised:
            read(path.read_bytes())
        assert raised.value.detail


@pytest.mark.corpus
def test_the_sogou_era_ended_in_expired_links_and_search_pages(corpus: Path) -> None:
    folder = corpus / "wechat/sogou-era"
    with pytest.raises(Gone, match="链接已过期"):
        read((folder / "article_detail_expired.html").read_bytes())
    with pytest.raises(PageChanged, match="search-for-article"):
        read((folder / "search-gaokao-article.html").read_bytes())
