"""The command line: one function for each command, one file for each subject; other rooms do the work.

Exit codes: 0 done, 1 a part failed (stderr names it), 2 wrong use. With `--json`, stdout holds one JSON document.

The modules of this room are all loaded to list the commands, for `--help` and for shell completion. Each command
therefore imports its work when it runs; at the top of a file stand typer, rich and modules that load nothing more.
"""

from __future__ import annotations

import atexit
import errno
import gc
import logging
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # the module names no exports

from crawler.home import HOME_VARIABLE, NEWSLETTER_VARIABLE, Home
from pipelines import logs
from pipelines.cli import terminal
from pipelines.cli.alerts import alerts_app
from pipelines.cli.choosing import apart, assist, candidates, decide, merge, split, suggestions
from pipelines.cli.crawling import add, crawl, fetch, group, queue, rebuild, schedule, shards, worker
from pipelines.cli.database import db_app, doctor
from pipelines.cli.desk import review, user_app
from pipelines.cli.evaluation import evaluate
from pipelines.cli.health import health_app, runs_app
from pipelines.cli.issues import archive_app, export, issue_app
from pipelines.cli.sources import sources_app
from pipelines.cli.start import demo, init
from pipelines.cli.terminal import SOME_FAILED, WRONG_USE, fail, out
from pipelines.cli.topics import topics_app
from pipelines.cli.usage import Group, WrongUse

_LOG: Final = logging.getLogger(__name__)

LANGUAGE_VARIABLE: Final = "JIANBAO_LANG"


class ReaderLanguage(StrEnum):
    """`--lang`: Chinese or English."""

    ZH = "zh"
    EN = "en"


class LogForm(StrEnum):
    """`--log-format`: lines for a person, or JSON."""

    TEXT = "text"
    JSON = "json"


app = typer.Typer(
    cls=Group,
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
    fetch,
    group,
    candidates,
    decide,
    merge,
    split,
    suggestions,
    apart,
    assist,
    export,
    rebuild,
    evaluate,
    schedule,
    worker,
    queue,
    shards,
    doctor,
):
    app.command()(command)
for part, name in (
    (user_app, "user"),
    (sources_app, "sources"),
    (health_app, "health"),
    (runs_app, "runs"),
    (alerts_app, "alerts"),
    (archive_app, "archive"),
    (issue_app, "issue"),
    (topics_app, "topics"),
    (db_app, "db"),
):
    app.add_typer(part, name=name)

completion_init()  # typer's own registration of the shells also adds two options to --help


COLLECT_AFTER: Final = (25_000, 20, 20)
"""New objects after which cyclic garbage is looked for; with Python's 700, that took a fifth of a short command."""


def main() -> None:
    """Run the command line; print an error that the user can put right as one line, without a traceback."""
    gc.set_threshold(*COLLECT_AFTER)
    atexit.register(gc.freeze)  # at the end, memory goes as a whole: no last search through all modules
    try:
        app()
    except Exception as error:
        code = _find_exit_code(error)
        if code is None:
            if not logs.is_json():
                raise
            _LOG.critical("%s", error, exc_info=error, extra=logs.make_extra("internal-error"))
            sys.exit(SOME_FAILED)
        fail(_describe_error(error))
        sys.exit(code)


def _describe_error(error: Exception) -> str:
    from pipelines.errors import describe_error
    from pipelines.wording import say

    language = terminal.get_language()
    if isinstance(error, OSError) and error.filename:
        code = "cli/disk-full" if error.errno == errno.ENOSPC else "cli/file-unusable"
        return say(code, {"path": error.filename, "reason": error.strerror or ""}, language)
    return describe_error(error, language)


def _find_exit_code(error: Exception) -> int | None:
    """Find the exit code of an error that a user can put right; None where the program itself is at fault."""
    from crawler.errors import CrawlError
    from pipelines.errors import CannotDecide, NoSuchIssue
    from pipelines.newsletter import NewsletterMisconfigured
    from pipelines.newsroom.editing.assistant import NoProposal
    from pipelines.newsroom.editing.exports import UnreadableReadme
    from pipelines.newsroom.stages.evaluation import CannotEvaluate
    from pipelines.rules import RulesMisconfigured
    from pipelines.store.errors import NoSuchStory, StoreError

    match error:
        case (
            CannotEvaluate()
            | NewsletterMisconfigured()
            | RulesMisconfigured()
            | CannotDecide()
            | NoSuchIssue()
            | NoSuchStory()
            | UnreadableReadme()
        ):
            return WRONG_USE
        case CrawlError() | StoreError() | NoProposal():
            return SOME_FAILED
        case OSError(filename=str()):  # a file that cannot be read or written; errors of the network name none
            return SOME_FAILED
        case _:
            return None


def _set_language(language: ReaderLanguage) -> ReaderLanguage:
    terminal.set_language(language.value)
    return language


def _set_log_format(form: LogForm) -> LogForm:
    logs.set_log_format(form.value)
    return form


def _print_version(version_wanted: bool) -> None:
    if version_wanted:
        from importlib.metadata import version

        out.print(version("jianbao"))
        raise typer.Exit


@app.callback()
def _begin(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help=f"简报目录；也可用环境变量 {HOME_VARIABLE}，默认 ./data。")] = None,
    newsletter: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"目录里 newsletters/NAME 那份简报，与目录的同抓一批来源；也可用环境变量 {NEWSLETTER_VARIABLE}。",
        ),
    ] = None,
    _lang: Annotated[
        ReaderLanguage,
        typer.Option(
            "--lang",
            envvar=LANGUAGE_VARIABLE,
            show_envvar=False,
            help=f"说哪种语言；也可用环境变量 {LANGUAGE_VARIABLE}。",
            callback=_set_language,
            is_eager=True,  # a wrong use of the other options is said in it
        ),
    ] = ReaderLanguage.ZH,
    _log_format: Annotated[
        LogForm,
        typer.Option(
            "--log-format",
            envvar=logs.LOG_FORMAT_VARIABLE,
            show_envvar=False,
            help=f"日志写成文字，还是一行一个 JSON；也可用环境变量 {logs.LOG_FORMAT_VARIABLE}。",
            callback=_set_log_format,
        ),
    ] = LogForm.TEXT,
    _version: Annotated[
        bool, typer.Option("--version", help="打印版本。", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    context.obj = Home.current(home, newsletter)
    if not re.fullmatch(r"([a-z0-9][a-z0-9-]{0,39})?", context.obj.name):
        raise WrongUse("newsletter-name", "--newsletter", name=context.obj.name)
