"""候选: what an editor sees, and what becomes of what they do."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from builders import about, all_decisions, article, stored
from desks import Desk, add_articles
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from possible_events import LAUNCH, OUTLOOK, add_possible_pair, make_launch
from sqlalchemy import Engine, event

from pipelines.deduplicate.event_model import EventModel
from pipelines.model import Candidate, Entry, Issue, Reference, Section, Story
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.issues import save_issue
from pipelines.newsroom.stages.nudges import read_nudges
from pipelines.newsroom.stages.run import group
from pipelines.review.pages.cards import find_rival
from pipelines.store import Store, Transaction


def issue_of(newsroom: Newsroom) -> list[tuple[str, list[int | None]]]:
    with newsroom.store.reading() as tx:
        return [
            (section.name, [entry.story for entry in section.entries])
            for draft in tx.issues.list_drafts()
            for section in draft.sections
            if section.entries
        ]


def test_a_page_shows_one_category_with_the_counts_of_all(desk: Desk) -> None:
    page = desk.get("/candidates?category=论文").text
    assert "一篇关于结构化剪枝的论文" in page
    assert page.count('class="card"') == 1
    assert page.count("data-tab=") == 4
    assert "目标 5 · 已选 0" in page


def test_a_card_says_why_it_is_there(desk: Desk) -> None:
    card = desk.card(1)
    assert card["reasons"]
    assert round(sum(reason["weight"] for reason in card["reasons"]), 2) == card["score"]
    page = desk.get("/candidates?state=all&category=").text
    for words in ("理由", "watch", "高通骁龙芯片的低比特量化，说得明白。"):
        assert words in page


def test_a_filter_of_the_search_box_that_means_nothing_is_named(desk: Desk) -> None:
    assert "没看懂 since:昨天" in desk.get("/candidates?q=部署 since:昨天").text
    assert "没看懂" not in desk.get("/candidates?q=部署 since:30d").text


def test_an_empty_list_says_so(desk: Desk) -> None:
    assert "没有候选。" in desk.get("/candidates?q=没有这个词").text


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("promotion=only", {5}),
        ("promotion=no", {1, 2, 3, 4}),
        ("kind=arxiv", set()),
        ("kind=wechat&source=watch", {1, 2, 3, 4, 5}),
        ("source=nobody", set()),
        ("q=部署 移动", {4}),
        ("q=来源:watch 部署", {4}),
        ("q=来源:nobody", set()),
        ("q=类型:arxiv", set()),
        ("q=状态:不用", set()),
        ("q=until:2000-01-01", set()),
        ("state=dropped", set()),
        ("category=论文", {3}),
        ("after=3", {4, 5}),
        ("upto=3&first=1&limit=1", None),
    ],
)
def test_filters_leave_what_was_asked_for(desk: Desk, query: str, numbers: set[int] | None) -> None:
    told = desk.get(f"/api/candidates?{query}").json()
    found = [one["id"] for one in told["candidates"]]
    if numbers is None:
        assert (len(found), told["total"]) == (1, 3)
    else:
        assert set(found) == numbers


@pytest.mark.parametrize(
    "query", ["since=yesterday", "state=gone", "limit=0", "first=-1", "kind=x", "after=99999999999"]
)
def test_a_filter_that_means_nothing_is_refused(desk: Desk, query: str) -> None:
    assert desk.get(f"/api/candidates?{query}").status_code == 400
    assert desk.get(f"/candidates?{query}").status_code == 400


def test_a_pick_goes_into_the_draft_and_an_undo_takes_it_out(desk: Desk, newsroom: Newsroom) -> None:
    assert desk.decide(3, "pick").json()["candidate"]["state"] == "picked"
    assert issue_of(newsroom) == [("论文", [3])]
    assert desk.post("/api/undo").json()["candidate"]["state"] == "new"
    assert issue_of(newsroom) == []


def test_a_category_is_corrected_and_the_correction_outlives_a_regrouping(desk: Desk, newsroom: Newsroom) -> None:
    assert desk.decide(3, "categorise", category="博文").json()["candidate"]["category"] == "博文"
    add_articles(newsroom, {3: "一篇关于结构化剪枝的论文（更正）"})
    assert desk.card(3)["category"] == "博文"
    desk.decide(3, "pick")
    assert issue_of(newsroom) == [("博文", [3])]
    desk.decide(3, "categorise", category="开源项目")
    assert issue_of(newsroom) == [("开源项目", [3])]
    desk.post("/api/undo")
    assert issue_of(newsroom) == [("博文", [3])]
    desk.post("/api/undo")
    assert desk.post("/api/undo").json()["candidate"]["category"] == "论文"
    assert desk.post("/api/undo").status_code == 422


def test_an_unknown_category_is_refused(desk: Desk) -> None:
    refused = desk.decide(3, "categorise", category="体育")
    assert refused.status_code == 422
    assert "可用的有" in refused.json()["error"]


def test_a_dropped_entry_comes_back_where_it_stood_and_as_it_was_written(desk: Desk, newsroom: Newsroom) -> None:
    for story in (1, 2, 4):
        desk.decide(story, "categorise", category="博文")
        desk.decide(story, "pick")
    assert desk.put("/api/candidates/2/entry", {"title": "新题目", "summary": "一句。\n两句。"}).status_code == 200
    desk.decide(2, "drop")
    assert issue_of(newsroom) == [("博文", [1, 4])]
    desk.post("/api/undo")
    assert issue_of(newsroom) == [("博文", [1, 2, 4])]
    with newsroom.store.reading() as tx:
        (draft,) = tx.issues.list_drafts()
    markdown = next(entry.markdown for section in draft.sections for entry in section.entries if entry.story == 2)
    assert markdown == "[新题目 | watch](https://example.org/2)\n摘要：一句。\n两句。" or "新题目" in markdown
    assert "两句。" in markdown


def test_an_edit_before_the_pick_is_what_is_picked(desk: Desk, newsroom: Newsroom) -> None:
    desk.put("/api/candidates/1/entry", {"title": "改过的 [题目]", "summary": "改过的摘要"})
    assert issue_of(newsroom) == []
    desk.decide(1, "pick")
    with newsroom.store.reading() as tx:
        (draft,) = tx.issues.list_drafts()
        edits = [one for one in all_decisions(tx) if one.action == "edit"]
    text = next(entry.markdown for section in draft.sections for entry in section.entries)
    assert r"改过的 \[题目\]" in text
    assert "摘要：改过的摘要" in text
    assert edits[0].who == "编辑甲"
    assert "改过的摘要" not in edits[0].shown["before"]
    assert "改过的摘要" in edits[0].shown["after"]


def test_decisions_are_rows_that_say_who_when_and_from_what(desk: Desk, newsroom: Newsroom) -> None:
    desk.decide(1, "later")
    desk.decide(1, "pick")
    desk.decide(1, "undo")
    with newsroom.store.reading() as tx:
        rows = all_decisions(tx)
    assert [(row.action, row.who, row.shown["state"]) for row in rows] == [
        ("later", "编辑甲", "new"),
        ("pick", "编辑甲", "later"),
        ("undo", "编辑甲", "picked"),
    ]


@pytest.mark.fault("K4")
def test_what_somebody_else_decided_meanwhile_is_shown_and_not_overwritten(
    desk: Desk, open_desk: Callable[..., Desk]
) -> None:
    other = open_desk("编辑乙")
    seen = desk.card(1)["version"]
    assert other.decide(1, "drop", seen=seen).status_code == 200
    refused = desk.post("/api/candidates/1/decisions?card=1", {"action": "pick", "seen": seen})
    assert refused.status_code == 409
    told = refused.json()
    assert told["candidate"]["state"] == "dropped"
    assert 'data-state="dropped"' in told["html"]
    words = {"title": "我写的", "summary": "别丢了", "seen": seen}
    assert desk.put("/api/candidates/1/entry", words).status_code == 409
    assert desk.decide(1, "pick", seen=told["candidate"]["version"]).status_code == 200


def test_nobody_undoes_what_another_did(desk: Desk, open_desk: Callable[..., Desk]) -> None:
    other = open_desk("编辑乙")
    desk.decide(1, "pick")
    other.decide(2, "drop")
    assert other.post("/api/undo").json()["candidate"]["id"] == 2
    assert other.post("/api/undo").status_code == 422
    other.decide(1, "drop")
    assert desk.post("/api/undo").status_code == 409
    assert desk.card(1)["state"] == "dropped"


def test_what_another_overtook_is_told_and_then_passed_over(desk: Desk, open_desk: Callable[..., Desk]) -> None:
    desk.decide(2, "later")
    desk.decide(1, "pick")
    open_desk("编辑乙").decide(1, "drop")
    told = desk.post("/api/undo")
    assert told.status_code == 409
    assert "撤更早的" in told.json()["error"]
    passed = {"passed": [told.json()["passed"]]}
    assert desk.post("/api/undo", passed).json()["candidate"]["id"] == 2
    assert desk.post("/api/undo", passed).status_code == 422
    assert (desk.card(1)["state"], desk.card(2)["state"]) == ("dropped", "new")


def test_a_crawl_during_review_is_announced_and_changes_no_card(desk: Desk, newsroom: Newsroom) -> None:
    told = desk.get("/api/candidates?category=论文").json()
    seen = desk.card(3)["version"]
    assert desk.get(f"/api/candidates/news?category=论文&after={told['mark']}").json() == {"count": 0}
    add_articles(newsroom, {6: "另一篇论文", 7: "又一篇论文"})
    assert desk.get(f"/api/candidates/news?category=论文&after={told['mark']}").json() == {"count": 2}
    assert desk.decide(3, "pick", seen=seen).status_code == 200
    rest = desk.get(f"/candidates/more?category=论文&upto={told['mark']}")
    assert 'class="card"' not in rest.text
    fresh = desk.get(f"/candidates/more?category=论文&after={told['mark']}")
    assert fresh.text.count('class="card"') == 2


def test_a_story_that_gains_a_report_during_review_can_still_be_decided(desk: Desk, newsroom: Newsroom) -> None:
    seen = desk.card(3)["version"]
    add_articles(newsroom, {6: "一篇关于结构化剪枝的论文"}, publisher="另一家")
    assert len(desk.card(3)["articles"]) == 2
    assert desk.decide(3, "pick", seen=seen).status_code == 200


def test_an_article_edited_after_review_says_so_and_keeps_its_decision(desk: Desk, newsroom: Newsroom) -> None:
    desk.decide(3, "later")
    add_articles(newsroom, {3: "一篇关于结构化剪枝的论文（更正）"})
    page = desk.get("/candidates?state=later&category=论文").text
    assert "文章改过 1 次" in page
    shown = desk.get("/articles/3/changes")
    assert "<del>一篇关于结构化剪枝的论文</del>" in shown.text
    assert "<ins>一篇关于结构化剪枝的论文（更正）</ins>" in shown.text
    assert "; sandbox" in shown.headers["content-security-policy"]


def test_stories_are_merged_split_and_taken_back(desk: Desk, newsroom: Newsroom) -> None:
    seen = desk.card(2)["version"]
    told = desk.post("/api/candidates/2/merges?card=1", {"others": [4], "seen": seen}).json()
    assert [one["id"] for one in told["candidate"]["articles"]] == [2, 4]
    assert "手工合并" in told["html"]
    assert desk.post("/api/candidates/2/merges", {"others": [1], "seen": seen}).status_code == 409
    split = desk.post("/api/candidates/2/splits?card=1", {"leaving": [4]}).json()
    assert [one["candidate"]["id"] for one in split["others"]] == [4]
    assert 'id="s4"' in split["others"][0]["html"]
    assert len(desk.card(2)["articles"]) == 1
    assert desk.post("/api/undo").json()["action"] == "split"
    assert len(desk.card(4)["articles"]) == 2
    assert desk.post("/api/undo").json()["action"] == "merge"
    assert len(desk.card(4)["articles"]) == 1
    assert desk.post("/api/candidates/2/splits", {}).status_code == 422
    assert desk.post("/api/candidates/2/merges", {"others": [999]}).status_code == 404
    with newsroom.store.reading() as tx:
        assert {one.who for one in all_decisions(tx)} == {"编辑甲"}


ACTIONS = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from(["pick", "drop", "later", "categorise", "edit"])), max_size=8
)


@pytest.mark.slow
@given(ACTIONS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undoing_everything_leaves_everything_as_it_was(
    desk: Desk, newsroom: Newsroom, actions: list[tuple[int, str]]
) -> None:
    before = standing(newsroom.store)
    trail = [before]
    for number, (story, action) in enumerate(actions):
        if action == "edit":
            done = desk.put(f"/api/candidates/{story}/entry", {"title": f"第{number}稿", "summary": ""})
        else:
            more = {"category": "博文"} if action == "categorise" else {}
            done = desk.decide(story, action, **more)
        assert done.status_code == 200
        trail.append(standing(newsroom.store))
    for expected in reversed(trail[:-1]):
        assert desk.post("/api/undo").status_code == 200
        assert standing(newsroom.store) == expected
    assert desk.post("/api/undo").status_code == 422


def standing(store: Store) -> object:
    """States, categories and drafts, without the empty draft that a first pick leaves behind."""
    with store.reading() as tx:
        stories = {found.story.id: (found.state, found.category) for found in tx.stories.get(range(1, 6))}
        drafts = [section for draft in tx.issues.list_drafts() for section in draft.sections if section.entries]
    return stories, drafts


def test_the_changes_of_an_article_that_never_changed_are_an_empty_page(desk: Desk) -> None:
    assert desk.get("/articles/1/changes").status_code == 200


# ---- what may be the same event


@pytest.fixture
def possible(desk: Desk, newsroom: Newsroom) -> tuple[int, int]:
    """The ids of two stories that may report one event."""
    add_possible_pair(newsroom, 21, 22)
    listed = desk.get("/api/candidates?q=云雀").json()["candidates"]
    ids = {candidate["title"]: candidate["id"] for candidate in listed}
    return ids[LAUNCH], ids[OUTLOOK]


def test_every_answer_about_one_story_names_what_may_be_the_same_event(desk: Desk, possible: tuple[int, int]) -> None:
    launch, outlook = possible
    listed = desk.get("/api/candidates?q=值不值得").json()["candidates"][0]
    for told in (listed, desk.card(outlook), desk.decide(outlook, "later").json()["candidate"]):
        (offered,) = told["suggested"]
        assert (offered["id"], offered["title"], offered["source"], offered["state"]) == (launch, LAUNCH, "甲", "new")
        assert 0 < offered["probability"] < 1
        assert "云雀半导体" in offered["evidence"][0]["detail"]


def test_a_card_names_account_time_and_evidence_of_what_may_be_the_same_event(
    desk: Desk, possible: tuple[int, int]
) -> None:
    page = desk.get("/candidates?category=&q=值不值得").text
    offered = page.partition('class="offered"')[2].partition("</section>")[0]
    for words in ("可能是同一件事", LAUNCH, "甲", "12-01 20:00", "云雀半导体", f'data-offered="{possible[0]}"'):
        assert words in offered
    assert "可能同题 1" in page
    assert desk.get("/candidates?category=&q=部署").text.count('class="offered"') == 0


def test_a_no_is_answered_with_both_stories_and_taken_back_like_any_decision(
    desk: Desk, possible: tuple[int, int]
) -> None:
    launch, outlook = possible
    told = desk.post(f"/api/candidates/{launch}/refusals", {"others": [outlook]}).json()
    assert told["candidate"]["suggested"] == []
    assert [(other["candidate"]["id"], other["candidate"]["suggested"]) for other in told["others"]] == [(outlook, [])]
    assert desk.post("/api/undo").json()["action"] == "split"
    assert desk.card(launch)["suggested"][0]["id"] == outlook


def test_a_no_about_a_story_that_changed_meanwhile_writes_nothing(desk: Desk, possible: tuple[int, int]) -> None:
    launch, outlook = possible
    seen = desk.card(launch)["version"]
    desk.decide(launch, "later")
    refused = desk.post(f"/api/candidates/{launch}/refusals", {"others": [outlook], "seen": seen})
    assert refused.status_code == 409
    assert desk.card(launch)["suggested"][0]["id"] == outlook


def count_statements(ask: Callable[[], object]) -> int:
    """Count what the store is asked meanwhile."""
    statements: list[str] = []

    def note(*values: object) -> None:
        statements.append(str(values[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(statements)


def test_a_list_asks_the_store_as_often_for_many_cards_as_for_one(desk: Desk, newsroom: Newsroom) -> None:
    add_possible_pair(newsroom, 21, 22)

    def list_stories(limit: int) -> None:
        assert desk.get(f"/api/candidates?state=all&limit={limit}&q=星澜").status_code == 200

    _, one, all_of_them = (count_statements(partial(list_stories, limit)) for limit in (1, 1, 2))
    assert one == all_of_them  # the first list reads what the store keeps until the next write


def test_a_decision_asks_the_store_as_often_with_many_drafts_as_with_one(desk: Desk, newsroom: Newsroom) -> None:
    desk.decide(1, "pick")
    _, with_one = (count_statements(partial(desk.decide, 2, action)) for action in ("later", "drop"))
    with newsroom.store.transaction() as tx:
        for day in range(1, 6):
            save_issue(tx, Issue(date(2019, 1, day), "旧稿", (), state="draft"), newsroom.newsletter, newsroom.rules)
    _, with_many = (count_statements(partial(desk.decide, 2, action)) for action in ("later", "drop"))
    assert with_one == with_many <= 36


def test_a_decision_on_the_page_is_answered_from_one_state_of_the_store(
    desk: Desk, newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings: list[Store] = []
    read = Store.reading

    def note(store: Store) -> AbstractContextManager[Transaction]:
        readings.append(store)
        return read(store)

    monkeypatch.setattr(Store, "reading", note)
    answer = desk.post("/api/candidates/1/decisions?card=1", {"action": "pick"}).json()
    assert {"html", "tabs", "order"} <= set(answer)
    assert readings.count(newsroom.store) == 1


def test_an_entry_in_a_draft_asks_for_no_model_of_events(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_tx: Transaction) -> EventModel:
        raise AssertionError("a draft has printed nothing")

    monkeypatch.setattr("pipelines.newsroom.stages.memory.read_event_model", fail)
    assert desk.decide(1, "pick").status_code == 200


# ---- what past issues printed


def test_the_printed_entry_stands_beside_a_repeat_and_beside_news_of_it(desk: Desk, newsroom: Newsroom) -> None:
    entries = (
        Entry("[tiny/quant：量化库开源了](https://mirror.example/q)\n摘要：开源了。"),
        Entry(f"[{LAUNCH} | 某号](https://elsewhere.example/1)\n摘要：云雀半导体今天发布星澜 N9。"),
    )
    with newsroom.store.transaction() as tx:
        past = Issue(make_launch(1).published.at.date(), "试刊", (Section("业界新闻", entries),))
        save_issue(tx, past, newsroom.newsletter, newsroom.rules)
        reword = make_launch(22, "星澜 N9 来了！云雀半导体的芯片让端侧推理提速 85%")
        tx.articles.save([article(21, title="量化库怎么用", references=about("github:tiny/quant")), reword])
    group(newsroom.store, newsroom.group_rules)
    news = desk.get("/candidates?category=&q=量化库怎么用").text
    assert f"后续 · {past.date}：tiny/quant: 量化库开源了" in news
    assert f'<a href="/archive/{past.date}">' in news
    repeat = desk.get("/candidates?category=&state=published").text
    assert f"已在 {past.date} 收录：{LAUNCH}" in repeat
    assert desk.get("/api/candidates?state=published").json()["candidates"][0]["recalled"]["title"] == LAUNCH


# ---- what an event brings


@pytest.fixture
def reported(desk: Desk, newsroom: Newsroom) -> int:
    """The id of a story of three reports, of which two point to the announcement, and of a round-up's piece of news."""
    pointing = (Reference("https://kunpeng.example/n9", "https://kunpeng.example/n9"),)
    reports = [
        replace(make_launch(21, days=0.2), references=pointing),
        replace(make_launch(22, "星澜 N9 来了！云雀半导体要和手机芯片掰手腕", publisher="丙"), references=pointing),
        make_launch(23, publisher="丁", days=0.4),
        make_launch(24, "早报：云雀半导体发布星澜 N9 / 面包车涨价了 / 雨季来了怎么办", publisher="早点", days=0.5),
    ]
    with newsroom.store.transaction() as tx:
        tx.articles.save(reports)
    group(newsroom.store, newsroom.group_rules)
    listed = desk.get("/api/candidates?q=星澜").json()["candidates"]
    return next(int(candidate["id"]) for candidate in listed if len(candidate["articles"]) == 3)


def test_a_card_lists_all_reports_with_the_first_one_and_copies_marked(desk: Desk, reported: int) -> None:
    page = desk.get("/candidates?category=&q=星澜").text
    card = page.partition(f'id="s{reported}"')[2].partition("</article>")[0]
    assert "3 篇同题 · 2 家独立" in card
    listed = card.partition("<dt>报道")[2].partition("</dd>")[0]
    rows = listed.split("<li>")[1:]
    assert [next(account for account in "甲丙丁" if f">{account} · <time" in row) for row in rows] == ["丙", "甲", "丁"]
    assert ["最早" in row for row in rows] == [True, False, False]
    assert ["转载" in row for row in rows] == [False, False, True]
    assert "早点" in card.partition("<dt>另见")[2].partition("</dd>")[0]
    line = card.partition("<dt>时间线")[2].partition("</dd>")[0]
    assert line.index("最早") < line.index("最新")


def test_the_entry_links_what_the_reports_point_to_when_the_editor_says_so(
    desk: Desk, newsroom: Newsroom, reported: int
) -> None:
    (origin,) = desk.card(reported)["origins"]
    assert origin == {"url": "https://kunpeng.example/n9", "accounts": 2}
    assert desk.put(f"/api/candidates/{reported}/link", {"url": "https://evil.example"}).status_code == 422
    assert desk.put(f"/api/candidates/{reported}/link", {"url": origin["url"]}).status_code == 200
    desk.decide(reported, "pick")
    page = desk.get("/candidates?category=&state=picked").text
    assert "条目用的就是它" in page

    def read_markdown() -> str:
        with newsroom.store.reading() as tx:
            (draft,) = tx.issues.list_drafts()
        return next(entry.markdown for section in draft.sections for entry in section.entries)

    assert "](https://kunpeng.example/n9)" in read_markdown()
    desk.post("/api/undo")
    desk.post("/api/undo")
    desk.decide(reported, "pick")
    assert "](https://example.org/2" in read_markdown()


# ---- a choice between two categories


def test_a_card_shows_both_categories_where_the_scores_are_close() -> None:
    def rival(category: str = "论文", **scores: float) -> str:
        return find_rival(Candidate(Story(1, (1,), 1), (stored(1),), category, {"博文": 0.0, **scores}, (), 0.0, ()))

    assert rival(论文=0.5, 新闻=0.42) == "新闻"
    assert rival(论文=0.5, 新闻=0.38) == ""
    assert rival("新闻", 论文=0.5, 新闻=0.42) == "", "an editor chose it"
    assert rival(论文=1.0) == ""


def test_the_keys_of_both_close_categories_say_how_likely_they_are(desk: Desk, newsroom: Newsroom) -> None:
    with newsroom.store.transaction() as tx:
        (candidate,) = tx.stories.get([3])
        tx.stories.regrade([replace(candidate, category="论文", category_scores={"论文": 0.48, "博文": 0.41})])
    page = desk.get("/candidates?category=&q=结构化剪枝").text
    assert re.search(r'class="either">论文 / 博文<', page)
    first, second = re.findall(r'data-to="(?:论文|博文)"[^>]*>(.*?)</button>', page)
    assert ("48%" in first, "41%" in second) == (True, True)
    assert len(re.findall(r'class="rival"', page)) == 1


# ---- 「到这里通常够了」


def test_the_line_stands_below_the_candidates_that_are_usually_enough(desk: Desk) -> None:
    page = desk.get("/candidates?category=").text
    assert page.count("到这里通常够了") == 1
    assert page.index("到这里通常够了") > page.rindex('class="card"')
    assert "一期通常看 60 条，这一期已经决定了 0 条。" in page
    desk.decide(1, "drop")
    assert "已经决定了 1 条" in desk.get("/candidates?category=").text
    assert desk.get("/api/candidates").json()["enough"] == 4


def test_an_editor_who_has_decided_enough_finds_the_line_at_the_top(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.newsroom.editing.enough.estimate_enough", lambda _depths: 1)
    desk.decide(1, "drop")
    page = desk.get("/candidates?category=").text
    assert page.index("到这里通常够了") < page.index('class="card"')
    assert "到这里通常够了" not in desk.get("/candidates?category=&first=1").text
    assert "到这里通常够了" in desk.get("/candidates/more?category=&first=1").text


@pytest.mark.parametrize("query", ["q=量化", "state=all", "since=7d", "source=watch", "promotion=no", "after=1"])
def test_a_list_with_filters_has_no_line(desk: Desk, query: str) -> None:
    assert "到这里通常够了" not in desk.get(f"/candidates?category=&{query}").text
    assert desk.get(f"/api/candidates?{query}").json()["enough"] is None


def test_a_pick_keeps_how_deep_its_story_lay(desk: Desk, newsroom: Newsroom) -> None:
    second = desk.get("/api/candidates").json()["candidates"][1]["id"]
    desk.decide(second, "pick")
    with newsroom.store.reading() as tx:
        assert all_decisions(tx)[-1].shown["depth"] == "2"


# ---- the order moves at once


def test_ten_keys_of_keep_and_drop_change_the_order_within_the_answer(desk: Desk, newsroom: Newsroom) -> None:
    add_articles(newsroom, {100 + n: f"相机 net{n} core{n} kit{n}" for n in range(12)}, publisher="甲")
    add_articles(newsroom, {200 + n: f"音箱 part{n} tool{n} code{n}" for n in range(12)}, publisher="乙")
    title_of = {one["id"]: one["title"] for one in desk.get("/api/candidates?limit=200").json()["candidates"]}
    before = [story for story in title_of if title_of[story].startswith(("相机", "音箱"))]
    answers = []
    for camera, speaker in zip(before[:5], before[-5:], strict=True):
        assert (title_of[camera][:2], title_of[speaker][:2]) == ("相机", "音箱")
        for story, action in ((camera, "drop"), (speaker, "pick")):
            path = f"/api/candidates/{story}/decisions?card=1&category="
            answers.append(desk.post(path, {"action": action}).json()["order"])
    left = [story for story, _ in answers[-1] if story in before]
    assert set(left) == set(before[5:-5])
    assert [title_of[story][:2] for story in left] == ["音箱"] * 7 + ["相机"] * 7
    cards = desk.get("/api/candidates?limit=200").json()["candidates"]
    assert [(card["id"], card["score"]) for card in cards] == [tuple(pair) for pair in answers[-1]]
    for card in cards:
        assert round(sum(reason["weight"] for reason in card["reasons"]), 2) == card["score"]
    reasons = {reason["text"] for card in cards for reason in card["reasons"]}
    assert {"像刚才选用的", "像刚才不用的"} <= reasons


def test_a_training_forgets_the_steps_of_the_decisions_that_it_learned_from(desk: Desk, newsroom: Newsroom) -> None:
    desk.decide(4, "drop")
    with newsroom.store.transaction() as tx:
        assert read_nudges(tx).weights
        tx.training.save_model("{}", tx.training.get_basis(""))
        assert not read_nudges(tx).weights
    desk.decide(2, "pick")
    with newsroom.store.reading() as tx:
        assert read_nudges(tx).weights
    desk.post("/api/undo")
    with newsroom.store.reading() as tx:
        assert not read_nudges(tx).weights
