"""Updates the list of back issues in a README, or in any page in Markdown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Final

from pipelines.issue import inline
from pipelines.issue.lines import find_code_lines
from pipelines.issue.markdown import render_back_issues
from pipelines.newsletter import Newsletter

# "## 往期", "***", "- - -": a heading or a thematic break
_SECTION_END: Final = re.compile(r" {0,3}(?:#{1,6}\s|([-*_])(?: *\1){2,} *$)")

# "===" or "---" below a line: the line is a heading
_UNDERLINE: Final = re.compile(r" {0,3}(?:=+|-+) *$")

# "往期", but neither "| 表" nor "- 列表"
_UNDERLINED: Final = re.compile(r" {0,3}[^\s|>*+-]")


def update_back_issues(page: str, past: Iterable[date], newsletter: Newsletter) -> str:
    """Write the list of issues under the page's heading for back issues.

    The list takes the lines from that heading to the next heading or thematic break; all other lines stay unchanged. A
    heading of exactly the newsletter's words wins over a heading that contains them. A page without the heading gets it
    at its end; an empty page gets the newsletter's title first. A newsletter without such a heading changes no page.

    Args:
        page: Markdown.
        past: dates of the issues to list.
        newsletter: `[back_issues]` sets the style, `[publish] readme_link` the address of an issue.

    Returns:
        The new page.
    """
    if not newsletter.back_issues.heading:
        return page
    style = newsletter.back_issues.model_copy(update={"link": newsletter.publish.readme_link, "url": None})
    issue_list = render_back_issues(past, newsletter.model_copy(update={"back_issues": style})).split("\n")
    lines = (page.replace("\r\n", "\n").rstrip() or f"# {newsletter.title}").split("\n")
    code = find_code_lines(lines)
    start = _find_list_heading(lines, code, style.heading)
    if start is None:
        return "\n".join([*lines, "", *issue_list, ""])
    ends = (number for number in range(start + 1, len(lines)) if number not in code and _ends_list(lines, number))
    end = next(ends, len(lines))
    following = ["", *lines[end:]] if end < len(lines) else []
    return "\n".join([*lines[:start], lines[start], *issue_list[1:], *following, ""])


def _find_list_heading(lines: Sequence[str], code: Collection[int], heading: str) -> int | None:
    pattern = re.compile(rf"(#{{1,6}})\s.*{re.escape(heading)}.*")  # "## 往期简报" for the heading 往期
    headings = [number for number, line in enumerate(lines) if number not in code and pattern.fullmatch(line)]
    exact = (number for number in headings if inline.strip_marks(lines[number]).strip("# ") == heading)
    return next(exact, headings[0] if headings else None)


def _ends_list(lines: Sequence[str], number: int) -> bool:
    """Whether a line is no part of the list: a heading of either form, or a thematic break."""
    if _SECTION_END.match(lines[number]):
        return True
    next_line = lines[number + 1] if number + 1 < len(lines) else ""
    return bool(_UNDERLINE.match(next_line) and _UNDERLINED.match(lines[number]))
