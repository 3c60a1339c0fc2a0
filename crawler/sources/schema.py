"""The tables of sources.toml and of `[network]` in newsletter.toml: their fields and the values that they allow."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import partial
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from croniter import croniter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from crawler.errors import NotUnderstood
from crawler.kinds import Kind, Mode


def _http_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not re.fullmatch(r"[^\s\x00-\x1f]+", url):
        raise NotUnderstood("no-absolute-url")
    return url


def _schedule(text: str) -> str:
    if re.fullmatch(r"every [1-9]\d{0,4}[mhdw]", text):
        return text
    try:
        if len(text.split()) == 5 and croniter(text, 0).get_next():
            return text
    except ValueError:
        pass
    raise NotUnderstood("no-schedule")


def check_template(template: str, placeholder: str) -> str:
    """An address with a placeholder.

    Raises:
        NotUnderstood: the placeholder is missing, or the template is no address.
    """
    if placeholder not in template:
        raise NotUnderstood("no-placeholder", placeholder=placeholder)
    return _http_url(template)


SITE_WAY = "site"
SAVED_WAY = "saved"
"""Names of ways that are no mirror: the account's own site, by `url`; pages in the newsletter's folder `saved/<id>`."""

_PLACEHOLDERS = ("{account}", "{number}", "{biz}")


def check_mirror(template: str) -> str:
    """The address of a mirror, with a placeholder for the account.

    Raises:
        NotUnderstood: it has none of the placeholders, or is no address.
    """
    if not any(placeholder in template for placeholder in _PLACEHOLDERS):
        raise NotUnderstood("no-placeholder", placeholder="{account}")
    return _http_url(template)


def address_on_mirror(template: str, account: str) -> str:
    """The address of an account's feed on a mirror.

    Args:
        template: with `{account}`, as the row writes it; with `{number}`, its number; or with `{biz}`, the `__biz` of
            its articles.
        account: `MP_WXS_` and a number, or another name that the mirror gives it.

    >>> address_on_mirror("https://mirror.example/feed/{number}.xml", "MP_WXS_3073282833")
    'https://mirror.example/feed/3073282833.xml'
    >>> address_on_mirror("https://mirror.example/{biz}", "MP_WXS_3073282833")
    'https://mirror.example/MzA3MzI4MjgzMw=='
    """
    number = account.removeprefix("MP_WXS_")
    names = (account, number, b64encode(number.encode()).decode())
    for placeholder, name in zip(_PLACEHOLDERS, names, strict=True):
        template = template.replace(placeholder, quote(name, safe="=@"))
    return template


def _rising(numbers: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= numbers[0] <= numbers[1]:
        raise NotUnderstood("not-rising")
    return numbers


def _host_and_port(text: str) -> str:
    try:
        parts = urlsplit(f"//{text}")
        usable = parts.hostname and parts.port and parts.netloc == text and "@" not in text
    except ValueError:
        usable = False
    if not usable:
        raise NotUnderstood("no-host-and-port", text=text)
    return text.lower()


def _contact(text: str) -> str:
    """An address that a header can carry: `https://example.com/about`, `mailto:editor@example.com`."""
    if not re.fullmatch(r"(?:https?://|mailto:)[!-'*-:<-~]{3,200}", text):
        raise NotUnderstood("no-contact")
    return text


def _secret_origin(url: str) -> str:
    """An origin that may see a secret: over TLS, or on this very machine."""
    parts = urlsplit(_http_url(url))
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise NotUnderstood("no-origin")
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise NotUnderstood("origin-in-clear")
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
            return {name: tuple(field) if isinstance(field, list) else field for name, field in values.items()}
        return values


class Source(_Row):
    """One row of sources.toml. data/README.md explains the fields."""

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
    guids: Literal["stable", "rebuilt", "shared"] | None = None
    # wechat
    mirror: Text | None = None
    account: Text | None = None
    ways: tuple[Text, ...] = ()
    way_addresses: Annotated[tuple[tuple[str, HttpUrl], ...], Field(exclude=True)] = ()
    full_text: Literal["mirror", "page"] = "mirror"
    page_mirror: Annotated[str, AfterValidator(partial(check_template, placeholder="{path}"))] | None = None
    # zhihu
    column: Annotated[str, Field(pattern=r"^[\w-]+$", max_length=100)] | None = None
    author: Annotated[str, Field(pattern=r"^[\w-]+$", max_length=100)] | None = None
    # hn
    points: int | None = Field(default=None, ge=0)
    # arxiv, zhihu, github, hn
    query: Text | None = None
    base_url: HttpUrl | None = None
    # web
    list: bool = False
    # github
    mode: Mode | None = None
    repos: tuple[Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$", max_length=200)], ...] = ()


class HostRule(_Row):
    """How a host wants to be asked.

    Args:
        delay: seconds between the starts of two requests, of which there is never more than one at a time.
        group: hosts of one group share that one line; a host without a group is a line of its own.
        robots: whether its robots.txt is asked; False for an API, whose own terms rule what programs may do.
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
        contact: a page or a mail address of the operator, which the User-Agent names to every site.
    """

    credentials: CredentialOrigins = Field(default_factory=CredentialOrigins)
    allow_hosts: tuple[HostAndPort, ...] = ()
    hosts: Mapping[str, HostRule] = Field(default_factory=dict)
    contact: Annotated[str, AfterValidator(_contact)] | None = None
