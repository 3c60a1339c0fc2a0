"""sources.toml and the crawler's tables of newsletter.toml: read with every mistake named, and written row by row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomlkit
from pydantic import ValidationError
from tomlkit.exceptions import TOMLKitError

from crawler.errors import Detail, SourceMisconfigured, detail_of
from crawler.home import Home
from crawler.kinds import KINDS, Shape
from crawler.sources.schema import SAVED_WAY, SITE_WAY, Network, Source, address_on_mirror, check_mirror
from crawler.toml import TomlUnreadable, describe_setting, describe_syntax, read_toml


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something in a configuration file that cannot work.

    Args:
        file: its name: `sources.toml`.
        source: the source's id, or `source 3` for a row without one; empty where it is not about one source.
        field: the row's field; empty where it is about the whole row or the whole file.
        detail: the fact.
    """

    file: str
    source: str
    field: str
    detail: Detail

    def __str__(self) -> str:
        where = " ".join(part for part in (self.source, self.field) if part)
        return f"{self.file}: {where}: {self.detail}" if where else f"{self.file}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Registry:
    """All sources of a newsletter's folder.

    Args:
        sources: the rows that can work, mirrors filled in, in the file's order.
        mistakes: of all other rows, and of `[mirrors]` and `[network]`.
    """

    sources: tuple[Source, ...]
    mistakes: tuple[Mistake, ...]


_COMMON: Final = frozenset(
    {"id", "kind", "name", "schedule", "expect_per_week", "category", "trust", "enabled", "max_pages", "guids", "mode"}
)

_KINDS_WITH_MODES: Final = tuple(name for name, row in KINDS.items() if "" not in row.shapes)


def load_sources(home: Home, categories: Iterable[str] | None = None, *, path: Path | None = None) -> Registry:
    """Read sources.toml, and `[mirrors]` and `[network]` of newsletter.toml. A mistake in one row spoils no other.

    Args:
        home: the newsletter's folder.
        categories: the newsletter's category names and aliases; None leaves `category` unchecked.
        path: of another file than the folder's sources.toml.
    """
    mistakes: list[Mistake] = []
    mirrors, _ = _read_newsletter(home, mistakes)
    category_names = None if categories is None else frozenset(categories)
    rows = list(_rows(path or home.sources, mistakes))
    counts = Counter(label for label, _ in rows)
    sources: list[Source] = []
    for label, row in rows:
        row_mistakes = list(_check_row(label, row, mirrors, category_names))
        if counts[label] > 1:
            row_mistakes.insert(0, Mistake("sources.toml", label, "id", Detail.of("used-twice", count=counts[label])))
        mistakes += row_mistakes
        if not row_mistakes:
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


def _rows(path: Path, mistakes: list[Mistake]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row with its label: its id, or its number in the file."""
    document = _read_table(path, mistakes)
    unknown_tables = sorted(document.keys() - {"source"})
    mistakes += (Mistake("sources.toml", "", name, Detail.of("no-such-table")) for name in unknown_tables)
    rows = document.get("source", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        mistakes.append(Mistake("sources.toml", "", "source", Detail.of("no-list-of-tables")))
        return
    for number, row in enumerate(rows, start=1):
        yield row["id"] if isinstance(row.get("id"), str) else f"source {number}", row


def _read_table(path: Path, mistakes: list[Mistake]) -> dict[str, Any]:
    try:
        return read_toml(path)
    except FileNotFoundError:
        mistakes.append(Mistake(path.name, "", "", Detail.of("no-such-file", path=str(path))))
    except TomlUnreadable as error:
        mistakes.append(Mistake(path.name, "", "", error.detail))
    return {}


def _read_newsletter(home: Home, mistakes: list[Mistake]) -> tuple[dict[str, str], Network]:
    document = _read_table(home.newsletter, mistakes)
    file = home.newsletter.name
    mirrors: dict[str, str] = {}
    table = document.get("mirrors", {})
    if not isinstance(table, dict):
        mistakes.append(Mistake(file, "", "mirrors", Detail.of("setting/dict_type")))
        table = {}
    for name, template in table.items():
        try:
            mirrors[name] = check_mirror(template)
        except (ValueError, TypeError) as error:
            detail = detail_of(error) if isinstance(template, str) else Detail.of("setting/string_type")
            mistakes.append(Mistake(file, "", f"mirrors.{name}", detail))
    try:
        network = Network.model_validate(document.get("network", {}))
    except ValidationError as error:
        mistakes += (Mistake(file, "", f"network.{field}", detail) for field, detail in _explain(error))
        network = Network()
    return mirrors, network


def _explain(error: ValidationError) -> Iterator[tuple[str, Detail]]:
    for part in error.errors(include_url=False):
        yield ".".join(str(piece) for piece in part["loc"]), describe_setting(part)


def _check_row(
    label: str, row: Mapping[str, Any], mirrors: Mapping[str, str], categories: frozenset[str] | None
) -> Iterator[Mistake]:
    """All mistakes of one row: of its fields, then of the shape of its kind."""
    try:
        Source.model_validate(row)
    except ValidationError as error:
        yield from (Mistake("sources.toml", label, field, detail) for field, detail in _explain(error))
    row_fields = frozenset(name for name in row if name in Source.model_fields)
    for field, detail in (*_check_kind(row, row_fields), *_check_names(row, mirrors, categories)):
        yield Mistake("sources.toml", label, field, detail)


def _check_kind(row: Mapping[str, Any], row_fields: frozenset[str]) -> Iterator[tuple[str, Detail]]:
    """Mistakes in the fields that the row's kind, or its kind and mode, asks for."""
    kind, mode = row.get("kind"), row.get("mode")
    if not isinstance(kind, str) or kind not in KINDS:
        return
    shapes = KINDS[kind].shapes
    has_modes = "" not in shapes
    if has_modes and mode is None:
        yield "mode", Detail.of("mode-missing", names=tuple(shapes))
    elif not has_modes and "mode" in row_fields:
        yield "mode", Detail.of("mode-of-others", kinds=_KINDS_WITH_MODES, kind=kind)
    shape = shapes.get(str(mode)) if has_modes else shapes[""]
    if shape is not None:
        yield from _check_shape(row, row_fields, shape, f"{kind} {mode}" if has_modes else kind)


def _check_shape(
    row: Mapping[str, Any], row_fields: frozenset[str], shape: Shape, name: str
) -> Iterator[tuple[str, Detail]]:
    """Mistakes of a row against its shape.

    Args:
        row: as the file has it.
        given: the row's fields that a source has.
        shape: of the row's kind and mode.
        name: of the kind and mode in a message.
    """
    for field in sorted(row_fields - shape.fields - shape.further - _COMMON):
        yield field, Detail.of("field-of-others", kind=name)
    beside = frozenset[str]().union(*(shape.beside[name] for name in row_fields & shape.beside.keys()))
    started = [way for way in shape.ways if way and (row_fields - beside) & frozenset(way)]
    choices = tuple(" + ".join(way) for way in shape.ways if way)
    if len(started) > 1:
        yield " ".join(sorted(row_fields & shape.fields)), Detail.of("several-ways", choices=choices)
    elif not started and () not in shape.ways:
        yield shape.ways[0][0], Detail.of("way-missing", kind=name, choices=choices)
    else:
        for field in sorted(frozenset(*started[:1]) - row_fields):
            yield field, Detail.of("way-missing", kind=name, choices=choices)
    if "page_mirror" in row_fields and row.get("full_text") != "page":
        yield "page_mirror", Detail.of("only-with-page")


def _check_names(
    row: Mapping[str, Any], mirrors: Mapping[str, str], categories: frozenset[str] | None
) -> Iterator[tuple[str, Detail]]:
    yield from _check_ways(row, mirrors)
    mirror, category = row.get("mirror"), row.get("category")
    if isinstance(mirror, str) and mirror not in mirrors:
        yield "mirror", Detail.of("no-such-mirror", name=mirror, names=tuple(mirrors) or ("-",))
    if isinstance(category, str) and categories is not None and category not in categories:
        yield "category", Detail.of("no-such-category", name=category, names=sorted(categories))


def _check_ways(row: Mapping[str, Any], mirrors: Mapping[str, str]) -> Iterator[tuple[str, Detail]]:
    ways = row.get("ways")
    if not isinstance(ways, list | tuple) or not all(isinstance(name, str) for name in ways):
        return
    names = (*mirrors, SITE_WAY, SAVED_WAY)
    for name in dict.fromkeys(ways):
        if name not in names:
            yield "ways", Detail.of("no-such-mirror", name=name, names=names)
        if ways.count(name) > 1:
            yield "ways", Detail.of("used-twice", count=ways.count(name))
        needed = {SITE_WAY: "url", SAVED_WAY: "id"}.get(name, "account")
        if needed not in row:
            yield needed, Detail.of("needed-by-way", way=name)
    if not ways:
        yield "ways", Detail.of("needed-by-way", way="ways")
    if "url" in row and SITE_WAY not in ways:
        yield "url", Detail.of("url-without-site-way")


def with_address(source: Source, mirrors: Mapping[str, str]) -> Source:
    """The source with the addresses that its mirrors give it; without one where there is no such mirror."""
    if source.ways and source.account is not None:
        templates = {name: mirrors[name] for name in source.ways if name in mirrors}
        addresses = tuple((name, address_on_mirror(templates[name], source.account)) for name in templates)
        return source.model_copy(update={"way_addresses": addresses})
    if source.mirror is None or source.account is None:
        return source
    if source.mirror not in mirrors:
        return source.model_copy(update={"url": None})
    address = address_on_mirror(mirrors[source.mirror], source.account)
    return source.model_copy(update={"url": address})


def row_of(source: Source) -> dict[str, Any]:
    """A source as its row: fields that differ from their defaults; an address from a mirror's template is left out."""
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
    lines = (f"{name} = {json.dumps(field, ensure_ascii=False)}\n" for name, field in row.items())
    return "[[source]]\n" + "".join(lines).replace("\x7f", "\\u007f")


def switched(text: str, source: str, *, enabled: bool) -> str:
    """The registry with a source enabled or disabled.

    Args:
        text: of sources.toml.
        source: its id.

    Raises:
        SourceMisconfigured: the text is no TOML, or has no such row.

    >>> print(switched('[[source]]  # 一个\\nid = "a"\\nkind = "feed"\\n', "a", enabled=False), end="")
    [[source]]  # 一个
    id = "a"
    kind = "feed"
    enabled = false
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise SourceMisconfigured("unusable-file", path="sources.toml", reason=describe_syntax(error)) from error
    rows = document.get("source", [])
    row = next((row for row in rows if row.get("id") == source), None)
    if row is None:
        raise SourceMisconfigured("no-such-source", name=source)
    if enabled:
        row.pop("enabled", None)
    else:
        row["enabled"] = False
    return tomlkit.dumps(document)
