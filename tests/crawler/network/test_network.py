"""Where requests may go, how often, what they carry, and what failures mean."""

from __future__ import annotations

import asyncio
import gzip
import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import brotli
import pytest
from scrapy.exceptions import CannotResolveHostError, DownloadTimeoutError, IgnoreRequest, ResponseDataLossError
from scrapy.resolver import dnscache
from servers import Crawled, Handler, Seen, Site, crawl, http, newsroom, self_signed, serving, source
from twisted.internet.address import IPv4Address, IPv6Address

from crawler import errors
from crawler.home import Home, bundled
from crawler.network.credentials import credential_for, header_for
from crawler.network.failures import meaning
from crawler.network.gate import CLOSES_AFTER, GIVES_UP_AFTER, Gate, NotAsked
from crawler.network.policy import Policy, is_public, load_policy
from crawler.network.resolver import PublicResolver, refusal
from crawler.network.retry import asked_to_wait
from crawler.urls import host_and_port

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
FEED = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><link>https://t.example/</link>'
    "<item><title>One</title><link>https://t.example/1</link></item></channel></rss>"
)

# ---- addresses

LOOPBACK_SPELLINGS = (
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "localhost",
)
PRIVATE = (
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # where clouds keep their keys
    "100.64.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "fe80::1",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b:1::1",
    "2002:7f00:1::",  # 6to4
    "2001:0:53aa:64c:0:0:80ff:fffe",  # Teredo
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_leads_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::"]
)
def test_an_address_of_the_world_is_public(address: str) -> None:
    assert is_public(address)


class _Names:
    """What Twisted's own resolver does, at once: `getaddrinfo`, or a table that changes with each look-up."""

    def __init__(self, table: dict[str, list[str]] | None = None) -> None:
        self.table = table or {}

    def resolveHostName(self, receiver: Any, host: str, port: int = 0, *_: object) -> None:  # noqa: N802
        receiver.resolutionBegan(None)
        if host in self.table:
            addresses = [self.table[host].pop(0)]
        else:
            flags = socket.AI_NUMERICHOST if host != "localhost" else 0
            addresses = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)]
        for one in addresses:
            receiver.addressResolved((IPv6Address if ":" in one else IPv4Address)("TCP", one, port))
        receiver.resolutionComplete()


class _Heard:
    """What the connecting side gets to hear."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.complete = False

    def resolutionBegan(self, _: object) -> None: ...  # noqa: N802

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        self.addresses.append(address.host)

    def resolutionComplete(self) -> None:  # noqa: N802
        self.complete = True


def resolved(host: str, port: int, policy: Policy, names: _Names | None = None) -> list[str]:
    resolver = PublicResolver(SimpleNamespace(nameResolver=names or _Names()), 100, policy)  # type: ignore[arg-type]
    heard = _Heard()
    resolver.resolveHostName(heard, host, port)  # type: ignore[arg-type]
    assert heard.complete
    return heard.addresses


@pytest.fixture(autouse=True)
def _no_names_remembered() -> Iterator[None]:
    dnscache.clear()
    yield
    dnscache.clear()


@pytest.mark.parametrize("host", [*LOOPBACK_SPELLINGS, *PRIVATE])
@pytest.mark.fault("R1")
def test_no_spelling_of_an_inner_address_is_connected_to(host: str) -> None:
    try:
        assert resolved(host, 80, Policy()) == []
    except socket.gaierror:
        return  # this machine's libc does not take the spelling at all
    assert refusal(host, 80) is not None


def test_a_public_address_is_connected_to_on_the_webs_ports_only() -> None:
    assert resolved("93.184.216.34", 443, Policy()) == ["93.184.216.34"]
    assert resolved("93.184.216.34", 6379, Policy()) == []


@pytest.mark.fault("R2")
def test_a_name_that_changes_after_the_check_is_checked_again() -> None:
    names = _Names({"rebind.example": ["93.184.216.34", "127.0.0.1"]})
    assert resolved("rebind.example", 80, Policy(), names) == ["93.184.216.34"]
    dnscache.clear()
    assert resolved("rebind.example", 80, Policy(), names) == []
    assert refusal("rebind.example", 80) == "127.0.0.1"


def test_what_was_looked_up_for_an_exempt_port_is_no_way_to_another() -> None:
    policy = Policy(exempt=frozenset({"127.0.0.1:8000"}))
    assert resolved("127.0.0.1", 8000, policy) == ["127.0.0.1"]
    assert resolved("127.0.0.1", 80, policy) == []


@pytest.mark.fault("R3")
def test_an_exemption_holds_for_its_own_spelling_only() -> None:
    policy = Policy(exempt=frozenset({"127.0.0.1:8000", "[::1]:8000"}))
    assert resolved("::1", 8000, policy) == ["::1"]
    assert resolved("127.1", 8000, policy) == []
    assert resolved("localhost", 8000, policy) == []


def test_of_a_names_addresses_only_the_public_ones_are_connected_to() -> None:
    class Both(_Names):
        def resolveHostName(self, receiver: Any, host: str, port: int = 0, *_: object) -> None:  # noqa: ARG002, N802
            receiver.resolutionBegan(None)
            for one in ("10.0.0.7", "93.184.216.34"):
                receiver.addressResolved(IPv4Address("TCP", one, port))
            receiver.resolutionComplete()

    assert resolved("both.example", 80, Policy(), Both()) == ["93.184.216.34"]


# ---- URLs


@pytest.mark.parametrize(
    "url",
    [
        "ftp://files.example/",
        "file:///etc/passwd",
        "data:text/html,x",
        "gopher://old.example/",
        "http://redis.example:6379/",
        "http://telnet.example:6023/",
        "https://user:secret@site.example/",
        "http://public.example@127.0.0.1/",
        "http://",
        "http://[::1",
        "http://host.example:99999/",
        "http://long.example/" + "a" * 3000,
        "//no-scheme.example/",
        "",
    ],
)
def test_an_address_that_is_not_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(errors.Refused):
        Policy().check(url)


@pytest.mark.parametrize("url", ["http://a.example", "https://a.example:443/x?y#z", "http://a.example:80/"])
def test_a_web_address_passes(url: str) -> None:
    Policy().check(url)


@pytest.mark.fault("R3")
def test_a_port_of_ones_own_passes_only_as_it_is_written_down() -> None:
    policy = Policy(exempt=frozenset({"mirror.lan:4000"}))
    policy.check("http://MIRROR.lan:4000/feeds/1")
    with pytest.raises(errors.Refused, match="foreign-port: port 4001"):
        policy.check("http://mirror.lan:4001/feeds/1")


def test_host_and_port_are_read_as_a_url_means_them() -> None:
    assert host_and_port("http://[2606:4700::1]:80/") == ("2606:4700::1", 80)


# ---- rules of hosts


def test_arxivs_interfaces_wait_in_one_line_of_three_seconds() -> None:
    policy = load_policy(Home(bundled()), 1.0)
    hosts = ("export.arxiv.org", "rss.arxiv.org", "oaipmh.arxiv.org")
    assert {policy.lane(host, 443) for host in hosts} == {"arxiv"}
    assert {policy.rule(host, 443).delay for host in hosts} == {3.0}
    assert not policy.rule("export.arxiv.org", 443).robots


def test_a_host_without_a_rule_is_asked_once_a_second_and_by_its_robots_txt() -> None:
    rule = load_policy(Home(bundled()), 1.0).rule("blog.example", 443)
    assert (rule.delay, rule.robots) == (1.0, True)


def test_a_newsletter_overrides_the_rule_of_a_host(tmp_path: Path) -> None:
    home = newsroom(tmp_path, "", more='[network.hosts]\n"API.github.com" = { delay = 7 }\n[x]')
    text = (home / "newsletter.toml").read_text(encoding="utf-8").partition("[x]")[0]
    (home / "newsletter.toml").write_text(text, encoding="utf-8")
    assert load_policy(Home(home), 1.0).rule("api.github.com", 443).delay == 7


def test_rules_that_cannot_be_read_are_named_with_their_file(tmp_path: Path) -> None:
    newsroom(tmp_path, "")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "hosts.toml").write_text('[[host]]\nhosts = ["a"]\n', encoding="utf-8")
    with pytest.raises(errors.SourceMisconfigured, match=r"hosts\.toml"):
        load_policy(Home(tmp_path), 1.0)


# ---- the gate


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def gate() -> tuple[Gate, Clock]:
    clock = Clock()
    return Gate(clock, clock.sleep), clock


async def _ask(line: Gate, clock: Clock, lane: str, starts: list[float], took: float = 0.0) -> None:
    async with line.turn(lane, lane, 1.0):
        starts.append(clock.now)
        clock.now += took


def test_requests_of_one_line_start_at_least_their_delay_apart() -> None:
    line, clock = gate()
    starts: list[float] = []

    async def all_at_once() -> None:
        await asyncio.gather(*(_ask(line, clock, "a", starts) for _ in range(4)))

    asyncio.run(all_at_once())
    assert [later - earlier for earlier, later in pairwise(starts)] == [1.0, 1.0, 1.0]


def test_a_slow_answer_counts_into_the_delay() -> None:
    line, clock = gate()
    starts: list[float] = []

    async def all_at_once() -> None:
        await asyncio.gather(*(_ask(line, clock, "a", starts, took=5.0) for _ in range(2)))

    asyncio.run(all_at_once())
    assert starts[1] - starts[0] == 5.0


def test_a_line_that_is_held_waits_and_others_do_not() -> None:
    line, clock = gate()
    held: list[float] = []
    free: list[float] = []

    async def both() -> None:
        line.hold("a", 30)
        await _ask(line, clock, "b", free)
        await _ask(line, clock, "a", held)

    asyncio.run(both())
    assert (free, held) == ([100.0], [130.0])


def test_a_host_that_fails_again_and_again_is_not_asked_until_it_answers() -> None:
    line, clock = gate()

    async def run() -> None:
        for _ in range(GIVES_UP_AFTER):
            line.failed("a")
        with pytest.raises(NotAsked):
            await _ask(line, clock, "a", [])
        line.answered("a", 500)
        await _ask(line, clock, "a", [])

    asyncio.run(run())


def test_a_host_that_asks_for_patience_twice_is_left_alone_until_then_and_the_others_of_its_line_are_not() -> None:
    line, clock = gate()

    async def run() -> None:
        line.refused("a", 600, NOW)
        await _ask(line, clock, "a", [])
        for _ in range(CLOSES_AFTER):
            line.refused("a", 600, NOW)
        with pytest.raises(errors.RateLimited) as raised:
            await _ask(line, clock, "a", [])
        assert raised.value.retry_at == NOW
        async with line.turn("a", "another host", 1.0):
            pass
        clock.now += 601
        await _ask(line, clock, "a", [])

    asyncio.run(run())


def test_whoever_waits_when_the_crawl_is_stopped_goes_home_at_once() -> None:
    line, clock = gate()

    async def run() -> None:
        line.hold("a", 3600)
        with pytest.raises(NotAsked):
            async with line.turn("a", "a", 1.0, stopping=lambda: clock.now > 101):
                pytest.fail("it was its turn")

    asyncio.run(run())
    assert clock.now < 103


# ---- come back later


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "120"}, 120),
        (503, {"retry-after": "0"}, 0),
        (429, {"retry-after": format_datetime(NOW + timedelta(minutes=5), usegmt=True)}, 300),
        (429, {"retry-after": format_datetime(NOW - timedelta(days=1), usegmt=True)}, 0),
        (429, {"retry-after": "Mon, 02 Nov 2026 09:00:00"}, 3600),  # without a zone
        (429, {"retry-after": "315360000"}, 31 * 86400),  # ten years
        (429, {"retry-after": "9" * 400}, 31 * 86400),
        (429, {"retry-after": "soon"}, None),
        (429, {}, None),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 40)}, 40),
        (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "never"}, None),
        (403, {"x-ratelimit-remaining": "12", "x-ratelimit-reset": str(int(NOW.timestamp()) + 40)}, None),
        (403, {"retry-after": "5"}, None),
        (200, {"retry-after": "5"}, None),
    ],
)
@pytest.mark.fault("H1")
def test_what_a_site_asks_for_is_obeyed_within_reason(
    status: int, headers: dict[str, str], seconds: int | None
) -> None:
    until = asked_to_wait(status, headers, NOW)
    assert (None if until is None else (until - NOW).total_seconds()) == seconds


# ---- what failures mean


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CannotResolveHostError("x"), errors.FetchFailed),
        (DownloadTimeoutError("x"), errors.FetchFailed),
        (ResponseDataLossError(), errors.FetchFailed),
        (IgnoreRequest("x"), errors.FetchFailed),
        (UnicodeError("label too long"), errors.FetchFailed),
        (errors.Gone("x"), errors.Gone),
    ],
)
def test_failures_of_the_framework_become_the_crawlers_own(error: Exception, kind: type[Exception]) -> None:
    found = meaning(error, "https://a.example/")
    assert isinstance(found, kind)
    assert found.url == "https://a.example/"


def test_a_mistake_of_ours_is_not_explained_away() -> None:
    assert meaning(KeyError("x"), "https://a.example/") is None


# ---- credentials


def test_a_token_goes_to_the_origin_that_it_is_for_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    meta = credential_for("github", "https://api.github.com")
    assert header_for("https://api.github.com/repos/a/b", meta) == ("Authorization", "Bearer secret")
    for url in (
        "http://api.github.com/",
        "https://api.github.com:8443/",
        "https://api.github.com.evil.example/",
        "https://github.com/",
    ):
        assert header_for(url, meta) is None
    assert header_for("https://api.github.com/", {}) is None


def test_a_secret_that_would_break_a_header_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIHU_COOKIE", "a=1\r\nX-Evil: 1")
    assert header_for("https://www.zhihu.com/", credential_for("zhihu", "https://www.zhihu.com")) is None


# ---- over the wire: refused addresses


def feed(**headers: str) -> bytes:
    return http(200, FEED, content_type="application/rss+xml", **headers)


@pytest.fixture(scope="module")
def inward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crawled, Site, Site]]:
    """A run that is led inside by addresses, redirects and robots.txt; `trap` is where nothing must arrive."""
    spellings = (
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "１２７.0.0.1",
    )
    with serving({"/": feed()}) as trap, serving({}, "127.0.0.2") as site:
        site.answers |= {
            "/to-private": http(302, location="http://169.254.169.254/latest/meta-data/"),
            "/to-trap": http(302, location=f"{trap.base}/"),
            "/to-file": http(302, location="file:///etc/passwd"),
            "/to-ftp": http(301, location="ftp://127.0.0.1/"),
            "/to-nonsense": http(302, location="http://[::1"),
            "/loop": http(302, location="/loop"),
        }
        rows = [source(f"spelled-{number}", "feed", url=f"http://{host}/") for number, host in enumerate(spellings)]
        rows += [
            source(f"port-{number}", "feed", url=f"http://{host}:{trap.port}/") for number, host in enumerate(spellings)
        ]
        rows += [source(path.strip("/"), "feed", url=site.base + path) for path in site.answers]
        home = newsroom(tmp_path_factory.mktemp("inward"), "".join(rows), site.place)
        yield crawl(home), trap, site


@pytest.mark.fault("R1")
def test_nothing_arrives_inside(inward: tuple[Crawled, Site, Site]) -> None:
    crawled, trap, _ = inward
    assert trap.seen == []
    assert not any(crawled.items(batch["source"]) for batch in crawled.batches)


@pytest.mark.fault("R1")
def test_every_way_in_is_refused_in_words(inward: tuple[Crawled, Site, Site]) -> None:
    crawled, _, _ = inward
    for number in range(8):
        assert crawled.errors(f"spelled-{number}") == ["Refused"], crawled.problems(f"spelled-{number}")
        assert crawled.errors(f"port-{number}") == ["Refused"]
        assert crawled.problems(f"port-{number}")[0]["detail"].startswith(("foreign-port", "not-public"))


@pytest.mark.fault("H2", "H3", "H6")
def test_redirects_out_of_the_web_and_in_circles_end_with_a_named_error(inward: tuple[Crawled, Site, Site]) -> None:
    crawled, _, site = inward
    expected = {
        "to-private": "Refused",
        "to-trap": "Refused",
        "to-file": "Refused",
        "to-ftp": "Refused",
        "to-nonsense": "FetchFailed",
        "loop": "FetchFailed",
    }
    assert {name: crawled.errors(name) for name in expected} == {name: [error] for name, error in expected.items()}
    assert site.paths().count("/loop") == 6


def test_every_source_of_a_run_ends_exactly_once(inward: tuple[Crawled, Site, Site]) -> None:
    crawled, _, _ = inward
    finished = [batch["source"] for batch in crawled.batches if batch["finished"]]
    assert len(finished) == len(set(finished)) == 22
    assert "Traceback" not in crawled.log


# ---- over the wire: faults


def hang(_: Seen) -> bytes:
    time.sleep(2)
    return b""


def drip(_: Seen) -> Iterator[bytes]:
    yield http(200, b"", content_length=str(len(FEED)))
    for byte in FEED.encode():
        time.sleep(0.1)
        yield bytes([byte])


def send_headers_without_end(_: Seen) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    for number in range(200_000):
        yield f"x-{number}: {'a' * 1000}\r\n".encode()


LONG_FEED = "<rss version='2.0'><channel><title>t</title>{}</channel></rss>".format(
    "".join(f"<item><title>n{number}</title><link>https://a.example/{number}</link></item>" for number in range(20))
)
"""20 items of 64 to 66 characters, after 49 characters."""

LONG_COMMENT = b"<!--" + random.Random(1).randbytes(4000).hex().encode() + b"-->"
"""It hardly packs, so that what is cut from a packed feed is of it."""

BOMB = gzip.compress(b"\0" * 40_000_000)

FAULTS: dict[str, bytes | list[bytes] | Handler] = {
    "drop": b"",
    "hang": hang,
    "drip": drip,
    "short": http(200, FEED[:50], content_length="5000"),
    "chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense\r\n",
    "garbage": b"\x00\xff\xfe no http at all \r\n\r\n",
    "header": b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000 + b"\r\n\r\n",
    "endless-head": send_headers_without_end,
    "cut-xml": http(200, LONG_FEED[:520]),
    "cut-gzip": http(200, gzip.compress(LONG_FEED.encode())[:-30], content_encoding="gzip"),
    "cut-gzip-after-all": http(200, gzip.compress(LONG_FEED.encode())[:-8], content_encoding="gzip"),
    "cut-brotli": http(200, brotli.compress(LONG_FEED.encode() + LONG_COMMENT)[:-30], content_encoding="br"),
    "not-brotli": http(200, FEED, content_encoding="br"),
    "not-zstd": http(200, FEED, content_encoding="zstd"),
    "cut-at-once": http(200, LONG_FEED[:80]),
    "not-gzip": http(200, FEED, content_encoding="gzip"),
    "bomb": http(200, BOMB, content_encoding="gzip"),
    "huge": http(200, b"x", content_length="100000000000"),
    "error": http(500, "trouble"),
    "soon": [http(429, "slowly", retry_after="1"), feed()],
    "unclear": [http(503, "slowly", retry_after="soon"), feed()],
    "recovers": [b"", feed()],
    "missing": http(404, "nothing here"),
    "later": http(429, "tomorrow", retry_after="86400"),
    "html": http(200, "<html><title>Login</title></html>", content_type="text/html"),
    "empty": http(200, "", content_type="application/rss+xml"),
    "good": feed(),
}


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crawled, dict[str, Site]]]:
    """A run against a host for each fault, and one that nobody listens at."""
    with ExitStack() as stack:
        sites = {
            name: stack.enter_context(serving({"/feed": answer}, f"127.0.1.{number}"))
            for number, (name, answer) in enumerate(FAULTS.items(), start=1)
        }
        folder = tmp_path_factory.mktemp("faults")
        certificate = self_signed(folder, "127.0.2.2")
        sites["untrusted"] = stack.enter_context(serving({"/feed": feed()}, "127.0.2.2", certificate))
        with socket.socket() as free:
            free.bind(("127.0.2.1", 0))
            closed = f"127.0.2.1:{free.getsockname()[1]}"
        rows = [source(name, "feed", url=f"{site.base}/feed") for name, site in sites.items()]
        rows.append(source("closed", "feed", url=f"http://{closed}/feed"))
        places = [site.place for site in sites.values()]
        home = newsroom(folder, "".join(rows), *places, closed)
        yield crawl(home, settings={"DOWNLOAD_TIMEOUT": 1}), sites


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("drop", "FetchFailed"),
        ("hang", "FetchFailed"),
        ("drip", "FetchFailed"),
        ("short", "FetchFailed"),
        ("chunk", "FetchFailed"),
        ("garbage", "FetchFailed"),
        ("header", "FetchFailed"),
        ("closed", "FetchFailed"),
        ("untrusted", "FetchFailed"),
        ("not-gzip", "FetchFailed"),
        ("not-brotli", "FetchFailed"),
        ("not-zstd", "FetchFailed"),
        ("cut-at-once", "FetchFailed"),
        ("endless-head", "TooLarge"),
        ("bomb", "TooLarge"),
        ("huge", "TooLarge"),
        ("later", "RateLimited"),
        ("html", "PageChanged"),
    ],
)
@pytest.mark.fault("N1", "N2", "N3", "N4", "H5", "H6")
def test_a_fault_is_one_sources_named_problem(faults: tuple[Crawled, dict[str, Site]], name: str, error: str) -> None:
    crawled, _ = faults
    assert crawled.errors(name) == [error], crawled.problems(name)
    assert crawled.state(name) is None
    assert crawled.items(name) == []


@pytest.mark.parametrize("name", ["error", "missing", "empty"])
@pytest.mark.fault("C4")
def test_an_answer_that_is_no_feed_fails_its_source_and_keeps_its_state(
    faults: tuple[Crawled, dict[str, Site]], name: str
) -> None:
    crawled, _ = faults
    assert len(crawled.problems(name)) == 1
    assert crawled.problems(name)[0]["fails_source"]
    assert crawled.state(name) is None


@pytest.mark.parametrize(
    ("name", "count"), [("cut-xml", 7), ("cut-gzip", 1), ("cut-gzip-after-all", 20), ("cut-brotli", 20)]
)
@pytest.mark.fault("C4")
def test_items_before_a_break_are_taken_with_a_warning_and_all_is_asked_for_again(
    faults: tuple[Crawled, dict[str, Site]], name: str, count: int
) -> None:
    crawled, sites = faults
    assert sites[name].paths().count("/feed") == 3
    titles = [item["title"] for item in crawled.items(name)]
    assert len(titles) >= count
    assert titles == [f"n{number}" for number in range(len(titles))]
    (warning,) = crawled.problems(name)
    assert not warning["fails_source"]
    assert "page-cut-short" in warning["detail"]
    assert crawled.state(name) is None
    assert "internal meta keys" not in crawled.log  # what is asked for once more keeps its count of tries


@pytest.mark.fault("N4")
def test_headers_without_end_are_read_for_some_hundred_kilobytes(faults: tuple[Crawled, dict[str, Site]]) -> None:
    crawled, sites = faults
    assert "head-too-large" in crawled.problems("endless-head")[0]["detail"]
    assert sites["endless-head"].paths().count("/feed") == 1


@pytest.mark.parametrize("name", ["good", "soon", "unclear", "recovers"])
def test_what_works_again_is_read(faults: tuple[Crawled, dict[str, Site]], name: str) -> None:
    crawled, _ = faults
    assert len(crawled.items(name)) == 1
    assert crawled.problems(name) == []
    assert crawled.state(name) is not None


def test_a_certificate_that_nobody_vouches_for_is_said_to_be_the_reason(
    faults: tuple[Crawled, dict[str, Site]],
) -> None:
    crawled, sites = faults
    assert "certificate" in crawled.problems("untrusted")[0]["detail"]
    assert sites["untrusted"].seen == []


def test_failed_requests_are_made_three_times_and_refused_ones_once(faults: tuple[Crawled, dict[str, Site]]) -> None:
    _, sites = faults
    tries = {name: site.paths().count("/feed") for name, site in sites.items()}
    assert {name: tries[name] for name in ("drop", "short", "error", "not-gzip")} == dict.fromkeys(
        ("drop", "short", "error", "not-gzip"), 3
    )
    assert {name: tries[name] for name in ("later", "missing", "html", "bomb", "huge")} == dict.fromkeys(
        ("later", "missing", "html", "bomb", "huge"), 1
    )


@pytest.mark.fault("H1")
def test_a_short_wait_is_waited_out(faults: tuple[Crawled, dict[str, Site]]) -> None:
    _, sites = faults
    first, second = (seen.at for seen in sites["soon"].seen if seen.path == "/feed")
    assert second - first >= 1


def test_a_long_wait_is_told_with_its_end(faults: tuple[Crawled, dict[str, Site]]) -> None:
    crawled, _ = faults
    until = datetime.fromisoformat(crawled.problems("later")[0]["retry_at"])
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)


# ---- over the wire: robots.txt


@pytest.fixture(scope="module")
def robots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crawled, dict[str, Site]]]:
    answers: dict[str, bytes | Handler] = {
        "missing": http(404),
        "broken": http(503, "later"),
        "silent": hang,
        "denies": http(200, "User-agent: *\nDisallow: /\n"),
        "speaks-to-us": http(200, "User-agent: *\nAllow: /\n\nUser-agent: jianbao\nDisallow: /feed\n"),
        "allows": http(200, "User-agent: *\nDisallow: /private\n"),
        "exempt": http(200, "User-agent: *\nDisallow: /\n"),
    }
    with ExitStack() as stack:
        sites = {
            name: stack.enter_context(serving({"/robots.txt": answer, "/feed": feed()}, f"127.0.3.{number}"))
            for number, (name, answer) in enumerate(answers.items(), start=1)
        }
        rows = [source(name, "feed", url=f"{site.base}/feed") for name, site in sites.items()]
        rows.append(source("second", "feed", url=f"{sites['allows'].base}/feed?2"))
        home = newsroom(tmp_path_factory.mktemp("robots"), "".join(rows), *(site.place for site in sites.values()))
        rules = (home / "newsletter.toml").read_text(encoding="utf-8")
        exempt = f'"{sites["exempt"].place}" = {{ delay = 0'
        (home / "newsletter.toml").write_text(rules.replace(exempt, f"{exempt}, robots = false"), encoding="utf-8")
        yield crawl(home, settings={"DOWNLOAD_TIMEOUT": 1}), sites


@pytest.mark.fault("H8")
def test_robots_txt_that_is_missing_or_allows_lets_us_in(robots: tuple[Crawled, dict[str, Site]]) -> None:
    crawled, sites = robots
    assert [len(crawled.items(name)) for name in ("missing", "allows", "second")] == [1, 1, 1]
    assert sites["allows"].paths().count("/robots.txt") == 1


@pytest.mark.parametrize("name", ["broken", "silent", "denies", "speaks-to-us"])
@pytest.mark.fault("H8")
def test_robots_txt_that_denies_or_cannot_be_read_keeps_us_out(
    robots: tuple[Crawled, dict[str, Site]], name: str
) -> None:
    crawled, sites = robots
    assert crawled.errors(name) == ["Refused" if name in ("denies", "speaks-to-us") else "FetchFailed"]
    assert "robots" in crawled.problems(name)[0]["detail"]
    assert "/feed" not in sites[name].paths()


def test_robots_txt_is_not_asked_where_the_rule_says_so(robots: tuple[Crawled, dict[str, Site]]) -> None:
    crawled, sites = robots
    assert sites["exempt"].paths() == ["/feed"]
    assert len(crawled.items("exempt")) == 1


def test_every_request_says_who_asks_and_in_which_languages(robots: tuple[Crawled, dict[str, Site]]) -> None:
    _, sites = robots
    requests = sites["allows"].seen
    assert {"/robots.txt", "/feed"} <= {request.path for request in requests}
    assert {request.headers["accept-language"] for request in requests} == {"zh-CN,zh;q=0.9,en;q=0.6"}
    assert {request.headers["user-agent"].partition("/")[0] for request in requests} == {"jianbao"}


# ---- over the wire: politeness, credentials


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crawled, Site, Site]]:
    """Two kinds of sources on one host, GitHub's API, and a redirect away from it."""
    repository = '{"tag_name": "v1", "html_url": "https://github.com/a/b/releases/tag/v1", "draft": false}'
    with serving({}, "127.0.4.1") as mirror, serving({}, "127.0.4.2") as elsewhere:
        mirror.answers |= {f"/{number}": feed() for number in range(6)}
        mirror.answers |= {
            "/repos/a/b/releases": http(200, f"[{repository}]", content_type="application/json"),
            "/repos/a/moved/releases": http(301, location=f"{elsewhere.base}/moved"),
            "/api/v4/columns/c/items": http(403, "no"),
        }
        elsewhere.answers["/moved"] = http(200, f"[{repository}]", content_type="application/json")
        elsewhere.answers["/repos/c/d/releases"] = http(200, f"[{repository}]", content_type="application/json")
        rows = [
            source(f"s{number}", ("feed", "wechat")[number % 2], url=f"{mirror.base}/{number}") for number in range(6)
        ]
        rows.append(source("gh", "github", mode="releases", repos=["a/b", "a/moved"], base_url=mirror.base))
        rows.append(source("zh", "zhihu", column="c", base_url=mirror.base))
        rows.append(source("stranger", "github", mode="releases", repos=["c/d"], base_url=elsewhere.base))
        home = newsroom(tmp_path_factory.mktemp("shared"), "".join(rows), mirror.place, elsewhere.place, delay=0.1)
        with (home / "newsletter.toml").open("a", encoding="utf-8") as file:
            file.write(f'[network.credentials]\ngithub = ["{mirror.base}"]\n')
        written = (home / "newsletter.toml").read_text(encoding="utf-8")
        contact = written.replace("[network]\n", '[network]\ncontact = "mailto:editor@example.org"\n')
        (home / "newsletter.toml").write_text(contact, encoding="utf-8")
        secrets = {"GITHUB_TOKEN": "t0ken", "ZHIHU_COOKIE": "z_c0=s3cret", "http_proxy": "http://127.0.0.1:9"}
        yield crawl(home, environment=secrets), mirror, elsewhere


def test_kinds_that_share_a_host_share_its_line(shared: tuple[Crawled, Site, Site]) -> None:
    crawled, mirror, _ = shared
    times = [seen.at for seen in mirror.seen]
    assert sum(len(crawled.items(f"s{number}")) for number in range(6)) == 6
    assert times[-1] - times[0] > 0.08 * (len(times) - 1)  # all together: a busy machine sees two arrive at once


@pytest.mark.fault("H4")
def test_the_token_stays_on_the_api_it_is_for(shared: tuple[Crawled, Site, Site]) -> None:
    crawled, mirror, elsewhere = shared
    sent = {seen.path.partition("?")[0]: seen.headers.get("authorization") for seen in mirror.seen}
    assert sent["/repos/a/b/releases"] == "Bearer t0ken"
    assert sent["/0"] is None
    assert [seen.headers.get("authorization") for seen in elsewhere.seen if seen.path == "/moved"] == [None]
    assert "t0ken" not in crawled.log


def test_a_source_that_leads_to_a_host_of_its_own_gets_no_token_and_a_warning_that_says_how(
    shared: tuple[Crawled, Site, Site],
) -> None:
    crawled, _, elsewhere = shared
    asked = [seen for seen in elsewhere.seen if seen.path.startswith("/repos/c/d")]
    assert [seen.headers.get("authorization") for seen in asked] == [None]
    assert len(crawled.items("stranger")) == 1
    (warning,) = crawled.problems("stranger")
    assert warning["detail"].startswith("secret-withheld: variable GITHUB_TOKEN")
    assert f'github = ["{elsewhere.base}"]' in warning["detail"]
    assert crawled.problems("gh") == []


@pytest.mark.fault("H4")
def test_the_cookie_goes_to_zhihu_only(shared: tuple[Crawled, Site, Site]) -> None:
    crawled, mirror, _ = shared
    assert any(seen.path.startswith("/api/v4/") for seen in mirror.seen)
    assert not any("cookie" in seen.headers for seen in mirror.seen)
    assert "s3cret" not in crawled.log


@pytest.mark.fault("H4", "R7")
def test_nobody_is_told_where_we_come_from_but_everybody_who_we_are(shared: tuple[Crawled, Site, Site]) -> None:
    _, mirror, elsewhere = shared
    for seen in (*mirror.seen, *elsewhere.seen):
        assert "referer" not in seen.headers
        assert seen.headers["user-agent"].startswith("jianbao/")
        assert seen.headers["user-agent"].endswith(" +mailto:editor@example.org")
