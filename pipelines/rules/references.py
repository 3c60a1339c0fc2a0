"""references.toml: how papers, repositories and addresses are found in an article."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from pipelines.newsletter import Labels
from pipelines.rules.tables import Patterns, join_patterns
from pipelines.validation import Table, Words, as_tuple

_IN_ADDRESS: Final = r"[A-Za-z0-9\-._~/?#@!$&'()*+,;=%:]"
"""A character that may stand in an address (RFC 3986)."""

Role = Literal["paper", "code", "project", "document", "original", "link"]
"""What a label line leads to; `pipelines.newsletter.Labels` holds the printed label of each role."""


class IdRow(Table):
    """An identifier that stands for an address: arXiv:2001.04246.

    Args:
        pattern: of the identifier in a text.
        url: template over the groups of the pattern.
    """

    pattern: re.Pattern[str]
    url: str


class ReferenceRules(Table):
    """references.toml, and the newsletter's labels.

    Args:
        max_references: of one article.
        first_part: characters at the start of a text; a reference there is primary.
        labels: the labels of a label line, by its role.
        roles: the role of a reference behind `链接：`, by the scheme of its key or by its host.
        bare_hosts: hosts whose addresses are also written without `https://`.
        ids: identifiers that stand for an address.
        ignored: patterns of canonical addresses that are never a reference.
        printed: the newsletter's label for each role.
    """

    max_references: int = Field(default=200, ge=1)
    first_part: int = Field(default=600, ge=0)
    labels: Mapping[Role, Words] = Field(default_factory=dict)
    roles: Mapping[str, Role] = Field(default_factory=dict)
    bare_hosts: Words = ()
    ids: Annotated[tuple[IdRow, ...], BeforeValidator(as_tuple)] = ()
    ignored: Patterns = ()
    printed: Labels = Labels()

    @cached_property
    def role_by_label(self) -> Mapping[str, Role]:
        """The role of each label, by the label in folded case."""
        return {label.casefold(): role for role, labels in self.labels.items() for label in labels}

    @cached_property
    def label_before(self) -> re.Pattern[str]:
        """A label with its colon at the end of the text before a reference: `论文：`, `[Code]: <`."""
        return re.compile(
            rf"({_alternate(self.role_by_label)})\s*[】\])）」]*\s*[:：]\s*[(（\[【「“\"<]*\s*$", re.IGNORECASE
        )

    @cached_property
    def label_alone(self) -> re.Pattern[str]:
        """A label and nothing else: `[Code]`, `► 论文`, `论文地址：`."""
        return re.compile(rf"\W*({_alternate(self.role_by_label)})\W*", re.IGNORECASE)

    @cached_property
    def address(self) -> re.Pattern[str]:
        """An address in a text: group `url` with its scheme, `bare` without (github.com/alibaba/MNN)."""
        hosts = "|".join(re.escape(host) for host in self.bare_hosts) or "(?!)"
        return re.compile(
            rf"(?P<url>https?://{_IN_ADDRESS}+)|(?<![\w@./-])(?P<bare>(?:www\.)?(?:{hosts})/{_IN_ADDRESS}+)",
            re.IGNORECASE | re.ASCII,
        )

    @cached_property
    def hints(self) -> tuple[bytes, ...]:
        """ASCII in lower case; a text whose ASCII characters hold none of them has no reference."""
        hosts = (host.encode("ascii", "ignore").lower() for host in self.bare_hosts)
        return (b"http", b"arxiv", b"doi", b"git@", b"[", *hosts)

    @cached_property
    def skipped(self) -> re.Pattern[str]:
        """Matches where any of `ignored` matches."""
        return join_patterns(self.ignored, flags=re.IGNORECASE)


def _alternate(labels: Iterable[str]) -> str:
    """A regular expression for any of the labels, the longest first; a Latin label does not begin inside a word."""
    ordered = sorted(labels, key=lambda label: (-len(label), label))
    return "|".join((r"(?<![A-Za-z])" if label[:1].isascii() else "") + re.escape(label) for label in ordered) or "(?!)"
