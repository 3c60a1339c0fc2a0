"""How much of other newsletters' archives is read: `python tests/benchmarks/archives.py FOLDER [NAME ...]`.

FOLDER holds a folder for each newsletter, with its past issues in Markdown. Of each, `archive learn` sees every tenth
issue; then all are read with the `[reading]` it proposes (`--plain`: with none). The archives are fetched for the
occasion, never committed.

Which links are items was decided by hand on issues of the start, the middle and the end of each archive, and not by
the reader under test: an item is a line of the form that the newsletter gives its items (`_ITEM_LINES`: `1、`, `### `,
an unindented bullet), below the first heading after the title; its link is the first one in its first lines, up to a
blank line or the next item. A line without a link there is no item's line: a quotation, a name. Lists inside an item,
the prose, pictures, comments, code, and headings of sections that are links are no items.

A file that is named as no issue gives no entries: its links count as not read; `of issues` leaves them out.

A link counts as read where it is the first link of an entry. An issue reads back equal where its export, read again,
gives the same value.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from crawler.home import bundled
from pipelines.issue import inline
from pipelines.issue.decoding import NotAnIssue, decode_issue
from pipelines.issue.definitions import resolve_links
from pipelines.issue.lines import MarkdownLines
from pipelines.issue.markdown import render_issue
from pipelines.issue.reading import read_issue
from pipelines.issue.reading_style import Example, learn_reading, needs_numbering
from pipelines.model import Issue
from pipelines.newsletter import Category, Newsletter, Numbering

NUMBERED: Final = r"\d{1,3}[、.．)）] ?"
BULLET: Final = r"[-*+] +"
HEADING: Final = r"### +"

_ITEM_LINES: Final = {
    "weekly": NUMBERED,
    "hellogithub": NUMBERED,
    "python": NUMBERED,
    "go": NUMBERED,
    "ios": HEADING,
    "rweekly": BULLET,
    "twir": BULLET,
}
_TITLES: Final = {"rweekly": "R Weekly", "twir": "This Week in Rust"}
_MOST_HEAD_LINES: Final = 6


@dataclass
class Count:
    """Of one newsletter: its files, the links of its items, and how many came into entries."""

    files: int = 0
    refused: int = 0
    refused_links: int = 0
    links: int = 0
    read: int = 0
    entries: int = 0
    equal: int = 0

    @property
    def share(self) -> float:
        """Of all links, those that were read."""
        return self.read / max(self.links, 1)

    @property
    def share_of_issues(self) -> float:
        """Of the links of files that are issues, those that were read."""
        return self.read / max(self.links - self.refused_links, 1)


def find_item_links(text: str, item_line: str) -> Iterator[str]:
    """Find the link of each item of an issue, by the hand-made definition above."""
    page = MarkdownLines.split(text)
    starts_item = re.compile(item_line + r"(?=\S)")
    below_heading = False
    title_passed = not any(re.match(r"# (?!#)", line) and _looks_like_title(line) for line in page.lines)
    number = 0
    while number < len(page.lines):
        line = page.lines[number]
        if number in page.opaque:
            number += 1
            continue
        if re.match(r"#{1,6}\s", line) and not (item_line == HEADING and starts_item.match(line)):
            below_heading = below_heading or title_passed
            title_passed = True
        elif below_heading and starts_item.match(line):
            head = [line]
            if item_line != HEADING:
                for following in page.lines[number + 1 : number + _MOST_HEAD_LINES]:
                    if not following.strip() or starts_item.match(following) or re.match(r"\s+[-*+] ", following):
                        break
                    head.append(following)
            urls = inline.find_urls(resolve_links("\n".join(head), page.definitions))
            if urls:
                yield urls[0]
        number += 1


def _looks_like_title(line: str) -> bool:
    return bool(re.search(r"第 ?\d+ ?期|#\d+|Vol\.\d+", line))


def measure(folder: Path, *, verbose: bool, plain: bool) -> Count:
    """Learn the reading of a newsletter, read all its issues, and write and read each again.

    Args:
        folder: of its issues.
        verbose: prints the reading, and what was not read.
        plain: leaves out the learning: the shape of each section is found from the section itself.
    """
    paths = sorted(folder.iterdir())
    texts = {path: decode_issue(path.read_bytes(), path.name)[0] for path in paths}
    newsletter = Newsletter(title=_TITLES.get(folder.name, folder.name), editor="e", categories=(Category(name="-"),))
    examples = [Example(path.name, texts[path]) for path in paths[::10]]
    if not plain:
        newsletter = newsletter.model_copy(update={"reading": learn_reading(examples, newsletter)})
    if needs_numbering(examples, newsletter):
        newsletter = newsletter.model_copy(update={"numbering": Numbering(first=date(2016, 1, 1))})
    if verbose:
        print(newsletter.reading)  # noqa: T201
    template = (bundled() / "templates/issue.md.j2").read_text(encoding="utf-8")
    count = Count()
    for path in paths:
        links = Counter(find_item_links(texts[path], _ITEM_LINES[folder.name]))
        count.files += 1
        count.links += links.total()
        try:
            issue = read_issue(path.read_bytes(), name=path.name, newsletter=newsletter)
        except NotAnIssue as error:
            count.refused += 1
            count.refused_links += links.total()
            if verbose:
                print(error)  # noqa: T201
            continue
        leading = Counter(filter(None, (_find_first_url(entry.markdown) for entry in list_entries(issue))))
        read = links & leading
        count.read += read.total()
        count.entries += len(list_entries(issue))
        if verbose and (missing := links - read):
            print(path.name, missing.total(), "not read:", *list(missing)[:3])  # noqa: T201
        again = read_back(issue, newsletter, template, path.name)
        count.equal += again == replace(issue, warnings=())
        if verbose and again != issue:
            print(path.name, "comes back changed:", describe_change(issue, again))  # noqa: T201
    return count


def list_entries(issue: Issue) -> list:
    return [entry for section in issue.sections for entry in section.entries]


def _find_first_url(markdown: str) -> str | None:
    return next(iter(inline.find_urls(markdown)), None)


def read_back(issue: Issue, newsletter: Newsletter, template: str, name: str) -> Issue | None:
    text = render_issue(issue, newsletter, template)
    try:
        return replace(read_issue(text.encode(), name=name, newsletter=newsletter), warnings=())
    except NotAnIssue:
        return None


def describe_change(issue: Issue, again: Issue | None) -> str:
    if again is None:
        return "not read"
    for name in Issue.__dataclass_fields__:
        left, right = getattr(issue, name), getattr(again, name)
        if name == "sections" and left != right:
            pair = next(((a, b) for a, b in zip(left, right, strict=False) if a != b), (len(left), len(right)))
            return f"sections {str(pair[0])[:300]} -> {str(pair[1])[:300]}"
        if left != right and name != "warnings":
            return f"{name} {str(left)[:200]!r} -> {str(right)[:200]!r}"
    return ""


def main() -> None:
    folder, *names = sys.argv[1:]
    plain = "--plain" in names
    names = [name for name in names if name != "--plain"]
    columns = ("files", "refused", "items", "read", "share", "of issues", "entries", "equal")
    print("newsletter  ", *(f"{column:>9}" for column in columns))  # noqa: T201
    for name in names or sorted(path.name for path in Path(folder).iterdir() if path.name in _ITEM_LINES):
        count = measure(Path(folder) / name, verbose=bool(names), plain=plain)
        numbers = (count.files, count.refused, count.links, count.read)
        shares = (f"{count.share:9.1%}", f"{count.share_of_issues:9.1%}")
        print(f"{name:12}", *(f"{n:9}" for n in numbers), *shares, f"{count.entries:9} {count.equal:9}")  # noqa: T201


if __name__ == "__main__":
    main()
