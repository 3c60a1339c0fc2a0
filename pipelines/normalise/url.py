"""Makes of an address its canonical URL and its strong keys.

Two decisions. A canonical URL keeps `http` unless its host's row says that the site also answers on https, because a
printed URL must open; its *key* always has https, no `www.` and no slash at the end, so that both forms of one page are
one article. And a fragment is left out, unless it names the entry of a change log or the route of a one-page site.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from crawler.errors import NotUnderstood
from pipelines.rules import Rules
from pipelines.rules.urls import HostRules, PageRow, RedirectorRow, TwinRules, UrlRules


class NotAWebAddress(NotUnderstood):
    """A text is no http(s) address: another scheme, no host, too long. Raised by `canonicalise`."""


@dataclass(frozen=True, slots=True)
class Canonical:
    """An address in canonical form.

    Args:
        url: the canonical URL; may be printed.
        keys: strong keys, the best first, the URL among them.
        temporary: whether the address expires within hours.
        part_of: canonical URL of the repository that an issue or a release belongs to.
    """

    url: str
    keys: tuple[str, ...]
    temporary: bool = False
    part_of: str | None = None

    @property
    def key(self) -> str:
        """The best key: `arxiv:…`, `github:…`, else the URL."""
        return self.keys[0]


class _Parts(NamedTuple):
    """The parts of an address, each in percent-encoded normal form; `query` as pairs `name=value`."""

    scheme: str
    host: str
    port: str
    path: str
    query: tuple[str, ...]
    fragment: str


def canonicalise(url: str, rules: Rules) -> Canonical:
    """Make the canonical form of an absolute http(s) address; a canonical URL is its own canonical form.

    Args:
        url: as written; may have white space around it, `&amp;` in it, and no scheme (`//host/…`).
        rules: the tables of data/rules.

    Raises:
        NotAWebAddress: `javascript:`, a relative address, an impossible host, over `max_length` characters.
    """
    table = rules.urls
    parts, host_rules = _split_for_host(url, table)
    for _ in range(table.max_redirects):
        target = _follow_redirector(parts, host_rules, table)
        if target is None:
            break
        parts, host_rules = target
    canonical = _match_page_row(parts, host_rules) or _make_canonical(parts, host_rules, table)
    if len(canonical.url) > table.max_length:
        raise NotAWebAddress("address-over-limit", address=f"{canonical.url[:80]}…", limit=table.max_length)
    return canonical


def is_web_address(url: str, rules: Rules) -> bool:
    """Whether `canonicalise` accepts the address."""
    try:
        _split_address(url, rules.urls.max_length)
    except NotAWebAddress:
        return False
    return True


def find_idle_parameters(url: str, rules: Rules) -> tuple[str, ...]:
    """The names of the query parameters that do not change the page (tracking), each once, in order.

    Raises:
        NotAWebAddress: as `canonicalise` does.
    """
    parts, host_rules = _split_for_host(url, rules.urls)
    idle = (pair.partition("=")[0] for pair in parts.query if not _changes_page(pair, host_rules, rules.urls))
    return tuple(dict.fromkeys(idle))


def find_address(key: str, rules: Rules) -> str | None:
    """The address that a strong key determines, or None.

    `wechat:<biz>/<mid>/<idx>` determines none: a long link opens only with its check sum.
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
_LONGEST_HOST: Final = 253
"""Characters of a host: 255 octets with the lengths of its labels (RFC 1035, 2.3.4)."""
_PLAIN_HOST: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_PORT: Final = re.compile(r"(.*?)(?::(\d{0,5}))?", re.DOTALL)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def _split_for_host(url: str, table: UrlRules) -> tuple[_Parts, HostRules]:
    """The parts of an address, with the host's alias in place of the host, and the rules for that host."""
    parts = _split_address(url, table.max_length)
    host_rules = table.find_host_rules(parts.host)
    if host_rules.alias and host_rules.alias != parts.host:
        return parts._replace(host=host_rules.alias), table.find_host_rules(host_rules.alias)
    return parts, host_rules


def _split_address(url: str, max_length: int) -> _Parts:
    if len(url) > max_length:
        raise NotAWebAddress("address-over-limit", address=f"{url[:80]}…", limit=max_length)
    url = _NOT_IN_ADDRESSES.sub("", url).strip().replace("\\", "/")
    while "&amp;" in url:
        url = url.replace("&amp;", "&")
    match = _ADDRESS.fullmatch(url)
    if match is None:
        raise NotAWebAddress("no-web-address", address=url[:200])
    scheme, authority, path, query, fragment = match.groups()
    scheme = (scheme or "https").lower()
    host, port = _host_and_port(authority, scheme)
    return _Parts(
        scheme,
        host,
        port,
        _normalise_path(path),
        _normalise_query(query) if query else (),
        _normalise_encoding(fragment, _IN_FRAGMENT) if fragment else "",
    )


def _host_and_port(authority: str, scheme: str) -> tuple[str, str]:
    if len(authority) <= _LONGEST_HOST and _PLAIN_HOST.fullmatch(authority):
        return authority, ""
    match = _PORT.fullmatch(authority.rpartition("@")[2])
    if match is None:  # pragma: no cover - the pattern matches every text
        raise NotAWebAddress("no-such-host", host=authority)
    host, port = match[1].lower().rstrip("."), (match[2] or "").lstrip("0")
    if not host.isascii() or "%" in host:
        try:
            host = unquote(host, errors="strict").encode("idna").decode("ascii").lower().rstrip(".")
        except UnicodeError as error:
            raise NotAWebAddress("no-such-host", host=authority[:100]) from error
    if len(host) > _LONGEST_HOST:
        raise NotAWebAddress("no-such-host", host=authority[:100])
    if not _PLAIN_HOST.fullmatch(host) and not re.fullmatch(r"\[[0-9a-f:.]+\]", host):
        raise NotAWebAddress("no-such-host", host=authority[:100])
    if port and int(port) > 65535:
        raise NotAWebAddress("no-such-port", host=authority[:100])
    return host, "" if port == _DEFAULT_PORTS[scheme] else port


# ---- Percent-encoding (RFC 3986, 6.2.2): encodes only characters that must be encoded, hex digits in upper case

_UNRESERVED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_IN_PATH: Final = "/:@!$'()*,;=+&"
_IN_QUERY: Final = "/?:@!$'()*,;=+&"
_IN_FRAGMENT: Final = "/?:@!$'()*,;=+&"
_DECODED_IN_PATH: Final = frozenset(_UNRESERVED + ":@")
_DECODED_IN_QUERY: Final = frozenset(_UNRESERVED + "/?:@!$'()*,=")
_PLAIN: Final = re.compile(r"[A-Za-z0-9\-._~/:@!$'()*,;=+&]*")
_ESCAPED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_LONE_PERCENT: Final = re.compile(r"%(?![0-9A-F]{2})")


def _normalise_encoding(text: str, safe: str, decoded: frozenset[str] = _DECODED_IN_PATH) -> str:
    if _PLAIN.fullmatch(text):
        return text

    def unescape(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in decoded else match[0].upper()

    text = _LONE_PERCENT.sub("%25", _ESCAPED.sub(unescape, text)) if "%" in text else text
    return quote(text, safe=safe + "%", errors="replace")


def _normalise_path(path: str) -> str:
    path = _normalise_encoding(path, _IN_PATH)
    if "/." in path:
        path = _remove_dot_segments(path)
    return path or "/"


def _remove_dot_segments(path: str) -> str:
    """Remove `.` and `..` segments of a path: RFC 3986, 5.2.4.

    >>> _remove_dot_segments("/a/./b/../c/..")
    '/a/'
    """
    result: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del result[-1:]
        elif segment != ".":
            result.append(segment)
    if segments[-1] in (".", ".."):
        result.append("")
    return "/" + "/".join(result)


def _normalise_query(query: str) -> tuple[str, ...]:
    """The pairs `name=value` of a query; drops the `amp;` before a name that escaping twice leaves."""
    pairs = _normalise_encoding(query, _IN_QUERY, _DECODED_IN_QUERY).split("&")
    if "amp;" in query:
        pairs = [re.sub("^(?:amp;)+", "", pair) for pair in pairs]
    return tuple(pair for pair in pairs if pair)


# ---- Redirectors


def _follow_redirector(parts: _Parts, host_rules: HostRules, table: UrlRules) -> tuple[_Parts, HostRules] | None:
    carries = "http" in parts.path or any("http" in pair for pair in parts.query)
    if not carries and not any(row.in_path for row in host_rules.redirectors):
        return None
    for row in (*host_rules.redirectors, *table.anywhere):
        for candidate in _read_targets(parts, row):
            try:
                target = _split_for_host(candidate, table)
            except NotAWebAddress:
                continue
            if not row.to or target[0].host in row.to:
                return target
    return None


def _read_targets(parts: _Parts, row: RedirectorRow) -> list[str]:
    if row.in_path and row.path is not None:
        path_and_query = parts.path + ("?" + "&".join(parts.query) if parts.query else "")
        match = row.path.fullmatch(path_and_query)
        return [_complete_target(match["target"])] if match else []
    if row.path is not None and not row.path.fullmatch(parts.path):
        return []
    parameters = _read_parameters(parts.query)
    return [_decode_target(parameters[name]) for name in row.query if name in parameters]


def _complete_target(target: str) -> str:
    """The target that a path holds, as an address: with its scheme, and with two slashes.

    >>> [_complete_target(target) for target in ("https:/a.cn/b", "https:%2F%2Fa.cn%2Fb", "a.cn/b")]
    ['https://a.cn/b', 'https://a.cn/b', 'https://a.cn/b']
    """
    if re.match(r"https?:%2F", target, re.IGNORECASE):
        target = unquote(target)
    return re.sub(r"^(https?):/+", r"\1://", target) if target.startswith("http") else f"https://{target}"


def _decode_target(encoded: str) -> str:
    target = unquote(encoded)
    return unquote(target) if re.match(r"https?%3A", target, re.IGNORECASE) else target


def _read_parameters(query: tuple[str, ...]) -> dict[str, str]:
    """The values of the parameters, still encoded; of two parameters with one name the first counts."""
    parameters: dict[str, str] = {}
    for pair in query:
        name, _, encoded = pair.partition("=")
        if encoded:
            parameters.setdefault(name, encoded)
    return parameters


# ---- Pages that match a row


def _match_page_row(parts: _Parts, host_rules: HostRules) -> Canonical | None:
    """The canonical form by the first row that matches, or None."""
    if not host_rules.pages:
        return None
    parameters = _read_parameters(parts.query)
    for row in host_rules.pages:
        groups = _match_groups(parts, parameters, row)
        if groups is not None:
            url = row.url.format_map(groups)
            part_of = row.part_of.format_map(groups) if row.part_of else None
            return Canonical(url, (*_make_keys(row, groups), url), row.temporary, part_of)
    return None


def _make_keys(row: PageRow, groups: dict[str, str]) -> list[str]:
    decoded = {name: unquote(group) for name, group in groups.items()}
    keys = [template.format_map(decoded) for template in row.keys]
    return [key.lower() for key in keys] if row.lower else keys


def _match_groups(parts: _Parts, parameters: Mapping[str, str], row: PageRow) -> dict[str, str] | None:
    match = row.path.fullmatch(parts.path)
    if match is None:
        return None
    groups = match.groupdict("")
    groups["host"] = parts.host
    for group, parameter in row.query.items():
        encoded = next((parameters[name] for name in parameter.names if name in parameters), None)
        if encoded is None or not parameter.like.fullmatch(unquote(encoded)):
            return None
        groups[group] = encoded
    if any(groups[group].lower() in values for group, values in row.except_.items()):
        return None
    return groups


# ---- All other pages


def _make_canonical(parts: _Parts, host_rules: HostRules, table: UrlRules) -> Canonical:
    scheme = "https" if host_rules.https and not parts.port else parts.scheme
    fragment = parts.fragment if host_rules.fragment or table.fragments.meaningful.fullmatch(parts.fragment) else ""
    tail = "".join(
        (
            f":{parts.port}" if parts.port else "",
            parts.path,
            _make_query(parts.query, host_rules, table) if parts.query else "",
            f"#{fragment}" if fragment else "",
        )
    )
    url = f"{scheme}://{parts.host}{tail}"
    host, path = _find_twin(parts.host, parts.path, table.twins)
    twin_key = _make_page_key(host, path, tail.replace(parts.path, path, 1))
    return Canonical(url, tuple(dict.fromkeys((twin_key, _make_page_key(parts.host, parts.path, tail), url))))


def _find_twin(host: str, path: str, twins: TwinRules) -> tuple[str, str]:
    """Host and path of the page for a large screen, as far as names tell.

    >>> twins = TwinRules(hosts=frozenset({"m"}), segments=frozenset({"amp"}))
    >>> _find_twin("en.m.wiki.org", "/wiki/A", twins), _find_twin("a.com", "/2026/npu/amp/", twins)
    (('en.wiki.org', '/wiki/A'), ('a.com', '/2026/npu'))
    >>> _find_twin("a.com", "/amp/2026/npu.amp.html", twins), _find_twin("a.com", "/products/amp", twins)
    (('a.com', '/2026/npu.html'), ('a.com', '/products/amp'))
    """
    labels = host.split(".")
    for index in (0, 1):
        if len(labels) > index + 2 and labels[index] in twins.hosts:
            del labels[index]
            break
    segments = [segment for segment in path.rstrip("/").split("/") if segment.lower() not in twins.segments]
    segments[-1:] = [twins.suffix.sub("", segment) for segment in segments[-1:]]
    page_path = "/".join(segments)
    if re.search(r"[\d-]", page_path) and page_path != path.rstrip("/"):  # /2026/11/16/npu/amp, not /products/amp
        path = page_path
    return ".".join(labels), path


def _make_page_key(host: str, path: str, tail: str) -> str:
    """An address as a key: https, no `www.`, no slash at the end of the path.

    Args:
        host: of the address.
        path: of the address.
        tail: port, path, query and fragment, as they stand in the address.

    >>> _make_page_key("www.example.com", "/a/", ":8080/a/?id=1")
    'https://example.com:8080/a?id=1'
    """
    if path.endswith("/"):
        tail = tail.replace(path, path.rstrip("/"), 1)
    return f"https://{host.removeprefix('www.')}{tail}"


def _make_query(query: tuple[str, ...], host_rules: HostRules, table: UrlRules) -> str:
    pairs = [pair for pair in query if _changes_page(pair, host_rules, table)]
    pairs.sort(key=lambda pair: pair.partition("=")[0])
    return "?" + "&".join(pairs) if pairs else ""


def _changes_page(pair: str, host_rules: HostRules, table: UrlRules) -> bool:
    name, _, argument = pair.partition("=")
    name = name.lower()
    if host_rules.keep is not None and name not in host_rules.keep:
        return False
    rules = table.query
    if name in host_rules.drop or name in rules.names or name.startswith(rules.prefixes):
        return False
    pattern = rules.patterns.get(name)
    if pattern and pattern.fullmatch(argument.lower()):
        return False
    idle = rules.values.get(name)
    return idle is None or not ("*" in idle or argument.lower() in idle)
