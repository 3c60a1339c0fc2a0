"""data/newsletter.toml -> `Newsletter`: all that makes one newsletter differ from another."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from crawler.items import Kind


class NewsletterMisconfigured(Exception):
    """newsletter.toml cannot be used; the message names each field and what is wrong with it."""


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _holding(pattern: str, **fields: object) -> str:
    """The pattern, if nothing but these fields stands in its braces."""
    try:
        pattern.format(**fields)
    except (LookupError, ValueError, AttributeError) as error:
        known = " ".join(f"{{{name}}}" for name in fields)
        raise ValueError(f"{pattern!r}: only {known} may stand in braces") from error
    return pattern


Dated = Annotated[str, AfterValidator(lambda pattern: _holding(pattern, date=date.min))]
"""An address in which `{date}` stands for an issue's date."""

Words = Annotated[tuple[str, ...], BeforeValidator(_tuple)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Category(_Part):
    """A section of the issue.

    Args:
        name: heading and candidate category.
        aliases: other headings that past issues used for it.
        quota: how many items an issue wants.
        notes: Markdown under the heading of each new issue.
        kinds: weight for an article by the kind of page that it came from (log-odds).
        words: weight for a word in its title, half of that in its summary; matched as `Topic.terms` are.
        hints: words that speak for it too weakly to weigh by hand: what they weigh is learned from past issues.
    """

    name: str = Field(min_length=1)
    aliases: Words = ()
    quota: int = Field(default=5, ge=0)
    notes: str = ""
    kinds: Mapping[Kind, float] = Field(default_factory=dict)
    words: Mapping[str, float] = Field(default_factory=dict)
    hints: Words = ()


class Topic(_Part):
    """Something that the newsletter is about.

    Args:
        name: what a reason calls it.
        weight: score for an article that is about it.
        terms: any of them tells it; Latin terms match whole words, whatever their case.
    """

    name: str = Field(min_length=1)
    weight: float
    terms: Words = Field(min_length=1)


class Labels(_Part):
    """Words of the house style.

    Args:
        summary, guide, notice: `摘要`, `导读`, `注`.
        machine: what marks a summary that a machine drafted and nobody has accepted yet; never exported.
        paper, code, project, document, original, link: what a label line of that sort is printed as.
        also_read: further labels that past issues used; read as label lines, never written.
        source_separator: stands between title and source.
    """

    summary: str = "摘要"
    guide: str = "导读"
    notice: str = "注"
    machine: str = "机器摘要"
    paper: str = "论文"
    code: str = "代码"
    project: str = "项目地址"
    document: str = "文档"
    original: str = "原文"
    link: str = "链接"
    also_read: Words = ()
    source_separator: str = " | "

    @property
    def lines(self) -> tuple[str, ...]:
        """Every label that may stand before a link on a line of its own."""
        written = (self.paper, self.code, self.project, self.document, self.original, self.link)
        return tuple(dict.fromkeys((*written, *self.also_read)))


class Frame(_Part):
    """How the headline (要目) and the guide (导读) are proposed from an issue's entries.

    Args:
        headline_items: how many entries the headline names.
        headline_separator: stands between them.
        guide_opening: `{count}` stands for the number of entries.
        guide_section: `{section}` stands for a section's name, `{titles}` for what its entries are about.
        guide_separator: stands between these.
    """

    headline_items: int = Field(default=4, ge=1)
    headline_separator: str = "/"
    guide_opening: Annotated[str, AfterValidator(lambda pattern: _holding(pattern, count=1))] = "本次{count}条。"
    guide_section: Annotated[str, AfterValidator(lambda pattern: _holding(pattern, section="", titles=""))] = (
        "【{section}】{titles}。"
    )
    guide_separator: str = "；"


class BackIssues(_Part):
    """The 往期回顾 part.

    Args:
        heading: its words.
        url: what the heading links to, if anything.
        link: where an issue lies; `{date}` stands for its date.
        style: a list of links, or a table by year.
        columns: of the table.
    """

    heading: str = "往期回顾"
    url: str | None = None
    link: Dated = "{date}.md"
    style: Literal["list", "table"] = "list"
    columns: int = Field(default=4, ge=1)


class Publish(_Part):
    """Where issues go once they are written.

    Args:
        url: of the site; empty where there is none. A feed's links and pictures need it.
        issue: an issue's address on the site; `{date}` stands for its date.
        readme: the file whose table of back issues is kept up, relative to the folder of issues; empty for none.
        readme_link: how that file links to an issue.
        feed: the feed's file, relative to the folder of issues.
        feed_address: where that file lies on the site.
        feed_entries: how many issues the feed holds.
        licence: of what is written, in words or as an address.
        references: heading of the list of addresses that a WeChat article ends with.
    """

    url: str = ""
    issue: Dated = "issues/{date}.html"
    readme: str = "README.md"
    readme_link: Dated = "{date}.md"
    feed: str = "feed.xml"
    feed_address: str = "issues/feed.xml"
    feed_entries: int = Field(default=20, ge=1)
    licence: str = ""
    references: str = "参考链接"


class Assistant(_Part):
    """A language model that drafts summaries, for a person to accept.

    Args:
        base_url: of any endpoint that speaks OpenAI's chat completions.
        model: as the endpoint calls it.
        key_variable: the environment variable that holds the key; the key itself stands in no file.
        timeout: seconds for the whole answer.
    """

    base_url: str = Field(pattern=r"^https?://[^\s]+$")
    model: str = Field(min_length=1)
    key_variable: str = "JIANBAO_ASSISTANT_KEY"
    timeout: float = Field(default=60.0, gt=0)


class Newsletter(_Part):
    """One newsletter.

    Args:
        title: stands in each issue's heading.
        tagline: bold line under it.
        editor: who decides, where nobody says who.
        time_zone: what a date without a zone is read in.
        front_matter: YAML at the head of each issue, for Jekyll; empty for none.
        notice: a note under the tagline, Markdown.
        footer: Markdown that closes each issue.
        categories: in print order.
        topics: what the newsletter is about.
        frame: how an issue's headline and guide are proposed.
        publish: where issues go.
        assistant: who drafts summaries on request; nobody, unless it is said.
        per_issue: how many items an issue has.
        mirrors, network: read by `crawler.sources`; carried, not interpreted.
    """

    title: str = Field(min_length=1)
    tagline: str = ""
    editor: str = Field(min_length=1)
    time_zone: str = "Asia/Shanghai"
    front_matter: str = ""
    notice: str = ""
    footer: str = ""
    per_issue: int = Field(default=18, ge=1)
    categories: Annotated[tuple[Category, ...], BeforeValidator(_tuple)] = Field(min_length=1)
    topics: Annotated[tuple[Topic, ...], BeforeValidator(_tuple)] = ()
    labels: Labels = Labels()
    frame: Frame = Frame()
    back_issues: BackIssues = BackIssues()
    publish: Publish = Publish()
    assistant: Assistant | None = None
    mirrors: Mapping[str, str] = Field(default_factory=dict)
    network: Mapping[str, Any] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {name!r}") from error
        return name

    @field_validator("categories")
    @classmethod
    def _distinct(cls, categories: tuple[Category, ...]) -> tuple[Category, ...]:
        names = [name for category in categories for name in (category.name, *category.aliases)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"category names and aliases must differ: {', '.join(twice)}")
        return categories

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.time_zone)

    @property
    def category_names(self) -> tuple[str, ...]:
        """Names in print order."""
        return tuple(category.name for category in self.categories)

    def category(self, name: str) -> Category | None:
        """The category of that name or alias."""
        return next((one for one in self.categories if name == one.name or name in one.aliases), None)


def load_newsletter(path: Path) -> Newsletter:
    """Read newsletter.toml.

    Raises:
        NewsletterMisconfigured: no such file, no TOML, or fields that cannot be used, all of them named.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NewsletterMisconfigured(f"{path}: no such file; `jianbao init DIR` makes one") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise NewsletterMisconfigured(f"{path}: {error}") from error
    try:
        return Newsletter.model_validate(values)
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg']}" for mistake in error.errors()
        )
        raise NewsletterMisconfigured(f"{path}: {mistakes}") from error
