"""The commands about the database, and about all that a newsroom needs from its machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from pipelines.cli import terminal
from pipelines.cli.shared import Json, home_of, house_of, newsroom_of, now, print_json
from pipelines.cli.terminal import SOME_FAILED, WRONG_USE, fail, out, sentence
from pipelines.cli.usage import Group

db_app = typer.Typer(cls=Group, help="数据库。", no_args_is_help=True)


@db_app.command("upgrade")
def db_upgrade(context: typer.Context) -> None:
    """把数据库升级到当前版本；SQLite 会先留一份副本。

    例：jianbao db upgrade
    """
    from pipelines.newsroom.watching.upkeep import open_newsletters
    from pipelines.store import Store

    home = house_of(context).home
    Store.upgrade(home.database_url).close()
    open_newsletters(home)
    out.print(sentence("cli/upgraded"))


@db_app.command("backup")
def db_backup(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", dir_okay=False)] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="放进 var/backups，只留最新的几份；不用写 FILE。")] = None,
) -> None:
    """不停机备份数据库。

    例：jianbao db backup --keep 14
    """
    from pipelines.newsroom.watching.upkeep import keep_backups

    newsroom = newsroom_of(context)
    if (file is None) == (keep is None):
        fail(sentence("cli/file-or-keep"))
        raise typer.Exit(WRONG_USE)
    if file is not None:
        newsroom.store.backup(file)
    else:
        file, _ = keep_backups(newsroom, newsroom.home.var / "backups", keep or 1, now())
    out.print(Text(sentence("cli/backed-up", path=file)))


@db_app.command("restore")
def db_restore(
    context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, exists=True)]
) -> None:
    """换回一份备份；先停下 schedule 和编辑台。现在的数据库另存在旁边。

    例：jianbao db restore jianbao-backup.db
    """
    from pipelines.newsroom.watching.upkeep import restore_backup

    former = restore_backup(home_of(context), file, now())
    out.print(Text(sentence("cli/restored", path=file, former=former)))


@db_app.command("copy")
def db_copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM")],
    target: Annotated[str, typer.Argument(metavar="TO")],
) -> None:
    """把编辑部从一个数据库搬到另一个空的数据库：SQLite 到 PostgreSQL，或者反过来；先停下 schedule 和编辑台。

    FROM 和 TO 是数据库的 URL，或 SQLite 文件的路径；FROM 不变。

    例：jianbao db copy data/var/jianbao.db postgresql://jianbao@localhost/jianbao
    """
    from pipelines.newsroom.watching.upkeep import copy_database

    home = house_of(context).home
    with terminal.show_progress() as bar:
        task = bar.add_task(sentence("cli/copying"), total=None)

        def show(copied: int, total: int) -> None:
            step = "cli/copying" if copied < total else "cli/indexing"
            bar.update(task, completed=copied, total=total, description=sentence(step))

        name, rows = copy_database(home, source, target, now(), show)
    out.print(Text(sentence("cli/copied", rows=rows, database=name)))


@db_app.command("check")
def db_check(context: typer.Context) -> None:
    """检查数据库有没有损坏。

    例：jianbao db check
    """
    from pipelines.newsroom.watching.upkeep import measure_store

    newsroom = newsroom_of(context)
    mistakes = newsroom.store.check()
    for mistake in mistakes:
        fail(mistake)
    if mistakes:
        raise typer.Exit(SOME_FAILED)
    out.print(sentence("cli/sound", **measure_store(newsroom.store)))


@db_app.command("reduce")
def db_reduce(context: typer.Context) -> None:
    """精简 \\[retention] 期限之前的原始条目，并把空出来的地方还给磁盘；文章和决定都不变。

    例：jianbao db reduce
    """
    from pipelines.newsroom.crawling.retention import reduce_old_items
    from pipelines.newsroom.watching.upkeep import measure_store

    newsroom = house_of(context)
    with terminal.show_progress() as bar:
        task = bar.add_task(sentence("cli/reducing"), total=None)
        reduced = reduce_old_items(newsroom, now(), float("inf"), lambda count: bar.update(task, completed=count))
    newsroom.store.compact()
    values = {"items": reduced.items, "before": reduced.bytes_before // 1024, "after": reduced.bytes_after // 1024}
    out.print(sentence("cli/reduced-items", **values, size=measure_store(newsroom.store)["size"]))


def doctor(
    context: typer.Context,
    as_json: Json = False,
    desk: Annotated[str, typer.Option("--desk", help="浏览器里打开编辑台的网址；也看它答不答。")] = "",
) -> None:
    """看看这台机器和这个目录缺什么：权限、磁盘、时钟、设置、数据库、镜像、schedule、消息渠道。

    例：jianbao doctor
    """
    from pipelines.newsroom.watching.upkeep import diagnose

    rows = [
        {
            "subject": diagnosis.subject,
            "verdict": diagnosis.verdict,
            "text": sentence(f"doctor/{diagnosis.code}", **diagnosis.values),
        }
        for diagnosis in diagnose(home_of(context), now(), terminal.get_language(), desk)
    ]
    if as_json:
        print_json({"checks": rows})
    else:
        out.print(terminal.make_doctor_table(rows))
    if any(row["verdict"] == "bad" for row in rows):
        raise typer.Exit(SOME_FAILED)
