"""A story is picked as 简讯, moved in and out of it, remembered as printed, and learned from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from builders import NOON

from pipelines.group.training import examples_of_issue
from pipelines.issue.changes import list_entries
from pipelines.issue.reading import read_issue
from pipelines.model import Decision, DecisionAction, Entry, Issue
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.decisions import decide
from pipelines.newsroom.editing.drafts import add_entry, move_entry, write_entry
from pipelines.newsroom.editing.exports import render_as_markdown
from pipelines.newsroom.editing.issues import import_issues
from pipelines.newsroom.editing.publishing import publish_issues
from pipelines.newsroom.editing.undo import undo_last
from pipelines.newsroom.editor import Editor
from pipelines.newsroom.stages.relearning import retrain
from pipelines.newsroom.stages.run import group

DAY = date(2026, 11, 1)


def act(newsroom: Newsroom, story: int, action: DecisionAction = "pick", category: str | None = "简讯") -> None:
    decide(newsroom, Decision(story, action, "编辑甲", NOON - timedelta(hours=1), category=category, issue=DAY))


def draft(newsroom: Newsroom) -> Issue:
    with newsroom.store.reading() as tx:
        issue = tx.issues.get(DAY)
    assert issue is not None
    return issue


def lines(newsroom: Newsroom) -> list[str]:
    briefs = draft(newsroom).sections[0]
    assert briefs.is_briefs
    return [entry.markdown for entry in briefs.entries]


def test_a_story_picked_as_a_one_liner_is_a_linked_line_before_the_sections(newsroom: Newsroom) -> None:
    act(newsroom, 1)
    act(newsroom, 2)
    first, second = lines(newsroom)
    assert first.startswith("[高通骁龙芯片的低比特量化](https://")
    text = render_as_markdown(draft(newsroom), newsroom)
    opening = text.partition("## 业界新闻")[0]
    assert f"热身小新闻ヽ(✿゜▽゜)ノ：\n\n- {first}  \n- {second}  \n" in opening
    assert draft(newsroom).item_count == 0


def test_a_one_liner_that_nobody_edited_becomes_an_entry_and_a_line_again(newsroom: Newsroom, editor: Editor) -> None:
    act(newsroom, 1)
    act(newsroom, 4, category="博文")
    whole = list_entries(draft(newsroom))[1].markdown
    (line,) = lines(newsroom)
    move_entry(editor, DAY, 0, 4, 0)
    assert lines(newsroom) == []
    assert "摘要：" in list_entries(draft(newsroom))[0].markdown
    move_entry(editor, DAY, 0, 0, 0)
    assert lines(newsroom) == [line]
    move_entry(editor, DAY, 1, 0, 1)
    undo_last(editor)
    assert list_entries(draft(newsroom))[1].markdown == whole


def test_a_line_that_the_editor_wrote_moves_as_it_is(newsroom: Newsroom, editor: Editor) -> None:
    act(newsroom, 1)
    write_entry(editor, DAY, 0, "高通：低比特量化上手机；")
    move_entry(editor, DAY, 0, 1, 0)
    assert list_entries(draft(newsroom))[0].markdown == "高通：低比特量化上手机；"
    move_entry(editor, DAY, 0, 0, 0)
    assert lines(newsroom) == ["高通：低比特量化上手机；"]


def test_a_pick_of_another_section_is_made_a_one_liner_and_taken_back(newsroom: Newsroom) -> None:
    act(newsroom, 1, category="博文")
    whole = list_entries(draft(newsroom))
    act(newsroom, 1, "categorise")
    assert len(lines(newsroom)) == 1
    act(newsroom, 1, "undo", None)
    assert list_entries(draft(newsroom)) == whole
    assert lines(newsroom) == []


def test_an_editor_writes_a_one_liner_without_a_story(newsroom: Newsroom, editor: Editor) -> None:
    act(newsroom, 1)
    add_entry(editor, DAY, "简讯", Entry("台积电：3nm 工厂竣工；"))
    assert lines(newsroom)[1:] == ["台积电：3nm 工厂竣工；"]


def test_a_draft_begun_before_one_liners_were_configured_gets_their_list(newsroom: Newsroom) -> None:
    newsroom.newsletter.__dict__["briefs"], briefs = None, newsroom.newsletter.briefs
    act(newsroom, 1, category="博文")
    assert not draft(newsroom).sections[0].is_briefs
    newsroom.newsletter.__dict__["briefs"] = briefs
    act(newsroom, 2)
    assert len(lines(newsroom)) == 1


def test_printed_one_liners_are_remembered_by_story_and_by_link(newsroom: Newsroom, editor: Editor) -> None:
    act(newsroom, 1)
    act(newsroom, 2)
    write_entry(editor, DAY, 1, "端侧引擎：开源了；")
    publish_issues(Editor(newsroom, "编辑甲", NOON), [draft(newsroom)])
    with newsroom.store.reading() as tx:
        assert tx.stories.get_states({1, 2}) == {1: "published", 2: "published"}
    text = render_as_markdown(draft(newsroom), newsroom).encode()
    issue = read_issue(text, name="x.md", newsletter=newsroom.newsletter)
    import_issues(newsroom, {"x.md": issue}, replace_drafts=False, now=NOON)
    group(newsroom.store, newsroom.group_rules)
    with newsroom.store.reading() as tx:
        story = tx.stories.find_by_article(1)
    assert story is not None
    assert story.published_in == DAY


def test_printed_one_liners_are_picks_of_no_category(newsroom: Newsroom) -> None:
    act(newsroom, 1)
    act(newsroom, 4, category="博文")
    issue = replace(draft(newsroom), state="published")
    examples = examples_of_issue(issue, newsroom.newsletter)
    assert [(example.picked, example.category) for example in examples] == [(True, None), (True, "博文")]
    assert (
        retrain(newsroom.store, newsroom.group_rules) is False
    )  # two picks are too few; their category breaks nothing
