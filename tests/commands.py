"""The command line, called in this process as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from places import ROOT
from typer.testing import CliRunner

from pipelines.cli import app


class Cli:
    """`jianbao --home <folder>` in this process."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._runner = CliRunner()

    def __call__(self, *words: str, code: int = 0) -> str:
        result = self._runner.invoke(app, ["--home", str(self.home), *words])
        assert result.exit_code == code, result.output + repr(result.exception)
        return result.stdout

    def with_log(self, *words: str) -> str:
        """Call a command; what it prints on stdout and on stderr."""
        return self._runner.invoke(app, ["--home", str(self.home), *words]).output

    def try_to(self, *words: str) -> str:
        """Call a command whatever its exit status is, as a benchmark does."""
        return self._runner.invoke(app, ["--home", str(self.home), *words]).stdout

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


def start(home: Path, *words: str, timeout: float = 120) -> tuple[str, str, int]:
    """Run a command that crawls, in a process of its own, since a process crawls once; output, log, exit code."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JIANBAO_")}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "--home", str(home), *words],
        cwd=ROOT,
        env={**environment, "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return done.stdout, done.stderr, done.returncode


def start_crawl(home: Path, *options: str, timeout: float = 120) -> tuple[str, str, int]:
    """Run `jianbao crawl`; output, log, exit code."""
    return start(home, "crawl", *options, timeout=timeout)
