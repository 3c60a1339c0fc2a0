"""How the terminal shows what jianbao did: tables that fit, colours that mean something.

Green: done, new. Yellow: look at it. Red: failed. Dim: nothing to do. Everything from the web is shown as
text: markup characters and control sequences in a title do nothing here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pipelines.errors import describe_failure
from pipelines.names import STATE_NAMES
from pipelines.wording import Language, say

if TYPE_CHECKING:
    from crawler.sources import Source
    from pipelines.issue.lint import Finding
    from pipelines.model import Candidate, Issue, Reason
    from pipelines.newsletter import Category, Newsletter
    from pipelines.newsroom.crawls import SourceReport
    from pipelines.newsroom.evaluation import Evaluation, Ranking, Sections, Unpicked
    from pipelines.store.sources import SourceRecord

SOME_FAILED: Final = 1
"""Exit code: some of it failed, and stderr says what."""

WRONG_USE: Final = 2
"""Exit code: what was asked for, or what a configuration file says, cannot be done."""

MOST_REASONS: Final = 4

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


out = Console()
"""Answers go to stdout."""

err = Console(stderr=True)
"""Progress, warnings and errors go to stderr, so that stdout can be piped."""


_reader: list[Language] = ["zh"]


def speak(language: Language) -> None:
    """Let the terminal speak a language from now on."""
    _reader[0] = language


def language() -> Language:
    """The language that the terminal speaks."""
    return _reader[0]


def fail(message: str) -> None:
    """Say in red what went wrong."""
    err.print(Text(_harmless(message), style="red"), soft_wrap=True)


def warn(message: str) -> None:
    """Say in yellow what to look at."""
    err.print(Text(_harmless(message), style="yellow"), soft_wrap=True)


def _harmless(text: str) -> str:
    """Text without control characters: a terminal obeys them, and a server's words may hold some.

    >>> _harmless("a\\x1b[2Jb\\tc\\u202ed")
    'a[2Jb\\tcd'
    """
    return _CONTROLS.sub("", text)


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on a terminal; nothing where stderr is a file or a pipe."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as bar:
        yield bar


def _table(title: str, *headings: str, expand: bool = False) -> Table:
    return Table(*headings, title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, expand=expand)


def candidate_tables(
    candidates: Sequence[Candidate], categories: Sequence[Category], zone: ZoneInfo
) -> Iterator[Table]:
    """A table for each category that has candidates, best first as given; what no category claims comes last."""
    quotas = {category.name: category.quota for category in categories}
    for name in dict.fromkeys((*quotas, *(one.category for one in candidates))):
        rows = [one for one in candidates if one.category == name]
        if rows:
            target = f"，目标 {quotas[name]} 条" if name in quotas else ""
            yield _candidate_table(f"{name}：{len(rows)} 条{target}", rows, zone)


def _candidate_table(title: str, rows: Sequence[Candidate], zone: ZoneInfo) -> Table:
    table = _table(title, expand=True)
    table.add_column("编号", justify="right", style="cyan", no_wrap=True)
    table.add_column("分", justify="right", no_wrap=True)
    table.add_column("标题与理由", ratio=4)
    table.add_column("来源", ratio=1, overflow="fold")
    table.add_column("日期", no_wrap=True)
    for one in rows:
        table.add_row(
            str(one.story.id),
            f"{one.score:.1f}",
            _headline(one).append(f"\n{reasons_line(one)}", style="dim"),
            Text(one.lead.article.publisher or one.lead.article.source),
            f"{one.lead.article.published.at.astimezone(zone):%Y-%m-%d}",
        )
    return table


def _headline(one: Candidate) -> Text:
    text = Text(one.lead.article.title, style=f"link {one.lead.article.url}" if out.is_terminal else "")
    if len(one.articles) > 1:
        text.append(f" ＋{len(one.articles) - 1} 篇同题", style="green")
    if one.published_in is not None:
        text.append(f" 已在 {one.published_in} 收录", style="yellow")
        return text
    if one.follows is not None:
        text.append(f" 后续：已在 {one.follows} 收录过", style="yellow")
    if one.state != "new":
        text.append(f" {STATE_NAMES[one.state]}", style="yellow")
    return text


def reasons_line(one: Candidate) -> str:
    """The heaviest reasons on one line: `量化 +1.2 · 3 家同题 +0.4`."""
    return _reasons(one.reasons)


def _reasons(reasons: Iterable[Reason]) -> str:
    heaviest = [reason for reason in reasons if abs(reason.weight) >= 0.05][:MOST_REASONS]
    return " · ".join(f"{reason.text} {reason.weight:+.1f}" for reason in heaviest)


def issue_table(issues: Iterable[Issue]) -> Table:
    """Issues, newest first, with how many items each has."""
    table = Table(
        "期", "状态", "条数", "要目", title="各期简报", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    for issue in issues:
        items = sum(len(section.entries) for section in issue.sections)
        state = Text("草稿", style="yellow") if issue.state == "draft" else Text("已刊", style="green")
        table.add_row(issue.date.isoformat(), state, str(items), Text(issue.headline or ""))
    return table


def finding_lines(issue: Issue, findings: Iterable[Finding], newsletter: Newsletter) -> Iterator[Text]:
    """What of an issue is worth a second look, a line each, with where it is."""
    from pipelines.issue.entry import read_title

    reader = language()
    entries = [entry for section in issue.sections for entry in section.entries]
    for finding in findings:
        if finding.part == "section":
            where = issue.sections[finding.position].name
        elif finding.part == "entry":
            title = read_title(entries[finding.position].markdown, newsletter)[:30]
            where = say("place/entry", {"number": finding.position + 1, "title": title}, reader)
        else:
            where = say(f"place/{finding.part}", {}, reader)
        values = {"where": where, "line": finding.line + 1, "text": finding.text(reader)}
        sentence = say("place/finding-line" if finding.line else "place/finding", values, reader)
        yield Text(say("place/advice", {"finding": sentence, "advice": finding.advice(reader)}, reader))


def report_table(reports: Iterable[SourceReport]) -> Table:
    """What a crawl gave, a row a source, the failed ones last and with their reason."""
    reader = language()
    table = _table(say("crawl/title", {}, reader), expand=True)
    table.add_column(say("crawl/source", {}, reader), overflow="fold", max_width=24)
    for heading in ("crawl/new", "crawl/seen", "crawl/updated", "crawl/time"):
        table.add_column(say(heading, {}, reader), justify="right", no_wrap=True)
    table.add_column(say("crawl/remarks", {}, reader), ratio=1, overflow="fold")
    for report in sorted(reports, key=lambda report: report.failed is not None):
        numbers = (
            Text(str(report.new), style="green" if report.new else "dim"),
            Text(str(report.seen), style="dim"),
            Text(str(report.updated), style="" if report.updated else "dim"),
        )
        remarks = Text(style="red")
        if report.failed:
            reason = describe_failure(_harmless(report.failed), reader)
            remarks = Text(say("crawl/failed", {"reason": reason}, reader), style="red")
        for warning in report.warnings:
            sentence = describe_failure(_harmless(warning), reader)
            remarks.append(("\n" if remarks else "") + sentence, style="yellow")
        name = report.id if "://" in report.id else Path(report.id).name
        seconds = say("crawl/seconds", {"seconds": f"{report.seconds:.1f}"}, reader)
        table.add_row(Text(name, style="red" if report.failed else ""), *numbers, seconds, remarks)
    return table


def source_table(sources: Iterable[Source], histories: Mapping[str, SourceRecord], zone: ZoneInfo) -> Table:
    """The registry: a row a source, with when it last succeeded and what it failed of since."""
    table = _table("来源", "编号", "种类", "名称", "周期", "上次成功", "状态")
    for source in sources:
        history = histories.get(source.id)
        if not source.enabled:
            state = Text("停用", style="dim")
        elif history and history.failure:
            reason = describe_failure(_harmless(history.failure), language())
            state = Text(f"失败 {history.failures_in_row} 次：{reason}", style="red")
        else:
            state = Text("正常" if history else "未抓过", style="green" if history else "dim")
        succeeded = moment(history.last_success_at if history else None, zone)
        table.add_row(source.id, source.kind, Text(source.name), source.schedule, succeeded, state)
    return table


def evaluation(found: Evaluation) -> Iterator[Table | Text]:
    """What a model made of issues that it had not learned from."""
    yield Text(
        f"学了 {found.learned_issues} 期 {found.learned_items} 条、落选 {found.passed_over} 条；"
        f"考 {found.split} 起的 {found.tested_issues} 期（重登的 {found.repeats} 条不考）。"
    )
    if found.sections is not None:
        yield _sections(found.sections)
    else:
        yield Text("往期太少，还学不了分栏。", style="yellow")
    if found.ranking is not None:
        yield _ranking(found.ranking)
        yield _unpicked(found.ranking.unpicked)
    else:
        yield Text("没有给 --pool，或者太小：排序没有考。", style="yellow")


def _sections(found: Sections) -> Table:
    title = (
        f"分栏（{found.items} 条）：正确率 {found.accuracy:.3f}，前两名 {found.top2:.3f}，"
        f"macro-F1 {found.macro_f1:.3f}，对数损失 {found.log_loss:.3f}"
    )
    table = _table(title, "本该在", *(f"判为{name}" for name in found.confusion))
    for name, row in found.confusion.items():
        numbers = (Text(str(number), style="green" if put == name else "") for put, number in row.items())
        table.add_row(name, *numbers)
    return table


def _ranking(found: Ranking) -> Table:
    title = f"排序：recall@60 {found.recall:.3f}，precision@20 {found.precision:.3f}，AUC {found.auc:.4f}"
    table = _table(title, "期", "选中", "混入", "recall@60", "precision@20", "AUC")
    for one in found.issues:
        numbers = (str(one.picks), str(one.drawn), f"{one.recall:.2f}", f"{one.precision:.2f}", f"{one.auc:.4f}")
        table.add_row(one.issue.isoformat(), *numbers)
    return table


def _unpicked(found: Sequence[Unpicked]) -> Table:
    table = _table(f"排得最前而没有选的 {len(found)} 条", expand=True)
    table.add_column("分", justify="right", no_wrap=True)
    table.add_column("标题与理由", ratio=4)
    table.add_column("来源", ratio=1, overflow="fold")
    for one in found:
        title = Text(_harmless(one.title)).append(f"\n{_reasons(one.reasons)}", style="dim")
        table.add_row(f"{one.score:.1f}", title, Text(_harmless(one.source)))
    return table


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """A time as the editor reads it, or a dash."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "—"
