"""A README, or any page in Markdown, whose list of back issues is kept up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from pipelines.issue import inline
from pipelines.issue.markdown import back_issues
from pipelines.issue.reading import code_lines
from pipelines.newsletter import Newsletter


def with_back_issues(page: str, past: Iterable[date], newsletter: Newsletter) -> str:
    """The page with the list of these issues under the heading that the newsletter gives such lists.

    All from that heading to the next one, or to a thematic break, is the list's; the rest is not touched. The heading
    that says just these words is meant before one that only has them in it. A page without the heading gets it at its
    end; an empty one gets the newsletter's title first.

    Args:
        past: dates of the issues to list.
        newsletter: `[back_issues]` says how, `[publish] readme_link` where an issue lies.
    """
    style = newsletter.back_issues.model_copy(update={"link": newsletter.publish.readme_link, "url": None})
    made = back_issues(past, newsletter.model_copy(update={"back_issues": style})).split("\n")
    lines = (page.replace("\r\n", "\n").rstrip() or f"# {newsletter.title}").split("\n")
    code = code_lines(lines)
    heading = re.compile(rf"(#{{1,6}})\s.*{re.escape(style.heading)}.*")
    found = [at for at, line in enumerate(lines) if at not in code and heading.fullmatch(line)]
    start = next((at for at in found if inline.plain(lines[at]).strip("# ") == style.heading), next(iter(found), None))
    if start is None:
        return "\n".join([*lines, "", *made, ""])
    ends = (at for at in range(start + 1, len(lines)) if at not in code and _ends(lines, at))
    end = next(ends, len(lines))
    rest = ["", *lines[end:]] if end < len(lines) else []
    return "\n".join([*lines[:start], lines[start], *made[1:], *rest, ""])


_ENDS = re.compile(r" {0,3}(?:#{1,6}\s|([-*_])(?: *\1){2,} *$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+) *$")
_UNDERLINED = re.compile(r" {0,3}[^\s|>*+-]")


def _ends(lines: Sequence[str], at: int) -> bool:
    """Whether a line begins what is no part of the list: a heading of either sort, or a thematic break."""
    below = lines[at + 1] if at + 1 < len(lines) else ""
    return bool(_ENDS.match(lines[at]) or (_UNDERLINE.match(below) and _UNDERLINED.match(lines[at])))
