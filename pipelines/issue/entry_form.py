"""Puts an entry together from its parts, in the form that newsletter.toml gives the entries of its section."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.issue.escape import make_link
from pipelines.issue.inline import find_links
from pipelines.issue.shapes import EMOJI
from pipelines.newsletter import Newsletter, SectionStyle

# "[{title}]({url})", "[{title}](https://e.org/?target={url})"
_LINKED_TITLE: Final = re.compile(r"\[\{title\}\]\((?P<prefix>[^(){}]*)\{url\}\)")

# "\n   {summary}", "\n\n> {summary}": what precedes each line of a summary
_BEFORE_LINES: Final = re.compile(r"\n(?P<lead>[ >]+)\{summary\}\Z")


@dataclass(frozen=True, slots=True)
class EntryParts:
    """The parts of an entry, in Markdown.

    Args:
        title: that the address is linked to; a title with a link of its own stays as it is.
        url: the address; None for a title without a link.
        source: empty for an entry that names none.
        label_lines: 论文, 代码.
        summary: a paragraph or a point each.
        prefix: before the link: `[CVPR2020] `.
        editor: who signs it; empty for the editor of the newsletter.
    """

    title: str
    url: str | None = None
    source: str = ""
    label_lines: Sequence[str] = ()
    summary: Sequence[str] = ()
    prefix: str = ""
    editor: str = ""


def assemble_entry(parts: EntryParts, section: str, newsletter: Newsletter, *, by_hand: bool = False) -> str:
    r"""Put an entry together.

    Args:
        parts: of the entry.
        section: the name of its section, or its category.
        newsletter: its labels, and the forms of its entries.
        by_hand: whether the words are the editor's own: then they are printed whole, a summary also where the
            newsletter prints none, and an emoji before the title takes the place of that of the form.

    Returns:
        The entry's Markdown. In the usual form it always has a summary line, even an empty one.
    """
    style = newsletter.style_section(section)
    gap = "\n\n" if style.is_set_apart else "\n"
    editor = parts.editor or newsletter.editor
    head = _write_head(parts, style, editor, newsletter, by_hand=by_hand)
    if style.summary is None:
        summary = newsletter.labels.begin_line(newsletter.labels.summary) + gap.join(parts.summary)
        return gap.join([head, *parts.label_lines, summary])
    written = write_summary(parts.summary, section, newsletter, editor=editor, by_hand=by_hand)
    if written.startswith("\n"):
        return gap.join([head, *parts.label_lines]) + written
    return gap.join([head + written, *parts.label_lines])


def write_summary(
    paragraphs: Sequence[str], section: str, newsletter: Newsletter, *, editor: str = "", by_hand: bool = False
) -> str:
    """Write a summary without a label, with what parts it from the title.

    Args:
        paragraphs: Markdown, a paragraph or a point each.
        section: the name of the section, or its category.
        newsletter: the forms of its entries.
        editor: who signs it; empty for the editor of the newsletter.
        by_hand: whether it is printed also where the newsletter prints none.

    Returns:
        The Markdown that follows the title; it begins with a line break where it stands below. Empty without a text.
    """
    style = newsletter.style_section(section)
    gap = "\n\n" if style.is_set_apart else "\n"
    form = "\n{summary}" if style.summary is None else style.summary
    if by_hand and not form:
        form = "\n\n{summary}" if style.is_set_apart or style.blank_lines.between else "\n{summary}"
    text = gap.join(paragraphs)
    if lead := _BEFORE_LINES.search(form):
        text = re.sub(r"\n(?=.)", f"\n{lead['lead']}", _take_off_lead(text, lead["lead"]))
    return form.format(summary=text, editor=editor or newsletter.editor) if text.strip() else ""


def _take_off_lead(text: str, lead: str) -> str:
    """Take off what precedes each line of a summary, where a text copied from an issue has it already."""
    lines = text.split("\n")
    unindented = [line.removeprefix(lead) for line in lines if line.startswith(lead)]
    is_copied = all(line.startswith(lead) or line in ("", lead.rstrip()) for line in lines)
    if not is_copied or all(line[:1].isspace() for line in unindented):
        return text
    return "\n".join(line.removeprefix(lead if line.startswith(lead) else lead.rstrip()) for line in lines)


def _write_head(parts: EntryParts, style: SectionStyle, editor: str, newsletter: Newsletter, *, by_hand: bool) -> str:
    """Write the first line: the title with its link and its source."""
    form = style.entry or "[{title}]({url})"
    linked = _LINKED_TITLE.search(form)
    title = parts.title
    if by_hand and (mark := EMOJI.match(title)) and (lead := EMOJI.match(form)):
        form, title = mark[0] + form[lead.end() :], title[mark.end() :]
    separator = newsletter.labels.source_separator
    if parts.source and not style.source and separator.strip():
        title += separator + parts.source
    if parts.url and linked and not find_links(title):
        title = make_link(title, linked["prefix"] + parts.url)
    if not parts.url:
        form = form.removesuffix("\n{url}")
    head = _LINKED_TITLE.sub("{title}", form).format(title=parts.prefix + title, url=parts.url or "", editor=editor)
    return head + ((style.source or "").format(source=parts.source) if parts.source else "")
