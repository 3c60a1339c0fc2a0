"""Lists without a feed: tried, crawled, and named when their page has another shape."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import start, start_crawl
from places import RECORDINGS
from servers import crawl, http, newsroom, serving, source


def recorded(case: str) -> str:
    return (RECORDINGS / "web" / case / "response.body").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_list_is_shown_before_its_row_is_saved(tmp_path: Path) -> None:
    page, feed = http(200, recorded("list-chinese-lab")), http(200, recorded("list-feed-at-the-address"))
    with serving({"/news": page, "/feed": feed}, "127.0.11.1") as site:
        home = newsroom(tmp_path, "", site.place)
        answer, log, code = start(home, "sources", "try", f"{site.base}/news", "--json")
        assert code == 0, log
        shown, _, _ = start(home, "sources", "try", f"{site.base}/feed")
    trial = json.loads(answer)
    assert trial["row"] == {"kind": "web", "url": f"{site.base}/news", "list": True}
    assert [entry["url"].rpartition("/")[2] for entry in trial["entries"]] == ["4", "3", "2", "1"]
    assert all(entry["published_at"] for entry in trial["entries"])
    assert "Kettle" in shown
    assert 'kind = "feed"' in shown


@pytest.mark.slow
def test_a_list_is_crawled_and_a_page_that_lost_its_shape_fails_instead_of_giving_nothing(tmp_path: Path) -> None:
    untitled = recorded("list-sitemap").replace("https://lab.example", "{base}")
    article = recorded("opengraph")
    with serving({"/news": http(200, recorded("list-chinese-lab"))}, "127.0.11.2") as site:
        site.answers |= {
            "/map.xml": http(200, untitled.replace("{base}", site.base)),
            "/a": http(200, article, content_type="text/html; charset=utf-8"),
            "/b": http(200, article, content_type="text/html; charset=utf-8"),
        }
        rows = source("lab", "web", url=f"{site.base}/news", list=True)
        rows += source("map", "web", url=f"{site.base}/map.xml", list=True)
        home = newsroom(tmp_path, rows, site.place)
        first = crawl(home)
        assert len(first.items("lab")) == 4
        assert len(first.items("map")) == 2, "the pages of a sitemap without titles are read"
        site.seen.clear()
        states = {name: first.state(name) for name in ("lab", "map")}
        undated = "".join(f'<p><a href="/{number}">第{number}条没有日期的推荐阅读</a></p>' for number in range(9))
        site.answers["/news"] = http(200, f"<html><body>{undated}</body></html>")
        second = crawl(home, states)
        assert second.errors("lab") == ["PageChanged"]
        assert not {"/a", "/b"} & set(site.paths()), "pages are asked for once"
        site.answers["/news"] = http(200, recorded("list-without-repetition"))
        table, _, code = start_crawl(home, "lab", "--no-group")
    assert code == 1
    assert "不是列表" in table
