"""`jianbao demo`: one issue of the bundled sample newsroom, made with the commands that an editor types."""

from __future__ import annotations

import json
import os
import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from rich.text import Text

from crawler.home import DATABASE_VARIABLE, Home
from pipelines.cli.sample import HOST, Sample, serving
from pipelines.cli.terminal import SOME_FAILED, WRONG_USE, fail, get_language, out, sentence
from pipelines.model import Candidate, Issue
from pipelines.newsroom import Newsroom
from pipelines.newsroom.editing.candidates import list_categories
from pipelines.newsroom.editing.issues import list_issues
from pipelines.store.listing import CandidateQuery

FOLDER: Final = "jianbao-demo"

_CANDIDATES_PER_CATEGORY: Final = "6"


Command = Callable[[Sequence[str]], int]
"""Runs `jianbao` with arguments, as if an editor had typed them, and returns the exit code."""


def run_demo(command: Command) -> int:
    """Import the back issues, crawl, group, list, fill an issue with picks, export; print the path of the issue.

    Some sources of the sample are broken on purpose: the demo prints their failures and succeeds nevertheless.

    Returns:
        The exit code.
    """
    with open_sample() as home:
        if home is None:
            return WRONG_USE
        _run_and_show(command, "archive", "import", *sorted(str(path) for path in (home.path / "archive").glob("*.md")))
        _run_and_show(command, "crawl")
        out.print(sentence("demo/broken-on-purpose"), style="dim")
        _run_and_show(command, "candidates", "--limit", _CANDIDATES_PER_CATEGORY)
        newsroom = Newsroom(home)
        with closing(newsroom.store):
            draft = _find_draft(newsroom)
            picks = _choose_picks(newsroom, draft)
        if not picks and not draft:
            fail(sentence("demo/failed"))
            return SOME_FAILED
        out.print("\n" + sentence("demo/picking" if picks else "demo/full"))
        for candidate in picks:
            _run_and_show(command, "decide", str(candidate.story.id), "pick")
        exported = _run_and_show(command, "export")
        issue = max((home.path / "issues").glob("*.md"))
        out.print("\n" + sentence("demo/done", path=issue), soft_wrap=True)
        command_line = f"jianbao --home {FOLDER} candidates"
        out.print(sentence("demo/next", folder=FOLDER, command=command_line), soft_wrap=True)
        return exported


def serve() -> int:
    """Keep the sample's server running until Ctrl-C, so that a person can point the crawler at it.

    Returns:
        The exit code.
    """
    with open_sample() as home:
        if home is None:
            return WRONG_USE
        command_line = f"jianbao --home {FOLDER} crawl"
        out.print(sentence("demo/served", folder=FOLDER, command=command_line), soft_wrap=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            out.print()
    return 0


@contextmanager
def open_sample() -> Iterator[Home | None]:
    """Fill the demo's folder and run the sample's server while the context lasts; yield None for a foreign folder.

    The folder keeps the moment and the port of its first run, so that a second run serves the same pages.
    """
    home = Home(Path(FOLDER))
    notes = home.var / "demo.json"
    if home.path.exists() and not notes.exists():
        fail(sentence("demo/foreign-folder", folder=FOLDER))
        yield None
        return
    os.environ.pop(DATABASE_VARIABLE, None)  # a database that the environment names is not the sample's
    now, last_port = _read_notes(notes)
    sample = Sample.load()
    with serving(sample, now, (last_port, 0)) as port:
        if port != last_port:
            _replace_port(home, last_port, port)
        notes.parent.mkdir(parents=True, exist_ok=True)
        notes.write_text(json.dumps({"now": now.isoformat(), "port": port}) + "\n", encoding="utf-8")
        sample.copy_newsroom(home.path, now, port)
        out.print(sentence("demo/site", address=f"http://{HOST}:{port}/"))
        yield home


def _read_notes(notes: Path) -> tuple[datetime, int]:
    if not notes.exists():
        return datetime.now(UTC), 0
    remembered = json.loads(notes.read_text(encoding="utf-8"))
    return datetime.fromisoformat(remembered["now"]), remembered["port"]


def _replace_port(home: Home, old: int, new: int) -> None:
    """Replace the port of the last run by the present one in the folder's files."""
    for file in (home.newsletter, home.sources):
        if file.exists():
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(f"{HOST}:{old}", f"{HOST}:{new}"), encoding="utf-8")


def _run_and_show(command: Command, *arguments: str) -> int:
    """Print a command and run it; the command prints its own output."""
    out.print(Text(f"\n$ jianbao --home {FOLDER} {shlex.join(arguments)}", style="bold cyan"), soft_wrap=True)
    return command(["--home", FOLDER, "--lang", get_language(), *arguments])


def _find_draft(newsroom: Newsroom) -> Issue | None:
    return next((issue for issue in list_issues(newsroom.store) if issue.state == "draft"), None)


def _choose_picks(newsroom: Newsroom, draft: Issue | None) -> Sequence[Candidate]:
    """Choose the best candidates of each category, as many as the draft lacks."""
    now = datetime.now(UTC)
    filled = {section.name: len(section.entries) for section in draft.sections} if draft else {}
    lacking = {each.name: max(each.quota - filled.get(each.name, 0), 0) for each in newsroom.newsletter.categories}
    with newsroom.store.reading() as tx:
        return [
            candidate
            for each in list_categories(tx, CandidateQuery(), now, lacking)
            for candidate in islice(each.candidates, lacking.get(each.category, 0))
        ]
