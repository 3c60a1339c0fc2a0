"""The commands about the registry: list it, check it, import and export OPML."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from crawler.errors import Detail
from pipelines import files
from pipelines.cli import terminal
from pipelines.cli.shared import Json, newsroom_of, print_json
from pipelines.cli.terminal import SOME_FAILED, fail, out, sentence, warn
from pipelines.cli.usage import Group
from pipelines.errors import describe_mistake
from pipelines.wording import say_detail

sources_app = typer.Typer(cls=Group, help="来源登记簿 sources.toml。", no_args_is_help=True)


@sources_app.command("list")
def sources_list(context: typer.Context, as_json: Json = False) -> None:
    """列出来源。

    例：jianbao sources list
    """
    newsroom = newsroom_of(context)
    if as_json:
        print_json({"sources": [source.model_dump(mode="json") for source in newsroom.sources.values()]})
    else:
        with newsroom.store.reading() as tx:
            histories = tx.sources.list_all()
        out.print(terminal.make_source_table(newsroom.sources.values(), histories, newsroom.zone))


@sources_app.command("check")
def sources_check(context: typer.Context) -> None:
    """检查 sources.toml：每处错误都指出来源编号与字段。

    例：jianbao sources check
    """
    newsroom = newsroom_of(context)
    for mistake in newsroom.registry.mistakes:
        fail(describe_mistake(mistake, terminal.get_language()))
    if newsroom.registry.mistakes:
        raise typer.Exit(SOME_FAILED)
    out.print(sentence("cli/checked-sources", count=len(newsroom.sources)))


@sources_app.command("import")
def sources_import(
    context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE.opml", exists=True, dir_okay=False)]
) -> None:
    """把 OPML 里的订阅添进 sources.toml，已有的不动。

    例：jianbao sources import feeds.opml
    """
    from crawler.sources.opml import append_sources, read_opml

    newsroom = newsroom_of(context)

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

    newsroom = newsroom_of(context)
    document = write_opml(newsroom.sources.values())
    if output is None:
        sys.stdout.buffer.write(document)
    else:
        files.write(output, document.decode())
