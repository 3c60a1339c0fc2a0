"""The commands about the desk: open it, and manage the users who may log in from other machines."""

from __future__ import annotations

import re
import sys
import warnings
from getpass import GetPassWarning
from typing import Annotated

import typer
from rich.text import Text

from pipelines.cli import terminal
from pipelines.cli.shared import house_of, newsroom_of, now
from pipelines.cli.terminal import SOME_FAILED, WRONG_USE, fail, note, out, sentence
from pipelines.cli.usage import Group
from pipelines.errors import describe_error

user_app = typer.Typer(cls=Group, help="编辑台的用户。", no_args_is_help=True)


def review(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="监听的地址；不是本机的要先有用户。")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口；0 取任一空闲的。")] = 8765,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="还可以用哪些名字访问，比如反向代理的域名；可多次给。")
    ] = None,
) -> None:
    """打开编辑台：挑选、编辑、排版、导出，都在浏览器里。

    例：jianbao review
    """
    from pipelines.review import serving

    newsroom = newsroom_of(context)
    try:
        access = serving.make_access(newsroom, host)
        with serving.listen(host, port) as listening:
            name = f"[{host}]" if ":" in host else host
            address = f"http://{name}:{listening.getsockname()[1]}/"
            out.print(sentence("cli/desk-open", address=address), soft_wrap=True)
            serving.serve(newsroom, [listening], access, serving.make_host_names(host, allow_host or []))
    except serving.NobodyMayEnter as error:
        fail(describe_error(error, terminal.get_language()))
        raise typer.Exit(WRONG_USE) from None
    except OSError as error:
        fail(sentence("cli/cannot-listen", host=host, port=port, reason=error.strerror))
        raise typer.Exit(SOME_FAILED) from None


@user_app.command("add")
def user_add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="名字；决定会记在它名下。")],
    from_stdin: Annotated[bool, typer.Option("--password-stdin", help="从标准输入读密码，供脚本用。")] = False,
) -> None:
    """加一个能从别处登录编辑台的用户，或给已有的换密码。

    例：jianbao user add xiaowang
    """
    from pipelines.review.guard import passwords

    newsroom = house_of(context)
    if not re.fullmatch(r"[\w.@-]{1,64}", name):
        fail(sentence("cli/bad-user-name"))
        raise typer.Exit(WRONG_USE)
    password = sys.stdin.readline().rstrip("\n") if from_stdin else _ask_for_password()
    try:
        stored = passwords.hash_password(password)
    except passwords.TooShort as error:
        fail(describe_error(error, terminal.get_language()))
        raise typer.Exit(WRONG_USE) from None
    with newsroom.store.transaction() as tx:
        tx.users.save(name, stored, now())
    out.print(Text(sentence("cli/user-added", name=name)))


def _ask_for_password() -> str:
    """Ask twice, unseen."""
    with warnings.catch_warnings(action="error", category=GetPassWarning):
        try:
            password, again = (
                str(typer.prompt(question, hide_input=True, err=True))
                for question in (sentence("cli/password"), sentence("cli/password-again"))
            )
        except GetPassWarning:
            fail(sentence("cli/password-would-show"))
            raise typer.Exit(WRONG_USE) from None
    if again != password:
        fail(sentence("cli/password-differs"))
        raise typer.Exit(WRONG_USE)
    return password


@user_app.command("list")
def user_list(context: typer.Context) -> None:
    """列出用户。

    例：jianbao user list
    """
    newsroom = house_of(context)
    with newsroom.store.reading() as tx:
        names = tx.users.list_names()
    for name in names:
        out.print(Text(name))
    if not names:
        note(sentence("cli/no-users"))


@user_app.command("remove")
def user_remove(context: typer.Context, name: Annotated[str, typer.Argument(help="名字。")]) -> None:
    """去掉一个用户，已登录的也随之退出；做过的决定仍在。

    例：jianbao user remove xiaowang
    """
    newsroom = house_of(context)
    with newsroom.store.transaction() as tx:
        removed = tx.users.remove(name)
    if not removed:
        fail(sentence("cli/no-such-user", name=name))
        raise typer.Exit(WRONG_USE)
    out.print(Text(sentence("cli/user-removed", name=name)))
