"""references.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from pipelines.newsletter import Labels
from pipelines.rules.tables import Patterns, RuleTable, Words, any_of, as_tuple

_IN_ADDRESS: Final = r"[A-Za-z0-9\-._~/?#@!$&'()*+,;=%:]"


Role = Literal["paper", "code", "project", "document", "original", "link"]
"""A label line of `pipelines.newsletter.Labels`."""


class IdRow(RuleTable):
    """A way to name something without an address: `pattern` in a text, `url` a template over its groups."""

    pattern: re.Pattern[str]
    url: str


class ReferenceRules(RuleTable):
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
    ids: Annotated[tuple[IdRow, ...], BeforeValidator(as_tuple)] = ()
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
