"""A newsletter's folder, or a house of several: where its files lie, and the defaults that come with jianbao."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "JIANBAO_HOME"
NEWSLETTER_VARIABLE = "JIANBAO_NEWSLETTER"
SOURCES_VARIABLE = "JIANBAO_SOURCES"
DATABASE_VARIABLE = "JIANBAO_DB"


def bundled() -> Path:
    """The `data` folder that comes with jianbao: the checkout's, or the copy inside an installed wheel."""
    beside = Path(__file__).resolve().parent.parent / "data"
    return beside if (beside / "newsletter.toml").is_file() else Path(__file__).resolve().parent / "_data"


@dataclass(frozen=True, slots=True)
class Home:
    """One newsletter's folder. A newsletter is data: another folder is another newsletter.

    A folder may hold further newsletters, each in `newsletters/NAME`: then it is their house, which crawls for all.

    Args:
        path: holds `newsletter.toml` and `sources.toml`; may hold `rules/` and `templates/` of its own.
        name: of a further newsletter; empty for the house itself, which is a newsletter too.
    """

    path: Path
    name: str = ""

    @classmethod
    def current(cls, folder: Path | None = None, name: str | None = None) -> Home:
        """The folder given, else the one that JIANBAO_HOME names, else `./data`; likewise with JIANBAO_NEWSLETTER."""
        path = folder or Path(os.environ.get(HOME_VARIABLE) or "data")
        return cls(path, os.environ.get(NEWSLETTER_VARIABLE, "") if name is None else name)

    @property
    def house(self) -> Home:
        """The folder without its further newsletters."""
        return Home(self.path)

    @property
    def folder(self) -> Path:
        """Holds the files of the newsletter itself: its `newsletter.toml`, `issues/` and `var/`."""
        return self.path / "newsletters" / self.name if self.name else self.path

    def list_newsletters(self) -> list[str]:
        """The names of the further newsletters."""
        return sorted(path.parent.name for path in self.path.glob("newsletters/*/newsletter.toml"))

    @property
    def newsletter(self) -> Path:
        return self.folder / "newsletter.toml"

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
        return self.folder / "var"

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of the house that JIANBAO_DB names, else SQLite in its `var/`."""
        return os.environ.get(DATABASE_VARIABLE) or f"sqlite:///{(self.house.var / 'jianbao.db').resolve()}"

    @property
    def own_database(self) -> Path:
        """The SQLite file of a further newsletter, where its house is on SQLite too."""
        return self.var / "jianbao.db"

    def rules(self, name: str) -> Path:
        """`rules/<name>` of this newsletter, else of its house, else the one that comes with jianbao."""
        return self._own_or_bundled(f"rules/{name}")

    def template(self, name: str) -> Path:
        """`templates/<name>` of this newsletter, else of its house, else the one that comes with jianbao."""
        return self._own_or_bundled(f"templates/{name}")

    def _own_or_bundled(self, name: str) -> Path:
        folders = (self.folder, self.path, bundled())
        return next((folder / name for folder in folders if (folder / name).is_file()), bundled() / name)
