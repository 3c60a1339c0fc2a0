"""Makes an entry of an editor's own words, behind which no article stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.errors import CannotDecide
from pipelines.issue.changes import tidy_text
from pipelines.issue.entry import is_label_or_summary_line, read_entry, split_prefixes
from pipelines.issue.entry_form import EntryParts, assemble_entry
from pipelines.issue.escape import (
    clean_line,
    escape_around_code,
    escape_markdown,
    is_relative,
    make_autolink,
    make_link,
    make_printable_url,
)
from pipelines.issue.inline import find_links
from pipelines.model import Entry, StoryLink
from pipelines.newsletter import Newsletter


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """The parts of an entry as an editor fills them in.

    Args:
        title: plain text; words between backticks are code, texts in brackets before it (`[video] `) stand before the
            link. A title with a link of its own is Markdown.
        source: plain text; empty for an entry that names none.
        url: the address that the title links; empty for a title without a link.
        links: further addresses, a label line each.
        summary: Markdown; empty for an entry of a title alone.
        editor: who signs it; empty for the editor of the newsletter.
    """

    title: str
    source: str = ""
    url: str = ""
    links: Sequence[StoryLink] = ()
    summary: str = ""
    editor: str = ""


def compose_entry(draft: EntryDraft, section: str, newsletter: Newsletter) -> Entry:
    """Write an entry in the house style from its parts.

    Args:
        draft: the parts.
        section: the section or the category that it is written for.
        newsletter: its labels, its separator, and the forms of its entries.

    Raises:
        CannotDecide: there is no title, or an address is none that an issue may print.
    """
    labels = newsletter.labels
    title = clean_line(draft.title)
    if not title:
        raise CannotDecide("entry-without-title")
    url = _read_address(draft.url) if draft.url.strip() else None
    label_lines = []
    for link in draft.links:
        if link.url.strip():
            label = clean_line(link.label) or labels.link
            label_lines.append(labels.begin_line(escape_markdown(label)) + make_autolink(_read_address(link.url)))
    own_links = find_links(title)
    is_markdown = bool(own_links) and all(make_printable_url(link.url) or is_relative(link.url) for link in own_links)
    prefixes, name = ((), title) if is_markdown or not url else split_prefixes(title)
    parts = EntryParts(
        title=title if is_markdown else escape_around_code(name),
        url=url,
        source=escape_markdown(draft.source),
        label_lines=label_lines,
        summary=[tidy_text(draft.summary)],
        prefix="".join(f"[{escape_markdown(prefix)}] " for prefix in prefixes),
        editor=clean_line(draft.editor),
    )
    return Entry(assemble_entry(parts, section, newsletter, by_hand=True).rstrip())


def write_second_entry(first: str, text: str, newsletter: Newsletter) -> Entry:
    """Write the second of two entries that one post gives.

    A first line without a link gets the link and the source of the first entry; a first line with a link stays.

    Args:
        first: Markdown of the first entry.
        text: Markdown of the second entry: its title, then its summary.
        newsletter: its labels and its separator.

    Raises:
        CannotDecide: the text is blank.
    """
    title, _, lines = tidy_text(text).strip().partition("\n")
    if not title:
        raise CannotDecide("entry-without-title")
    view = read_entry(first, newsletter)
    if not find_links(title) and (view.url or view.source):
        separator = newsletter.labels.source_separator
        names_source = view.source and separator.strip() and separator.strip() not in title
        head = title.strip() + (separator + escape_markdown(view.source or "") if names_source else "")
        title = make_link(head, view.url) if view.url else head
    labels = newsletter.labels
    if (
        lines.strip()
        and labels.summary
        and not any(is_label_or_summary_line(line, newsletter) for line in lines.split("\n"))
    ):
        lines = labels.begin_line(labels.summary) + lines.lstrip("\n")
    return Entry(f"{title}\n{lines}".rstrip())


def _read_address(url: str) -> str:
    address = make_printable_url(url.strip())
    if address is None:
        raise CannotDecide("entry-bad-address", url=url.strip()[:80])
    return address
