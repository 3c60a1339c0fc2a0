"""Divides shards among the workers of a queue: one leads the work, and each that is idle does some of its shards.

Arguments and results stand in the database as compressed JSON, which pydantic writes and reads by the annotations of
the function that does the shard: nothing that another process wrote is ever run. The leader does shards itself too, so
one worker alone comes to the end; and a shard whose worker died or fell silent is done by whoever is there.
"""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, requires, version
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, Generic, NamedTuple, TypeVar, get_type_hints

from pydantic import TypeAdapter

import crawler
import pipelines
from crawler.home import Home, bundled
from pipelines.newsroom import Newsroom
from pipelines.newsroom.stages.shards import Shards
from pipelines.store import Store
from pipelines.store.queue import Lease
from pipelines.store.shards import OpenWork

_Rules = TypeVar("_Rules")
_Result = TypeVar("_Result")

HANDED_OUT: Final = 32
"""Shards that are handed out at a time; so many results, of a megabyte or two, are in the database at most."""

PAUSE: Final = 0.1
"""Seconds between two looks for a result, or for a shard."""

LONGEST_WAIT: Final = 10.0
"""Seconds that the leader waits for a shard, with nothing else to do, before it does the shard itself: it reads nothing
but the store, so it may be done twice. Its helper may be alive, and its process not, or its machine be busy."""

PATIENCE: Final = 3
"""So many times as long as a shard takes the leader, it waits for one, if that is less."""

INVITED_EVERY: Final = 5.0
"""Seconds between two looks for workers that are idle."""


class ShardFormat(Generic[_Result]):
    """How the shards of a function are written as JSON.

    Args:
        read: does a shard; its arguments after store and rules, and its result, are annotated.
    """

    def __init__(self, read: Callable[..., _Result]) -> None:
        annotations = get_type_hints(read)
        self._result: TypeAdapter[_Result] = TypeAdapter(annotations.pop("return"))
        _, _, *arguments = annotations.values()
        shape: Any = tuple.__class_getitem__(tuple(arguments))
        self._arguments: TypeAdapter[tuple[Any, ...]] = TypeAdapter(shape)

    def write_arguments(self, shard: tuple[Any, ...]) -> str:
        """Write the arguments of a shard.

        Raises:
            ValueError: they cannot be written, such as a text with a lone surrogate.
        """
        return self._arguments.dump_json(shard).decode()

    def read_arguments(self, written: str) -> tuple[Any, ...]:
        """Read the arguments of a shard."""
        return self._arguments.validate_json(written)

    def write_result(self, result: _Result) -> str:
        """Write the result of a shard.

        Raises:
            ValueError: it cannot be written.
        """
        return self._result.dump_json(result).decode()

    def read_result(self, written: str) -> _Result:
        """Read the result of a shard."""
        return self._result.validate_json(written)


class _HandedOut(NamedTuple):
    """A shard on its way.

    Args:
        number: in the database; 0 if it cannot be written there, so that only the leader can do it.
        arguments: of the shard.
    """

    number: int
    arguments: tuple[Any, ...]


class _Division(Generic[_Result]):
    """The shards of one function that are on their way, and the results that came before their turn.

    Args:
        store: the newsroom's, opened under the leader's lease.
        work: of which shards can be taken.
        rules_hash: of a worker that may take them.
        shard_format: of the function.
        do_one: the function, here and now, from the arguments of a shard.
        do_many: the function in the leader's own processes, from the arguments of several; results in their order.
    """

    def __init__(
        self,
        store: Store,
        work: OpenWork,
        rules_hash: str,
        shard_format: ShardFormat[_Result],
        *,
        do_one: Callable[..., _Result],
        do_many: Callable[[Iterable[tuple[Any, ...]]], Iterator[_Result]],
    ) -> None:
        self._store = store
        self._work = work
        self._rules_hash = rules_hash
        self._format = shard_format
        self._do_one = do_one
        self._do_many = do_many
        self._pending: deque[_HandedOut] = deque()
        self._arguments_of: dict[int, tuple[Any, ...]] = {}
        self._own_results: dict[int, _Result] = {}
        self._working: Iterator[tuple[int, _Result]] = iter(())
        self._idle_since: float | None = None
        self._longest_own = 0.0

    def do(self, shards: Iterable[tuple[Any, ...]], invite: Callable[[], None]) -> Iterator[_Result]:
        """Do shards with whoever helps, and yield their results in the order of the shards.

        Args:
            shards: the arguments of each.
            invite: called again and again while shards are handed out.
        """
        remaining = iter(shards)
        while True:
            self._hand_out(list(islice(remaining, HANDED_OUT - len(self._pending))))
            if not self._pending:
                return
            invite()
            if first_result := self._find_first_result():
                self._idle_since = None
                self._arguments_of.pop(self._pending.popleft().number, None)
                yield from first_result
            elif not self._do_next():
                self._wait_for_others()

    def _hand_out(self, shards: Sequence[tuple[Any, ...]]) -> None:
        """Hand shards out, as far as they can be written."""
        written: dict[int, str] = {}
        for index, arguments in enumerate(shards):
            with suppress(ValueError):
                written[index] = self._format.write_arguments(arguments)
        numbers: dict[int, int] = {}
        if written:
            with self._store.sharing() as shared:
                handed_out = shared.hand_out(self._work.name, self._rules_hash, list(written.values()))
            numbers = dict(zip(written, handed_out, strict=True))
        new = [_HandedOut(numbers.get(index, 0), arguments) for index, arguments in enumerate(shards)]
        self._pending.extend(new)
        self._arguments_of.update(new)

    def _find_first_result(self) -> tuple[_Result] | None:
        """The result of the shard whose turn it is; None until it is there."""
        number, arguments = self._pending[0]
        if number in self._own_results:
            return (self._own_results.pop(number),)
        if not number:
            return (self._do_one(*arguments),)
        with self._store.sharing() as shared:
            written = shared.collect(number)
        if written is None:
            return None
        return (self._format.read_result(written) if written else self._do_one(*arguments),)

    def _do_next(self) -> bool:
        """Do the next shard that nobody has taken; False without any."""
        began_at = time.monotonic()
        own_result = next(self._working, None)
        if own_result is None:
            self._working = self._do_free()
            own_result = next(self._working, None)
        if own_result is None:
            return False
        self._longest_own = max(self._longest_own, time.monotonic() - began_at)
        self._own_results.update([own_result])
        self._idle_since = None
        return True

    def _do_free(self) -> Iterator[tuple[int, _Result]]:
        """Do shards that nobody else has taken, also those that are handed out meanwhile; each with its number."""
        numbers: deque[int] = deque()

        def take() -> Iterator[tuple[Any, ...]]:
            while True:
                with self._store.sharing() as shared:
                    shard = shared.take(self._work)
                if shard is None:
                    return
                if shard.number in self._arguments_of:  # else one that could not be dropped when it was done
                    numbers.append(shard.number)
                    yield self._arguments_of[shard.number]

        for result in self._do_many(take()):
            number = numbers.popleft()
            self._drop(number)
            yield number, result

    def _wait_for_others(self) -> None:
        """Wait a moment while others do all that is handed out; after many, do the shard whose turn it is."""
        if self._idle_since is None:
            self._idle_since = time.monotonic()
        patience = min(LONGEST_WAIT, PATIENCE * self._longest_own) if self._longest_own else LONGEST_WAIT
        if time.monotonic() - self._idle_since < patience:
            time.sleep(PAUSE)
            return
        number, arguments = self._pending[0]
        self._own_results[number] = self._do_one(*arguments)
        self._drop(number)

    def _drop(self, number: int) -> None:
        with self._store.sharing() as shared:
            shared.drop(number)


class DividedShards(Shards[_Rules]):
    """Does shards together with other workers.

    Args:
        store: the newsroom's, opened under the lease of a job.
        rules: by which this worker does shards.
        processes: so many of this worker do shards.
        lease: of that job.
        files_hash: of the files that the rules were loaded from; a worker with other files does no shard.
        invite: asks so many workers for help.
    """

    def __init__(
        self,
        store: Store,
        rules: _Rules,
        processes: int,
        *,
        lease: Lease,
        files_hash: str,
        invite: Callable[[int], None],
    ) -> None:
        super().__init__(store, rules, processes)
        self._lease = lease
        self._rules_hash = add_learned(files_hash, store)
        self._invite = invite
        self._invited_at = 0.0
        with store.sharing() as shared:
            shared.clear()

    def map(self, read: Callable[..., _Result], shards: Iterable[tuple[Any, ...]]) -> Iterator[_Result]:
        """Do shards, as `Shards.map` does; other workers do those that they take before this one takes them."""
        return _Division(
            self._store,
            OpenWork(self._lease, read.__name__),
            self._rules_hash,
            ShardFormat(read),
            do_one=partial(read, self._store, self._rules),
            do_many=partial(super().map, read),
        ).do(shards, self._invite_from_time_to_time)

    def close(self) -> None:
        """End the processes, and take back what was handed out."""
        super().close()
        with self._store.sharing() as shared:
            shared.clear()

    def _invite_from_time_to_time(self) -> None:
        """Invite the workers that are idle at this moment."""
        if time.monotonic() - self._invited_at < INVITED_EVERY:
            return
        with self._store.reading() as tx:
            state = tx.jobs.read()
        idle = state.count_idle(datetime.now(UTC)) if state else 0
        if idle:
            self._invite(idle)
        self._invited_at = time.monotonic()


def hash_files(newsroom: Newsroom) -> str:
    """A hash of the files that a newsroom's rules are loaded from, and of the program that runs.

    The rules are loaded with it. Where somebody changes a file at that moment, nobody else has the hash.

    Args:
        newsroom: whose rules nobody has asked for yet.
    """
    first_hash = _hash_newsletter(newsroom.home)
    _ = newsroom.sources, newsroom.group_rules
    return first_hash if _hash_newsletter(newsroom.home) == first_hash else token_hex()


def add_learned(files_hash: str, store: Store) -> str:
    """A hash of all by which articles are read and compared: of the files, and of what the store learned of events."""
    with store.reading() as tx:
        tuning = tx.events.get_tuning()
    learned = tuning.to_json() if tuning else ""
    return hashlib.sha256(f"{files_hash} {learned}".encode()).hexdigest()


def _hash_newsletter(home: Home) -> str:
    files = [home.newsletter, home.sources]
    files += [home.rules(path.name) for path in sorted((bundled() / "rules").glob("*.toml"))]
    return _hash_contents(files, _PROGRAM)


def _hash_contents(files: Iterable[Path], start: str = "") -> str:
    hashed = hashlib.sha256(start.encode())
    for path in filter(Path.is_file, files):
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest()


def _hash_program() -> str:
    """A hash of the files of this program, and of the versions of what it is built on."""
    packages = [Path(package.__file__ or "").parent for package in (crawler, pipelines)]
    files = [path for package in packages for path in sorted(package.rglob("*")) if path.suffix != ".pyc"]
    with suppress(PackageNotFoundError):
        names = [
            re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in requires("jianbao") or () if "extra ==" not in line
        ]
        return _hash_contents(files, f"{sys.version} {[version(name) for name in names]}")
    return _hash_contents(files, sys.version)


_PROGRAM: Final = _hash_program()
"""Of the files as they were when the worker's processes were prepared: these go on with what they have loaded when the
files are replaced."""
