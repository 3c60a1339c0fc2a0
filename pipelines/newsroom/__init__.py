"""The newsroom: one newsletter's folder, opened. Every command works on it.

Its rooms: `stages` runs them over the store, `crawling` asks the sources, `editing` is what an editor does, `watching`
tells whether all is well.

Building the models of the rows of sources.toml takes as long as a short command runs. So the property that reads the
file imports them, and a command that needs no source does not wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crawler.home import Home
from pipelines.group.candidates import GroupRules
from pipelines.group.features import account_of
from pipelines.newsletter import Newsletter, NewsletterMisconfigured, load_newsletter
from pipelines.rules import Rules, load_rules
from pipelines.store import Store
from pipelines.store.queue import Lease

if TYPE_CHECKING:
    from crawler.sources.file import Registry
    from crawler.sources.schema import Source


@dataclass(frozen=True)
class Newsroom:
    """A newsletter, its sources, its rules and its store, each read when first asked for."""

    home: Home

    @cached_property
    def newsletter(self) -> Newsletter:
        """The newsletter, from newsletter.toml.

        Raises:
            NewsletterMisconfigured: the file cannot be used, or a house says which sources it reads: it reads all.
        """
        newsletter = load_newsletter(self.home.newsletter)
        if newsletter.sources and not self.is_further:
            raise NewsletterMisconfigured("sources-of-house", path=self.home.newsletter)
        return newsletter

    @property
    def is_further(self) -> bool:
        """Whether another newsroom, its house, crawls for this newsletter and makes its stories."""
        return bool(self.home.name)

    @cached_property
    def house(self) -> Newsroom:
        """The newsroom that crawls for this newsletter, and makes its stories: itself, unless it is a further one."""
        return Newsroom(self.home.house) if self.is_further else self

    @cached_property
    def registry(self) -> Registry:
        """The registry, from sources.toml: rows that can work, and the mistakes of the other rows."""
        if self.is_further:
            return self.house.registry
        from crawler.sources.file import load_sources  # noqa: PLC0415 - as above

        categories = self.newsletter.categories
        names = (name for category in categories for name in (category.name, *category.aliases))
        return load_sources(self.home, names)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The sources that can work, by id."""
        return {source.id: source for source in self.registry.sources}

    @cached_property
    def rules(self) -> Rules:
        """The rules, from rules/*.toml."""
        return load_rules(self.home)

    @cached_property
    def group_rules(self) -> GroupRules:
        """The final stage's rules."""
        expected = {
            account_of(source.name): sum(source.expect_per_week) / 2
            for source in self.registry.sources
            if source.expect_per_week and any(source.expect_per_week)
        }
        return GroupRules.of(
            self.newsletter,
            trust={source.id: source.trust for source in self.registry.sources},
            source_category={
                source.id: source.category
                for source in self.registry.sources
                if source.category and (not self.is_further or self.newsletter.category(source.category))
            },
            promotion=self.rules.promotion,
            events=self.rules.events,
            papers=self.rules.papers,
            expected=expected,
        )

    @cached_property
    def store(self) -> Store:
        """The database; it is made when it is first opened. A process of a worker writes only under its lease.

        Raises:
            StoreOutdated: the database belongs to an older jianbao.
        """
        if self.is_further:
            return Store.open_newsletter(self.house.store, self.home.name, self.home.own_database)
        return Store.open(self.home.database_url, lease=Lease.of_process())

    def close(self) -> None:
        """Close the database, if it was opened."""
        if "store" in self.__dict__:
            self.store.close()
        if self.is_further:
            self.house.close()

    @property
    def zone(self) -> ZoneInfo:
        """The newsletter's time zone."""
        return self.newsletter.zone
