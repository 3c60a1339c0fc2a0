"""Divides shards among the workers of a queue: one leads the work, and each that is idle does some of its shards.

Arguments and results stand in the database as compressed JSON, which pydantic writes and reads by the annotations of
the function that does the shard: nothing that another process wrote is ever run. The leader does shards itself too, so
one worker alone comes to the end; and a shard whose worker died or fell silent is done by whoever is there.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar, get_type_hints

from pydantic import TypeAdapter

import crawler
import pipelines
from crawler.home import Home, bundled
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
but the store, so it may be done twice. Its helper may be alive, and its process not."""

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


class DividedShards(Shards[_Rules]):
    """Does shards together with other workers.

    Args:
        store: the newsroom's, opened under the lease of a job.
        rules: by which this worker does shards.
        processes: so many of this worker do shards.
        lease: of that job.
        home: of the newsletter; a worker with other files of rules does no shard.
        invite: asks so many workers for help.
    """

    def __init__(
        self, store: Store, rules: _Rules, processes: int, *, lease: Lease, home: Home, invite: Callable[[int], None]
    ) -> None:
        super().__init__(store, rules, processes)
        self._lease = lease
        self._rules_hash = hash_rules(home, store)
        self._invite = invite
        self._invited_at = 0.0
        with store.sharing() as shared:
            shared.clear()

    def map(self, read: Callable[..., _Result], shards: Iterable[tuple[Any, ...]]) -> Iterator[_Result]:
        """Do shards, as `Shards.map` does; other workers do those that they take before this one takes them."""
        shard_format = ShardFormat(read)
        remaining = iter(shards)
        pending: deque[_HandedOut] = deque()
        arguments_of: dict[int, tuple[Any, ...]] = {}
        own_results: dict[int, _Result] = {}
        working: Iterator[tuple[int, _Result]] = iter(())
        idle_since: float | None = None
        while True:
            new = islice(remaining, HANDED_OUT - len(pending))
            handed_out = self._hand_out(read.__name__, shard_format, new)
            pending.extend(handed_out)
            arguments_of.update(handed_out)
            if not pending:
                return
            number, arguments = pending[0]
            self._invite_from_time_to_time()
            if number in own_results:
                result = own_results.pop(number)
            elif not number:
                result = read(self._store, self._rules, *arguments)
            elif (written := self._collect(number)) is not None:
                is_left = not written
                result = read(self._store, self._rules, *arguments) if is_left else shard_format.read_result(written)
            else:
                own_result = next(working, None)
                if own_result is None:
                    working = self._do_own(read, arguments_of)
                    own_result = next(working, None)
                if own_result is not None:
                    own_results.update([own_result])
                    idle_since = None
                elif idle_since is None or time.monotonic() - idle_since < LONGEST_WAIT:
                    idle_since = idle_since or time.monotonic()
                    time.sleep(PAUSE)  # others do all that is handed out
                else:
                    own_results[number] = read(self._store, self._rules, *arguments)
                    self._drop(number)
                continue
            idle_since = None
            pending.popleft()
            arguments_of.pop(number, None)
            yield result

    def close(self) -> None:
        """End the processes, and take back what was handed out."""
        super().close()
        with self._store.sharing() as shared:
            shared.clear()

    def _hand_out(
        self, work: str, shard_format: ShardFormat[Any], shards: Iterable[tuple[Any, ...]]
    ) -> list[_HandedOut]:
        """Hand shards out, if they can be written."""
        written: dict[int, str] = {}
        arguments = list(shards)
        for index, of_shard in enumerate(arguments):
            try:
                written[index] = shard_format.write_arguments(of_shard)
            except ValueError:
                continue
        numbers: dict[int, int] = {}
        if written:
            with self._store.sharing() as shared:
                numbers = dict(
                    zip(written, shared.hand_out(work, self._rules_hash, list(written.values())), strict=True)
                )
        return [_HandedOut(numbers.get(index, 0), of_shard) for index, of_shard in enumerate(arguments)]

    def _collect(self, number: int) -> str | None:
        with self._store.sharing() as shared:
            return shared.collect(number)

    def _do_own(
        self, read: Callable[..., _Result], arguments_of: Mapping[int, tuple[Any, ...]]
    ) -> Iterator[tuple[int, _Result]]:
        """Do shards that nobody else has taken, also those that are handed out meanwhile; each with its number."""
        numbers: deque[int] = deque()
        work = OpenWork(self._lease, read.__name__)

        def take() -> Iterator[tuple[Any, ...]]:
            while True:
                with self._store.sharing() as shared:
                    shard = shared.take(work)
                if shard is None:
                    return
                numbers.append(shard.number)
                yield arguments_of[shard.number]

        for result in super().map(read, take()):
            number = numbers.popleft()
            self._drop(number)
            yield number, result

    def _drop(self, number: int) -> None:
        with self._store.sharing() as shared:
            shared.drop(number)

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


def hash_rules(home: Home, store: Store) -> str:
    """A hash of all by which articles are read and compared: program, newsletter's files, what the store learned."""
    packages = [Path(package.__file__ or "").parent for package in (crawler, pipelines)]
    files = [path for package in packages for path in sorted(package.rglob("*")) if path.suffix != ".pyc"]
    files += [home.newsletter, home.sources]
    files += [home.rules(path.name) for path in sorted((bundled() / "rules").glob("*.toml"))]
    hashed = hashlib.sha256()
    for path in filter(Path.is_file, files):
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    with store.reading() as tx:
        tuning = tx.events.get_tuning()
    hashed.update(tuning.to_json().encode() if tuning else b"")
    return hashed.hexdigest()
