"""The values that pass between stages: article, reference, story, candidate, entry, issue. All are frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from crawler.errors import Detail
from crawler.items import LinkRelation
from crawler.kinds import Kind
from pipelines.wording import Language, say

ADDED_BY_HAND: Final = "added"
"""The id of the source of articles that somebody adds by hand. It is in no registry, and no reader sees it."""

Precision = Literal["second", "minute", "hour", "day", "month", "year", "first-seen"]
DecisionAction = Literal["pick", "drop", "later", "categorise", "edit", "merge", "split", "release", "undo"]
CandidateState = Literal["new", "picked", "dropped", "later", "published"]

DAY_PRECISIONS: Final[frozenset[Precision]] = frozenset({"second", "minute", "hour", "day", "first-seen"})
"""Precisions of a date that tell the day."""

WORK_PREFIXES: Final = ("arxiv:", "github:", "doi:")
"""Prefixes of the keys of works: papers and repositories, the subjects of stories."""

SentenceValue = str | int | tuple[str, ...]
"""A value of a sentence; a tuple is an enumeration."""

Subject = tuple[str, tuple[tuple[str, SentenceValue], ...]]
"""Code and values of a sentence, as a key."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time and its precision.

    Args:
        at: the time, aware.
        precision: of the written date; `first-seen` without a date that can be read.
        source: the field that gave the date: `published`, `updated`, `first-seen`.
        raw: the date as written.
        unread: the part of the date that could not be read; the precision leaves it out. Not stored: `raw` tells it.
    """

    at: datetime
    precision: Precision
    source: str
    raw: str | None = None
    unread: str = ""


@dataclass(frozen=True, slots=True)
class ArticleLink:
    """A link of an article; `pipelines.normalise.references` makes a reference of it.

    Args:
        url: absolute, not yet canonical.
        label: the text of the link.
        position: characters of the article's text before the label; None for a link outside the text.
        relation: relation that the page states; None for a link in the text.
    """

    url: str
    label: str = ""
    position: int | None = None
    relation: LinkRelation | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A paper, a repository or another article that an article points at.

    Args:
        key: strong key: `arxiv:2001.04246`, `github:alibaba/mnn`, `doi:10.1000/182`, `wechat:…`, or a canonical URL.
        url: canonical; may be printed.
        label: the newsletter's label for it (论文, 代码, 项目地址 ...), if the article has it on a label line.
        primary: whether it is in the title, on a label line or in the first part of the text.
        position: index among the article's references, from 0.
    """

    key: str
    url: str
    label: str | None = None
    primary: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class Article:
    """A normalised article.

    Args:
        kind, source: the kind and the id of its source.
        url: the canonical URL; the URL to print.
        seen_url: the URL in the source.
        keys: strong keys, with the canonical URL; two articles that share a key are one article.
        entry_keys: keys that the source's feed gives its entries, before `keys`; not stored with the article's fields.
        temporary: whether the URL expires within hours (a signed WeChat link); such a URL is never published.
        title: without lead and tail.
        title_lead, title_tail: the lead and the tail taken off the title: `重磅`, `机器之心`.
        publisher, author: account, column or site; person.
        published, updated: dates; without a date `published` is the time of the first fetch.
        language: `zh`, `en`, `ja`, `ko`, another ISO 639-1 code, or `und`.
        text: main text, paragraphs separated by one newline; empty without one.
        summary: the page's own digest, plain text.
        image: URL of the lead image.
        links: links outside the text, then links of the text; not stored.
        references: of title, text and links, in order of appearance.
        tags, metrics, facts: as in RawItem.
        fetched_at: time of the fetch, aware.
    """

    kind: Kind
    source: str
    url: str
    seen_url: str
    keys: tuple[str, ...]
    title: str
    published: Instant
    fetched_at: datetime
    temporary: bool = False
    title_lead: str | None = None
    title_tail: str | None = None
    publisher: str | None = None
    author: str | None = None
    updated: Instant | None = None
    language: str = "und"
    text: str = ""
    summary: str = ""
    image: str | None = None
    links: tuple[ArticleLink, ...] = ()
    references: tuple[Reference, ...] = ()
    tags: tuple[str, ...] = ()
    metrics: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    entry_keys: tuple[str, ...] = ()

    @property
    def source_name(self) -> str:
        """The publisher; without one the id of the source, or the host of an article that somebody added by hand."""
        if self.publisher or self.source != ADDED_BY_HAND:
            return self.publisher or self.source
        return (urlsplit(self.url).hostname or "").removeprefix("www.")


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article with its columns in the store.

    Args:
        id: stable for the life of the store, also across a rebuild.
        urls: every URL under which a source had it.
        sources: ids of all its sources.
        first_seen: time of the first fetch, aware.
        revision: 1, and one more after each change of title or text.
    """

    id: int
    article: Article
    urls: tuple[str, ...]
    sources: tuple[str, ...]
    first_seen: datetime
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a score or of a category. The weights of a score's reasons add up to the score.

    Args:
        code: of a sentence of `pipelines.wording`: `reason/term`, `shape/colon`, `article/arxiv`.
        weight: the part of the score.
        values: of the sentence, by the names of its placeholders.
    """

    code: str
    weight: float
    values: Mapping[str, SentenceValue] = field(default_factory=dict, hash=False)

    @property
    def subject(self) -> Subject:
        """Code and values: reasons of one subject are summed, and reasons of one weight are in this order."""
        return self.code, tuple(sorted(self.values.items()))

    def text(self, language: Language) -> str:
        """The reason in the reader's language."""
        return say(self.code, self.values, language)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why two articles are in one story.

    Args:
        kind: `by-hand`, `reprint`, `names` (one is about the other), `shared-reference`, `near-text`, `same-title`,
            `similar-title`, `same-event` (in words of their own); the strongest first.
        code: of a sentence of `pipelines.wording` that gives the detail: the key, the similarity.
        articles: the two ids, the smaller first.
        values: of the sentence, by the names of its placeholders.
    """

    kind: str
    code: str
    articles: tuple[int, int]
    values: Mapping[str, SentenceValue] = field(default_factory=dict, hash=False)

    @property
    def subject(self) -> Subject:
        """Code and values, as `Reason.subject`."""
        return self.code, tuple(sorted(self.values.items()))

    def text(self, language: Language) -> str:
        """The detail in the reader's language."""
        return say(self.code, self.values, language)


@dataclass(frozen=True, slots=True)
class Story:
    """Articles that report one event.

    Args:
        id: the smallest article id among its members; the id of any member finds the story.
        members: article ids, ascending.
        lead: id of the article to link.
        evidence: empty for a story of one article.
        accounts: how many accounts report it independently; reprints count once.
    """

    id: int
    members: tuple[int, ...]
    lead: int
    evidence: tuple[Evidence, ...] = ()
    accounts: int = 1


@dataclass(frozen=True, slots=True)
class StoryLink:
    """A label line of a story's entry: 论文, 代码, 项目地址 …"""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another story that may report the same event.

    Args:
        story: its id.
        lead: the article that stands for it.
        state: of that story.
        probability: that the two report one event: the mean over their articles.
        evidence: the strongest link between the two.
    """

    story: int
    lead: StoredArticle
    state: CandidateState
    probability: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class RecalledEntry:
    """An entry of a published issue that printed a story, or a work that the story is about.

    Args:
        issue: its date.
        title: of the entry, plain text.
        url: that the title links; empty without one.
    """

    issue: date
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A story as the editor is offered it.

    Args:
        category: one of the newsletter's.
        category_scores: probability of each category; they sum to 1.
        category_reasons: what moved the category.
        score: comparable across categories; the sum of the weights of `reasons`.
        links: 论文 / 代码 / 项目地址 lines of its members.
        promotion: the sort of promotion that the lead's title announces, as promotion.toml names it; empty for none.
        state, published_in: what was decided, and the issue that printed it.
        follows: the last issue that printed a work that this is news of.
        recalled: the entry of `published_in` or `follows`; None until it is looked up.
        suggested: stories that may report the same event, the likeliest first; empty until they are looked up.
    """

    story: Story
    articles: tuple[StoredArticle, ...]
    category: str
    category_scores: Mapping[str, float]
    category_reasons: tuple[Reason, ...]
    score: float
    reasons: tuple[Reason, ...]
    links: tuple[StoryLink, ...] = ()
    promotion: str = ""
    state: CandidateState = "new"
    published_in: date | None = None
    follows: date | None = None
    suggested: tuple[Suggestion, ...] = ()
    recalled: RecalledEntry | None = None

    @property
    def lead(self) -> StoredArticle:
        """The article to link."""
        return next(article for article in self.articles if article.id == self.story.lead)


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided of a story, never overwritten; the newest of a story counts.

    Args:
        story: any member's article id; survives regrouping.
        who, at: the person (or `cli`) and when.
        action: `categorise` and `edit` change the category and the drafted entry, not the state. `merge` and `split`
            are about two articles, which tell one story or do not; whoever says so of several pairs at once has
            decided once. `release` ends the pick of a story whose draft was deleted. `undo` takes back the newest
            decision that still stands.
        other: of `merge` and `split`, the other article's id.
        category, issue: where the pick goes; None leaves it to the story and to the next issue.
        shown: what the person was shown (title, score, category, state), for later training; of a pick, how deep in the
            list the story lay (depth); where in an issue the story stood (issue, section, position); for an `edit`,
            what it made of the entry (before, after).
        id: given by the store; the later, the higher.
    """

    story: int
    action: DecisionAction
    who: str
    at: datetime
    category: str | None = None
    issue: date | None = None
    shown: Mapping[str, str] = field(default_factory=dict)
    other: int | None = None
    id: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a part of an issue that belongs to no story; never overwritten.

    Args:
        id: the store assigns it.
        issue: date of the issue.
        part: `headline`, `guide`, `preamble`, `order`, `date`; `entry` for the text of an entry that is printed or that
            no story stands behind, which `before` lacks if the editor added the entry; `removal` for such an entry with
            its slot; `section` for the texts of a section; `state` for publishing and unpublishing; `issue` for a draft
            that was deleted.
        before, after: text of the part; None without one.
        who, at: the person and the time.
        undoes: id of the change that this change takes back.
    """

    id: int
    issue: date
    part: str
    before: str | None
    after: str | None
    who: str
    at: datetime
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """URL, title and text of an article at the moment of a pick; never overwritten.

    Args:
        article: id of the article.
        at: time of the pick, aware.
        url, title, text: of the article at that time.
        hash: SHA-256 of title and text.
    """

    article: int
    at: datetime
    url: str
    title: str
    text: str
    hash: str


@dataclass(frozen=True, slots=True)
class LinkCheck:
    """The last check of an address that an issue links.

    Args:
        url: as in the issue.
        at: time of the check, aware.
        state: `there`; `moved`, to the address in `detail`; `gone`; `unknown`, if the check failed.
        detail: the reason, or the new address.
    """

    url: str
    at: datetime
    state: Literal["there", "moved", "gone", "unknown"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of an issue: the editor's Markdown, exported as it is.

    `pipelines.issue.entry.read_entry` reads title, source, links and label lines from the Markdown.

    Args:
        markdown: the item's lines without the leading `- ` and without trailing blanks; a blank line only where the
            editor set paragraphs apart.
        story: the article id of the story that the entry was proposed for, or None.
    """

    markdown: str
    story: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its entries.

    Args:
        name: the heading as printed: a category of the newsletter or one of its aliases, `业界新闻` or `应用`.
        entries: in print order.
        notes: Markdown between the heading and the first entry, or None.
        closing: Markdown after the last entry, a farewell or a note, or None.
        level: of the heading: 2 for `##`; 0 for the one-liners (简讯) before the sections, which have no heading.
        marker: what stands before an entry: `- `, `{n}、` with the entry's number, `### `; empty for nothing.
        continues_numbers: whether the numbers go on from the section before.
    """

    name: str
    entries: tuple[Entry, ...] = ()
    notes: str | None = None
    closing: str | None = None
    level: int = 2
    marker: str = "- "
    continues_numbers: bool = False

    @property
    def is_briefs(self) -> bool:
        """Whether the entries are one-liners (简讯): a list without a heading, before the sections."""
        return self.level == 0

    @property
    def is_set_apart(self) -> bool:
        """Whether a blank line stands between the entries."""
        return sets_apart(self.marker)


def sets_apart(marker: str) -> bool:
    """Whether a blank line stands between entries with this marker: paragraphs, no list of Markdown and no table."""
    return marker.strip() not in ("-", "*", "+", "|")


EARLIEST_ISSUE: Final = date(1990, 1, 1)
LATEST_ISSUE: Final = date(2100, 1, 1)
"""The days that an issue may come out on; a date outside is one that somebody is still typing."""


class BlankLines(NamedTuple):
    """The blank lines that a past issue has before a line, where the house style sets another number.

    Args:
        line: without blanks at its end.
        occurrence: its number among equal lines of the issue, from 1.
        number: of blank lines.
        above: the line above it where no blank line parts them; empty where one does.
    """

    line: str
    occurrence: int
    number: int
    above: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue. Text fields hold Markdown as the editor wrote it; None where the issue has no such part.

    Args:
        date: what names the issue.
        title: the newsletter's title in the heading: `嵌入式AI简报`.
        number: of the issue, where the newsletter counts its issues.
        slug: the name of the issue in addresses, where the newsletter has such names.
        title_in: where title, date and headline are printed: in the heading, or in the front matter alone, if at all.
        front_matter: YAML between the `---` lines, verbatim.
        above_heading: Markdown between the front matter and the heading (a cover picture, a comment), verbatim.
        dateline: the text between title and headline in the heading, ` (2020-11-30)：`; None for the newsletter's own.
        headline: what follows the date in the heading: `A/B/C`.
        tagline: bold line under the heading, without its asterisks.
        notice: the note under the tagline (`注：…`), verbatim.
        guide: 导读, without the `> 导读：`.
        preamble: all else before the first section, verbatim.
        sections: in print order; the one-liners, if the newsletter has them, are the first.
        back_issues: the 往期回顾 part with its heading, verbatim.
        footer: what follows it, verbatim.
        state: `draft` until it is exported as published.
        blank_lines: where its file had others than the house style sets; not part of the issue's identity.
        warnings: what the import could not read cleanly; not part of it either.
    """

    date: date
    title: str
    sections: tuple[Section, ...] = ()
    front_matter: str | None = None
    above_heading: str | None = None
    dateline: str | None = None
    headline: str | None = None
    tagline: str | None = None
    notice: str | None = None
    guide: str | None = None
    preamble: str | None = None
    back_issues: str | None = None
    footer: str | None = None
    number: int | None = None
    slug: str | None = None
    title_in: Literal["heading", "front-matter"] = "heading"
    state: Literal["draft", "published"] = "published"
    blank_lines: tuple[BlankLines, ...] = field(default=(), compare=False)
    warnings: tuple[Detail, ...] = field(default=(), compare=False)

    @property
    def main_sections(self) -> tuple[Section, ...]:
        """The sections without the one-liners: the number of an issue's entries is counted in these."""
        return tuple(section for section in self.sections if not section.is_briefs)

    @property
    def item_count(self) -> int:
        """The number of entries, without the one-liners."""
        return sum(len(section.entries) for section in self.main_sections)
