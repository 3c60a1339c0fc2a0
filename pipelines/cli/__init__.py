"""The command line: a function a command, a file a subject; the work is elsewhere.

Exit 0 done, 1 some of it failed (said on stderr), 2 wrong use. With `--json`, stdout holds one JSON document.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from crawler.errors import CrawlError
from crawler.home import HOME_VARIABLE, Home
from pipelines.cli.choosing import assist, candidates, decide, merge, split
from pipelines.cli.crawling import add, crawl, group, rebuild, schedule
from pipelines.cli.database import db_app
from pipelines.cli.desk import review, user_app
from pipelines.cli.evaluation import evaluate
from pipelines.cli.issues import archive_app, export, issue_app
from pipelines.cli.sources import sources_app
from pipelines.cli.start import demo, init
from pipelines.cli.terminal import SOME_FAILED, WRONG_USE, fail, out
from pipelines.errors import CannotDecide, NoSuchIssue
from pipelines.newsletter import NewsletterMisconfigured
from pipelines.newsroom import Newsroom
from pipelines.newsroom.assistant import NoProposal
from pipelines.newsroom.evaluation import CannotEvaluate
from pipelines.newsroom.exports import UnreadableReadme
from pipelines.rules import RulesMisconfigured
from pipelines.store.errors import NoSuchStory, StoreError

app = typer.Typer(
    name="jianbao",
    help="简报编辑部：抓取、去重、归组、挑选、导出。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    review,
    demo,
    init,
    crawl,
    add,
    group,
    candidates,
    decide,
    merge,
    split,
    assist,
    export,
    rebuild,
    evaluate,
    schedule,
):
    app.command()(command)
for part, name in (
    (user_app, "user"),
    (sources_app, "sources"),
    (archive_app, "archive"),
    (issue_app, "issue"),
    (db_app, "db"),
):
    app.add_typer(part, name=name)

_WRONG: Final = (
    CannotEvaluate,
    NewsletterMisconfigured,
    RulesMisconfigured,
    CannotDecide,
    NoSuchIssue,
    NoSuchStory,
    UnreadableReadme,
)
"""What the user said, on the command line or in a file, that cannot be done."""


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


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(version("jianbao"))
        raise typer.Exit


@app.callback()
def _begin(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help=f"简报目录；也可用环境变量 {HOME_VARIABLE}，默认 ./data。")] = None,
    _version: Annotated[
        bool, typer.Option("--version", help="打印版本。", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    context.obj = Newsroom(Home.current(home))
