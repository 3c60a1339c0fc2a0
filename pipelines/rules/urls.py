"""urls.toml, hosts.toml: how an address becomes its canonical form, for all hosts and for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from pipelines.rules.tables import Patterns, RuleTable, Words, any_of, as_tuple


class QueryRules(RuleTable):
    """Parameters that say how somebody came, not what is shown.

    Args:
        names: in lower case.
        prefixes: of such names.
        values: name -> the values with which it says nothing; `*` is any.
    """

    names: frozenset[str] = frozenset()
    prefixes: Words = ()
    values: Mapping[str, frozenset[str]] = Field(default_factory=dict)


class FragmentRules(RuleTable):
    """`keep`: whole fragments that say which entry of a page is meant."""

    keep: Patterns = ()

    @cached_property
    def kept(self) -> re.Pattern[str]:
        """All of `keep`."""
        return any_of(self.keep)


class RedirectorRow(RuleTable):
    """A page that only leads elsewhere.

    Args:
        hosts: full names, `*.example.com`, or `*`.
        path: of the path; where it has a group `target`, of path and query, and that is the target.
        query: parameters that may hold the target.
        to: hosts that it may lead to; empty for any.
    """

    hosts: Words
    path: re.Pattern[str] | None = None
    query: Words = ()
    to: frozenset[str] = frozenset()

    @cached_property
    def in_path(self) -> bool:
        """Whether the target stands in the path."""
        return self.path is not None and "target" in self.path.groupindex


class ParameterRow(RuleTable):
    """A query parameter: any of `names`; its whole value, decoded, must match `like`."""

    names: Words
    like: re.Pattern[str] = re.compile(r"[^\x00-\x1f]+")


class PageRow(RuleTable):
    """Pages whose address says what they are.

    Args:
        hosts: full names or `*.example.com`.
        path: of the whole path, in percent-encoded normal form.
        query: group name -> parameter.
        except_: group name -> values, in lower case, with which it is not such a page.
        url, keys, part_of: templates over the groups and `host`.
        lower: the keys are in lower case.
        temporary: the address dies within hours.
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
                raise ValueError(f"{template!r} names {', '.join(sorted(unknown))}, which path and query do not have")
        return self


class HostRow(RuleTable):
    """What the addresses of a host may lose.

    Args:
        hosts: full names or `*.example.com`.
        alias: the name to use instead.
        https: the site answers there too.
        keep: the only query parameters that mean anything; None where unknown.
        drop: parameters that mean nothing here.
        fragment: fragments always mean something here.
    """

    hosts: Words
    alias: str | None = None
    https: bool = False
    keep: frozenset[str] | None = None
    drop: frozenset[str] = frozenset()
    fragment: bool = False


class AddressRow(RuleTable):
    """Where a strong key leads: `key` is a pattern, `url` a template over its groups."""

    key: re.Pattern[str]
    url: str


@dataclass(frozen=True, slots=True)
class HostRules:
    """All rows that speak of one host, merged."""

    redirectors: tuple[RedirectorRow, ...] = ()
    pages: tuple[PageRow, ...] = ()
    alias: str | None = None
    https: bool = False
    keep: frozenset[str] | None = None
    drop: frozenset[str] = frozenset()
    fragment: bool = False

    def __add__(self, other: HostRules) -> HostRules:
        keep = other.keep if self.keep is None else self.keep | (other.keep or frozenset())
        return HostRules(
            redirectors=self.redirectors + other.redirectors,
            pages=self.pages + other.pages,
            alias=self.alias or other.alias,
            https=self.https or other.https,
            keep=keep,
            drop=self.drop | other.drop,
            fragment=self.fragment or other.fragment,
        )


_NOTHING_SPECIAL: Final = HostRules()


class UrlRules(RuleTable):
    """urls.toml."""

    max_length: int = Field(default=4096, ge=100)
    max_redirects: int = Field(default=5, ge=0, le=20)
    query: QueryRules = QueryRules()
    fragments: FragmentRules = FragmentRules()
    redirectors: Annotated[tuple[RedirectorRow, ...], BeforeValidator(as_tuple)] = ()
    pages: Annotated[tuple[PageRow, ...], BeforeValidator(as_tuple)] = ()
    hosts: Annotated[tuple[HostRow, ...], BeforeValidator(as_tuple)] = ()
    addresses: Annotated[tuple[AddressRow, ...], BeforeValidator(as_tuple)] = ()

    @cached_property
    def by_host(self) -> Mapping[str, HostRules]:
        """The rows of each host that a row names."""
        found: dict[str, HostRules] = {}
        rows: tuple[RedirectorRow | PageRow | HostRow, ...] = (*self.redirectors, *self.pages, *self.hosts)
        for row in rows:
            for host in row.hosts:
                found[host] = found.get(host, _NOTHING_SPECIAL) + _alone(row)
        for host in found:
            if not host.startswith("*"):
                found[host] = _with_parents(host, found)
        return found

    def of_host(self, host: str) -> HostRules:
        """The rules for a host, its `www.` aside."""
        host = host.removeprefix("www.")
        found = self.by_host.get(host)
        return found if found is not None else _with_parents(host, self.by_host)

    @cached_property
    def anywhere(self) -> tuple[RedirectorRow, ...]:
        """Redirectors that may stand on any host."""
        return self.by_host.get("*", _NOTHING_SPECIAL).redirectors


def _alone(row: RedirectorRow | PageRow | HostRow) -> HostRules:
    match row:
        case RedirectorRow():
            return HostRules(redirectors=(row,))
        case PageRow():
            return HostRules(pages=(row,))
    return HostRules(alias=row.alias, https=row.https, keep=row.keep, drop=row.drop, fragment=row.fragment)


def _with_parents(host: str, table: Mapping[str, HostRules]) -> HostRules:
    found = table.get(host, _NOTHING_SPECIAL)
    at = host.find(".")
    while at >= 0:
        above = table.get(f"*{host[at:]}")
        if above is not None:
            found = above if found is _NOTHING_SPECIAL else found + above
        at = host.find(".", at + 1)
    return found
