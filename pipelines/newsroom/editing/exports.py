"""Plans an export: the files and their texts, before any file is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, assert_never

from pipelines import files
from pipelines.errors import EditorError
from pipelines.issue.blank_lines import find_blank_lines
from pipelines.issue.decoding import decode_issue
from pipelines.issue.formats.as_csv import render_csv
from pipelines.issue.formats.as_json import render_json
from pipelines.issue.formats.atom import ExportedFeed, FeedMemory, render_atom
from pipelines.issue.formats.readme import update_back_issues
from pipelines.issue.formats.wechat import Picture, WeChatArticle, render_wechat, render_wechat_page
from pipelines.issue.markdown import remove_unprinted_parts, render_issue
from pipelines.issue.reading import read_issue
from pipelines.model import Issue
from pipelines.newsletter import Newsletter
from pipelines.newsroom import Newsroom


class UnreadableReadme(EditorError):
    """The README that lists the back issues is no UTF-8 text; the message names it. Raised by `plan_files`."""


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file that an export will write.

    Args:
        path: of the file.
        text: the whole content.
        pictures: that a person has to upload by hand.
    """

    path: Path
    text: str
    pictures: tuple[Picture, ...] = ()

    def differs(self) -> bool:
        """Whether the file has another content, or does not exist."""
        try:
            return self.path.read_bytes() != self.text.encode()
        except FileNotFoundError:
            return True

    def write(self) -> bool:
        """Write the text to the file.

        Returns:
            Whether the content changed.

        Raises:
            OSError: the file cannot be written.
        """
        return files.write(self.path, self.text)


@dataclass(frozen=True, slots=True)
class Rendering:
    """The text of a file, and the pictures that a person has to upload by hand."""

    text: str
    pictures: tuple[Picture, ...] = ()


class Format(StrEnum):
    """The formats of an export; `--format` takes these names."""

    MARKDOWN = "markdown"
    WECHAT = "wechat"
    ATOM = "atom"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class FileAnIssue:
    """A format that writes a file for each issue.

    Args:
        ending: of the file's name, after the issue's date and a dot.
        render: makes the text of an issue.
    """

    ending: str
    render: Callable[[Issue, Newsroom], Rendering]


@dataclass(frozen=True, slots=True)
class FileOfAll:
    """A format that writes one file of all published issues.

    Args:
        name: of the file, relative to the folder of issues.
        render: makes the text of all issues at a time; the text of the file as it is helps it keep what readers know.
    """

    name: Callable[[Newsletter], str]
    render: Callable[[Sequence[Issue], Newsroom, str, datetime], Rendering]


def _render_markdown(issue: Issue, newsroom: Newsroom) -> Rendering:
    return Rendering(render_issue(issue, newsroom.newsletter, _template(newsroom, "issue.md.j2")))


def _render_wechat(issue: Issue, newsroom: Newsroom) -> Rendering:
    article = make_wechat_article(issue, newsroom)
    return Rendering(render_wechat_page(article, issue, newsroom.newsletter), article.pictures)


def _render_json(issue: Issue, newsroom: Newsroom) -> Rendering:
    return Rendering(render_json(issue, newsroom.newsletter))


def _render_csv(issue: Issue, newsroom: Newsroom) -> Rendering:
    return Rendering(render_csv(issue, newsroom.newsletter))


def _render_atom(issues: Sequence[Issue], newsroom: Newsroom, old_text: str, now: datetime) -> Rendering:
    exported = ExportedFeed.read(old_text, newsroom.newsletter)
    with newsroom.store.reading() as tx:
        memory = FeedMemory(tx.feed.get_ids(), tx.feed.list_corrections())
    template = _template(newsroom, "issue.md.j2")
    return Rendering(render_atom(issues, newsroom.newsletter, template, now=now, exported=exported, memory=memory))


FORMATS: Final[Mapping[Format, FileAnIssue | FileOfAll]] = {
    Format.MARKDOWN: FileAnIssue("md", _render_markdown),
    Format.WECHAT: FileAnIssue("wechat.html", _render_wechat),
    Format.ATOM: FileOfAll(lambda newsletter: newsletter.publish.feed, _render_atom),
    Format.JSON: FileAnIssue("json", _render_json),
    Format.CSV: FileAnIssue("csv", _render_csv),
}
"""The row of each format. A format without a row fails before any file is written."""


def make_wechat_article(issue: Issue, newsroom: Newsroom) -> WeChatArticle:
    """Make the WeChat article of an issue."""
    templates = (_template(newsroom, name) for name in ("wechat.html.j2", "wechat.css"))
    return render_wechat(issue, newsroom.newsletter, *templates)


def render_as_markdown(issue: Issue, newsroom: Newsroom) -> str:
    """Render an issue as Markdown."""
    return _render_markdown(issue, newsroom).text


def read_past_issue(data: bytes, name: str, newsroom: Newsroom) -> Issue:
    """Read a past issue with its blank lines, so that an export of it changes no line.

    Args:
        data: the file.
        name: the file's name.
        newsroom: of the newsletter.

    Raises:
        NotAnIssue: as `read_issue`.
    """
    issue = read_issue(data, name=name, newsletter=newsroom.newsletter)
    original, _ = decode_issue(data, name)
    return replace(issue, blank_lines=find_blank_lines(original, render_as_markdown(issue, newsroom)))


def plan_files(
    newsroom: Newsroom,
    issues: Sequence[Issue],
    formats: Collection[Format],
    folder: Path,
    *,
    published: Sequence[Issue],
    whole: bool,
    now: datetime,
) -> list[PlannedFile]:
    """Plan the files of an export.

    Args:
        newsroom: gives the newsletter and the templates.
        issues: to export.
        formats: a feed is one file of all published issues; any other format is a file for each issue.
        folder: of the issues.
        published: all published issues, with the issues that this export publishes.
        whole: also update the list of back issues in the README that `[publish]` names.
        now: the current time, aware.

    Returns:
        The files, in the order of the issues.

    Raises:
        UnreadableReadme: the README is no UTF-8 text.
    """
    issues, published = (
        [remove_unprinted_parts(issue, newsroom.newsletter) for issue in each] for each in (issues, published)
    )
    rows = [FORMATS[name] for name in formats]
    plan = [file for issue in issues for row in rows for file in _files_of_issue(issue, row, newsroom, folder)]
    plan += [file for row in rows for file in _files_of_all(published, row, newsroom, folder, now)]
    readme = newsroom.newsletter.publish.readme
    if whole and readme:
        plan.append(_readme(newsroom, folder / readme, published))
    return plan


def remember_feed(newsroom: Newsroom, plan: Sequence[PlannedFile]) -> None:
    """Remember the identifiers of the feed that an export wrote, so that no later feed gives its issues others.

    Args:
        newsroom: whose store remembers them.
        plan: the files that were written; without a feed among them nothing happens.
    """
    feed = next((file for file in plan if file.path.name == Path(newsroom.newsletter.publish.feed).name), None)
    if feed is None:
        return
    ids = ExportedFeed.read(feed.text, newsroom.newsletter).get_ids()
    with newsroom.store.reading() as tx:
        is_known = ids.items() <= tx.feed.get_ids().items()
    if not is_known:
        with newsroom.store.transaction() as tx:
            tx.feed.add_ids(ids)


def _files_of_issue(
    issue: Issue, row: FileAnIssue | FileOfAll, newsroom: Newsroom, folder: Path
) -> Iterator[PlannedFile]:
    match row:
        case FileAnIssue():
            rendering = row.render(issue, newsroom)
            yield PlannedFile(
                folder / name_file(issue, newsroom.newsletter, row.ending), rendering.text, rendering.pictures
            )
        case FileOfAll():
            pass
        case _:
            assert_never(row)


def name_file(issue: Issue, newsletter: Newsletter, ending: str) -> str:
    """Name the file of an issue: `[publish] file` of newsletter.toml, without separators of folders, and an ending."""
    name = newsletter.fill_template(newsletter.publish.file, issue.date, number=issue.number, slug=issue.slug)
    plain = re.sub(r"[/\\\x00]", "-", name)
    return f"{plain}.{ending}"


def _files_of_all(
    issues: Sequence[Issue], row: FileAnIssue | FileOfAll, newsroom: Newsroom, folder: Path, now: datetime
) -> Iterator[PlannedFile]:
    match row:
        case FileOfAll():
            path = folder / row.name(newsroom.newsletter)
            own_path = newsroom.home.folder / "issues" / row.name(newsroom.newsletter)  # its readers know this file
            old_path = next(filter(Path.exists, (path, own_path)), None)
            old_text = old_path.read_text(encoding="utf-8", errors="replace") if old_path else ""
            rendering = row.render(issues, newsroom, old_text, now)
            yield PlannedFile(path, rendering.text, rendering.pictures)
        case FileAnIssue():
            pass
        case _:
            assert_never(row)


def _readme(newsroom: Newsroom, path: Path, published: Sequence[Issue]) -> PlannedFile:
    try:
        old_text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        old_text = ""
    except UnicodeDecodeError as error:
        raise UnreadableReadme("no-utf-8", path=path) from error
    return PlannedFile(path, update_back_issues(old_text, [issue.date for issue in published], newsroom.newsletter))


def _template(newsroom: Newsroom, name: str) -> str:
    return newsroom.home.template(name).read_text(encoding="utf-8")
