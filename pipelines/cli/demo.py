"""`jianbao demo`: the main job on the bundled sample newsroom, by the very commands that an editor would type."""

from __future__ import annotations

import json
import os
import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.text import Text

from crawler.home import DATABASE_VARIABLE, Home
from pipelines.cli.sample import HOST, Sample, serving
from pipelines.cli.terminal import SOME_FAILED, WRONG_USE, fail, out
from pipelines.model import Candidate, Issue
from pipelines.newsroom import Newsroom
from pipelines.newsroom.candidates import list_candidates
from pipelines.newsroom.issues import all_issues
from pipelines.store.listing import CandidateQuery

FOLDER: Final = "jianbao-demo"

_SHOWN_IN_EACH_CATEGORY: Final = "6"


Command = Callable[[Sequence[str]], int]
"""Runs `jianbao` with these words, as if they had been typed, and gives its exit code."""


def run_demo(command: Command) -> int:
    """Import the back issues, crawl, group, list, pick as many as an issue wants, export; say where the issue lies.

    Some of the sample's sources are broken on purpose: their failures are shown and fail nothing.

    Returns:
        The exit code.
    """
    with _sample_newsroom() as home:
        if home is None:
            return WRONG_USE
        _jianbao(command, "archive", "import", *sorted(str(path) for path in (home.path / "archive").glob("*.md")))
        _jianbao(command, "crawl")
        out.print("失败的来源和页面是样例故意弄坏的：编辑部要能带着它们工作。", style="dim")
        _jianbao(command, "candidates", "--limit", _SHOWN_IN_EACH_CATEGORY)
        newsroom = Newsroom(home)
        with closing(newsroom.store):
            draft = _newest_draft(newsroom)
            picks = _picks(newsroom, draft)
        if not picks and not draft:
            fail("样例没有跑通：什么也没有抓到，原因见上面的表")
            return SOME_FAILED
        out.print("\n按各栏的名额，选每栏最好的几条：" if picks else "\n没有新内容，这一期已经选满。")
        for candidate in picks:
            _jianbao(command, "decide", str(candidate.story.id), "pick")
        exported = _jianbao(command, "export")
        issue = max((home.path / "issues").glob("*.md"))
        out.print(f"\n样例跑完了：这一期在 {issue}", soft_wrap=True)
        out.print(
            f"整个编辑部在 {FOLDER}/，删掉它就从头来过。接着可以试：jianbao --home {FOLDER} candidates", soft_wrap=True
        )
        return exported


def serve() -> int:
    """Keep the sample's server running until Ctrl-C, so that a person can point the crawler at it.

    Returns:
        The exit code.
    """
    with _sample_newsroom() as home:
        if home is None:
            return WRONG_USE
        out.print(
            f"它的编辑部在 {FOLDER}/：另开一个终端，运行 jianbao --home {FOLDER} crawl。按 Ctrl-C 结束。",
            soft_wrap=True,
        )
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            out.print()
    return 0


@contextmanager
def _sample_newsroom() -> Iterator[Home | None]:
    """The demo's folder, and the sample's server while the context lasts; None where the folder is somebody else's.

    The folder remembers the moment and the port of its first run: the same pages then say the same again.
    """
    home = Home(Path(FOLDER))
    notes = home.var / "demo.json"
    if home.path.exists() and not notes.exists():
        fail(f"这里已有一个不是样例的 {FOLDER}，未作改动。换一个目录再试")
        yield None
        return
    os.environ.pop(DATABASE_VARIABLE, None)  # a database that the environment names is not the sample's
    now, last_port = _recall(notes)
    sample = Sample.load()
    with serving(sample, now, (last_port, 0)) as port:
        if port != last_port:
            _move(home, last_port, port)
        notes.parent.mkdir(parents=True, exist_ok=True)
        notes.write_text(json.dumps({"now": now.isoformat(), "port": port}) + "\n", encoding="utf-8")
        sample.copy_newsroom(home.path, now, port)
        out.print(f"样例站点在 http://{HOST}:{port}/ ，只有本机能访问。")
        yield home


def _recall(notes: Path) -> tuple[datetime, int]:
    if not notes.exists():
        return datetime.now(UTC), 0
    remembered = json.loads(notes.read_text(encoding="utf-8"))
    return datetime.fromisoformat(remembered["now"]), remembered["port"]


def _move(home: Home, old: int, new: int) -> None:
    """Have the folder's files name the port that the sample is served on now."""
    for file in (home.newsletter, home.sources):
        if file.exists():
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(f"{HOST}:{old}", f"{HOST}:{new}"), encoding="utf-8")


def _jianbao(command: Command, *arguments: str) -> int:
    """Show a command and run it; what it says is its own."""
    out.print(Text(f"\n$ jianbao --home {FOLDER} {shlex.join(arguments)}", style="bold cyan"), soft_wrap=True)
    return command(["--home", FOLDER, *arguments])


def _newest_draft(newsroom: Newsroom) -> Issue | None:
    return next((issue for issue in all_issues(newsroom.store) if issue.state == "draft"), None)


def _picks(newsroom: Newsroom, draft: Issue | None) -> Sequence[Candidate]:
    """The best candidates of each category, as many as the draft still wants."""
    now = datetime.now(UTC)
    filled = {section.name: len(section.entries) for section in draft.sections} if draft else {}
    with newsroom.store.reading() as tx:
        return [
            candidate
            for category in newsroom.newsletter.categories
            for candidate in list_candidates(
                tx,
                CandidateQuery(category=category.name),
                now,
                limit_per_category=max(category.quota - filled.get(category.name, 0), 0),
            )
        ]
