"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skips where JIANBAO_NO_SKIPS is set: everything that it needs should be at hand."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("JIANBAO_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though JIANBAO_NO_SKIPS is set: {report.longrepr}"
    return report
