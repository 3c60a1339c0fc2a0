"""The commands about alerts: send what waits, and try the channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipelines.cli import terminal
from pipelines.cli.shared import house_of, now
from pipelines.cli.terminal import SOME_FAILED, WRONG_USE, fail, out, sentence
from pipelines.cli.usage import Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.newsroom.watching.alerts import Delivery

alerts_app = typer.Typer(cls=Group, help="出了事告诉谁：渠道写在 newsletter.toml 的 \\[alerts]。", no_args_is_help=True)


@alerts_app.command("test")
def alerts_test(
    context: typer.Context,
    channels: Annotated[
        list[str] | None, typer.Argument(metavar="[CHANNEL]...", help="渠道的名字；默认是全部。")
    ] = None,
) -> None:
    """往渠道发一条测试消息；不管是不是免打扰的时间。

    例：jianbao alerts test
    """
    from pipelines.newsroom.watching.alerts import send_test

    newsroom = house_of(context)
    configured = newsroom.newsletter.alerts.channels
    if not configured:
        fail(sentence("cli/no-channels"))
        raise typer.Exit(WRONG_USE)
    if unknown := [name for name in channels or () if name not in configured]:
        fail(sentence("cli/no-such-channel", names=unknown))
        raise typer.Exit(WRONG_USE)
    _report(send_test(newsroom, channels or [], terminal.get_language()))


@alerts_app.command("send")
def alerts_send(context: typer.Context) -> None:
    """发出等着的消息（schedule 与 crawl 会自动发；这里给用 cron 的人）。

    例：jianbao alerts send
    """
    from pipelines.newsroom.watching.alerts import deliver_alerts

    deliveries = deliver_alerts(house_of(context), now(), terminal.get_language())
    if not deliveries:
        out.print(sentence("cli/no-alerts"))
    _report(deliveries)


def _report(deliveries: Sequence[Delivery]) -> None:
    """Print the outcome of each message; exit with 1 where one was not sent."""
    for delivery in deliveries:
        if delivery.failure:
            fail(sentence("cli/alert-not-sent", channel=delivery.channel, reason=delivery.failure))
        else:
            out.print(Text(sentence("cli/alert-sent", channel=delivery.channel, count=delivery.count)))
    if any(delivery.failure for delivery in deliveries):
        raise typer.Exit(SOME_FAILED)
