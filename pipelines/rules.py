"""data/rules/*.toml -> `Rules`: the tables that the stages work by, read once and handed to them as a value."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from langdetect.detector_factory import PROFILES_DIRECTORY
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from crawler.home import Home
from pipelines.newsletter import Labels, load_newsletter

NEVER: Final = re.compile(r"(?!)")
"""The pattern of an empty table."""


class RulesMisconfigured(Exception):
    """A file of data/rules cannot be used; the message names the file, each field and what is wrong with it."""


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_tuple)]
Patterns = Annotated[tuple[re.Pattern[str], ...], BeforeValidator(_tuple)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def any_of(patterns: Iterable[re.Pattern[str]], *, flags: int = 0) -> re.Pattern[str]:
    """One pattern for all of a table's; each keeps its alternatives to itself."""
    sources = [f"(?:{pattern.pattern})" for pattern in patterns]
    return re.compile("|".join(sources), flags) if sources else NEVER


# ---- urls.toml


class QueryRules(_Table):
    """Parameters that say how somebody came, not what is shown.

    Args:
        names: in lower case.
        prefixes: of such names.
        values: name -> the values with which it says nothing; `*` is any.
    """

    names: frozenset[str] = frozenset()
    prefixes: Words = ()
    values: Mapping[str, frozenset[str]] = Field(default_factory=dict)


class FragmentRules(_Table):
    """`keep`: whole fragments that say which entry of a page is meant."""

    keep: Patterns = ()

    @cached_property
    def kept(self) -> re.Pattern[str]:
        """All of `keep`."""
        return any_of(self.keep)


class RedirectorRow(_Table):
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


class ParameterRow(_Table):
    """A query parameter: any of `names`; its whole value, decoded, must match `like`."""

    names: Words
    like: re.Pattern[str] = re.compile(r"[^\x00-\x1f]+")


class PageRow(_Table):
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


class HostRow(_Table):
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


class AddressRow(_Table):
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


class UrlRules(_Table):
    """urls.toml."""

    max_length: int = Field(default=4096, ge=100)
    max_redirects: int = Field(default=5, ge=0, le=20)
    query: QueryRules = QueryRules()
    fragments: FragmentRules = FragmentRules()
    redirectors: Annotated[tuple[RedirectorRow, ...], BeforeValidator(_tuple)] = ()
    pages: Annotated[tuple[PageRow, ...], BeforeValidator(_tuple)] = ()
    hosts: Annotated[tuple[HostRow, ...], BeforeValidator(_tuple)] = ()
    addresses: Annotated[tuple[AddressRow, ...], BeforeValidator(_tuple)] = ()

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


# ---- titles.toml


class TitleRules(_Table):
    """titles.toml.

    Args:
        leads: shouted in front.
        tails: signed behind.
        tail_patterns: the same, as regexes.
    """

    leads: Words = ()
    tails: Words = ()
    tail_patterns: Patterns = ()

    @cached_property
    def lead(self) -> re.Pattern[str]:
        """A lead with its brackets, its bar or its exclamation marks; one group holds the word."""
        if not self.leads:
            return NEVER
        words = "|".join(re.escape(word) for word in sorted(self.leads, key=len, reverse=True))
        return re.compile(
            rf"\s*(?:[【「\[〖(（]\s*({words})\s*[!！]*\s*[】」\]〗)）]|({words})[!！]*\s*(?:[|｜丨│:：]|[!！]+))\s*",
            re.IGNORECASE,
        )

    @cached_property
    def signatures(self) -> frozenset[str]:
        """`tails`, case and blanks folded."""
        return frozenset("".join(tail.casefold().split()) for tail in self.tails)

    @cached_property
    def signature(self) -> re.Pattern[str]:
        """All of `tail_patterns`."""
        return any_of(self.tail_patterns, flags=re.IGNORECASE)


# ---- text.toml


class TextRules(_Table):
    """text.toml.

    Args:
        max_line: characters of the longest line that may be boilerplate.
        lines: whole lines that are.
        openings: in front of the first words.
        endings: lines from which on all is other articles.
        max_after_ending: characters that may follow such a line.
    """

    max_line: int = Field(default=90, ge=1)
    lines: Patterns = ()
    openings: Patterns = ()
    endings: Patterns = ()
    max_after_ending: int = Field(default=1500, ge=0)

    @cached_property
    def line(self) -> re.Pattern[str]:
        """All of `lines`."""
        return any_of(self.lines, flags=re.IGNORECASE)

    @cached_property
    def opening(self) -> re.Pattern[str]:
        """All of `openings`."""
        return any_of(self.openings, flags=re.IGNORECASE)

    @cached_property
    def ending(self) -> re.Pattern[str]:
        """All of `endings`."""
        return any_of(self.endings, flags=re.IGNORECASE)


# ---- languages.toml


class SmallWordRules(_Table):
    """How many small words tell a language: at least `least` of them, and `share` of all words."""

    least: int = Field(default=3, ge=1)
    share: float = Field(default=0.12, gt=0, le=1)
    of: Mapping[str, frozenset[str]] = Field(default_factory=dict)


class LanguageRules(_Table):
    """languages.toml.

    Args:
        prior: how likely a language is before a word is read, by langdetect's names; no other is considered.
        small_words: by language.
    """

    prior: Mapping[str, Annotated[float, Field(gt=0, le=1)]] = Field(min_length=2)
    small_words: SmallWordRules = SmallWordRules()

    @field_validator("prior")
    @classmethod
    def _known(cls, prior: Mapping[str, float]) -> Mapping[str, float]:
        unknown = [language for language in prior if not (Path(PROFILES_DIRECTORY) / language).is_file()]
        if unknown:
            raise ValueError(f"langdetect has no {', '.join(unknown)}")
        return prior


# ---- references.toml

_IN_ADDRESS: Final = r"[A-Za-z0-9\-._~/?#@!$&'()*+,;=%:]"

Role = Literal["paper", "code", "project", "document", "original", "link"]
"""A label line of `pipelines.newsletter.Labels`."""


class IdRow(_Table):
    """A way to name something without an address: `pattern` in a text, `url` a template over its groups."""

    pattern: re.Pattern[str]
    url: str


class ReferenceRules(_Table):
    """references.toml, and what the newsletter calls its label lines.

    Args:
        max_references: of one article.
        first_part: characters of a text that say what it is about.
        labels: the words of a label line, by its role.
        roles: what `链接` means before a reference, by the scheme of its key or by its host.
        bare_hosts: hosts whose addresses are also written without `https://`.
        ids: what is named without an address.
        ignored: canonical addresses that no article is about.
        printed: what the newsletter prints for each role.
    """

    max_references: int = Field(default=200, ge=1)
    first_part: int = Field(default=600, ge=0)
    labels: Mapping[Role, Words] = Field(default_factory=dict)
    roles: Mapping[str, Role] = Field(default_factory=dict)
    bare_hosts: Words = ()
    ids: Annotated[tuple[IdRow, ...], BeforeValidator(_tuple)] = ()
    ignored: Patterns = ()
    printed: Labels = Labels()

    @cached_property
    def role_of_word(self) -> Mapping[str, Role]:
        """Label word, case folded -> its role."""
        return {word.casefold(): role for role, words in self.labels.items() for word in words}

    @cached_property
    def label_before(self) -> re.Pattern[str]:
        """A label and its colon at the end of what stands before a reference."""
        return re.compile(
            rf"({_words(self.role_of_word)})\s*[】\])）」]*\s*[:：]\s*[(（\[【「“\"<]*\s*$", re.IGNORECASE
        )

    @cached_property
    def label_alone(self) -> re.Pattern[str]:
        """A label and nothing else: `[Code]`, `► 论文`, `论文地址：`."""
        return re.compile(rf"\W*({_words(self.role_of_word)})\W*", re.IGNORECASE)

    @cached_property
    def address(self) -> re.Pattern[str]:
        """An address in a text: `url` with its scheme, `bare` without."""
        hosts = "|".join(re.escape(host) for host in self.bare_hosts) or "(?!)"
        return re.compile(
            rf"(?P<url>https?://{_IN_ADDRESS}+)|(?<![\w@./-])(?P<bare>(?:www\.)?(?:{hosts})/{_IN_ADDRESS}+)",
            re.IGNORECASE | re.ASCII,
        )

    @cached_property
    def hints(self) -> tuple[str, ...]:
        """A long text without any of these, in lower case, names nothing."""
        return ("http", "arxiv", "doi", "git@", *self.bare_hosts)

    @cached_property
    def skipped(self) -> re.Pattern[str]:
        """All of `ignored`."""
        return any_of(self.ignored, flags=re.IGNORECASE)


def _words(words: Iterable[str]) -> str:
    """An alternation of words, the longest first; a Latin one does not begin inside another word."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return "|".join((r"(?<![A-Za-z])" if word[:1].isascii() else "") + re.escape(word) for word in ordered) or "(?!)"


# ---- All of them


# ---- promotion.toml


class PromotionSort(_Table):
    """One sort of promotion.

    Args:
        name: as a reason calls it.
        patterns: any of them in a title tells it.
    """

    name: str = Field(min_length=1)
    patterns: Patterns = Field(min_length=1)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """All of `patterns`."""
        return any_of(self.patterns, flags=re.IGNORECASE)


class PromotionRules(_Table):
    """promotion.toml.

    Args:
        weight: what a promotion adds to a score.
        sorts: the first that fits gives its name.
    """

    weight: float = Field(default=-3.0, le=0)
    sorts: Annotated[tuple[PromotionSort, ...], BeforeValidator(_tuple)] = ()

    def sort_of(self, title: str) -> str | None:
        """What sort of promotion a title announces, if any."""
        return next((sort.name for sort in self.sorts if sort.pattern.search(title)), None)


@dataclass(frozen=True, slots=True)
class Rules:
    """Every table of data/rules, as a value.

    Args:
        zone: of dates that name none; the newsletter's.
    """

    zone: ZoneInfo
    urls: UrlRules = field(repr=False)
    titles: TitleRules = field(repr=False)
    text: TextRules = field(repr=False)
    languages: LanguageRules = field(repr=False)
    references: ReferenceRules = field(repr=False)
    promotion: PromotionRules = field(repr=False)


_T = TypeVar("_T", bound=_Table)


def load_rules(home: Home) -> Rules:
    """Read the tables: each from the newsletter's own `rules/`, else the one that comes with jianbao.

    The newsletter itself gives its time zone, and what it calls its label lines.

    Raises:
        NewsletterMisconfigured: newsletter.toml cannot be used.
        RulesMisconfigured: a file is missing, is no TOML, or has fields that cannot be used, all of them named.
    """
    newsletter = load_newsletter(home.newsletter)
    return Rules(
        zone=newsletter.zone,
        urls=_read(home, "urls.toml", UrlRules),
        titles=_read(home, "titles.toml", TitleRules),
        text=_read(home, "text.toml", TextRules),
        languages=_read(home, "languages.toml", LanguageRules),
        references=_read(home, "references.toml", ReferenceRules, printed=newsletter.labels),
        promotion=_read(home, "promotion.toml", PromotionRules),
    )


def _read(home: Home, name: str, table: type[_T], **more: object) -> _T:
    path = home.rules(name)
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RulesMisconfigured(f"{path}: {error}") from error
    try:
        return table.model_validate(values | more)
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg']}" for mistake in error.errors()
        )
        raise RulesMisconfigured(f"{path}: {mistakes}") from error
