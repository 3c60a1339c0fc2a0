"""本期: words, order, what a second look is worth, and what an export writes."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from desks import Desk

from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.issues import save_issue


@pytest.fixture
def day(desk: Desk) -> str:
    """A draft with 1, 2, 4 in 博文 and 3 in 论文."""
    for story in (1, 2, 4):
        desk.decide(story, "categorise", category="博文")
    issues = {desk.decide(story, "pick").json()["issue"] for story in (1, 2, 4, 3)}
    (one,) = issues
    return str(one)


def stories(told: dict[str, Any]) -> dict[str, list[int]]:
    return {
        section["name"]: [entry["story"] for entry in section["entries"]]
        for section in told["sections"]
        if section["entries"]
    }


def issue(desk: Desk, day: str) -> dict[str, Any]:
    told: dict[str, Any] = desk.get(f"/api/issues/{day}").json()
    return told


def test_without_a_draft_the_page_says_how_to_begin_one(desk: Desk) -> None:
    assert "还没有草稿。" in desk.get("/issue").text


def test_the_page_shows_the_newest_draft(desk: Desk, day: str) -> None:
    page = desk.get("/issue").text
    assert f"<h1>{day}</h1>" in page
    assert page.count('class="entry"') == 4
    assert "一篇关于结构化剪枝的论文" in page


@pytest.mark.parametrize(("part", "name"), [("headline", "要目"), ("guide", "导读"), ("preamble", "开头")])
def test_a_part_is_written_taken_back_and_never_overwritten(
    desk: Desk, day: str, part: str, name: str, open_desk: Callable[..., Desk]
) -> None:
    seen = issue(desk, day)["editions"][part]
    path = f"/api/issues/{day}/parts/{part}"
    told = desk.put(path, {"text": "量化/端侧\r\n", "seen": seen}).json()
    assert told[part] == "量化/端侧"
    assert "量化/端侧" in told["markdown"]
    stale = open_desk("编辑乙").put(path, {"text": "别的", "seen": seen})
    assert stale.status_code == 409
    assert stale.json()[part] == "量化/端侧"
    assert desk.post("/api/undo").json() == {"action": "change", "issue": day, "part": f"{day} 一期的{name}"}
    assert issue(desk, day)[part] is None


def test_an_undo_passes_over_what_another_wrote_since_and_what_is_out(
    desk: Desk, day: str, open_desk: Callable[..., Desk]
) -> None:
    other = open_desk("编辑乙")
    desk.put(f"/api/issues/{day}/parts/headline", {"text": "甲的要目"})
    desk.put(f"/api/issues/{day}/parts/guide", {"text": "甲的导读"})
    other.put(f"/api/issues/{day}/parts/guide", {"text": "乙的导读"})
    assert desk.post("/api/undo").json()["action"] == "change"
    told = issue(desk, day)
    assert (told["headline"], told["guide"]) == (None, "乙的导读")
    other.post(f"/api/issues/{day}/export", {"publish": True})
    assert other.post("/api/undo").json()["action"] == "state"
    assert issue(desk, day)["guide"] == "乙的导读"


def test_an_entry_that_another_edited_meanwhile_is_not_dropped_unseen(
    desk: Desk, day: str, open_desk: Callable[..., Desk]
) -> None:
    seen = re.search(r'data-story="3" data-version="([^"]+)"', desk.get("/issue").text)
    assert seen
    assert seen[1] == desk.card(3)["version"]
    open_desk("编辑乙").put(f"/api/issues/{day}/entries/0", {"text": "[乙写的](https://example.org/3)\n摘要：新的"})
    assert desk.decide(3, "drop", seen=seen[1]).status_code == 409
    assert "乙写的" in issue(desk, day)["markdown"]


@pytest.mark.fault("K4")
def test_two_editors_write_different_parts_at_once(desk: Desk, day: str, open_desk: Callable[..., Desk]) -> None:
    seen = issue(desk, day)["editions"]
    other = open_desk("编辑乙")
    assert desk.put(f"/api/issues/{day}/parts/guide", {"text": "甲", "seen": seen["guide"]}).status_code == 200
    assert other.put(f"/api/issues/{day}/parts/headline", {"text": "乙", "seen": seen["headline"]}).status_code == 200
    told = issue(desk, day)
    assert (told["guide"], told["headline"]) == ("甲", "乙")


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        ((1, 4, 1), {"论文": [3], "博文": [2, 1, 4]}),
        ((1, 4, 2), {"论文": [3], "博文": [2, 4, 1]}),
        ((3, 4, 0), {"论文": [3], "博文": [4, 1, 2]}),
        ((0, 4, 99), {"博文": [1, 2, 4, 3]}),
        ((2, 1, 0), {"业界新闻": [2], "论文": [3], "博文": [1, 4]}),
        ((2, 0, 0), {"简讯": [2], "论文": [3], "博文": [1, 4]}),
    ],
)
def test_an_entry_is_moved_and_put_back(
    desk: Desk, day: str, move: tuple[int, int, int], expected: dict[str, list[int]]
) -> None:
    before = issue(desk, day)
    body = dict(zip(("position", "section", "to"), move, strict=True)) | {"seen": before["order"]}
    assert stories(desk.post(f"/api/issues/{day}/moves", body).json()) == expected
    assert desk.post(f"/api/issues/{day}/moves", body).status_code == 409
    desk.post("/api/undo")
    assert stories(issue(desk, day)) == stories(before)


def test_an_order_is_put_back_around_what_came_since(desk: Desk, day: str, open_desk: Callable[..., Desk]) -> None:
    desk.post(f"/api/issues/{day}/moves", {"position": 1, "section": 4, "to": 2})
    other = open_desk("编辑乙")
    other.decide(5, "categorise", category="博文")
    other.decide(5, "pick")
    desk.post("/api/undo")
    assert stories(issue(desk, day))["博文"] == [1, 2, 4, 5]


def test_an_entry_is_written_in_markdown_and_taken_back(desk: Desk, day: str) -> None:
    (entry,) = (one for one in issue(desk, day)["sections"] if one["name"] == "论文")
    before = entry["entries"][0]["markdown"]
    text = f"{before}\n代码：https://github.com/a/b"
    told = desk.put(f"/api/issues/{day}/entries/0", {"text": text}).json()
    assert "代码：https://github.com/a/b" in told["markdown"]
    desk.decide(3, "drop")
    desk.post("/api/undo")
    assert "https://github.com/a/b" in issue(desk, day)["markdown"]
    desk.post("/api/undo")
    assert "https://github.com/a/b" not in issue(desk, day)["markdown"]
    assert desk.put(f"/api/issues/{day}/entries/0", {"text": " \n"}).status_code == 422
    assert desk.put(f"/api/issues/{day}/entries/99", {"text": "x"}).status_code == 404


def test_what_is_looked_at_before_it_is_written_is_not_written(desk: Desk, day: str) -> None:
    before = issue(desk, day)
    looked = desk.post(f"/api/issues/{day}/preview", {"position": 0, "text": "**只是看看**"}).json()
    assert "<strong>只是看看</strong>" in looked["html"]
    (found,) = [one for one in looked["lint"] if one["kind"] == "no-link"]
    assert {name: found[name] for name in ("part", "position", "line", "text", "advice")} == {
        "part": "entry",
        "position": 0,
        "line": 0,
        "text": "没有链接",
        "advice": "补上原文的网址",
    }
    assert issue(desk, day) == before


def test_the_exported_file_is_what_the_preview_shows(desk: Desk, day: str, newsroom: Newsroom) -> None:
    desk.put(f"/api/issues/{day}/parts/guide", {"text": "两句 *话*"})
    page = desk.get("/issue").text
    shown = re.search(r'<pre id="markdown"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert shown
    told = desk.post(f"/api/issues/{day}/export", {}).json()
    written = (newsroom.home.path / "issues" / f"{day}.md").read_text(encoding="utf-8")
    assert html.unescape(shown[1]) == written == told["markdown"]
    assert told["changed"]
    assert not desk.post(f"/api/issues/{day}/export", {}).json()["changed"]


def test_a_published_issue_is_closed_and_remembered(desk: Desk, day: str, newsroom: Newsroom) -> None:
    assert desk.post(f"/api/issues/{day}/export", {"publish": True}).json()["state"] == "published"
    assert desk.card(3)["published_in"] == day
    for refused in (
        desk.put(f"/api/issues/{day}/parts/guide", {"text": "x"}),
        desk.put(f"/api/issues/{day}/entries/0", {"text": "x"}),
        desk.post(f"/api/issues/{day}/moves", {"position": 0, "section": 0, "to": 0}),
        desk.post(f"/api/issues/{day}/date", {"date": "2030-01-01"}),
    ):
        assert refused.status_code == 422
    assert "已在" in desk.get("/candidates?state=published&category=").text
    assert day in desk.get("/archive").text
    assert "一篇关于结构化剪枝的论文" in desk.get(f"/archive/{day}").text
    assert "一篇关于结构化剪枝的论文" in desk.get("/archive", params={"q": "结构化 论文"}).text
    assert "没有刊过。" in desk.get("/archive", params={"q": "没有这个词"}).text
    with newsroom.store.reading() as tx:
        assert tx.issues.list_dates("draft") == []


def test_a_draft_comes_out_on_another_day_and_back(desk: Desk, day: str) -> None:
    assert desk.post(f"/api/issues/{day}/date", {"date": "2030-01-01"}).json()["date"] == "2030-01-01"
    assert desk.get(f"/api/issues/{day}").status_code == 404
    assert stories(issue(desk, "2030-01-01")) == {"论文": [3], "博文": [1, 2, 4]}
    desk.post("/api/undo")
    assert stories(issue(desk, day)) == {"论文": [3], "博文": [1, 2, 4]}


def test_an_archived_item_says_where_else_it_appeared(desk: Desk, day: str, newsroom: Newsroom) -> None:
    desk.post(f"/api/issues/{day}/export", {"publish": True})
    with newsroom.store.transaction() as tx:
        printed = tx.issues.get(date.fromisoformat(day))
        assert printed is not None
        save_issue(tx, replace(printed, date=date(2020, 1, 27)), newsroom.newsletter, newsroom.rules)
    assert desk.get(f"/archive/{day}").text.count("又见 2020-01-27") == 4
    assert f"又见 {day}" in desk.get("/archive/2020-01-27").text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("没有链接的一行\n摘要：有", "没有链接"),
        ("[题](https://e.org/1)\n摘要：", "摘要是空的"),
        ("[题](https://e.org/1)\n摘要：" + "长" * 301, "摘要有 301 个字，偏长"),
        ("[题](https://e.org/1)\n摘要：没有写完…", "摘要像是没有写完"),
        ("[题](javascript:alert)\n摘要：有", "这个链接不能用"),
        ("[题](https://example.org/1)\n摘要：有", "的链接相同"),
        ("[题](https://mp.weixin.qq.com/s?src=11&timestamp=1&signature=abc)\n摘要：有", "临时链接"),
    ],
)
def test_lint_says_what_is_the_matter_beside_the_line(desk: Desk, day: str, text: str, found: str) -> None:
    told = desk.put(f"/api/issues/{day}/entries/0?card=1", {"text": text}).json()
    said = [one["text"] for one in told["lint"] if one["part"] == "entry"]
    assert any(found in one for one in said), said
    assert found in html.unescape(told["html"])


def test_lint_counts_what_each_section_has_and_knows_what_was_printed(desk: Desk, day: str, newsroom: Newsroom) -> None:
    texts = [one["text"] for one in issue(desk, day)["lint"]]
    assert "还没有要目" in texts
    assert any(re.fullmatch(r"目标 \d+ 条，现有 3 条", one) for one in texts)
    with newsroom.store.transaction() as tx:
        draft = tx.issues.get(date.fromisoformat(day))
        assert draft is not None
        past = replace(draft, date=date(2020, 1, 27), state="published")
        save_issue(tx, past, newsroom.newsletter, newsroom.rules)
    assert "链接已在 2020-01-27 收录" in [one["text"] for one in issue(desk, day)["lint"]]


def test_headline_and_guide_are_proposed_while_they_are_blank(desk: Desk, day: str) -> None:
    told = issue(desk, day)
    assert told["proposals"]["guide"].startswith("本次4条。")
    assert len(told["proposals"]["headline"].split("/")) == 4
    assert told["guide"] is None
    assert desk.get("/issue").text.count("data-propose=") == 2
    desk.put(f"/api/issues/{day}/parts/guide", {"text": "自己写的"})
    assert desk.get("/issue").text.count("data-propose=") == 1


@pytest.mark.parametrize("never", ["2026-13-01", "x", "20260101", "2026-1-1", "9999-12-31"])
def test_a_day_without_an_issue_is_nowhere(desk: Desk, never: str) -> None:
    assert desk.get(f"/api/issues/{never}").status_code == 404
    assert desk.get(f"/issue?date={never}").status_code == 404


def test_lint_speaks_english_on_the_english_desk(desk: Desk, day: str) -> None:
    desk.client.cookies.set("lang", "en")
    findings = [finding for finding in issue(desk, day)["lint"] if finding["kind"] in {"no-headline", "filling"}]
    assert {finding["code"] for finding in findings} >= {"no-headline", "filling/too-few"}
    for finding in findings:
        assert not re.search(r"[\u3000-\u303f\u4e00-\u9fff\uff01-\uff1f]", finding["text"] + finding["advice"])
    assert "There is no headline yet" in desk.get("/issue").text
    assert "还没有要目" not in desk.get("/issue").text
