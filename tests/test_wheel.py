"""The wheel, installed as a user installs it: by the pip of a fresh environment, without the lock files."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
from places import ROOT

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(900)]

BUILD = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"

IMPORT_ALL = """
import importlib, pkgutil, crawler, pipelines
for package in (crawler, pipelines):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith((".__main__", ".migrations.env")):  # a program, and a script that Alembic runs
            importlib.import_module(module.name)
"""


def run(*command: object, cwd: Path, home: Path) -> str:
    """Run a command without any setting of the checkout's; its standard output."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JIANBAO_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=inherited | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment, whose own pip has installed the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    done = subprocess.run(
        [folder / "bin" / "pip", "install", "-q", wheel], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def test_the_wheel_has_every_file_of_the_packages_and_of_the_data(wheel: Path) -> None:
    packed = set(ZipFile(wheel).namelist())
    for package in ("crawler", "pipelines"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in packed
    for name in ("newsletter.toml", "sources.toml", "README.md", "rules", "templates", "sample"):
        path = ROOT / "data" / name
        for file in path.rglob("*") if path.is_dir() else [path]:
            if file.is_file():
                assert f"crawler/_data/{file.relative_to(ROOT / 'data').as_posix()}" in packed


def test_every_module_of_the_installed_wheel_can_be_imported(installed: Path, tmp_path: Path) -> None:
    run(installed / "python", "-c", IMPORT_ALL, cwd=tmp_path, home=tmp_path)


def test_the_installed_wheel_does_the_demo_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    printed = run(installed / "jianbao", "demo", cwd=tmp_path, home=tmp_path)
    (issue,) = (tmp_path / "jianbao-demo" / "issues").glob("*.md")
    assert issue.name in printed
