"""Helpers of several commands: options, the time, JSON on stdout, grouping with a progress bar."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipelines.cli import terminal
from pipelines.cli.terminal import note, sentence

if TYPE_CHECKING:
    from pipelines.newsroom import Newsroom
    from pipelines.newsroom.editor import Editor

DATE_FORMAT: Final = ["%Y-%m-%d"]

Json = Annotated[bool, typer.Option("--json", help="在标准输出打印一份 JSON。")]


def newsroom_of(context: typer.Context) -> Newsroom:
    """Open the newsroom in the folder that the main command's options name, until the command ends."""
    from pipelines.newsroom import Newsroom

    newsroom = Newsroom(context.obj)
    context.call_on_close(newsroom.close)
    return newsroom


def editor_of(newsroom: Newsroom) -> Editor:
    """The editor whom newsletter.toml names, acting now."""
    from pipelines.newsroom.editor import Editor

    return Editor(newsroom, newsroom.newsletter.editor, now())


def group_what_is_new(newsroom: Newsroom, processes: int | None = None) -> None:
    """Group new articles into stories, grade them, and print the numbers on stderr.

    Args:
        newsroom: whose articles are grouped.
        processes: so many read articles, if many are new; None for as many as there are processors.
    """
    from pipelines.newsroom import run
    from pipelines.newsroom.shards import count_processes

    with terminal.show_progress() as bar:
        task = bar.add_task(sentence("cli/grouping"), total=None)
        grouped = run.group(
            newsroom.store,
            newsroom.group_rules,
            lambda finished, total: bar.update(task, completed=finished, total=total),
            lock=newsroom.home.var / "learning.lock",
            processes=processes or count_processes(),
        )
    if grouped.articles:
        note(sentence("cli/grouped", articles=grouped.articles, stories=grouped.stories))
    if grouped.learned:
        note(sentence("cli/trained"))


def now() -> datetime:
    """The time at which a command acts, in UTC."""
    return datetime.now(UTC)


def print_json(document: dict[str, Any]) -> None:
    """Print the one document that `--json` promises."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
