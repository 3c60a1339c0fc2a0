"""Saved pages and lists of items in place of replies."""

from __future__ import annotations

import json
import os
from base64 import encodebytes
from datetime import UTC, datetime
from pathlib import Path

import pytest
from places import RECORDINGS

from crawler.errors import CrawlError, Detail, Gone, SourceMisconfigured
from crawler.saved import read_saved

ARTICLE = (RECORDINGS / "wechat" / "article" / "response.body").read_bytes()
ADDRESS = "https://mp.weixin.qq.com/s/Tile-0001_abcdefghij22"


def saved(folder: Path, name: str, body: bytes) -> Path:
    path = folder / name
    path.write_bytes(body)
    moment = datetime(2026, 11, 2, 8, 0, tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment))
    return path


def test_a_saved_wechat_page_is_read_as_one_and_dated_by_its_file(tmp_path: Path) -> None:
    batch = read_saved(saved(tmp_path, "page.html", ARTICLE), ADDRESS)
    (item,) = batch.items
    assert (item.kind, item.url) == ("wechat", ADDRESS)
    assert item.fetched_at == datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
    assert batch.finished
    assert batch.state is None


@pytest.mark.parametrize(
    "head",
    [
        b"<!-- saved from url=(0052)%s -->\n",
        b"<!--\n Page saved with SingleFile \n url: %s \n saved date: Mon Nov 02 2026\n-->",
        b'<link href="%s" rel="canonical">',
        b'<meta property="og:url" content="%s"/>',
    ],
)
def test_a_page_that_says_where_it_came_from_need_not_be_told(tmp_path: Path, head: bytes) -> None:
    body = (
        b"<!DOCTYPE html>" + head % b"https://blog.example/post?a=1&amp;b=2" + b"<title>T</title><p>" + b"words " * 200
    )
    (item,) = read_saved(saved(tmp_path, "page.htm", body)).items
    assert item.url == "https://blog.example/post?a=1&b=2"


def test_a_page_without_an_address_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(SourceMisconfigured, match="say-url"):
        read_saved(saved(tmp_path, "page.html", b"<title>T</title><p>words"))


def test_a_web_archive_is_unpacked(tmp_path: Path) -> None:
    archive = (
        b"From: <Saved by a browser>\r\nSnapshot-Content-Location: " + ADDRESS.encode() + b"\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; type="text/html"; boundary="----B"\r\n\r\n'
        b"------B\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + encodebytes(ARTICLE)
        + b"\r\n------B\r\nContent-Type: image/png\r\n\r\nxx\r\n------B--\r\n"
    )
    (item,) = read_saved(saved(tmp_path, "page.mhtml", archive)).items
    assert item.kind == "wechat"
    assert "wechat:Tile-0001_abcdefghij22" in item.ids


@pytest.mark.parametrize("body", [b"", b"no archive at all", b"Content-Type: image/png\r\n\r\nxx"])
def test_an_archive_without_a_page_is_an_error(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(CrawlError):
        read_saved(saved(tmp_path, "page.mht", body), ADDRESS)


def test_a_saved_notice_is_the_error_that_it_says(tmp_path: Path) -> None:
    body = (RECORDINGS / "wechat" / "deleted" / "response.body").read_bytes()
    with pytest.raises(Gone):
        read_saved(saved(tmp_path, "page.html", body), ADDRESS)


def test_each_line_of_a_list_is_an_item_of_the_kind_of_its_address(tmp_path: Path) -> None:
    rows = [
        {
            "url": "https://mp.weixin.qq.com/s/abc",
            "title": " 一 \n 篇 ",
            "source": "某号",
            "published_at": "2026-11-01",
        },
        {"url": "https://github.com/a/b", "title": "a/b", "text": "words", "summary": None},
        {"url": "https://arxiv.org/abs/2101.00001", "title": "P", "author": "A", "published_at": 1793579100},
    ]
    body = "\n".join(json.dumps(row) for row in rows).encode()
    batch = read_saved(saved(tmp_path, "list.jsonl", b"\xef\xbb\xbf" + body.replace(b"\n", b"\r\n\r\n")))
    assert [item.kind for item in batch.items] == ["wechat", "github", "arxiv"]
    assert (batch.items[0].title, batch.items[0].publisher) == ("一 篇", "某号")
    assert batch.items[2].published == "1793579100"
    assert batch.problems == ()


def test_each_bad_line_is_named_by_its_number_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = [
        b'{"url": "https://a.example/1", "title": "good"}',
        b"{broken",
        b'["https://a.example/2"]',
        b'{"url": "javascript:alert(1)", "title": "t"}',
        b'{"url": "https://a.example/3"}',
        b'{"url": "https://a.example/3", "title": 7}',
        b'{"url": "https://a.example/3", "title": "' + b"\xff" + b'"}',
        b"[" * 100_000,
        b'{"url": "https://a.example/4", "title": "good", "colour": "red"}',
    ]
    batch = read_saved(saved(tmp_path, "list.jsonl", b"\n".join(lines)))
    assert [item.url for item in batch.items] == ["https://a.example/1", "https://a.example/4"]
    numbers = [problem.url.rpartition(":")[2] for problem in batch.problems if problem.error == "BadLine"]
    assert numbers == ["2", "3", "4", "5", "6", "7", "8"]
    assert batch.problems[-1].detail == Detail.of("unknown-fields", names=("colour",))
    assert not any(problem.fails_source for problem in batch.problems)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_list_is_read_in_each_encoding_of_json(tmp_path: Path, encoding: str) -> None:
    rows = "".join(
        json.dumps({"url": f"https://a.example/{title}", "title": title}, ensure_ascii=False) + "\n" for title in "甲乙"
    )
    batch = read_saved(saved(tmp_path, "list.jsonl", rows.encode(encoding)))
    assert ([item.title for item in batch.items], batch.problems) == (["甲", "乙"], ())


def test_a_saved_wechat_page_knows_its_own_address(tmp_path: Path) -> None:
    body = (RECORDINGS / "wechat/article-2020/response.body").read_bytes()
    (item,) = read_saved(saved(tmp_path, "page.html", body)).items
    assert item.url.startswith("https://mp.weixin.qq.com/s")


def test_a_saved_notice_is_named_for_what_it_is_without_an_address(tmp_path: Path) -> None:
    body = (RECORDINGS / "wechat/deleted/response.body").read_bytes()
    sign = b'<script src="//res.wx.qq.com/mmbizappmsg/notice.js"></script>'
    with pytest.raises(Gone):
        read_saved(saved(tmp_path, "page.html", body + sign))
