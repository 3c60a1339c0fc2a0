"""Users, who may use the desk from another machine, and their sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from pipelines.store.bulk import upsert
from pipelines.store.tables import sessions, users


class Users:
    """Users by name, sessions by the digest of their token. `pipelines.review.guard.access` hashes passwords."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_names(self) -> list[str]:
        """List the names of all users."""
        return list(self._connection.execute(select(users.c.name).order_by(users.c.name)).scalars())

    def get_password_hash(self, name: str) -> str | None:
        """Get the hash of a user's password; None if there is no such user."""
        query = select(users.c.password).where(users.c.name == name)
        password_hash: str | None = self._connection.execute(query).scalar()
        return password_hash

    def save(self, name: str, password: str, since: datetime) -> None:
        """Add a user, or change a user's password, which ends the user's sessions.

        Args:
            name: of the user.
            password: the hash of the password.
            since: when the user was added, aware; a stored user keeps the former time.
        """
        self._connection.execute(delete(sessions).where(sessions.c.user == name))
        row = {"name": name, "password": password, "since": since}
        upsert(self._connection, users, [row], keep=frozenset({"since"}))

    def remove(self, name: str) -> bool:
        """Remove a user and the user's sessions; return False if there is no such user."""
        self._connection.execute(delete(sessions).where(sessions.c.user == name))
        return bool(self._connection.execute(delete(users).where(users.c.name == name)).rowcount)

    def open_session(self, digest: bytes, name: str, now: datetime, until: datetime) -> None:
        """Open a session, and remove the sessions that have ended.

        Args:
            digest: of the session's token.
            name: of the user.
            now: aware.
            until: when the session ends, aware.
        """
        self._connection.execute(delete(sessions).where(sessions.c.until <= now))
        self._connection.execute(insert(sessions).values(digest=digest, user=name, until=until))

    def find_by_session(self, digest: bytes, now: datetime) -> str | None:
        """Find the user of a session; None for a session that has ended or never existed."""
        query = select(sessions.c.user).where(sessions.c.digest == digest, sessions.c.until > now)
        name: str | None = self._connection.execute(query).scalar()
        return name

    def end_session(self, digest: bytes) -> None:
        """End a session."""
        self._connection.execute(delete(sessions).where(sessions.c.digest == digest))
