"""What a crawl of real feeds keeps: articles of the store against distinct entries, feed by feed.

    python tests/benchmarks/entries.py FOLDER

Serves each saved feed of the folder on loopback, crawls all of them with `jianbao crawl`, and counts. A feed that its
page function refuses is left out; a feed with fewer articles than entries is named with both numbers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from feed_counts import count_articles


def main() -> None:
    """Crawl the folder, print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    with TemporaryDirectory() as home:
        counts = count_articles(folder, Path(home))
    fewer = [count for count in counts if count.articles < count.entries]
    entries, articles = (sum(getattr(count, name) for count in counts) for name in ("entries", "articles"))
    print(f"{len(counts)} feeds, {entries} distinct entries, {articles} articles; {len(fewer)} feeds yield fewer")  # noqa: T201
    for count in fewer:
        print(f"{count.articles:6} of {count.entries:6}  {count.path}  {count.failed}")  # noqa: T201


if __name__ == "__main__":
    main()
