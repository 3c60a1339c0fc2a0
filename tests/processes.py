"""Finds the processes that a process started, and what they cost."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

TICK: Final = os.sysconf("SC_CLK_TCK")
"""Units of the system's clock in a second."""


def list_family(process: int) -> list[int]:
    """The ids of a process, of those that any thread of it started and that still run, of those that they started …"""
    family = [process]
    for member in family:  # grows meanwhile
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            with suppress(OSError):  # the thread has ended
                family += map(int, children.read_text().split())
    return family


def read_process_time(process: int) -> float:
    """Processor time of a process, and of its children that ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICK


def read_most_memory(process: int) -> float:
    """The largest resident set of a process in MB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
