"""An import replaces nothing in silence, and a published issue can become a draft again."""

from __future__ import annotations

from datetime import date

import pytest
from builders import NOON

from pipelines.errors import CannotDecide
from pipelines.issue.reading import read_issue
from pipelines.model import Decision, Issue
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.decisions import decide
from pipelines.newsroom.editing.issues import import_issues
from pipelines.newsroom.editing.publishing import unpublish_issue
from pipelines.newsroom.editor import Editor

DAY = date(2026, 11, 30)


def read(newsroom: Newsroom, title: str = "甲", day: date = DAY) -> Issue:
    text = f"# 嵌入式AI简报 ({day})\n\n## 论文\n\n- [{title} | 源](https://example.org/past)\n摘要：说了。\n"
    return read_issue(text.encode(), name=f"{day}.md", newsletter=newsroom.newsletter)


def get_issue(newsroom: Newsroom, day: date = DAY) -> Issue | None:
    with newsroom.store.reading() as tx:
        return tx.issues.get(day)


def test_a_file_of_a_drafts_day_is_refused_and_the_draft_stays(newsroom: Newsroom) -> None:
    decide(newsroom, Decision(1, "pick", "编辑甲", NOON, issue=DAY))
    draft = get_issue(newsroom)
    imported = import_issues(newsroom, {"a.md": read(newsroom)}, replace_drafts=False, now=NOON)
    assert [error.code for error in imported.refused] == ["import-over-draft"]
    assert imported.issues == []
    assert get_issue(newsroom) == draft
    imported = import_issues(newsroom, {"a.md": read(newsroom)}, replace_drafts=True, now=NOON)
    assert imported.refused == []
    assert get_issue(newsroom) == read(newsroom)


def test_of_two_files_of_one_day_none_is_stored(newsroom: Newsroom) -> None:
    files = {"a.md": read(newsroom), "b.md": read(newsroom, "乙"), "c.md": read(newsroom, day=date(2026, 11, 1))}
    imported = import_issues(newsroom, files, replace_drafts=False, now=NOON)
    assert [error.values["files"] for error in imported.refused] == [("a.md", "b.md")]
    assert get_issue(newsroom) is None
    assert [issue.date for issue in imported.issues] == [date(2026, 11, 1)]


def test_an_import_that_changes_a_published_issue_is_a_correction_and_the_same_file_again_is_none(
    newsroom: Newsroom,
) -> None:
    assert import_issues(newsroom, {"a.md": read(newsroom)}, replace_drafts=False, now=NOON).corrected == []
    assert import_issues(newsroom, {"a.md": read(newsroom)}, replace_drafts=False, now=NOON).corrected == []
    assert import_issues(newsroom, {"a.md": read(newsroom, "乙")}, replace_drafts=False, now=NOON).corrected == [DAY]


def test_a_published_issue_becomes_a_draft_and_a_draft_cannot(newsroom: Newsroom) -> None:
    import_issues(newsroom, {"a.md": read(newsroom)}, replace_drafts=False, now=NOON)
    editor = Editor(newsroom, "编辑甲", NOON)
    assert unpublish_issue(editor, DAY).state == "draft"
    stored = get_issue(newsroom)
    assert stored is not None
    assert stored.state == "draft"
    with pytest.raises(CannotDecide, match="草稿"):
        unpublish_issue(editor, DAY)
