"""What past issues printed twice: entries of two issues that share a URL, a paper or a repository.

python tests/benchmarks/repeats.py FOLDER_OF_PAST_ISSUES
"""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import date
from pathlib import Path

from crawler.home import Home, bundled
from pipelines.editing import entry_keys
from pipelines.export.archive import read_issue
from pipelines.export.entry import read_entry
from pipelines.newsletter import load_newsletter
from pipelines.rules import load_rules


def main() -> None:
    """Read the issues, print each key that two entries share with where and as what they printed it."""
    newsletter, rules = load_newsletter(Home(bundled()).newsletter), load_rules(Home(bundled()))
    printed: dict[str, dict[tuple[date, str], None]] = defaultdict(dict)
    for path in sorted(Path(sys.argv[1]).glob("*.md")):
        issue = read_issue(path.read_bytes(), name=path.name, newsletter=newsletter)
        for entry in (entry for section in issue.sections for entry in section.entries):
            for key in entry_keys(entry, newsletter, rules):
                printed[key][(issue.date, read_entry(entry.markdown, newsletter).title)] = None
    groups: dict[tuple[tuple[date, str], ...], list[str]] = defaultdict(list)
    for key, places in printed.items():
        if len({day for day, _ in places}) > 1:
            groups[tuple(places)].append(key)
    for places, keys in sorted(groups.items()):
        sys.stdout.write(f"{' '.join(keys)}\n")
        for day, title in places:
            sys.stdout.write(f"    {day}  {title}\n")
    sys.stdout.write(f"{len(groups)} things printed in more than one issue\n")


if __name__ == "__main__":
    main()
