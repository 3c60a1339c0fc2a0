"""A newsroom with five stories, and who edits it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import NOON
from databases import Databases
from desks import opened_newsroom

from pipelines.newsroom import Newsroom
from pipelines.newsroom.editor import Editor


@pytest.fixture
def newsroom(databases: Databases, tmp_path: Path) -> Iterator[Newsroom]:
    """Five stories, 1 to 5, of one article each."""
    with opened_newsroom(tmp_path / "newsletter", databases) as opened:
        yield opened


@pytest.fixture
def editor(newsroom: Newsroom) -> Editor:
    return Editor(newsroom, "编辑甲", NOON)
