"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from databases import Databases, PostgresqlDatabases, SqliteDatabases
from hypothesis import HealthCheck, settings
from postgresql_server import PostgresqlServer, find_programs, run_server

from pipelines.store import Store

settings.register_profile("jianbao", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine
settings.load_profile("jianbao")


def _folder(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is unset: real data is not at hand")
    return Path(value).resolve(strict=True)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real pages and feeds."""
    return _folder("JIANBAO_CORPUS")


@pytest.fixture(scope="session")
def archive() -> Path:
    """The folder of past issues in Markdown."""
    return _folder("JIANBAO_ARCHIVE")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A running PostgreSQL server of our own."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed")
    with run_server(programs) as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Databases of each kind that a newsroom may live in: a test that asks for them runs once on each."""
    if request.param == "sqlite":
        return SqliteDatabases(tmp_path_factory.mktemp("databases"))
    return PostgresqlDatabases(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The URL of a new database with the tables."""
    url = databases.make()
    yield url
    databases.drop(url)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store."""
    opened = Store.open(database_url)
    yield opened
    opened.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skips where JIANBAO_NO_SKIPS is set: everything that it needs should be at hand."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("JIANBAO_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though JIANBAO_NO_SKIPS is set: {report.longrepr}"
    return report
