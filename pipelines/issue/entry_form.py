"""Puts an entry together from its parts, in the form that newsletter.toml gives the entries of its section."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pipelines.issue.escape import make_link
from pipelines.model import Section
from pipelines.newsletter import Newsletter

# "[{title}]({url})", "[{title}](https://e.org/?target={url})"
_LINKED_TITLE: Final = re.compile(r"\[\{title\}\]\((?P<prefix>[^(){}]*)\{url\}\)")

# "\n   {summary}", "\n\n> {summary}": what precedes each line of a summary
_BEFORE_LINES: Final = re.compile(r"\n(?P<lead>[ >]+)\{summary\}\Z")


def assemble_entry(  # noqa: PLR0917 - the parts of an entry, in the order of print
    title: str,
    url: str | None,
    label_lines: Sequence[str],
    summary: Sequence[str],
    section: str,
    newsletter: Newsletter,
    prefix: str = "",
) -> str:
    r"""Put an entry together.

    Args:
        title: Markdown of its title, with the source where the newsletter prints one.
        url: that the title links; None for a title without a link.
        label_lines: 论文, 代码.
        summary: Markdown, a paragraph or a point each.
        section: the name of its section, or its category.
        newsletter: its labels, and the forms of its entries.
        prefix: before the link: `[CVPR2020] `.

    Returns:
        The entry's Markdown. In the usual form it always has a summary line, even an empty one.
    """
    style = newsletter.style_section(section)
    gap = "\n\n" if Section("", marker=style.marker or "").is_set_apart else "\n"
    form = style.entry or "[{title}]({url})"
    linked = _LINKED_TITLE.search(form)
    head = prefix + (make_link(title, linked["prefix"] + url) if url and linked else title)
    head = _LINKED_TITLE.sub("{title}", form).format(title=head, url=url or "", editor=newsletter.editor)
    text = gap.join(summary)
    if style.summary is None:
        return gap.join([head, *label_lines, newsletter.labels.begin_line(newsletter.labels.summary) + text])
    if lead := _BEFORE_LINES.search(style.summary):
        text = re.sub(r"\n(?=.)", f"\n{lead['lead']}", text)
    written = style.summary.format(summary=text, editor=newsletter.editor) if text.strip() else ""
    if written.startswith("\n"):
        return gap.join([head, *label_lines]) + written
    return gap.join([head + written, *label_lines])
