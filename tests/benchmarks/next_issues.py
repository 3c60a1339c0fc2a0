"""How close the next issue of other newsletters comes to the printed one.

    python tests/benchmarks/next_issues.py FOLDER [NAME ...] [--keep DIR]

FOLDER holds a folder for each newsletter, with its past issues in Markdown, as `archives.py` reads them; further
arguments name some of them. The newest issue of each is held out. A new newsroom learns the style from the ten before
it (`archive learn --write`), imports them, and makes the issue through the command line, twice:

- by hand: each entry is written with `issue write`, in its parts: title, source, address, summary, signer; and what the
  issue has anew is written with `issue text`: headline, opening, guide, texts of sections;
- from candidates: titles, addresses and summaries are added as articles (`add`), picked into the printed sections
  (`decide`), and the summaries drafted. Entries without an address are written by hand.

Printed lines that come back in the export are counted, blank ones too, in the order of print (`difflib`). What the
issue has anew is in no issue made from candidates: headline, cover, essays, the editor's opening words.
`--keep DIR` keeps the newsrooms with the difference of each issue.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from commands import Cli

from crawler.home import Home
from pipelines.issue import inline
from pipelines.issue.changes import PARTS
from pipelines.issue.entry import EntryView, read_entry, split_first_line
from pipelines.issue.reading import read_issue
from pipelines.model import Entry, Issue
from pipelines.newsletter import Newsletter
from pipelines.newsroom import Newsroom

_EXAMPLES = 10
_SUMMARY_CHARACTERS = 400
"""Of an article's summary, as feeds give it."""


@dataclass(frozen=True)
class Item:
    """An entry of the printed issue, as the editor has it in mind.

    Args:
        section: the heading it stands under.
        title: with its code between backticks; with the link where the link is a part of it.
        url: empty where the title has none, or holds it.
        rest: Markdown of what follows the title and the source.
    """

    section: str
    title: str
    url: str
    source: str
    rest: str
    signer: str
    view: EntryView


@dataclass(frozen=True)
class Comparison:
    """The printed issue beside the made one."""

    printed: int
    equal: int
    made: int
    picked: int
    items: int


def take_apart(section: str, entry: Entry, newsletter: Newsletter) -> Item:
    """Take an entry apart by its first link, not by the newsletter's form."""
    view = read_entry(entry.markdown, newsletter)
    first, lines = split_first_line(entry.markdown.lstrip("\n"))
    below = "\n".join(lines).strip("\n")
    links = [link for link in inline.find_links(first) if not link.image]
    if not links:
        return Item(section, view.title, "", view.source or "", below, "", view)
    link = links[0]
    lead, behind = first[: link.start].replace("**", ""), first[link.end :].removeprefix("**")
    if view.source:
        behind = behind.replace(view.source, "", 1).strip("（()）[]【】—–|｜ ")
    if re.search(r"\w", re.sub(r"\[[^\]]*\]", "", lead)):  # "2026-08-19 | Virtual | [Rust Girona](…)"
        return Item(section, first, "", "", below, "", view)
    address = re.sub(r"^https?://[^(){}]*(?=https?://)", "", link.url)
    behind = behind.lstrip(" ：:—–-")
    rest = f"{behind}\n\n{below}".strip("\n") if behind else below
    signed = re.match(r"\[@([^\]]*)\]\([^)]*\)\s*[:：]\s*", rest)
    return Item(
        section,
        lead + link.markdown,
        address,
        view.source or "",
        rest[signed.end() :] if signed else rest,
        signed[1] if signed else "",
        view,
    )


def make(folder: Path, home: Path, *, by_hand: bool) -> tuple[Comparison, str]:
    """Learn the style of a newsletter, make its newest issue, and compare it with the printed one.

    Args:
        folder: of the printed issues.
        home: of the new newsroom.
        by_hand: else from candidates.

    Returns:
        The comparison, and the difference line by line.
    """
    *examples, held = sorted(folder.iterdir(), key=_sort_key)[-_EXAMPLES - 1 :]
    cli = Cli(home)
    cli("init", str(home))
    (home / "sources.toml").write_text("", encoding="utf-8")
    files = list(map(str, examples))
    cli.try_to("archive", "learn", *files, "--write")
    issue, newsletter = _read_held(cli, held)
    cli.try_to("archive", "import", *files)
    items = [
        take_apart(section.name, entry, newsletter)
        for section in issue.main_sections
        if newsletter.category(section.name)
        for entry in section.entries
    ]
    stories = {} if by_hand else _add(cli, items)
    picked: set[str] = set()
    for item in items:
        story = next((stories[url] for url in _spell(item) if url in stories), None)
        if story is not None and story not in picked:
            picked.add(story)
            cli.try_to("decide", story, "pick", "--category", item.section, "--issue", str(issue.date))
        else:
            _write(cli, item, issue.date)
    if by_hand:
        _write_texts(cli, issue)
    output = home / "made"
    cli.try_to("export", str(issue.date), "-o", str(output))
    (file,) = output.glob("*.md")
    printed, made = (_split(path.read_text(encoding="utf-8")) for path in (held, file))
    blocks = difflib.SequenceMatcher(None, printed, made, autojunk=False).get_matching_blocks()
    equal = sum(block.size for block in blocks)
    difference = "\n".join(difflib.unified_diff(printed, made, held.name, file.name, lineterm="", n=1))
    return Comparison(len(printed), equal, len(made), len(picked), len(items)), difference


def _sort_key(path: Path) -> list[int | str]:
    """Sort `issue-9` before `issue-10`."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def _split(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n")]


def _read_held(cli: Cli, held: Path) -> tuple[Issue, Newsletter]:
    """Read the held-out issue; the dates of issues that have a number alone are made up by `learn`."""
    newsletter = Newsroom(Home(cli.home)).newsletter
    issue = read_issue(held.read_bytes(), name=held.name, newsletter=newsletter)
    return issue, newsletter


def _add(cli: Cli, items: list[Item]) -> dict[str, str]:
    """Add the items as articles; the ids of their stories by address."""
    rows = [
        {
            "url": item.view.url,
            "title": re.sub(r"\[[^\]]*\]\s+", "", item.title) if item.url else item.view.title,
            "summary": "\n".join(item.view.summary)[:_SUMMARY_CHARACTERS],
        }
        for item in items
        if item.view.url
    ]
    file = cli.home / "items.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    cli.try_to("add", str(file))
    listed = json.loads(cli.try_to("candidates", "--json", "--limit", "10000"))
    return {
        url: str(candidate["id"])
        for category in listed["categories"]
        for candidate in category["candidates"]
        for article in candidate["articles"]
        for url in article["urls"]
    }


def _spell(item: Item) -> list[str]:
    url = item.view.url or ""
    return [url, url.rstrip("/"), url.partition("#")[0], url.partition("#")[0].rstrip("/"), item.url]


def _write(cli: Cli, item: Item, day: date) -> None:
    parts = {"title": item.title, "url": item.url, "source": item.source, "summary": item.rest, "editor": item.signer}
    options = [word for name, text in parts.items() if text for word in (f"--{name}", text)]
    cli.try_to("issue", "write", str(day), "--category", item.section, *options)


def _write_texts(cli: Cli, issue: Issue) -> None:
    """Write the texts of an issue that its draft has otherwise."""
    day = str(issue.date)
    with Newsroom(Home(cli.home)).store.reading() as tx:
        draft = tx.issues.get(issue.date)
    assert draft is not None
    for part in PARTS:
        if getattr(issue, part) != getattr(draft, part):
            cli.try_to("issue", "text", day, "--part", part, "--text", getattr(issue, part) or "")
    drafted = {section.name: section for section in draft.sections}
    following = [*issue.main_sections[1:], None]
    for section, next_section in reversed(list(zip(issue.main_sections, following, strict=True))):
        options = ["--section", section.name, "--level", str(section.level)]
        options += ["--above", next_section.name] if next_section else []
        former = drafted.get(section.name)
        if section.notes != (former.notes if former else None) or former is None:
            cli.try_to("issue", "text", day, *options, "--text", section.notes or "")
        if section.closing != (former.closing if former else None):
            cli.try_to("issue", "text", day, *options, "--part", "closing", "--text", section.closing or "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = options.keep or Path(scratch)
        columns = ("printed", "by hand", "candidates", "picked", "items")
        print("newsletter  ", *(f"{column:>10}" for column in columns))  # noqa: T201
        for name in options.names or sorted(path.name for path in options.folder.iterdir()):
            ways = {"hand": True, "candidates": False}
            results = []
            for way, by_hand in ways.items():
                home = base / f"{name}-{way}"
                comparison, difference = make(options.folder / name, home, by_hand=by_hand)
                (home / "difference").write_text(difference, encoding="utf-8")
                results.append(comparison)
            hand, drafted = results
            numbers = (hand.printed, hand.equal, drafted.equal, drafted.picked, hand.items)
            print(f"{name:12}", *(f"{number:10}" for number in numbers), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
