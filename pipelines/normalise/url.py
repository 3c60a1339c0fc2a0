"""The canonical form of an address, and the strong keys that it tells.

Two decisions. A canonical address keeps `http` unless its host's row says that the site answers on https too: what is
printed must open. Its *keys* do not: https, no `www.`, no slash at the end, so that one page seen under both is one
article. And a fragment goes, unless it looks like the entry of a change log or the route of a one-page site.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from pipelines.rules import Rules
from pipelines.rules.urls import HostRules, PageRow, RedirectorRow, UrlRules


class NotAWebAddress(ValueError):
    """What should be an address is none: another scheme, no host, too long. Raised by `canonical`."""


@dataclass(frozen=True, slots=True)
class Canonical:
    """An address in canonical form.

    Args:
        url: fit to be printed.
        keys: strong keys, the one to refer by first, the address itself among them.
        temporary: it dies within hours.
        part_of: canonical address of what the page belongs to: the repository of an issue or a release.
    """

    url: str
    keys: tuple[str, ...]
    temporary: bool = False
    part_of: str | None = None

    @property
    def key(self) -> str:
        """The key to refer by: a strong one, else the address."""
        return self.keys[0]


class _Parts(NamedTuple):
    """An address in parts, each in percent-encoded normal form; `query` in pairs `name=value`."""

    scheme: str
    host: str
    port: str
    path: str
    query: tuple[str, ...]
    fragment: str


def canonical(url: str, rules: Rules) -> Canonical:
    """Canonical form of an absolute http(s) address; canonical forms are their own canonical form.

    Args:
        url: as found; white space around it, `&amp;` in it and a scheme left out (`//host/…`) are forgiven.

    Raises:
        NotAWebAddress: `javascript:`, a relative address, a host that cannot be, over `max_length` characters.
    """
    table = rules.urls
    parts, host_rules = _resolve(url, table)
    for _ in range(table.max_redirects):
        target = _target(parts, host_rules, table)
        if target is None:
            break
        parts, host_rules = target
    found = _of_known_page(parts, host_rules) or _of_any_page(parts, host_rules, table)
    if len(found.url) > table.max_length:
        raise NotAWebAddress(f"{found.url[:80]}…: over {table.max_length} characters")
    return found


def is_web_address(url: str, rules: Rules) -> bool:
    """Whether `canonical` would take it."""
    try:
        _split(url, rules.urls.max_length)
    except NotAWebAddress:
        return False
    return True


def idle_parameters(url: str, rules: Rules) -> tuple[str, ...]:
    """The names of an address's parameters that only say how somebody got there, once, in order.

    What a page is told by is `canonical`'s to say: a parameter that it leaves out may still say where to look on it.

    Raises:
        NotAWebAddress: as `canonical` does.
    """
    parts, host_rules = _resolve(url, rules.urls)
    idle = (pair.partition("=")[0] for pair in parts.query if not _says_something(pair, host_rules, rules.urls))
    return tuple(dict.fromkeys(idle))


def address_of(key: str, rules: Rules) -> str | None:
    """Where a strong key leads, None where the key does not tell.

    `wechat:<biz>/<mid>/<idx>` does not: a long link opens only with its check sum.
    """
    if key.startswith(("https://", "http://")):
        return key
    for row in rules.urls.addresses:
        match = row.key.fullmatch(key)
        if match:
            return row.url.format_map(match.groupdict())
    return None


# ---- Splitting

_ADDRESS: Final = re.compile(r"(?:(https?):)?/{2}([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.IGNORECASE | re.DOTALL)
_NOT_IN_ADDRESSES: Final = re.compile(r"[\t\r\n\x00-\x1f\x7f]")
_PLAIN_HOST: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_PORT: Final = re.compile(r"(.*?)(?::(\d{0,5}))?", re.DOTALL)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def _resolve(url: str, table: UrlRules) -> tuple[_Parts, HostRules]:
    """The parts of an address under the name that its host goes by, and the rules for that host."""
    parts = _split(url, table.max_length)
    host_rules = table.of_host(parts.host)
    if host_rules.alias and host_rules.alias != parts.host:
        return parts._replace(host=host_rules.alias), table.of_host(host_rules.alias)
    return parts, host_rules


def _split(url: str, max_length: int) -> _Parts:
    if len(url) > max_length:
        raise NotAWebAddress(f"{url[:80]}…: over {max_length} characters")
    url = _NOT_IN_ADDRESSES.sub("", url).strip().replace("\\", "/")
    while "&amp;" in url:
        url = url.replace("&amp;", "&")
    match = _ADDRESS.fullmatch(url)
    if match is None:
        raise NotAWebAddress(f"{url[:200]!r} is no http(s) address")
    scheme, authority, path, query, fragment = match.groups()
    scheme = (scheme or "https").lower()
    host, port = _host_and_port(authority, scheme)
    return _Parts(
        scheme,
        host,
        port,
        _normal_path(path),
        _normal_query(query) if query else (),
        _normal(fragment, _IN_FRAGMENT) if fragment else "",
    )


def _host_and_port(authority: str, scheme: str) -> tuple[str, str]:
    if _PLAIN_HOST.fullmatch(authority):
        return authority, ""
    match = _PORT.fullmatch(authority.rpartition("@")[2])
    if match is None:  # pragma: no cover - the pattern matches every text
        raise NotAWebAddress(f"{authority!r} is no host")
    host, port = match[1].lower().rstrip("."), (match[2] or "").lstrip("0")
    if not host.isascii() or "%" in host:
        try:
            host = unquote(host, errors="strict").encode("idna").decode("ascii").lower().rstrip(".")
        except UnicodeError as error:
            raise NotAWebAddress(f"{authority[:100]!r} is no host: {error}") from error
    if not _PLAIN_HOST.fullmatch(host) and not re.fullmatch(r"\[[0-9a-f:.]+\]", host):
        raise NotAWebAddress(f"{authority[:100]!r} is no host")
    if port and int(port) > 65535:
        raise NotAWebAddress(f"{authority[:100]!r} has no such port")
    return host, "" if port == _DEFAULT_PORTS[scheme] else port


# ---- Percent-encoding (RFC 3986, 6.2.2): what need not be encoded is not, what must be is, hex digits in upper case

_UNRESERVED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_IN_PATH: Final = "/:@!$'()*,;=+&"
_IN_QUERY: Final = "/?:@!$'()*,;=+&"
_IN_FRAGMENT: Final = "/?:@!$'()*,;=+&"
_DECODED_IN_PATH: Final = frozenset(_UNRESERVED + ":@")
_DECODED_IN_QUERY: Final = frozenset(_UNRESERVED + "/?:@!$'()*,=")
_PLAIN: Final = re.compile(r"[A-Za-z0-9\-._~/:@!$'()*,;=+&]*")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_LONE_PERCENT: Final = re.compile(r"%(?![0-9A-F]{2})")


def _normal(text: str, safe: str, decoded: frozenset[str] = _DECODED_IN_PATH) -> str:
    if _PLAIN.fullmatch(text):
        return text

    def unescape(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in decoded else match[0].upper()

    text = _LONE_PERCENT.sub("%25", _ESCAPE.sub(unescape, text)) if "%" in text else text
    return quote(text, safe=safe + "%", errors="replace")


def _normal_path(path: str) -> str:
    path = _normal(path, _IN_PATH)
    if "/." in path:
        path = _without_dots(path)
    return path or "/"


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4.

    >>> _without_dots("/a/./b/../c/..")
    '/a/'
    """
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _normal_query(query: str) -> tuple[str, ...]:
    """Pairs `name=value`; `amp;` before a name is left of an address that was escaped twice."""
    pairs = _normal(query, _IN_QUERY, _DECODED_IN_QUERY).split("&")
    if "amp;" in query:
        pairs = [re.sub("^(?:amp;)+", "", pair) for pair in pairs]
    return tuple(pair for pair in pairs if pair)


# ---- Redirectors


def _target(parts: _Parts, host_rules: HostRules, table: UrlRules) -> tuple[_Parts, HostRules] | None:
    carries = "http" in parts.path or any("http" in pair for pair in parts.query)
    if not carries:
        return None
    for row in (*host_rules.redirectors, *table.anywhere):
        for candidate in _candidates(parts, row):
            try:
                target = _resolve(candidate, table)
            except NotAWebAddress:
                continue
            if not row.to or target[0].host in row.to:
                return target
    return None


def _candidates(parts: _Parts, row: RedirectorRow) -> list[str]:
    if row.in_path and row.path is not None:
        rest = parts.path + ("?" + "&".join(parts.query) if parts.query else "")
        match = row.path.fullmatch(rest)
        return [re.sub(r"^(https?):/+", r"\1://", match["target"])] if match else []
    if row.path is not None and not row.path.fullmatch(parts.path):
        return []
    given = _parameters(parts.query)
    return [_decoded_target(given[name]) for name in row.query if name in given]


def _decoded_target(value: str) -> str:
    target = unquote(value)
    return unquote(target) if re.match(r"https?%3A", target, re.IGNORECASE) else target


def _parameters(query: tuple[str, ...]) -> dict[str, str]:
    """Parameters that have a value, still encoded; the first of a name counts."""
    found: dict[str, str] = {}
    for pair in query:
        name, _, value = pair.partition("=")
        if value:
            found.setdefault(name, value)
    return found


# ---- Pages that a row knows


def _of_known_page(parts: _Parts, host_rules: HostRules) -> Canonical | None:
    """What the first row that matches says."""
    if not host_rules.pages:
        return None
    given = _parameters(parts.query)
    for row in host_rules.pages:
        groups = _groups(parts, given, row)
        if groups is not None:
            url = row.url.format_map(groups)
            part_of = row.part_of.format_map(groups) if row.part_of else None
            return Canonical(url, (*_strong_keys(row, groups), url), row.temporary, part_of)
    return None


def _strong_keys(row: PageRow, groups: dict[str, str]) -> list[str]:
    decoded = {name: unquote(value) for name, value in groups.items()}
    keys = [template.format_map(decoded) for template in row.keys]
    return [key.lower() for key in keys] if row.lower else keys


def _groups(parts: _Parts, given: Mapping[str, str], row: PageRow) -> dict[str, str] | None:
    match = row.path.fullmatch(parts.path)
    if match is None:
        return None
    groups = match.groupdict("")
    groups["host"] = parts.host
    for group, parameter in row.query.items():
        value = next((given[name] for name in parameter.names if name in given), None)
        if value is None or not parameter.like.fullmatch(unquote(value)):
            return None
        groups[group] = value
    if any(groups[group].lower() in values for group, values in row.except_.items()):
        return None
    return groups


# ---- All others


def _of_any_page(parts: _Parts, host_rules: HostRules, table: UrlRules) -> Canonical:
    scheme = "https" if host_rules.https and not parts.port else parts.scheme
    fragment = parts.fragment if host_rules.fragment or table.fragments.kept.fullmatch(parts.fragment) else ""
    rest = "".join(
        (
            f":{parts.port}" if parts.port else "",
            parts.path,
            _kept_query(parts.query, host_rules, table) if parts.query else "",
            f"#{fragment}" if fragment else "",
        )
    )
    url = f"{scheme}://{parts.host}{rest}"
    return Canonical(url, tuple(dict.fromkeys((_page_key(parts.host, parts.path, rest), url))))


def _page_key(host: str, path: str, rest: str) -> str:
    """The address as a key: https, no `www.`, no slash at the end of the path.

    >>> _page_key("www.example.com", "/a/", ":8080/a/?id=1")
    'https://example.com:8080/a?id=1'
    """
    if path.endswith("/"):
        rest = rest.replace(path, path.rstrip("/"), 1)
    return f"https://{host.removeprefix('www.')}{rest}"


def _kept_query(query: tuple[str, ...], host_rules: HostRules, table: UrlRules) -> str:
    kept = [pair for pair in query if _says_something(pair, host_rules, table)]
    kept.sort(key=lambda pair: pair.partition("=")[0])
    return "?" + "&".join(kept) if kept else ""


def _says_something(pair: str, host_rules: HostRules, table: UrlRules) -> bool:
    name, _, value = pair.partition("=")
    name = name.lower()
    if host_rules.keep is not None and name not in host_rules.keep:
        return False
    rules = table.query
    if name in host_rules.drop or name in rules.names or name.startswith(rules.prefixes):
        return False
    idle = rules.values.get(name)
    return idle is None or not ("*" in idle or value.lower() in idle)
