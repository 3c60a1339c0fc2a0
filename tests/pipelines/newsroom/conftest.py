"""A newsroom with five stories, and who edits it."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import NOON
from desks import make_newsroom

from pipelines.newsroom import Newsroom
from pipelines.newsroom.editor import Editor


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    """Five stories, 1 to 5, of one article each."""
    return make_newsroom(tmp_path)


@pytest.fixture
def editor(newsroom: Newsroom) -> Editor:
    return Editor(newsroom, "编辑甲", NOON)
