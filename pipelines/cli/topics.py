"""The command that checks the terms of the newsletter's topics."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from pipelines.cli.shared import Json, newsroom_of, print_json
from pipelines.cli.terminal import SOME_FAILED, make_topics_table, out, sentence, warn
from pipelines.cli.usage import Group

topics_app = typer.Typer(cls=Group, help="简报关心的话题。", no_args_is_help=True)

LEAST: Final = 30
"""Picks and open stories without which nothing can be measured."""


@topics_app.command("check")
def check(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="不太宽的词也列出来。")] = False,
    as_json: Json = False,
) -> None:
    """量一量 newsletter.toml 里的话题词：往期里有几条，库里有几条，相差几倍；太宽的词请去掉或归入 ambiguous。

    例：jianbao topics check --all
    """
    from pipelines.newsroom.editing.topics import check_topics

    newsroom = newsroom_of(context)
    with newsroom.store.reading() as tx:
        report = check_topics(tx, newsroom.newsletter)
    if min(report.picked, report.stored) < LEAST:
        warn(sentence("cli/too-few-terms", picked=report.picked, stored=report.stored))
        raise typer.Exit(SOME_FAILED)
    if as_json:
        print_json(asdict(report))
    else:
        terms = [row for row in report.terms if every or row.advice != "keep"]
        out.print(make_topics_table(terms, report.proposed, report.picked, report.stored))
    if any(row.advice != "keep" for row in report.terms):
        raise typer.Exit(SOME_FAILED)
