"""The commands that crawl or add articles, and group them into stories."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pipelines import logs
from pipelines.cli import terminal
from pipelines.cli.health import report_incidents
from pipelines.cli.shared import Json, follow_if_named, group_what_is_new, house_of, newsroom_of, now, print_json
from pipelines.cli.terminal import SOME_FAILED, WRONG_USE, fail, note, out, sentence, warn
from pipelines.errors import describe_failure, describe_mistake

if TYPE_CHECKING:
    from pipelines.newsroom import Newsroom
    from pipelines.newsroom.crawling.crawls import SourceReport
    from pipelines.newsroom.stages.shards import StartShards
    from pipelines.store.queue import Lease

NoGroup = Annotated[bool, typer.Option("--no-group", help="只入库，不归组；留给下一个归组的命令。")]


def crawl(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="来源编号；默认是启用的全部。")] = None,
    due: Annotated[bool, typer.Option("--due", help="只抓到期的来源。")] = False,
    as_json: Json = False,
    no_group: NoGroup = False,
) -> None:
    """抓取来源，逐个报告新增、已有、更新、失败。

    例：jianbao crawl jiqizhixin arxiv-quantization
    """
    from pipelines.newsroom.crawling import crawls
    from pipelines.newsroom.crawling.retention import reduce_old_items
    from pipelines.newsroom.crawling.schedule import find_deadly_sources
    from pipelines.newsroom.crawling.starter import end_with_starter
    from pipelines.newsroom.stages.grouping import group_beside

    end_with_starter()
    newsroom = house_of(context)
    lease = _take_lease(newsroom)
    if unreadable := [mistake for mistake in newsroom.registry.mistakes if not mistake.source]:
        for mistake in unreadable:
            fail(describe_mistake(mistake, terminal.get_language()))
        raise typer.Exit(WRONG_USE)
    chosen = choose_sources(newsroom, ids or [], due=due)
    deadly = find_deadly_sources(newsroom, chosen) if len(chosen) > 1 else []
    chosen = [source for source in chosen if source not in deadly]
    reports = [] if ids else crawls.misconfigured(newsroom.registry)
    if chosen:
        with (
            terminal.show_progress() as bar,
            nullcontext(_do_nothing) if no_group else group_beside(newsroom) as note_end,
        ):
            task = bar.add_task(sentence("cli/crawling"), total=len(chosen))

            def show(finished: int, total: int) -> None:
                bar.update(task, completed=finished, total=total)
                note_end()

            reports += crawls.crawl(newsroom, chosen, on_progress=show, for_worker=lease is not None)
    for source in deadly:
        warn(sentence("cli/crawled-alone", source=source.id))
        reports.append(crawls.crawl_alone(newsroom, source, terminal.get_language()))
    report_incidents(newsroom)
    if due:
        reduce_old_items(newsroom, now())
    _group_and_report(context, newsroom, reports, as_json=as_json, no_group=no_group)


def _take_lease(newsroom: Newsroom) -> Lease | None:
    """The lease of this process, which ends with it; None where no worker started the process."""
    from pipelines.store.queue import Lease

    lease = Lease.of_process()
    if lease:
        from pipelines.cli.preloaded import find_starter
        from pipelines.newsroom.crawling.queue import end_with_lease

        end_with_lease(lease, newsroom.home.database_url, find_starter())
    return lease


def _divide_shards(newsroom: Newsroom, lease: Lease | None) -> StartShards:
    """Who does shards: other workers too where a worker started this process, else its own processes alone."""
    from pipelines.newsroom.stages.shards import Shards

    if lease is None:
        return Shards
    from pipelines.newsroom.crawling.queue import Queue
    from pipelines.newsroom.stages.division import DividedShards, hash_files

    def invite(count: int) -> None:
        Queue(newsroom.home, terminal.get_language()).invite_helpers(count)

    return partial(DividedShards, lease=lease, files_hash=hash_files(newsroom), invite=invite)


def _do_nothing() -> None:
    """Stand for the grouping beside a crawl that groups nothing."""


def add(
    context: typer.Context,
    targets: Annotated[list[str], typer.Argument(metavar="TARGET...", help="网址、另存的网页，或 .jsonl。")],
    url: Annotated[str | None, typer.Option(help="另存网页的原网址。")] = None,
    as_json: Json = False,
    no_group: NoGroup = False,
) -> None:
    """收进一个网址、一个另存的网页，或一份 .jsonl 清单。

    例：jianbao add saved.html --url https://mp.weixin.qq.com/s/abc
    """
    from pipelines.newsroom.crawling import crawls

    newsroom = house_of(context)
    reports = crawls.add(newsroom, targets, url=url)
    _group_and_report(context, newsroom, reports, as_json=as_json, no_group=no_group)


def fetch(
    context: typer.Context,
    stories: Annotated[
        list[int] | None, typer.Argument(metavar="[STORY]...", help="候选的编号；不给则是草稿里没有正文的各条。")
    ] = None,
    as_json: Json = False,
) -> None:
    """取来已选各条的正文，起草摘要；编辑写过的不动。在编辑台里选用时自动做。

    例：jianbao fetch 1234
    """
    from pipelines.newsroom.crawling import pages

    newsroom = newsroom_of(context)
    story_ids = stories or pages.list_stories_without_text(newsroom)
    reports = pages.fetch_pages(newsroom, story_ids, now())
    if as_json:
        print_json({"pages": [report.as_json() for report in reports]})
        raise typer.Exit(SOME_FAILED if any(report.failure for report in reports) else 0)
    for report in reports:
        if report.failure is None:
            out.print(Text(sentence("cli/page-came", title=report.title)), soft_wrap=True)
        else:
            reason = describe_failure(report.failure, terminal.get_language())
            fail(sentence("cli/page-failed", title=report.title, url=report.url, reason=reason))
    if not reports:
        out.print(sentence("cli/no-page-to-fetch"))
    if any(report.failure for report in reports):
        raise typer.Exit(SOME_FAILED)


def choose_sources(newsroom: Newsroom, ids: Sequence[str], *, due: bool) -> list[Any]:
    """The sources that a command names, or all that are enabled; of these, those that are due.

    Args:
        newsroom: with the registry.
        ids: of sources; empty for all.
        due: leave out the others.
    """
    from pipelines.newsroom.crawling.schedule import due_sources

    unknown = [source_id for source_id in ids if source_id not in newsroom.sources]
    if unknown:
        fail(sentence("cli/no-working-source", names=unknown))
        raise typer.Exit(WRONG_USE)
    chosen = [newsroom.sources[source_id] for source_id in ids] or [
        source for source in newsroom.sources.values() if source.enabled
    ]
    return due_sources(newsroom, chosen, now()) if due else chosen


def _group_and_report(
    context: typer.Context, newsroom: Newsroom, reports: Sequence[SourceReport], *, as_json: bool, no_group: bool
) -> None:
    if not no_group:  # even after reports without news: an earlier command may have died before it grouped
        group_what_is_new(newsroom)
        follow_if_named(context)
    if as_json:
        print_json({"sources": [report.as_json() for report in reports]})
    elif logs.is_json():
        pass  # each run is a line of the log
    elif reports:
        out.print(terminal.make_report_table(reports))
    else:
        out.print(sentence("cli/nothing-to-crawl"))
    if any(report.failed or report.has_useless_part for report in reports):
        raise typer.Exit(SOME_FAILED)


def group(context: typer.Context) -> None:
    """把新文章归成一件件事，分栏、打分（crawl 与 add 之后会自动做）。

    例：jianbao group
    """
    newsroom = house_of(context)
    lease = _take_lease(newsroom)
    group_what_is_new(newsroom, start=_divide_shards(newsroom, lease))
    follow_if_named(context)


def rebuild(
    context: typer.Context,
    processes: Annotated[
        int | None, typer.Option(min=1, help="用几个进程读条目；默认是处理器的个数，结果都一样。")
    ] = None,
    with_queue: Annotated[
        bool, typer.Option("--queue", help="不在这里做：排进队列，由一个 jianbao worker 带头做，闲着的 worker 帮着做。")
    ] = False,
) -> None:
    """用保存的原始条目重新得出一切，决定不受影响；规则改动之后用。中断了就再跑一次。

    例：jianbao rebuild
    """
    from pipelines.newsroom.editing.issues import remember_issues
    from pipelines.newsroom.stages import run
    from pipelines.newsroom.stages.shards import count_processes

    newsroom = house_of(context)
    if with_queue:
        from pipelines.newsroom.crawling.queue import Queue

        newsroom.store.close()  # made, with its tables
        Queue(newsroom.home, terminal.get_language()).add_rebuild()
        out.print(sentence("cli/rebuild-queued"))
        return
    start = _divide_shards(newsroom, _take_lease(newsroom))
    with terminal.show_progress() as bar:
        task = bar.add_task(sentence("cli/rebuilding"), total=None)
        rebuilt = run.rebuild(
            newsroom.store,
            newsroom.sources,
            newsroom.rules,
            lambda finished, total: bar.update(task, completed=finished, total=total),
            processes=processes or count_processes(),
            start=start,
        )
    remember_issues(newsroom.store, newsroom.newsletter, newsroom.rules)
    for problem in rebuilt.problems:
        warn(describe_failure(problem.failure, terminal.get_language(), problem.url))
    out.print(sentence("cli/rebuilt", items=rebuilt.items, articles=rebuilt.articles))
    group_what_is_new(newsroom, processes, start)
    follow_if_named(context)


def shards(
    context: typer.Context,
    is_quiet: Annotated[bool, typer.Option("--quiet", help="帮不上时不再说原因。")] = False,
) -> None:
    """帮另一个 worker 读条目、比文章；由 worker 自己启动。

    例：jianbao shards
    """
    from pipelines.newsroom.stages.helping import help_out
    from pipelines.newsroom.stages.shards import count_processes

    newsroom = house_of(context)
    if _take_lease(newsroom) is None:
        fail(sentence("cli/shards-without-worker"))
        raise typer.Exit(WRONG_USE)
    helped = help_out(newsroom, count_processes())
    if helped.shards:
        note(sentence("cli/shards-done", count=helped.shards))
    if helped.has_other_rules and not is_quiet:
        warn(sentence("cli/shards-other-rules"))


def schedule(
    context: typer.Context,
    with_queue: Annotated[
        bool, typer.Option("--queue", help="不自己抓：到期的来源排进队列，由各台机器上的 jianbao worker 抓。")
    ] = False,
) -> None:
    """常驻：到点就抓，直到 Ctrl-C。

    例：jianbao schedule
    """
    from pipelines.newsroom.crawling.schedule import serve

    newsroom = house_of(context)
    queue_of_newsroom = None
    if with_queue:
        from pipelines.newsroom.crawling.queue import Queue

        newsroom.store.close()  # made, with its tables
        queue_of_newsroom = Queue(newsroom.home, terminal.get_language())
    raise typer.Exit(serve(newsroom, terminal.get_language(), queue=queue_of_newsroom))


def worker(
    context: typer.Context,
    is_ending: Annotated[bool, typer.Option("--until-empty", help="队列里没有可做的就退出。")] = False,
) -> None:
    """常驻：从队列里领来源去抓，一次一个，直到 Ctrl-C（要 PostgreSQL 和 schedule --queue）。

    例：jianbao worker
    """
    from pipelines.cli.preloaded import PreloadedCommand
    from pipelines.newsroom.crawling.queue import Queue

    Queue(house_of(context).home, terminal.get_language()).work(PreloadedCommand, is_ending=is_ending)


def queue(context: typer.Context, as_json: Json = False) -> None:
    """列出队列里在做、等着、没做成的活，和每个 worker 上次报平安的时间。

    例：jianbao queue
    """
    from pipelines.newsroom.crawling.queue import Queue
    from pipelines.store.queue import QueueState

    newsroom = house_of(context)
    Queue(newsroom.home, terminal.get_language())  # makes it where it is missing
    with newsroom.store.reading() as tx:
        state = tx.jobs.read() or QueueState((), ())
    if as_json:
        print_json(
            {
                "jobs": [
                    {
                        "number": job.number,
                        "task": job.name,
                        "source": job.source or None,
                        "lock": job.lock,
                        "state": job.state,
                        "attempts": job.attempts,
                        "worker": job.worker,
                        "begins_at": job.begins_at.isoformat() if job.begins_at else None,
                    }
                    for job in state.jobs
                ],
                "workers": [
                    {"number": active.number, "last_heartbeat": active.last_heartbeat.isoformat()}
                    for active in state.workers
                ],
            }
        )
        return
    out.print(terminal.make_job_table(state.jobs, newsroom.zone))
    out.print(terminal.make_worker_table(state.workers, now()))
