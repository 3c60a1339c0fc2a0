"""The bundled sample newsroom: its pages with dates relative to one moment, and a server for them on loopback."""

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
    "epoch": lambda moment: str(int(moment.timestamp())),
    "iso": lambda moment: f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    "iso-ms": lambda moment: f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}",
    "iso8": lambda moment: moment.isoformat(timespec="seconds"),
    "rfc822": format_datetime,
    "rfc822-gmt": lambda moment: format_datetime(moment.astimezone(UTC), usegmt=True),
    "rfc822-no-zone": lambda moment: format_datetime(moment).rpartition(" ")[0],
    "minute": lambda moment: f"{moment:%Y-%m-%d %H:%M}",
    "date": lambda moment: f"{moment:%Y-%m-%d}",
    "chinese": lambda moment: f"{moment.year}年{moment.month}月{moment.day}日",
    "month-day": lambda moment: f"{moment.month}月{moment.day}日",
}
"""The forms in which the sample's sites write a date. Times are of Asia/Shanghai, unless the form says otherwise."""

_PLACEHOLDER: Final = re.compile(r"\{\{ (port|now(?:-(?P<age>(?:\d+[dhm])+))?\|(?P<form>[a-z0-9-]+)) \}\}")
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}


def render(text: str, now: datetime, port: int) -> str:
    """Replace the placeholders of a text by dates and the server's port.

    Args:
        text: with `{{ port }}` and `{{ now-3d4h|rfc822 }}`: an age in days, hours, minutes, and one of `FORMS`.
        now: aware; ages count back from it.
        port: of the server.

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
    """A reply of the server."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Route:
    """A row of routes.toml; data/sample/README.md explains the fields."""

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
        """Whether this row answers the request line's target; further parameters of the target do not matter."""
        url = urlsplit(target)
        return unquote(url.path) == self.path and self.query.items() <= dict(parse_qsl(url.query)).items()


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample's files.

    Args:
        folder: holds `routes.toml`, `pages/` (the bodies of replies) and `newsroom/` (a newsletter's folder).
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

    def answer(self, target: str, request_headers: Mapping[str, str], now: datetime, port: int) -> Answer:
        """The reply to a request.

        Args:
            target: path and query of the request line.
            request_headers: names in lower case.
            now: aware; the dates of the pages are relative to it.
            port: of the server.
        """
        route = next((row for row in self.routes if row.matches(target)), None)
        if route is None:
            return Answer(404, {"Content-Type": "text/plain; charset=utf-8"}, "样例里没有这一页。\n".encode())
        headers = {name: render(text, now, port) for name, text in route.headers.items()}
        if _unchanged(headers, request_headers):
            return Answer(304, headers)
        text = (self.folder / "pages" / route.file).read_text(encoding="utf-8")
        body = render(text, now, port).encode(route.encoding)
        return Answer(route.status, {"Content-Type": route.content_type, **headers}, body)

    def copy_newsroom(self, target: Path, now: datetime, port: int) -> tuple[Path, ...]:
        """Write the newsletter's folder, rendered, to `target`; existing files stay as they are.

        A file whose name is an age (`now-30d.md`) gets the date of that day as its name.

        Args:
            target: a folder, which need not exist.
            now: aware; dates are relative to it.
            port: of the server.

        Returns:
            The written files.
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


def _unchanged(headers: Mapping[str, str], request_headers: Mapping[str, str]) -> bool:
    """Whether the validators of the request equal those of the reply (RFC 9110, section 13.1)."""
    pairs = (("if-none-match", "ETag"), ("if-modified-since", "Last-Modified"))
    return any(name in request_headers and request_headers[name] == headers.get(validator) for name, validator in pairs)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, sample: Sample, now: datetime, port: int) -> None:
        self.sample, self.now = sample, now
        super().__init__((HOST, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answer from the table."""
        request_headers = {name.lower(): text for name, text in self.headers.items()}
        answer = self.server.sample.answer(self.path, request_headers, self.server.now, self.server.server_port)
        self.send_response(answer.status)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        """Log nothing: the crawler logs its requests."""


@contextmanager
def serving(sample: Sample, now: datetime, ports: Iterable[int] = (0,)) -> Iterator[int]:
    """Serve the sample on loopback while the context lasts.

    Args:
        sample: to serve.
        now: aware; its dates are relative to it.
        ports: tried in turn; 0 means any free port.

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
