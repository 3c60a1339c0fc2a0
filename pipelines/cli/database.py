"""The commands about the database: migrate it, copy it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from pipelines.cli.shared import newsroom_of
from pipelines.cli.terminal import out, sentence
from pipelines.cli.usage import Group

db_app = typer.Typer(cls=Group, help="数据库。", no_args_is_help=True)


@db_app.command("upgrade")
def db_upgrade(context: typer.Context) -> None:
    """把数据库升级到当前版本；SQLite 会先留一份副本。

    例：jianbao db upgrade
    """
    from pipelines.store import Store

    newsroom = newsroom_of(context)
    Store.upgrade(newsroom.home.database_url).close()
    out.print(sentence("cli/upgraded"))


@db_app.command("backup")
def db_backup(context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False)]) -> None:
    """不停机备份数据库。

    例：jianbao db backup jianbao-backup.db
    """
    newsroom = newsroom_of(context)
    newsroom.store.backup(file)
    out.print(Text(sentence("cli/backed-up", path=file)))
