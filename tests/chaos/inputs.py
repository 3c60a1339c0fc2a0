"""Mutated inputs for every reader of strangers' documents: `python tests/chaos/inputs.py --count 100000 --seed 1`.

A third of the inputs goes to the readers of small documents, which take a tenth of a page's time.

Each reader gets recordings and small documents of ours with bytes exchanged, cut, doubled and joined. A reader may give
something or raise its own named errors; any other error, and any reading of more than `--seconds`, is a finding. The
exit status is 1 where there is one.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crawler.errors import CrawlError, TooLarge  # noqa: E402
from crawler.home import Home, bundled  # noqa: E402
from crawler.items import Reply  # noqa: E402
from crawler.limits import limit_processor_time  # noqa: E402
from crawler.pages import PAGES  # noqa: E402
from crawler.saved import read_saved  # noqa: E402
from crawler.sources.file import load_sources  # noqa: E402
from crawler.sources.opml import read_opml  # noqa: E402
from pipelines.errors import EditorError  # noqa: E402
from pipelines.issue.decoding import NotAnIssue  # noqa: E402
from pipelines.issue.markdown import render_issue  # noqa: E402
from pipelines.issue.reading import read_issue  # noqa: E402
from pipelines.newsletter import load_newsletter  # noqa: E402
from pipelines.normalise.dates import read_date  # noqa: E402
from pipelines.normalise.url import canonicalise  # noqa: E402
from pipelines.rules import load_rules  # noqa: E402

FETCHED_AT: Final = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
ZONE: Final = ZoneInfo("Asia/Shanghai")

PIECES: Final = (
    *(b"<", b">", b"&", b"&#0;", b"&#55357;&#56832;", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"\x00", b"\xff\xfe"),
    *(b"'", b'"', b"{", b"}", b"[", b"]", b"\\", b"\\ud83d", b"null", b"1e999", b"-1", b"\n", b"\r", b"%", b"%00"),
    *(b"://", b"@", b"](", b"```", b"---\n", b"<html>", b"<script>", b"xmlns:a='b'", b"\xef\xbb\xbf"),
    *("℀".encode(), "今天".encode()),
)

DATES: Final = (
    *(b"Fri, 7 Nov 2025 08:31:48 +0800", b"2025-11-07T08:31:48Z", b"1762475508"),
    *("3小时前".encode(), "11月20日".encode(), "编辑于 昨天 14:03".encode()),
)
ADDRESSES: Final = (
    b"https://mp.weixin.qq.com/s?__biz=MzA&mid=22&idx=1&sn=ab&scene=1#rd",
    b"https://user@[::1]:8000/a;b?c=%E4%BD%A0#d",
    b"https://arxiv.org/abs/2011.01234v2",
    b"https://github.com/a/b/releases/tag/v1.0",
)
OPML: Final = b'<opml version="2.0"><body><outline text="A"><outline text="B" xmlUrl="https://b.example/f"/></outline></body></opml>'
MHTML: Final = (
    b"From: <Saved>\r\nContent-Location: https://a.example/1\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/related; type="text/html"; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\nContent-Location: https://a.example/1\r\n\r\n"
    b"<html><head><title>T=C3=A9</title></head><body><p>One. Two. Three.</p></body></html>\r\n--b--\r\n"
)
ISSUE: Final = (
    "# 简报 (2020-11-30)\n\n## 论文\n\n- 【A】题\n  - 链接：https://a.example/1\n  - 摘要：话\n\n"
    "## 文章\n\n- [B](https://b.example)\n"
)

Reader = tuple[str, Sequence[bytes], Callable[[bytes], object], tuple[type[Exception], ...]]
"""Name, documents to mutate, function, and the errors that it names."""


def mutate(document: bytes, generator: random.Random) -> bytes:
    """Change a document in one to eight places."""
    changed = bytearray(document)
    for _ in range(generator.randint(1, 8)):
        start = generator.randrange(len(changed) + 1)
        end = min(start + int(generator.expovariate(0.05)), len(changed))
        match generator.randrange(6):
            case 0:
                changed[start:start] = generator.choice(PIECES)
            case 1:
                del changed[start:end]
            case 2:
                changed[start:end] = generator.randbytes(generator.randint(1, 4))
            case 3:
                changed[start:start] = changed[start:end] * generator.randint(1, 20)
            case 4:
                del changed[start:]
            case _:
                changed[start:end] = generator.choice(PIECES) * generator.randint(1, 5)
    return bytes(changed[:400_000])


def make_readers(folder: Path) -> list[Reader]:
    """Make the readers.

    Args:
        folder: for files that a reader reads.
    """
    rules, newsletter = load_rules(Home(bundled())), load_newsletter(bundled() / "newsletter.toml")
    replies: dict[str, list[tuple[Reply, bytes]]] = {}
    for path in sorted((ROOT / "tests" / "recordings").glob("*/*/response.json")):
        about = json.loads(path.read_text(encoding="utf-8"))
        body = path.with_name("response.body").read_bytes()
        reply = Reply(about["url"], about["status"], about["headers"], body, FETCHED_AT)
        replies.setdefault(about["page"], []).append((reply, body))

    def page_reader(name: str, reply: Reply) -> Callable[[bytes], object]:
        return lambda body: PAGES[name](Reply(reply.url, reply.status, reply.headers, body, FETCHED_AT))

    readers: list[Reader] = [
        (f"page {name}", [body], page_reader(name, reply), (CrawlError,))
        for name, cases in replies.items()
        for reply, body in cases
    ]

    def read_text(body: bytes) -> str:
        return body.decode(errors="replace")

    def read_issue_twice(body: bytes) -> object:
        issue = read_issue(body, name="2020-11-30.md", newsletter=newsletter)
        return render_issue(issue, newsletter, template)

    def read_settings(body: bytes) -> object:
        (folder / "newsletter.toml").write_bytes(body)
        return load_newsletter(folder / "newsletter.toml")

    def read_sources(body: bytes) -> object:
        (folder / "sources.toml").write_bytes(body)
        return load_sources(Home(folder))

    def read_page_file(body: bytes) -> object:
        (folder / "page.mhtml").write_bytes(body)
        return read_saved(folder / "page.mhtml")

    template = (bundled() / "templates" / "issue.md.j2").read_text(encoding="utf-8")
    return [
        *readers,
        ("dates", DATES, lambda body: read_date(read_text(body), FETCHED_AT, ZONE), ()),
        ("addresses", ADDRESSES, lambda body: canonicalise(read_text(body), rules), (ValueError,)),
        ("issues", [ISSUE.encode()], read_issue_twice, (NotAnIssue, EditorError)),
        ("newsletter.toml", [newsletter_bytes(bundled())], read_settings, (EditorError,)),
        ("sources.toml", [(bundled() / "sources.toml").read_bytes()[:4000]], read_sources, ()),
        ("opml", [OPML], read_opml, (CrawlError,)),
        ("mhtml", [MHTML], read_page_file, (CrawlError,)),
    ]


def newsletter_bytes(folder: Path) -> bytes:
    """The head of newsletter.toml, which holds a table of each sort."""
    return (folder / "newsletter.toml").read_bytes()[:6000]


def main() -> int:
    """Run, print the counts, and return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=10_000, help="inputs")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--seconds", type=float, default=10.0, help="of processor time for one input")
    options.add_argument("--minutes", type=float, default=60.0, help="no input is read later")
    chosen = options.parse_args()
    generator, count = random.Random(chosen.seed), 0
    findings: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    examples: dict[str, tuple[str, bytes]] = {}
    began, slowest = time.monotonic(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        readers = make_readers(Path(folder))
        pages = [reader for reader in readers if reader[0].startswith("page ")]
        others = [reader for reader in readers if reader not in pages]
        while count < chosen.count and time.monotonic() - began < 60 * chosen.minutes:
            count += 1
            name, documents, read, named = generator.choice(others if generator.random() < 1 / 3 else pages)
            document = mutate(generator.choice(documents), generator)
            start = time.process_time()
            try:
                with limit_processor_time(chosen.seconds):
                    read(document)
                outcomes["read"] += 1
            except TooLarge as error:
                if error.detail.code == "too-slow-to-read":
                    findings[f"{name}: too slow"] += 1
                    examples.setdefault(f"{name}: too slow", (name, document))
            except named:
                outcomes["refused by name"] += 1
            except Exception as error:
                frame = traceback.extract_tb(error.__traceback__)[-1]
                cause = f"{name}: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
                findings[cause] += 1
                examples.setdefault(cause, (name, document))
            slowest = max(slowest, time.process_time() - start)
    sys.stdout.write(f"{count} inputs, {time.monotonic() - began:.0f} s, slowest {slowest:.2f} s; {dict(outcomes)}\n")
    for cause, count in findings.most_common():
        sys.stdout.write(f"{count:6} {cause}\n       {examples[cause][1][:200]!r}\n")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
