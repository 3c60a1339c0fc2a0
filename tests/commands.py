"""The command line, called in this process as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))
