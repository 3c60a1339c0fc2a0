"""The bundled sample newsroom: its pages, filled in relative to one moment, and a server of them on loopback."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

from crawler.home import bundled
from crawler.toml import read_toml

HOST: Final = "127.0.0.1"
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

FORMS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "epoch": lambda at: str(int(at.timestamp())),
    "iso": lambda at: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    "iso-ms": lambda at: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}",
    "iso8": lambda at: at.isoformat(timespec="seconds"),
    "rfc822": format_datetime,
    "rfc822-gmt": lambda at: format_datetime(at.astimezone(UTC), usegmt=True),
    "rfc822-no-zone": lambda at: format_datetime(at).rpartition(" ")[0],
    "minute": lambda at: f"{at:%Y-%m-%d %H:%M}",
    "date": lambda at: f"{at:%Y-%m-%d}",
    "chinese": lambda at: f"{at.year}年{at.month}月{at.day}日",
    "month-day": lambda at: f"{at.month}月{at.day}日",
}
"""How the sample's sites write a date. Times of day are those of Asia/Shanghai, unless the form says otherwise."""

_PLACEHOLDER: Final = re.compile(r"\{\{ (port|now(?:-(?P<age>(?:\d+[dhm])+))?\|(?P<form>[a-z0-9-]+)) \}\}")
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}


def render(text: str, now: datetime, port: int) -> str:
    """Fill in what depends on the moment and on the server.

    Args:
        text: with `{{ port }}` and `{{ now-3d4h|rfc822 }}`: an age in days, hours, minutes, and one of `FORMS`.
        now: aware; what the ages are counted back from.
        port: where the sample is served.

    Raises:
        KeyError: a form that is not in `FORMS`.

    >>> render("{{ now-1d2h|minute }} :{{ port }}", datetime(2099, 3, 2, 4, 5, tzinfo=UTC), 8000)
    '2099-03-01 10:05 :8000'
    """

    def filled(match: re.Match[str]) -> str:
        if match[1] == "port":
            return str(port)
        parts = re.findall(r"(\d+)([dhm])", match["age"] or "")
        age = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
        return FORMS[match["form"]]((now - age).astimezone(SHANGHAI))

    return _PLACEHOLDER.sub(filled, text)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server sends."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Route:
    """One row of routes.toml. What the fields mean stands in data/sample/README.md."""

    path: str
    file: str
    content_type: str
    status: int = 200
    encoding: str = "utf-8"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    page: str | None = None
    items: int = 0
    error: str | None = None
    url: str | None = None

    def matches(self, target: str) -> bool:
        """Whether this row answers the request line's target; parameters beyond the row's own do not matter."""
        asked = urlsplit(target)
        return unquote(asked.path) == self.path and self.query.items() <= dict(parse_qsl(asked.query)).items()


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample's files.

    Args:
        folder: holds `routes.toml`, `pages/` (what sites answer) and `newsroom/` (a newsletter's folder).
        routes: in the order in which they are tried.
    """

    folder: Path
    routes: tuple[Route, ...]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Read the routes of `folder`, by default of the sample that comes with jianbao."""
        folder = folder or bundled() / "sample"
        rows = read_toml(folder / "routes.toml")["route"]
        return cls(folder, tuple(Route(**row) for row in rows))

    def answer(self, target: str, asked: Mapping[str, str], now: datetime, port: int) -> Answer:
        """What the server sends for a request.

        Args:
            target: path and query of the request line.
            asked: request headers, names in lower case.
            now: aware; what the pages' dates are relative to.
            port: where the sample is served.
        """
        route = next((row for row in self.routes if row.matches(target)), None)
        if route is None:
            return Answer(404, {"Content-Type": "text/plain; charset=utf-8"}, "样例里没有这一页。\n".encode())
        headers = {name: render(value, now, port) for name, value in route.headers.items()}
        if _unchanged(headers, asked):
            return Answer(304, headers)
        text = (self.folder / "pages" / route.file).read_text(encoding="utf-8")
        body = render(text, now, port).encode(route.encoding)
        return Answer(route.status, {"Content-Type": route.content_type, **headers}, body)

    def copy_newsroom(self, target: Path, now: datetime, port: int) -> tuple[Path, ...]:
        """Write the newsletter's folder to `target`, filled in; files that are there already stay as they are.

        A file that is called by an age (`now-30d.md`) gets that day for its name.

        Returns:
            What was written.
        """
        source = self.folder / "newsroom"
        written = []
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            name = render(f"{{{{ {file.stem}|date }}}}", now, port) if file.stem.startswith("now-") else file.stem
            copy = target / file.relative_to(source).with_name(name + file.suffix)
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(render(file.read_text(encoding="utf-8"), now, port), encoding="utf-8")
                written.append(copy)
        return tuple(written)


def _unchanged(headers: Mapping[str, str], asked: Mapping[str, str]) -> bool:
    """Whether the validators that were sent back still hold (RFC 9110, 13.1)."""
    pairs = (("if-none-match", "ETag"), ("if-modified-since", "Last-Modified"))
    return any(name in asked and asked[name] == headers.get(validator) for name, validator in pairs)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, sample: Sample, now: datetime, port: int) -> None:
        self.sample, self.now = sample, now
        super().__init__((HOST, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answer from the table."""
        asked = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.sample.answer(self.path, asked, self.server.now, self.server.server_port)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        """Say nothing: the crawler tells what it asked."""


@contextmanager
def serving(sample: Sample, now: datetime, ports: Iterable[int] = (0,)) -> Iterator[int]:
    """Serve the sample on loopback while the context lasts.

    Args:
        sample: what to serve.
        now: aware; what its dates are relative to.
        ports: tried in turn; 0 takes any free one.

    Yields:
        The port.

    Raises:
        OSError: none of the ports is free.
    """
    server = _bound(sample, now, tuple(ports))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bound(sample: Sample, now: datetime, ports: tuple[int, ...]) -> _Server:
    for port in ports[:-1]:
        try:
            return _Server(sample, now, port)
        except OSError:
            continue
    return _Server(sample, now, ports[-1])
