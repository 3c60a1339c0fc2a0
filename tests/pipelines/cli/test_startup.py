"""A command line that only tells about itself loads typer and rich, and nothing of the work.

The tests name modules, not seconds; `tests/benchmarks/startup.py` measures.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer

from pipelines.cli import app

HEAVY = {
    "alembic", "cchardet", "dateparser", "feedparser", "ftfy", "jinja2", "langdetect", "lxml", "nh3", "numpy",
    "opencc", "scipy", "scrapy", "sklearn", "sqlalchemy", "starlette", "tomlkit", "trafilatura", "twisted", "uvicorn",
}  # fmt: skip
OURS = {
    "crawler.characters",
    "crawler.errors",
    "crawler.home",
    "crawler.kinds",
    "crawler.toml",
    "pipelines.errors",
    "pipelines.files",
    "pipelines.logs",
    "pipelines.wording",
}
"""Modules outside the command line's own room that load nothing more."""

_RUN_EACH = """
import sys
from pipelines.cli import main
for line in sys.argv[1:]:
    sys.argv = ["jianbao", *line.split()]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, line
print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def loaded_by(*lines: str, **environment: str) -> tuple[str, set[str]]:
    """Run command lines in one fresh process.

    Returns:
        What they print, and the modules that the process has loaded at its end.
    """
    done = subprocess.run(
        [sys.executable, "-c", _RUN_EACH, *lines],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, set(done.stderr.splitlines())


def assert_light(modules: set[str]) -> None:
    """Neither a heavy library nor a module of the work is loaded."""
    ours = {name for name in modules if name.startswith(("crawler.", "pipelines."))}
    assert "pipelines.cli.terminal" in ours
    assert {name for name in ours if not name.startswith("pipelines.cli")} <= OURS
    assert not HEAVY & {name.partition(".")[0] for name in modules}


def command_names(command: object, *names: str) -> Iterator[str]:
    """Every command and group of commands below this one, as it is typed."""
    for name, child in getattr(command, "commands", {}).items():
        yield " ".join((*names, name))
        yield from command_names(child, *names, name)


@pytest.mark.parametrize("line", ["--version", "--help"])
def test_version_and_help_load_nothing_of_the_work(line: str) -> None:
    printed, modules = loaded_by(line)
    assert printed
    assert_light(modules)
    assert "pydantic" not in modules


def test_the_help_of_every_command_loads_nothing_of_the_work() -> None:
    lines = [f"{names} --help" for names in command_names(typer.main.get_command(app))]
    printed, modules = loaded_by(*lines)
    assert printed.count("Usage: jianbao ") == len(lines) > 30
    assert_light(modules)  # typer itself reads the main command's options by pydantic


@pytest.mark.parametrize(
    ("typed", "completion"),
    [("jianbao cand", "candidates"), ("jianbao candidates --cat", "--category"), ("jianbao issue l", "list")],
)
def test_the_shell_completes_commands_and_options_and_loads_nothing_of_the_work(typed: str, completion: str) -> None:
    printed, modules = loaded_by(
        "", _JIANBAO_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=str(len(typed.split()) - 1)
    )
    assert completion in printed.split()
    assert_light(modules)
