"""One newsletter's folder, opened: what every command works on.

The models of sources.toml's rows take as long to build as a short command runs. The property that reads the file loads
them: a command that needs no source does not wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler.home import Home
from pipelines.group.candidates import GroupRules
from pipelines.newsletter import Newsletter, load_newsletter
from pipelines.rules import Rules, load_rules
from pipelines.store import Store

if TYPE_CHECKING:
    from crawler.sources import Registry, Source


@dataclass(frozen=True)
class Newsroom:
    """A newsletter, its sources, its rules and its store, each read when first asked for."""

    home: Home

    @cached_property
    def newsletter(self) -> Newsletter:
        """newsletter.toml."""
        return load_newsletter(self.home.newsletter)

    @cached_property
    def registry(self) -> Registry:
        """sources.toml: the rows that can work, and what is wrong with the others."""
        from crawler.sources import load_sources  # noqa: PLC0415 - as above

        names = (name for one in self.newsletter.categories for name in (one.name, *one.aliases))
        return load_sources(self.home, names)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The sources that can work, by id."""
        return {source.id: source for source in self.registry.sources}

    @cached_property
    def rules(self) -> Rules:
        """rules/*.toml."""
        return load_rules(self.home)

    @cached_property
    def group_rules(self) -> GroupRules:
        """The final stage's rules."""
        return GroupRules.of(
            self.newsletter,
            trust={source.id: source.trust for source in self.registry.sources},
            source_category={source.id: source.category for source in self.registry.sources if source.category},
            promotion=self.rules.promotion,
        )

    @cached_property
    def store(self) -> Store:
        """The database, made when it is first opened; an older one has to be upgraded first."""
        return Store.open(self.home.database_url)

    @property
    def zone(self) -> ZoneInfo:
        """The newsletter's time zone."""
        return self.newsletter.zone
