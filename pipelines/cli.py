"""The command line: a function a command; the work is elsewhere.

Exit 0 done, 1 some of it failed (said on stderr), 2 wrong use. With `--json`, stdout holds one JSON document.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.text import Text

from crawler.errors import CrawlError
from crawler.home import HOME_VARIABLE, Home, bundled
from crawler.opml import append_sources, read_opml, write_opml
from pipelines import console, editing, issue_editing, run, schedule
from pipelines import demo as sample
from pipelines import evaluate as evaluating
from pipelines.assistant import NoProposal
from pipelines.cli_desk import review, user_app
from pipelines.console import SOME_FAILED, WRONG_USE, err, fail, out, warn
from pipelines.drafting import CannotDecide, no_such_category
from pipelines.export import files
from pipelines.export.archive import NotAnIssue, read_issue
from pipelines.exporting import Format, UnreadableReadme, planned, written
from pipelines.group.as_json import candidates_json
from pipelines.model import Decision
from pipelines.newsletter import NewsletterMisconfigured
from pipelines.newsroom import Newsroom
from pipelines.rules import RulesMisconfigured
from pipelines.store import Store
from pipelines.store.errors import NoSuchStory, StoreError

if TYPE_CHECKING:
    from pipelines.jobs import SourceReport

app = typer.Typer(
    name="jianbao",
    help="简报编辑部：抓取、去重、归组、挑选、导出。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
sources_app = typer.Typer(help="来源登记簿 sources.toml。", no_args_is_help=True)
archive_app = typer.Typer(help="往期简报。", no_args_is_help=True)
issue_app = typer.Typer(help="各期简报：草稿与已刊。", no_args_is_help=True)
db_app = typer.Typer(help="数据库。", no_args_is_help=True)
for part, name in (
    (user_app, "user"),
    (sources_app, "sources"),
    (archive_app, "archive"),
    (issue_app, "issue"),
    (db_app, "db"),
):
    app.add_typer(part, name=name)
app.command()(review)

_WRONG: Final = (
    evaluating.CannotEvaluate,
    NewsletterMisconfigured,
    RulesMisconfigured,
    CannotDecide,
    editing.NoSuchIssue,
    NoSuchStory,
    UnreadableReadme,
)
"""What the user said, on the command line or in a file, that cannot be done."""

DATE_FORMAT: Final = ["%Y-%m-%d"]

Json = Annotated[bool, typer.Option("--json", help="在标准输出打印一份 JSON。")]
NoGroup = Annotated[bool, typer.Option("--no-group", help="只入库，不归组。")]


class State(StrEnum):
    """`--state`: the words of the JSON document."""

    NEW = "new"
    PICKED = "picked"
    DROPPED = "dropped"
    LATER = "later"
    PUBLISHED = "published"


class Action(StrEnum):
    """What `decide` can say of a story."""

    PICK = "pick"
    DROP = "drop"
    LATER = "later"
    UNDO = "undo"


def main() -> None:
    """The entry point: what a user can put right is said in one line, without a traceback."""
    try:
        app()
    except _WRONG as error:
        fail(str(error))
        sys.exit(WRONG_USE)
    except (CrawlError, StoreError, NoProposal) as error:
        fail(str(error))
        sys.exit(SOME_FAILED)


@app.callback()
def _begin(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help=f"简报目录；也可用环境变量 {HOME_VARIABLE}，默认 ./data。")] = None,
    show_version: Annotated[bool, typer.Option("--version", help="打印版本。")] = False,
) -> None:
    if show_version:
        out.print(version("jianbao"))
        raise typer.Exit
    context.obj = Newsroom(Home.current(home))


# ---- getting started


@app.command()
def demo(
    serve: Annotated[bool, typer.Option("--serve", help="只起样例站点，按 Ctrl-C 结束。")] = False,
) -> None:
    """在自带的样例编辑部上跑一遍全流程：抓取、归组、列候选、导出。目录是 ./jianbao-demo。

    例：jianbao demo
    """
    raise typer.Exit(sample.serve() if serve else sample.run_demo(_typed))


def _typed(words: Sequence[str]) -> int:
    code: int | None = app(list(words), standalone_mode=False)
    return code or 0


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="新目录。")]) -> None:
    """新建一份简报的目录。

    例：jianbao init my-newsletter
    """
    if (folder / "newsletter.toml").exists():
        fail(f"{folder} 里已有 newsletter.toml，未作改动。")
        raise typer.Exit(WRONG_USE)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("newsletter.toml", "sources.toml", "README.md"):
        shutil.copyfile(bundled() / name, folder / name)
    (folder / ".gitignore").write_text("var/\n", encoding="utf-8")
    workflow = folder / ".github/workflows/issues.yml"
    if not workflow.exists():
        files.write(workflow, (bundled() / "templates/issues.yml").read_text(encoding="utf-8"))
    out.print(Text(f"已建好 {folder}。先改 newsletter.toml 和 sources.toml，再用 sources check 检查"))


# ---- bringing articles in


@app.command()
def crawl(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="来源编号；默认是启用的全部。")] = None,
    due: Annotated[bool, typer.Option("--due", help="只抓到期的来源。")] = False,
    as_json: Json = False,
    no_group: NoGroup = False,
) -> None:
    """抓取来源，逐个报告新增、已有、更新、失败。

    例：jianbao crawl jiqizhixin arxiv-quantization
    """
    from pipelines import jobs  # noqa: PLC0415 - it loads Scrapy, which takes a second that no other command should wait

    newsroom: Newsroom = context.obj
    if unreadable := [mistake for mistake in newsroom.registry.mistakes if not mistake.source]:
        for mistake in unreadable:
            fail(str(mistake))
        raise typer.Exit(WRONG_USE)
    chosen = _chosen(newsroom, ids or [], due=due)
    reports = [] if ids else jobs.misconfigured(newsroom.registry)
    if chosen:
        with console.progress() as bar:
            task = bar.add_task("抓取", total=len(chosen))
            reports += jobs.crawl(
                newsroom, chosen, on_progress=lambda done, total: bar.update(task, completed=done, total=total)
            )
    _finish(newsroom, reports, as_json=as_json, no_group=no_group)


@app.command()
def add(
    context: typer.Context,
    targets: Annotated[list[str], typer.Argument(metavar="TARGET...", help="网址、另存的网页，或 .jsonl。")],
    url: Annotated[str | None, typer.Option(help="另存网页的原网址。")] = None,
    as_json: Json = False,
    no_group: NoGroup = False,
) -> None:
    """收进一个网址、一个另存的网页，或一份 .jsonl 清单。

    例：jianbao add saved.html --url https://mp.weixin.qq.com/s/abc
    """
    from pipelines import jobs  # noqa: PLC0415 - as above

    newsroom: Newsroom = context.obj
    reports = jobs.add(newsroom, targets, url=url)
    _finish(newsroom, reports, as_json=as_json, no_group=no_group)


def _chosen(newsroom: Newsroom, ids: Sequence[str], *, due: bool) -> list[Any]:
    unknown = [one for one in ids if one not in newsroom.sources]
    if unknown:
        fail(f"sources.toml 里没有可用的来源：{'、'.join(unknown)}；见 jianbao sources list 与 sources check")
        raise typer.Exit(WRONG_USE)
    chosen = [newsroom.sources[one] for one in ids] or [one for one in newsroom.sources.values() if one.enabled]
    return schedule.due_sources(newsroom, chosen, _now()) if due else chosen


def _finish(newsroom: Newsroom, reports: Sequence[SourceReport], *, as_json: bool, no_group: bool) -> None:
    if not no_group and any(report.new or report.updated for report in reports):
        _group(newsroom)
    if as_json:
        _print_json({"sources": [report.as_json() for report in reports]})
    elif reports:
        out.print(console.report_table(reports))
    else:
        out.print("没有要抓的来源。")
    if any(report.failed for report in reports):
        raise typer.Exit(SOME_FAILED)


@sources_app.command("list")
def sources_list(context: typer.Context, as_json: Json = False) -> None:
    """列出来源。

    例：jianbao sources list
    """
    newsroom: Newsroom = context.obj
    if as_json:
        _print_json({"sources": [source.model_dump(mode="json") for source in newsroom.sources.values()]})
    else:
        with newsroom.store.reading() as tx:
            histories = tx.sources.all()
        out.print(console.source_table(newsroom.sources.values(), histories, newsroom.zone))


@sources_app.command("check")
def sources_check(context: typer.Context) -> None:
    """检查 sources.toml：每处错误都指出来源编号与字段。

    例：jianbao sources check
    """
    newsroom: Newsroom = context.obj
    for mistake in newsroom.registry.mistakes:
        fail(str(mistake))
    if newsroom.registry.mistakes:
        raise typer.Exit(SOME_FAILED)
    out.print(f"{len(newsroom.sources)} 个来源，没有错误。")


@sources_app.command("import")
def sources_import(
    context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE.opml", exists=True, dir_okay=False)]
) -> None:
    """把 OPML 里的订阅添进 sources.toml，已有的不动。

    例：jianbao sources import feeds.opml
    """
    newsroom: Newsroom = context.obj
    added = append_sources(newsroom.home, read_opml(file.read_bytes()))
    out.print(f"添了 {len(added)} 个来源。")


@sources_app.command("export")
def sources_export(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="写到文件；不给则打印。")] = None,
) -> None:
    """把来源写成 OPML。

    例：jianbao sources export -o feeds.opml
    """
    newsroom: Newsroom = context.obj
    document = write_opml(newsroom.sources.values())
    if output is None:
        sys.stdout.buffer.write(document)
    else:
        files.write(output, document.decode())


# ---- the final stage, and what the editor does with it


@app.command()
def group(context: typer.Context) -> None:
    """把新文章归成一件件事，分栏、打分（crawl 与 add 之后会自动做）。

    例：jianbao group
    """
    _group(context.obj)


def _group(newsroom: Newsroom) -> None:
    with console.progress() as bar:
        task = bar.add_task("归组", total=None)
        grouped = run.group(
            newsroom.store, newsroom.group_rules, lambda done, total: bar.update(task, completed=done, total=total)
        )
    if grouped.articles:
        err.print(f"归组：{grouped.articles} 篇文章，{grouped.stories} 件事。")
    if grouped.learned:
        err.print("从往期和决定里重新学了一遍，待选的都重新打了分。")


@app.command()
def candidates(
    context: typer.Context,
    category: Annotated[str | None, typer.Option(help="只看一栏。")] = None,
    since: Annotated[str | None, typer.Option(help="只看这段时间内发布的：14d、36h、2w。")] = None,
    state: Annotated[State, typer.Option(help="状态。")] = State.NEW,
    limit: Annotated[int | None, typer.Option(min=1, help="每栏最多几条。")] = None,
    as_json: Json = False,
) -> None:
    """按栏目列出候选，好的在前，附理由；刊过的不再列，刊过之后又出新版的注明「后续」。

    例：jianbao candidates --category 论文 --since 14d --limit 20
    """
    newsroom: Newsroom = context.obj
    now = _now()
    found = editing.list_candidates(
        newsroom.store,
        now,
        category=_category(newsroom, category),
        since=now - _span(since) if since else None,
        state=state.value,
        limit=limit,
    )
    if as_json:
        _print_json(candidates_json(found, newsroom.newsletter.category_names, now))
        return
    for table in console.candidate_tables(found, newsroom.newsletter.categories, newsroom.zone):
        out.print(table)
    if not found:
        out.print("没有候选。")


@app.command()
def decide(
    context: typer.Context,
    story: Annotated[int, typer.Argument(metavar="STORY", help="候选列表里的编号。")],
    action: Annotated[Action, typer.Argument(help="选用、不用、以后再说、撤回。")],
    category: Annotated[str | None, typer.Option(help="放进哪一栏；默认是它归入的栏。")] = None,
    issue: Annotated[datetime | None, typer.Option(formats=DATE_FORMAT, help="放进哪一期；默认是当前草稿。")] = None,
) -> None:
    """对一件事作决定；选用的会起草进一期草稿，undo 撤回最近一次决定（合并、拆分也算）。

    例：jianbao decide 1234 pick --category 论文
    """
    newsroom: Newsroom = context.obj
    decision = Decision(
        story=story,
        action=action.value,
        who=newsroom.newsletter.editor,
        at=_now(),
        category=_category(newsroom, category),
        issue=issue.date() if issue else None,
    )
    _say(editing.decide(newsroom, decision))


@app.command()
def merge(
    context: typer.Context,
    story: Annotated[int, typer.Argument(metavar="STORY", help="候选列表里的编号。")],
    others: Annotated[list[int], typer.Argument(metavar="OTHER...", help="与它是同一件事的：别的编号。")],
) -> None:
    """把几件事并成一件；以后重新归组、重建都照此办，可用 decide 编号 undo 撤回。

    例：jianbao merge 1234 1301
    """
    newsroom: Newsroom = context.obj
    _say(editing.merge(newsroom, story, others, who=newsroom.newsletter.editor, at=_now()))


@app.command()
def split(
    context: typer.Context,
    story: Annotated[int, typer.Argument(metavar="STORY", help="候选列表里的编号。")],
    leaving: Annotated[
        list[int] | None,
        typer.Argument(metavar="[ARTICLE]...", help="拆出去的文章编号（candidates --json 里有）；不给则各成一件。"),
    ] = None,
) -> None:
    """把不是同一件事的文章拆出来；以后重新归组、重建都照此办，可用 decide 编号 undo 撤回。

    例：jianbao split 1234 1240
    """
    newsroom: Newsroom = context.obj
    _say(editing.split(newsroom, story, leaving or [], who=newsroom.newsletter.editor, at=_now()))


@app.command()
def assist(
    context: typer.Context,
    story: Annotated[int, typer.Argument(metavar="STORY", help="已选用的一件事的编号。")],
    accept: Annotated[bool, typer.Option("--accept", help="认可：从此就是它的摘要。")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="不要。")] = False,
) -> None:
    """请助手起草中文摘要，标为「机器摘要」；有人认可之前不会导出。要在 newsletter.toml 里开 [assistant]。

    例：jianbao assist 1234
    """
    newsroom: Newsroom = context.obj
    if accept and reject:
        raise typer.BadParameter("认可还是不要，只能说一样", param_hint="--accept")
    desk = issue_editing.Desk(newsroom, newsroom.newsletter.editor, _now())
    action: Literal["ask", "accept", "reject"] = "accept" if accept else "reject" if reject else "ask"
    said = issue_editing.assist(desk, story, action=action)
    words = {
        "ask": newsroom.newsletter.labels.machine,
        "accept": newsroom.newsletter.labels.summary,
        "reject": "去掉了",
    }
    out.print(Text(f"{words[action]}：{said}"), soft_wrap=True)


def _say(done: editing.Decided) -> None:
    """What a decision led to: a line a story, the one that was spoken of first."""
    for one in (done.candidate, *done.others):
        place = f"（{done.issue} 一期）" if done.issue and one is done.candidate else ""
        number = f" {one.story.id}（{len(one.articles)} 篇）" if done.others or len(one.articles) > 1 else ""
        said = f"{console.STATE_NAMES[one.state]}{number}{place}：{one.lead.article.title}"
        out.print(Text(said), soft_wrap=True)


def _category(newsroom: Newsroom, name: str | None) -> str | None:
    if name is None:
        return None
    category = newsroom.newsletter.category(name)
    if category is None:
        raise no_such_category(name, newsroom.newsletter)
    return category.name


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text)
    if not match:
        raise typer.BadParameter("写成 14d、36h 或 2w", param_hint="--since")
    return int(match[1]) * {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[match[2]]


# ---- issues


@archive_app.command("import")
def archive_import(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="往期 Markdown。")
    ],
) -> None:
    """读入往期简报：刊过的不会再当新的，也供以后学习归栏与取舍。

    例：jianbao archive import past/*.md
    """
    newsroom: Newsroom = context.obj
    issues = []
    for path in sorted(paths):
        try:
            issue = read_issue(path.read_bytes(), name=path.name, newsletter=newsroom.newsletter)
        except NotAnIssue as error:
            fail(str(error))
            continue
        for warning in issue.warnings:
            warn(warning)
        issues.append(issue)
    with newsroom.store.transaction() as tx:
        for issue in issues:
            editing.save_issue(tx, issue, newsroom.newsletter, newsroom.rules)
    items = sum(len(section.entries) for issue in issues for section in issue.sections)
    out.print(f"读入 {len(issues)} 期，{items} 条。")
    _group(newsroom)
    if len(issues) < len(paths):
        raise typer.Exit(SOME_FAILED)


@issue_app.command("list")
def issue_list(context: typer.Context) -> None:
    """列出各期，新的在前。

    例：jianbao issue list
    """
    newsroom: Newsroom = context.obj
    out.print(console.issue_table(editing.all_issues(newsroom.store)))


@issue_app.command("show")
def issue_show(
    context: typer.Context, day: Annotated[datetime, typer.Argument(metavar="DATE", formats=DATE_FORMAT)]
) -> None:
    """打印一期的 Markdown。

    例：jianbao issue show 2020-01-27
    """
    newsroom: Newsroom = context.obj
    (issue,) = editing.issues_to_export(newsroom.store, newsroom.newsletter, [day.date()])
    out.out(written(issue, Format.MARKDOWN, newsroom), end="", highlight=False)


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
    newsroom: Newsroom = context.obj
    dates = None if every else [day.date()] if day else []
    issues = editing.issues_to_export(newsroom.store, newsroom.newsletter, dates)
    if fix:
        desk = issue_editing.Desk(newsroom, newsroom.newsletter.editor, _now())
        for issue in issues:
            if issue.state == "draft" or not every:
                issue_editing.mend(desk, issue.date)
        issues = editing.issues_to_export(newsroom.store, newsroom.newsletter, dates)
    if online:
        from pipelines import jobs  # noqa: PLC0415 - as above

        jobs.visit(newsroom, [url for issue in issues for url in issue_editing.addresses_of(issue)])
    with newsroom.store.reading() as tx:
        found = [(one, issue_editing.look_over(tx, one, newsroom.newsletter, newsroom.rules)) for one in issues]
    if as_json:
        _print_json(
            {"issues": [{"date": str(one.date), "findings": [asdict(each) for each in said]} for one, said in found]}
        )
    else:
        for issue, findings in found:
            for line in console.finding_lines(issue, findings, newsroom.newsletter):
                out.print(Text(f"{issue.date} ") + line if every else line, soft_wrap=True)
    if any(findings for _, findings in found):
        raise typer.Exit(SOME_FAILED)


@app.command()
def export(
    context: typer.Context,
    days: Annotated[
        list[datetime] | None,
        typer.Argument(metavar="[DATE]...", formats=DATE_FORMAT, help="哪几期；不给则是当前草稿。"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="各期全部导出，连同 README 里的往期列表和订阅源。")] = False,
    formats: Annotated[
        str | None,
        typer.Option("--format", help="用逗号分开：markdown、wechat、atom、json；默认 markdown，--all 再加 atom。"),
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="目录；默认是简报目录下的 issues/。")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="定稿：从此算作已刊。")] = False,
    check: Annotated[bool, typer.Option("--check", help="只检查：有文件要改就以 1 退出，一个也不写。")] = False,
) -> None:
    """导出成文件；没有变化的文件不动。

    例：jianbao export 2020-01-27 --format markdown,wechat -o out
    """
    newsroom: Newsroom = context.obj
    if check and publish:
        raise typer.BadParameter("只检查就不能同时定稿", param_hint="--check")
    wanted = [_format(name) for name in (formats or ("markdown,atom" if every else "markdown")).split(",")]
    dates = None if every else [day.date() for day in days or []]
    issues = editing.issues_to_export(newsroom.store, newsroom.newsletter, dates)
    if publish:
        editing.ensure_accepted(newsroom.newsletter, issues)  # before a file says that it is out
    out_now = editing.published_with(newsroom.store, issues if publish else ())
    folder = output or newsroom.home.path / "issues"
    plan = planned(newsroom, issues, dict.fromkeys(wanted), folder, published=out_now, whole=every)
    if check:
        stale = [one.path for one in plan if one.differs()]
        for path in stale:
            fail(f"{path} 不是最新的；用 jianbao export 重新导出")
        raise typer.Exit(SOME_FAILED if stale else 0)
    for one in plan:
        changed = one.write()
        out.print(Text(f"{one.path}{'' if changed else '（没有变化）'}"), soft_wrap=True)
        for picture in one.pictures:
            out.print(Text(f"  图 {picture.number} 要上传：{picture.url} {picture.words}".rstrip()), soft_wrap=True)
    if publish:
        editing.publish(newsroom.store, newsroom.newsletter, newsroom.rules, issues)
        _group(newsroom)


def _format(name: str) -> Format:
    try:
        return Format[name.strip().upper()]
    except KeyError:
        known = "、".join(one.name.lower() for one in Format)
        raise typer.BadParameter(f"没有 {name!r} 这种格式；可用 {known}", param_hint="--format") from None


# ---- keeping house


@app.command()
def rebuild(context: typer.Context) -> None:
    """用保存的原始条目重新得出一切，决定不受影响；规则改动之后用。

    例：jianbao rebuild
    """
    newsroom: Newsroom = context.obj
    with console.progress() as bar:
        task = bar.add_task("重建", total=None)
        built = run.rebuild(
            newsroom.store,
            newsroom.sources,
            newsroom.rules,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    editing.remember_issues(newsroom.store, newsroom.newsletter, newsroom.rules)
    for problem in built.problems:
        warn(f"{problem.url}: {problem.detail}")
    out.print(f"由 {built.items} 个原始条目得出 {built.articles} 篇文章。")
    _group(newsroom)


@app.command()
def evaluate(
    context: typer.Context,
    split: Annotated[datetime, typer.Option(formats=DATE_FORMAT, help="从这一天起的各期只用来考，不用来学。")],
    pool: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, exists=True, help="当时还有些什么（.jsonl，同 add）：考排序用。"),
    ] = None,
    seed: Annotated[int, typer.Option(help="抽签的种子。")] = 0,
    strict: Annotated[bool, typer.Option(help="落选的也只学这一天以前的。")] = False,
    as_json: Json = False,
) -> None:
    """只学某一天以前的往期，用那天以后的来考：分栏对不对，选中的排得前不前。

    例：jianbao evaluate --split 2020-07-01 --pool pool.jsonl
    """
    newsroom: Newsroom = context.obj
    from pipelines.jobs import read_list  # noqa: PLC0415  as above

    with newsroom.store.reading() as tx:
        issues = [issue for day in tx.issues.dates("published") if (issue := tx.issues.get(day))]
    items, problems = read_list(pool) if pool else ((), ())
    for problem in problems:
        warn(problem)
    found = evaluating.evaluate(
        issues,
        items,
        split.date(),
        seed,
        newsletter=newsroom.newsletter,
        rules=newsroom.rules,
        strict=strict,
    )
    if as_json:
        _print_json(found.to_json())
        return
    for part in console.evaluation(found):
        out.print(part)


@app.command("schedule")
def run_schedule(context: typer.Context) -> None:
    """常驻：到点就抓，直到 Ctrl-C。

    例：jianbao schedule
    """
    raise typer.Exit(schedule.serve(context.obj))


@db_app.command("upgrade")
def db_upgrade(context: typer.Context) -> None:
    """把数据库升级到当前版本；SQLite 会先留一份副本。

    例：jianbao db upgrade
    """
    newsroom: Newsroom = context.obj
    Store.upgrade(newsroom.home.database_url).close()
    out.print("数据库已是当前版本。")


@db_app.command("backup")
def db_backup(context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False)]) -> None:
    """不停机备份数据库。

    例：jianbao db backup jianbao-backup.db
    """
    newsroom: Newsroom = context.obj
    newsroom.store.backup(file)
    out.print(Text(f"已备份到 {file}"))


def _now() -> datetime:
    return datetime.now(UTC)


def _print_json(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    main()
