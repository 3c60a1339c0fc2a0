"""Helpers of several commands: options, the time, JSON on stdout, grouping with a progress bar."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipelines.cli import terminal
from pipelines.cli.terminal import note, sentence, warn
from pipelines.cli.usage import WrongUse

if TYPE_CHECKING:
    from crawler.home import Home
    from pipelines.newsroom import Newsroom
    from pipelines.newsroom.editor import Editor
    from pipelines.newsroom.stages.shards import StartShards

DATE_FORMAT: Final = ["%Y-%m-%d"]

Json = Annotated[bool, typer.Option("--json", help="在标准输出打印一份 JSON。")]


def home_of(context: typer.Context) -> Home:
    """The folder of the newsletter that the main command's options name; its database, maybe damaged, stays closed.

    Raises:
        WrongUse: the folder has no newsletter of that name.
    """
    home: Home = context.obj
    if home.name and not home.newsletter.is_file():
        raise WrongUse("no-such-newsletter", "--newsletter", name=home.name, names=home.list_newsletters())
    return home


def newsroom_of(context: typer.Context) -> Newsroom:
    """Open the newsletter that the main command's options name, until the command ends.

    A further newsletter first grades what its house made since the last command.

    Raises:
        WrongUse: the folder has no newsletter of that name.
    """
    home = home_of(context)
    from pipelines.newsroom import Newsroom

    newsroom = Newsroom(home)
    context.call_on_close(newsroom.close)
    if home.name:
        from pipelines.newsroom.stages.following import is_behind

        _warn_of_empty_beginning(newsroom)
        if is_behind(newsroom.store):
            group_what_is_new(newsroom)
    return newsroom


def _warn_of_empty_beginning(newsroom: Newsroom) -> None:
    """Say that a further newsletter begins empty, where the tables of another one lack a folder: it may be renamed."""
    from pipelines.newsroom.watching.upkeep import find_newsletters_without_folder

    house, name = newsroom.house, newsroom.home.name
    if name in house.store.list_newsletters():
        return
    if former := find_newsletters_without_folder(house):
        warn(sentence("cli/newsletter-begins-empty", name=name, names=former))


def house_of(context: typer.Context) -> Newsroom:
    """Open the newsroom that crawls, whichever of its newsletters the main command's options name."""
    from pipelines.newsroom import Newsroom

    newsroom = Newsroom(context.obj.house)
    context.call_on_close(newsroom.close)
    return newsroom


def follow_if_named(context: typer.Context) -> None:
    """Grade what its house made for the further newsletter that the main command's options name, if they name one."""
    if context.obj.name:
        group_what_is_new(newsroom_of(context))


def editor_of(newsroom: Newsroom) -> Editor:
    """The editor whom newsletter.toml names, acting now."""
    from pipelines.newsroom.editor import Editor

    return Editor(newsroom, newsroom.newsletter.editor, now())


def group_what_is_new(newsroom: Newsroom, processes: int | None = None, start: StartShards | None = None) -> None:
    """Group new articles into stories, grade them, and print the numbers on stderr.

    Args:
        newsroom: whose articles are grouped.
        processes: so many read articles, if many are new; None for as many as there are processors.
        start: who reads them then; None for these processes alone.
    """
    from pipelines.newsroom.stages import run
    from pipelines.newsroom.stages.shards import Shards, count_processes

    with terminal.show_progress() as bar:
        task = bar.add_task(sentence("cli/grouping"), total=None)
        grouped = run.group(
            newsroom.store,
            newsroom.group_rules,
            lambda finished, total: bar.update(task, completed=finished, total=total),
            lock=newsroom.home.var / "learning.lock",
            processes=processes or count_processes(),
            start=start or Shards,
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
