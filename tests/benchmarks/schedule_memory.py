"""How much memory `jianbao schedule` takes over a quarter: a real scheduler, whose checks follow each other at once.

    python tests/benchmarks/schedule_memory.py [--checks 3000] [--sources 60]

A quarter has 131,040 checks, one a minute. The process makes the given number of them, each with all that a check does
(settings, registry and store are read anew, alerts are looked for), and starts a process that does nothing where a
source is due. Prints the resident memory along the way, and what its growth over the second half would be in a quarter.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers import newsroom, source

from crawler.home import Home
from pipelines.newsroom.crawling.schedule import Scheduler

QUARTER = 91 * 24 * 60
"""Checks, one a minute."""


def read_resident_size() -> float:
    """The resident memory of this process, in megabytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system has no /proc/self/status")


class CountedScheduler(Scheduler):
    """A scheduler that notes its memory at each check and stops after the last one."""

    def count_checks(self, checks: int) -> None:
        """Run until so many checks are done."""
        self.sizes: list[float] = []
        self._checks = checks
        self.run()

    def _send_alerts(self) -> None:
        super()._send_alerts()
        self.sizes.append(read_resident_size())
        if len(self.sizes) >= self._checks:
            self._stop.set()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=3000)
    parser.add_argument("--sources", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = "".join(
            source(f"s{number}", "feed", url=f"https://h{number}.example/") for number in range(options.sources)
        )
        home = Home(newsroom(Path(folder), rows))
        scheduler = CountedScheduler(home, interval=0, command=("true",))
        scheduler.count_checks(options.checks)
    sizes = scheduler.sizes
    for share in (0.01, 0.1, 0.25, 0.5, 0.75, 1.0):
        number = max(round(share * len(sizes)), 1)
        sys.stdout.write(f"check {number:6}  {sizes[number - 1]:7.1f} MB\n")
    half = len(sizes) // 2
    growth = (sizes[-1] - sizes[half]) / (len(sizes) - half)
    sys.stdout.write(
        f"{options.sources} sources, {len(sizes)} checks; at most {max(sizes):.1f} MB; "
        f"growth of the second half over a quarter of {QUARTER} checks: {growth * QUARTER:.1f} MB\n"
    )


if __name__ == "__main__":
    main()
