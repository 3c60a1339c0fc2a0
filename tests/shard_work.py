"""What processes of shards do in tests: a process finds these functions by the name of their module."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from pipelines.newsroom.stages.shards import Shards
from pipelines.store import Store


def name_process(_store: Store, _rules: str, _number: int) -> int:
    """The id of the process that does the shard."""
    return os.getpid()


def count_articles(store: Store, rules: str, number: int) -> tuple[str, int, int]:
    """The rules and the shard as they arrived, and what the store holds."""
    with store.reading() as tx:
        return rules, number, len(tx.articles.list_fresh())


def die_once(_store: Store, folder: str, number: int) -> int:
    """Kill the process that does the second shard for the first time, as a machine without memory does."""
    mark = Path(folder) / "died"
    if number == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(_store: Store, _rules: str, _number: int) -> int:
    """Kill each process that does the shard."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def hang_after_start(url: str) -> None:
    """Print the ids of two processes that wait for more shards, and wait too."""
    shards = Shards(Store.open(url), "", 2)
    print(*set(shards.map(name_process, [(number,) for number in range(8)])), flush=True)  # noqa: T201
    signal.pause()
