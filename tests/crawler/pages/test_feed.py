"""Feeds: what both readers agree on, what is refused, what hostile feeds cost. Their shapes are recordings."""

from __future__ import annotations

import gzip
import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape, unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import feedparser
import pytest
from costs import assert_twice_costs_at_most_three_times
from hypothesis import given, settings
from hypothesis import strategies as st
from places import RECORDINGS

from crawler.errors import Blocked, CrawlError, PageChanged, TooLarge
from crawler.items import Page, RawItem, Reply
from crawler.markup.encoding import decode
from crawler.markup.feed_broken import read_broken
from crawler.markup.feed_xml import read_xml
from crawler.pages.feed import feed, feed_of

URL = "https://feeds.example.org/feed.xml"
ITEM = "<item><title>One</title><link>https://a.example/1</link></item>"

NOT_FEEDS = re.compile(r".*\.(?:serde\.json|txt|tsv|opml|html|html\.xml)|.*/output/.*\.json")
NEITHER = {
    "AmazonWebServicesBlogFirstEntryContent.xml",  # the HTML of one entry
    "PaulDixExplainsNothingFirstEntryContent.xml",
    "unrecognized.rss",  # a redirect's page
    "xml_sample_2.xml",  # a catalogue of books
}


def reply(body: str | bytes, url: str = URL, status: int = 200) -> Reply:
    return Reply(url, status, {}, body if isinstance(body, bytes) else body.encode(), datetime(2026, 11, 1, tzinfo=UTC))


def rss(inside: str) -> str:
    return f'<rss version="2.0"><channel><title>T</title>{inside}</channel></rss>'


def words(title: str) -> str:
    return " ".join(re.sub(r"<[^<>]*>", "", unescape(unescape(title))).split())


def as_feedparser_sees(body: bytes) -> list[Any]:
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", decode(body))
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": URL}
    entries: list[Any] = feedparser.parse(BytesIO(text.encode()), response_headers=headers).entries
    return entries


def well_formed(folder: Path) -> Iterator[tuple[str, str]]:
    """Names and texts, from the root on, of the feeds that lxml reads."""
    for path in sorted(folder.glob("**/*")):
        root = re.search(r"<(?:rss|feed|rdf:RDF)[\s>]", decode(path.read_bytes())) if path.is_file() else None
        if root and read_xml(text := root.string[root.start() :], URL):
            yield path.parent.name + "/" + path.name, text


def urls(items: tuple[RawItem, ...]) -> list[str]:
    return [item.url for item in items]


# ---- The readers agree


def assert_readers_agree(name: str, text: str) -> None:
    quick, slow = read_xml(text, URL), read_broken(text, URL)
    assert quick is not None
    assert len(quick.entries) == len(slow.entries), name
    assert words(quick.title) == words(slow.title), name
    for ours, theirs in zip(quick.entries, slow.entries, strict=True):
        assert words(ours.title) == words(theirs.title), name
    assert urls(feed_of(quick, reply(text)).items) == urls(feed_of(slow, reply(text)).items), name


def test_both_readers_agree_on_the_recorded_feeds() -> None:
    compared = 0
    for name, text in well_formed(RECORDINGS / "feed"):
        if not name.startswith("atom-content-elsewhere/"):  # feedparser does not say where
            assert_readers_agree(name, text)
            compared += 1
    assert compared >= 10


@pytest.mark.corpus
@pytest.mark.parametrize("part", ["chardet-zh-2006", "misc-real", "hellodword-2021", "wechat-scholar-2026"])
def test_both_readers_agree_on_real_feeds(corpus: Path, part: str) -> None:
    compared = 0
    for name, text in well_formed(corpus / "feeds" / part):
        if len(text) < 40_000:  # feedparser takes 0.6 ms an entry
            assert_readers_agree(name, text)
            compared += 1
    assert compared >= 8


def test_every_publication_date_of_an_entry_is_kept() -> None:
    (item,) = feed(
        reply(
            '<rss xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><item><title>题</title><link>https://e.example/1</link>'
            "<pubDate>soon</pubDate><dc:date>2026-10-30T08:00:00Z</dc:date></item></channel></rss>"
        )
    ).items
    assert (item.published, item.further_dates) == ("soon", ("2026-10-30T08:00:00Z",))


# ---- Real feeds


@pytest.mark.corpus
@pytest.mark.parametrize("part", ["chardet-zh-2006", "misc-real", "hellodword-2021", "other"])
def test_every_real_file_is_read_as_feedparser_reads_it_or_refused_by_name(corpus: Path, part: str) -> None:
    for path in sorted((corpus / "feeds" / part).glob("**/*")):
        if not path.is_file():
            continue
        name, body = path.relative_to(corpus).as_posix(), path.read_bytes()
        try:
            page = feed(reply(body))
        except PageChanged:
            assert NOT_FEEDS.fullmatch(name) or path.name in NEITHER, name
        else:
            assert not NOT_FEEDS.fullmatch(name), name
            assert page.items, name
            if len(body) < 100_000 and path.suffix != ".json":
                assert len(page.items) + len(page.warnings) >= len(as_feedparser_sees(body)), name


@pytest.mark.corpus
def test_titles_texts_and_dates_of_real_chinese_feeds_are_chinese(corpus: Path) -> None:
    items = [
        item
        for path in sorted((corpus / "feeds" / "chardet-zh-2006").glob("*/*.xml"))
        if not path.name.endswith(".html.xml")
        for item in feed(reply(path.read_bytes())).items
    ]
    assert len(items) > 500
    assert not [item for item in items if "\ufffd" in f"{item.title}{item.html}{item.text}{item.summary}"]
    chinese = [item for item in items if re.search(r"[\u4e00-\u9fff]", f"{item.title}{item.html}{item.summary}")]
    assert len(chinese) > 0.9 * len(items)
    assert all(item.url.startswith("http") for item in items)


# ---- What is no feed


def test_a_web_page_says_which_feed_it_names() -> None:
    html = '<html><link rel="alternate" type="application/rss+xml" href="/rss.xml"></html>'
    with pytest.raises(PageChanged, match=r"https://feeds\.example\.org/rss\.xml"):
        feed(reply(html))


def test_a_feed_inside_a_web_page_is_read() -> None:
    assert feed(reply(f"<!DOCTYPE html><html><body>{rss(ITEM)}</body></html>")).items[0].title == "One"


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rss [<!ENTITY a "x">]>',
        '<!DOCTYPE rss [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>',
        '<!DOCTYPE rss SYSTEM "file:///etc/passwd">',
        '<!-- <rss> --><!doctype rss system "http://127.0.0.1/">',
        '<!DOCTYPE rss PUBLIC "x" "http://127.0.0.1/" [<!ENTITY a "<rss>">]>',
    ],
)
@pytest.mark.fault("C2")
def test_a_document_type_of_its_own_is_refused_before_any_parser_sees_it(doctype: str) -> None:
    with pytest.raises(PageChanged, match="feed-with-document-type"):
        feed(reply(f'<?xml version="1.0"?>\n{doctype}\n{rss(ITEM)}'))


@pytest.mark.fault("C2")
def test_a_bomb_is_refused_though_it_would_expand_to_a_hundred_billion_letters() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    quadratic = f'<!ENTITY e0 "{"x" * 500_000}">'
    for declared in (f'<!ENTITY e0 "ha">{entities}', quadratic):
        with pytest.raises(PageChanged):
            feed(reply(f"<!DOCTYPE rss [{declared}]>" + rss(f"<item><title>{'&e11;&e0;' * 1000}</title></item>")))


@pytest.mark.parametrize("body", [__file__, "http://127.0.0.1:9/feed.xml", f"file://{__file__}"])
@pytest.mark.fault("C3")
def test_a_body_that_spells_a_place_is_not_looked_up(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)
    with pytest.raises(PageChanged, match="text-for-feed"):
        feed(reply(body))


@pytest.mark.fault("C2")
def test_nothing_is_fetched_for_a_broken_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)
    assert feed(reply(rss(ITEM + '<link href="http://127.0.0.1:9/">&nbsp;'))).items


@pytest.mark.fault("H10")
def test_a_challenge_is_not_a_changed_page() -> None:
    with pytest.raises(Blocked):
        feed(reply("<html><title>Just a moment...</title></html>", status=403))


# ---- What hostile feeds cost


# fmt: off
PIECES = (
    "<", "&", "&a", "<a ", "<!--", "<![CDATA[", "<item>", "<title>", '<a b="', "<div>", "<br", "</", " ", "<?", "<!",
)
# fmt: on


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.fault("C5")
def test_hostile_repetition_costs_no_more_than_its_length(piece: str) -> None:
    def bodies(length: int) -> list[str]:
        hostile = piece * (length // len(piece))
        whole = f"<item><title><![CDATA[{hostile}]]></title><description><![CDATA[{hostile}]]></description></item>"
        return [hostile, rss(hostile + "&"), rss(whole), rss(f"<item><title>{hostile}</title></item>&"), "[" * length]

    for half, whole in zip(bodies(5_000), bodies(10_000), strict=True):
        assert_twice_costs_at_most_three_times(read_or_refused, half, whole)


@given(
    st.lists(
        st.sampled_from((*PIECES, "x", ">", "</title>", "</item>", "<link>", "]]>", "-->", "\x00", '"')), max_size=30
    )
)
@settings(max_examples=150, deadline=None)
def test_any_feed_is_read_or_refused(pieces: list[str]) -> None:
    for body in ("".join(pieces), rss("".join(pieces))):
        for item in read_or_refused(body).items:
            assert RawItem.from_json(item.to_json()) == item
            assert item.title
            assert item.url.startswith(("http://", "https://"))


def read_or_refused(body: str) -> Page:
    try:
        return feed(reply(body))
    except CrawlError:
        return Page()


def test_a_long_broken_feed_is_not_given_to_the_slow_reader() -> None:
    with pytest.raises(PageChanged, match="feed-too-long-to-mend"):
        feed(reply(rss(ITEM + "&nbsp;" + "x" * 4_000_000)))


# ---- Entries


def test_a_link_that_is_no_address_is_none() -> None:
    links = ("javascript:alert(1)", "data:text/html,x", "http://[::1", "mailto:a@example.org", "")
    entries = "".join(f"<item><title>{n}</title><link>{link}</link></item>" for n, link in enumerate(links))
    assert urls(feed(reply(rss(entries), URL + "?key=secret")).items) == [
        item.url for item in feed(reply(rss(entries))).items if item.url.startswith(URL + "?guid=")
    ]


def test_json_values_of_the_wrong_type_are_taken_as_not_said() -> None:
    item = {"url": "https://a.example/1", "title": 7, "tags": "x", "authors": "x", "image": {}, "summary": None}
    page = feed(reply(json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": [], "items": [item]})))
    assert page.items == (RawItem("feed", "https://a.example/1", "7", page.items[0].fetched_at),)


def test_lone_surrogates_in_json_do_not_reach_the_store() -> None:
    body = '{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "title": "a\\ud800b\\u0000c"}]}'
    feed(reply(body)).items[0].to_json().encode()
    assert feed(reply(body)).items[0].title == "abc"


@pytest.mark.parametrize(
    "description", ["&lt;!-- nothing --&gt;", "&lt;", "<!-- nothing -->", "&lt;p&gt;&lt;/p&gt;", "<p/>"]
)
def test_an_entry_with_a_description_that_says_nothing_is_kept(description: str) -> None:
    (item,) = feed(reply(rss(ITEM.replace("</item>", f"<description>{description}</description></item>")))).items
    assert (item.title, item.summary in (None, "<")) == ("One", True)


# ---- What real feeds get wrong


def read(body: str) -> Page:
    return feed(reply(body))


def rss_item(inner: str) -> str:
    return rss(f"<item><link>https://a.example/1</link>{inner}</item>")


def atom(entries: str) -> str:
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>{entries}</feed>"


def test_html_that_was_escaped_twice_is_html() -> None:
    html = '<p>见 <a href="https://github.com/example-lab/int4">代码</a></p>'
    twice = escape(escape(html))
    (item,) = read(rss_item(f"<title>一</title><description>{twice}</description>")).items
    assert item.html == html
    (item,) = read(rss_item("<title>一</title><description>the &amp;lt;p&amp;gt; tag</description>")).items
    assert (item.summary, item.html) == ("the <p> tag", None)


def test_an_atom_title_that_speaks_of_a_tag_keeps_it() -> None:
    plain_title = "<entry><title>Use &lt;b&gt; sparingly</title><link href='/1'/></entry>"
    html_title = "<entry><title type='html'>Use &lt;b&gt;it&lt;/b&gt;</title><link href='/2'/></entry>"
    assert [item.title for item in read(atom(plain_title + html_title)).items] == ["Use <b> sparingly", "Use it"]


def test_links_of_an_entrys_text_are_relative_to_the_base_that_it_names() -> None:
    link = escape('<a href="old">旧文</a>')
    content = f"<content type='html' xml:base='https://links.example/day/'>{link}</content>"
    entry = f"<entry><title>一</title><link href='https://vendor.example/x'/>{content}</entry>"
    assert read(atom(entry)).items[0].html == '<a href="https://links.example/day/old">旧文</a>'


@pytest.mark.parametrize(
    "document_type",
    [
        '<!DOCTYPE rss SYSTEM "http://my.netscape.com/publish/formats/rss-0.91.dtd">',
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">',
        "<!DOCTYPE rss SYSTEM 'rss-0.91.dtd'>",
    ],
)
def test_the_document_type_of_rss_091_is_passed_over(document_type: str) -> None:
    body = f"<?xml version='1.0'?>{document_type}{rss_item('<title>caf&eacute; 端侧</title>')}"
    assert [item.title for item in read(body).items] == ["café 端侧"]


def test_a_compressed_feed_is_read_though_its_server_does_not_say_so() -> None:
    packed = gzip.compress(rss_item("<title>一</title>").encode())
    for body in (packed, gzip.compress(packed)):
        assert feed(reply(body)).items[0].title == "一"


@pytest.mark.fault("H5")
def test_a_compressed_reply_that_unpacks_without_end_is_refused() -> None:
    with pytest.raises(TooLarge):
        feed(reply(gzip.compress(bytes(80_000_000))))


def test_an_id_of_a_json_feed_that_is_an_address_is_the_entrys() -> None:
    entries = [{"id": "https://a.example/3", "content_text": "三"}, {"id": "4", "content_text": "四"}]
    for version in ({"version": "https://jsonfeed.org/version/1.1"}, {}):
        urls = [item.url for item in read(json.dumps({**version, "title": "T", "items": entries})).items]
        assert urls[0] == "https://a.example/3"
        assert urls[1] != "4"


def test_json_that_only_has_items_is_no_feed() -> None:
    with pytest.raises(PageChanged):
        read(json.dumps({"title": "T", "items": [{"id": 1, "link": "https://a.example/1"}]}))


@pytest.mark.parametrize("name", ["links", "enclosures", "tags", "content", "image", "media_content"])
def test_an_element_named_like_a_list_of_the_broken_feeds_reader_costs_no_entry(name: str) -> None:
    entry = f"<item><title>One</title><{name}>abc</{name}><link>https://a.example/1</link></item>"
    channel = read_broken(f'<rss version="2.0"><channel><title>A</title>{entry}</channel>', URL)
    assert [each.title for each in channel.entries] == ["One"]
