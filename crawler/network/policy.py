"""Where we may go and how politely: `[network]` of newsletter.toml over data/rules/hosts.toml."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from scrapy.settings import BaseSettings

from crawler.errors import Refused, SourceMisconfigured, detail_of
from crawler.home import Home
from crawler.sources.file import load_network
from crawler.sources.schema import CredentialOrigins, HostRule
from crawler.toml import TomlUnreadable, read_toml
from crawler.urls import host_and_port

PUBLIC_PORTS: Final = frozenset({80, 443})
_LOW_BITS: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""NAT64 (RFC 6052) and IPv4-compatible (RFC 4291) networks: the last 32 bits are an IPv4 address."""
_LOCAL_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class _HostRow(HostRule):
    """One row of data/rules/hosts.toml: the rule, and the hosts that it is for."""

    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """The addresses that one newsletter's crawler may reach, and the pace for each host.

    Args:
        exempt: `host:port` that may be reached though it is not public, exactly as URLs write it.
        rules: by host or `host:port`.
        default: for all other hosts.
        credentials: origins that the newsletter names for secrets, besides the secrets' own sites.
        contact: a page or a mail address of the operator; empty without one.
    """

    exempt: frozenset[str] = frozenset()
    rules: Mapping[str, HostRule] = field(default_factory=dict)
    default: HostRule = field(default_factory=lambda: HostRule(delay=1.0))
    credentials: CredentialOrigins = field(default_factory=CredentialOrigins)
    contact: str = ""

    def is_exempt(self, host: str, port: int) -> bool:
        """Whether the newsletter names this host and port as its own."""
        return _netloc(host, port) in self.exempt

    def rule(self, host: str, port: int) -> HostRule:
        """How this host wants to be asked."""
        return self.rules.get(_netloc(host, port)) or self.rules.get(host.lower()) or self.default

    def lane(self, host: str, port: int) -> str:
        """The name of the one line in which requests to this host wait."""
        return self.rule(host, port).group or host.lower()

    def check(self, url: str) -> None:
        """Let an allowed URL pass, as far as it can be checked before its name is resolved.

        Raises:
            Refused: scheme, port, credentials or length that we do not allow.
        """
        try:
            host, port = host_and_port(url)
        except ValueError as error:
            raise Refused(detail_of(error), url=url[:200], remedy="correct-address") from error
        if port not in PUBLIC_PORTS and not self.is_exempt(host, port):
            raise Refused("foreign-port", url=url, port=port)


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}".lower() if ":" in host else f"{host}:{port}".lower()


def is_public(text: str) -> bool:
    """Whether an IP address is one that everybody reaches.

    `is_global` alone lets multicast, site-local addresses and IPv4 addresses wrapped by NAT64 and 6to4 pass, and
    these addresses lead to private networks too.

    >>> [is_public(one) for one in ("93.184.216.34", "127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "224.0.0.1")]
    [True, False, False, False, False]
    """
    try:
        address: Address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address in _LOCAL_NAT64):
        return False
    return all(part.is_global and not part.is_multicast for part in (address, *_wrapped(address)))


def _wrapped(address: Address) -> tuple[Address, ...]:
    """The IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if any(address in network for network in _LOW_BITS) else None
    teredo = address.teredo[1] if address.teredo else None
    return tuple(wrapped for wrapped in (address.ipv4_mapped, address.sixtofour, teredo, low) if wrapped is not None)


@lru_cache(maxsize=8)
def load_policy(home: Home, delay: float) -> Policy:
    """The policy of a newsletter's folder; read once in a process.

    Args:
        delay: seconds between requests to a host without a rule.

    Raises:
        SourceMisconfigured: rules/hosts.toml cannot be used. A wrong `[network]` counts as none.
    """
    network = load_network(home)
    return Policy(
        exempt=frozenset(network.allow_hosts),
        rules=_host_rules(home.rules("hosts.toml")) | {name.lower(): rule for name, rule in network.hosts.items()},
        default=HostRule(delay=delay),
        credentials=network.credentials,
        contact=network.contact or "",
    )


def policy_of(settings: BaseSettings) -> Policy:
    """The policy of a crawler's or a process's settings."""
    return load_policy(Home(Path(settings["JIANBAO_HOME"])), settings.getfloat("DOWNLOAD_DELAY"))


def _host_rules(path: Path) -> dict[str, HostRule]:
    try:
        rows = [_HostRow.model_validate(row) for row in read_toml(path)["host"]]
    except (FileNotFoundError, TomlUnreadable, KeyError, TypeError, ValidationError) as error:
        raise SourceMisconfigured(
            "unusable-file", remedy="correct-or-delete", path=path.name, reason=detail_of(error)
        ) from error
    plain = [(row.hosts, HostRule(delay=row.delay, group=row.group, robots=row.robots)) for row in rows]
    return {host.lower(): rule for hosts, rule in plain for host in hosts}
