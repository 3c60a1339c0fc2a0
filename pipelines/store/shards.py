"""Shards that workers do together: one worker leads the work and hands them out, each takes some and gives them back.

A shard is taken under the lease of a job. As soon as that lease is lost, because the job ended or its worker is silent,
anybody may take the shard again; shards of a leader without a lease are taken by nobody. The table holds no more than
the leader hands out at once, and is empty when the work ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, text, update

from pipelines.store.packing import pack, unpack
from pipelines.store.queue import SILENCE, Lease
from pipelines.store.tables import shards


@dataclass(frozen=True, slots=True)
class OpenWork:
    """Work of which shards can be taken.

    Args:
        leader: under whose lease the shards were handed out.
        name: of the work.
    """

    leader: Lease
    name: str


@dataclass(frozen=True, slots=True)
class TakenShard:
    """A shard that was taken.

    Args:
        number: of the shard; no other shard has had it.
        arguments: JSON.
    """

    number: int
    arguments: str


def _holds(role: str) -> str:
    return f"""EXISTS (
        SELECT FROM procrastinate.procrastinate_jobs AS job
        JOIN procrastinate.procrastinate_workers AS worker ON worker.id = job.worker_id
        WHERE job.id = shards.{role}_job AND job.worker_id = shards.{role}_worker AND job.status = 'doing'
          AND worker.last_heartbeat > now() - make_interval(secs => {SILENCE})
    )"""


_IS_FREE: Final = f"result IS NULL AND NOT {_holds('taker')}"
_FIND_WORK: Final = text(f"""
    SELECT leader_job, leader_worker, work FROM shards
    WHERE rules = :rules AND {_IS_FREE} AND {_holds("leader")} ORDER BY id LIMIT 1
""")  # noqa: S608 - our constants
_IS_OTHERS: Final = text(f"SELECT 1 FROM shards WHERE rules <> :rules AND {_IS_FREE} AND {_holds('leader')} LIMIT 1")  # noqa: S608
_TAKE: Final = text(f"""
    UPDATE shards SET taker_job = :job, taker_worker = :worker WHERE id = (
        SELECT id FROM shards
        WHERE leader_job = :leader_job AND leader_worker = :leader_worker AND work = :work AND {_IS_FREE}
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING id, arguments
""")  # noqa: S608 - our constants
# A helper that fell silent between its statement and its commit keeps the row locked for half a minute: nobody waits
# for it, and the next `clear` deletes what is left
_DROP: Final = text("DELETE FROM shards WHERE id IN (SELECT id FROM shards WHERE id = :id FOR UPDATE SKIP LOCKED)")
_CLEAR: Final = text(f"""
    DELETE FROM shards WHERE id IN (
        SELECT id FROM shards
        WHERE (leader_job = :job AND leader_worker = :worker) OR NOT {_holds("leader")} FOR UPDATE SKIP LOCKED
    )
""")  # noqa: S608 - our constants


class SharedShards:
    """The shards that are handed out.

    Args:
        connection: to a PostgreSQL.
        lease: of this process, under which it hands out and takes.
    """

    def __init__(self, connection: Connection, lease: Lease) -> None:
        self._connection = connection
        self._lease = lease

    def hand_out(self, work: str, rules: str, arguments: Sequence[str]) -> list[int]:
        """Hand shards out, to be taken in this order.

        Args:
            work: name of the function that does them.
            rules: a hash of all that a result depends on beside the arguments and the database.
            arguments: of each shard, JSON.

        Returns:
            Their numbers.
        """
        leader = {"leader_job": self._lease.job, "leader_worker": self._lease.worker}
        rows = [leader | {"work": work, "rules": rules, "arguments": pack(of_shard)} for of_shard in arguments]
        query = insert(shards).returning(shards.c.id, sort_by_parameter_order=True)
        return list(self._connection.execute(query, rows).scalars())

    def find_work(self, rules: str) -> OpenWork | None:
        """Find work of a leader with the same rules, of which a shard is free; None without any."""
        row = self._connection.execute(_FIND_WORK, {"rules": rules}).first()
        return OpenWork(Lease(row.leader_job, row.leader_worker), row.work) if row else None

    def has_other_work(self, rules: str) -> bool:
        """Tell whether a shard is free of a leader with other rules."""
        return self._connection.execute(_IS_OTHERS, {"rules": rules}).first() is not None

    def take(self, work: OpenWork) -> TakenShard | None:
        """Take the first free shard; None without any."""
        leader: dict[str, Any] = {"leader_job": work.leader.job, "leader_worker": work.leader.worker, "work": work.name}
        row = self._connection.execute(_TAKE, leader | self._own()).first()
        return TakenShard(row.id, unpack(row.arguments)) if row else None

    def give_back(self, number: int, result: str) -> None:
        """Give a shard back with its result; nothing happens if another one has it by now, or nobody wants it.

        Args:
            number: of the shard.
            result: JSON; empty if it has to be done by its leader.
        """
        is_ours = (shards.c.taker_job == self._lease.job) & (shards.c.taker_worker == self._lease.worker)
        self._connection.execute(update(shards).where(shards.c.id == number, is_ours).values(result=pack(result)))

    def collect(self, number: int) -> str | None:
        """Take the result of a shard away; None until it is there."""
        row: Row[Any] | None = self._connection.execute(
            delete(shards).where(shards.c.id == number, shards.c.result.is_not(None)).returning(shards.c.result)
        ).first()
        return unpack(row.result) if row else None

    def drop(self, number: int) -> None:
        """Drop a shard that nobody else has to do."""
        self._connection.execute(_DROP, {"id": number})

    def clear(self) -> None:
        """Drop all shards of this leader, and of leaders that are gone."""
        self._connection.execute(_CLEAR, self._own())

    def _own(self) -> dict[str, int]:
        return {"job": self._lease.job, "worker": self._lease.worker}
