"""Users: who may work at the desk from another machine, and the sessions that they opened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from pipelines.store.engine import upsert
from pipelines.store.tables import sessions, users


class Users:
    """Users by name, sessions by the digest of their token. What a password hashes to, others decide."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_names(self) -> list[str]:
        """Every user."""
        return list(self._connection.execute(select(users.c.name).order_by(users.c.name)).scalars())

    def get_password_hash(self, name: str) -> str | None:
        """The hash of a user's password; None for nobody."""
        query = select(users.c.password).where(users.c.name == name)
        password_hash: str | None = self._connection.execute(query).scalar()
        return password_hash

    def save(self, name: str, password: str, since: datetime) -> None:
        """Add a user, or give one another password: sessions opened with the former one end."""
        self._connection.execute(delete(sessions).where(sessions.c.user == name))
        row = {"name": name, "password": password, "since": since}
        upsert(self._connection, users, [row], keep=frozenset({"since"}))

    def remove(self, name: str) -> bool:
        """Remove a user and end what they opened; False for nobody."""
        self._connection.execute(delete(sessions).where(sessions.c.user == name))
        return bool(self._connection.execute(delete(users).where(users.c.name == name)).rowcount)

    def open_session(self, digest: bytes, name: str, now: datetime, until: datetime) -> None:
        """Begin a session; those that are over are forgotten."""
        self._connection.execute(delete(sessions).where(sessions.c.until <= now))
        self._connection.execute(insert(sessions).values(digest=digest, user=name, until=until))

    def find_by_session(self, digest: bytes, now: datetime) -> str | None:
        """Whose session it is; None for one that is over or never was."""
        query = select(sessions.c.user).where(sessions.c.digest == digest, sessions.c.until > now)
        name: str | None = self._connection.execute(query).scalar()
        return name

    def end_session(self, digest: bytes) -> None:
        """End a session."""
        self._connection.execute(delete(sessions).where(sessions.c.digest == digest))
