"""The faults that are survived, each with the tests that show it: `python tests/faults.py` writes docs/faults.md.

A test names its cases: `@pytest.mark.fault("N1", "N2")`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from places import ROOT

PAGE: Final = ROOT / "docs" / "faults.md"

ROOMS: Final = {
    "N": "Network",
    "H": "HTTP",
    "C": "Content",
    "E": "Encoding",
    "T": "Time",
    "S": "Storage and crashes",
    "K": "Several at once",
    "W": "The desk",
    "X": "Exports",
    "R": "Supply chain and inner addresses",
}

CASES: Final = {
    "N1": ("name lookup fails, connection refused, reset before the headers", "a named failure; other sources go on"),
    "N2": ("a reply that hangs after its headers, or drips byte by byte", "a deadline for the whole reply"),
    "N3": ("a body shorter than its length, a broken chunk", "never stored as complete; asked for again"),
    "N4": (
        "no HTTP at all, a header line of 100 KB, headers without end",
        "one failed request, bounded memory",
    ),
    "N5": ("the network is down for a whole run", "runs fail, are repeated soon, and one incident is told"),
    "H1": ("429 and 503 with every form of Retry-After", "obeyed within reason, by all sources of the host"),
    "H2": ("redirects in circles", "one error at the limit"),
    "H3": ("a redirect to file:, ftp: or data:", "refused"),
    "H4": ("a redirect to another origin", "no token, cookie or Referer goes along"),
    "H5": ("a compression bomb, a length of 10¹¹", "too large, with bounded memory"),
    "H6": ("Content-Encoding that lies, a Location that cannot be read", "a named error"),
    "H7": ("304, an ETag that always changes, the same bytes again", "nothing is new"),
    "H8": ("robots.txt that is missing, broken or forbids", "allowed; not asked; not asked"),
    "H9": ("410, or 403 and 404 for weeks", "retired with a notice, and asked for less and less often"),
    "H10": ("a challenge or a notice in the place of the page, with status 200", "blocked; nothing is stored"),
    "C1": ("titles and texts with scripts", "shown as text; sanitised HTML runs nothing"),
    "C2": ("entity expansion, external entities", "refused before a parser sees it"),
    "C3": ("a body that spells a path or an address", "read as bytes; nothing is opened"),
    "C4": ("a page for a feed, an empty body, XML that breaks off", "a named error; complete entries are kept"),
    "C5": ("deep nesting, huge tables, endless matching", "a limit of time for each reply and each page"),
    "C6": ("guids that change, repeat, or are missing", "one article each, by a policy for each source"),
    "C7": ("an article that is edited in silence", "a revision; what it replaced is kept"),
    "C8": ("almost equal titles about different models", "never one story"),
    "C9": ("a list that gave items and is empty", "an incident; nothing is deleted"),
    "C10": ("long and short links of WeChat", "one article; different articles stay apart"),
    "E1": ("GBK under any label or none", "the right text"),
    "E2": ("NUL, control characters, lone surrogates", "left out once, alike on both databases"),
    "E3": ("overrides of direction, invisible characters", "dropped where text is shown"),
    "E4": ("text that was encoded twice", "repaired; sound text is left alone"),
    "E5": ("an issue's file that breaks off within a character", "read with a warning that names the byte"),
    "T1": ("a weekday that misleads a parser", "the date as written"),
    "T2": ("no year, 十分钟前, 昨天 14:03", "relative to the fetch"),
    "T3": ("the year 2100, 0007, the day after tomorrow", "no date"),
    "T4": ("a date of 40,000 characters", "time in proportion to its length"),
    "T5": ("a clock that jumps, summer time, a machine that slept", "one run; no time of a wrong clock lasts"),
    "S1": ("kill -9 at any point", "nothing is lost or doubled, and all is grouped"),
    "S2": ("a full disk, a read-only folder", "rolled back; one line says so"),
    "S3": ("a database that another process locks", "waits, then a named error"),
    "S4": ("a file that is not ours, or of a newer version", "refused and not touched"),
    "S5": ("a migration that is killed", "leaves nothing, and can be run again"),
    "S6": ("an upgrade from every version", "every row is kept, with a copy"),
    "S7": ("an export that is killed", "the old file is whole; the leftover goes"),
    "K1": ("writers that read and then write", "no update is lost"),
    "K2": ("two schedulers", "one leads, the other says who"),
    "K3": ("two crawls of one newsletter; the holder of a lock dies", "one at a time; the lock ends with its holder"),
    "K4": ("two editors or tabs on one thing", "the later one is shown what changed"),
    "K5": ("threads that ask for a language first, at once", "no error"),
    "K6": (
        "a worker that is killed, stopped or cut off in the middle of a job",
        "another does the job; nothing is lost or doubled, and what comes late is refused",
    ),
    "W1": ("an action from another site or without its token", "refused"),
    "W2": ("a foreign Host header", "not answered"),
    "W3": ("stored markup in a browser", "does nothing"),
    "W4": ("a redirect that leads off the desk", "refused"),
    "W5": ("links to originals", "tell nobody where they came from, and lead to the web alone"),
    "W6": ("floods of form fields and ranges, paths out of a folder", "refused at their limits"),
    "W7": ("the preview of an article", "a response that can do nothing"),
    "W8": ("what is inside", "is not public, and errors tell nothing of it"),
    "W9": ("signs of the search language in a search", "are letters"),
    "X1": ("a title that is Markdown", "comes back as the same text"),
    "X2": ("Liquid and kramdown in a title", "run nothing"),
    "X3": ("an address that breaks out of its link", "encoded, or not printed"),
    "X4": ("styles and imports in WeChat's HTML", "nothing is fetched"),
    "X5": ("control characters in Atom", "the feed is valid"),
    "X6": ("a formula in a cell of a table", "is text: an apostrophe goes before it"),
    "X7": ("an article that gives orders to the language model", "checked, marked, and printed only when accepted"),
    "R1": ("every spelling of an inner address", "never connected to"),
    "R2": ("a name that changes after its check", "the checked address is used"),
    "R3": ("an inner address on purpose", "only as it is written in newsletter.toml"),
    "R4": ("control ports of the crawler", "closed, and the crawl refuses to begin otherwise"),
    "R5": ("pickle in caches and queues", "off, and the crawl refuses to begin otherwise"),
    "R6": ("a dependency that turns hostile", "installed by hash; every version is bounded"),
    "R7": ("a Referrer-Policy that names code", "ignored"),
}
"""What is survived, by id: the case, and what has to happen."""


def find_tests() -> dict[str, list[tuple[str, str]]]:
    """Find the tests of each case: file and name, in order."""
    tests: dict[str, list[tuple[str, str]]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, cases in _marked(path):
            for case in cases:
                tests.setdefault(case, []).append((path.relative_to(ROOT).as_posix(), name))
    return tests


def _marked(path: Path) -> Iterator[tuple[str, list[str]]]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault":
                    yield node.name, [ast.literal_eval(argument) for argument in decorator.args]


def make_page() -> str:
    """Make docs/faults.md."""
    tests = find_tests()
    lines = [
        "# Faults, bad input and attacks",
        "",
        "What jianbao survives, and the tests that show it: `pytest -m fault` runs them.",
        "`python tests/faults.py` writes this page from their marks.",
    ]
    for letter, room in ROOMS.items():
        lines += ["", f"## {room}", "", "| id | case | what happens | tests |", "|---|---|---|---|"]
        for case, (fault, outcome) in CASES.items():
            if case.rstrip("0123456789") == letter:
                links = [f"[{_words(name)}](../{path})" for path, name in tests.get(case, [])]
                lines.append(f"| {case} | {fault} | {outcome} | {'; '.join(links)} |")
    return "\n".join(lines) + "\n"


def _words(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
