"""The commands about issues: read back issues, look a draft over, export files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.text import Text

from pipelines.cli import terminal
from pipelines.cli.shared import DATE_FORMAT, Json, editor_of, group_what_is_new, newsroom_of, now, print_json
from pipelines.cli.terminal import SOME_FAILED, fail, out, sentence, warn
from pipelines.cli.usage import Group, WrongUse
from pipelines.errors import describe_error

if TYPE_CHECKING:
    from crawler.errors import Detail
    from pipelines.issue.archive_check import ArchiveCheck
    from pipelines.issue.changes import SectionText
    from pipelines.model import StoryLink
    from pipelines.newsletter import Newsletter
    from pipelines.newsroom import Newsroom
    from pipelines.newsroom.editing.exports import Format

_Read = TypeVar("_Read")

archive_app = typer.Typer(cls=Group, help="往期简报。", no_args_is_help=True)
issue_app = typer.Typer(cls=Group, help="各期简报：草稿与已刊。", no_args_is_help=True)


@archive_app.command("import")
def archive_import(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="往期 Markdown。")
    ],
    replace: Annotated[bool, typer.Option("--replace", help="那一天已有草稿时，用文件换掉它。")] = False,
) -> None:
    """读入往期简报：刊过的不会再当新的，也供以后学习归栏与取舍。

    例：jianbao archive import past/*.md
    """
    from pipelines.newsroom.editing.exports import read_past_issue
    from pipelines.newsroom.editing.issues import import_issues

    newsroom = newsroom_of(context)
    issues_by_file = {}
    for path, issue in _read_files(paths, lambda path: read_past_issue(path.read_bytes(), path.name, newsroom)):
        for warning in issue.warnings:
            warn(_describe_warning(path, warning))
        issues_by_file[str(path)] = issue
    imported = import_issues(newsroom, issues_by_file, replace_drafts=replace, now=now())
    for refusal in imported.refused:
        fail(describe_error(refusal, terminal.get_language()))
    for day in imported.corrected:
        out.print(sentence("cli/corrected", day=day))
    entry_counts = {issue.date: issue.item_count for issue in imported.issues}
    empty = [day for day, count in entry_counts.items() if not count]
    for day in empty:
        fail(sentence("cli/empty-issue", day=day))
    out.print(sentence("cli/imported", issues=len(imported.issues), entries=sum(entry_counts.values())))
    group_what_is_new(newsroom)
    if len(imported.issues) < len(paths) or empty:
        raise typer.Exit(SOME_FAILED)


@archive_app.command("check")
def archive_check(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="往期 Markdown。")
    ],
) -> None:
    """逐个文件列出读得出什么：条目、不在条目里的链接、混在别的条目里的条目、框架；什么也不写。读不出条目就以 1 退出。

    例：jianbao archive check past/*.md
    """
    if not _print_checks(paths, newsroom_of(context).newsletter):
        raise typer.Exit(SOME_FAILED)


@archive_app.command("learn")
def archive_learn(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="往期 Markdown，十来期就够。")
    ],
    write: Annotated[
        bool, typer.Option("--write", help="写进 newsletter.toml；原来的留作 newsletter.toml.before，已有的不覆盖。")
    ] = False,
) -> None:
    """从几期往期看出这份简报的样子：怎样读，怎样写；打印成 newsletter.toml 的各项，再列出照它读得出什么。

    例：jianbao archive learn past/*.md --write
    """
    from pipelines import files
    from pipelines.issue.decoding import decode_issue
    from pipelines.issue.reading_style import Example
    from pipelines.newsroom.editing.learned_style import learn_style, write_settings

    newsroom = newsroom_of(context)
    decoded = _read_files(paths, lambda path: decode_issue(path.read_bytes(), path.name)[0])
    examples = [Example(path.name, text) for path, text in decoded]
    if not examples:
        raise typer.Exit(SOME_FAILED)
    learned = learn_style(examples, newsroom.newsletter)
    out.out(write_settings("", learned.settings), highlight=False)
    if learned.is_numbering_guessed:
        out.out(f"# {sentence('archive/numbering')}\n", highlight=False)
    if learned.removed_categories:
        warn(sentence("archive/removed-categories", names=list(learned.removed_categories)))
    if write and not learned.settings:
        out.print(sentence("archive/nothing-new"))
    elif write:
        path = newsroom.home.newsletter
        former = path.read_text(encoding="utf-8")
        kept_path = files.find_free_path(path.with_name(path.name + ".before"))
        files.write(kept_path, former)
        files.write(path, write_settings(former, learned.settings))
        out.print(sentence("archive/kept-former", name=kept_path.name))
    if not _print_checks(paths, learned.newsletter):
        raise typer.Exit(SOME_FAILED)


def _print_checks(paths: Sequence[Path], newsletter: Newsletter) -> bool:
    """Print what is read of each file, and whether every file gave entries."""
    from pipelines.issue.archive_check import check_issue

    counts = []
    for path, check in _read_files(paths, lambda path: check_issue(path.read_bytes(), path.name, newsletter)):
        counts.append(check.count)
        for line in _describe_check(check, path.name):
            out.print(Text(line), soft_wrap=True)
        for warning in check.issue.warnings:
            if warning.code != "archive/loose-links":  # each is a line of its own above
                warn(_describe_warning(path, warning))
    return len(counts) == len(paths) and all(counts)


def _read_files(paths: Iterable[Path], read: Callable[[Path], _Read]) -> Iterator[tuple[Path, _Read]]:
    """Read past issues in the order of their names; a file that is none is named on stderr and left out."""
    from pipelines.issue.decoding import NotAnIssue

    for path in sorted(paths):
        try:
            yield path, read(path)
        except NotAnIssue as error:
            fail(describe_error(error, terminal.get_language()))


def _describe_warning(path: Path, warning: Detail) -> str:
    return sentence("failure/position", position=path.name, detail=warning)


def _describe_check(check: ArchiveCheck, name: str) -> Iterator[str]:
    """Describe what is read of a file, a line each for the file, its sections, its frame and its loose links."""
    issue = check.issue
    yield sentence("archive/file", path=name, day=issue.date, title=issue.title or issue.headline, count=check.count)
    for section in check.sections:
        marker = section.marker.strip() or "¶"
        values = {"line": section.line, "section": section.name, "marker": marker, "count": section.count}
        yield "  " + sentence("archive/section", **values)
    for section in check.frame:
        yield "  " + sentence("archive/frame", line=section.line, section=section.name)
    for link in check.loose_links:
        yield "  " + sentence("archive/loose-link", line=link.line, url=link.url)
    for item in check.inner_items:
        yield "  " + sentence("archive/inner-item", line=item.line, url=item.url)


@issue_app.command("list")
def issue_list(context: typer.Context) -> None:
    """列出各期，新的在前。

    例：jianbao issue list
    """
    from pipelines.newsroom.editing.issues import list_issues

    newsroom = newsroom_of(context)
    out.print(terminal.make_issue_table(list_issues(newsroom.store)))


@issue_app.command("show")
def issue_show(
    context: typer.Context,
    day: Annotated[
        datetime | None, typer.Argument(metavar="[DATE]", formats=DATE_FORMAT, help="默认是当前草稿。")
    ] = None,
) -> None:
    """打印一期的 Markdown。

    例：jianbao issue show 2020-01-27
    """
    from pipelines.newsroom.editing.exports import render_as_markdown
    from pipelines.newsroom.editing.issues import read_issues_to_export

    newsroom = newsroom_of(context)
    (issue,) = read_issues_to_export(newsroom.store, newsroom.newsletter, [day.date()] if day else [])
    out.out(render_as_markdown(issue, newsroom), end="", highlight=False)


@issue_app.command("write")
def issue_write(
    context: typer.Context,
    category: Annotated[str, typer.Option("--category", metavar="C", help="写进哪一栏。")],
    day: Annotated[
        datetime | None,
        typer.Argument(metavar="[DATE]", formats=DATE_FORMAT, help="默认是当前草稿；没有草稿就新开一期。"),
    ] = None,
    title: Annotated[str, typer.Option("--title", help="标题。")] = "",
    source: Annotated[str, typer.Option("--source", help="来源；可以不写。")] = "",
    url: Annotated[str, typer.Option("--url", help="标题的链接；可以没有。")] = "",
    links: Annotated[
        list[str] | None, typer.Option("--link", metavar="LABEL=URL", help="再一个链接，单占一行；可以写几次。")
    ] = None,
    summary: Annotated[str, typer.Option("--summary", help="摘要，Markdown；可以不写。")] = "",
    signer: Annotated[str, typer.Option("--editor", help="署名的人；默认是 newsletter.toml 里的编者。")] = "",
    markdown: Annotated[
        typer.FileText | None,
        typer.Option("--markdown", metavar="FILE", help="整条的 Markdown，代替以上各项；- 是标准输入。"),
    ] = None,
) -> None:
    """自己写一条：后面没有文章也行，一个链接、两个、没有链接都行。

    例：jianbao issue write --category 业界新闻 --title "iPhone 12 将用 A14" --source IT之家
    """
    from pipelines.issue.handwritten import EntryDraft, compose_entry
    from pipelines.model import Entry
    from pipelines.newsroom.editing.drafts import add_entry

    newsroom = newsroom_of(context)
    if (markdown is None) is not bool(title):
        raise WrongUse("markdown-or-title", "--title")
    if markdown is not None:
        entry = Entry(markdown.read())
    else:
        parts = EntryDraft(title, source, url, [_read_link(link) for link in links or []], summary, signer)
        entry = compose_entry(parts, category, newsroom.newsletter)
    target = day.date() if day else _find_newest_draft(newsroom)
    issue, position = add_entry(editor_of(newsroom), target, category, entry)
    out.print(sentence("cli/entry-added", day=issue.date, section=category, number=position + 1))


@issue_app.command("text")
def issue_text(
    context: typer.Context,
    day: Annotated[
        datetime | None,
        typer.Argument(metavar="[DATE]", formats=DATE_FORMAT, help="默认是当前草稿；没有草稿就新开一期。"),
    ] = None,
    section: Annotated[str, typer.Option("--section", metavar="S", help="哪一栏的文字；没有这一栏就加上。")] = "",
    part: Annotated[
        str,
        typer.Option("--part", help="headline、guide、preamble；有 --section 时是 notes（条目之上）、closing。"),
    ] = "",
    text: Annotated[str, typer.Option("--text", help="文字，Markdown；留空就去掉。")] = "",
    markdown: Annotated[
        typer.FileText | None,
        typer.Option("--markdown", metavar="FILE", help="文字在文件里，代替 --text；- 是标准输入。"),
    ] = None,
    above: Annotated[str, typer.Option("--above", metavar="S", help="加的一栏排在哪一栏之前；默认在最后。")] = "",
    level: Annotated[int | None, typer.Option("--level", min=1, max=7, help="加的一栏用几级标题。")] = None,
) -> None:
    """写一期的要目、导读、开头，或一栏里条目之外的文字；没有条目的栏目也这样写。

    例：jianbao issue text --section 封面图 --text "![](cover.png)"
    """
    from pipelines.issue.changes import PARTS
    from pipelines.newsroom.editing.drafts import ensure_draft, write_part, write_section_text

    newsroom = newsroom_of(context)
    editor = editor_of(newsroom)
    target = day.date() if day else _find_newest_draft(newsroom)
    content = markdown.read() if markdown else text
    if section and part in ("", "notes", "closing"):
        where: SectionText = "closing" if part == "closing" else "notes"
        write_section_text(editor, target, section, content, part=where, above=above, level=level)
    elif not section and part in PARTS:
        ensure_draft(editor, target)
        write_part(editor, target, part, content)
    else:
        raise WrongUse("part-or-section", "--part")
    out.print(sentence("cli/text-written", day=target))


def _find_newest_draft(newsroom: Newsroom) -> date:
    """Find the day of the newest draft; today without a draft."""
    today = now().astimezone(newsroom.newsletter.zone).date()
    with newsroom.store.reading() as tx:
        return max(tx.issues.list_dates("draft"), default=today)


def _read_link(text: str) -> StoryLink:
    from pipelines.model import StoryLink

    label, sign, url = text.partition("=")
    if not sign or not label.strip() or not url.strip():
        raise WrongUse("label-and-address", "--link", text=text)
    return StoryLink(label, url)


@issue_app.command("unpublish")
def issue_unpublish(
    context: typer.Context, day: Annotated[datetime, typer.Argument(metavar="DATE", formats=DATE_FORMAT)]
) -> None:
    """把已刊的一期改回草稿，可以再改、再定稿。

    例：jianbao issue unpublish 2020-01-27
    """
    from pipelines.newsroom.editing.publishing import unpublish_issue

    newsroom = newsroom_of(context)
    unpublish_issue(editor_of(newsroom), day.date())
    out.print(sentence("cli/unpublished", day=day.date()))
    group_what_is_new(newsroom)


@issue_app.command("delete")
def issue_delete(
    context: typer.Context, day: Annotated[datetime, typer.Argument(metavar="DATE", formats=DATE_FORMAT)]
) -> None:
    """删掉一份草稿，选用的事回到待选；在编辑台按 u 可以撤回。已刊的先用 issue unpublish 改回草稿。

    例：jianbao issue delete 2020-01-27
    """
    from pipelines.newsroom.editing.publishing import delete_draft

    newsroom = newsroom_of(context)
    delete_draft(editor_of(newsroom), day.date())
    out.print(sentence("cli/deleted", day=day.date()))


@issue_app.command("lint")
def issue_lint(
    context: typer.Context,
    day: Annotated[
        datetime | None, typer.Argument(metavar="[DATE]", formats=DATE_FORMAT, help="默认是当前草稿。")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="各期都查。")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="稳妥的当场改好：跟踪参数、会被 Jekyll 执行的标记。")] = False,
    online: Annotated[bool, typer.Option("--online", help="逐个打开链接，看有没有失效、搬走。")] = False,
    as_json: Json = False,
) -> None:
    """列出一期里该再看一眼的地方，各有位置、原因、办法；有就以 1 退出。

    例：jianbao issue lint 2020-01-27
    """
    from pipelines.issue.lint import find_issue_urls
    from pipelines.newsroom.editing import linting
    from pipelines.newsroom.editing.issues import read_issues_to_export

    newsroom = newsroom_of(context)
    dates = None if every else [day.date()] if day else []
    issues = read_issues_to_export(newsroom.store, newsroom.newsletter, dates)
    if fix:
        editor = editor_of(newsroom)
        for issue in issues:
            if issue.state == "draft" or not every:
                linting.fix_draft(editor, issue.date)
        issues = read_issues_to_export(newsroom.store, newsroom.newsletter, dates)
    if online:
        from pipelines.newsroom.crawling import crawls

        crawls.check_links(newsroom, [url for issue in issues for url in find_issue_urls(issue)])
    with newsroom.store.reading() as tx:
        findings_by_issue = [
            (issue, [*linting.lint_issue(tx, issue, newsroom), *linting.lint_for_wechat(issue, newsroom)])
            for issue in issues
        ]
    if as_json:
        print_json(
            {
                "issues": [
                    {
                        "date": str(issue.date),
                        "findings": [finding.as_json(terminal.get_language()) for finding in findings],
                    }
                    for issue, findings in findings_by_issue
                ]
            }
        )
    else:
        for issue, findings in findings_by_issue:
            for line in terminal.render_findings(issue, findings, newsroom.newsletter):
                out.print(Text(f"{issue.date} ") + line if every else line, soft_wrap=True)
    if any(findings for _, findings in findings_by_issue):
        raise typer.Exit(SOME_FAILED)


def export(
    context: typer.Context,
    days: Annotated[
        list[datetime] | None,
        typer.Argument(metavar="[DATE]...", formats=DATE_FORMAT, help="哪几期；不给则是当前草稿。"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="各期全部导出，连同 README 里的往期列表和订阅源。")] = False,
    formats: Annotated[
        str | None,
        typer.Option("--format", help="逗号分开：markdown、wechat、atom、json、csv；默认 markdown，--all 再加 atom。"),
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="目录；默认是简报目录下的 issues/。")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="定稿：从此算作已刊。")] = False,
    check: Annotated[bool, typer.Option("--check", help="只检查：有文件要改就以 1 退出，一个也不写。")] = False,
) -> None:
    """导出成文件；没有变化的文件不动。

    例：jianbao export 2020-01-27 --format markdown,wechat -o out
    """
    from pipelines.newsroom.editing.exports import plan_files, remember_feed
    from pipelines.newsroom.editing.issues import ensure_publishable, list_published, read_issues_to_export
    from pipelines.newsroom.editing.publishing import publish_issues

    newsroom = newsroom_of(context)
    if output is not None and output.is_file():
        raise WrongUse("no-folder", "-o", path=output)
    if check and publish:
        raise WrongUse("check-or-publish", "--check")
    chosen_formats = [_read_format(name) for name in (formats or ("markdown,atom" if every else "markdown")).split(",")]
    dates = None if every else [day.date() for day in days or []]
    issues = read_issues_to_export(newsroom.store, newsroom.newsletter, dates)
    if publish:
        ensure_publishable(newsroom.newsletter, issues)  # before any file of the issue is written
    published = list_published(newsroom.store, issues if publish else ())
    folder = output or newsroom.home.folder / "issues"
    plan = plan_files(
        newsroom, issues, dict.fromkeys(chosen_formats), folder, published=published, whole=every, now=now()
    )
    if check:
        stale = [file.path for file in plan if file.differs()]
        for path in stale:
            fail(sentence("cli/stale-file", path=path))
        raise typer.Exit(SOME_FAILED if stale else 0)
    for file in plan:
        changed = file.write()
        out.print(Text(str(file.path) if changed else sentence("cli/unchanged-file", path=file.path)), soft_wrap=True)
        for picture in file.pictures:
            values = {"number": picture.number, "address": picture.url, "description": picture.words}
            code = "cli/picture-described" if picture.words else "cli/picture"
            out.print(Text(sentence(code, **values)), soft_wrap=True)
    remember_feed(newsroom, plan)
    if publish:
        publish_issues(editor_of(newsroom), issues)
        group_what_is_new(newsroom)


def _read_format(name: str) -> Format:
    from pipelines.newsroom.editing.exports import Format

    try:
        return Format[name.strip().upper()]
    except KeyError:
        names = [member.name.lower() for member in Format]
        raise WrongUse("no-such-format", "--format", name=name, names=names) from None
