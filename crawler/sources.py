"""data/sources.toml -> `tuple[Source, ...]`; every mistake named with its source's id and field."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, urlsplit

from croniter import croniter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from crawler.home import Home
from crawler.items import Kind

KINDS: Final[tuple[Kind, ...]] = ("wechat", "zhihu", "arxiv", "github", "feed", "web")
"""WeChat first: where two kinds share a host, the rarer one need not wait for a hundred feeds."""


def _http_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not re.fullmatch(r"[^\s\x00-\x1f]+", url):
        raise ValueError("must be an absolute http(s) URL")
    return url


def _schedule(text: str) -> str:
    if re.fullmatch(r"every [1-9]\d{0,4}[mhdw]", text):
        return text
    try:
        if len(text.split()) == 5 and croniter(text, 0).get_next():
            return text
    except ValueError:
        pass
    raise ValueError('must be "every 6h" (m, h, d, w) or five cron fields like "0 */6 * * *"')


def _with(placeholder: str) -> Callable[[str], str]:
    def check(template: str) -> str:
        if placeholder not in template:
            raise ValueError(f"must contain {placeholder}")
        return _http_url(template)

    return check


def _rising(numbers: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= numbers[0] <= numbers[1]:
        raise ValueError("must be [fewest, most]: two numbers from 0, the smaller first")
    return numbers


def _host_and_port(text: str) -> str:
    try:
        parts = urlsplit(f"//{text}")
        usable = parts.hostname and parts.port and parts.netloc == text and "@" not in text
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f'{text!r} must be "host:port", as in "127.0.0.1:8000"')
    return text.lower()


def _secret_origin(url: str) -> str:
    """An origin that may see a secret: over TLS, or on this very machine."""
    parts = urlsplit(_http_url(url))
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be an origin alone: scheme, host and port")
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise ValueError("must be https: a secret goes nowhere in clear, but to 127.0.0.1 and the like")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
HostAndPort = Annotated[str, AfterValidator(_host_and_port)]
SecretOrigin = Annotated[str, AfterValidator(_secret_origin)]


class _Row(BaseModel):
    """A table of a configuration file: frozen, no field that we do not know, TOML's arrays as tuples."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, values: Any) -> Any:
        if isinstance(values, dict):
            return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return values


class Source(_Row):
    """One row of sources.toml. What the fields mean stands in data/README.md."""

    id: Identifier
    kind: Kind
    name: str = Field(min_length=1, max_length=100)
    url: HttpUrl | None = None
    schedule: Annotated[str, AfterValidator(_schedule)] = "every 6h"
    expect_per_week: Annotated[tuple[int, int], AfterValidator(_rising)] | None = None
    category: str | None = None
    trust: float = Field(default=1.0, ge=0, le=10)
    enabled: bool = True
    max_pages: int = Field(default=5, ge=1, le=100)
    # wechat
    mirror: Text | None = None
    account: Text | None = None
    full_text: Literal["mirror", "page"] = "mirror"
    page_mirror: Annotated[str, AfterValidator(_with("{path}"))] | None = None
    # zhihu
    column: Annotated[str, Field(pattern=r"^[\w-]{1,100}$")] | None = None
    author: Annotated[str, Field(pattern=r"^[\w-]{1,100}$")] | None = None
    # arxiv, zhihu, github
    query: Text | None = None
    base_url: HttpUrl | None = None
    # github
    mode: Literal["search", "releases", "trending"] | None = None
    repos: tuple[Annotated[str, Field(pattern=r"^[\w.-]{1,100}/[\w.-]{1,100}$")], ...] = ()


class HostRule(_Row):
    """How a host wants to be asked.

    Args:
        delay: seconds between the starts of two requests, of which there is never more than one at a time.
        group: hosts of one group share that one line; a host without a group is a line of its own.
        robots: whether its robots.txt is asked; False for an API, whose own terms say what programs may do.
    """

    delay: float = Field(ge=0, le=3600)
    group: str | None = None
    robots: bool = True


class CredentialOrigins(_Row):
    """`[network.credentials]` of newsletter.toml: origins that see a secret besides its own site.

    Args:
        github: for GITHUB_TOKEN, besides https://api.github.com: a GitHub Enterprise server, a proxy of one's own.
        zhihu: for ZHIHU_COOKIE, besides Zhihu's own hosts.
    """

    github: tuple[SecretOrigin, ...] = ()
    zhihu: tuple[SecretOrigin, ...] = ()


class Network(_Row):
    """`[network]` of newsletter.toml.

    Args:
        credentials: where secrets of the environment may go; no source and no imported list can add to them.
        allow_hosts: `host:port`, exactly as the URL writes them: all that may be reached though it is not public.
        hosts: this newsletter's own rules, by host or by `host:port`; they come before data/rules/hosts.toml.
    """

    credentials: CredentialOrigins = Field(default_factory=CredentialOrigins)
    allow_hosts: tuple[HostAndPort, ...] = ()
    hosts: Mapping[str, HostRule] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something in a configuration file that cannot work.

    Args:
        file: its name: `sources.toml`.
        source: the source's id, or `source 3` for a row without one; empty where it is not about one source.
        field: the row's field; empty where it is about the whole row or the whole file.
        detail: what is wrong, in one line.
    """

    file: str
    source: str
    field: str
    detail: str

    def __str__(self) -> str:
        where = " ".join(part for part in (self.source, self.field) if part)
        return f"{self.file}: {where}: {self.detail}" if where else f"{self.file}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Registry:
    """What the crawler reads of a newsletter's folder.

    Args:
        sources: the rows that can work, mirrors filled in, in the file's order.
        mistakes: what is wrong with all the others, and with `[mirrors]` and `[network]`.
    """

    sources: tuple[Source, ...]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a row of one kind looks like: exactly one of `ways` to say where it reads, and what else it may have."""

    ways: tuple[tuple[str, ...], ...]
    further: frozenset[str] = frozenset()


_SHAPES: Final[Mapping[str, _Shape]] = {
    "wechat": _Shape((("url",), ("mirror", "account")), frozenset({"full_text", "page_mirror"})),
    "zhihu": _Shape((("url",), ("column",), ("author",)), frozenset({"base_url"})),
    "arxiv": _Shape((("query",), ("url",)), frozenset({"base_url"})),
    "github search": _Shape((("query",),), frozenset({"base_url"})),
    "github releases": _Shape((("repos",),), frozenset({"base_url"})),
    "github trending": _Shape(((), ("url",), ("query",)), frozenset({"base_url"})),
    "feed": _Shape((("url",),)),
    "web": _Shape((("url",),)),
}
"""By kind, for github by kind and mode."""

_COMMON: Final = frozenset(
    {"id", "kind", "name", "schedule", "expect_per_week", "category", "trust", "enabled", "max_pages", "mode"}
)

_WORDS: Final = {
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "string_type": "must be text in quotation marks",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "tuple_type": "must be a list in [ ]",
}
"""pydantic's mistakes in our words; the others have good ones already."""


def load_sources(home: Home, categories: Iterable[str] | None = None) -> Registry:
    """Read sources.toml, and `[mirrors]` and `[network]` of newsletter.toml. A mistake in one row spoils no other.

    Args:
        categories: the newsletter's category names and aliases; None leaves `category` unchecked.
    """
    mistakes: list[Mistake] = []
    mirrors, _ = _read_newsletter(home, mistakes)
    known = None if categories is None else frozenset(categories)
    rows = list(_rows(home, mistakes))
    counts = Counter(label for label, _ in rows)
    sources: list[Source] = []
    for label, row in rows:
        found = list(_check_row(label, row, mirrors, known))
        if counts[label] > 1:
            found.insert(0, Mistake("sources.toml", label, "id", f"is used {counts[label]} times"))
        mistakes += found
        if not found:
            sources.append(with_address(Source.model_validate(row), mirrors))
    return Registry(tuple(sources), tuple(dict.fromkeys(mistakes)))


def check(home: Home, categories: Iterable[str] | None = None) -> tuple[Mistake, ...]:
    """All that is wrong in sources.toml and in the parts of newsletter.toml that the crawler reads."""
    return load_sources(home, categories).mistakes


def load_mirrors(home: Home) -> dict[str, str]:
    """`[mirrors]` of newsletter.toml: address with `{account}` by name."""
    return _read_newsletter(home, [])[0]


def load_network(home: Home) -> Network:
    """`[network]` of newsletter.toml; where it has a mistake, which `check` names, nothing is exempt."""
    return _read_newsletter(home, [])[1]


def _rows(home: Home, mistakes: list[Mistake]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row with what to call it: its id, or its place."""
    document = _read_toml(home.sources, mistakes)
    others = sorted(document.keys() - {"source"})
    mistakes += (
        Mistake("sources.toml", "", name, "there is no such table; a source is a [[source]]") for name in others
    )
    rows = document.get("source", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        mistakes.append(Mistake("sources.toml", "", "source", "must be a list of tables: write [[source]]"))
        return
    for place, row in enumerate(rows, start=1):
        yield row["id"] if isinstance(row.get("id"), str) else f"source {place}", row


def _read_toml(path: Path, mistakes: list[Mistake]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        mistakes.append(Mistake(path.name, "", "", f"there is no {path}; `jianbao init DIR` makes one"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        mistakes.append(Mistake(path.name, "", "", str(error)))
    return {}


def _read_newsletter(home: Home, mistakes: list[Mistake]) -> tuple[dict[str, str], Network]:
    document = _read_toml(home.newsletter, mistakes)
    file = home.newsletter.name
    mirrors: dict[str, str] = {}
    table = document.get("mirrors", {})
    if not isinstance(table, dict):
        mistakes.append(Mistake(file, "", "mirrors", "must be a table"))
        table = {}
    for name, template in table.items():
        try:
            mirrors[name] = _with("{account}")(template)
        except (ValueError, TypeError) as error:
            detail = str(error) if isinstance(template, str) else _WORDS["string_type"]
            mistakes.append(Mistake(file, "", f"mirrors.{name}", detail))
    try:
        network = Network.model_validate(document.get("network", {}))
    except ValidationError as error:
        mistakes += (Mistake(file, "", f"network.{field}", detail) for field, detail in _explain(error))
        network = Network()
    return mirrors, network


def _explain(error: ValidationError) -> Iterator[tuple[str, str]]:
    for part in error.errors(include_url=False):
        detail = _WORDS.get(part["type"], part["msg"].removeprefix("Value error, "))
        yield ".".join(str(piece) for piece in part["loc"]), detail


def _check_row(
    label: str, row: Mapping[str, Any], mirrors: Mapping[str, str], categories: frozenset[str] | None
) -> Iterator[Mistake]:
    """All mistakes of one row: of its fields, then of what its kind needs."""
    try:
        Source.model_validate(row)
    except ValidationError as error:
        yield from (Mistake("sources.toml", label, field, detail) for field, detail in _explain(error))
    given = frozenset(name for name in row if name in Source.model_fields)
    for field, detail in (*_check_kind(row, given), *_check_names(row, mirrors, categories)):
        yield Mistake("sources.toml", label, field, detail)


def _check_kind(row: Mapping[str, Any], given: frozenset[str]) -> Iterator[tuple[str, str]]:
    kind, mode = row.get("kind"), row.get("mode")
    name = f"{kind} {mode}" if kind == "github" else str(kind)
    if kind == "github" and mode is None:
        yield "mode", 'is missing: "search", "releases" or "trending"'
    elif kind != "github" and "mode" in given:
        yield "mode", f"is for github, not for {kind}"
    if not (shape := _SHAPES.get(name)):
        return
    fields = frozenset(field for way in shape.ways for field in way)
    for field in sorted(given - fields - shape.further - _COMMON):
        yield field, f"is not for {name}"
    started = [way for way in shape.ways if way and given & frozenset(way)]
    choices = " or ".join(" and ".join(way) for way in shape.ways if way)
    if len(started) > 1:
        yield " ".join(sorted(given & fields)), f"say only one: {choices}"
    elif not started and () not in shape.ways:
        yield shape.ways[0][0], f"is missing: {name} needs {choices}"
    else:
        for field in sorted(frozenset(*started[:1]) - given):
            yield field, f"is missing: {name} needs {choices}"
    if "page_mirror" in given and row.get("full_text") != "page":
        yield "page_mirror", 'works only with full_text = "page"'


def _check_names(
    row: Mapping[str, Any], mirrors: Mapping[str, str], categories: frozenset[str] | None
) -> Iterator[tuple[str, str]]:
    mirror, category = row.get("mirror"), row.get("category")
    if isinstance(mirror, str) and mirror not in mirrors:
        listed = ", ".join(mirrors) or "none"
        yield "mirror", f"no mirror is called {mirror!r}; [mirrors] of newsletter.toml has {listed}"
    if isinstance(category, str) and categories is not None and category not in categories:
        yield "category", f"no category is called {category!r}; newsletter.toml has {', '.join(sorted(categories))}"


def with_address(source: Source, mirrors: Mapping[str, str]) -> Source:
    """The source with the address that its mirror gives it; without one where there is no such mirror."""
    if source.mirror is None or source.account is None:
        return source
    if source.mirror not in mirrors:
        return source.model_copy(update={"url": None})
    address = mirrors[source.mirror].replace("{account}", quote(source.account, safe="=@"))
    return source.model_copy(update={"url": address})


def row_of(source: Source) -> dict[str, Any]:
    """A source as its row: what differs from the default, and no address that comes from a mirror's template."""
    row = source.model_dump(mode="json", exclude_defaults=True)
    if source.mirror is not None:
        row.pop("url", None)
    return row


def toml_row(row: Mapping[str, Any]) -> str:
    """A `[[source]]` table. JSON's strings, numbers, booleans and lists are TOML's too.

    >>> print(toml_row({"id": "a", "trust": 2.0, "expect_per_week": [1, 5]}), end="")
    [[source]]
    id = "a"
    trust = 2.0
    expect_per_week = [1, 5]
    """
    lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in row.items())
    return "[[source]]\n" + "".join(lines).replace("\x7f", "\\u007f")
