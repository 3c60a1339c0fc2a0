"""What an export writes: the files and their texts, before any of them is touched."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipelines import files
from pipelines.issue.formats.as_json import to_json
from pipelines.issue.formats.atom import to_atom
from pipelines.issue.formats.readme import with_back_issues
from pipelines.issue.formats.wechat import Picture, page, to_wechat
from pipelines.issue.markdown import accepted, render
from pipelines.model import Issue
from pipelines.newsroom import Newsroom


class Format(StrEnum):
    """What an issue can be exported as; the end of the file's name."""

    MARKDOWN = "md"
    WECHAT = "wechat.html"
    ATOM = "xml"
    JSON = "json"


class UnreadableReadme(Exception):
    """The page whose back issues are to be kept up is no UTF-8 text; the message names it."""


@dataclass(frozen=True, slots=True)
class ToWrite:
    """A file that an export makes.

    Args:
        path: where it goes.
        text: all of it.
        pictures: those that somebody has to upload by hand.
    """

    path: Path
    text: str
    pictures: tuple[Picture, ...] = ()

    def differs(self) -> bool:
        """Whether the file says something else, or is not there."""
        try:
            return self.path.read_bytes() != self.text.encode()
        except FileNotFoundError:
            return True

    def write(self) -> bool:
        """Have the file say it; whether it changed.

        Raises:
            OSError: it cannot be written.
        """
        return files.write(self.path, self.text)


def written(issue: Issue, as_format: Format, newsroom: Newsroom) -> str:
    """One issue in a format that is a file an issue: Markdown, JSON."""
    if as_format is Format.JSON:
        return to_json(issue, newsroom.newsletter)
    return render(issue, newsroom.newsletter, _template(newsroom, "issue.md.j2"))


def planned(
    newsroom: Newsroom,
    issues: Sequence[Issue],
    formats: Collection[Format],
    folder: Path,
    *,
    published: Sequence[Issue],
    whole: bool,
) -> list[ToWrite]:
    """The files of an export, in the order of the issues.

    Args:
        issues: those that were asked for.
        formats: a feed is one file of all published issues, any other format a file an issue.
        folder: where issues lie.
        published: all that are out, those that this export publishes included.
        whole: also keep up the list of back issues in the README that `[publish]` names.

    Raises:
        UnreadableReadme: that file is no UTF-8 text.
    """
    issues, published = ([accepted(one, newsroom.newsletter) for one in each] for each in (issues, published))
    found = [one for issue in issues for one in _of_issue(newsroom, issue, formats, folder)]
    style = newsroom.newsletter.publish
    if Format.ATOM in formats:
        text = to_atom(published, newsroom.newsletter, _template(newsroom, "issue.md.j2"))
        found.append(ToWrite(folder / style.feed, text))
    if whole and style.readme:
        found.append(_readme(newsroom, folder / style.readme, published))
    return found


def _of_issue(newsroom: Newsroom, issue: Issue, formats: Collection[Format], folder: Path) -> Iterator[ToWrite]:
    for one in formats:
        path = folder / f"{issue.date}.{one.value}"
        if one is Format.WECHAT:
            templates = (_template(newsroom, name) for name in ("wechat.html.j2", "wechat.css"))
            article = to_wechat(issue, newsroom.newsletter, *templates)
            yield ToWrite(path, page(article, issue), article.pictures)
        elif one is not Format.ATOM:
            yield ToWrite(path, written(issue, one, newsroom))


def _readme(newsroom: Newsroom, path: Path, published: Sequence[Issue]) -> ToWrite:
    try:
        before = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        before = ""
    except UnicodeDecodeError as error:
        raise UnreadableReadme(f"{path}：不是 UTF-8 文本；请先转换编码") from error
    return ToWrite(path, with_back_issues(before, [one.date for one in published], newsroom.newsletter))


def _template(newsroom: Newsroom, name: str) -> str:
    return newsroom.home.template(name).read_text(encoding="utf-8")
