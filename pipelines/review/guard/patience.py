"""Connections that do not send their request in time are closed: no stranger holds the desk's places."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, ClassVar, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST_REQUEST: Final = 20.0
"""Seconds from the first byte of a request, or from the connection, to the last byte of its body."""

MOST_UNFINISHED: Final = 50
"""Connections at once whose request is not complete; a further one closes the oldest. A browser sends its request at
once, so these are half of the places of the desk at most (`limit_concurrency`)."""

_UNFINISHED_STATES: Final = (h11.IDLE, h11.SEND_BODY)


class PatientProtocol(H11Protocol):
    """uvicorn's connection, which has no limit of time for a request, with one."""

    longest_request: ClassVar[float] = LONGEST_REQUEST
    _unfinished: ClassVar[OrderedDict[PatientProtocol, None]] = OrderedDict()
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        """Read a part of a request."""
        if self._deadline is None and self.conn.their_state in _UNFINISHED_STATES:
            self._wait_for_request()
        super().data_received(data)
        if self.conn.their_state not in _UNFINISHED_STATES:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Begin to wait again where a part of the next request is here already."""
        super().on_response_complete()
        if self._deadline is None and self.conn.their_state in _UNFINISHED_STATES and self.conn.trailing_data[0]:
            self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_request(self) -> None:
        self._deadline = asyncio.get_running_loop().call_later(self.longest_request, self._give_up)
        self._unfinished[self] = None
        if len(self._unfinished) > MOST_UNFINISHED:
            next(iter(self._unfinished))._give_up()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None
        self._unfinished.pop(self, None)

    def _give_up(self) -> None:
        self._stop_waiting()
        self.transport.abort()


def make_protocol(longest_request: float) -> type[H11Protocol]:
    """Make the class of a server's connections.

    Args:
        longest_request: seconds until a request has to be complete.
    """
    members: dict[str, Any] = {"longest_request": longest_request, "_unfinished": OrderedDict()}
    return type("DeskProtocol", (PatientProtocol,), members)
