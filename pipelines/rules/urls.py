"""urls.toml: how an address becomes its canonical URL, for all hosts and for single hosts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from crawler.errors import NotUnderstood
from pipelines.rules.tables import Patterns, join_patterns
from pipelines.validation import Table, Words, as_tuple


class QueryRules(Table):
    """Query parameters for tracking: they do not change the page.

    Args:
        names: of tracking parameters, in lower case.
        prefixes: of names of tracking parameters.
        values: by name, the values with which a parameter does not change the page; `*` is any value.
        patterns: by name, the pattern of further such values.
    """

    names: frozenset[str] = frozenset()
    prefixes: Words = ()
    values: Mapping[str, frozenset[str]] = Field(default_factory=dict)
    patterns: Mapping[str, re.Pattern[str]] = Field(default_factory=dict)


class TwinRules(Table):
    """Addresses of one page for several screens: mobile and AMP.

    Args:
        hosts: labels of a host name that say for which screen it is: `m`.
        segments: segments of a path, or suffixes of its last, that do: `amp`.
    """

    hosts: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()

    @cached_property
    def suffix(self) -> re.Pattern[str]:
        """Fits the suffixes at the end of a path's last segment, before `.html`."""
        names = "|".join(map(re.escape, sorted(self.segments)))
        return re.compile(rf"(?:\.(?:{names}))+(?=\.html?$|$)" if names else r"(?!)")


class FragmentRules(Table):
    """Fragments that stay in a canonical URL.

    Args:
        keep: patterns of whole fragments that name an entry of a page.
    """

    keep: Patterns = ()

    @cached_property
    def meaningful(self) -> re.Pattern[str]:
        """Matches where any of `keep` matches."""
        return join_patterns(self.keep)


class RedirectorRow(Table):
    """A page that redirects to an address in its own URL.

    Args:
        hosts: full names, `*.example.com`, or `*`.
        path: pattern of the path; with a group `target`, pattern of path and query, and the group is the target.
        query: parameters that may hold the target.
        to: hosts of permitted targets; empty for any host.
    """

    hosts: Words
    path: re.Pattern[str] | None = None
    query: Words = ()
    to: frozenset[str] = frozenset()

    @cached_property
    def in_path(self) -> bool:
        """Whether the path holds the target."""
        return self.path is not None and "target" in self.path.groupindex


class ParameterRow(Table):
    """A query parameter.

    Args:
        names: of the parameter.
        like: pattern of its whole, decoded value.
    """

    names: Words
    like: re.Pattern[str] = re.compile(r"[^\x00-\x1f]+")


class PageRow(Table):
    """Pages whose address identifies a work, an article or a release.

    Args:
        hosts: full names or `*.example.com`.
        path: pattern of the whole path, in percent-encoded normal form.
        query: parameters, by the name of the group that each fills.
        except_: by the name of a group, values in lower case with which the page is no such page.
        url, keys, part_of: templates over the groups and `host`.
        lower: the keys are in lower case.
        temporary: the address expires within hours.
    """

    hosts: Words
    path: re.Pattern[str]
    query: Mapping[str, ParameterRow] = Field(default_factory=dict)
    except_: Mapping[str, frozenset[str]] = Field(default_factory=dict, alias="except")
    url: str
    keys: Words = ()
    part_of: str | None = None
    lower: bool = False
    temporary: bool = False

    @model_validator(mode="after")
    def _groups_exist(self) -> Self:
        groups = {*self.path.groupindex, *self.query, "host"}
        for template in (self.url, *self.keys, self.part_of):
            unknown = set(re.findall(r"\{(\w+)\}", template or "")) - groups
            if unknown:
                raise NotUnderstood("unknown-groups", template=template, names=sorted(unknown))
        return self


class HostRow(Table):
    """What the canonical URLs of a host leave out.

    Args:
        hosts: full names or `*.example.com`.
        alias: the host name to use instead.
        https: the site also answers on https.
        keep: the only query parameters that change a page; None where they are unknown.
        drop: query parameters that do not change a page of this host.
        fragment: whether every fragment changes the page.
    """

    hosts: Words
    alias: str | None = None
    https: bool = False
    keep: frozenset[str] | None = None
    drop: frozenset[str] = frozenset()
    fragment: bool = False


class AddressRow(Table):
    """The address of a strong key.

    Args:
        key: pattern of the key.
        url: template over the groups of the pattern.
    """

    key: re.Pattern[str]
    url: str


@dataclass(frozen=True, slots=True)
class HostRules:
    """All rows for one host, merged."""

    redirectors: tuple[RedirectorRow, ...] = ()
    pages: tuple[PageRow, ...] = ()
    alias: str | None = None
    https: bool = False
    keep: frozenset[str] | None = None
    drop: frozenset[str] = frozenset()
    fragment: bool = False

    def __add__(self, further: HostRules) -> HostRules:
        keep = further.keep if self.keep is None else self.keep | (further.keep or frozenset())
        return HostRules(
            redirectors=self.redirectors + further.redirectors,
            pages=self.pages + further.pages,
            alias=self.alias or further.alias,
            https=self.https or further.https,
            keep=keep,
            drop=self.drop | further.drop,
            fragment=self.fragment or further.fragment,
        )


_NO_RULES: Final = HostRules()


class UrlRules(Table):
    """urls.toml.

    Args:
        max_length: characters of the longest address.
        max_redirects: how many redirectors are followed.
        addresses: the address of each sort of strong key.
    """

    max_length: int = Field(default=4096, ge=100)
    max_redirects: int = Field(default=5, ge=0, le=20)
    query: QueryRules = QueryRules()
    fragments: FragmentRules = FragmentRules()
    twins: TwinRules = TwinRules()
    redirectors: Annotated[tuple[RedirectorRow, ...], BeforeValidator(as_tuple)] = ()
    pages: Annotated[tuple[PageRow, ...], BeforeValidator(as_tuple)] = ()
    hosts: Annotated[tuple[HostRow, ...], BeforeValidator(as_tuple)] = ()
    addresses: Annotated[tuple[AddressRow, ...], BeforeValidator(as_tuple)] = ()

    @cached_property
    def by_host(self) -> Mapping[str, HostRules]:
        """The merged rows of each host name and each `*.example.com` in the tables."""
        table: dict[str, HostRules] = {}
        rows: tuple[RedirectorRow | PageRow | HostRow, ...] = (*self.redirectors, *self.pages, *self.hosts)
        for row in rows:
            for host in row.hosts:
                table[host] = table.get(host, _NO_RULES) + _make_host_rules(row)
        for host in table:
            if not host.startswith("*"):
                table[host] = _merge_parents(host, table)
        return table

    def find_host_rules(self, host: str) -> HostRules:
        """The rules for a host; `www.` in front of it makes no difference."""
        host = host.removeprefix("www.")
        host_rules = self.by_host.get(host)
        return host_rules if host_rules is not None else _merge_parents(host, self.by_host)

    @cached_property
    def anywhere(self) -> tuple[RedirectorRow, ...]:
        """Redirectors of any host."""
        return self.by_host.get("*", _NO_RULES).redirectors


def _make_host_rules(row: RedirectorRow | PageRow | HostRow) -> HostRules:
    match row:
        case RedirectorRow():
            return HostRules(redirectors=(row,))
        case PageRow():
            return HostRules(pages=(row,))
    return HostRules(alias=row.alias, https=row.https, keep=row.keep, drop=row.drop, fragment=row.fragment)


def _merge_parents(host: str, table: Mapping[str, HostRules]) -> HostRules:
    """The rules of a host, and of every `*.example.com` that covers it, the nearest first."""
    host_rules = table.get(host, _NO_RULES)
    dot = host.find(".")
    while dot >= 0:
        parent_rules = table.get(f"*{host[dot:]}")
        if parent_rules is not None:
            host_rules = parent_rules if host_rules is _NO_RULES else host_rules + parent_rules
        dot = host.find(".", dot + 1)
    return host_rules
