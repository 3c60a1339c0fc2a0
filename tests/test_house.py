"""The rules of the house: who may import whom, and what each room owes."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import crawler
import pipelines

ROOT = Path(__file__).resolve().parent.parent


def modules() -> list[str]:
    """Every module of both rooms; Alembic's own scripts run inside Alembic only."""
    found = [
        module.name
        for room in (crawler, pipelines)
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")
        if ".migrations" not in module.name
    ]
    return sorted(found)


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_imports_go_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_is_for_and_its_examples_hold(name: str) -> None:
    module = load(name)
    assert (module.__doc__ or "").strip().endswith((".", "`"))
    assert doctest.testmod(module).failed == 0


def test_every_dependency_is_bounded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    assert [one for one in (*project["dependencies"], *extras) if "<" not in one or ">=" not in one] == []


def test_lock_files_hold_hashes_and_no_hosts() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        pins = [line for line in text.splitlines() if "==" in line]
        assert len(pins) > 50
        assert all(line.endswith("\\") for line in pins)


def test_the_readme_has_one_line_to_try_it_and_one_to_test_it() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("python3 ") and line.endswith("jianbao demo") for line in lines) == 1
    assert sum(line.startswith("python3 ") and line.endswith("pytest") for line in lines) == 1
