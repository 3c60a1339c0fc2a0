"""Changes the drafts for an editor: texts, entries, order, date. Each function is one transaction.

`pipelines.issue.changes` makes the changed issue; this module checks that nobody else changed the draft, and stores
the issue with a row that says who changed what.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Literal

from pipelines.errors import CannotDecide, NoSuchIssue
from pipelines.group.origins import find_origins
from pipelines.issue import changes
from pipelines.issue.changes import MOST_CHARACTERS, Part, SectionText, make_edition, make_order_edition, tidy_text
from pipelines.issue.entry import (
    accept_machine_line,
    read_machine_line,
    relink_entry,
    remove_machine_line,
    reword_entry,
    set_machine_line,
)
from pipelines.issue.escape import escape_markdown, make_printable_url
from pipelines.issue.handwritten import write_second_entry
from pipelines.issue.sections import find_slot, fit_entry, make_draft, make_section, open_section
from pipelines.model import Candidate, Change, Decision, Entry, Issue
from pipelines.newsletter import Newsletter
from pipelines.newsroom.editing.assistant import propose
from pipelines.newsroom.editing.decisions import (
    Decided,
    Stale,
    current_entry,
    decide_in,
    find_candidate,
    read_house_style,
)
from pipelines.newsroom.editing.issues import save_issue
from pipelines.newsroom.editor import Editor
from pipelines.store import Transaction


def write_part(
    editor: Editor,
    day: date,
    part: Part,
    text: str,
    *,
    seen_edition: str | None = None,
    correcting: bool = False,
) -> Issue:
    """Write the headline, the guide or the preamble of a draft, or correct it in a published issue.

    Args:
        editor: who writes.
        day: the date of the draft.
        part: the part to write.
        text: Markdown; a blank text removes the part.
        seen_edition: the edition of the part that the editor saw; None skips the check.
        correcting: whether the issue may be published: the change is then a correction of it.

    Returns:
        The changed issue.

    Raises:
        NoSuchIssue: no issue has this date.
        CannotDecide: the issue is published, and this is no correction.
        Stale: somebody changed the part since the editor saw it.
    """
    new_text = tidy_text(text) or None
    with editor.store.transaction() as tx:
        issue = _get_writable(tx, day, correcting=correcting)
        old_text: str | None = getattr(issue, part)
        if seen_edition is not None and make_edition(old_text) != seen_edition:
            raise Stale(day)
        if new_text == old_text:
            return issue
        changed = changes.replace_part(issue, part, new_text)
        _save_changed(tx, editor, changed)
        note_change(tx, editor, day, part, old_text=old_text, new_text=new_text)
        return changed


def ensure_draft(editor: Editor, day: date) -> None:
    """Begin a draft for a date that has no issue."""
    with editor.store.transaction() as tx:
        if tx.issues.get(day) is None:
            save_issue(tx, make_draft(day, editor.newsletter), editor.newsletter, editor.rules)


def write_section_text(
    editor: Editor,
    day: date,
    name: str,
    text: str,
    *,
    part: SectionText = "notes",
    above: str = "",
    level: int | None = None,
) -> Issue:
    """Write what stands above or below the entries of a section; a section of text alone is added by it.

    Args:
        editor: who writes.
        day: the date of the draft; without an issue of this date, a new draft begins.
        name: the heading; one that neither the draft nor the newsletter has begins a new section.
        text: Markdown; a blank text removes it.
        part: above the entries, or below them.
        above: the section that a new one stands above; by default it is the last.
        level: of the heading of a new section; None for that of the newsletter.

    Returns:
        The changed draft.

    Raises:
        CannotDecide: the issue is published, or `above` names no section of it.
    """
    newsletter = editor.newsletter
    with editor.store.transaction() as tx:
        draft = get_draft(tx, day) if tx.issues.get(day) else make_draft(day, newsletter)
        names = [section.name for section in draft.sections]
        if above and above not in names:
            raise CannotDecide("no-such-category", name=above, names=tuple(names))
        opened = draft
        if name not in names:
            own_level = level or newsletter.style_section(name).level
            section = replace(make_section(name, newsletter), level=own_level or newsletter.frame.level)
            opened = changes.insert_section(draft, section, above)
        changed = changes.replace_section_text(opened, name, part, tidy_text(text) or None)
        if changed != draft:
            save_issue(tx, changed, newsletter, editor.rules)
            former, latter = (changes.write_section(issue, name) for issue in (draft, changed))
            note_change(tx, editor, day, "section", old_text=former, new_text=latter)
        return changed


def write_entry(
    editor: Editor,
    day: date,
    position: int,
    text: str,
    *,
    seen_edition: str | None = None,
    correcting: bool = False,
) -> Issue:
    """Write an entry of a draft, with its label lines, or correct it in a published issue.

    Args:
        editor: who writes.
        day: the date of the draft.
        position: of the entry among all entries of the draft, from 0.
        text: Markdown, as in `Entry.markdown`; a blank text removes an entry that has no story.
        seen_edition: the edition of the entry that the editor saw; None skips the check.
        correcting: whether the issue may be published: the change is then a correction of it.

    Returns:
        The changed issue.

    Raises:
        NoSuchIssue: no issue has this date, or the issue has no entry at this position.
        CannotDecide: the issue is published, and this is no correction; or the text is blank, and the entry has a story
            or is published.
        Stale: somebody changed the entry since the editor saw it.
    """
    markdown = tidy_text(text)
    with editor.store.transaction() as tx:
        issue = _get_writable(tx, day, correcting=correcting)
        entry = changes.get_entry(issue, position)
        if seen_edition is not None and make_edition(entry.markdown) != seen_edition:
            raise Stale(day)
        if markdown == entry.markdown:
            return issue
        candidate = tx.stories.find_by_article(entry.story) if entry.story is not None else None
        published = issue.state == "published"
        if not markdown and published:
            raise CannotDecide("entry-empty-published")
        if not markdown and candidate is not None:
            raise CannotDecide("entry-empty")
        if candidate is not None and not published:
            decide_edit(tx, editor, candidate, entry.markdown, markdown)
        elif not markdown:
            _save_changed(tx, editor, changes.replace_entries(issue, {position: replace(entry, markdown="")}))
            removal = changes.write_removal(issue, position)
            note_change(tx, editor, day, "removal", old_text=removal, new_text=None)
        else:
            _save_changed(tx, editor, changes.replace_entries(issue, {position: replace(entry, markdown=markdown)}))
            note_change(tx, editor, day, "entry", old_text=entry.markdown, new_text=markdown)
        return _get_writable(tx, day, correcting=correcting)


def _get_writable(tx: Transaction, day: date, *, correcting: bool) -> Issue:
    """Get the draft of a date; for a correction, the published issue too."""
    issue = tx.issues.get(day) if correcting else None
    return issue or get_draft(tx, day)


def _save_changed(tx: Transaction, editor: Editor, issue: Issue) -> None:
    save_issue(tx, issue, editor.newsletter, editor.rules)
    if issue.state == "published":
        tx.issues.note_corrected(issue.date, editor.now)


def add_entry(editor: Editor, day: date, section_name: str, entry: Entry) -> tuple[Issue, int]:
    """Add an entry of the editor's own words at the end of a section.

    Args:
        editor: who writes it.
        day: the date of the draft; without an issue of this date, a new draft begins.
        section_name: a section of the draft, or a category of the newsletter.
        entry: of no story.

    Returns:
        The changed draft, and the position of the entry among all entries, from 0.

    Raises:
        CannotDecide: the issue is published, there is no such section, or the entry has no text.
    """
    markdown = tidy_text(entry.markdown)
    if not markdown.strip():
        raise CannotDecide("entry-without-title")
    with editor.store.transaction() as tx:
        draft = get_draft(tx, day) if tx.issues.get(day) else make_draft(day, editor.newsletter)
        draft, section_index = open_section(draft, section_name, editor.newsletter)
        entry_index = len(draft.sections[section_index].entries)
        changed = changes.insert_entry(draft, Entry(markdown), section_index, entry_index)
        save_issue(tx, changed, editor.newsletter, editor.rules)
        note_change(tx, editor, day, "entry", old_text=None, new_text=markdown)
        return changed, changes.find_position(changed, section_index, entry_index)


def split_entry(
    editor: Editor, day: date, position: int, text: str, second_text: str, *, seen_edition: str | None = None
) -> tuple[Issue, int]:
    """Split an entry of a draft into two, as one post may give two pieces of news.

    The story stays with the first entry; the second follows it, and links the same post unless it has a link itself.

    Args:
        editor: who splits it.
        day: the date of the draft.
        position: of the entry among all entries of the draft, from 0.
        text: Markdown of the first entry.
        second_text: Markdown of the second entry.
        seen_edition: the edition of the entry that the editor saw; None skips the check.

    Returns:
        The changed draft, and the position of the second entry among all entries, from 0.

    Raises:
        NoSuchIssue: no issue has this date, or the issue has no entry at this position.
        CannotDecide: the issue is published, or one of the two entries has no text.
        Stale: somebody changed the entry since the editor saw it.
    """
    markdown = tidy_text(text).rstrip()
    if not markdown.strip():
        raise CannotDecide("entry-without-title")
    second = write_second_entry(markdown, second_text, editor.newsletter)
    with editor.store.transaction() as tx:
        draft = get_draft(tx, day)
        entry = changes.get_entry(draft, position)
        if seen_edition is not None and make_edition(entry.markdown) != seen_edition:
            raise Stale(day)
        candidate = tx.stories.find_by_article(entry.story) if entry.story is not None else None
        if markdown != entry.markdown and candidate is not None:
            decide_edit(tx, editor, candidate, entry.markdown, markdown)
            draft = get_draft(tx, day)
        elif markdown != entry.markdown:
            draft = changes.replace_entries(draft, {position: replace(entry, markdown=markdown)})
            note_change(tx, editor, day, "entry", old_text=entry.markdown, new_text=markdown)
        section_index, entry_index = changes.find_indices(draft, position)
        changed = changes.insert_entry(draft, second, section_index, entry_index + 1)
        save_issue(tx, changed, editor.newsletter, editor.rules)
        note_change(tx, editor, day, "entry", old_text=None, new_text=second.markdown)
        return changed, position + 1


def reword_story(editor: Editor, story: int, *, title: str, summary: str, seen_version: str | None = None) -> Decided:
    """Give the entry of a story another title and summary, whether the story is picked already or not.

    Args:
        editor: who rewords it.
        story: id of any article of the story.
        title, summary: plain text.
        seen_version: of the story as the editor saw it; None skips the check.

    Returns:
        The story with the new entry.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided on the story since the editor saw it.
    """
    with editor.store.transaction() as tx:
        candidate = find_candidate(tx, story, seen_version)
        old_markdown = current_entry(tx, candidate, editor.newsletter).markdown
        slot = find_slot(candidate, tx.issues.list_drafts())
        new_markdown = reword_entry(
            old_markdown,
            editor.newsletter,
            title=title[:MOST_CHARACTERS],
            summary=summary[:MOST_CHARACTERS],
            section=slot.section if slot else candidate.category,
        )
        if new_markdown == old_markdown:
            return Decided(candidate, None)
        return decide_edit(tx, editor, candidate, old_markdown, new_markdown)


def relink_story(editor: Editor, story: int, url: str, *, seen_version: str | None = None) -> Decided:
    """Let the entry of a story link another of its pages, whether the story is picked already or not.

    Args:
        editor: who chooses the page.
        story: id of any article of the story.
        url: of an article of the story, of a link of it, or of a page that its reports point to.
        seen_version: of the story as the editor saw it; None skips the check.

    Returns:
        The story with the new entry.

    Raises:
        NoSuchStory: no article has or had that id.
        Stale: somebody decided on the story since the editor saw it.
        CannotDecide: the story has no such page.
    """
    with editor.store.transaction() as tx:
        candidate = find_candidate(tx, story, seen_version)
        address = make_printable_url(url)
        if address is None or address not in list_pages(candidate):
            raise CannotDecide("no-page-of-story", url=url)
        old_markdown = current_entry(tx, candidate, editor.newsletter).markdown
        new_markdown = relink_entry(old_markdown, address)
        if new_markdown == old_markdown:
            return Decided(candidate, None)
        return decide_edit(tx, editor, candidate, old_markdown, new_markdown)


def list_pages(candidate: Candidate) -> frozenset[str]:
    """List the addresses that the entry of a story may link."""
    articles = (stored.article.url for stored in candidate.articles if not stored.article.temporary)
    links = (link.url for link in candidate.links)
    origins = (origin.url for origin in find_origins(candidate))
    return frozenset(filter(None, map(make_printable_url, (*articles, *links, *origins))))


def assist(editor: Editor, story: int, *, action: Literal["ask", "accept", "reject"]) -> str:
    """Ask the assistant for a summary of a picked story, or accept or reject its last proposal.

    The proposal goes to the machine line of the entry, which no export prints, until the editor accepts it.

    Args:
        editor: who asks, accepts or rejects.
        story: id of any article of the story.
        action: `ask` writes a machine line, `accept` makes it the summary, `reject` removes it.

    Returns:
        The assistant's proposal, as Markdown.

    Raises:
        NoSuchStory: no article has or had that id.
        CannotDecide: the newsletter has no assistant, the story is in no draft, or its entry has no machine line.
        NoProposal: the assistant has no proposal.
    """
    newsletter = editor.newsletter
    with editor.store.reading() as tx:
        candidate = find_candidate(tx, story)
        picked = find_slot(candidate, tx.issues.list_drafts()) is not None
    if not picked:
        raise CannotDecide("not-drafted")
    proposal = None
    if action == "ask":
        if newsletter.assistant is None:
            raise CannotDecide("assistant-off")
        # Outside any transaction: the endpoint may take a minute.
        proposal = escape_markdown(propose(candidate.lead.article, newsletter.assistant))
    with editor.store.transaction() as tx:
        candidate = find_candidate(tx, story)
        old_markdown = find_drafted_entry(tx, candidate)
        if old_markdown is None:
            raise CannotDecide("no-longer-drafted")
        machine_line = read_machine_line(old_markdown, newsletter)
        if proposal is not None:
            new_markdown = set_machine_line(old_markdown, proposal, newsletter)
        elif machine_line is None:
            raise CannotDecide("no-machine-line", machine=newsletter.labels.machine)
        elif action == "accept":
            new_markdown = accept_machine_line(old_markdown, newsletter)
        else:
            new_markdown = remove_machine_line(old_markdown, newsletter)
        decide_edit(tx, editor, candidate, old_markdown, new_markdown)
    return proposal or machine_line or ""


def find_drafted_entry(tx: Transaction, candidate: Candidate) -> str | None:
    """Find the Markdown of a story's entry in the drafts; None if no draft has an entry of the story."""
    entries = (entry for draft in tx.issues.list_drafts() for entry in changes.list_entries(draft))
    return next((entry.markdown for entry in entries if entry.story in candidate.story.members), None)


def move_entry(
    editor: Editor,
    day: date,
    position: int,
    section_index: int,
    entry_index: int,
    *,
    seen_edition: str | None = None,
) -> Issue:
    """Move an entry of a draft within its section or to another section.

    Args:
        editor: who moves it.
        day: the date of the draft.
        position: of the entry among all entries of the draft, from 0.
        section_index: of the new section among all sections, from 0.
        entry_index: of the entry in its new section, from 0; the end of the section if the section is shorter.
        seen_edition: the edition of the order that the editor saw; None skips the check.

    Returns:
        The changed draft.

    Raises:
        NoSuchIssue: no issue has this date, or the draft has no such entry or section.
        CannotDecide: the issue is published.
        Stale: somebody changed the order since the editor saw it.
    """
    with editor.store.transaction() as tx:
        draft = get_draft(tx, day)
        if seen_edition is not None and make_order_edition(draft) != seen_edition:
            raise Stale(day)
        changed = refit_entries(
            tx, draft, changes.move_entry(draft, position, section_index, entry_index), editor.newsletter
        )
        if changed != draft:
            save_issue(tx, changed, editor.newsletter, editor.rules)
            old_order, new_order = changes.write_order(draft), changes.write_order(changed)
            note_change(tx, editor, day, "order", old_text=old_order, new_text=new_order)
        return changed


def refit_entries(tx: Transaction, former: Issue, changed: Issue, newsletter: Newsletter) -> Issue:
    """Give entries that came among the one-liners, or left them, their new form, unless somebody edited them.

    Args:
        tx: open for reading.
        former: the draft before its order changed.
        changed: the draft after it.
        newsletter: its house style.

    Returns:
        The changed draft with the new texts.
    """
    briefs = [
        {entry.story for section in issue.sections if section.is_briefs for entry in section.entries}
        for issue in (former, changed)
    ]
    moved = {story for story in briefs[0] ^ briefs[1] if story is not None}
    stories = tx.stories.find_by_articles(moved) if moved else {}
    style = read_house_style(tx, newsletter)
    new_entries: dict[int, Entry] = {}
    for position, entry in enumerate(changes.list_entries(changed)):
        if entry.story in stories:
            candidate = find_candidate(tx, entry.story)
            new_entries[position] = fit_entry(entry, candidate, newsletter, style, as_brief=entry.story in briefs[1])
    return changes.replace_entries(changed, new_entries)


def redate(editor: Editor, day: date, new_day: date) -> Issue:
    """Give a draft another date.

    Args:
        editor: who redates it.
        day: the date of the draft.
        new_day: the date that it gets.

    Returns:
        The changed draft.

    Raises:
        NoSuchIssue: no issue has this date.
        CannotDecide: the issue is published, or the new date has an issue already.
    """
    with editor.store.transaction() as tx:
        draft = get_draft(tx, day)
        if new_day == day:
            return draft
        if tx.issues.get(new_day) is not None:
            raise CannotDecide("day-taken", day=new_day)
        changed = replace(draft, date=new_day)
        save_issue(tx, changed, editor.newsletter, editor.rules)
        tx.issues.remove(day)
        tx.feed.redate(day, new_day)
        note_change(tx, editor, new_day, "date", old_text=day.isoformat(), new_text=new_day.isoformat())
        return changed


def get_draft(tx: Transaction, day: date) -> Issue:
    """Get the draft of a date.

    Raises:
        NoSuchIssue: no issue has this date.
        CannotDecide: the issue is published.
    """
    issue = tx.issues.get(day)
    if issue is None:
        raise NoSuchIssue("no-such-issue", day=day)
    if issue.state == "published":
        raise CannotDecide("issue-published", day=day)
    return issue


def decide_edit(tx: Transaction, editor: Editor, candidate: Candidate, old_markdown: str, new_markdown: str) -> Decided:
    """Decide that a story's entry has another text, in the caller's transaction.

    Args:
        tx: open for writing.
        editor: who decides.
        candidate: the story.
        old_markdown, new_markdown: of its entry.
    """
    note = {"before": old_markdown, "after": new_markdown}
    return decide_in(tx, editor.newsroom, Decision(candidate.story.id, "edit", editor.name, editor.now, shown=note))


def note_change(
    tx: Transaction,
    editor: Editor,
    day: date,
    part: str,
    *,
    old_text: str | None,
    new_text: str | None,
    undoes: int | None = None,
) -> None:
    """Note a change of a draft that belongs to no story, so that it can be taken back.

    Args:
        tx: open for writing.
        editor: who changed it.
        day: the date of the draft after the change.
        part: as in `Change.part`.
        old_text, new_text: of the part; None without one.
        undoes: id of the change that this change takes back.
    """
    tx.changes.add(Change(0, day, part, old_text, new_text, editor.name, editor.now, undoes))
