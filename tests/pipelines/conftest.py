"""Fixtures of the pipelines' tests."""

from __future__ import annotations

import pytest

from crawler.home import Home, bundled
from pipelines.rules import Rules, load_rules


@pytest.fixture(scope="session")
def rules() -> Rules:
    """The tables that come with jianbao."""
    return load_rules(Home(bundled()))
