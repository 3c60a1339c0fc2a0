"""What a call costs as its input grows, as a ratio of CPU times: a busy machine slows both alike."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final, TypeVar

Input = TypeVar("Input")

MOST_GROWTH: Final = 3.0
"""Twice the input costs twice in linear time and four times in quadratic time; three stands between them."""

LEAST_SECONDS: Final = 0.005
"""CPU time of one measurement. A quicker call is repeated: the clock and the caches would decide otherwise."""

LEAST_ROUNDS: Final = 4
"""Rounds before the ratio is looked at: one slow measurement of the half would hide quadratic time."""

MOST_ROUNDS: Final = 40


def assert_twice_costs_at_most_three_times(call: Callable[[Input], object], half: Input, whole: Input) -> None:
    """Fail where a call on an input of twice the size costs more than `MOST_GROWTH` times the CPU time.

    Args:
        call: is run many times; must not change its input.
        half: an input large enough that its size decides what it costs.
        whole: the same input, twice as large.
    """
    ratio = growth(call, half, whole)
    assert ratio <= MOST_GROWTH, f"twice the input costs {ratio:.1f} times the CPU time"


def growth(call: Callable[[Input], object], half: Input, whole: Input) -> float:
    """The CPU time of a call on `whole`, divided by that of a call on `half`.

    Both are measured `LEAST_ROUNDS` times, and up to `MOST_ROUNDS` times while the ratio is too high. The best of each
    counts: noise only ever adds time, so more rounds bring each of the two closer to its true cost.
    """
    repeats = 1
    while (cost_of_half := _cost(call, half, repeats)) < LEAST_SECONDS:
        repeats *= 2
    cost_of_whole = _cost(call, whole, repeats)
    for rounds in range(1, MOST_ROUNDS):
        if rounds >= LEAST_ROUNDS and cost_of_whole <= MOST_GROWTH * cost_of_half:
            break
        cost_of_half = min(cost_of_half, _cost(call, half, repeats))
        cost_of_whole = min(cost_of_whole, _cost(call, whole, repeats))
    return cost_of_whole / cost_of_half


def _cost(call: Callable[[Input], object], argument: Input, repeats: int) -> float:
    """CPU seconds of so many calls, without the garbage collector."""
    collected = gc.isenabled()
    gc.disable()
    try:
        began = process_time()
        for _ in range(repeats):
            call(argument)
        return process_time() - began
    finally:
        if collected:
            gc.enable()


def measure_processor_time(command: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """User and system time of a process that runs in an empty folder, with its children's, in seconds.

    Args:
        command: the program and its arguments.
        environment: further variables.

    Raises:
        RuntimeError: it failed.
    """
    with TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}\n{output.decode()[-2000:]}")
    return usage.ru_utime + usage.ru_stime
