"""How much CPU a command line that does no work costs, as a multiple of an empty Python's.

    python tests/benchmarks/startup.py [--rounds 10] [--home DIR] [--against PYTHON]

Prints, for each command line, the CPU (user and system) of its best round over that of `python -c pass`. With
`--against`, the Python of another checkout's virtual environment, each round runs both in turn, and a third column
gives this checkout's share of the other's CPU. With `--home`, commands that only read that newsletter are measured too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from costs import measure_processor_time

LIGHT: Final = (("--version",), ("--help",), ("candidates", "--help"), ("issue", "lint", "--help"))
READING: Final = (("candidates",), ("sources", "list"), ("issue", "list"))
COMPLETION: Final = {"_JIANBAO_COMPLETE": "complete_bash", "COMP_WORDS": "jianbao candidates --c", "COMP_CWORD": "2"}


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
            costs.setdefault("empty", []).append(measure_processor_time([sys.executable, "-c", "pass"]))
            for python in pythons:
                command = [str(Path(python).with_name("jianbao")), *arguments]
                costs.setdefault(python, []).append(measure_processor_time(command, environment))
        empty, *best = (min(seconds) for seconds in costs.values())
        ratios = [f"{best[0] / empty:8.1f}"]
        if options.against:
            ratios += [f"{best[1] / empty:13.1f}", f"{best[0] / best[1]:12.2f}"]
        write_row(name, *ratios)


if __name__ == "__main__":
    main()
