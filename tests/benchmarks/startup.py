"""How much CPU a command line that does no work costs, as a multiple of an empty Python's.

    python tests/benchmarks/startup.py [--rounds 10] [--home DIR] [--against PYTHON]

Prints, for each command line, the CPU (user and system) of its best round over that of `python -c pass`. With
`--against`, the Python of another checkout's virtual environment, each round runs both in turn, and a third column
gives this checkout's share of the other's CPU. With `--home`, commands that only read that newsletter are measured too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LIGHT: Final = (("--version",), ("--help",), ("candidates", "--help"), ("issue", "lint", "--help"))
READING: Final = (("candidates",), ("sources", "list"), ("issue", "list"))
COMPLETION: Final = {"_JIANBAO_COMPLETE": "complete_bash", "COMP_WORDS": "jianbao candidates --c", "COMP_CWORD": "2"}


def cpu_seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    """User and system time of one run of a command, in seconds; its output is thrown away."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.stderr.write(f"exit code {process.returncode}: {' '.join(command)}\n")
    return usage.ru_utime + usage.ru_stime


def write_row(name: str, *cells: str) -> None:
    """Print a line of the table."""
    sys.stdout.write(" ".join((f"{name:32}", *cells)) + "\n")


def main() -> None:
    """Measure, and print a line for each command line."""
    parser = argparse.ArgumentParser(description="CPU of commands that do no work.")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--home", type=Path, help="a newsletter's folder: measure commands that read it, too")
    parser.add_argument("--against", help="the Python of another checkout's virtual environment")
    options = parser.parse_args()
    pythons = [sys.executable, *([options.against] if options.against else [])]
    lines: list[tuple[str, list[str], dict[str, str]]] = [
        ("jianbao " + " ".join(line), list(line), {}) for line in LIGHT
    ]
    lines.append(("completion of an option", [], COMPLETION))
    if options.home:
        home = ["--home", str(options.home.resolve())]
        lines += [("jianbao " + " ".join(line), [*home, *line], {}) for line in READING]
    write_row("", f"{'/ empty':>8}", *(["other / empty", "this / other"] if options.against else []))
    for name, arguments, environment in lines:
        costs: dict[str, list[float]] = {}
        for _ in range(options.rounds):
            costs.setdefault("empty", []).append(cpu_seconds([sys.executable, "-c", "pass"], {}))
            for python in pythons:
                command = [str(Path(python).with_name("jianbao")), *arguments]
                costs.setdefault(python, []).append(cpu_seconds(command, environment))
        empty, *best = (min(seconds) for seconds in costs.values())
        ratios = [f"{best[0] / empty:8.1f}"]
        if options.against:
            ratios += [f"{best[1] / empty:13.1f}", f"{best[0] / best[1]:12.2f}"]
        write_row(name, *ratios)


if __name__ == "__main__":
    main()
