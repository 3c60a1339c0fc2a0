"""`jianbao review`: who may reach the desk, and the server that keeps it open."""

from __future__ import annotations

import socket
from collections.abc import Collection, Sequence
from ipaddress import ip_address
from typing import Final

import uvicorn

from pipelines.newsroom import Newsroom
from pipelines.review.app import build
from pipelines.review.guard.access import Access, key_at
from pipelines.review.guard.defence import Names

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class NobodyMayEnter(Exception):
    """A desk that others could reach, without a user who could log in."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host.

    >>> is_loopback("localhost"), is_loopback("127.0.0.9"), is_loopback("0.0.0.0"), is_loopback("::")
    (True, True, False, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_wildcard(host: str) -> bool:
    """Whether a host stands for every address of the machine."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def names_for(host: str, others: Collection[str]) -> Names:
    """What a desk that listens there may be called: by its own name, by the machine's, by those that are allowed."""
    hosts = {*LOOPBACK_NAMES, host.lower(), *(other.lower() for other in others)}
    if not is_loopback(host):
        hosts.add(socket.gethostname().lower())
    return Names(frozenset(hosts), any_address=is_wildcard(host))


def access_for(newsroom: Newsroom, host: str) -> Access:
    """Who may use a desk that listens there. Opens the store: what is wrong with it is said before anybody comes.

    Raises:
        NobodyMayEnter: others reach it, and there is no user.
        StoreError: the database cannot be used.
    """
    login = not is_loopback(host)
    with newsroom.store.reading() as tx:
        if login and not tx.users.list_names():
            raise NobodyMayEnter(f"{host} 能从别处访问，要先有用户：jianbao user add 名字；只在本机用就不必给 --host")
    return Access(key_at(newsroom.home.var / "desk.key"), login, newsroom.newsletter.editor)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        OSError: the address is not this machine's, or somebody listens there already.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named: asyncio sends at once only then
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind((host, port))
        one.listen()  # from now on whoever comes waits, and is not turned away
    except OSError:
        one.close()
        raise
    return one


def serve(newsroom: Newsroom, sockets: Sequence[socket.socket], access: Access, names: Names) -> None:
    """Keep the desk open until Ctrl-C."""
    settings = uvicorn.Config(
        build(newsroom, access, names),
        log_level="warning",
        access_log=False,  # on: an address may hold what somebody searched for
        server_header=False,  # on
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        h11_max_incomplete_event_size=16 * 1024,
        timeout_keep_alive=30,
        limit_concurrency=100,  # none
    )
    uvicorn.Server(settings).run(sockets=list(sockets))
