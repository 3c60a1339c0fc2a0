"""Characters that no text may hold: one of them costs neither a feed nor its neighbours."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from crawler.characters import mend_document, mend_html, mend_references
from crawler.errors import Detail, PageChanged
from crawler.items import Page, RawItem, Reply
from crawler.pages import PAGES
from crawler.sources.opml import read_opml
from crawler.spiders.read_page import read_page

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def reply(body: str | bytes, url: str = "https://t.example/feed") -> Reply:
    return Reply(url, 200, {}, body.encode() if isinstance(body, str) else body, NOON)


def rss(*titles: str, more: str = "") -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://t.example/{number}</link>{more}</item>"
        for number, title in enumerate(titles)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{items}</channel></rss>'


@pytest.mark.parametrize(
    ("written", "mended", "removed"),
    [
        ("&#55357;&#56832;", "&#128512;", 0),
        ("&#xD83D;&#xde00;", "&#128512;", 0),
        ("&#0055357;&#x0DE00;", "&#128512;", 0),
        ("&#55357;", "", 1),
        ("&#56832;&#55357;", "", 2),
        ("&#55357;&#55357;&#56832;", "&#128512;", 1),
        ("&#0;&#8;&#x1F;&#xFFFE;&#65535;", "", 5),
        ("&#x110000;&#99999999999999999999;", "", 2),
        ("&#0;&#65;", "&#65;", 1),
        (
            "&#9;&#10;&#13;&#x41;&#55295;&#57344;&#65533;&#x10FFFF;",
            "&#9;&#10;&#13;&#x41;&#55295;&#57344;&#65533;&#1114111;",
            0,
        ),
        ("&amp;#0; & # &#; &#x;", "&amp;#0; & # &#; &#x;", 0),
    ],
)
def test_references_are_put_right_or_taken_out_and_counted(written: str, mended: str, removed: int) -> None:
    assert mend_references(f"a{written}b") == (f"a{mended}b", removed)


def test_a_long_row_of_references_takes_time_in_proportion() -> None:
    assert mend_references("&#55357;" * 100_000 + "&#" + "0" * 100_000) == ("&#" + "0" * 100_000, 100_000)


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "utf-16"])
def test_a_document_keeps_its_bytes_but_for_what_it_may_not_hold(encoding: str) -> None:
    body = "<a>模型&#20013;</a>".encode(encoding)
    assert mend_document(body) == body
    assert mend_document(b"<rss>\x08&#55357;&#56832;</rss>") == b"<rss>&#128512;</rss>"


def test_a_pair_of_surrogates_in_a_feed_is_the_character_and_no_warning() -> None:
    page = PAGES["feed"](reply(rss("笑 &#55357;&#56832;", "二", more="<description>&#xD83D;&#xDE00; 好</description>")))
    assert [item.title for item in page.items] == ["笑 😀", "二"]
    assert {item.summary for item in page.items} == {"😀 好"}
    assert page.warnings == ()


@pytest.mark.parametrize("broken", ["&#55357;", "&#0;", "&#x8;", "&#xFFFF;", "&#1114112;"])
def test_a_forbidden_reference_costs_itself_and_a_warning(broken: str) -> None:
    page = PAGES["feed"](reply(rss(f"一{broken}", "二")))
    assert [item.title for item in page.items] == ["一", "二"]
    (warning,) = page.warnings
    assert warning == Detail.of("references-left-out", count=1)


@pytest.mark.parametrize("broken", [b"\x00", b"\x08", b"\xed\xa0\xbd", b"\xff\xfe\xfa", "\ufffe".encode()])
def test_broken_bytes_cost_no_entry(broken: bytes) -> None:
    page = read_page("feed", reply(rss("一MARK", "低比特量化实战与部署", "三").encode().replace(b"MARK", broken)))
    assert len(page.items) == 3
    assert [item.title for item in page.items[1:]] == ["低比特量化实战与部署", "三"]


@pytest.mark.parametrize("broken", ["&#55357;&#56832;", "&#55357;", "&#0;", "&#99999999;"])
def test_what_is_not_well_formed_either_is_read_all_the_same(broken: str) -> None:
    document = rss(f"一{broken}", "二").replace("</channel></rss>", "<open>")
    assert len(PAGES["feed"](reply(document)).items) == 2


def test_a_digest_in_cdata_keeps_its_emoji() -> None:
    page = PAGES["feed"](reply(rss("一", more="<description><![CDATA[<p>&#55357;&#56832; 好</p>]]></description>")))
    assert page.items[0].summary == "😀 好"


def test_a_json_feed_with_half_a_character_gives_text_that_can_be_stored() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [
            {"id": "\ud83d", "url": "https://t.example/1", "title": "一\ud83d", "content_html": "<p>\0\ud83d</p>"}
        ],
    }
    (item,) = read_page("feed", reply(json.dumps(feed))).items
    assert item.title == "一"
    assert item.to_json().encode()


RELEASE = {"tag_name": "v1", "name": "v1 \ud83d", "html_url": "https://github.com/a/b/releases/tag/v1", "draft": False}


def test_an_api_with_half_a_character_gives_text_that_can_be_stored_and_a_warning() -> None:
    body = json.dumps([RELEASE | {"body": "notes \udc00\0"}])
    page = read_page("github.releases", reply(body, "https://api.github.com/repos/a/b/releases"))
    assert page.items[0].to_json().encode()
    assert "\\ud83d" not in page.items[0].to_json()
    assert len(page.warnings) == 1


def test_what_no_page_function_expects_is_a_changed_page_that_names_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(_: Reply) -> Page:
        raise KeyError("x\ud83d")

    monkeypatch.setattr("crawler.spiders.read_page.PAGES", {"feed": mistaken})
    with pytest.raises(PageChanged, match=r"name KeyError, .*position test_characters\.py:\d+") as caught:
        read_page("feed", reply(""))
    assert str(caught.value).encode()


def test_an_item_without_such_characters_is_handed_on_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    item = RawItem("feed", "https://t.example/1", "一", NOON, tags=("a",), facts={"a": "b"})
    monkeypatch.setattr("crawler.spiders.read_page.PAGES", {"feed": lambda _: Page((item,))})
    assert read_page("feed", reply("")).items[0] is item


def test_a_paper_with_a_pair_of_surrogates_is_read() -> None:
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/abs/2511.00001v1</id>'
        "<title>&#55357;&#56832; Tiny &#0;</title><summary>s</summary><published>2025-11-01T00:00:00Z</published>"
        "</entry></feed>"
    )
    (item,) = PAGES["arxiv.api"](reply(atom, "https://export.arxiv.org/api/query?id_list=2511.00001")).items
    assert item.title == "😀 Tiny"


def test_a_list_of_feeds_with_broken_characters_is_read() -> None:
    document = '<opml version="2.0"><body><outline text="A&#55357;&#56832;\x08&#1;" xmlUrl="https://a.example/1"/></body></opml>'
    (source,) = read_opml(document.encode())
    assert source.name == "A😀"


@pytest.mark.parametrize("written", ["&#1", "&#x1f ", "&#1;", "\x01", "&#55357", "&#xffff", "&#0000000001"])
def test_a_forbidden_character_of_a_page_reaches_no_text(written: str) -> None:
    assert mend_html(f"a{written}<b>").replace(" ", "") == "a<b>"
    paragraph = "端侧模型的量化要从校准数据说起，这一段讲清楚它的来历与做法。" * 8
    page = (
        f"<html><head><title>量化</title></head><body><article><div>{written}<b>x</b><p>{paragraph}</p></div></article>"
    )
    (item,) = PAGES["web"](reply(page, "https://t.example/1")).items
    assert paragraph in (item.html or "")


def test_an_address_that_no_host_can_have_costs_a_feed_neither_an_entry_nor_itself() -> None:
    picture = "&lt;img src='https://mmbiz.qpi℀c.cn/1'&gt;" + "端侧模型" * 4
    body = rss("A", "B", more=f"<description>{picture}</description><comments>https://a℀.example/</comments>")
    assert [item.title for item in PAGES["wechat.feed"](reply(body)).items] == ["A", "B"]
