"""What happens to an issue when it is published, corrected, made a draft again, deleted, and when that is undone."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, date, timedelta

import pytest
from builders import NOON
from commands import Cli

from pipelines.errors import CannotDecide, NoSuchIssue
from pipelines.issue.changes import list_entries, read_written_issue, write_issue
from pipelines.issue.reading import read_issue
from pipelines.model import Decision, DecisionAction, Issue
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.decisions import Stale, decide
from pipelines.newsroom.editing.drafts import redate, write_entry, write_part
from pipelines.newsroom.editing.issues import import_issues
from pipelines.newsroom.editing.publishing import delete_draft, list_publishing_acts, publish_issues, unpublish_issue
from pipelines.newsroom.editing.undo import undo_last
from pipelines.newsroom.editor import Editor
from pipelines.newsroom.stages import run

DAY, OTHER_DAY = date(2026, 11, 1), date(2026, 11, 15)


@pytest.fixture
def newsroom(newsroom: Newsroom) -> Newsroom:
    """Five stories, of which 1, 2 and 3 are picked for the first issue."""
    for minutes, story in enumerate((1, 2, 3)):
        act(newsroom, story, "pick", minutes, issue=DAY)
    return newsroom


def act(newsroom: Newsroom, story: int, action: DecisionAction, minutes: int, issue: date | None = None) -> None:
    at = NOON + timedelta(minutes=minutes)
    decide(newsroom, Decision(story, action, "编辑甲", at, category="博文", issue=issue))


def editor(newsroom: Newsroom, minutes: int, name: str = "编辑甲") -> Editor:
    return Editor(newsroom, name, NOON + timedelta(minutes=minutes))


def stored(newsroom: Newsroom, day: date = DAY) -> Issue | None:
    with newsroom.store.reading() as tx:
        return tx.issues.get(day)


def stored_issue(newsroom: Newsroom, day: date = DAY) -> Issue:
    issue = stored(newsroom, day)
    assert issue is not None
    return issue


def state_of(newsroom: Newsroom, story: int) -> str:
    with newsroom.store.reading() as tx:
        candidate = tx.stories.find_by_article(story)
    assert candidate is not None
    return candidate.state


def publish(newsroom: Newsroom, minutes: int, name: str = "编辑甲") -> None:
    publish_issues(editor(newsroom, minutes, name), [stored_issue(newsroom)])


# ---- publishing, and the way back


def test_publishing_is_taken_back_before_anything_older(newsroom: Newsroom) -> None:
    write_part(editor(newsroom, 5), DAY, "guide", "一句")
    publish(newsroom, 6)
    assert state_of(newsroom, 1) == "published"
    undone = undo_last(editor(newsroom, 7))
    assert (undone.action, undone.issue) == ("state", DAY)
    assert (stored_issue(newsroom).state, stored_issue(newsroom).guide) == ("draft", "一句")
    assert state_of(newsroom, 1) == "picked"
    assert undo_last(editor(newsroom, 8)).action == "change"
    assert undo_last(editor(newsroom, 9)).action == "pick"


def test_a_pick_after_publishing_is_taken_back_first(newsroom: Newsroom) -> None:
    publish(newsroom, 6)
    act(newsroom, 4, "pick", 7)
    assert undo_last(editor(newsroom, 8)).action == "pick"
    assert undo_last(editor(newsroom, 9)).action == "state"


def test_nobody_takes_back_what_another_published(newsroom: Newsroom) -> None:
    publish(newsroom, 6, "编辑乙")
    with pytest.raises(CannotDecide):
        undo_last(editor(newsroom, 7, "编辑丙"))
    assert stored_issue(newsroom).state == "published"


def test_a_draft_that_changed_since_it_was_exported_is_not_published(newsroom: Newsroom) -> None:
    exported = stored_issue(newsroom)
    write_part(editor(newsroom, 5, "编辑乙"), DAY, "guide", "乙刚写的")
    with pytest.raises(Stale):
        publish_issues(editor(newsroom, 6), [exported])
    assert (stored_issue(newsroom).state, stored_issue(newsroom).guide) == ("draft", "乙刚写的")


def test_unpublishing_is_taken_back_too(newsroom: Newsroom) -> None:
    publish(newsroom, 6)
    unpublish_issue(editor(newsroom, 7), DAY)
    assert state_of(newsroom, 1) == "picked"
    undo_last(editor(newsroom, 8))
    assert (stored_issue(newsroom).state, state_of(newsroom, 1)) == ("published", "published")


# ---- corrections


def test_a_published_issue_changes_by_a_correction_alone(newsroom: Newsroom) -> None:
    publish(newsroom, 6)
    with pytest.raises(CannotDecide, match="已经刊出"):
        write_entry(editor(newsroom, 7), DAY, 0, "[改题 | 源](https://e.org/1)\n摘要：改。")
    with pytest.raises(CannotDecide, match="改回草稿"):
        write_entry(editor(newsroom, 7), DAY, 0, "", correcting=True)
    write_entry(editor(newsroom, 7), DAY, 0, "[改题 | 源](https://e.org/1)\n摘要：改。", correcting=True)
    assert stored_issue(newsroom).state == "published"
    first_entry, *_ = list_entries(stored_issue(newsroom))
    assert first_entry.markdown.startswith("[改题 | 源]")
    with newsroom.store.reading() as tx:
        assert "https://e.org/1" in tx.issues.find_printed(["https://e.org/1"])
        assert tx.issues.get_times(DAY).corrected_at == NOON + timedelta(minutes=7)


def test_who_corrected_what_is_kept_and_a_draft_has_no_corrections(newsroom: Newsroom) -> None:
    write_part(editor(newsroom, 5), DAY, "guide", "草稿里写的")
    publish(newsroom, 6)
    write_part(editor(newsroom, 7, "编辑乙"), DAY, "guide", "更正过的", correcting=True)
    write_entry(editor(newsroom, 8), DAY, 0, "[改题 | 源](https://e.org/1)", correcting=True)
    acts = list_publishing_acts(newsroom.store, newsroom.newsletter, DAY)
    assert [(act.part, act.state, act.title, act.who) for act in acts] == [
        ("state", "published", "", "编辑甲"),
        ("guide", "", "", "编辑乙"),
        ("entry", "", "改题", "编辑甲"),
    ]
    assert acts[1].happened_at == NOON.astimezone(UTC) + timedelta(minutes=7)


def test_a_correction_is_taken_back_and_then_the_publishing(newsroom: Newsroom) -> None:
    publish(newsroom, 6)
    former = stored_issue(newsroom)
    write_entry(editor(newsroom, 7), DAY, 1, "[改题 | 源](https://e.org/1)", correcting=True)
    assert undo_last(editor(newsroom, 8)).action == "change"
    assert stored_issue(newsroom) == former
    assert undo_last(editor(newsroom, 9)).action == "state"


def test_an_imported_issue_can_be_corrected_and_says_so(newsroom: Newsroom) -> None:
    text = f"# 嵌入式AI简报 ({OTHER_DAY})\n\n## 论文\n\n- [甲 | 源](https://e.org/past)\n摘要：说了。\n"
    issue = read_issue(text.encode(), name="past.md", newsletter=newsroom.newsletter)
    import_issues(newsroom, {"past.md": issue}, replace_drafts=False, now=NOON)
    write_part(editor(newsroom, 5), OTHER_DAY, "guide", "补上", correcting=True)
    (act,) = list_publishing_acts(newsroom.store, newsroom.newsletter, OTHER_DAY)
    assert (act.part, act.who) == ("guide", "编辑甲")


# ---- a draft that is deleted


def test_a_deleted_draft_leaves_its_stories_to_be_decided_on_and_comes_back_whole(newsroom: Newsroom) -> None:
    write_part(editor(newsroom, 5), DAY, "guide", "一句")
    former = stored_issue(newsroom)
    delete_draft(editor(newsroom, 6), DAY)
    assert stored(newsroom) is None
    assert [state_of(newsroom, story) for story in (1, 2, 3)] == ["new"] * 3
    undone = undo_last(editor(newsroom, 7))
    assert (undone.action, undone.issue) == ("issue", DAY)
    assert stored_issue(newsroom) == former
    assert [state_of(newsroom, story) for story in (1, 2, 3)] == ["picked"] * 3
    assert undo_last(editor(newsroom, 8)).action == "change"


def test_a_story_that_was_decided_on_since_does_not_come_back_with_its_draft(newsroom: Newsroom) -> None:
    delete_draft(editor(newsroom, 6), DAY)
    decide(newsroom, Decision(2, "pick", "编辑乙", NOON + timedelta(minutes=7), category="论文", issue=OTHER_DAY))
    undo_last(editor(newsroom, 8))
    assert [entry.story for section in stored_issue(newsroom).sections for entry in section.entries] == [1, 3]
    assert [entry.story for section in stored_issue(newsroom, OTHER_DAY).sections for entry in section.entries] == [2]


def test_only_a_draft_is_deleted(newsroom: Newsroom) -> None:
    publish(newsroom, 6)
    with pytest.raises(CannotDecide, match="已经刊出"):
        delete_draft(editor(newsroom, 7), DAY)
    with pytest.raises(NoSuchIssue):
        delete_draft(editor(newsroom, 7), OTHER_DAY)


def test_a_written_issue_reads_back_as_it_was(newsroom: Newsroom) -> None:
    issue = replace(stored_issue(newsroom), headline="甲/乙", number=3, slug="three")
    assert read_written_issue(write_issue(issue)) == issue


def test_a_draft_is_deleted_at_the_terminal(newsroom: Newsroom) -> None:
    cli = Cli(newsroom.home.path)
    assert "删掉了" in cli("issue", "delete", str(DAY))
    assert stored(newsroom) is None


# ---- learning


def test_two_processes_never_train_at_once(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    training: list[int] = []
    most: list[int] = []

    def train_slowly(*_: object) -> bool:
        training.append(1)
        most.append(len(training))
        time.sleep(0.05)
        training.pop()
        return True

    monkeypatch.setattr("pipelines.newsroom.stages.run.retrain", train_slowly)
    lock = newsroom.home.var / "learning.lock"
    threads = [
        threading.Thread(target=run.group, args=(newsroom.store, newsroom.group_rules), kwargs={"lock": lock})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 4


def test_a_redated_draft_can_still_be_published_and_taken_back(newsroom: Newsroom) -> None:
    redate(editor(newsroom, 5), DAY, OTHER_DAY)
    publish_issues(editor(newsroom, 6), [stored_issue(newsroom, OTHER_DAY)])
    assert undo_last(editor(newsroom, 7)).action == "state"
    assert undo_last(editor(newsroom, 8)).issue == DAY


def test_an_issue_keeps_the_identifier_that_readers_know_when_its_date_changes_and_changes_back(
    newsroom: Newsroom,
) -> None:
    with newsroom.store.transaction() as tx:
        tx.feed.add_ids({None: "urn:feed", DAY: "urn:issue"})
    redate(editor(newsroom, 5), DAY, OTHER_DAY)
    with newsroom.store.reading() as tx:
        assert tx.feed.get_ids() == {None: "urn:feed", OTHER_DAY: "urn:issue"}
    undo_last(editor(newsroom, 6))
    with newsroom.store.transaction() as tx:
        tx.feed.add_ids({DAY: "urn:another", OTHER_DAY: "urn:issue"})  # the first is taken, the second is given already
        assert tx.feed.get_ids() == {None: "urn:feed", DAY: "urn:issue"}
