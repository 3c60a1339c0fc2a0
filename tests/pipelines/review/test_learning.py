"""Publishing at the desk: it answers at once, and the newsroom learns in a process of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desks import Desk, wait_for_learning

from pipelines.newsroom import Newsroom

BROKEN = "title = [\n"


@pytest.fixture
def day(desk: Desk) -> str:
    """A draft of two stories."""
    days = {desk.decide(story, "pick").json()["issue"] for story in (1, 2)}
    (day,) = days
    return str(day)


def publish(desk: Desk, day: str) -> str:
    state: str = desk.post(f"/api/issues/{day}/export", {"publish": True}).json()["state"]
    return state


def count_fresh(newsroom: Newsroom) -> int:
    with newsroom.store.reading() as tx:
        return len(tx.articles.list_fresh())


@pytest.mark.slow
def test_the_answer_does_not_wait_for_the_learning_and_the_foot_of_the_page_tells_it(
    desk: Desk, day: str, newsroom: Newsroom
) -> None:
    assert 'data-state="idle"' in desk.get("/issue").text
    assert publish(desk, day) == "published"
    assert count_fresh(newsroom) > 0
    assert "编辑部正在学习这一期" in desk.get("/candidates").text
    assert wait_for_learning(desk)["state"] == "done"
    assert count_fresh(newsroom) == 0
    assert "编辑部学完了" in desk.get("/candidates").text


@pytest.mark.slow
def test_a_learning_that_fails_says_why_and_the_issue_stays_published(desk: Desk, day: str, newsroom: Newsroom) -> None:
    newsletter = newsroom.home.newsletter.read_text(encoding="utf-8")
    newsroom.home.newsletter.write_text(BROKEN, encoding="utf-8")
    assert publish(desk, day) == "published"
    told = wait_for_learning(desk)
    assert told["state"] == "failed"
    assert "newsletter.toml" in told["text"]
    assert told["text"] in desk.get("/issue").text.replace("&#39;", "'")
    assert desk.get(f"/api/issues/{day}").json()["state"] == "published"
    newsroom.home.newsletter.write_text(newsletter, encoding="utf-8")
    desk.post("/api/undo")
    assert wait_for_learning(desk)["state"] == "done"
    assert count_fresh(newsroom) == 0


@pytest.mark.slow
def test_what_is_published_while_the_newsroom_learns_is_learned_too(desk: Desk, day: str, newsroom: Newsroom) -> None:
    publish(desk, day)
    desk.post(f"/api/issues/{day}/unpublishing")
    publish(desk, day)
    assert wait_for_learning(desk)["state"] == "done"
    assert count_fresh(newsroom) == 0


def test_after_publishing_a_pick_begins_the_next_issue(desk: Desk, day: str) -> None:
    publish(desk, day)
    assert desk.decide(3, "pick").json()["issue"] > day


def test_a_published_issue_is_corrected_at_the_desk_and_the_page_says_by_whom(
    desk: Desk, day: str, open_desk: Callable[..., Desk]
) -> None:
    publish(desk, day)
    assert "readonly" in desk.get(f"/issue?date={day}").text
    assert "readonly" not in desk.get(f"/issue?date={day}&correcting=1").text
    other = open_desk("编辑乙")
    assert other.put(f"/api/issues/{day}/parts/guide", {"text": "更正过"}).status_code == 422
    told = other.put(f"/api/issues/{day}/parts/guide", {"text": "更正过", "correcting": True}).json()
    assert (told["guide"], told["state"]) == ("更正过", "published")
    page = desk.get(f"/issue?date={day}").text
    assert "更正：导读 · 编辑乙" in page
    assert "定稿 · 编辑甲" in page


def test_a_published_issue_becomes_a_draft_and_a_draft_is_deleted_at_the_desk(desk: Desk, day: str) -> None:
    publish(desk, day)
    assert desk.post(f"/api/issues/{day}/deletion").status_code == 422
    assert desk.post(f"/api/issues/{day}/unpublishing").json()["state"] == "draft"
    assert desk.post(f"/api/issues/{day}/deletion").json() == {"date": day, "items": 2}
    assert desk.get(f"/api/issues/{day}").status_code == 404
    assert desk.card(1)["state"] == "new"
    assert desk.post("/api/undo").json() == {"action": "issue", "issue": day, "part": f"删掉的 {day} 一期草稿"}
    assert desk.card(1)["state"] == "picked"


def test_the_page_lists_every_finding_for_the_question_before_publishing(desk: Desk, day: str) -> None:
    desk.put(f"/api/issues/{day}/entries/0", {"text": "[甲 | 源](javascript:x)\n摘要：说了。"})
    document = desk.get(f"/api/issues/{day}?card=1").json()
    assert 'data-errors="1"' in document["html"]
    assert document["html"].count("<li") == len(document["lint"])
    assert [finding["code"] for finding in document["lint"] if finding["error"]] == ["bad-link"]
