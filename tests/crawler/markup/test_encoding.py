"""Bytes to text: labels that lie, labels that are missing, and what no label fits."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crawler.items import Reply
from crawler.markup.encoding import decode, decode_reply

CHINESE = "端侧模型的四比特量化，速度与内存"
TRADITIONAL = "行動裝置上的神經網路模型壓縮與加速"
HEAD = '<?xml version="1.0" encoding="{}"?><rss><title>{}</title></rss>'


@pytest.mark.parametrize(
    ("body", "declared", "text"),
    [
        pytest.param(CHINESE.encode(), None, CHINESE, id="utf-8 without a label"),
        pytest.param(CHINESE.encode("gbk"), None, CHINESE, id="gbk without a label"),
        pytest.param(CHINESE.encode("gbk"), "gb2312", CHINESE, id="gbk under the label gb2312"),
        pytest.param(CHINESE.encode("gbk"), "utf-8", CHINESE, id="gbk under the label utf-8"),
        pytest.param(CHINESE.encode("gbk"), "iso-8859-1", CHINESE, id="gbk under a server's default label"),
        pytest.param(CHINESE.encode("gbk"), "no-such-charset", CHINESE, id="gbk under an unknown label"),
        pytest.param("𠮷野家的模型".encode("gb18030"), "gbk", "𠮷野家的模型", id="gb18030 with four-byte characters"),
        pytest.param(CHINESE.encode(), "gbk", CHINESE, id="utf-8 under the label gbk"),
        pytest.param("中文".encode(), "gb2312", "中文", id="utf-8 whose bytes are valid gbk as well"),
        pytest.param("联通".encode("gbk"), "gbk", "联通", id="gbk whose bytes nearly are utf-8"),
        pytest.param(TRADITIONAL.encode("big5"), None, TRADITIONAL, id="big5 without a label"),
        pytest.param(TRADITIONAL.encode("big5"), "Big5", TRADITIONAL, id="big5"),
        pytest.param("café crème".encode("latin-1"), None, "café crème", id="latin-1 without a label"),
        pytest.param("café".encode(), "iso-8859-1", "café", id="utf-8 under the label latin-1"),
        pytest.param("“quoted”".encode("cp1252"), "iso-8859-1", "“quoted”", id="latin-1 means windows-1252"),
        pytest.param("Привет, мир".encode("cp1251"), "windows-1251", "Привет, мир", id="windows-1251"),
        pytest.param("日本語の文字".encode("cp932"), "shift_jis", "日本語の文字", id="shift_jis"),
        pytest.param(b"\xef\xbb\xbf" + CHINESE.encode(), "gbk", CHINESE, id="a byte order mark is believed first"),
        pytest.param(CHINESE.encode("utf-16"), None, CHINESE, id="utf-16 with its mark"),
        pytest.param(b"plain", "utf-16", "plain", id="utf-16 is not believed of one-byte text"),
        pytest.param(b"plain", "unicode_escape", "plain", id="a codec that is no charset"),
        pytest.param(b"", "gbk", "", id="empty"),
        pytest.param((CHINESE * 3).encode()[:-1], None, (CHINESE * 3)[:-1] + "\ufffd", id="utf-8 cut short"),
        pytest.param((CHINESE * 3).encode("gbk")[:-1], "gbk", (CHINESE * 3)[:-1] + "\ufffd", id="gbk cut short"),
    ],
)
@pytest.mark.fault("E1")
def test_text_is_read_in_the_encoding_that_it_is_in(body: bytes, declared: str | None, text: str) -> None:
    assert decode(body, declared) == text


@pytest.mark.parametrize("label", ["gb2312", "GBK", "gb18030", "x-gbk"])
def test_a_label_in_the_document_counts_where_http_says_nothing(label: str) -> None:
    for text in (HEAD.format(label, "镕基"), f'<html><head><meta charset="{label}"></head>镕基</html>'):
        assert decode(text.encode("gb18030")) == text


def test_a_label_in_the_text_of_a_feed_is_not_the_label_of_the_feed() -> None:
    text = f'<rss><description><![CDATA[<meta charset="big5">]]>{CHINESE}</description></rss>'
    assert decode(text.encode("gbk")) == text


def test_the_charset_of_http_goes_before_the_label_in_the_document() -> None:
    text = HEAD.format("big5", "联想")
    reply = Reply(
        "https://a.example/", 200, {"content-type": "text/xml; Charset='gbk'"}, text.encode("gbk"), datetime.now(UTC)
    )
    assert decode_reply(reply) == text


@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=30), st.sampled_from(["gbk", "utf-16", "idna"])))
@settings(max_examples=300)
@pytest.mark.fault("E1")
def test_any_bytes_under_any_label_are_some_text(body: bytes, declared: str | None) -> None:
    decode(body, declared).encode()


@given(st.text(alphabet="的一是了在人有我他这中大来上个国和说们地到时要就出会可也", min_size=8, max_size=80))
@settings(max_examples=100)
@pytest.mark.fault("E1")
def test_chinese_needs_no_label(text: str) -> None:
    body = text.encode("gbk")
    assume(not is_utf8(body))
    assert decode(body) == text
    assert decode(text.encode()) == text


def is_utf8(body: bytes) -> bool:
    try:
        return bool(body.decode())
    except UnicodeDecodeError:
        return False


@pytest.mark.corpus
def test_real_chinese_pages_are_read_the_same_with_their_label_and_without(corpus: Path) -> None:
    checked = 0
    for path in sorted(corpus.glob("feeds/chardet-zh-2006/*/*.*ml")):
        body = path.read_bytes()
        codec = {"GB2312": "gb18030"}.get(path.parent.name, path.parent.name)
        truth = "".join(re.findall(r"[\u4e00-\u9fff]+", body.decode(codec)))
        bare = re.sub(rb'encoding="[^"]*"', b"", body, count=1)
        untrue = "iso-8859-1" if codec == "gb18030" else "utf-8"
        for text in (decode(body), decode(bare), decode(body, untrue)):
            assert "".join(re.findall(r"[\u4e00-\u9fff]+", text)) == truth, path.name
            assert "\ufffd" not in text, path.name
        checked += 1
    assert checked >= 40
