"""Pages of strangers' sites are read in a process of their own, which is stopped where one costs too much.

Finding the text of any site's page takes long, in libraries that nobody can interrupt, and a page may be made to take
minutes or all memory. So the crawl goes on meanwhile, and a page that goes too far costs this process alone: the next
page starts another. The process gets no secret of the environment, and answers in JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from crawler import errors
from crawler.errors import CrawlError, Detail, TooLarge
from crawler.items import Page, RawItem, Reply
from crawler.spiders.read_page import LONGEST_READING, is_mistake, read_page

MOST_MEMORY: Final = 1_500_000_000
"""Bytes of address space. Python and its libraries take 300 MB, the largest page that a parser accepts some 600 MB."""

LONGEST_WAIT: Final = 300.0
"""Seconds for one page by the clock; a busy machine may need many times the processor time."""

_GRACE: Final = 5
"""Seconds of processor time from the signal that stops Python code to the one that ends the process."""

_PAGES_OF_A_PROCESS: Final = 1_000
"""Pages until a fresh process takes over: libraries keep some memory of each."""

_ENVIRONMENT: Final = frozenset({"HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ", "VIRTUAL_ENV"})

_HEAD: Final = struct.Struct("!II")
"""Bytes of JSON, and of the body after it."""


@dataclass(slots=True)
class PageProcess:
    """The process that reads pages, one at a time; it starts with the first page.

    Args:
        longest_wait: seconds for one page by the clock.
        most_memory: bytes of its address space.
    """

    longest_wait: float = LONGEST_WAIT
    most_memory: int = MOST_MEMORY
    _process: subprocess.Popen[bytes] | None = None
    _count: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self, name: str, reply: Reply) -> Page:
        """Read a reply with a page function that asks for no further pages, without holding up the event loop.

        Args:
            name: of the page function.
            reply: of a site.

        Raises:
            CrawlError: as `read_page`; a TooLarge where the page takes too much time or memory.
        """
        async with self._turn:
            return await asyncio.to_thread(self.read_now, name, reply)

    def read_now(self, name: str, reply: Reply) -> Page:
        """Do as `read`, and wait."""
        if self._process is None or self._process.poll() is not None or self._count >= _PAGES_OF_A_PROCESS:
            self.close()
            self._process, self._count = _start(self.most_memory), 0
        self._count += 1
        answer = _exchange(self._process, name, reply, self.longest_wait)
        if answer is None:
            raise self._conclude(reply.url)
        if "error" in answer:
            if answer["detail"]["code"] == "too-much-memory":  # its heap may be full of what is left of the page
                self.close()
            raise _error_of(answer, reply.url)
        items = tuple(RawItem.from_json(item) for item in answer["items"])
        return Page(items, warnings=tuple(map(Detail.from_json, answer["warnings"])))

    def close(self) -> None:
        """End the process, if there is one; a page that it reads is lost."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            process.wait()

    def _conclude(self, url: str) -> TooLarge:
        """The error that the end of the process, or its silence, stands for."""
        process = self._process
        with suppress(subprocess.TimeoutExpired):
            if process is not None:
                process.wait(1)
        code = process.returncode if process is not None else None
        self.close()
        if code is None or code == -signal.SIGXCPU:
            return TooLarge("too-slow-to-read", url=url, remedy="report-page", seconds=round(LONGEST_READING))
        return TooLarge("reader-ended", url=url, remedy="report-page", number=code)


def _start(most_memory: int) -> subprocess.Popen[bytes]:
    inherited = {
        name: setting for name, setting in os.environ.items() if name in _ENVIRONMENT or name.startswith("PYTHON")
    }
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(  # noqa: S603 - our own module, by no shell
        [sys.executable, "-P", "-m", "crawler.spiders.page_process", str(most_memory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,  # Ctrl-C stops the crawl, which ends this process when its last page is read
        env={**inherited, "PYTHONPATH": os.pathsep.join(paths)},
    )


def _exchange(process: subprocess.Popen[bytes], name: str, reply: Reply, longest_wait: float) -> dict[str, Any] | None:
    """Hand a reply to the process and take its answer; None where there is none, or none in time."""
    if process.stdin is None or process.stdout is None:
        return None
    head = {"page": name, "url": reply.url, "status": reply.status, "headers": dict(reply.headers)}
    try:
        _write(process.stdin, {**head, "fetched_at": reply.fetched_at.isoformat()}, reply.body)
        if not select.select([process.stdout], [], [], longest_wait)[0]:
            return None
        message = _read(process.stdout)
    except (BrokenPipeError, ValueError):  # the process has ended, or another thread has closed its pipes
        return None
    return message[0] if message else None


def _error_of(answer: dict[str, Any], url: str) -> CrawlError:
    """The error that the process answered with; a mistake of the code as its cause, for the log."""
    kind = getattr(errors, answer["error"], CrawlError)
    remedy = Detail.from_json(answer["remedy"]) if answer["remedy"] else ""
    error: CrawlError = kind(Detail.from_json(answer["detail"]), url=answer["url"] or url, remedy=remedy)
    error.__cause__ = RuntimeError(answer["mistake"]) if answer["mistake"] else None
    return error


# --- both ends of the pipe -----------------------------------------------------------------------------------------


def _write(pipe: IO[bytes], row: dict[str, Any], body: bytes = b"") -> None:
    text = json.dumps(row).encode()
    pipe.write(_HEAD.pack(len(text), len(body)) + text + body)
    pipe.flush()


def _read(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next message; None where the other end is closed."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    lengths = _HEAD.unpack(head)
    text, body = (pipe.read(length) for length in lengths)
    return (json.loads(text), body) if (len(text), len(body)) == lengths else None


# --- inside the process --------------------------------------------------------------------------------------------


def serve(most_memory: int) -> None:
    """Read the pages that come in on stdin, until it is closed."""
    logging.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (most_memory, most_memory))
    while message := _read(sys.stdin.buffer):
        row, body = message
        fetched_at = datetime.fromisoformat(row["fetched_at"])
        reply = Reply(row["url"], row["status"], row["headers"], body, fetched_at)
        _limit_next_reading()
        _write(sys.stdout.buffer, _answer(row["page"], reply))


def _limit_next_reading() -> None:
    """Let the system end the process where even a library does not come back."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime + LONGEST_READING) + _GRACE
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def _answer(name: str, reply: Reply) -> dict[str, Any]:
    """Read one page."""
    try:
        page = read_page(name, reply)
    except CrawlError as error:
        cause = error.__cause__
        return {
            "error": type(error).__name__,
            "detail": error.detail.as_json(),
            "url": error.url,
            "remedy": error.remedy.as_json() if error.remedy else None,
            "mistake": "".join(traceback.format_exception(cause)) if is_mistake(cause) else "",
        }
    return {
        "items": [item.to_json() for item in page.items],
        "warnings": [warning.as_json() for warning in page.warnings],
    }


if __name__ == "__main__":
    serve(int(sys.argv[1]))
