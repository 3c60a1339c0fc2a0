"""Tells systemd how the schedule does, if systemd started it (systemd, sd_notify(3))."""

from __future__ import annotations

import os
import socket
import time
from typing import Final

_PULSE: Final = 10.0
"""Seconds between two signs of life; the unit's WatchdogSec is many times longer."""


class ServiceManager:
    """The service manager that started this process; without one, nothing is told to anybody."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self._last_pulse = 0.0

    def tell(self, *lines: str) -> None:
        """Send lines such as `READY=1`; a manager that does not listen stops nobody."""
        if not self._address.startswith(("/", "@")):
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.settimeout(1.0)
                channel.sendto("\n".join(lines).encode(), address)
        except OSError:
            return

    def beat(self) -> None:
        """Give a sign of life, at most every ten seconds."""
        if time.monotonic() - self._last_pulse >= _PULSE:
            self._last_pulse = time.monotonic()
            self.tell("WATCHDOG=1")
