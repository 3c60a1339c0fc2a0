"""The rules of the house: who may import whom, and what each room owes."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from places import ROOT
from vague_names import count_vague_names

import crawler
import pipelines

VAGUE_CEILING = 64
"""Only ever lowered."""


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


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(
        command,
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_go_one_way() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("planted", "source", "contract"),
    [
        ("pipelines/zzz.py", "", "The pipelines are one stack"),
        ("pipelines/zzz.py", "import sqlalchemy", "Only the store speaks SQL"),
        ("pipelines/cli/zzz.py", "import starlette", "Only the desk knows the web framework"),
        ("pipelines/group/zzz.py", "import pipelines.store", "The pipelines are one stack"),
        ("pipelines/review/zzz.py", "import nh3", "One module sanitizes HTML"),
    ],
)
def test_a_module_without_a_layer_or_with_a_library_of_another_room_is_refused(
    planted: str, source: str, contract: str, tmp_path: Path
) -> None:
    for room in ("crawler", "pipelines"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / planted).write_text(f'"""Planted."""\n\n{source}\n', encoding="utf-8")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert any(line.startswith(contract) and "BROKEN" in line for line in done.stdout.splitlines()), done.stdout


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_is_for_and_its_examples_hold(name: str) -> None:
    module = load(name)
    assert (module.__doc__ or "").strip().endswith((".", "`"))
    assert doctest.testmod(module).failed == 0


@pytest.mark.fault("R6")
def test_every_dependency_is_bounded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    assert [one for one in (*project["dependencies"], *extras) if "<" not in one or ">=" not in one] == []


@pytest.mark.fault("R6")
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
    assert sum(line.startswith("python3 ") and line.endswith("pytest -n auto") for line in lines) == 1


def test_vague_names_become_fewer() -> None:
    total = sum(names.total() for names in count_vague_names().values())
    assert total <= VAGUE_CEILING, "a name says what a thing is; `python tests/vague_names.py` lists those that do not"


def test_the_packages_are_typed_for_whoever_imports_them() -> None:
    assert all((ROOT / room / "py.typed").is_file() for room in ("crawler", "pipelines"))


@pytest.mark.parametrize("path", ["justfile", "CONTRIBUTING.md"])
def test_every_tool_that_a_document_runs_is_installed_by_the_lock_file(path: str) -> None:
    tools = set(re.findall(r"\.venv/bin/([\w-]+)", (ROOT / path).read_text(encoding="utf-8")))
    assert tools
    assert [tool for tool in tools if not Path(sys.executable).with_name(tool).exists()] == []


def test_every_recipe_is_one_line_that_can_be_typed() -> None:
    recipes = re.split(r"\n(?=\S)", (ROOT / "justfile").read_text(encoding="utf-8"))
    lines = [[line for line in recipe.splitlines()[1:] if line.strip()] for recipe in recipes]
    assert {len(recipe) for recipe in lines} == {0, 1}
