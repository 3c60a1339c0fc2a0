"""The commands about the registry: list it, check it, import and export OPML."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.errors import Detail
from pipelines import files
from pipelines.cli import terminal
from pipelines.cli.crawling import choose_sources
from pipelines.cli.shared import Json, house_of, print_json
from pipelines.cli.terminal import SOME_FAILED, WRONG_USE, fail, out, sentence, warn
from pipelines.cli.usage import Group
from pipelines.errors import describe_failure, describe_mistake
from pipelines.wording import say_detail

if TYPE_CHECKING:
    from pipelines.newsroom import Newsroom

sources_app = typer.Typer(cls=Group, help="来源登记簿 sources.toml。", no_args_is_help=True)


@sources_app.command("list")
def sources_list(context: typer.Context, as_json: Json = False) -> None:
    """列出来源。

    例：jianbao sources list
    """
    newsroom = house_of(context)
    if as_json:
        print_json({"sources": [source.model_dump(mode="json") for source in newsroom.sources.values()]})
    else:
        with newsroom.store.reading() as tx:
            histories = tx.sources.list_all()
        out.print(terminal.make_source_table(newsroom.sources.values(), histories, newsroom.zone))


@sources_app.command("check")
def sources_check(
    context: typer.Context,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="联网时只问这些来源；默认是启用的全部。")
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="逐个来源、逐条路去问一次：哪条通，给几篇。")] = False,
    as_json: Json = False,
) -> None:
    """检查 sources.toml：每处错误都指出来源编号与字段。

    例：jianbao sources check --online
    """
    newsroom = house_of(context)
    for mistake in newsroom.registry.mistakes:
        fail(describe_mistake(mistake, terminal.get_language()))
    reached = not online or _ask_ways(newsroom, ids or [], as_json=as_json)
    if newsroom.registry.mistakes or not reached:
        raise typer.Exit(SOME_FAILED)
    if not as_json:
        out.print(sentence("cli/checked-sources", count=len(newsroom.sources)))


def _ask_ways(newsroom: Newsroom, ids: list[str], *, as_json: bool) -> bool:
    """Print what each way of the sources answers; whether each source has one that does."""
    from pipelines.newsroom.crawling import crawls

    chosen = choose_sources(newsroom, ids, due=False)
    with terminal.show_progress() as bar:
        task = bar.add_task(sentence("cli/crawling"), total=None)
        reports = crawls.ask_ways(
            newsroom, chosen, on_progress=lambda finished, total: bar.update(task, completed=finished, total=total)
        )
    if as_json:
        print_json({"ways": [report.as_json() for report in reports]})
    else:
        out.print(terminal.make_way_table(reports))
    answering = {report.source for report in reports if report.failed is None}
    return answering >= {source.id for source in chosen}


@sources_app.command("try")
def sources_try(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="列表页、订阅源或网站地图。")],
    as_json: Json = False,
) -> None:
    """试读一个网址：会有哪些条目（标题、日期、链接），该写成怎样一行；不入库。

    例：jianbao sources try https://lab.example/news
    """
    from pipelines.newsroom.crawling import crawls

    newsroom = house_of(context)
    try:
        trial = crawls.try_list(newsroom, url)
    except ValueError:
        fail(say_detail(Detail.of("no-usable-address"), terminal.get_language()))
        raise typer.Exit(WRONG_USE) from None
    entries = [
        {"title": article.title, "url": article.url, "published_at": article.published.at.isoformat()}
        | ({} if article.published.precision != "first-seen" else {"published_at": None})
        for article in trial.articles
    ]
    if as_json:
        print_json({"row": trial.row, "entries": entries})
    elif entries:
        from crawler.sources.file import toml_row

        out.print(terminal.make_trial_table(trial.articles, newsroom.zone))
        out.print(toml_row({"id": "…", "name": "…", **trial.row}), markup=False, highlight=False)
    if trial.failed:
        fail(describe_failure(trial.failed, terminal.get_language()))
    if not entries:
        raise typer.Exit(SOME_FAILED)


@sources_app.command("import")
def sources_import(
    context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE.opml", exists=True, dir_okay=False)]
) -> None:
    """把 OPML 里的订阅添进 sources.toml，已有的不动。

    例：jianbao sources import feeds.opml
    """
    from crawler.sources.opml import append_sources, read_opml

    newsroom = house_of(context)

    def warn_of(detail: Detail) -> None:
        warn(say_detail(detail, terminal.get_language()))

    dropped: list[Detail] = []
    added = append_sources(newsroom.home, read_opml(file.read_bytes(), warn_of, dropped.append), warn_of)
    for detail in dropped:
        fail(say_detail(detail, terminal.get_language()))
    out.print(sentence("cli/added-sources", count=len(added)))
    if dropped:
        raise typer.Exit(SOME_FAILED)


@sources_app.command("export")
def sources_export(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="写到文件；不给则打印。")] = None,
) -> None:
    """把来源写成 OPML。

    例：jianbao sources export -o feeds.opml
    """
    from crawler.sources.opml import write_opml

    newsroom = house_of(context)
    document = write_opml(newsroom.sources.values())
    if output is None:
        sys.stdout.buffer.write(document)
    else:
        files.write(output, document.decode())
