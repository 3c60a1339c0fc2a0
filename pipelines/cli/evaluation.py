"""The command that trains on early issues and measures sections and ranking on later ones."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import terminal
from pipelines.cli.shared import DATE_FORMAT, Json, newsroom_of, print_json
from pipelines.cli.terminal import out, warn
from pipelines.cli.usage import WrongUse
from pipelines.errors import describe_failure


def evaluate(
    context: typer.Context,
    split: Annotated[datetime, typer.Option(formats=DATE_FORMAT, help="从这一天起的各期只用来考，不用来学。")],
    pool: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, exists=True, help="当时还有些什么（.jsonl，同 add）：考排序用。"),
    ] = None,
    seed: Annotated[int, typer.Option(help="抽签的种子。")] = 0,
    start: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="START", help="库里先知道些什么：cold archive first pool rolling；不写就都考。"),
    ] = None,
    as_json: Json = False,
) -> None:
    """只学某一天以前的往期，逐期考那天以后的：分栏对不对，选中的排得前不前。

    例：jianbao evaluate --split 2020-07-01 --pool pool.jsonl
    """
    from pipelines.newsroom.crawling.crawls import read_list
    from pipelines.newsroom.stages import evaluation as evaluating

    starts = [name for name in evaluating.STARTS if not start or name in start]
    if set(start or ()) - set(evaluating.STARTS):
        raise WrongUse("choice", "--from", names=evaluating.STARTS)
    newsroom = newsroom_of(context)
    with newsroom.store.reading() as tx:
        issues = [issue for day in tx.issues.list_dates("published") if (issue := tx.issues.get(day))]
    items, problems = read_list(pool) if pool else ((), ())
    for problem in problems:
        warn(describe_failure(problem.failure, terminal.get_language(), problem.url))
    evaluation = evaluating.evaluate(
        issues,
        items,
        split.date(),
        seed,
        newsletter=newsroom.newsletter,
        rules=newsroom.rules,
        starts=starts,
    )
    if as_json:
        print_json(evaluation.to_json(terminal.get_language()))
        return
    for part in terminal.render_evaluation(evaluation):
        out.print(part)
