"""Does shards of a rebuild or a grouping that another worker leads."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from typing import Any, Final, NamedTuple

from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.division import PAUSE, ShardFormat, add_learned, hash_files
from pipelines.newsroom.stages.relearning import with_model
from pipelines.newsroom.stages.rereading import ReadingRules, SourceTable, list_entries, read_stored
from pipelines.newsroom.stages.run import find_links_of_fresh, read_fresh
from pipelines.newsroom.stages.shards import Shards
from pipelines.store import Store
from pipelines.store.shards import OpenWork

LONGEST: Final = 60.0
"""Seconds after which a helper takes no more shards, so that its worker does other jobs of the queue."""

LONGEST_IDLE: Final = 3.0
"""Seconds without a free shard after which a helper ends; the leader invites it again."""

_OF_REBUILD: Final[tuple[Callable[..., Any], ...]] = (list_entries, read_stored)
_OF_GROUPING: Final[tuple[Callable[..., Any], ...]] = (read_fresh, find_links_of_fresh)
_FUNCTIONS: Final = {function.__name__: function for function in (*_OF_REBUILD, *_OF_GROUPING)}
"""What a helper does, by name; it does nothing else that stands in the database."""

_LOG: Final = logging.getLogger(__name__)


class Helped(NamedTuple):
    """What a helper did.

    Args:
        shards: number of those that it did.
        has_other_rules: whether it left shards alone, since their leader has another program or other rules.
    """

    shards: int
    has_other_rules: bool


def help_out(newsroom: Newsroom, processes: int) -> Helped:
    """Do shards of leaders with the same rules until there are none, or for a minute.

    Args:
        newsroom: whose store was opened under the lease of a job.
        processes: so many do shards.
    """
    store = newsroom.store
    files_hash = hash_files(newsroom)
    rules_hash = add_learned(files_hash, store)
    count = 0
    until = time.monotonic() + LONGEST
    idle_until = time.monotonic() + LONGEST_IDLE
    with ExitStack() as stack:

        @cache
        def start(is_of_rebuild: bool) -> Shards[Any] | None:
            with store.reading() as tx:
                if is_of_rebuild:
                    table = SourceTable(newsroom.sources)
                    table.read(tx)
                    rules: Any = ReadingRules(newsroom.rules, table.sources)
                else:
                    rules = with_model(tx, newsroom.group_rules)
            if add_learned(files_hash, store) != rules_hash:
                return None
            return stack.enter_context(closing(Shards(store, rules, processes)))

        while time.monotonic() < min(until, idle_until):
            with store.sharing() as shared:
                work = shared.find_work(rules_hash)
            if work is None or work.name not in _FUNCTIONS:
                time.sleep(PAUSE)
                continue
            shards = start(_FUNCTIONS[work.name] in _OF_REBUILD)
            if shards is None:  # the newsroom has learned meanwhile; the next helper begins with it
                break
            count += _do_shards(store, shards, work, until)
            idle_until = time.monotonic() + LONGEST_IDLE
    with store.sharing() as shared:
        return Helped(count, shared.has_other_work(rules_hash))


def _do_shards(store: Store, shards: Shards[Any], work: OpenWork, until: float) -> int:
    """Do shards of one work until none is free; their number."""
    numbers: deque[int] = deque()

    def take() -> Iterator[tuple[str, str]]:
        while time.monotonic() < until:
            with store.sharing() as shared:
                shard = shared.take(work)
            if shard is None:
                return
            numbers.append(shard.number)
            yield work.name, shard.arguments

    count = 0
    for result in shards.map(do_written, take()):
        with store.sharing() as shared:
            shared.give_back(numbers.popleft(), result)
        count += 1
    return count


def do_written(store: Store, rules: Any, name: str, arguments: str) -> str:
    """Do a shard as it stands in the database.

    Args:
        store: the newsroom's.
        rules: as the function wants them.
        name: of the function.
        arguments: JSON.

    Returns:
        JSON; empty if the shard failed here: its leader does it, and meets the error itself.
    """
    try:
        read = _FUNCTIONS[name]
        shard_format = ShardFormat(read)
        return shard_format.write_result(read(store, rules, *shard_format.read_arguments(arguments)))
    except Exception:
        _LOG.exception("a shard is left to its leader")
        return ""
