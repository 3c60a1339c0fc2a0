"""Divides work that only reads among processes, shard by shard; the caller takes the results in order, and writes them.

A shard is a part of the work that needs no other part: some raw items, some articles. The processes open the newsroom's
database for reading. One that dies, however, is replaced, and its shards are done again, since nothing but the caller
writes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from itertools import islice
from multiprocessing.connection import wait
from typing import Any, Final, Generic, TypeVar

from crawler.errors import CrawlError
from pipelines.store import Store

_Rules = TypeVar("_Rules")
_Result = TypeVar("_Result")

WAITING: Final = 2
"""Shards that are done or wait beside those that are being done: so many more results take memory."""

FEWEST: Final = 4_000
"""Raw items or articles for which processes are started: their start costs as much as reading so many."""

DEATHS: Final = 3
"""Processes that may die, one after another, until the work is given up: a shard may kill each that reads it."""

_PRELOADED: Final = ("pipelines.newsroom.stages.run", "sqlalchemy.dialects.sqlite")


class ShardDied(CrawlError):
    """Each process that does a shard dies. Raised by `Shards.map`; what was written before is stored."""


def count_processes() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Shards(Generic[_Rules]):
    """The processes that do shards. With one process, the caller's own process does them.

    Args:
        store: the newsroom's.
        rules: handed to each process once.
        processes: so many shards are done at once.
    """

    def __init__(self, store: Store, rules: _Rules, processes: int) -> None:
        self._store = store
        self._rules = rules
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def map(self, read: Callable[..., _Result], shards: Iterable[tuple[Any, ...]]) -> Iterator[_Result]:
        """Do shards, and yield their results in the order of the shards.

        Args:
            read: does a shard from the store, the rules and the arguments of the shard; a function of a module. It
                writes nothing.
            shards: the arguments of each.

        Raises:
            ShardDied: a shard kills each process that does it.
        """
        if self._processes < 2:
            for shard in shards:
                yield read(self._store, self._rules, *shard)
            return
        remaining = iter(shards)
        pending: deque[tuple[tuple[Any, ...], Future[_Result]]] = deque()
        deaths = 0
        while True:
            for shard in islice(remaining, self._processes + WAITING - len(pending)):
                pending.append((shard, self._submit(read, shard)))
            if not pending:
                return
            try:
                result = pending[0][1].result()
            except BrokenProcessPool as error:
                deaths += 1
                self.close()
                if deaths >= DEATHS:
                    raise ShardDied("shard-died") from error
                pending = deque((shard, self._submit(read, shard)) for shard, _ in pending)
                continue
            deaths = 0
            pending.popleft()
            yield result

    def _submit(self, read: Callable[..., _Result], shard: tuple[Any, ...]) -> Future[_Result]:
        if self._pool is None:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(list(_PRELOADED))
            arguments = (self._store.url, self._rules)
            self._pool = ProcessPoolExecutor(self._processes, context, _begin, arguments)
        try:
            return self._pool.submit(_do, read, shard)
        except (BrokenProcessPool, ConnectionError, EOFError) as error:  # a process, or the one that forks them, died
            future: Future[_Result] = Future()
            future.set_exception(BrokenProcessPool(str(error)))
            return future

    def close(self) -> None:
        """End the processes; what they do is lost."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)


StartShards = Callable[[Store, Any, int], Shards[Any]]
"""Who does shards, from the store, the rules and the number of processes: `Shards` itself, or one of its kind."""


@contextmanager
def open_shards(
    store: Store, rules: _Rules, processes: int, count: int, start: StartShards = Shards
) -> Iterator[Shards[_Rules]]:
    """Open processes for shards until the context ends; they start with the first shard.

    Args:
        store, rules, processes: as `Shards` has them.
        count: of all raw items or articles; few are read by the caller's own process.
        start: who does many.
    """
    shards = start(store, rules, processes) if count >= FEWEST else Shards(store, rules, 1)
    try:
        yield shards
    finally:
        shards.close()


# --- inside the processes ------------------------------------------------------------------------------------------

_begun_with: Final[list[tuple[str, Any]]] = []
"""The URL of the store, and the rules, with which this process began."""


@cache
def _open_store(url: str) -> Store:
    return Store.open(url)


def _begin(url: str, rules: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the caller, which ends this process
    threading.Thread(target=_end_with_caller, daemon=True).start()
    _begun_with.append((url, rules))


def _end_with_caller() -> None:
    caller = multiprocessing.parent_process()
    if caller is not None:
        wait([caller.sentinel])
        os._exit(1)


def _do(read: Callable[..., _Result], shard: tuple[Any, ...]) -> _Result:
    url, rules = _begun_with[0]
    return read(_open_store(url), rules, *shard)  # opened here, the caller gets the error of a server that is gone
