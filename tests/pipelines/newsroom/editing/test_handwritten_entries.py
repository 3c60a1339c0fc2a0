"""An entry behind which no article stands is kept, linted, exported, remembered and taken back as any other."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from builders import NOON

from pipelines.errors import CannotDecide
from pipelines.issue.changes import list_entries
from pipelines.issue.entry import read_summary, read_title
from pipelines.issue.handwritten import EntryDraft, compose_entry
from pipelines.issue.inline import find_urls
from pipelines.issue.reading import read_issue
from pipelines.model import Decision, Entry, Issue, StoryLink
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.decisions import Stale, decide
from pipelines.newsroom.editing.drafts import add_entry, split_entry, write_entry, write_section_text
from pipelines.newsroom.editing.exports import Format, plan_files
from pipelines.newsroom.editing.issues import read_issues_to_export
from pipelines.newsroom.editing.linting import lint_issue
from pipelines.newsroom.editing.publishing import publish_issues
from pipelines.newsroom.editing.undo import undo_last
from pipelines.newsroom.editor import Editor
from pipelines.newsroom.stages.run import group

DAY = date(2026, 11, 1)
TITLE, SOURCE = "iPhone 12 将用 A14", "IT之家"
LINKS = ("https://e.org/one", "https://e.org/two")


def compose(newsroom: Newsroom, links: int, summary: str = "5nm 工艺，内存 6GB。") -> Entry:
    url = LINKS[0] if links else ""
    further = [StoryLink("代码", LINKS[1])] if links > 1 else []
    return compose_entry(EntryDraft(TITLE, SOURCE, url, further, summary), "业界新闻", newsroom.newsletter)


def draft(newsroom: Newsroom) -> Issue:
    with newsroom.store.reading() as tx:
        issue = tx.issues.get(DAY)
    assert issue is not None
    return issue


def export(newsroom: Newsroom, folder: Path) -> dict[str, str]:
    """Export the draft as every format, as if it were published; the texts by the endings of their files."""
    issues = read_issues_to_export(newsroom.store, newsroom.newsletter, [DAY])
    published = [replace(issue, state="published") for issue in issues]
    plan = plan_files(newsroom, issues, list(Format), folder, published=published, whole=False, now=NOON)
    for file in plan:
        file.write()
    texts = {file.path.suffix: file.path.read_text() for file in plan}
    assert set(texts) == {".md", ".html", ".xml", ".json", ".csv"}
    return texts


@pytest.mark.parametrize("links", [0, 1, 2])
def test_an_entry_is_in_every_format_and_comes_back_from_its_file(
    newsroom: Newsroom, editor: Editor, tmp_path: Path, links: int
) -> None:
    entry = compose(newsroom, links)
    issue, position = add_entry(editor, DAY, "新闻", entry)
    assert list_entries(issue)[position] == entry
    texts = export(newsroom, tmp_path / "out")
    for text in texts.values():
        assert TITLE in text
        assert "5nm 工艺，内存 6GB。" in text
        assert [link in text for link in LINKS] == [links > 0, links > 1]
    read_back = read_issue(texts[".md"].encode(), name="x.md", newsletter=newsroom.newsletter)
    assert list_entries(read_back) == [entry]


def test_lint_asks_only_for_the_link_that_an_entry_lacks(newsroom: Newsroom, editor: Editor) -> None:
    for links in (0, 1, 2):
        add_entry(editor, DAY, "业界新闻", compose(newsroom, links))
    with newsroom.store.reading() as tx:
        findings = [finding for finding in lint_issue(tx, draft(newsroom), newsroom) if finding.part == "entry"]
    assert [(finding.position, finding.code) for finding in findings] == [(0, "no-link"), (2, "twice")]


def test_no_summary_label_without_a_summary_is_printed(newsroom: Newsroom, editor: Editor, tmp_path: Path) -> None:
    add_entry(editor, DAY, "业界新闻", compose(newsroom, 1, ""))
    for text in export(newsroom, tmp_path / "out").values():
        assert "摘要" not in text
        assert re.search(rf"{TITLE} (?:\||&(?:amp;)?#124;) {SOURCE}|{TITLE}", text)
    with newsroom.store.reading() as tx:
        codes = {finding.code for finding in lint_issue(tx, draft(newsroom), newsroom) if finding.part == "entry"}
    assert codes == {"no-summary"}


def test_an_entry_that_is_published_is_remembered_by_its_links(newsroom: Newsroom, editor: Editor) -> None:
    with newsroom.store.reading() as tx:
        story = tx.stories.find_by_article(1)
    assert story is not None
    url = story.lead.article.url
    add_entry(editor, DAY, "业界新闻", compose_entry(EntryDraft(TITLE, url=url), "业界新闻", newsroom.newsletter))
    publish_issues(Editor(newsroom, "编辑甲", NOON), [draft(newsroom)])
    group(newsroom.store, newsroom.group_rules)
    with newsroom.store.reading() as tx:
        story = tx.stories.find_by_article(1)
    assert story is not None
    assert (story.state, story.published_in) == ("published", DAY)


def test_an_added_entry_is_taken_back_after_a_later_decision(newsroom: Newsroom, editor: Editor) -> None:
    add_entry(editor, DAY, "业界新闻", compose(newsroom, 1))
    later = replace(editor, now=NOON + timedelta(minutes=1))
    decide(newsroom, Decision(1, "pick", editor.name, later.now, issue=DAY))
    undo_last(later)
    assert [entry.story for entry in list_entries(draft(newsroom))] == [None]
    undo_last(later)
    assert list_entries(draft(newsroom)) == []


def test_a_section_of_text_alone_is_written_printed_and_taken_back(newsroom: Newsroom, editor: Editor) -> None:
    add_entry(editor, DAY, "论文", compose(newsroom, 1))
    unwritten = draft(newsroom)
    write_section_text(editor, DAY, "封面图", "![](cover.png)\n", above="业界新闻")
    write_section_text(editor, DAY, "论文", "多看论文。", part="closing")
    names = [section.name for section in draft(newsroom).sections]
    assert names.index("封面图") + 1 == names.index("业界新闻")
    frugal = newsroom.newsletter.model_copy(
        update={"frame": newsroom.newsletter.frame.model_copy(update={"empty_sections": False})}
    )
    (printed,) = read_issues_to_export(newsroom.store, frugal, [DAY])
    assert [
        (section.name, section.notes, section.closing) for section in printed.sections if not section.is_briefs
    ] == [
        ("封面图", "![](cover.png)", None),
        ("论文", None, "多看论文。"),
    ]
    write_section_text(editor, DAY, "封面图", "")
    for _ in range(3):
        undo_last(editor)
    assert draft(newsroom) == unwritten
    with pytest.raises(CannotDecide):
        write_section_text(editor, DAY, "封面图", "![](cover.png)", above="体育")


def test_a_removed_entry_comes_back_in_its_slot(newsroom: Newsroom, editor: Editor) -> None:
    for number in range(3):
        add_entry(editor, DAY, "论文", Entry(f"第{number}条 | 源\n摘要：说了。"))
    before = draft(newsroom)
    write_entry(editor, DAY, 1, "")
    assert len(list_entries(draft(newsroom))) == 2
    undo_last(editor)
    assert draft(newsroom) == before


def test_an_entry_goes_to_the_section_of_its_category_or_is_refused(newsroom: Newsroom, editor: Editor) -> None:
    with pytest.raises(CannotDecide) as error:
        add_entry(editor, DAY, "体育", compose(newsroom, 1))
    assert error.value.code == "no-such-category"
    with pytest.raises(CannotDecide) as error:
        add_entry(editor, DAY, "论文", Entry("  \n"))
    assert error.value.code == "entry-without-title"
    add_entry(editor, DAY, "应用", compose(newsroom, 1))
    assert [section.name for section in draft(newsroom).sections if section.entries] == ["业界新闻"]
    publish_issues(Editor(newsroom, "编辑甲", NOON), [draft(newsroom)])
    with pytest.raises(CannotDecide) as error:
        add_entry(editor, DAY, "应用", compose(newsroom, 1))
    assert error.value.code == "issue-published"


# ---- one post that gives two entries


def pick_a_post(newsroom: Newsroom) -> tuple[Issue, Entry]:
    decide(newsroom, Decision(1, "pick", "编辑", NOON, issue=DAY))
    issue = draft(newsroom)
    return issue, list_entries(issue)[0]


def test_a_post_gives_two_entries_that_are_exported_read_back_and_remembered(
    newsroom: Newsroom, editor: Editor, tmp_path: Path
) -> None:
    _, entry = pick_a_post(newsroom)
    url = find_urls(entry.markdown)[0]
    first = entry.markdown.partition("\n")[0] + "\n摘要：第一条消息。"
    changed, position = split_entry(editor, DAY, 0, first, "\n第二条消息\n它也很新。\n")
    one, second = list_entries(changed)
    assert position == 1
    assert (one.markdown, one.story) == (first, entry.story)
    assert (read_title(second.markdown, newsroom.newsletter), second.story) == ("第二条消息", None)
    assert find_urls(second.markdown)[0] == url
    assert read_summary(second.markdown, newsroom.newsletter) == "它也很新。"
    text = export(newsroom, tmp_path)[".md"]
    again = read_issue(text.encode(), name=f"{DAY}.md", newsletter=newsroom.newsletter)
    assert [each.markdown for each in list_entries(again)] == [one.markdown, second.markdown]
    publish_issues(editor, read_issues_to_export(newsroom.store, newsroom.newsletter, [DAY]))
    with newsroom.store.reading() as tx:
        (printed,) = tx.issues.find_printed([url]).values()
        assert len(printed) == 2


def test_the_second_entry_keeps_a_link_of_its_own_and_both_are_taken_back(newsroom: Newsroom, editor: Editor) -> None:
    _, entry = pick_a_post(newsroom)
    head = entry.markdown.partition("\n")[0]
    changed, _ = split_entry(editor, DAY, 0, f"{head}\n摘要：甲。", "[乙 | 源](https://e.org/two)\n摘要：说了乙。")
    assert list_entries(changed)[1].markdown == "[乙 | 源](https://e.org/two)\n摘要：说了乙。"
    for _ in range(2):
        undo_last(editor)
    assert [each.markdown for each in list_entries(draft(newsroom))] == [entry.markdown]


@pytest.mark.parametrize(("text", "second"), [(" ", "[乙](https://e.org/two)"), ("[甲](https://e.org/one)", " \n ")])
def test_no_entry_is_split_into_nothing_and_nobodys_words_are_replaced_unseen(
    newsroom: Newsroom, editor: Editor, text: str, second: str
) -> None:
    _, entry = pick_a_post(newsroom)
    with pytest.raises(CannotDecide):
        split_entry(editor, DAY, 0, text, second)
    with pytest.raises(Stale):
        split_entry(editor, DAY, 0, "甲", "乙", seen_edition="of another text")
    assert [each.markdown for each in list_entries(draft(newsroom))] == [entry.markdown]
