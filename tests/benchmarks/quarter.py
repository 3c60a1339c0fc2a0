"""What health says of a simulated quarter of sources in the rhythms of real feeds, with scripted incidents.

    python tests/benchmarks/quarter.py [CORPUS] [--sources 60] [--incidents 25] [--seed 1] [--learned]

CORPUS is where JIANBAO_CORPUS points, if it is not given. Prints a line for each incident: when it began, after how
many working days it was raised, as a share of the longest pause that the source makes by itself, and after how many
days it had recovered; then everything that was raised falsely. `--learned` leaves `expect_per_week` out of the
registry.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from quarter import DAY, delay, read_patterns, simulate, write_script


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path, default=os.environ.get("JIANBAO_CORPUS"), metavar="CORPUS")
    parser.add_argument("--sources", type=int, default=60)
    parser.add_argument("--incidents", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--learned", action="store_true")
    options = parser.parse_args()
    if options.corpus is None:
        parser.error("JIANBAO_CORPUS is unset: say where the corpus is")
    patterns = read_patterns(Path(options.corpus))
    patterns = random.Random(options.seed).sample(patterns, min(options.sources, len(patterns)))
    by_name = {pattern.name: pattern for pattern in patterns}
    script = write_script(patterns, options.incidents, options.seed)
    quarter = simulate(patterns, script, options.seed, registry_expects=not options.learned)
    lines, in_time = [], 0
    for scripted, seen in quarter.seen.items():
        delays = [delay(scripted, incident, by_name[scripted.source]) for incident in seen.raised]
        shares = " ".join(f"{days / scripted.usual:.2f}" for days in delays) or "never"
        ends = [((incident.recovered_at or scripted.end) - scripted.end) / DAY for incident in seen.recovered]
        recovered = " ".join(f"{days:.1f}" for days in ends) or "never"
        in_time += len(delays) == 1 == len(ends) and delays[0] <= 1.5 * scripted.usual
        raised = " ".join(f"{days:.1f}" for days in delays)
        lines.append(
            f"{scripted.incident:26} {scripted.source[:18]:18} {scripted.start:%m-%d} usual {scripted.usual:5.1f} d"
            f"  raised after {raised:>5} d = {shares:>5} x  recovered after {recovered:>5} d"
        )
    lines += [f"false: {row.kind} {row.source} {row.raised_at:%m-%d} {dict(row.values)}" for row in quarter.false]
    lines.append(
        f"{len(patterns)} sources, {len(script)} incidents of {len({row.incident for row in script})} kinds: "
        f"{in_time} raised once within 1.5 x the usual pause and recovered once; {len(quarter.false)} false"
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
