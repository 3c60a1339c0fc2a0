"""Fixtures: a newsroom of five stories, and desks over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import Databases
from desks import HOST, KEY, Desk, opened_newsroom
from starlette.testclient import TestClient

from pipelines.newsroom import Newsroom
from pipelines.review.app import build_desk
from pipelines.review.guard.access import Access
from pipelines.review.guard.defence import HostNames


@pytest.fixture
def newsroom(databases: Databases, tmp_path: Path) -> Iterator[Newsroom]:
    with opened_newsroom(tmp_path / "newsletter", databases) as opened:
        yield opened


@pytest.fixture
def open_desk(newsroom: Newsroom) -> Iterator[Callable[..., Desk]]:
    """Opens further desks over the newsroom: other editors, other browsers."""
    opened: list[TestClient] = []

    def opener(editor: str = "编辑甲", *, login: bool = False) -> Desk:
        app = build_desk(newsroom, Access(KEY, login, editor), HostNames(frozenset({"127.0.0.1", "localhost", "::1"})))
        client = TestClient(app, base_url=f"http://{HOST}", follow_redirects=False)
        client.__enter__()
        opened.append(client)
        return Desk(client, newsroom)

    yield opener
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()
