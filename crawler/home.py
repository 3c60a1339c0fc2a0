"""A newsletter's folder: where its files lie, and the defaults that come with jianbao."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "JIANBAO_HOME"
SOURCES_VARIABLE = "JIANBAO_SOURCES"
DATABASE_VARIABLE = "JIANBAO_DB"


def bundled() -> Path:
    """The `data` folder that comes with jianbao: the checkout's, or the copy inside an installed wheel."""
    beside = Path(__file__).resolve().parent.parent / "data"
    return beside if (beside / "newsletter.toml").is_file() else Path(__file__).resolve().parent / "_data"


@dataclass(frozen=True, slots=True)
class Home:
    """One newsletter's folder. A newsletter is data: another folder is another newsletter.

    Args:
        path: holds `newsletter.toml` and `sources.toml`; may hold `rules/` and `templates/` of its own.
    """

    path: Path

    @classmethod
    def current(cls, folder: Path | None = None) -> Home:
        """The folder given, else the one that JIANBAO_HOME names, else `./data`."""
        return cls(folder or Path(os.environ.get(HOME_VARIABLE) or "data"))

    @property
    def newsletter(self) -> Path:
        return self.path / "newsletter.toml"

    @property
    def sources(self) -> Path:
        """The file that JIANBAO_SOURCES names, else `sources.toml`."""
        return Path(os.environ.get(SOURCES_VARIABLE) or self.path / "sources.toml")

    @property
    def last_sources(self) -> Path:
        """The last `sources.toml` with a row that works, as the schedule copies it."""
        return self.var / "sources.last.toml"

    def saved(self, source: str) -> Path:
        """The folder of pages that somebody saved for a source."""
        return self.path / "saved" / source

    @property
    def var(self) -> Path:
        """Files that a newsroom writes while it runs; nobody edits them by hand."""
        return self.path / "var"

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL that JIANBAO_DB names, else SQLite in `var/`."""
        return os.environ.get(DATABASE_VARIABLE) or f"sqlite:///{(self.var / 'jianbao.db').resolve()}"

    def rules(self, name: str) -> Path:
        """`rules/<name>` of this newsletter, else the one that comes with jianbao."""
        return self._own_or_bundled(f"rules/{name}")

    def template(self, name: str) -> Path:
        """`templates/<name>` of this newsletter, else the one that comes with jianbao."""
        return self._own_or_bundled(f"templates/{name}")

    def _own_or_bundled(self, name: str) -> Path:
        own = self.path / name
        return own if own.is_file() else bundled() / name
