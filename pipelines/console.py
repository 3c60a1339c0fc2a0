"""How the terminal shows what jianbao did: tables that fit, colours that mean something, Chinese throughout.

Green: done, new. Yellow: look at it. Red: failed. Dim: nothing to do. Everything from the web is shown as
text: markup characters and control sequences in a title do nothing here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pipelines.model import Candidate, Issue

STATE_NAMES: Final = {"new": "待选", "picked": "已选", "dropped": "不用", "later": "以后", "published": "已刊"}
MOST_REASONS: Final = 4

out = Console()
"""Answers go to stdout."""

err = Console(stderr=True)
"""Progress, warnings and errors go to stderr, so that stdout can be piped."""


def fail(message: str) -> None:
    """Say in red what went wrong."""
    err.print(Text(message, style="red"))


def warn(message: str) -> None:
    """Say in yellow what to look at."""
    err.print(Text(message, style="yellow"))


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


def candidate_tables(
    candidates: Sequence[Candidate], categories: Iterable[str], zone: ZoneInfo, quotas: dict[str, int]
) -> Iterator[Table]:
    """A table for each category that has candidates, best first as given."""
    for category in categories:
        rows = [one for one in candidates if one.category == category]
        if rows:
            yield _candidate_table(f"{category}（{len(rows)} 条候选，目标 {quotas[category]}）", rows, zone)


def _candidate_table(title: str, rows: Sequence[Candidate], zone: ZoneInfo) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", expand=True)
    table.add_column("编号", justify="right", style="cyan", no_wrap=True)
    table.add_column("分", justify="right", no_wrap=True)
    table.add_column("标题", ratio=5)
    table.add_column("来源", ratio=2)
    table.add_column("日期", no_wrap=True)
    table.add_column("理由", ratio=3, style="dim")
    for one in rows:
        table.add_row(
            str(one.story.id),
            f"{one.score:.1f}",
            _headline(one),
            Text(one.lead.article.publisher or one.lead.article.source),
            f"{one.lead.article.published.at.astimezone(zone):%m-%d}",
            Text(reasons_line(one)),
        )
    return table


def _headline(one: Candidate) -> Text:
    text = Text(one.lead.article.title, style=f"link {one.lead.article.url}" if out.is_terminal else "")
    if len(one.articles) > 1:
        text.append(f" ＋{len(one.articles) - 1}", style="green")
    if one.published_in is not None:
        text.append(f" 已在 {one.published_in} 收录", style="yellow")
    elif one.state != "new":
        text.append(f" {STATE_NAMES[one.state]}", style="yellow")
    return text


def reasons_line(one: Candidate) -> str:
    """The heaviest reasons on one line: `量化 +1.2 · 3 家同题 +0.4`."""
    return " · ".join(f"{reason.text} {reason.weight:+.1f}" for reason in one.reasons[:MOST_REASONS])


def issue_table(issues: Iterable[Issue]) -> Table:
    """Issues, newest first, with how many items each has."""
    table = Table("期", "状态", "条数", "要目", title="各期简报", title_justify="left")
    for issue in issues:
        items = sum(len(section.entries) for section in issue.sections)
        state = Text("草稿", style="yellow") if issue.state == "draft" else Text("已刊", style="green")
        table.add_row(issue.date.isoformat(), state, str(items), Text(issue.headline or ""))
    return table


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """A time as the editor reads it, or a dash."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "—"
