"""`jianbao review`: the host names and the users of a desk, and the server that runs it."""

from __future__ import annotations

import socket
from collections.abc import Collection, Sequence
from ipaddress import ip_address
from typing import Final

import uvicorn

from pipelines.errors import EditorError
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.grouping import follow_beside
from pipelines.review.app import build_desk
from pipelines.review.guard.access import Access, load_key
from pipelines.review.guard.defence import HostNames
from pipelines.review.guard.patience import LONGEST_REQUEST, make_protocol

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class NobodyMayEnter(EditorError):
    """A desk that other machines can reach, while no user exists who could log in."""


def is_loopback(host: str) -> bool:
    """Whether a host is reached from this machine alone.

    >>> is_loopback("localhost"), is_loopback("127.0.0.9"), is_loopback("0.0.0.0"), is_loopback("::")
    (True, True, False, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_wildcard(host: str) -> bool:
    """Whether a host stands for every address of this machine: `0.0.0.0` or `::`."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def make_host_names(host: str, allowed_names: Collection[str]) -> HostNames:
    """Collect the names that a request may use: of loopback, of the host, of this machine, and allowed names."""
    hosts = {*LOOPBACK_NAMES, host.lower(), *(name.lower() for name in allowed_names)}
    if not is_loopback(host):
        hosts.add(socket.gethostname().lower())
    return HostNames(frozenset(hosts), any_address=is_wildcard(host))


def make_access(newsroom: Newsroom, host: str) -> Access:
    """Make the access rules of a desk. Opens the store, so that a broken database stops the desk before it listens.

    Raises:
        NobodyMayEnter: other machines reach the host, and no user exists.
        StoreError: the database cannot be used.
    """
    login = not is_loopback(host)
    with newsroom.store.reading() as tx:
        if login and not tx.users.list_names():
            raise NobodyMayEnter("nobody-may-enter", host=host)
    return Access(load_key(newsroom.home.var / "desk.key"), login, newsroom.newsletter.editor)


def listen(host: str, port: int) -> socket.socket:
    """Open a socket that listens.

    Raises:
        OSError: the address is not of this machine, or its port is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only where the socket's protocol is given as TCP
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()  # from here on, a client waits for the server instead of being refused
    except OSError:
        listening.close()
        raise
    return listening


def serve(
    newsroom: Newsroom,
    sockets: Sequence[socket.socket],
    access: Access,
    names: HostNames,
    longest_request: float = LONGEST_REQUEST,
) -> None:
    """Run the desk until Ctrl-C.

    Args:
        newsroom: the desk's.
        sockets: on which the server listens.
        access: the access rules.
        names: the host names that a request may use.
        longest_request: seconds until a request has to be complete.
    """
    settings = uvicorn.Config(
        build_desk(newsroom, access, names),
        http=make_protocol(longest_request),
        log_level="warning",
        access_log=False,  # default on; an address may contain an editor's search
        server_header=False,  # default on
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        h11_max_incomplete_event_size=16 * 1024,
        timeout_keep_alive=30,
        limit_concurrency=100,  # default: no limit
    )
    with follow_beside(newsroom):
        uvicorn.Server(settings).run(sockets=list(sockets))
