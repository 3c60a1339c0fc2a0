"""Only public addresses: the last word, at the moment of connecting, on where a name leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

from scrapy.crawler import Crawler
from scrapy.resolver import CachingHostnameResolver
from scrapy.utils.datatypes import LocalCache
from twisted.internet.base import ReactorBase
from twisted.internet.interfaces import IAddress, IHostResolution, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from crawler.network.policy import PUBLIC_PORTS, Policy, is_public, policy_of

_refusals: Final[LocalCache[tuple[str, int], str]] = LocalCache(1000)


def refusal(host: str, port: int) -> str | None:
    """The address for which the resolver last refused this host and port, if it did."""
    return _refusals.get((_ascii(host), port))


def _ascii(host: str) -> str:
    """One form for what URLs write in punycode and Twisted in Unicode."""
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.lower()


class PublicResolver(CachingHostnameResolver):
    """Resolves names, and IP addresses in all their spellings, to public addresses only.

    Twisted connects to the very addresses that this hands on, so a name that changes between check and connection
    gains nothing. It works only where it is installed for the whole process (`TWISTED_DNS_RESOLVER` of the process's
    settings): `crawler.network.door` lets nothing out without it.
    """

    def __init__(self, reactor: ReactorBase, cache_size: int, policy: Policy) -> None:
        super().__init__(reactor, cache_size)
        self._policy = policy

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: ReactorBase) -> Self:
        """Made by the process, whose settings stand in for a crawler's."""
        return cls(reactor, crawler.settings.getint("DNSCACHE_SIZE"), policy_of(crawler.settings))

    def resolveHostName(  # noqa: N802 (Twisted's name)
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        """Give the allowed addresses of a host; a host without any looks like a name without an address."""
        sieve = _Sieve(resolutionReceiver, hostName, portNumber, self._policy)
        return super().resolveHostName(sieve, hostName, portNumber, addressTypes, transportSemantics)  # type: ignore[arg-type]


@implementer(IResolutionReceiver)
class _Sieve:
    def __init__(self, receiver: Any, host: str, port: int, policy: Policy) -> None:
        self._receiver = receiver
        self._key = (_ascii(host), port)
        self._exempt = policy.is_exempt(host, port)
        self._open_port = port in PUBLIC_PORTS
        self.resolutionBegan = receiver.resolutionBegan
        self.resolutionComplete = receiver.resolutionComplete
        _refusals.pop(self._key, None)

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        host = str(getattr(address, "host", ""))
        if self._exempt or (self._open_port and is_public(host)):
            self._receiver.addressResolved(address)
        else:
            _refusals[self._key] = host
