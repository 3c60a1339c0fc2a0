"""The commands about how the sources do: their health, and the ledger of runs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli import terminal
from pipelines.cli.choosing import read_span
from pipelines.cli.shared import DATE_FORMAT, Json, house_of, now, print_json
from pipelines.cli.terminal import SOME_FAILED, WRONG_USE, fail, out, sentence
from pipelines.cli.usage import Group

if TYPE_CHECKING:
    from pipelines.newsroom import Newsroom

health_app = typer.Typer(
    help="来源的状况：谁迟了、沉默了、失败了，依据是什么，怎么办。", cls=Group, invoke_without_command=True
)
runs_app = typer.Typer(help="抓取的账本。", cls=Group, no_args_is_help=True)

Since = Annotated[str | None, typer.Option(help="也列这段时间内了结的：14d、36h、2w。")]

Metrics = Annotated[bool, typer.Option("--metrics", help="写成 Prometheus 的文本格式；不因有事而以 1 结束。")]


@health_app.callback()
def health(context: typer.Context, since: Since = None, as_json: Json = False, metrics: Metrics = False) -> None:
    """看每个来源的状况；有事要人处理、又没有人确认过，就以 1 结束。

    例：jianbao health --since 14d
    """
    if context.invoked_subcommand:
        return
    from pipelines.errors import describe_mistake
    from pipelines.newsroom.watching.health import check_sources, incident_json, judgement_json

    newsroom, today, language = house_of(context), now(), terminal.get_language()
    checkup = check_sources(newsroom, today)
    if metrics:
        from pipelines.newsroom.watching.metrics import render_metrics

        sys.stdout.write(render_metrics(newsroom, checkup, today))
        return
    incidents = list(checkup.open_incidents)
    if since:
        with newsroom.store.reading() as tx:
            incidents = tx.incidents.list_since(today - read_span(since))
    waiting = [incident for incident in checkup.open_incidents if incident.needs_person(today)]
    mistakes = [describe_mistake(mistake, language) for mistake in newsroom.registry.mistakes]
    if as_json:
        rows = [
            judgement_json(newsroom.sources[source_id], judgement, language)
            for source_id, judgement in checkup.judgements.items()
        ]
        print_json(
            {
                "generated_at": today.isoformat(),
                "needs_person": bool(waiting or mistakes),
                "mistakes": mistakes,
                "sources": rows,
                "incidents": [incident_json(incident, today, language) for incident in incidents],
            }
        )
    else:
        out.print(terminal.make_health_table(newsroom.sources, checkup.judgements, newsroom.zone))
        if incidents:
            out.print(terminal.make_incident_table(incidents, newsroom.zone, today))
        if not waiting:
            out.print(sentence("cli/no-incidents"))
    for mistake in mistakes:
        fail(mistake)
    if waiting or mistakes:
        raise typer.Exit(SOME_FAILED)


@health_app.command("ack")
def acknowledge_incident(
    context: typer.Context,
    incident: Annotated[int, typer.Argument(metavar="ID", help="事情的编号。")],
    until: Annotated[datetime, typer.Option(formats=DATE_FORMAT, help="到这一天才再提醒。")],
) -> None:
    """确认一件事：到期以前它不再让 jianbao health 以 1 结束。

    例：jianbao health ack 3 --until 2026-12-31
    """
    from pipelines.newsroom.watching.health import acknowledge

    newsroom = house_of(context)
    if not acknowledge(newsroom, incident, until.replace(tzinfo=newsroom.zone).astimezone(UTC)):
        fail(sentence("cli/no-such-incident", id=incident))
        raise typer.Exit(WRONG_USE)
    out.print(sentence("cli/acknowledged", id=incident, day=until.date()))


@runs_app.command("list")
def runs_list(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="只看一个来源。")] = None,
    since: Annotated[str, typer.Option(help="只看这段时间内开始的：14d、36h、2w。")] = "2d",
    as_json: Json = False,
) -> None:
    """列出抓取，新的在前；没有收尾的也在。

    例：jianbao runs list --source jiqizhixin --since 7d
    """
    newsroom = house_of(context)
    with newsroom.store.reading() as tx:
        runs = tx.runs.list_since(now() - read_span(since), source)[::-1]
    if as_json:
        print_json({"runs": [terminal.run_json(run) for run in runs]})
    elif runs:
        out.print(terminal.make_run_table(runs, newsroom.zone))
    else:
        out.print(sentence("cli/no-runs"))


@runs_app.command("lost")
def runs_lost(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="只看一个来源。")] = None,
    since: Annotated[str, typer.Option(help="只看这段时间内抓到的：14d、36h、2w。")] = "7d",
    as_json: Json = False,
) -> None:
    """列出成不了文章的条目和原因；原文都还留着，规则改好以后 rebuild 会再读它们。

    例：jianbao runs lost --since 14d
    """
    newsroom = house_of(context)
    with newsroom.store.reading() as tx:
        items = tx.raw.list_lost(now() - read_span(since), source)
    if as_json:
        print_json({"lost": [terminal.lost_item_json(item) for item in items]})
    elif items:
        out.print(terminal.make_lost_table(items, newsroom.zone))
    else:
        out.print(sentence("cli/nothing-lost"))


@runs_app.command("show")
def runs_show(
    context: typer.Context,
    run: Annotated[int, typer.Argument(metavar="ID", help="抓取的编号。")],
    as_json: Json = False,
) -> None:
    """看一次抓取：结果、应答的主机、带来的文章的日期。

    例：jianbao runs show 120
    """
    newsroom = house_of(context)
    with newsroom.store.reading() as tx:
        record = tx.runs.get(run)
    if record is None:
        fail(sentence("cli/no-such-run", id=run))
        raise typer.Exit(WRONG_USE)
    if as_json:
        print_json(terminal.run_json(record))
    else:
        out.print(terminal.make_run_details(record, newsroom.zone))


def report_incidents(newsroom: Newsroom) -> None:
    """Look at all sources after a crawl; print on stderr each incident that is new or over, and send the alerts."""
    from pipelines.newsroom.watching.alerts import deliver_alerts
    from pipelines.newsroom.watching.health import check_sources, describe_incident, describe_remedy, name_subject

    language = terminal.get_language()
    checkup = check_sources(newsroom, now())
    for incident in checkup.raised:
        values = {
            "source": name_subject(incident, {}, language),
            "state": sentence(f"health/{incident.state}"),
            "evidence": describe_incident(incident.kind, incident.values, language),
            "remedy": describe_remedy(incident.kind, incident.source, language),
        }
        terminal.warn(sentence("cli/raised", **values))
    for incident in checkup.recovered:
        evidence = describe_incident(incident.kind, incident.values, language)
        terminal.note(sentence("cli/recovered", source=name_subject(incident, {}, language), evidence=evidence))
    for delivery in deliver_alerts(newsroom, now(), language):
        if delivery.failure:
            terminal.warn(sentence("cli/alert-not-sent", channel=delivery.channel, reason=delivery.failure))
