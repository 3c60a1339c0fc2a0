"""Servers on loopback for tests of the network, and a way to run spiders, each time in a process of their own."""

from __future__ import annotations

import json
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from places import ROOT


@dataclass(frozen=True)
class Seen:
    """A request that reached the server."""

    method: str
    path: str
    headers: Mapping[str, str]
    at: float
    body: bytes = b""


Handler = Callable[[Seen], bytes | Iterator[bytes]]
"""The whole answer as it goes over the wire, at once or piece by piece."""


@dataclass
class Site:
    """A server on a free port of loopback: answers by path, and what it was asked.

    Args:
        answers: by path without its query; a list gives its members in turn, the last one for ever after.
        host, port: where it listens; each address of 127.0.0.0/8 is a host of its own.
        seen: in order.
    """

    answers: dict[str, bytes | list[bytes] | Handler]
    host: str = "127.0.0.1"
    scheme: str = "http"
    port: int = 0
    seen: list[Seen] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def base(self) -> str:
        return f"{self.scheme}://{self.place}"

    def paths(self) -> list[str]:
        return [one.path for one in self.seen]

    def answer(self, seen: Seen) -> bytes | Iterator[bytes]:
        self.seen.append(seen)
        found = self.answers.get(seen.path.partition("?")[0], http(404))
        if callable(found):
            return found(seen)
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found


def http(status: int = 200, body: bytes | str = b"", **headers: str) -> bytes:
    """An answer; `_` in a header's name is a hyphen, and content_length=None leaves that header out."""
    raw = body.encode() if isinstance(body, str) else body
    lines = {"content-length": str(len(raw)), "connection": "close"}
    lines |= {name.replace("_", "-").lower(): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"HTTP/1.1 {status} Words\r\n{head}\r\n".encode() + raw


class _Connection(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self) -> None:
        line = self.rfile.readline(65536).decode("latin-1").split()
        if len(line) < 2:
            return
        headers = {}
        while (row := self.rfile.readline(65536).decode("latin-1").strip()) != "":
            name, _, value = row.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))  # else what is left unread resets the connection
        site: Site = self.server.site  # type: ignore[attr-defined]
        answer = site.answer(Seen(line[0], line[1], headers, monotonic(), body))
        for piece in (answer,) if isinstance(answer, bytes) else answer:
            self.wfile.write(piece)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def serving(
    answers: dict[str, bytes | list[bytes] | Handler], host: str = "127.0.0.1", certificate: Path | None = None
) -> Iterator[Site]:
    """Serve while the context lasts; with a certificate, over TLS."""
    site = Site(answers, host, "http" if certificate is None else "https")
    with _Server((host, 0), _Connection) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.site = site  # type: ignore[attr-defined]
        site.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def self_signed(folder: Path, host: str) -> Path:
    """A certificate that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    certificate = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = folder / "certificate.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


def newsroom(folder: Path, sources: str, *places: str, delay: float = 0, more: str = "") -> Path:
    """A newsletter's folder whose network rules let a test reach these places (`host:port`) on loopback."""
    hosts = ", ".join(f'"{place}"' for place in places)
    rules = "".join(f'"{place}" = {{ delay = {delay} }}\n' for place in places)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "newsletter.toml").write_text(
        f'title = "t"\neditor = "e"\n[[categories]]\nname = "c"\n{more}\n'
        f"[network]\nallow_hosts = [{hosts}]\n[network.hosts]\n{rules}",
        encoding="utf-8",
    )
    (folder / "sources.toml").write_text(sources, encoding="utf-8")
    return folder


def source(identifier: str, kind: str, **fields: object) -> str:
    """A row of sources.toml."""
    rows = {"id": identifier, "kind": kind, "name": identifier, **fields}
    return "[[source]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in rows.items())


@dataclass(frozen=True)
class Crawled:
    """What a run gave: batches as dictionaries, in order, and what was logged."""

    batches: list[dict[str, Any]]
    log: str
    returncode: int

    def of(self, identifier: str) -> list[dict[str, Any]]:
        return [batch for batch in self.batches if batch["source"] == identifier]

    def items(self, identifier: str) -> list[dict[str, Any]]:
        return [item for batch in self.of(identifier) for item in batch["items"]]

    def problems(self, identifier: str) -> list[dict[str, Any]]:
        return [problem for batch in self.of(identifier) for problem in batch["problems"]]

    def errors(self, identifier: str) -> list[str]:
        return [problem["error"] for problem in self.problems(identifier)]

    def state(self, identifier: str) -> dict[str, Any] | None:
        return self.of(identifier)[-1]["state"]


def crawl(
    home: Path,
    states: Mapping[str, Any] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    broken_pages: tuple[str, ...] = (),
    now: datetime | None = None,
    timeout: float = 60,
) -> Crawled:
    """Run the spiders of all sources of a folder, in one process, without a store.

    Args:
        states: by source id: etag, last_modified, cursor.
        settings: over those of the project.
        environment: further variables.
        broken_pages: page functions that raise what they should not.
        now: when the run begins; by default the present.
    """
    asked = {
        "home": str(home),
        "states": states or {},
        "settings": settings or {},
        "broken_pages": broken_pages,
        "now": now.isoformat() if now else "",
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "crawl_probe.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
        env={"PATH": "", "HOME": str(home), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **(environment or {})},
        check=False,
    )
    batches = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return Crawled(batches, done.stderr, done.returncode)
