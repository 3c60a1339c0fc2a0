"""data/newsletter.toml -> `Newsletter`: everything in which one newsletter differs from another."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Mapping
from datetime import date, time, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from crawler.errors import NotUnderstood
from crawler.kinds import Kind
from crawler.toml import TomlUnreadable, read_toml
from pipelines.errors import EditorError
from pipelines.model import sets_apart
from pipelines.validation import Table, Words, as_tuple, describe_mistakes

_HAN: Final = re.compile("[\u3400-\u9fff]")

BOLD_LEVEL: Final = 7
"""The level of a section's heading that is a bold paragraph: below that of every heading of Markdown."""


class NewsletterMisconfigured(EditorError):
    """newsletter.toml cannot be used; the error names each wrong field and the reason."""


def _check_template(template: str, **fields: object) -> str:
    """Return the template unchanged.

    Raises:
        NotUnderstood: braces of the template name something else than these fields.
    """
    try:
        template.format(**fields)
    except (LookupError, ValueError, AttributeError) as error:
        raise NotUnderstood("foreign-braces", template=template, names=[f"{{{name}}}" for name in fields]) from error
    return template


DatedTemplate = Annotated[
    str, AfterValidator(lambda template: _check_template(template, date=date.min, number=1, slug=""))
]
"""An address in which `{date}` stands for an issue's date, `{number}` for its number, `{slug}` for its name."""


class _Part(Table):
    """A table of newsletter.toml: its values are of the right type as written, `"5"` is no number."""

    model_config = ConfigDict(strict=True)


def _check_marker(template: str) -> str:
    return _check_template(template, n=1, nn="01", han="一", circled="①", dark="❶", bracketed="⑴", dotted="⒈")


class BlankLineCounts(_Part):
    """How many blank lines stand before each part of an issue; None for the number that a wider setting has.

    Args:
        opening: before the first text under the issue's heading.
        heading: before the heading of a section.
        notes: between that heading and the text below it.
        entries: before the first entry.
        between: between two entries; by default none in a list or a table, and one elsewhere.
        closing: before the text after the last entry.
        footer: before the footer.
    """

    opening: int | None = Field(default=None, ge=0)
    heading: int | None = Field(default=None, ge=0)
    notes: int | None = Field(default=None, ge=0)
    entries: int | None = Field(default=None, ge=0)
    between: int | None = Field(default=None, ge=0)
    closing: int | None = Field(default=None, ge=0)
    footer: int | None = Field(default=None, ge=0)

    def over(self, wider: BlankLineCounts) -> BlankLineCounts:
        """Take from a wider setting what this one leaves open."""
        return wider.model_copy(update=self.model_dump(exclude_none=True))


USUAL_BLANK_LINES: Final = BlankLineCounts(opening=1, heading=2, notes=1, entries=1, closing=2, footer=1)

EntryLine = Annotated[str, AfterValidator(lambda template: _check_template(template, title="", url="", editor=""))]
SourceForm = Annotated[str, AfterValidator(lambda template: _check_template(template, source=""))]
SummaryForm = Annotated[str, AfterValidator(lambda template: _check_template(template, summary="", editor=""))]


class SectionStyle(_Part):
    """How a section is printed; None for what `[frame]` says.

    Args:
        level: of its heading.
        marker: what stands before each entry.
        entry: the first line of an entry.
        source: where it names the source.
        summary: what follows it.
        blank_lines: in the section.
    """

    level: int | None = Field(default=None, ge=1, le=BOLD_LEVEL)
    marker: Annotated[str, AfterValidator(_check_marker)] | None = None
    entry: EntryLine | None = None
    source: SourceForm | None = None
    summary: SummaryForm | None = None
    blank_lines: BlankLineCounts = BlankLineCounts()

    @property
    def is_set_apart(self) -> bool:
        """Whether a blank line stands between the entries."""
        return sets_apart(self.marker or "")


class Category(_Part):
    """A section of the issue.

    Args:
        name: heading and candidate category.
        aliases: other headings that past issues used for it.
        quota: how many entries of the category an issue should have.
        notes: Markdown under the heading of each new issue.
        closing: Markdown after the last entry of each new issue.
        style: how the section is printed where it differs from the others.
        kinds: weight (log-odds) of an article's kind.
        words: weight (log-odds) of a word in the title; in the summary it has half the weight. Words match as
            `Topic.terms` do.
        hints: words that indicate the category weakly; training on past issues sets their weights.
    """

    name: str = Field(min_length=1)
    aliases: Words = ()
    quota: int = Field(default=5, ge=0)
    notes: str = ""
    closing: str = ""
    style: SectionStyle = SectionStyle()
    kinds: Mapping[Kind, float] = Field(default_factory=dict)
    words: Mapping[str, float] = Field(default_factory=dict)
    hints: Words = ()


class Topic(_Part):
    """A subject of the newsletter.

    Args:
        name: the topic's name in a reason.
        weight: score of an article on the topic.
        terms: an article that contains any of them is on the topic; Latin terms match whole words in any case.
        ambiguous: words of other subjects too. One puts an article on the topic only where a term of any topic, or an
            ambiguous word of another topic, stands beside it.
        other_senses: longer words in which a term means something else: a term is not read inside them.
    """

    name: str = Field(min_length=1)
    weight: float
    terms: Words = Field(min_length=1)
    ambiguous: Words = ()
    other_senses: Words = ()


class Labels(_Part):
    """Labels as the newsletter prints them.

    Args:
        summary, guide, notice: `摘要`, `导读`, `注`.
        machine: marks a summary that a language model wrote and no editor has accepted; never exported.
        paper, code, project, document, original, link: the printed label of each role of label line.
        also_read: further labels of past issues; read as label lines, never written.
        source_separator: between title and source; empty where no source is printed.
        colon: between a label and its text; a half-width colon and a full-width one are both read.

    An empty label is not printed: with no `summary`, the summary is every line that is no label line.
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
    colon: str = "："

    @property
    def lines(self) -> tuple[str, ...]:
        """Every label that may begin a label line."""
        written = (self.paper, self.code, self.project, self.document, self.original, self.link)
        return tuple(dict.fromkeys(filter(None, (*written, *self.also_read))))

    def begin_line(self, label: str) -> str:
        """Begin a line with a label: the label and the colon; nothing for an empty label.

        >>> Labels(colon=": ").begin_line("Summary"), Labels().begin_line("")
        ('Summary: ', '')
        """
        return f"{label}{self.colon}" if label else ""


class FixedSection(_Part):
    """A section without entries that each new issue has: a cover, how to subscribe, the heading above other sections.

    Args:
        name: the heading.
        text: Markdown under it.
        above: the category above whose section it stands; empty for the end of the issue.
        level: of the heading; None for that of the categories.
        blank_lines: in the section.
    """

    name: str = Field(min_length=1)
    text: str = ""
    above: str = ""
    level: int | None = Field(default=None, ge=1, le=BOLD_LEVEL)
    blank_lines: BlankLineCounts = BlankLineCounts()


class Frame(_Part):
    """How an issue begins, and how the headline (要目) and the guide (导读) are proposed from its entries.

    Args:
        title: what an issue's heading begins with; None for the newsletter's title. Empty: with the dateline.
        dateline: template of the text between title and headline in an issue's heading; `{date}` is its date,
            `{number}` its number.
        marker: what stands before each entry of a new issue: `- `, `{n}、`, `### `.
        level: of the headings of sections in a new issue; 7 for a bold paragraph in the place of a heading.
        entry: the first line of a new entry, with `{title}`, `{url}`, `{editor}`; empty for the usual one.
        source: what follows the title where the source is known, with `{source}`: `（{source}）`, ` — {source}`.
            Empty: the source stands in the link, behind `labels.source_separator`.
        summary: what follows it, with `{summary}`, `{editor}`; nothing of it is written where the summary is empty. An
            indent or `> ` before `{summary}` precedes each line of it.
            Empty: no summary is printed. None: the usual one, behind its label.
        numbers_run_on: whether the numbers of entries go on from section to section.
        empty_sections: whether a section without entries is printed.
        hard_breaks: whether each line of an entry in a list ends with a hard break.
        blank_lines: between the parts of an issue.
        sections: without entries.
        headline_items: how many entries the headline names; 0 for issues without a headline.
        guide: whether an issue has a 导读.
        headline_separator: between the names.
        guide_opening: template; `{count}` is the number of entries.
        guide_section: template; `{section}` is a section's name, `{titles}` the subjects of its entries.
        guide_separator: between the subjects.
    """

    title: str | None = None
    dateline: DatedTemplate = " ({date}) "
    marker: Annotated[str, AfterValidator(_check_marker)] = "- "
    level: int = Field(default=2, ge=1, le=BOLD_LEVEL)
    entry: EntryLine = ""
    source: SourceForm = ""
    summary: SummaryForm | None = None
    numbers_run_on: bool = False
    empty_sections: bool = True
    hard_breaks: bool = True
    blank_lines: BlankLineCounts = BlankLineCounts()
    sections: Annotated[tuple[FixedSection, ...], BeforeValidator(as_tuple)] = ()
    headline_items: int = Field(default=4, ge=0)
    guide: bool = True
    headline_separator: str = "/"
    guide_opening: Annotated[str, AfterValidator(lambda template: _check_template(template, count=1))] = (
        "本次{count}条。"
    )
    guide_section: Annotated[str, AfterValidator(lambda template: _check_template(template, section="", titles=""))] = (
        "【{section}】{titles}。"
    )
    guide_separator: str = "；"


class Briefs(_Part):
    """The one-liners before the sections: news of a line each, without a summary.

    Args:
        name: what the desk and the commands call them; it is not printed.
        opening: Markdown above them in a new issue.
        closing: Markdown below them in a new issue.
        quota: how many an issue should have; 0 for any number.
        longest: characters of a proposed one-liner.
    """

    name: str = Field(default="简讯", min_length=1)
    opening: str = ""
    closing: str = ""
    quota: int = Field(default=0, ge=0)
    longest: int = Field(default=80, ge=10)


class Reading(_Part):
    """The shape of past issues; what is left empty is found in each file.

    Args:
        sections: levels of the headings that begin a section: 2 is `##`; 7 is a bold paragraph, in a file without such
            headings. Empty: `##`, or the highest level of the file.
        items: what begins an entry: `- `, `{n}、`, `（{n}）`, `{han}、` (一、), `{circled}` (①), `### `, `**` (a bold
            paragraph), `[` (a paragraph that begins with a link, or with an emoji before one), `|` (the row of a
            table), `> - ` (a list in a quotation). Empty: found in each section.
        frame: headings under which no entry stands: 订阅, 说明.
        title: where title and date stand. Empty: in the first heading, or else in the front matter.
        number: the forms of an issue's number, with `{n}`.
        date_fields: fields of the front matter that hold the date.
    """

    sections: Annotated[tuple[Annotated[int, Field(ge=1, le=BOLD_LEVEL)], ...], BeforeValidator(as_tuple)] = ()
    items: Words = ()
    frame: Words = ()
    title: Literal["", "heading", "front-matter"] = ""
    number: Words = ("第{n}期", "#{n}", "Vol.{n}", "No.{n}", "Issue {n}", "issue-{n}")
    date_fields: Words = ("date", "pubDate", "published")


class Numbering(_Part):
    """The dates of issues that have a number.

    Args:
        first: date of number 1.
        days: between two issues.
        months: between two issues; takes the place of `days`.
    """

    first: datetime.date
    days: int = Field(default=7, ge=1)
    months: int = Field(default=0, ge=0)

    def find_date(self, number: int) -> datetime.date:
        """Find the date of an issue by its number.

        Raises:
            ValueError: the calendar has no such date.

        >>> Numbering(first=date(2016, 1, 28), months=1).find_date(14)
        datetime.date(2017, 2, 28)
        """
        if not self.months:
            return self.first + timedelta(days=self.days * (number - 1))
        years, month = divmod(self.first.month - 1 + self.months * (number - 1), 12)
        year = self.first.year + years
        return date(year, month + 1, min(self.first.day, calendar.monthrange(year, month + 1)[1]))

    def find_number(self, day: datetime.date) -> int:
        """Find the number of the issue of a date; 1 for a date before the first."""
        if not self.months:
            return max((day - self.first).days // self.days + 1, 1)
        months = (day.year - self.first.year) * 12 + day.month - self.first.month
        return max(months // self.months + 1, 1)


class BackIssues(_Part):
    """The 往期回顾 part.

    Args:
        heading: its text; empty for a newsletter without the list.
        url: target of the heading's link; None for a heading without link.
        link: address of a back issue; `{date}` is its date.
        style: a list of links, or a table by year.
        columns: of the table.
    """

    heading: str = "往期回顾"
    url: str | None = None
    link: DatedTemplate = "{date}.md"
    style: Literal["list", "table"] = "list"
    columns: int = Field(default=4, ge=1)


class Publish(_Part):
    """Where issues are published.

    Args:
        url: address of the site; empty without a site. A feed's links and pictures need it.
        file: name of an issue's file, without its ending: `{date}`, `issue-{number}`, `{date}-{slug}`.
        issue: an issue's address on the site; `{date}` is its date.
        readme: file with a table of back issues that jianbao updates, relative to the folder of issues; empty for
            none.
        readme_link: address of an issue in that file.
        feed: the feed's file, relative to the folder of issues.
        feed_address: address of the feed on the site.
        feed_entries: how many issues the feed holds.
        id: a text of which the feed's new identifiers are made; empty for the site's address, or the title.
        licence: of the issues, as text or as an address.
        references: heading of the list of addresses at the end of a WeChat article.
    """

    url: str = ""
    file: DatedTemplate = "{date}"
    issue: DatedTemplate = "issues/{date}.html"
    readme: str = "README.md"
    readme_link: DatedTemplate = "{date}.md"
    feed: str = "feed.xml"
    feed_address: str = "issues/feed.xml"
    feed_entries: int = Field(default=20, ge=1)
    id: str = ""
    licence: str = ""
    references: str = "参考链接"


class Assistant(_Part):
    """A language model that proposes summaries; an editor accepts them.

    Args:
        base_url: of an endpoint with OpenAI's chat completions API.
        model: the endpoint's name of the model.
        key_variable: the environment variable that holds the key; no file holds the key.
        timeout: seconds for the whole answer.
    """

    base_url: str = Field(pattern=r"^https?://[^\s]+$")
    model: str = Field(min_length=1)
    key_variable: str = "JIANBAO_ASSISTANT_KEY"
    timeout: float = Field(default=60.0, gt=0)


class AlertChannel(_Part):
    """A way to tell people of incidents. An address with a key in it, and a password, may come from the environment.

    Args:
        kind: `webhook` sends JSON, `wecom` `feishu` `slack` send it in the form of these services.
        url, url_variable: where to; or the environment variable that holds the address.
        host, port, tls, user, password_variable: of the mail server; the port follows from `tls`.
        sender, to: mail addresses.
        command: program and arguments; it gets JSON on stdin.
    """

    kind: Literal["webhook", "wecom", "feishu", "slack", "email", "command"]
    url: str = Field(default="", pattern=r"^(https?://[^\s]+)?$")
    url_variable: str = ""
    host: str = ""
    port: int = Field(default=0, ge=0, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_variable: str = "JIANBAO_MAIL_PASSWORD"  # noqa: S105 - the name of a variable
    sender: str = Field(default="", pattern=r"^([^\s@]+@[^\s@]+)?$")
    to: Annotated[tuple[Annotated[str, Field(pattern=r"^[^\s@,]+@[^\s@,]+$")], ...], BeforeValidator(as_tuple)] = ()
    command: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ()

    @model_validator(mode="after")
    def _check_target(self) -> AlertChannel:
        required = {"email": ("host", "sender", "to"), "command": ("command",)}.get(self.kind, ())
        missing = [name for name in required if not getattr(self, name)]
        if not required and not self.url and not self.url_variable:
            missing = ["url"]
        if missing:
            raise NotUnderstood("channel-without", kind=self.kind, names=missing)
        return self


def _read_clock(written: object) -> object:
    """Read `09:00`; anything else stays as it is, for pydantic to refuse."""
    if isinstance(written, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", written):
        return time.fromisoformat(written)
    return written


def _read_hours(written: object) -> object:
    """Read `22:00-08:00`."""
    if isinstance(written, str) and written.count("-") == 1:
        return tuple(map(_read_clock, written.split("-")))
    return written


class Alerts(_Part):
    """How people hear of incidents.

    Args:
        channels: by name.
        quiet_hours: times of the day between which nothing is sent, in the newsletter's zone; what comes up waits.
        digest: the time of the day of a summary of all that is not well; None without one.
    """

    channels: Mapping[str, AlertChannel] = Field(default_factory=dict)
    quiet_hours: Annotated[tuple[time, time], BeforeValidator(_read_hours)] | None = None
    digest: Annotated[time, BeforeValidator(_read_clock)] | None = None


class Retention(_Part):
    """How long raw items are kept whole; after that, only what articles are made of is kept of them.

    Args:
        whole_days: since the fetch; 0 keeps every item whole for ever.
        whole_items: the newest items of each source, which stay whole however old they are.
    """

    whole_days: int = Field(default=400, ge=0, le=36_500)
    whole_items: int = Field(default=50, ge=1)


class Newsletter(_Part):
    """One newsletter.

    Args:
        title: in each issue's heading.
        tagline: bold line under the heading.
        language: of its text, as BCP 47 has it: `zh`, `en`. Empty: `zh` where title, tagline or a section is written in
            Chinese characters, else `en`, and a label then ends with `: `.
        editor: name of the editor where a command names none.
        time_zone: of dates without a time zone.
        front_matter: YAML at the head of each issue, for Jekyll; empty for none. In this text and those below,
            `{date}`, `{number}` and `{slug}` are those of the issue.
        above_heading: Markdown, or fields without `---` lines, above each issue's heading.
        preamble: Markdown before the first section of each new issue.
        notice: a note under the tagline, Markdown.
        footer: Markdown at the end of each issue.
        categories: in print order.
        topics: the subjects of the newsletter.
        briefs: the one-liners before the sections; None for a newsletter without them.
        frame: how an issue's headline and guide are proposed, and how its heading and its entries begin.
        reading: the shape of past issues.
        numbering: the dates of numbered issues; None for a newsletter whose issues have no number.
        publish: where issues are published.
        assistant: the language model that proposes summaries on request; None without one.
        alerts: how people hear of incidents.
        retention: how long raw items are kept whole.
        per_issue: how many entries an issue should have.
        sources: ids of the sources that a further newsletter of a house reads; empty for all.
        mirrors, network: `crawler.sources` reads them; this module does not interpret them.
    """

    title: str = Field(min_length=1)
    tagline: str = ""
    language: str = Field(default="", pattern=r"^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$")
    editor: str = Field(min_length=1)
    time_zone: str = "Asia/Shanghai"
    front_matter: str = ""
    above_heading: str = ""
    preamble: str = ""
    notice: str = ""
    footer: str = ""
    per_issue: int = Field(default=18, ge=1)
    categories: Annotated[tuple[Category, ...], BeforeValidator(as_tuple)] = Field(min_length=1)
    topics: Annotated[tuple[Topic, ...], BeforeValidator(as_tuple)] = ()
    sources: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ()
    labels: Labels = Labels()
    briefs: Briefs | None = None
    frame: Frame = Frame()
    reading: Reading = Reading()
    numbering: Numbering | None = None
    back_issues: BackIssues = BackIssues()
    publish: Publish = Publish()
    assistant: Assistant | None = None
    alerts: Alerts = Alerts()
    retention: Retention = Retention()
    mirrors: Mapping[str, str] = Field(default_factory=dict)
    network: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fill_language(cls, written: Any) -> Any:
        if not isinstance(written, Mapping) or written.get("language"):
            return written
        categories = as_tuple(written.get("categories"))
        rows = categories if isinstance(categories, tuple) else ()  # anything else is refused below
        names = [row.get("name") if isinstance(row, Mapping) else getattr(row, "name", row) for row in rows]
        if _HAN.search("".join(map(str, (written.get("title"), written.get("tagline"), *names)))):
            return {**written, "language": "zh"}
        filled = {
            name: {**defaults, **table} if isinstance(table := written.get(name, {}), Mapping) else table
            for name, defaults in (("labels", {"colon": ": "}), ("back_issues", {"heading": "Past issues"}))
        }
        return {**written, "language": "en", **filled}

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise NotUnderstood("no-time-zone", name=name) from error
        return name

    @field_validator("categories")
    @classmethod
    def _check_names_differ(cls, categories: tuple[Category, ...]) -> tuple[Category, ...]:
        names = [name for category in categories for name in (category.name, *category.aliases)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise NotUnderstood("equal-names", names=twice)
        return categories

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of `time_zone`."""
        return ZoneInfo(self.time_zone)

    @property
    def category_names(self) -> tuple[str, ...]:
        """Names of the categories in print order."""
        return tuple(category.name for category in self.categories)

    def fill_template(self, template: str, day: date, *, number: int | None = None, slug: str | None = None) -> str:
        """Fill in an address, a file name or a dateline.

        Args:
            template: with `{date}`, `{number}`, `{slug}`.
            day: the date of the issue.
            number: of the issue; by default `numbering` counts it.
            slug: the name of the issue; by default its number, or else its date.
        """
        if number is None and self.numbering is not None:
            number = self.numbering.find_number(day)
        counted = "" if number is None else number
        return template.format(date=day, number=counted, slug=slug or counted or day)

    def fill_text(self, text: str, day: date, *, number: int | None = None) -> str:
        """Fill date, number and name of an issue into Markdown; all other braces stay as they are."""
        return _FIELD_OF_TEXT.sub(lambda match: self.fill_template(match[0], day, number=number), text)

    def style_section(self, name: str) -> SectionStyle:
        """Find how a section is printed: as its category says, else as `[frame]` does. No value of it is None."""
        category = self.category(name)
        own = category.style if category else SectionStyle()
        fixed = next((each for each in self.frame.sections if each.name == name), None)
        blank_lines = (fixed.blank_lines if fixed else own.blank_lines).over(self.frame.blank_lines)
        return SectionStyle(
            level=(fixed.level if fixed else own.level) or self.frame.level,
            marker=self.frame.marker if own.marker is None else own.marker,
            entry=self.frame.entry if own.entry is None else own.entry,
            source=self.frame.source if own.source is None else own.source,
            summary=self.frame.summary if own.summary is None else own.summary,
            blank_lines=blank_lines.over(USUAL_BLANK_LINES),
        )

    @cached_property
    def source_forms(self) -> tuple[str, ...]:
        """The forms of a source behind the title, of the frame and of all categories."""
        forms = (self.frame.source, *(category.style.source for category in self.categories))
        return tuple(dict.fromkeys(filter(None, forms)))

    @cached_property
    def signs_summaries(self) -> bool:
        """Whether the name of an editor stands before summaries."""
        forms = (self.frame.summary, *(category.style.summary for category in self.categories))
        return any("{editor}" in form for form in forms if form)

    def category(self, name: str) -> Category | None:
        """The category with this name or alias, or None. Emoji, numbers and a link around a name do not count."""
        for heading in (name, simplify_heading(name)):
            for category in self.categories:
                if heading in (category.name, *category.aliases):
                    return category
        simple = simplify_heading(name)
        return next(
            (each for each in self.categories if simple in map(simplify_heading, (each.name, *each.aliases))), None
        )

    def is_briefs(self, name: str) -> bool:
        """Whether a name is the name of the one-liners."""
        return self.briefs is not None and name == self.briefs.name

    def is_frame(self, heading: str) -> bool:
        """Whether no entry stands under a heading, as `[reading] frame` says."""
        return simplify_heading(heading) in map(simplify_heading, self.reading.frame)


# "{date}", "{date:%Y.%m.%d}", "{number}"; not Jekyll's "{{date}}"
_FIELD_OF_TEXT: Final = re.compile(r"(?<!\{)\{(?:date(?::[^{}]*)?|number|slug)\}(?!\})")
# "[文章](https://e.org)"
_LINK: Final = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
# "一、", "1. ", "（二）"
_NUMBER: Final = re.compile(r"^[(（]?(?:\d{1,3}|[一二三四五六七八九十]{1,3})[)）]?[、.．\s]+(?=\S)")


@lru_cache(maxsize=4096)
def simplify_heading(heading: str) -> str:
    """Take link, emoji, number and marks off the heading of a section.

    >>> simplify_heading("## [🦄 文章&教程](https://e.org)"), simplify_heading("一、论文：")
    ('文章&教程', '论文')
    """
    text = _LINK.sub(r"\1", heading)
    text = re.sub(r"^\W+|[^\w)）+#]+$", "", text)
    return re.sub(r"^\W+", "", _NUMBER.sub("", text))


def load_newsletter(path: Path) -> Newsletter:
    """Read newsletter.toml.

    Raises:
        NewsletterMisconfigured: the file is missing or is no TOML, or fields cannot be used; the message names all.
    """
    try:
        values = read_toml(path)
    except FileNotFoundError as error:
        raise NewsletterMisconfigured("no-file", path=path) from error
    except TomlUnreadable as error:
        raise NewsletterMisconfigured("unusable-settings", path=path, reasons=(error.detail,)) from error
    try:
        return Newsletter.model_validate(values)
    except ValidationError as error:
        raise NewsletterMisconfigured("unusable-settings", path=path, reasons=describe_mistakes(error)) from error
