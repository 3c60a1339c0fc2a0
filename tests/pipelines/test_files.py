"""Files are written whole, and what a killed process leaves behind is removed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from places import ROOT

from pipelines import files
from pipelines.store import Store

KILLED_WHILE_WRITING = """
import os, sys
from pathlib import Path
from pipelines import files
os.fsync = lambda _: os.kill(os.getpid(), 9)
files.write(Path(sys.argv[1]), "neu")
"""


def make_old(path: Path) -> None:
    two_hours_ago = time.time() - 7200
    os.utime(path, (two_hours_ago, two_hours_ago))


@pytest.mark.fault("S2")
def test_a_write_that_finds_the_disk_full_names_its_file_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_no_room(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "issue.md"
    files.write(path, "alt")
    monkeypatch.setattr(os, "fsync", find_no_room)
    with pytest.raises(OSError, match=r"issue\.md") as caught:
        files.write(path, "neu")
    assert caught.value.filename == str(path)
    assert [(each.name, each.read_text(encoding="utf-8")) for each in tmp_path.iterdir()] == [("issue.md", "alt")]


@pytest.mark.fault("S7")
def test_a_write_that_is_killed_leaves_the_old_file_and_its_leftover_goes_with_a_later_write(tmp_path: Path) -> None:
    path = tmp_path / "issue.md"
    files.write(path, "alt")
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(path)], cwd=ROOT, check=False)
    assert killed.returncode == -9
    assert path.read_text(encoding="utf-8") == "alt"
    (leftover,) = tmp_path.glob(".*.part")
    files.write(path, "neuer")
    assert leftover.exists(), "another process may be writing it now"
    make_old(leftover)
    files.write(path, "am neuesten")
    assert [file.name for file in tmp_path.iterdir()] == ["issue.md"]


def test_half_copies_of_a_database_go_with_the_next_copy_and_nothing_else_does(tmp_path: Path) -> None:
    names = [".jianbao.db.0009.k3j_x9ab.part", ".notes.part", "draft.part", ".keep"]
    for name in names:
        (tmp_path / name).write_text("x", encoding="utf-8")
        make_old(tmp_path / name)
    store = Store.open(f"sqlite:///{tmp_path / 'var' / 'jianbao.db'}")
    store.backup(tmp_path / "copy.db")
    store.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["copy.db", "var", *names[1:]])


def test_a_folder_that_is_missing_or_closed_has_no_leftovers(tmp_path: Path) -> None:
    assert files.remove_leftovers(tmp_path / "none") == []
