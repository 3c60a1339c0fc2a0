"""Finds the processes that a process started."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def list_family(process: int) -> list[int]:
    """The ids of a process, of those that any thread of it started and that still run, of those that they started …"""
    family = [process]
    for member in family:  # grows meanwhile
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            with suppress(OSError):  # the thread has ended
                family += map(int, children.read_text().split())
    return family
